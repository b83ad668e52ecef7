// Puts newline-delimited JSON into a table of a SQLite estate. One thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace reeve::legacy {

// Replaces all rows of `table` by `lines` in one transaction, making file, table and columns as needed.
[[nodiscard]] Result<> ReplaceRows(const std::string& path, const std::string& table, std::string_view lines);
// Makes `table` with the columns of a `bq show --schema` text, unless it exists.
[[nodiscard]] Result<> DeclareTable(const std::string& path, const std::string& table, std::string_view json);

}  // namespace reeve::legacy
