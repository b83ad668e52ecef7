// Client of BigQuery's REST interface, v2. A thin layer: names, pages, jobs, errors by reason, retries by policy; it knows none of our tables.
//
// Safe from any thread. Every call blocks, for as long as its job runs and its retries may take (ClientOptions::patience; going on is no retry). Reading calls are repeated as they are; a job
// that changes something has its id before the first attempt, and is adopted when BigQuery says that it is there already (409). Errors: kAuthNeeded (no credentials, 401, 403
// accessDenied), kNotFound, kFailed with BigQuery's reason in the message, kInterrupted. No message holds a token, a row or a parameter's value.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "drivers/bigquery/credentials.h"
#include "drivers/bigquery/types.h"
#include "env/clock.h"
#include "env/entropy.h"
#include "env/interrupt.h"
#include "net/http.h"

namespace reeve::bigquery {

struct ClientOptions {
  std::string endpoint = "https://bigquery.googleapis.com";  // or http://HOST:PORT of BIGQUERY_EMULATOR_HOST
  std::string billing_project;                       // jobs run in it
  std::string quota_project;                         // X-Goog-User-Project; empty: none
  uint64_t maximum_bytes_billed = 0;                 // of one query; 0: no limit
  Micros patience = 600 * kSecond;                   // how long one thing is tried again in vain
  int requests_at_once = 16;                         // in flight, over all threads
  std::map<std::string, std::string> labels = {};    // of every job
  bool (*interrupted)() = &Interrupted;              // asked before every request and while waiting; tests give their own
};

// Called while a job is awaited, so that what the job needs can be kept up. From one request to the next, at most five minutes and the patience apart. Its
// error ends the call, after the job was asked to stop.
using KeepAlive = std::function<Result<>()>;

struct QuerySpec {
  std::string job_id;                      // [A-Za-z0-9_-]{1,1000}; the client adds "-a2", … where a new attempt needs a new id
  std::string sql;                         // standard SQL; may be a script
  std::string location;                    // empty: the server chooses, and a job of an earlier run is found in the US and EU only
  std::vector<Parameter> parameters = {};
  KeepAlive keep_alive = {};               // of Execute
};

struct LoadSpec {
  std::string job_id;
  TableId table;
  Schema schema;                           // every column explicitly
  std::string location;
  bool truncate = true;                    // WRITE_TRUNCATE, so that a retry is harmless; false: WRITE_APPEND
  KeepAlive keep_alive = {};               // beside the calls of UploadSource::next
};

// Called with each row in order; stops at the first error, which the call then returns.
using VisitRow = std::function<Result<>(const Row& row)>;
// The next piece of an upload, empty at its end; must give the same bytes again when it is rewound (an upload that has to begin anew).
struct UploadSource {
  std::function<Result<std::string>(size_t bytes_max)> next;
  std::function<Result<>()> rewind;
};

class Client {
 public:
  virtual ~Client() = default;

  // Complete or an error: a listing that some location did not answer is kIncomplete and names it.
  [[nodiscard]] virtual Result<std::vector<DatasetInfo>> ListDatasets(const std::string& project) = 0;
  // nullopt: there is none.
  [[nodiscard]] virtual Result<std::optional<DatasetInfo>> FindDataset(const std::string& project, const std::string& dataset) = 0;
  // Looks first, then inserts. OK if it is there in the same location; kRefused if it is there in another. An empty location is the server's default.
  [[nodiscard]] virtual Result<DatasetInfo> EnsureDataset(const DatasetInfo& dataset) = 0;

  // Ids of the tables of kind TABLE, in byte order; others in `skipped` as "name (VIEW)".
  [[nodiscard]] virtual Result<std::vector<std::string>> ListTables(const std::string& project, const std::string& dataset,
                                                                    std::vector<std::string>* skipped) = 0;
  [[nodiscard]] virtual Result<std::optional<TableInfo>> FindTable(const TableId& id) = 0;
  // kRefused if it exists (the message says so): callers look first. `created`: what the server made of it.
  [[nodiscard]] virtual Result<TableInfo> InsertTable(const TableSpec& spec) = 0;
  // Sets description, labels and expiry, if the etag still holds (empty: always); kRefused if it does not.
  [[nodiscard]] virtual Result<TableInfo> PatchTable(const TableSpec& spec, const std::string& etag) = 0;
  // Absent is fine.
  [[nodiscard]] virtual Result<> DeleteTable(const TableId& id) = 0;

  // Every row by tabledata.list: no job, no cost; in no order. `columns` empty: all.
  [[nodiscard]] virtual Result<> ReadTable(const TableInfo& table, std::span<const std::string> columns, const VisitRow& visit) = 0;

  // Runs a SELECT and visits its rows; `schema`, if given, is filled before the first visit. By jobs.query: the id is the query's name in messages and
  // repeats nothing; the job's own is in the result.
  [[nodiscard]] virtual Result<JobResult> Query(const QuerySpec& spec, Schema* schema, const VisitRow& visit) = 0;
  // Runs DML, DDL or a script whose rows nobody wants.
  [[nodiscard]] virtual Result<JobResult> Execute(const QuerySpec& spec) = 0;
  // Bytes that a query would process; nothing is run. nullopt where the engine has no dry run.
  [[nodiscard]] virtual Result<std::optional<uint64_t>> DryRun(const QuerySpec& spec) = 0;
  // Uploads newline-delimited JSON into a table: multipart while it is small, resumable otherwise.
  [[nodiscard]] virtual Result<JobResult> Load(const LoadSpec& spec, const UploadSource& rows) = 0;
  // Asks a job to stop; absent or finished is fine.
  [[nodiscard]] virtual Result<> Cancel(const std::string& job_id, const std::string& location) = 0;

  [[nodiscard]] virtual WireCounts counts() const = 0;
  [[nodiscard]] virtual const ClientOptions& options() const = 0;
};

// True if the error says that a query was too large to plan or to run: read fewer tables at once.
[[nodiscard]] bool IsTooLarge(const Error& error);
// True if the engine does not know the construct (a probe's answer), as opposed to a failure of the call.
[[nodiscard]] bool IsNotSupported(const Error& error);

// All outlive the client. `credentials` may be null: no Authorization header is sent (emulator).
[[nodiscard]] std::unique_ptr<Client> MakeClient(const ClientOptions& options, net::HttpClient& http, Credentials* credentials, Clock& clock,
                                                 Entropy& entropy);

}  // namespace reeve::bigquery
