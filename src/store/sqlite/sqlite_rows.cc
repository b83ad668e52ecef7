#include "store/sqlite/sqlite_rows.h"

#include "base/time_text.h"
#include "catalog/ndjson.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::Table;
using catalog::Type;

void BindCell(sqlite::Statement& statement, int parameter, const Column& column, const Cell& cell, std::string* scratch) {
  if (cell.is_null) return statement.BindNull(parameter);
  switch (column.type) {
    case Type::kInt64:
    case Type::kBool:
    case Type::kTimestamp: return statement.BindInt(parameter, cell.num);
    case Type::kDate:
      *scratch = FormatDate(static_cast<Days>(cell.num));
      return statement.BindText(parameter, *scratch);
    case Type::kNumeric:
      *scratch = catalog::FormatNumeric(cell.num, column.scale);
      return statement.BindText(parameter, *scratch);
    case Type::kBytes: return statement.BindBlob(parameter, cell.text);
    case Type::kString:
    case Type::kJson:
    case Type::kStrings: return statement.BindText(parameter, cell.text);
  }
}

namespace {

std::optional<Cell> ReadCell(const sqlite::Statement& statement, int at, const Column& column) {
  if (statement.IsNull(at)) return Cell::Null();
  switch (column.type) {
    case Type::kInt64:
    case Type::kBool:
    case Type::kTimestamp: return Cell::Int(statement.Int(at));
    case Type::kDate:
      if (const auto days = ParseDate(statement.Text(at))) return Cell::Int(*days);
      return std::nullopt;
    case Type::kNumeric:
      if (const auto value = catalog::ParseNumeric(statement.Text(at), column.scale)) return Cell::Int(*value);
      return std::nullopt;
    case Type::kBytes: return Cell::Text(statement.Blob(at));
    case Type::kString:
    case Type::kJson:
    case Type::kStrings: return Cell::Text(statement.Text(at));
  }
  return std::nullopt;
}

}  // namespace

Result<> ReadCells(const sqlite::Statement& statement, const Table& table, std::span<Cell> cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto cell = ReadCell(statement, static_cast<int>(i), table.columns[i]);
    if (!cell) {
      return Fail(Code::kCorrupt, "{}.{} holds a value that is no {}", table.name, table.columns[i].name,
                  catalog::TypeName(table.columns[i].type));
    }
    cells[i] = *cell;
  }
  return {};
}

std::string JoinNames(std::span<const std::string_view> names) {
  std::string joined;
  for (std::string_view name : names) joined.append(joined.empty() ? "" : ", ").append(name);
  return joined;
}

std::string ColumnNames(const Table& table) {
  std::vector<std::string_view> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return JoinNames(names);
}

Result<RowStatement> RowStatement::Prepare(sqlite::Database& database, const Table& table, std::string_view sql,
                                           std::vector<const Column*> columns) {
  RowStatement prepared;
  auto statement = database.Prepare(sql);
  if (!statement) return Unexpected(std::move(statement).error().Within(table.name));
  prepared.statement_ = std::move(*statement);
  prepared.scratch_.resize(columns.size());
  prepared.columns_ = std::move(columns);
  return prepared;
}

void RowStatement::Bind(std::span<const Cell> cells) {
  REEVE_ASSERT(cells.size() == columns_.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    BindCell(statement_, static_cast<int>(i) + 1, *columns_[i], cells[i], &scratch_[i]);
  }
}

}  // namespace reeve::store
