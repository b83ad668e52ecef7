// The declared columns of a table in a SQLite estate. Pure but for ReadColumns; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "drivers/sqlite/sqlite.h"

namespace reeve::legacy {

enum class ColumnType { kOther, kInt, kBool, kTime, kJson, kBytes };

struct Column {
  std::string name;
  std::string declared;  // as written in the table
  ColumnType type = ColumnType::kOther;
};

[[nodiscard]] ColumnType TypeOfDeclaration(std::string_view declared);
// Empty if there is no such table.
[[nodiscard]] Result<std::vector<Column>> ReadColumns(sqlite::Database& database, const std::string& table);

// "name" with quotes doubled inside.
[[nodiscard]] std::string QuoteName(std::string_view name);

// BigQuery's name of the declared type, and a declaration for one; `repeated` columns are declared ARRAY.
[[nodiscard]] std::string_view BigQueryTypeOf(ColumnType type);
[[nodiscard]] std::string_view DeclarationOf(std::string_view bigquery_type, bool repeated);

}  // namespace reeve::legacy
