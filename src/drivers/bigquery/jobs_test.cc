// Jobs as a caller of Client sees them, against jobs in memory: one that runs, one that is interrupted, and what is never sent.
#include "drivers/bigquery/jobs.h"

#include <gtest/gtest.h>

#include "drivers/bigquery/jobs_testing.h"

namespace reeve::bigquery {
namespace {

using testing::ClientWorld;
using testing::FakeRest;
using testing::IsInsert;
using testing::kMerge;
using testing::kNumbers;
using testing::PathOf;
using testing::Problem;
using testing::Reply;
using testing::Spec;

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
