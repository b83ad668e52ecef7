// Jobs as a caller of Client sees them, against jobs in memory: ids, adoption, attempts, polling, interrupts.
#include "drivers/bigquery/jobs.h"

#include <gtest/gtest.h>

#include "drivers/bigquery/rest_testing.h"

namespace reeve::bigquery {
namespace {

using testing::ClientWorld;
using testing::FakeRest;
using testing::PathOf;
using testing::Problem;
using testing::Reply;

constexpr std::string_view kMerge = "MERGE t USING s ON FALSE WHEN NOT MATCHED THEN INSERT ROW";
const std::string kNumbers = R"({"fields":[{"name":"n","type":"INTEGER"}]})";

QuerySpec Spec(std::string_view sql = kMerge) { return {"run-merge", std::string(sql), "EU", {}}; }

std::string NumberRow(int number) { return fmt::format(R"({{"f":[{{"v":"{}"}}]}})", number); }

bool IsInsert(const net::HttpRequest& request) { return request.method == "POST" && (PathOf(request).ends_with("/jobs")); }

// Reads every row of `sql`; the numbers, or the error's message.
std::vector<std::string> ReadAll(Client& client, std::string_view sql) {
  std::vector<std::string> numbers;
  const Result<JobResult> result = client.Query(Spec(sql), nullptr, [&](const Row& row) -> Result<> {
    numbers.push_back(row.at(0).text);
    return {};
  });
  if (!result) numbers.push_back(result.error().message);
  return numbers;
}

TEST(Jobs, AStatementRunsOnceAndSaysWhatItDid) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)].affected = 3;
  ClientOptions options;
  options.labels = {{"run", "r1"}};
  options.maximum_bytes_billed = 1'000'000;
  ClientWorld world(rest.http, options);
  const Result<JobResult> result = world.client->Execute(Spec());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->job_id, "run-merge");
  EXPECT_EQ(result->affected_rows, 3U);
  EXPECT_EQ(result->bytes_billed, 10485760U);
  EXPECT_EQ(rest.inserted, std::vector<std::string>{"run-merge"});
  EXPECT_EQ(rest.jobs["run-merge"].location, "EU");
  const std::string body = rest.http.requests().at(0).body;
  EXPECT_NE(body.find(R"("useLegacySql":false)"), std::string::npos);
  EXPECT_NE(body.find(R"("maximumBytesBilled":"1000000")"), std::string::npos);
  EXPECT_NE(body.find(R"("labels":{"run":"r1"})"), std::string::npos);
  const WireCounts counts = world.client->counts();
  EXPECT_EQ(counts.query_jobs, 1U);
  EXPECT_EQ(counts.api_calls, 1U);  // it was done when it was answered
  EXPECT_EQ(counts.bytes_billed, 10485760U);
}

TEST(Jobs, ARunningJobIsAwaitedAndItsCostFetchedAtTheEnd) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)].polls = 5;
  rest.outcomes[std::string(kMerge)].affected = 2;
  ClientWorld world(rest.http);
  const Result<JobResult> result = world.client->Execute(Spec());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->affected_rows, 2U);
  EXPECT_EQ(result->bytes_billed, 10485760U);
  EXPECT_EQ(world.client->counts().api_calls, 8U);  // insert, six polls, get
  EXPECT_GT(world.clock.Steady(), 1'794'744'000 * kSecond);  // a server that does not wait for us is not asked without pause
}

