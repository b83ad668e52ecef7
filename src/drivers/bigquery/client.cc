#include "drivers/bigquery/client.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "drivers/bigquery/api.h"
#include "drivers/bigquery/jobs.h"
#include "drivers/bigquery/upload.h"
#include "net/url.h"

namespace reeve::bigquery {
namespace {

constexpr size_t kSqlBytesMax = 1024 * 1000;         // BigQuery's limit of unresolved SQL text
constexpr size_t kRequestBytesMax = 10'000'000;      // and of a request
constexpr uint64_t kListPage = 1000;
constexpr size_t kPagesMax = 1'000'000;
constexpr Micros kFirstWait = 20 * kSecond;          // for the rows of a query, before it is told that it is running
constexpr Micros kInsertTimeout = 300 * kSecond;     // the emulator runs the job before it answers

// Tokens of one listing, each of which may be seen once.
class Tokens {
 public:
  explicit Tokens(std::string what) : what_(std::move(what)) {}
  Result<> Take(const std::string& token) {
    if (seen_.size() >= kPagesMax) return Fail(Code::kFailed, "{}: more than {} pages", what_, kPagesMax);
    if (!seen_.insert(token).second) return Fail(Code::kFailed, "{}: the server names a page again that was read already", what_);
    return {};
  }

 private:
  const std::string what_;
  std::set<std::string> seen_;
};

std::string ProjectPath(const std::string& project) { return "projects/" + net::EscapeUrl(project); }
std::string DatasetPath(const std::string& project, const std::string& dataset) { return ProjectPath(project) + "/datasets/" + net::EscapeUrl(dataset); }
std::string TablePath(const TableId& id) { return DatasetPath(id.project, id.dataset) + "/tables/" + net::EscapeUrl(id.table); }

Call CallOf(std::string method, std::string path, std::string body = "") {
  Call call;
  call.method = std::move(method);
  call.path = std::move(path);
  call.body = std::move(body);
  return call;
}

JobResult ResultOf(const JobDocument& job) {
  JobResult result;
  result.job_id = job.id;
  result.affected_rows = job.affected_rows;
  result.bytes_billed = job.bytes_billed;
  result.bytes_processed = job.bytes_processed.value_or(0);
  result.output_rows = job.output_rows.value_or(0);
  return result;
}

// The endpoint without a slash at its end.
ClientOptions Trimmed(ClientOptions options) {
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  return options;
}

class RestClient final : public Client {
 public:
  RestClient(const ClientOptions& options, net::HttpClient& http, Credentials* credentials, Clock& clock, Entropy& entropy)
      : api_(Trimmed(options), http, credentials, clock, entropy), jobs_(api_) {}

  Result<std::vector<DatasetInfo>> ListDatasets(const std::string& project) override {
    std::vector<DatasetInfo> datasets;
    std::set<std::string> silent;
    const auto read = [&](const json::object& page) -> Result<> {
      if (const json::array* const unreachable = json::FindArray(page, "unreachable"))
        for (const json::value& location : *unreachable) silent.insert(location.is_string() ? std::string(location.get_string()) : "?");
      return EachItem(page, "datasets", [&](const json::object& item) -> Result<> {
        REEVE_ASSIGN(DatasetInfo dataset, DecodeDataset(item));
        // What cannot be the name of a dataset is none: the emulator shows each query's result as one, named after the job.
        if (IsIdentifier(dataset.dataset)) datasets.push_back(std::move(dataset));
        return {};
      });
    };
    REEVE_TRY(List(ProjectPath(project) + "/datasets", read));
    if (!silent.empty())
      return FailWithHint(Code::kIncomplete, fmt::format("BigQuery: the list of datasets of {} is incomplete: {} did not answer", project, fmt::join(silent, ", ")),
                          "repeat the command when the location is reachable again");
    std::sort(datasets.begin(), datasets.end(), [](const DatasetInfo& a, const DatasetInfo& b) { return a.dataset < b.dataset; });
    return datasets;
  }

  Result<std::optional<DatasetInfo>> FindDataset(const std::string& project, const std::string& dataset) override {
    REEVE_ASSIGN(const std::optional<json::object> found, Find(DatasetPath(project, dataset)));
    if (!found) return std::optional<DatasetInfo>();
    REEVE_ASSIGN(DatasetInfo info, DecodeDataset(*found));
    return std::optional(std::move(info));
  }

