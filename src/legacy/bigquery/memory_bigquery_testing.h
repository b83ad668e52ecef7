// MemoryBigQuery: a project in memory behind the Client interface, with just the SQL that this folder writes.
//
// The contract it imitates (Google's REST v2 reference and GoogleSQL): a job id names one job for ever, and asking for it again gives the same answer; a
// job sees tables of its location only; INFORMATION_SCHEMA of a region shows all its datasets, that of a dataset is unknown while the dataset has no
// table (as goccy/bigquery-emulator); too many tables are [resourcesExceeded]. Errors read as those of the real client. Knobs below take abilities away.
// For tests only; safe from any thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "drivers/bigquery/client.h"
#include "legacy/bigquery/schema_text.h"

namespace reeve::testing {

class MemoryBigQuery final : public bigquery::Client {
 public:
  struct Table {
    bigquery::TableInfo info;
    std::vector<bigquery::Row> rows;
  };
  struct Job {
    std::string id, location, sql;
    std::vector<bigquery::Row> rows;
    bigquery::Schema schema;
    std::optional<Error> error;
  };

  // Knobs; set them before threads start.
  bool has_regions = true, has_dataset_views = true, has_past = true, regions_are_mine = true, is_down = false;
  size_t tables_per_query_max = 1'000;
  std::set<std::string> broken;           // "dataset.table": queries of it fail, naming it
  std::set<std::string> silently_broken;  // the same, without naming it
  std::vector<std::string> unreachable;   // locations
  bool loses_a_row = false;               // of each load
  Micros now = 1'800'000'000 * kSecond;

  Table& Add(const std::string& dataset, const std::string& table, bigquery::Schema schema, std::vector<bigquery::Row> rows, const std::string& location = "EU") {
    datasets[dataset].location = location;
    Table& made = datasets[dataset].tables[table];
    made.info.id = {"p", dataset, table};
    made.info.schema = std::move(schema);
    made.info.kind = "TABLE";
    made.info.location = location;
    made.info.last_modified = now;
    made.rows = std::move(rows);
    return made;
  }
  static bigquery::Value Text(std::string text) { return {bigquery::Value::Kind::kText, std::move(text), {}}; }

  // Queries of rows, in order.
  [[nodiscard]] std::vector<Job> reads() const {
    std::vector<Job> found;
    for (const Job& job : jobs)
      if (job.id.starts_with("reeve-read-")) found.push_back(job);
    return found;
  }
  [[nodiscard]] static size_t TablesOf(const Job& job) {
    size_t count = 0;
    for (size_t at = job.sql.find("SELECT '"); at != std::string::npos; at = job.sql.find("SELECT '", at + 1)) ++count;
    return count;
  }

  struct Dataset {
    std::string location;
    std::map<std::string, Table> tables;
  };
  std::map<std::string, Dataset> datasets;
  std::vector<Job> jobs;                       // that were run, each once
  std::vector<std::pair<std::string, std::string>> loads;  // table and what was loaded
  uint64_t calls = 0;

  // ---- Client