TEST(Jobs, RowsComeInOrderOverManyPagesWithTheirSchema) {
  for (const auto& [emulator, polls, later] : {std::tuple(false, 2, false), std::tuple(false, 0, false), std::tuple(false, 0, true), std::tuple(true, 0, false)}) {
    FakeRest rest;
    rest.emulator = emulator;
    rest.rows_later = later;
    rest.page_rows = 7;
    testing::Outcome& outcome = rest.outcomes["SELECT n"];
    outcome.schema = kNumbers;
    outcome.polls = polls;
    std::vector<std::string> expected;
    for (int i = 0; i < 40; ++i) {
      outcome.rows.push_back(NumberRow(i));
      expected.push_back(std::to_string(i));
    }
    ClientWorld world(rest.http);
    EXPECT_EQ(ReadAll(*world.client, "SELECT n"), expected);
    Schema schema;
    const Result<JobResult> again = world.client->Query({"other", "SELECT n", "EU", {}}, &schema, [&](const Row&) -> Result<> {
      EXPECT_EQ(schema.size(), 1U);  // filled before the first row
      return Fail(Code::kCorrupt, "mine");
    });
    EXPECT_EQ(again.error().message, "mine");
    EXPECT_EQ(schema.at(0).type, FieldType::kInt64);
  }
}

TEST(Jobs, AnEmptyPageWithATokenIsNotTheEndAndATokenThatComesAgainIsAnError) {
  FakeRest rest;
  rest.outcomes["SELECT n"].schema = kNumbers;
  int pages = 0;
  bool endless = false;
  rest.before = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (PathOf(request).find("/queries") == std::string::npos) return std::nullopt;
    ++pages;
    if (endless) return Reply(200, R"({"jobComplete":true,"schema":)" + kNumbers + R"(,"pageToken":"again"})");
    if (pages == 1) return Reply(200, R"({"jobComplete":true,"schema":)" + kNumbers + R"(,"totalRows":"1","rows":[],"pageToken":"a"})");
    if (pages == 2) return Reply(200, R"({"jobComplete":true,"rows":[],"pageToken":"b"})");
    return Reply(200, R"({"jobComplete":true,"rows":[)" + NumberRow(5) + "]}");
  };
  ClientWorld world(rest.http);
  EXPECT_EQ(ReadAll(*world.client, "SELECT n"), std::vector<std::string>{"5"});
  endless = true;
  const auto refused = ReadAll(*world.client, "SELECT n");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_NE(refused[0].find("names a page again"), std::string::npos);
}

TEST(Jobs, AQuestionIsOneCallIfItIsQuickAndSaysWhatItCost) {
  FakeRest rest;
  rest.outcomes["SELECT n"] = {kNumbers, {NumberRow(5)}, 0, {}, {}};
  ClientOptions options;
  options.labels = {{"run", "r1"}};
  options.maximum_bytes_billed = 1'000'000;
  ClientWorld world(rest.http, options);
  const Result<JobResult> result = world.client->Query(Spec("SELECT n"), nullptr, [](const Row&) -> Result<> { return {}; });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->job_id, "asked-1");
  EXPECT_EQ(result->bytes_billed, 10485760U);
  EXPECT_EQ(world.client->counts().api_calls, 1U);
  EXPECT_EQ(world.client->counts().query_jobs, 1U);
  const std::string body = rest.http.requests().at(0).body;
  for (const std::string part : {R"("useLegacySql":false)", R"("maximumBytesBilled":"1000000")", R"("labels":{"run":"r1"})", R"("location":"EU")",
                                 R"("formatOptions":{"useInt64Timestamp":true})"})
    EXPECT_NE(body.find(part), std::string::npos) << part;
}

