// The texts of SQL that the sink runs: the script that carries a staging table into the dataset, and the query that looks for broken rules.
//
// The portable subset only: fully named tables, no parameters, a plain table as the source of a MERGE, every column written, every value converted
// from text. Each statement by itself may be repeated. Where the engine knows transactions the whole script is one.
//
// Staging: the table reeve_staging, which each load replaces and each script empties at its end. Every column is a STRING (NULL: NULL):
//   reeve_batch    {run}-{number} of the merge; a script that finds other rows than all those of its own merge does nothing
//   reeve_table    the table the row is for
//   reeve_op       "put": the row shall be as said here; "delete": there shall be no row with this natural key, of which alone the columns are filled
//   reeve_tenant   whose row, reeve_attempt: of which attempt; both NULL where no attempt counts
//   and one column for every name that a column of the tables has, with the value's text:
//   STRING as it is; INT64 and TIMESTAMP (microseconds) decimal; BOOL true or false; DATE YYYY-MM-DD; NUMERIC decimal; BYTES base64; JSON and
//   ARRAY<STRING> their form (exact_cells.h)
// Pure; safe from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/rows.h"
#include "drivers/bigquery/types.h"
#include "store/bigquery/dataset_tables.h"

namespace reeve::store {

[[nodiscard]] const bigquery::Schema& StagingSchema();

struct StagedRow {
  const catalog::Table* table = nullptr;
  bool put = true;
  std::string_view tenant;          // empty: no attempt counts
  int64_t attempt = 0;
  std::span<const catalog::Cell> cells;  // a cell per column; those that are no key do not count for a deletion
};
// Appends the row as a line of NDJSON. NULLs are left out.
void AppendStagedRow(const StagedRow& row, std::string_view batch, std::string* out);

// What one merge has staged.
struct StagedBatch {
  std::string id;      // [A-Za-z0-9_-]+
  uint64_t rows = 0;
  std::string table = std::string(kStagingTable);  // where
};

struct ScriptTable {
  const catalog::Table* table = nullptr;
  // Several rows of the dataset have one natural key, which a MERGE cannot mend: all of them are deleted and what shall be is inserted.
  bool has_twins = false;
};
// Rows of tenants of which the dataset knows a newer attempt are taken out of the staging table first. A second run of the script, its rows being gone,
// fails and changes nothing.
[[nodiscard]] std::string MergeScript(const DatasetName& dataset, const StagedBatch& batch, std::span<const ScriptTable> tables);

// What a script works on, on one line, so that another run can bring it to its end:  BATCH ROWS STAGING TABLE,TABLE,…  with a "+" behind tables that have twins.
[[nodiscard]] std::string DescribeScript(const StagedBatch& batch, std::span<const ScriptTable> tables);
// The same script again; nullopt if `description` is none of this reeve's.
[[nodiscard]] std::optional<std::string> ScriptFromDescription(const DatasetName& dataset, std::string_view description);

// Answers with rows of one STRING: "customer_usage: usage_id u1 occurs 2 times", at most kIntegrityFindingsMax for each rule.
inline constexpr int kIntegrityFindingsMax = 100;
[[nodiscard]] std::string IntegrityQuery(const DatasetName& dataset);

}  // namespace reeve::store
