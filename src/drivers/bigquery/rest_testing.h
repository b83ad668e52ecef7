// FakeRest: jobs, results and loads of the REST surface in memory, for tests of the client beside it. (A fake of the whole surface, which runs SQL, is in
// tests/fakes/bigquery/.)
//
// Keeps of the contract (BigQuery REST v2 reference): a job id is used once, a second insert is 409 "duplicate"; a job runs for some polls and ends with
// status.errorResult or without; results come in pages; jobs.query makes a job "asked-1", "asked-2", … once per requestId and answers as getQueryResults; the
// rows of a load count once its job is there. With `emulator`, as goccy/bigquery-emulator v0.8.1
// does it: done at once, requestIds mean nothing, duplicates are 500 "is already created", jobs.get forgets errors, loads have no status and no statistics. Faults are functions that
// see each request before or after it had its effect. Not safe for concurrent use, except by one client whose calls do not overlap.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "drivers/bigquery/client.h"
#include "drivers/bigquery/json.h"
#include "drivers/bigquery/resources.h"
#include "net/url.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/scripted_http.h"

namespace reeve::bigquery::testing {

inline net::HttpResponse Reply(int status, std::string body, std::vector<net::Header> headers = {}) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

inline net::HttpResponse Problem(int status, std::string_view reason, std::string_view message) {
  const json::object entry{{"domain", "global"}, {"reason", reason}, {"message", message}};
  const json::object error{{"code", status}, {"message", message}, {"errors", json::array{entry}}};
  return Reply(status, json::serialize(json::object{{"error", error}}));
}

// Parameter of the query of a URL, undecoded; "" if absent.
inline std::string Param(const net::HttpRequest& request, std::string_view name) {
  const std::string query = "&" + net::SplitUrl(request.url).query + "&";
  const size_t at = query.find(fmt::format("&{}=", name));
  if (at == std::string::npos) return {};
  const size_t begin = at + name.size() + 2;
  return query.substr(begin, query.find('&', begin) - begin);
}

inline std::string PathOf(const net::HttpRequest& request) { return net::SplitUrl(request.url).path; }

// What a statement does when it is run.
struct Outcome {
  std::string schema = {};                 // JSON of {"fields": …}; empty: no rows
  std::vector<std::string> rows = {};      // JSON
  int polls = 0;                           // getQueryResults that find it running
  std::vector<JobProblem> problems = {};   // of the first jobs, one each; later ones succeed
  std::optional<uint64_t> affected = {};
};

class FakeRest {
 public:
  using Fault = std::function<std::optional<Result<net::HttpResponse>>(const net::HttpRequest& request)>;
  struct Job {
    json::object configuration;
    std::string statement, location, data;
    int polls_left = 0;
    std::optional<JobProblem> problem;
    bool cancelled = false;
  };

  FakeRest() : http([this](const net::HttpRequest& request) { return Answer(request); }) {}

  std::map<std::string, Outcome> outcomes;  // by statement
  std::map<std::string, Job> jobs;
  std::vector<std::string> inserted;        // ids, in order
  std::map<std::string, std::string> asked;  // job by requestId
  bool rows_later = false;                  // jobs.query says complete and leaves the rows to getQueryResults
  size_t page_rows = 1000;
  bool emulator = false;
  Fault before, after;
  fakes::ScriptedHttp http;

 private:
  Result<net::HttpResponse> Answer(const net::HttpRequest& request) {
    if (before)
      if (auto fault = before(request)) return std::move(*fault);
    net::HttpResponse response = Serve(request);
    if (after)
      if (auto fault = after(request)) return std::move(*fault);
    return response;
  }

  net::HttpResponse Serve(const net::HttpRequest& request) {
    const std::string path = PathOf(request);
    const auto after = [&](std::string_view mark) { return path.substr(path.find(mark) + mark.size()); };
    if (request.method == "POST" && path.starts_with("/upload/")) return InsertLoad(request.body);
    if (request.method == "POST" && path.ends_with("/cancel")) {
      jobs[after("/jobs/").substr(0, after("/jobs/").find('/'))].cancelled = true;
      return Reply(200, "{}");
    }
    if (request.method == "POST" && path.ends_with("/queries")) return Ask(*json::ParseObject(request.body, "query"), request);
    if (request.method == "POST" && path.ends_with("/jobs")) return Insert(*json::ParseObject(request.body, "job"), "");
    if (path.find("/jobs/") != std::string::npos) return Get(after("/jobs/"));
    if (path.find("/queries/") != std::string::npos) return Results(after("/queries/"), request);
    return Problem(404, "notFound", "Not found: " + path);
  }

  // {"…"}\r\n between the first and the second boundary, the rows between the second and the third.
  net::HttpResponse InsertLoad(const std::string& body) {
    const std::string boundary = body.substr(0, body.find("\r\n"));
    const auto part = [&](size_t from) {
      const size_t begin = body.find("\r\n\r\n", from) + 4;
      return body.substr(begin, body.find("\r\n" + boundary, begin) - begin);
    };
    return Insert(*json::ParseObject(part(0), "job"), part(body.find(boundary, boundary.size())));
  }