TEST(Jobs, AQuestionWhoseAnswerWasLostIsTheSameQuestionAgain) {
  for (const int status : {0, 503}) {
    FakeRest rest;
    rest.outcomes["SELECT n"] = {kNumbers, {NumberRow(5)}, 0, {}, {}};
    rest.after = [&](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> {
      rest.after = nullptr;
      if (status == 0) return Result<net::HttpResponse>(Fail(Code::kFailed, "connection reset"));
      return Problem(status, "backendError", "lost");
    };
    ClientWorld world(rest.http);
    EXPECT_EQ(ReadAll(*world.client, "SELECT n"), std::vector<std::string>{"5"});
    EXPECT_EQ(rest.inserted.size(), 1U) << "it ran once";
    EXPECT_EQ(ReadAll(*world.client, "SELECT n"), std::vector<std::string>{"5"});
    EXPECT_EQ(rest.inserted.size(), 2U) << "and another time when it is asked another time";
  }
}

TEST(Jobs, AQuestionThatDiesOfBigQueryIsAskedAgain) {
  const std::vector<JobProblem> deaths = {{"jobBackendError", "m", ""}, {"jobRateLimitExceeded", "m", ""}};
  for (const JobProblem& death : deaths)
    for (const int polls : {0, 2}) {
      FakeRest rest;
      rest.outcomes["SELECT n"] = {kNumbers, {NumberRow(5)}, polls, {death, death}, {}};
      ClientWorld world(rest.http);
      EXPECT_EQ(ReadAll(*world.client, "SELECT n"), std::vector<std::string>{"5"});
      EXPECT_EQ(rest.inserted.size(), 3U) << death.reason;
    }
  FakeRest rest;
  rest.outcomes["SELECT n"].problems.assign(100, {"jobBackendError", "again", ""});
  ClientWorld world(rest.http);
  EXPECT_NE(ReadAll(*world.client, "SELECT n").at(0).find("[jobBackendError] again"), std::string::npos);
  EXPECT_EQ(rest.inserted.size(), static_cast<size_t>(kNewJobsMax));
}

TEST(Jobs, AnInsertWhoseAnswerWasLostIsSentAgainAndItsJobAdopted) {
  for (const bool emulator : {false, true})
    for (const int status : {0, 503}) {
      FakeRest rest;
      rest.emulator = emulator;
      rest.outcomes[std::string(kMerge)].affected = 3;
      int inserts = 0;
      rest.after = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
        if (!IsInsert(request) || ++inserts > 1) return std::nullopt;
        if (status == 0) return Result<net::HttpResponse>(Fail(Code::kFailed, "connection reset"));
        return Problem(status, "backendError", "lost");
      };
      ClientWorld world(rest.http);
      const Result<JobResult> result = world.client->Execute(Spec());
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(result->job_id, "run-merge");
      EXPECT_EQ(rest.inserted, std::vector<std::string>{"run-merge"});  // it ran once
      EXPECT_EQ(world.client->counts().query_jobs, 1U);
    }
}

TEST(Jobs, AJobOfAnEarlierLifeIsAdoptedIfItDidTheSame) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)].affected = 3;
  ASSERT_TRUE(ClientWorld(rest.http).client->Execute(Spec()));
  ClientWorld world(rest.http);
  const Result<JobResult> again = world.client->Execute(Spec());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->affected_rows, 3U);
  EXPECT_EQ(rest.inserted.size(), 1U);
  EXPECT_EQ(world.client->counts().query_jobs, 0U);
  EXPECT_EQ(world.client->counts().bytes_billed, 0U);  // that was then

  const Result<JobResult> other = world.client->Execute(Spec("DELETE FROM t WHERE TRUE"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kRefused);
  EXPECT_NE(other.error().message.find("did something else"), std::string::npos);
  EXPECT_EQ(rest.inserted.size(), 1U);
}

TEST(Jobs, AJobThatIsThereButNotFoundYetIsLookedForAgain) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)].affected = 3;
  ASSERT_TRUE(ClientWorld(rest.http).client->Execute(Spec()));
  int looks = 0;
  rest.before = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (request.method == "GET" && ++looks <= 3) return Problem(404, "notFound", "Not found: Job");
    return std::nullopt;
  };
  ClientWorld world(rest.http);
  EXPECT_TRUE(world.client->Execute(Spec()));
  EXPECT_EQ(looks, 4);
  looks = -1000;  // for ever
  const Result<JobResult> lost = world.client->Execute(Spec());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kNotFound);
}

TEST(Jobs, WhatDiedInAnEarlierLifeIsBegunAnewUnderTheNextId) {
  for (const std::string reason : {"stopped", "invalidQuery", "jobBackendError"}) {
    FakeRest rest;
    rest.outcomes[std::string(kMerge)].affected = 3;
    FakeRest::Job& dead = rest.jobs["run-merge"];
    dead.statement = kMerge;
    dead.configuration = {{"query", {{"query", kMerge}}}};
    dead.problem = JobProblem{reason, "m", ""};
    ClientWorld world(rest.http);
    const Result<JobResult> result = world.client->Execute(Spec());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->job_id, "run-merge-a2");
    EXPECT_EQ(rest.inserted, std::vector<std::string>{"run-merge-a2"});
  }
}

