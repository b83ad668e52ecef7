// ReadBatch: tables that one query reads, and the query. Tables of one kind need not have the same columns: a table without a column gives NULL for it, which is left
// out of its rows, so only columns of one name and two types keep tables apart. Pure; values.
//
//   query    := branch { "UNION ALL" branch }
//   branch   := SELECT 'ORDINAL' AS reeve_table, column { "," column } FROM `project.dataset.table` [ FOR SYSTEM_TIME AS OF TIMESTAMP 'INSTANT' ]
//   column   := `name` | CAST(NULL AS type) AS `name`
//
// ORDINAL is the table's position in the batch: rows come back in no order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "legacy/bigquery/estate_catalog.h"

namespace reeve::legacy {

// BigQuery refuses more than 1,000 tables in a query, and many UNION ALL are a documented reason for "too complex": begin with a quarter.
inline constexpr size_t kBatchTablesFirst = 250;
inline constexpr size_t kBatchTablesMax = 1'000;
// Of 1 MB unresolved SQL text.
inline constexpr size_t kBatchSqlBytesMax = 900'000;
// Stored bytes; bounds what one batch takes in the spool. A single table may have more.
inline constexpr uint64_t kBatchBytesMax = uint64_t{512} << 20;
// BigQuery allows 10,000 columns in a table, and in an answer.
inline constexpr size_t kBatchColumnsMax = 2'000;

struct BatchTable {
  std::string dataset, name;
  std::vector<uint16_t> columns;  // for each column of the table, in its order: the position in ReadBatch::columns
};

class ReadBatch {
 public:
  ReadBatch(std::string project, std::string location) : project_(std::move(project)), location_(std::move(location)) {}

  // False, and nothing is changed, if the table would make the query too large or has a column of another type than one of the batch. The first
  // table is always taken. REQUIRES: identifiers, quotable columns, at least one.
  bool Add(const std::string& dataset, const CatalogTable& table);

  [[nodiscard]] const std::string& project() const { return project_; }
  [[nodiscard]] const std::string& location() const { return location_; }
  [[nodiscard]] const ColumnSet& columns() const { return columns_; }
  [[nodiscard]] const std::vector<BatchTable>& tables() const { return tables_; }
  // The tables at these positions as a batch of their own, with all columns.
  [[nodiscard]] ReadBatch Only(const std::vector<size_t>& positions) const;

  // `instant`: nullopt reads the tables as they are.
  [[nodiscard]] std::string Sql(std::optional<Micros> instant) const;
  // The name of the first column of the answer; none of the others.
  [[nodiscard]] std::string OrdinalName() const;

 private:
  std::string project_, location_;
  ColumnSet columns_;
  std::map<std::string, uint16_t, std::less<>> position_;  // of a column, by its name in lower case
  std::vector<BatchTable> tables_;
  uint64_t bytes_ = 0;
  size_t sql_bytes_ = 0;  // no less than Sql().size()
};

// How many tables to read at once, from what happened so far: twice as many after each success, half of what was too large, and never more than that again.
// One thread.
class BatchSize {
 public:
  [[nodiscard]] size_t Now() const { return now_; }
  void Worked(size_t tables);
  void WasTooLarge(size_t tables);

 private:
  size_t now_ = kBatchTablesFirst;
  size_t ceiling_ = kBatchTablesMax;
};

}  // namespace reeve::legacy
