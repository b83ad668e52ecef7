#include "legacy/sqlite/columns.h"

#include "base/encoding.h"

namespace reeve::legacy {

ColumnType TypeOfDeclaration(std::string_view declared) {
  const std::string type = AsciiUpper(declared);
  const auto has = [&](std::string_view word) { return type.find(word) != std::string::npos; };
  if (has("BOOL")) return ColumnType::kBool;
  if (has("TIMESTAMP") || has("DATETIME")) return ColumnType::kTime;
  if (has("JSON") || has("ARRAY")) return ColumnType::kJson;
  if (has("BLOB") || has("BYTES")) return ColumnType::kBytes;
  if (has("INT")) return ColumnType::kInt;
  return ColumnType::kOther;
}

Result<std::vector<Column>> ReadColumns(sqlite::Database& database, const std::string& table) {
  REEVE_ASSIGN(sqlite::Statement query, database.Prepare("SELECT name, type FROM pragma_table_info(?1) ORDER BY cid"));
  query.BindText(1, table);
  std::vector<Column> columns;
  for (;;) {
    REEVE_ASSIGN(const bool more, query.Step());
    if (!more) return columns;
    const std::string declared(query.Text(1));
    columns.push_back({std::string(query.Text(0)), declared, TypeOfDeclaration(declared)});
  }
}

std::string QuoteName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string_view BigQueryTypeOf(ColumnType type) {
  switch (type) {
    case ColumnType::kInt: return "INT64";
    case ColumnType::kBool: return "BOOL";
    case ColumnType::kTime: return "TIMESTAMP";
    case ColumnType::kJson: return "JSON";
    case ColumnType::kBytes: return "BYTES";
    case ColumnType::kOther: break;
  }
  return "STRING";
}

std::string_view DeclarationOf(std::string_view bigquery_type, bool repeated) {
  if (repeated) return "ARRAY";
  const std::string type = AsciiUpper(bigquery_type);
  if (type == "INT64" || type == "INTEGER") return "INTEGER";
  if (type == "BOOL" || type == "BOOLEAN") return "BOOLEAN";
  if (type == "TIMESTAMP") return "TIMESTAMP";
  if (type == "JSON" || type == "RECORD" || type == "STRUCT") return "JSON";
  if (type == "BYTES") return "BLOB";
  if (type == "FLOAT64" || type == "FLOAT" || type == "NUMERIC") return "REAL";
  return "TEXT";
}

}  // namespace reeve::legacy
