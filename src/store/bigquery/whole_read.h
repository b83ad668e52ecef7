// Reading several tables of a dataset by one query, every value as text. One thread at a time.
//
// A row of its answer:  reeve_number, the place of its table in the list, as text; then c0, c1, … as many as the widest table has columns: the values in the
// order of the catalog as decimal (INT64, NUMERIC, TIMESTAMP in microseconds), true or false, YYYY-MM-DD, base64, JSON (also of arrays), NULL as NULL.
// Rows come in the order of the list.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "drivers/bigquery/types.h"
#include "store/bigquery/dataset_tables.h"
#include "store/bigquery/table_copy.h"

namespace reeve::store {

// reeve_exact_cells comes first in it, wherever it stands in `tables`. REQUIRES: there is a table
[[nodiscard]] std::string WholeReadQuery(const DatasetName& dataset, std::span<const catalog::Table* const> tables);

// Takes the rows of that query into copies.
class WholeRead {
 public:
  WholeRead(Spool& spool, std::span<const catalog::Table* const> tables);
  // If reeve_exact_cells is not among the tables: its copy.
  void UseExactCells(TableCopy copy) { exact_cells_ = std::move(copy); }
  [[nodiscard]] Result<> Add(const bigquery::Row& row);
  // One copy for each table, in the order in which they were given.
  [[nodiscard]] Result<std::vector<TableCopy>> Finish();

 private:
  // Ends the copy that is being written and begins those up to the `next`-th.
  [[nodiscard]] Result<> GoOn(size_t next);

  Spool& spool_;
  const std::vector<const catalog::Table*> given_;
  std::vector<const catalog::Table*> tables_;  // as they come
  std::vector<TableCopy> copies_;              // of those that are done
  std::unique_ptr<CopyWriter> writer_;         // of the one after them; none before the first row
  TableCopy exact_cells_;
};

}  // namespace reeve::store
