// Questions: their rows over pages, their one call, their repetition.
#include <gtest/gtest.h>

#include "drivers/bigquery/jobs_testing.h"

namespace reeve::bigquery {
namespace {

using testing::ClientWorld;
using testing::FakeRest;
using testing::kNumbers;
using testing::NumberRow;
using testing::PathOf;
using testing::Problem;
using testing::ReadAll;
using testing::Reply;
using testing::Spec;

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

}  // namespace
}  // namespace reeve::bigquery
