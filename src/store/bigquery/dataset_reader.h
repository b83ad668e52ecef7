// CentralReader over copies of a dataset's tables. One thread at a time.
#pragma once

#include <memory>

#include "store/bigquery/table_copies.h"
#include "store/central_sink.h"

namespace reeve::store {

// Sees what `pin` sees. `copies` is kept for as long as the reader lives.
[[nodiscard]] std::unique_ptr<CentralReader> MakeDatasetReader(std::shared_ptr<TableCopies> copies, std::shared_ptr<TableCopies::Pin> pin);

}  // namespace reeve::store
