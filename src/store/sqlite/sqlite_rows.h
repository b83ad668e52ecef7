// Rows of catalog tables in and out of SQLite statements.
//
// INT64, BOOL and TIMESTAMP (µs) are integers, DATE is YYYY-MM-DD, NUMERIC is a decimal text, BYTES a blob, JSON and arrays their
// text (catalog/ddl.h). Not safe for concurrent use.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/rows.h"
#include "drivers/sqlite/sqlite.h"

namespace reeve::store {

// Binds `cell` of `column` to a parameter. Texts are not copied; `scratch` holds what had to be written out.
void BindCell(sqlite::Statement& statement, int parameter, const catalog::Column& column, const catalog::Cell& cell,
              std::string* scratch);

// The columns of the current result row, in catalog order. Texts point into the statement: valid until its next step.
// kCorrupt if a value cannot be of its column.
[[nodiscard]] Result<> ReadCells(const sqlite::Statement& statement, const catalog::Table& table, std::span<catalog::Cell> cells);

// "a, b, c".
[[nodiscard]] std::string JoinNames(std::span<const std::string_view> names);
[[nodiscard]] std::string ColumnNames(const catalog::Table& table);

// A statement whose parameters are `columns` of one table.
class RowStatement {
 public:
  RowStatement() = default;
  [[nodiscard]] static Result<RowStatement> Prepare(sqlite::Database& database, const catalog::Table& table, std::string_view sql,
                                                    std::vector<const catalog::Column*> columns);
  // Binds one cell per parameter; they must live until Reset.
  void Bind(std::span<const catalog::Cell> cells);
  [[nodiscard]] sqlite::Statement& statement() { return statement_; }
  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(statement_); }

 private:
  sqlite::Statement statement_;
  std::vector<const catalog::Column*> columns_;
  std::vector<std::string> scratch_;
};

}  // namespace reeve::store
