// Values of the BigQuery REST surface: names, schemas, rows, jobs. Plain data. (Source: BigQuery REST v2 reference, discovery revision 20250928.)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"

namespace reeve::bigquery {

struct TableId {
  std::string project, dataset, table;
  bool operator==(const TableId&) const = default;
  // `project.dataset.table` between back-ticks, for SQL. REQUIRES: IsProjectId(project), IsIdentifier(dataset), IsTableName(table).
  [[nodiscard]] std::string Quoted() const;
  // "project.dataset.table", for messages.
  [[nodiscard]] std::string Text() const;
};

// [A-Za-z0-9_]{1,1024}: what a dataset may be called, and a column or table that needs no quotes.
[[nodiscard]] bool IsIdentifier(std::string_view text);
// The same with '-': what we accept as the name of a table.
[[nodiscard]] bool IsTableName(std::string_view text);
// The same with '-', ':' and '.'.
[[nodiscard]] bool IsProjectId(std::string_view text);
// [A-Za-z0-9_-]{1,1000}: 24 less than BigQuery allows, for the mark of a new attempt.
[[nodiscard]] bool IsJobId(std::string_view text);

// Standard names; the legacy ones of answers (INTEGER, FLOAT, BOOLEAN, RECORD) are normalised when read.
enum class FieldType : uint8_t {
  kString, kBytes, kInt64, kFloat64, kBool, kTimestamp, kDate, kTime, kDatetime, kNumeric, kBignumeric, kJson, kGeography, kInterval, kRange, kStruct,
};
enum class Mode : uint8_t { kNullable, kRequired, kRepeated };

// "INT64", "STRUCT", … and "NULLABLE", …: as requests say it.
[[nodiscard]] std::string_view NameOf(FieldType type);
[[nodiscard]] std::string_view NameOf(Mode mode);
// Of a standard or legacy name in any case; nullopt for a type that we do not know.
[[nodiscard]] std::optional<FieldType> ParseFieldType(std::string_view name);

struct Field {
  std::string name;
  FieldType type = FieldType::kString;
  Mode mode = Mode::kNullable;
  std::vector<Field> fields = {};           // kStruct
  int precision = 0, scale = 0;             // kNumeric, 0: not given
  std::string default_expression = {};      // SQL text, empty: none
  std::string description = {};
  bool operator==(const Field&) const = default;
};
using Schema = std::vector<Field>;

struct DatasetInfo {
  std::string project, dataset, location;
  std::map<std::string, std::string> labels;
};

struct TableSpec {
  TableId id;
  Schema schema;
  std::string partition_field = {};          // a DATE or TIMESTAMP column, by day; empty: not partitioned
  std::vector<std::string> clustering = {};  // at most four
  std::string description = {};
  std::map<std::string, std::string> labels = {};
  std::optional<Micros> expires_at = {};
};

struct TableInfo : TableSpec {
  std::string kind;      // "TABLE", "VIEW", "EXTERNAL", "MATERIALIZED_VIEW", "SNAPSHOT"
  std::string location;
  std::string etag;
  uint64_t rows = 0, bytes = 0;              // without the streaming buffer
  uint64_t streaming_rows = 0;               // estimate; rows that no DML may touch yet
  bool has_streaming_buffer = false;
  Micros last_modified = 0;
};

// One value of a row. Texts are checked, and in one form: decimal numbers ("NaN", "Infinity", "-Infinity" for FLOAT64), "true" and "false", canonical base64
// for BYTES, µs since 1970 for TIMESTAMP, YYYY-MM-DD, HH:MM:SS[.ffffff], both with a T between them, JSON as text. values.h reads them.
struct Value {
  enum class Kind : uint8_t { kNull, kText, kList, kStruct };  // a NULL array does not exist: it is an empty list
  Kind kind = Kind::kNull;
  std::string text = {};            // kText
  std::vector<Value> items = {};    // kList: elements; kStruct: fields in order of the schema
  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
};
using Row = std::vector<Value>;      // in order of the schema

// A named query parameter. Portable ones only: STRING and ARRAY<STRING>; SQL casts to what it needs.
struct Parameter {
  std::string name;
  std::optional<std::string> text = {};             // nullopt: NULL
  std::optional<std::vector<std::string>> texts = {};  // set: ARRAY<STRING>
};

// What a finished job did.
struct JobResult {
  std::string job_id;
  std::optional<uint64_t> affected_rows = {};   // unknown where the engine does not say
  uint64_t bytes_billed = 0, bytes_processed = 0;
  uint64_t output_rows = 0;                     // load
};

// What went over the wire since the client was made; for reports and tests.
struct WireCounts {
  uint64_t api_calls = 0;
  uint64_t query_jobs = 0, load_jobs = 0;       // jobs that were inserted, each attempt counted
  uint64_t bytes_billed = 0;
  uint64_t bytes_sent = 0, bytes_received = 0;
  uint64_t retries = 0;
};

}  // namespace reeve::bigquery
