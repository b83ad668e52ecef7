// A copy of one table of the dataset, as it was at one time: a SQLite file with a table of the catalog's names and values (store/sqlite/sqlite_rows.h),
// without constraints, since it must take whatever a dataset holds that has none. One thread writes it; then any number read it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "drivers/sqlite/sqlite.h"
#include "store/bigquery/spool.h"
#include "store/sqlite/sqlite_rows.h"

namespace reeve::store {

using TableCopy = std::shared_ptr<const SpoolFile>;

[[nodiscard]] std::string LooseTable(const catalog::Table& table);
// `path` as it stands in an ATTACH statement.
[[nodiscard]] std::string QuotedPath(const std::string& path);

// What a copy of reeve_exact_cells says of the cells of one table.
class ExactTexts {
 public:
  [[nodiscard]] static Result<ExactTexts> Open(const catalog::Table& table, TableCopy exact_cells);
  // Gives the cells of a row that have a form their text back (exact_cells.h). Texts go into `texts`, one for each column.
  [[nodiscard]] Result<> Restore(const catalog::Table& table, std::span<catalog::Cell> cells, std::vector<std::string>* texts);

 private:
  // True if a text is noted for the cell.
  [[nodiscard]] Result<bool> Find(const catalog::Table& table, const std::string& row_key, const catalog::Column& column, std::optional<std::string>* text);
  TableCopy copy_;
  std::unique_ptr<sqlite::Database> database_;
  sqlite::Statement find_;
  bool any_ = false;
};

class CopyWriter {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CopyWriter>> Make(Spool& spool, const catalog::Table& table);
  // For a table with columns that have a form: their texts are restored from now on.
  [[nodiscard]] Result<> RestoreTexts(TableCopy exact_cells);
  // Adds a row, whose texts point into `texts` or live until the call returns.
  [[nodiscard]] Result<> Add(std::span<catalog::Cell> cells, std::vector<std::string>* texts);
  [[nodiscard]] Result<TableCopy> Finish();

 private:
  explicit CopyWriter(const catalog::Table& table) : table_(&table) {}
  const catalog::Table* table_;
  std::unique_ptr<SpoolFile> file_;
  std::unique_ptr<sqlite::Database> database_;
  RowStatement insert_;
  std::optional<ExactTexts> exact_;
};

}  // namespace reeve::store