TEST(Jobs, AJobThatDiesOfBigQueryIsRepeatedUnderANewId) {
  const std::vector<JobProblem> deaths = {
      {"jobBackendError", "m", ""},
      {"jobInternalError", "The job encountered an internal error", ""},
      {"jobRateLimitExceeded", "m", ""},
      {"backendError", "m", ""},  // as a job's end: the same request again would only meet the dead job
      {"rateLimitExceeded", "m", ""},
      {"tableUnavailable", "m", ""},
      {"invalidQuery", "Could not serialize access to table t due to concurrent update", ""},
      {"resourcesExceeded", "Too many DML statements outstanding against table t, limit is 20", ""},
  };
  for (const JobProblem& death : deaths)
    for (const int polls : {0, 2}) {
      FakeRest rest;
      rest.outcomes[std::string(kMerge)] = {"", {}, polls, {death, death}, 3};
      ClientWorld world(rest.http);
      const Result<JobResult> result = world.client->Execute(Spec());
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(result->job_id, "run-merge-a3") << death.reason;
      EXPECT_EQ(rest.inserted, (std::vector<std::string>{"run-merge", "run-merge-a2", "run-merge-a3"}));
      EXPECT_EQ(world.client->counts().query_jobs, 3U);
    }
}

TEST(Jobs, AJobThatFailsForGoodIsNotRepeated) {
  const std::vector<JobProblem> ends = {
      {"invalidQuery", "Syntax error", ""},  {"notFound", "Not found: Table t", ""}, {"accessDenied", "m", ""},
      {"quotaExceeded", "m", ""},            {"stopped", "m", ""},                   {"resourcesExceeded", "Resources exceeded", ""},
      {"jobInternalError", "failed to analyze: INVALID_ARGUMENT: Syntax error", ""}, {"bytesBilledLimitExceeded", "m", ""},
  };
  for (const JobProblem& end : ends)
    for (const bool wants_rows : {false, true})
      for (const int polls : {0, 1}) {
        FakeRest rest;
        rest.outcomes["SELECT n"] = {kNumbers, {}, polls, {end, end}, {}};
        ClientWorld world(rest.http);
        const Result<JobResult> result = wants_rows ? world.client->Query(Spec("SELECT n"), nullptr, [](const Row&) -> Result<> { return {}; })
                                                    : world.client->Execute(Spec("SELECT n"));
        ASSERT_FALSE(result);
        EXPECT_EQ(rest.inserted.size(), 1U) << end.reason;
        EXPECT_NE(result.error().message.find("job run-merge: [" + end.reason + "] "), std::string::npos) << result.error().message;
        EXPECT_EQ(IsTooLarge(result.error()), end.reason == "resourcesExceeded");
        EXPECT_EQ(result.error().code == Code::kAuthNeeded, end.reason == "accessDenied");
      }
}

TEST(Jobs, ThatAlwaysDieAreGivenUp) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)].problems.assign(100, {"jobBackendError", "again", ""});
  ClientWorld world(rest.http);
  const Result<JobResult> result = world.client->Execute(Spec());
  ASSERT_FALSE(result);
  EXPECT_EQ(rest.inserted.size(), static_cast<size_t>(kNewJobsMax));
  EXPECT_NE(result.error().message.find("[jobBackendError] again"), std::string::npos);
}

TEST(Jobs, TheEmulatorsForgottenErrorsAreFound) {
  FakeRest rest;
  rest.emulator = true;
  const JobProblem mistake{"jobInternalError", "failed to analyze: INVALID_ARGUMENT: Syntax error", ""};
  rest.outcomes["SELEC"].problems = {mistake};
  // The answer of the insert has the error, jobs.get has not: when the answer is lost, the results tell.
  rest.after = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (!IsInsert(request)) return std::nullopt;
    rest.after = nullptr;
    return Result<net::HttpResponse>(Fail(Code::kFailed, "connection reset"));
  };
  ClientWorld world(rest.http);
  const Result<JobResult> result = world.client->Execute(Spec("SELEC"));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("Syntax error"), std::string::npos) << result.error().message;
  EXPECT_EQ(rest.inserted.size(), 1U);
}