  Result<std::vector<bigquery::DatasetInfo>> ListDatasets(const std::string& project) override {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    if (!unreachable.empty()) return Fail(Code::kIncomplete, "datasets.list: {} did not answer", unreachable[0]);
    std::vector<bigquery::DatasetInfo> listed;
    for (const auto& [name, dataset] : datasets) listed.push_back({project, name, dataset.location, {}});
    return listed;
  }
  Result<std::optional<bigquery::DatasetInfo>> FindDataset(const std::string& project, const std::string& dataset) override {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    const auto found = datasets.find(dataset);
    if (found == datasets.end()) return std::nullopt;
    return bigquery::DatasetInfo{project, dataset, found->second.location, {}};
  }
  Result<bigquery::DatasetInfo> EnsureDataset(const bigquery::DatasetInfo& dataset) override {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    Dataset& made = datasets[dataset.dataset];
    if (!made.location.empty() && !dataset.location.empty() && made.location != dataset.location) return Fail(Code::kRefused, "it is in {}", made.location);
    if (made.location.empty()) made.location = dataset.location.empty() ? "US" : dataset.location;
    return bigquery::DatasetInfo{dataset.project, dataset.dataset, made.location, {}};
  }
  Result<std::vector<std::string>> ListTables(const std::string&, const std::string& dataset, std::vector<std::string>* skipped) override {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    std::vector<std::string> names;
    for (const auto& [name, table] : datasets[dataset].tables) {
      if (table.info.kind == "TABLE") names.push_back(name);
      else skipped->push_back(fmt::format("{} ({})", name, table.info.kind));
    }
    return names;
  }
  Result<std::optional<bigquery::TableInfo>> FindTable(const bigquery::TableId& id) override {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    const Table* const table = Find(id.dataset, id.table);
    return table == nullptr ? std::optional<bigquery::TableInfo>() : std::optional(table->info);
  }
  Result<bigquery::TableInfo> InsertTable(const bigquery::TableSpec& spec) override {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    if (spec.schema.empty()) return Fail(Code::kFailed, "tables.insert: [internalError] failed to create table");
    Table table;
    static_cast<bigquery::TableSpec&>(table.info) = spec;
    table.info.kind = "TABLE";
    table.info.location = datasets[spec.id.dataset].location;
    table.info.last_modified = now;
    return (datasets[spec.id.dataset].tables[spec.id.table] = table).info;
  }
  Result<bigquery::TableInfo> PatchTable(const bigquery::TableSpec&, const std::string&) override { return Fail(Code::kFailed, "not here"); }
  Result<> DeleteTable(const bigquery::TableId& id) override {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    datasets[id.dataset].tables.erase(id.table);
    return {};
  }
  Result<> ReadTable(const bigquery::TableInfo& info, std::span<const std::string>, const bigquery::VisitRow& visit) override {
    std::vector<bigquery::Row> rows;
    {
      const std::lock_guard lock(mu_);
      REEVE_TRY(Begin());
      rows = Find(info.id.dataset, info.id.table)->rows;
    }
    for (const bigquery::Row& row : rows) REEVE_TRY(visit(row));
    return {};
  }
  Result<bigquery::JobResult> Query(const bigquery::QuerySpec& spec, bigquery::Schema* schema, const bigquery::VisitRow& visit) override {
    REEVE_ASSIGN(const Job job, Run(spec));
    *schema = job.schema;
    for (const bigquery::Row& row : job.rows) REEVE_TRY(visit(row));
    return bigquery::JobResult{.job_id = spec.job_id};
  }
  Result<bigquery::JobResult> Execute(const bigquery::QuerySpec& spec) override {
    REEVE_ASSIGN(const Job job, Run(spec));
    return bigquery::JobResult{.job_id = job.id};
  }
  Result<std::optional<uint64_t>> DryRun(const bigquery::QuerySpec&) override { return std::nullopt; }
  Result<bigquery::JobResult> Load(const bigquery::LoadSpec& spec, const bigquery::UploadSource& rows) override {
    std::string all;
    for (;;) {
      REEVE_ASSIGN(const std::string piece, rows.next(100));  // small, to try its borders
      if (piece.empty()) break;
      EXPECT_LE(piece.size(), 100U);
      all += piece;
    }
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    loads.emplace_back(spec.table.table, all);
    datasets[spec.table.dataset].tables[spec.table.table].info.rows = static_cast<uint64_t>(std::count(all.begin(), all.end(), '\n')) - (loses_a_row ? 1 : 0);
    return bigquery::JobResult{.job_id = spec.job_id};
  }
  Result<> Cancel(const std::string&, const std::string&) override { return {}; }
  bigquery::WireCounts counts() const override { return {}; }
  const bigquery::ClientOptions& options() const override { return options_; }