  Result<DatasetInfo> EnsureDataset(const DatasetInfo& dataset) override {
    REEVE_ASSIGN(std::optional<DatasetInfo> found, FindDataset(dataset.project, dataset.dataset));
    if (!found) {
      const Call call = CallOf("POST", ProjectPath(dataset.project) + "/datasets", json::serialize(EncodeDataset(dataset)));
      const Answer inserted = api_.Send(call);
      if (!inserted && inserted.error().action != Action::kExists) return Unexpected(ToError(inserted.error(), Named(call)));
      REEVE_ASSIGN(found, FindDataset(dataset.project, dataset.dataset));
      if (!found) return Fail(Code::kFailed, "BigQuery: dataset {}.{} was made and is not there", dataset.project, dataset.dataset);
    }
    const bool elsewhere = !dataset.location.empty() && !found->location.empty() && AsciiUpper(found->location) != AsciiUpper(dataset.location);
    if (elsewhere)
      return FailWithHint(Code::kRefused,
                          fmt::format("BigQuery: dataset {}.{} is in {}, not in {}", dataset.project, dataset.dataset, found->location, dataset.location),
                          "name another dataset, or its own location; a dataset cannot be moved");
    return std::move(*found);
  }

  Result<std::vector<std::string>> ListTables(const std::string& project, const std::string& dataset, std::vector<std::string>* skipped) override {
    std::vector<std::string> tables;
    const auto read = [&](const json::object& page) {
      return EachItem(page, "tables", [&](const json::object& item) -> Result<> {
        REEVE_ASSIGN(TableItem table, DecodeTableItem(item));
        if (!IsTableName(table.name)) table.kind += ", and its name has characters that reeve does not write";
        if (table.kind == "TABLE") tables.push_back(std::move(table.name));
        else if (skipped != nullptr) skipped->push_back(fmt::format("{} ({})", table.name, table.kind));
        return {};
      });
    };
    REEVE_TRY(List(DatasetPath(project, dataset) + "/tables", read));
    std::sort(tables.begin(), tables.end());
    return tables;
  }

  Result<std::optional<TableInfo>> FindTable(const TableId& id) override {
    REEVE_ASSIGN(const std::optional<json::object> found, Find(TablePath(id)));
    if (!found) return std::optional<TableInfo>();
    REEVE_ASSIGN(TableInfo info, DecodeTable(*found));
    return std::optional(std::move(info));
  }

  Result<TableInfo> InsertTable(const TableSpec& spec) override {
    const Call call = CallOf("POST", DatasetPath(spec.id.project, spec.id.dataset) + "/tables", json::serialize(EncodeTable(spec)));
    Tries tries;
    const Answer answer = api_.Send(call, &tries);
    if (answer) return TableOf(*answer, call);
    if (answer.error().action != Action::kExists) return Unexpected(ToError(answer.error(), Named(call)));
    if (tries.ambiguous || tries.resent) {  // perhaps it is there because of us
      REEVE_ASSIGN(std::optional<TableInfo> found, FindTable(spec.id));
      if (found && SameShape(found->schema, spec.schema)) return std::move(*found);
    }
    return Fail(Code::kRefused, "BigQuery: table {} exists already", spec.id.Text());
  }

  Result<TableInfo> PatchTable(const TableSpec& spec, const std::string& etag) override {
    Call call = CallOf("PATCH", TablePath(spec.id), json::serialize(EncodeTablePatch(spec)));
    if (!etag.empty()) call.headers.emplace_back("If-Match", etag);
    Tries tries;
    const Answer answer = api_.Send(call, &tries);
    if (answer) return TableOf(*answer, call);
    if (answer.error().code == Code::kRefused && (tries.ambiguous || tries.resent)) {  // perhaps it was changed by us
      REEVE_ASSIGN(std::optional<TableInfo> found, FindTable(spec.id));
      if (found && SameProperties(*found, spec)) return std::move(*found);
    }
    return Unexpected(ToError(answer.error(), Named(call)));
  }

  Result<> DeleteTable(const TableId& id) override {
    Call call = CallOf("DELETE", TablePath(id));
    call.no_content = true;
    call.even_if_interrupted = true;  // staging tables and locks go also when reeve was told to stop
    const Answer answer = api_.Send(call);
    if (!answer && answer.error().code != Code::kNotFound) return Unexpected(ToError(answer.error(), Named(call)));
    return {};
  }

  Result<> ReadTable(const TableInfo& table, std::span<const std::string> names, const VisitRow& visit) override {
    Columns columns = AllColumns(table.schema);
    Call call = CallOf("GET", TablePath(table.id) + "/data");
    PageSize size;
    call.query = {{"maxResults", std::to_string(size.rows())}, {"formatOptions.useInt64Timestamp", "true"}};
    call.response_bytes_max = kPageBytesMax;
    if (!names.empty()) {
      Result<Columns> selected = SelectColumns(table.schema, names);
      if (!selected) return Unexpected(std::move(selected).error().Within(table.id.Text()));
      columns = std::move(*selected);
      call.query.emplace_back("selectedFields", FieldNames(table.schema, columns));
    }
    PageReader reader(Named(call));
    Tokens tokens(Named(call));
    const size_t fixed = call.query.size();
    for (;;) {
      Answer answer = api_.Send(call);
      if (!answer) return Unexpected(ToError(answer.error(), Named(call)));
      size.Saw(answer->body.size());
      REEVE_ASSIGN(const Page page, reader.Open(std::move(answer->body)));
      REEVE_TRY(reader.Visit(columns, visit));
      if (page.token.empty()) return {};
      REEVE_TRY(tokens.Take(page.token));
      call.query.front().second = std::to_string(size.rows());
      call.query.resize(fixed);
      call.query.emplace_back("pageToken", page.token);
    }
  }

