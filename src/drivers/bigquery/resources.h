// Resources of the REST surface to and from JSON: schemas, datasets, tables, jobs. Knows no call and no retry. What a server sends is checked: a name, a
// type or a depth that cannot be is an error, everything optional may be absent. Pure functions; safe from any thread.
//
// (Source: BigQuery REST v2 reference, discovery revision 20250928; where goccy/bigquery-emulator v0.8.1 leaves members out, they count as unknown.)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "drivers/bigquery/json.h"
#include "drivers/bigquery/types.h"

namespace reeve::bigquery {

inline constexpr int kRecordDepthMax = 15;       // BigQuery's own limit of nesting
inline constexpr size_t kColumnsMax = 10'000;    // BigQuery's own limit, nested ones counted
inline constexpr uint64_t kMillisMax = 253'402'300'799'999;  // 9999-12-31

// `schema` is {"fields": […]}. `what` names the table for messages.
[[nodiscard]] Result<Schema> DecodeSchema(const json::object& schema, std::string_view what);
// `with_defaults` also writes default expressions, which a load must not repeat.
[[nodiscard]] json::object EncodeSchema(const Schema& schema, bool with_defaults);

// A dataset, or an item of datasets.list. kFailed if it has no reference.
[[nodiscard]] Result<DatasetInfo> DecodeDataset(const json::object& dataset);
[[nodiscard]] json::object EncodeDataset(const DatasetInfo& dataset);

[[nodiscard]] Result<TableInfo> DecodeTable(const json::object& table);
[[nodiscard]] json::object EncodeTable(const TableSpec& spec);
// Description, labels and expiry only; no expiry is written as null, which removes it.
[[nodiscard]] json::object EncodeTablePatch(const TableSpec& spec);
[[nodiscard]] json::object EncodeTableId(const TableId& id);

// The name and kind of an item of tables.list.
struct TableItem {
  std::string name;
  std::string kind;  // "TABLE" where the server does not say
};
[[nodiscard]] Result<TableItem> DecodeTableItem(const json::object& item);

struct JobProblem {
  std::string reason, message, location;
};
// A job, as jobs.insert and jobs.get give it.
struct JobDocument {
  std::string id, location;
  std::string state;                      // "PENDING", "RUNNING", "DONE"; "" where the answer has no status
  std::optional<JobProblem> problem;      // status.errorResult; status.errors alone is no failure
  std::string statement;                  // of a query
  std::optional<TableId> destination;     // of a load
  std::string write_disposition;          // of a load
  std::string statement_kind;             // "SELECT", "MERGE", "SCRIPT", …
  std::optional<uint64_t> affected_rows;
  std::optional<uint64_t> output_rows;    // of a load; unknown until it is done, and to the emulator always
  std::optional<uint64_t> bytes_processed;
  uint64_t bytes_billed = 0;
  [[nodiscard]] bool done() const { return state == "DONE"; }
};
[[nodiscard]] Result<JobDocument> DecodeJob(const json::object& job);

// The configuration of a job with its reference, for jobs.insert and uploads.
struct JobHead {
  std::string project, job_id, location;      // location may be empty
  std::map<std::string, std::string> labels;
};
[[nodiscard]] json::object EncodeQueryJob(const JobHead& head, const std::string& sql, const std::vector<Parameter>& parameters,
                                          uint64_t maximum_bytes_billed, bool dry_run);
// The body of jobs.query. `request_id`: at most 36 characters; the same one within 15 minutes is the same query.
struct Question {
  std::string sql;
  std::vector<Parameter> parameters;
  std::string location;                       // may be empty
  std::map<std::string, std::string> labels;
  uint64_t maximum_bytes_billed = 0, rows = 0;
  Micros wait = 0;                            // for its end, before it is answered that it is running
};
[[nodiscard]] json::object EncodeQuestion(const Question& question, const std::string& request_id);
[[nodiscard]] json::object EncodeLoadJob(const JobHead& head, const TableId& table, const Schema& schema, bool truncate);
inline constexpr std::string_view kTruncate = "WRITE_TRUNCATE";
inline constexpr std::string_view kAppend = "WRITE_APPEND";

}  // namespace reeve::bigquery