 private:
  Result<> Begin() {
    ++calls;
    return is_down ? Fail(Code::kFailed, "no connection to BigQuery") : Result<>();
  }
  Table* Find(const std::string& dataset, const std::string& table) {
    const auto in = datasets.find(dataset);
    if (in == datasets.end()) return nullptr;
    const auto found = in->second.tables.find(table);
    return found == in->second.tables.end() ? nullptr : &found->second;
  }

  Result<Job> Run(const bigquery::QuerySpec& spec) {
    const std::lock_guard lock(mu_);
    REEVE_TRY(Begin());
    for (const Job& job : jobs)
      if (job.id == spec.job_id) return job.error ? Result<Job>(Unexpected(*job.error)) : job;
    Job job{spec.job_id, spec.location, spec.sql, {}, {}, {}};
    const Result<> done = Answer(&job);
    if (!done) job.error = done.error();
    jobs.push_back(job);
    if (!done) return Unexpected(done.error());
    return job;
  }
  static Unexpected Refuse(Code code, const std::string& what) { return Fail(code, "query: {}", what); }

  Result<> Answer(Job* job) {
    const std::string& sql = job->sql;
    if (sql.find("INFORMATION_SCHEMA.TABLE_STORAGE") != std::string::npos) return Sizes(job);
    if (sql.find("INFORMATION_SCHEMA.TABLES") != std::string::npos) return Columns(job);
    if (sql.starts_with("SELECT UNIX_MICROS")) {
      job->rows.push_back({Text(std::to_string(now))});
      return {};
    }
    if (!sql.starts_with("SELECT '")) return {};  // a script: what it says is for the test
    return Rows(job);
  }
  Result<> Sizes(Job* job) {
    if (!has_regions) return Refuse(Code::kFailed, "[invalidQuery] Table not found");
    for (const auto& [name, dataset] : datasets)
      for (const auto& [table_name, table] : dataset.tables)
        if (AsciiLower(dataset.location) == RegionOf(job->sql)) job->rows.push_back({Text(name), Text(table_name), Text(std::to_string(table.info.bytes))});
    return {};
  }
  static std::string RegionOf(const std::string& sql) {
    const size_t begin = sql.find("`region-") + 8;
    return sql.substr(begin, sql.find('`', begin) - begin);
  }
  Result<> Columns(Job* job) {
    if (job->sql.find("`region-") != std::string::npos) {
      if (!has_regions) return Refuse(Code::kFailed, "[invalidQuery] Table not found: p.`region-eu`.INFORMATION_SCHEMA.TABLES");
      if (!regions_are_mine) return Refuse(Code::kAuthNeeded, "[accessDenied] Access Denied: region-eu");
      for (const auto& [name, dataset] : datasets)
        if (AsciiLower(dataset.location) == RegionOf(job->sql)) AddColumns(name, dataset, job);
      return {};
    }
    if (!has_dataset_views) return Refuse(Code::kFailed, "[invalidQuery] no such view");
    for (const auto& [name, dataset] : datasets) {
      if (job->sql.find(fmt::format("FROM `p`.`{}`.INFORMATION_SCHEMA.TABLES", name)) == std::string::npos) continue;
      if (dataset.tables.empty()) return Refuse(Code::kFailed, fmt::format("[jobInternalError] Table not found: p.{}.INFORMATION_SCHEMA.TABLES", name));
      AddColumns(name, dataset, job);
    }
    return {};
  }
  void AddColumns(const std::string& name, const Dataset& dataset, Job* job) const {
    for (const auto& [table_name, table] : dataset.tables) {
      const std::string type = table.info.kind == "TABLE" ? "BASE TABLE" : table.info.kind;
      const bool matters = job->sql.find("'" + table_name + "'") != std::string::npos;
      int ordinal = 0;
      for (const bigquery::Field& field : matters ? table.info.schema : bigquery::Schema())
        job->rows.push_back({Text(name), Text(table_name), Text(type), Text(field.name), Text(legacy::SqlType(field)), Text(std::to_string(++ordinal)),
                             Text(std::to_string(now))});
      if (ordinal == 0) job->rows.push_back({Text(name), Text(table_name), Text(type), {}, {}, {}, Text(std::to_string(now))});
    }
    std::reverse(job->rows.begin(), job->rows.end());  // nobody promised an order
  }

