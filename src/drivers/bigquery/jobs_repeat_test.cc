// Jobs that died or whose answers were lost: adopted, begun anew under the next id, or given up.
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

}  // namespace
}  // namespace reeve::bigquery