  Result<JobResult> Query(const QuerySpec& spec, Schema* schema, const VisitRow& visit) override {
    REEVE_TRY(CheckSize(spec));
    PageSize size;
    const Question question{spec.sql, spec.parameters, spec.location, api_.options().labels, api_.options().maximum_bytes_billed, size.rows(), kFirstWait};
    REEVE_ASSIGN(FinishedJob finished, jobs_.Ask(spec.job_id, question));
    const std::string what = "BigQuery: job " + spec.job_id;
    const Columns columns = AllColumns(finished.page.schema.value_or(Schema()));
    if (schema != nullptr) *schema = columns.fields;
    Tokens tokens(what);
    for (std::string token = finished.page.token;;) {
      REEVE_TRY(finished.reader->Visit(columns, visit));
      if (token.empty()) return ResultOf(finished.job);
      REEVE_TRY(tokens.Take(token));
      Answer answer = jobs_.NextPage(finished.job, token, size.rows());
      if (!answer) return Unexpected(ToError(answer.error(), what));
      size.Saw(answer->body.size());
      REEVE_ASSIGN(Page page, finished.reader->Open(std::move(answer->body)));
      token = std::move(page.token);
    }
  }

  Result<JobResult> Execute(const QuerySpec& spec) override {
    REEVE_ASSIGN(const FinishedJob finished, RunStatement(spec));
    return ResultOf(finished.job);
  }

  Result<std::optional<uint64_t>> DryRun(const QuerySpec& spec) override {
    REEVE_TRY(CheckSize(spec));
    // Nothing is run and nothing is kept, so the id only has to be one that no job has.
    const JobHead head = HeadOf(spec.job_id + "-dry-" + HexEncode(api_.entropy().Bytes(8)), spec.location);
    Call call = InsertCall(json::serialize(EncodeQueryJob(head, spec.sql, spec.parameters, api_.options().maximum_bytes_billed, true)));
    const Answer answer = api_.Send(call);
    if (!answer) return Unexpected(ToError(answer.error(), "BigQuery: dry run of " + spec.job_id));
    REEVE_ASSIGN(const json::object object, json::ParseObject(answer->body, "BigQuery: dry run of " + spec.job_id));
    REEVE_ASSIGN(const JobDocument job, DecodeJob(object));
    if (job.problem) return Unexpected(ToError(FailureOfJob(*job.problem), "BigQuery: dry run of " + spec.job_id));
    return job.bytes_processed;
  }

  Result<JobResult> Load(const LoadSpec& spec, const UploadSource& rows) override {
    bool fresh = true;
    JobPlan plan;
    plan.job_id = spec.job_id;
    plan.location = spec.location;
    plan.is_load = true;
    plan.may_repeat = spec.truncate;
    plan.destination = spec.table;
    plan.write_disposition = spec.truncate ? kTruncate : kAppend;
    plan.keep_alive = spec.keep_alive;
    plan.submit = [&](const std::string& id, Tries* tries) -> Answer {
      if (!std::exchange(fresh, false))
        if (Result<> rewound = rows.rewind(); !rewound) return tl::unexpected(FailureOfOurs(std::move(rewound).error()));
      return Upload(api_, json::serialize(EncodeLoadJob(HeadOf(id, spec.location), spec.table, spec.schema, spec.truncate)), rows, tries);
    };
    REEVE_ASSIGN(const FinishedJob finished, jobs_.Run(plan));
    return ResultOf(finished.job);
  }

  Result<> Cancel(const std::string& job_id, const std::string& location) override {
    const Answer answer = jobs_.Cancel(job_id, location);
    if (!answer && answer.error().code != Code::kNotFound) return Unexpected(ToError(answer.error(), "BigQuery: cancelling job " + job_id));
    return {};
  }

  WireCounts counts() const override { return api_.counts(); }
  const ClientOptions& options() const override { return api_.options(); }

