// The declarations of the tables that serving writes, for OwnTables(). Whoever uses a table takes it from catalog/table.h. Constant data.
#pragma once

#include "catalog/table.h"

namespace reeve::catalog {

[[nodiscard]] Table MakeRuns();
[[nodiscard]] Table MakeRunTotals();

}  // namespace reeve::catalog