TEST(Jobs, PollsThatFailAreToldFromJobsThatFail) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)] = {"", {}, 2, {}, 3};
  int polls = 0;
  rest.before = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (PathOf(request).find("/queries/") == std::string::npos || ++polls > 3) return std::nullopt;
    if (polls == 1) return Problem(503, "backendError", "m");
    if (polls == 2) return Reply(502, "<html>");
    return Result<net::HttpResponse>(Fail(Code::kFailed, "broken"));
  };
  ClientWorld world(rest.http);
  const Result<JobResult> result = world.client->Execute(Spec());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(rest.inserted.size(), 1U);

  // While the job runs, a call that is refused says nothing about it; nothing is begun anew.
  FakeRest denied;
  denied.outcomes[std::string(kMerge)] = {"", {}, 2, {}, 3};
  denied.before = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (PathOf(request).find("/queries/") != std::string::npos) return Problem(403, "accessDenied", "m");
    return std::nullopt;
  };
  ClientWorld second(denied.http);
  EXPECT_EQ(second.client->Execute(Spec()).error().code, Code::kAuthNeeded);
  EXPECT_EQ(denied.inserted.size(), 1U);
}

TEST(Jobs, AnOutageWhileAJobRunsBeginsNoSecondOne) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)] = {"", {}, 1000, {}, 3};
  rest.before = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (!IsInsert(request)) return Result<net::HttpResponse>(Fail(Code::kFailed, "no network"));
    return std::nullopt;
  };
  ClientWorld world(rest.http);
  const Result<JobResult> result = world.client->Execute(Spec());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("no network; given up after 600 s"), std::string::npos) << result.error().message;
  EXPECT_EQ(rest.inserted.size(), 1U);
}

std::atomic<bool> g_stop = false;

TEST(Jobs, AnInterruptCancelsTheJobUnderWay) {
  for (const bool while_inserting : {true, false}) {
    g_stop = false;
    FakeRest rest;
    rest.outcomes[std::string(kMerge)] = {"", {}, 1000, {}, 3};
    rest.after = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
      if (IsInsert(request) != while_inserting) return std::nullopt;
      g_stop = true;
      if (while_inserting) return Result<net::HttpResponse>(Fail(Code::kInterrupted, "interrupted"));
      return std::nullopt;
    };
    ClientOptions options;
    options.interrupted = [] { return g_stop.load(); };
    ClientWorld world(rest.http, options);
    const Result<JobResult> result = world.client->Execute(Spec());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kInterrupted);
    EXPECT_TRUE(rest.jobs["run-merge"].cancelled);
    const net::HttpRequest last = rest.http.requests().back();
    EXPECT_TRUE(last.even_if_interrupted);
    EXPECT_EQ(testing::Param(last, "location"), "EU");
  }
}

TEST(Jobs, AnInterruptCancelsTheQueryThatIsAwaited) {
  g_stop = false;
  FakeRest rest;
  rest.outcomes["SELECT n"] = {kNumbers, {}, 1000, {}, {}};
  rest.after = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (PathOf(request).find("/queries/") != std::string::npos) g_stop = true;
    return std::nullopt;
  };
  ClientOptions options;
  options.interrupted = [] { return g_stop.load(); };
  ClientWorld world(rest.http, options);
  EXPECT_EQ(world.client->Query(Spec("SELECT n"), nullptr, [](const Row&) -> Result<> { return {}; }).error().code, Code::kInterrupted);
  EXPECT_TRUE(rest.jobs["asked-1"].cancelled);
}

