// The tables of a central dataset in BigQuery: names, what tables.insert is told of each, and how one that is found there differs.
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/table.h"
#include "drivers/bigquery/types.h"
#include "store/central_sink.h"

namespace reeve::store {

inline constexpr std::string_view kLockTable = "reeve_lock";
// Rows on their way; empty unless a merge is at work or died.
inline constexpr std::string_view kStagingTable = "reeve_staging";
// BigQuery takes 1,500 loads into one table a day, failed ones too: who merges more often (a mirror) goes on in another one.
inline constexpr uint64_t kStagingLoadsMax = 1'000;
// The staging table of a process's merge number `number`, from 1: reeve_staging, then reeve_staging_1 and so on.
[[nodiscard]] std::string StagingTableOf(uint64_t number);
[[nodiscard]] bool IsStagingTable(std::string_view name);

// What one run left behind when it died: staged rows that nobody will read.
struct Stray {
  std::string table;
  uint64_t rows = 0;
};

// Label of reeve_meta; absent is 1. Frozen once released.
inline constexpr std::string_view kFormatLabel = "reeve_format";
inline constexpr int kDatasetFormat = 1;

struct DatasetName {
  std::string project, dataset;
  [[nodiscard]] bigquery::TableId Table(std::string_view name) const { return {project, dataset, std::string(name)}; }
  [[nodiscard]] std::string Url() const { return "bigquery:" + project + "/" + dataset; }
};

// reeve_exact_cells: values that BigQuery does not keep as they are (exact_cells.h). Only this engine has it.
[[nodiscard]] const catalog::Table& ExactCells();

// The seven, reeve's own and ExactCells, a customer before what names it.
[[nodiscard]] const std::vector<const catalog::Table*>& DatasetTables();

[[nodiscard]] bigquery::TableSpec SpecOf(const catalog::Table& table, const DatasetName& dataset);

struct TableDrift {
  std::vector<Drift> columns;  // names, types, modes: merges would fail or lose something
  std::vector<Drift> layout;   // defaults, partitions, clusters: cost, no correctness
};
// `found` as tables.get answers. Order of columns and descriptions do not count.
[[nodiscard]] TableDrift CompareTable(const catalog::Table& table, const bigquery::TableInfo& found);

}  // namespace reeve::store