  // SELECT '0' AS reeve_table, `a`, CAST(NULL AS INT64) AS `b` FROM `p.d.t` [FOR SYSTEM_TIME …] UNION ALL …
  Result<> Rows(Job* job) {
    if (TablesOf(*job) > tables_per_query_max) return Refuse(Code::kFailed, "[resourcesExceeded] Resources exceeded: too many subqueries");
    if (!has_past && job->sql.find(" FOR SYSTEM_TIME ") != std::string::npos)
      return Refuse(Code::kFailed, "[jobInternalError] FOR SYSTEM_TIME AS OF is not supported");
    std::vector<bigquery::Row> rows;
    for (size_t begin = 0; begin < job->sql.size();) {
      const size_t end = std::min(job->sql.find("\nUNION ALL\n", begin), job->sql.size());
      REEVE_TRY(Branch(job->sql.substr(begin, end - begin), job, &rows));
      begin = end + 11;
    }
    std::reverse(rows.begin(), rows.end());
    job->rows = std::move(rows);
    return {};
  }
  Result<> Branch(const std::string& sql, Job* job, std::vector<bigquery::Row>* rows) {
    const size_t from = sql.find(" FROM `p.") + 9;
    const std::string name = sql.substr(from, sql.find('`', from) - from);
    const size_t dot = name.find('.');
    Table* const table = Find(name.substr(0, dot), name.substr(dot + 1));
    if (table == nullptr || broken.count(name) != 0) return Refuse(Code::kNotFound, fmt::format("[notFound] Not found: Table p:{} was not found in location {}", name, job->location));
    if (silently_broken.count(name) != 0) return Refuse(Code::kFailed, "[invalidQuery] something is wrong somewhere");
    if (table->info.location != job->location) return Refuse(Code::kNotFound, "[notFound] Dataset was not found in location " + job->location);
    std::vector<const bigquery::Field*> fields;  // of the answer, nullptr: NULL
    const std::string columns = sql.substr(sql.find(", ") + 2, from - 9 - sql.find(", ") - 2);
    bigquery::Schema answered = {{.name = "reeve_table"}};
    for (size_t at = columns.find('`'); at != std::string::npos;) {
      const size_t close = columns.find('`', at + 1);
      const std::string column = columns.substr(at + 1, close - at - 1);
      const bool is_null = columns.substr(0, at).ends_with(") AS ");
      const auto field = std::find_if(table->info.schema.begin(), table->info.schema.end(), [&](const auto& each) { return each.name == column; });
      EXPECT_EQ(field == table->info.schema.end(), is_null) << column;
      fields.push_back(is_null ? nullptr : &*field);
      const bool known_before = is_null && answered.size() < job->schema.size();
      answered.push_back(known_before ? job->schema[answered.size()] : is_null ? bigquery::Field{.name = column} : *field);
      at = columns.find('`', close + 1);
    }
    job->schema = std::move(answered);
    const std::string ordinal = sql.substr(8, sql.find('\'', 8) - 8);
    for (const bigquery::Row& row : table->rows) {
      bigquery::Row& answer = rows->emplace_back();
      answer.push_back(Text(ordinal));
      for (const bigquery::Field* field : fields)
        answer.push_back(field == nullptr ? bigquery::Value() : row[static_cast<size_t>(field - table->info.schema.data())]);
    }
    return {};
  }

  std::mutex mu_;
  const bigquery::ClientOptions options_ = {};
};

}  // namespace reeve::testing