  net::HttpResponse Insert(const json::object& job, std::string data) {
    const json::object& reference = job.at("jobReference").as_object();
    const std::string id = json::Text(reference, "jobId");
    Job made;
    made.configuration = job.at("configuration").as_object();
    if (const json::object* query = json::FindObject(made.configuration, "query")) made.statement = json::Text(*query, "query");
    made.location = json::Text(reference, "location");
    made.data = std::move(data);
    if (json::Bool(made.configuration, "dryRun").value_or(false))
      return Reply(200, R"({"jobReference":{},"status":{"state":"DONE"},"statistics":{"totalBytesProcessed":"4096"}})");
    if (jobs.count(id) != 0)
      return emulator ? Problem(500, "internalError", "failed to add job: job " + id + " is already created") : Problem(409, "duplicate", "Already Exists: Job " + id);
    Outcome& outcome = outcomes[made.statement];
    made.polls_left = emulator ? 0 : outcome.polls;
    if (!outcome.problems.empty()) {
      made.problem = outcome.problems.front();
      outcome.problems.erase(outcome.problems.begin());
    }
    inserted.push_back(id);
    const Job& kept = jobs[id] = std::move(made);
    const bool has_status = !(emulator && IsLoad(kept));
    return Reply(200, Document(id, kept, has_status, true));
  }

  net::HttpResponse Ask(const json::object& query, const net::HttpRequest& request) {
    std::string& id = asked[json::Text(query, "requestId")];
    if (id.empty() || emulator) {
      id = fmt::format("asked-{}", inserted.size() + 1);
      const json::object job{{"jobReference", {{"jobId", id}, {"location", json::Text(query, "location")}}}, {"configuration", {{"query", query}}}};
      const net::HttpResponse made = Insert(job, "");
      if (made.status != 200) return made;
    }
    if (!rows_later || jobs[id].polls_left > 0) return Results(id, request);
    return Reply(200, fmt::format(R"({{"jobComplete":true,"jobReference":{{"jobId":"{}"}},"totalRows":"{}"}})", id, outcomes.at(jobs[id].statement).rows.size()));
  }

  static bool IsLoad(const Job& job) { return job.configuration.contains("load"); }

  std::string Document(const std::string& id, const Job& job, bool has_status, bool has_problem) const {
    json::object document{{"jobReference", {{"jobId", id}, {"location", job.location}}}, {"configuration", job.configuration}};
    const bool done = job.polls_left == 0;
    json::object status{{"state", done ? "DONE" : "RUNNING"}};
    if (done && has_problem && job.problem)
      status["errorResult"] = {{"reason", job.problem->reason}, {"message", job.problem->message}, {"location", job.problem->location}};
    if (has_status) document["status"] = status;
    if (!done) return json::serialize(document);
    json::object query{{"statementType", emulator || !outcomes.at(job.statement).affected ? "SELECT" : "MERGE"}, {"totalBytesBilled", "10485760"}};
    if (!emulator && outcomes.at(job.statement).affected) query["numDmlAffectedRows"] = std::to_string(*outcomes.at(job.statement).affected);
    if (!IsLoad(job)) document["statistics"] = {{"query", query}, {"totalBytesProcessed", "512"}};
    else if (!emulator) document["statistics"] = {{"load", {{"outputRows", std::to_string(std::count(job.data.begin(), job.data.end(), '\n'))}}}};
    return json::serialize(document);
  }

  net::HttpResponse Get(const std::string& id) {
    const auto found = jobs.find(id);
    if (found == jobs.end()) return Problem(404, "notFound", "Not found: Job " + id);
    if (IsLoad(found->second) && found->second.polls_left > 0) --found->second.polls_left;
    return Reply(200, Document(id, found->second, true, !emulator));
  }

  net::HttpResponse Results(const std::string& id, const net::HttpRequest& request) {
    const auto found = jobs.find(id);
    if (found == jobs.end()) return Problem(404, "notFound", "Not found: Job " + id);
    Job& job = found->second;
    if (job.polls_left > 0) {
      --job.polls_left;
      return Reply(200, fmt::format(R"({{"jobComplete":false,"jobReference":{{"jobId":"{}"}}}})", id));
    }
    if (job.problem) return Problem(400, job.problem->reason, job.problem->message);
    const Outcome& outcome = outcomes.at(job.statement);
    const size_t begin = Param(request, "pageToken").empty() ? 0 : std::stoul(Param(request, "pageToken").substr(1));
    const size_t end = Param(request, "maxResults") == "0" ? begin : std::min(outcome.rows.size(), begin + page_rows);
    std::string page = fmt::format(R"({{"jobComplete":true,"jobReference":{{"jobId":"{}"}},"totalRows":"{}","rows":[{}])", id, outcome.rows.size(),
                                   fmt::join(outcome.rows.begin() + static_cast<ptrdiff_t>(begin), outcome.rows.begin() + static_cast<ptrdiff_t>(end), ","));
    if (!outcome.schema.empty()) page += ",\"schema\":" + outcome.schema;
    if (outcome.affected && !emulator) page += fmt::format(",\"numDmlAffectedRows\":\"{}\"", *outcome.affected);
    if (!emulator) page += R"(,"totalBytesProcessed":"512","totalBytesBilled":"10485760")";
    if (end < outcome.rows.size()) page += fmt::format(",\"pageToken\":\"p{}\"", end);
    return Reply(200, page + "}");
  }
};

// A client of a FakeRest or of any other HttpClient, with time that passes by sleeping.
struct ClientWorld {
  explicit ClientWorld(net::HttpClient& http, ClientOptions options = {}, Credentials* credentials = nullptr) {
    options.billing_project = "bill";
    client = MakeClient(options, http, credentials, clock, *entropy);
  }
  reeve::testing::FakeClock clock;
  std::unique_ptr<Entropy> entropy = MakeSeededEntropy(7);
  std::unique_ptr<Client> client;
};

}  // namespace reeve::bigquery::testing