TEST(Jobs, WhoAwaitsAJobIsAskedAtEachPollAndMayGiveUp) {
  FakeRest rest;
  rest.outcomes[std::string(kMerge)] = {"", {}, 5, {}, 3};
  ClientWorld world(rest.http);
  int asked = 0;
  QuerySpec spec = Spec();
  spec.keep_alive = [&]() -> Result<> {
    ++asked;
    return {};
  };
  EXPECT_TRUE(world.client->Execute(spec));
  EXPECT_EQ(asked, 6);

  spec.job_id = "lost";
  spec.keep_alive = [&]() -> Result<> { return Fail(Code::kLocked, "another has it"); };
  EXPECT_EQ(world.client->Execute(spec).error().code, Code::kLocked);
  EXPECT_TRUE(rest.jobs["lost"].cancelled);
  EXPECT_EQ(rest.inserted, (std::vector<std::string>{"run-merge", "lost"})) << "and is not begun anew";
}

TEST(Jobs, WhatWasNeverSentIsNotCancelled) {
  FakeRest rest;
  ClientOptions options;
  options.interrupted = [] { return true; };
  ClientWorld world(rest.http, options);
  EXPECT_EQ(world.client->Execute(Spec()).error().code, Code::kInterrupted);
  EXPECT_EQ(rest.http.count(), 0U);
}

TEST(Jobs, CancellingWhatIsNotThereIsFine) {
  fakes::ScriptedHttp http([](const net::HttpRequest&) { return Problem(404, "notFound", "Not found: Job"); });
  ClientWorld world(http);
  EXPECT_TRUE(world.client->Cancel("x", "EU"));
}

TEST(Jobs, TooLongStatementsAreNotSent) {
  FakeRest rest;
  ClientWorld world(rest.http);
  QuerySpec spec = Spec();
  spec.sql.assign(1024 * 1000 + 1, 'x');
  EXPECT_TRUE(IsTooLarge(world.client->Execute(spec).error()));
  spec = Spec();
  spec.parameters = {{"ids", {}, std::vector<std::string>(200'000, std::string(40, 'x'))}};
  EXPECT_TRUE(IsTooLarge(world.client->Execute(spec).error()));
  EXPECT_EQ(rest.http.count(), 0U);
}

TEST(Jobs, ADryRunTellsBytesRunsNothingAndUsesNoIdOfAJob) {
  FakeRest rest;
  ClientWorld world(rest.http);
  EXPECT_EQ(*world.client->DryRun(Spec()), 4096U);
  EXPECT_EQ(*world.client->DryRun(Spec()), 4096U);
  EXPECT_TRUE(rest.inserted.empty());
  EXPECT_EQ(world.client->counts().query_jobs, 0U);
  EXPECT_NE(rest.http.requests().at(0).body, rest.http.requests().at(1).body);
  fakes::ScriptedHttp silent([](const net::HttpRequest&) { return Reply(200, R"({"jobReference":{"jobId":"x"},"status":{"state":"DONE"}})"); });
  EXPECT_EQ(*ClientWorld(silent).client->DryRun(Spec()), std::nullopt);
}

TEST(Jobs, AHostileAnswerIsAnErrorAndNoCrash) {
  for (const std::string body : {"{}", "{\"jobReference\":7}", "{\"jobReference\":{\"jobId\":\"x\"},\"status\":{\"state\":7}}", "{\"status\":{\"state\":\"DONE\",\"errorResult\":{}}}",
                                 "{\"jobReference\":{\"jobId\":\"../../x?y\"},\"status\":{\"state\":\"RUNNING\"}}", "{ this is not JSON }"}) {
    FakeRest rest;
    ClientOptions options;
    options.patience = 60 * kSecond;
    rest.before = [&](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> { return Reply(200, body); };
    ClientWorld world(rest.http, options);
    static_cast<void>(world.client->Query(Spec("SELECT n"), nullptr, [](const Row&) -> Result<> { return {}; }));
    static_cast<void>(world.client->ListDatasets("p"));
    static_cast<void>(world.client->FindTable({"p", "d", "t"}));
    for (const net::HttpRequest& request : rest.http.requests()) EXPECT_EQ(request.url.find("../"), std::string::npos);
  }
}

}  // namespace
}  // namespace reeve::bigquery