 private:
  // Every page of a listing.
  Result<> List(const std::string& path, const std::function<Result<>(const json::object& page)>& read) {
    Call call = CallOf("GET", path);
    Tokens tokens(Named(call));
    for (std::string token;;) {
      call.query = {{"maxResults", std::to_string(kListPage)}};
      if (!token.empty()) call.query.emplace_back("pageToken", token);
      const Answer answer = api_.Send(call);
      if (!answer) return Unexpected(ToError(answer.error(), Named(call)));
      REEVE_ASSIGN(const json::object page, json::ParseObject(answer->body, Named(call)));
      REEVE_TRY(read(page));
      token = json::Text(page, "nextPageToken");
      if (token.empty()) return {};
      REEVE_TRY(tokens.Take(token));
    }
  }

  static Result<> EachItem(const json::object& page, std::string_view name, const std::function<Result<>(const json::object& item)>& read) {
    const json::array* const items = json::FindArray(page, name);
    if (items == nullptr) return {};
    for (const json::value& item : *items) {
      if (!item.is_object()) return Fail(Code::kFailed, "BigQuery: a list of {} holds something that is none", name);
      REEVE_TRY(read(item.get_object()));
    }
    return {};
  }

  // nullopt: there is no such thing.
  Result<std::optional<json::object>> Find(const std::string& path) {
    const Call call = CallOf("GET", path);
    const Answer answer = api_.Send(call);
    if (!answer && answer.error().code == Code::kNotFound) return std::optional<json::object>();
    if (!answer) return Unexpected(ToError(answer.error(), Named(call)));
    REEVE_ASSIGN(json::object object, json::ParseObject(answer->body, Named(call)));
    return std::optional(std::move(object));
  }

  static Result<TableInfo> TableOf(const net::HttpResponse& response, const Call& call) {
    REEVE_ASSIGN(const json::object object, json::ParseObject(response.body, Named(call)));
    return DecodeTable(object);
  }

  // Names and types alike; a server need not repeat descriptions and defaults.
  static bool SameShape(const Schema& a, const Schema& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Field& x, const Field& y) {
      return x.name == y.name && x.type == y.type && (x.mode == Mode::kRepeated) == (y.mode == Mode::kRepeated) && SameShape(x.fields, y.fields);
    });
  }

  // What PatchTable sets.
  static bool SameProperties(const TableSpec& a, const TableSpec& b) {
    const auto millis = [](const std::optional<Micros>& time) { return time ? *time / 1000 : -1; };
    return a.description == b.description && a.labels == b.labels && millis(a.expires_at) == millis(b.expires_at);
  }

  // In the table's order, so that it does not matter whether a server answers in that order or in ours.
  static std::string FieldNames(const Schema& schema, const Columns& columns) {
    std::vector<size_t> asked = columns.cells_of_all;
    std::sort(asked.begin(), asked.end());
    std::string names;
    for (const size_t index : asked) names += (names.empty() ? "" : ",") + schema[index].name;
    return names;
  }

  JobHead HeadOf(const std::string& id, const std::string& location) const {
    return {api_.options().billing_project, id, location, api_.options().labels};
  }

  Call InsertCall(std::string body) const {
    Call call = CallOf("POST", ProjectPath(api_.options().billing_project) + "/jobs", std::move(body));
    call.timeout = kInsertTimeout;
    return call;
  }

  static Result<> CheckSize(const QuerySpec& spec) {
    size_t bytes = spec.sql.size();
    for (const Parameter& parameter : spec.parameters) {
      bytes += parameter.text.value_or("").size();
      for (const std::string& text : parameter.texts.value_or(std::vector<std::string>())) bytes += text.size() + 16;
    }
    if (spec.sql.size() <= kSqlBytesMax && bytes <= kRequestBytesMax) return {};
    Failure failure = FailureOfJob({"queryTooLarge", fmt::format("its text has {} bytes, with parameters {}; BigQuery takes {} and {}", spec.sql.size(), bytes,
                                                                 kSqlBytesMax, kRequestBytesMax), ""});
    return Unexpected(ToError(failure, "BigQuery: job " + spec.job_id));
  }

  Result<FinishedJob> RunStatement(const QuerySpec& spec) {
    REEVE_TRY(CheckSize(spec));
    JobPlan plan;
    plan.job_id = spec.job_id;
    plan.location = spec.location;
    plan.statement = spec.sql;
    plan.keep_alive = spec.keep_alive;
    plan.submit = [&](const std::string& id, Tries* tries) {
      const json::object job = EncodeQueryJob(HeadOf(id, spec.location), spec.sql, spec.parameters, api_.options().maximum_bytes_billed, false);
      return api_.Send(InsertCall(json::serialize(job)), tries);
    };
    return jobs_.Run(plan);
  }

  Api api_;
  JobRunner jobs_;
};

}  // namespace

std::unique_ptr<Client> MakeClient(const ClientOptions& options, net::HttpClient& http, Credentials* credentials, Clock& clock, Entropy& entropy) {
  return std::make_unique<RestClient>(options, http, credentials, clock, entropy);
}

}  // namespace reeve::bigquery
