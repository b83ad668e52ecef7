#include "drivers/bigquery/errors.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "drivers/bigquery/rest_testing.h"

namespace reeve::bigquery {
namespace {

using testing::Problem;
using testing::Reply;

struct Expected {
  int status;
  std::string reason, message;
  Action action;
  Code code;
};

// What Google documents (C4 of our notes; "Error messages" page), and what the emulator says instead.
const Expected kExpected[] = {
    {403, "rateLimitExceeded", "Exceeded rate limits", Action::kRetry, Code::kFailed},
    {403, "userRateLimitExceeded", "m", Action::kRetry, Code::kFailed},
    {503, "backendError", "m", Action::kRetry, Code::kFailed},
    {500, "internalError", "m", Action::kRetry, Code::kFailed},
    {502, "badGateway", "m", Action::kRetry, Code::kFailed},
    {503, "serviceUnavailable", "m", Action::kRetry, Code::kFailed},
    {400, "tableUnavailable", "m", Action::kWait, Code::kFailed},
    {400, "jobBackendError", "m", Action::kNewJob, Code::kFailed},
    {400, "jobInternalError", "The job encountered an internal error during execution", Action::kNewJob, Code::kFailed},
    {400, "jobRateLimitExceeded", "m", Action::kNewJob, Code::kFailed},
    {400, "jobInternalError", "failed to analyze: INVALID_ARGUMENT: Syntax error", Action::kPermanent, Code::kFailed},
    {400, "jobInternalError", "INVALID_ARGUMENT: x", Action::kPermanent, Code::kFailed},
    {400, "jobInternalError", "UNIQUE constraint failed: t.id", Action::kPermanent, Code::kFailed},
    {400, "jobInternalError", "MERGE: source must be a single-table reference", Action::kPermanent, Code::kFailed},
    {400, "jobInternalError", "expected { character for map value", Action::kPermanent, Code::kFailed},
    {400, "invalidQuery", "Could not serialize access to table p:d.t due to concurrent update", Action::kNewJob, Code::kFailed},
    {400, "resourcesExceeded", "Too many DML statements outstanding against table p:d.t, limit is 20", Action::kWait, Code::kFailed},
    {400, "resourcesExceeded", "Resources exceeded during query execution", Action::kShrink, Code::kFailed},
    {403, "responseTooLarge", "Response too large to return", Action::kShrink, Code::kFailed},
    {400, "queryTooLarge", "m", Action::kShrink, Code::kFailed},
    {400, "invalidQuery", "too many subqueries", Action::kShrink, Code::kFailed},
    {400, "invalidQuery", "the query is too complex", Action::kShrink, Code::kFailed},
    {400, "invalid", "The query is too large. The maximum standard SQL query length is 1024.00K characters", Action::kShrink, Code::kFailed},
    {400, "invalidQuery", "exceeds the maximum number of tables", Action::kShrink, Code::kFailed},
    {400, "invalidQuery", "too many tables", Action::kShrink, Code::kFailed},
    {400, "invalid", "Request payload size exceeds the limit: 10485760 bytes.", Action::kShrink, Code::kFailed},
    {400, "jobInternalError", "failed to query: too many terms in compound SELECT", Action::kShrink, Code::kFailed},
    {400, "jobInternalError", "Expression tree is too large (maximum depth 1000)", Action::kShrink, Code::kFailed},
    {400, "jobInternalError", "parser stack overflow", Action::kShrink, Code::kFailed},
    {403, "quotaExceeded", "m", Action::kPermanent, Code::kFailed},
    {400, "bytesBilledLimitExceeded", "m", Action::kPermanent, Code::kFailed},
    {400, "billingTierLimitExceeded", "m", Action::kPermanent, Code::kFailed},
    {403, "accessDenied", "m", Action::kPermanent, Code::kAuthNeeded},
    {403, "forbidden", "m", Action::kPermanent, Code::kAuthNeeded},
    {403, "insufficientPermissions", "m", Action::kPermanent, Code::kAuthNeeded},
    {401, "authError", "Invalid Credentials", Action::kAuthorize, Code::kAuthNeeded},
    {401, "required", "Login Required", Action::kAuthorize, Code::kAuthNeeded},
    {400, "invalidUser", "m", Action::kPermanent, Code::kAuthNeeded},
    {403, "billingNotEnabled", "m", Action::kPermanent, Code::kFailed},
    {403, "blocked", "m", Action::kPermanent, Code::kFailed},
    {403, "accessNotConfigured", "m", Action::kPermanent, Code::kFailed},
    {404, "notFound", "Not found: Table p:d.t", Action::kPermanent, Code::kNotFound},
    {404, "notFound", "Dataset p:d was not found in location US", Action::kPermanent, Code::kNotFound},
    {409, "duplicate", "Already Exists: Job p:j", Action::kExists, Code::kRefused},
    {409, "alreadyExists", "m", Action::kExists, Code::kRefused},
    {500, "internalError", "failed to add job: job j is already created", Action::kExists, Code::kRefused},
    {412, "conditionNotMet", "Precondition Failed", Action::kPermanent, Code::kRefused},
    {400, "resourceInUse", "m", Action::kPermanent, Code::kFailed},
    {501, "notImplemented", "m", Action::kPermanent, Code::kFailed},
    {400, "stopped", "m", Action::kPermanent, Code::kFailed},
    {400, "timeout", "m", Action::kPermanent, Code::kFailed},
    {400, "invalid", "m", Action::kPermanent, Code::kFailed},
    {400, "invalidQuery", "Syntax error: Unexpected end of script", Action::kPermanent, Code::kFailed},
    {400, "invalidQuery", "UPDATE or DELETE statement over table p.d.t would affect rows in the streaming buffer, which is not supported", Action::kPermanent, Code::kFailed},
    {400, "invalidParameter", "m", Action::kPermanent, Code::kFailed},
    {400, "parseError", "m", Action::kPermanent, Code::kFailed},
    {400, "somethingNew", "m", Action::kPermanent, Code::kFailed},
    {503, "somethingNew", "m", Action::kRetry, Code::kFailed},
};

TEST(Policy, EveryReasonMeansWhatIsDocumented) {
  for (const Expected& expected : kExpected) {
    const Failure failure = FailureOfAnswer(Problem(expected.status, expected.reason, expected.message), 0);
    EXPECT_EQ(failure.action, expected.action) << expected.reason << ": " << expected.message;
    EXPECT_EQ(failure.code, expected.code) << expected.reason << ": " << expected.message;
    EXPECT_EQ(failure.reason, expected.reason);
    EXPECT_FALSE(failure.of_job);
    const Failure of_job = FailureOfJob({expected.reason, expected.message, "query"});
    if (expected.reason != "somethingNew") {
      EXPECT_EQ(of_job.action, expected.action) << expected.reason;
    }
    EXPECT_TRUE(of_job.of_job);
  }
}

TEST(Policy, NoRuleIsUntestedAndNoneIsHiddenByOneBefore) {
  std::set<const Rule*> used;
  for (const Expected& expected : kExpected)
    for (const Rule& rule : Policy())
      if ((rule.reason.empty() || rule.reason == expected.reason) && (rule.part.empty() || expected.message.find(rule.part) != std::string::npos)) {
        used.insert(&rule);
        break;
      }
  for (const Rule& rule : Policy()) EXPECT_TRUE(used.count(&rule) != 0) << rule.reason << " / " << rule.part;
}

TEST(Policy, ALoadBalancersPageIsJudgedByItsStatus) {
  const struct {
    int status;
    Action action;
    Code code;
  } cases[] = {{200, Action::kRetry, Code::kFailed},      {400, Action::kPermanent, Code::kFailed}, {401, Action::kAuthorize, Code::kAuthNeeded},
               {403, Action::kPermanent, Code::kAuthNeeded}, {404, Action::kPermanent, Code::kNotFound}, {408, Action::kRetry, Code::kFailed},
               {409, Action::kExists, Code::kRefused},    {412, Action::kPermanent, Code::kRefused}, {413, Action::kShrink, Code::kFailed},
               {429, Action::kRetry, Code::kFailed},      {500, Action::kRetry, Code::kFailed},      {502, Action::kRetry, Code::kFailed},
               {503, Action::kRetry, Code::kFailed},      {504, Action::kRetry, Code::kFailed},      {302, Action::kPermanent, Code::kFailed}};
  for (const auto& [status, action, code] : cases) {
    for (const std::string body : {"<!DOCTYPE html><title>Error</title>", "", "{\"error\":\"text\"}", "{\"error\":{\"code\":1,\"status\":\"RESOURCE_EXHAUSTED\"}}"}) {
      const Failure failure = FailureOfAnswer(Reply(status, body), 0);
      EXPECT_EQ(failure.action, action) << status << ' ' << body;
      EXPECT_EQ(failure.code, code) << status;
    }
  }
}

TEST(Policy, WhetherARequestMayHaveHadItsEffectIsKnown) {
  EXPECT_TRUE(FailureOfAnswer(Problem(503, "backendError", "m"), 0).may_have_arrived);
  EXPECT_FALSE(FailureOfAnswer(Problem(403, "rateLimitExceeded", "m"), 0).may_have_arrived);
  EXPECT_TRUE(FailureOfExchange({Code::kFailed, "broken", {}}).may_have_arrived);
  EXPECT_EQ(FailureOfExchange({Code::kFailed, "broken", {}}).action, Action::kRetry);
  EXPECT_EQ(FailureOfExchange({Code::kRefused, "no trust", {}}).action, Action::kPermanent);
  EXPECT_EQ(FailureOfExchange({Code::kInterrupted, "stop", {}}).action, Action::kPermanent);
}

TEST(Policy, TheServersWishToWaitIsRead) {
  EXPECT_EQ(FailureOfAnswer(Reply(503, "", {{"retry-after", "7"}}), 0).retry_after, 7 * kSecond);
  EXPECT_FALSE(FailureOfAnswer(Reply(503, "", {{"retry-after", "soon"}}), 0).retry_after);
}

TEST(Errors, SayWhatFailedWithItsReasonAndKeepCodeAndHint) {
  const Error error = ToError(FailureOfAnswer(Problem(403, "quotaExceeded", "Quota exceeded"), 0), "BigQuery: job j");
  EXPECT_EQ(error.message, "BigQuery: job j: [quotaExceeded] Quota exceeded");
  EXPECT_FALSE(error.hint.empty());
  EXPECT_EQ(ToError(FailureOfAnswer(Reply(502, "<html>"), 0), "x").message, "x: [HTTP 502] the answer holds no message");
  EXPECT_EQ(ToError(FailureOfExchange({Code::kFailed, "GET h/p: broken", "h"}), "x").message, "GET h/p: broken");
}

TEST(Errors, TooLargeAndNotSupportedAreRecognised) {
  const auto of = [](std::string_view reason, std::string_view message) {
    return ToError(FailureOfJob({std::string(reason), std::string(message), ""}), "BigQuery: job j").Within("estate p");
  };
  EXPECT_TRUE(IsTooLarge(of("resourcesExceeded", "Not enough resources for query planning")));
  EXPECT_TRUE(IsTooLarge(of("responseTooLarge", "m")));
  EXPECT_TRUE(IsTooLarge(of("jobInternalError", "failed to query: too many terms in compound SELECT")));
  EXPECT_TRUE(IsTooLarge(ToError(FailureOfAnswer(Reply(413, "<html>"), 0), "x")));
  EXPECT_FALSE(IsTooLarge(of("resourcesExceeded", "Too many DML statements outstanding against table t, limit is 20")));
  EXPECT_FALSE(IsTooLarge(of("invalidQuery", "Syntax error")));
  EXPECT_FALSE(IsTooLarge({Code::kFailed, "GET h: broken", ""}));

  EXPECT_TRUE(IsNotSupported(of("notImplemented", "m")));
  EXPECT_TRUE(IsNotSupported(of("jobInternalError", "failed to analyze: INVALID_ARGUMENT: FOR SYSTEM_TIME AS OF is not supported")));
  EXPECT_TRUE(IsNotSupported(of("invalidQuery", "Function not found: FROM_HEX")));
  EXPECT_FALSE(IsNotSupported(of("invalidQuery", "Syntax error")));
  EXPECT_FALSE(IsNotSupported(of("backendError", "m")));
  EXPECT_FALSE(IsNotSupported({Code::kFailed, "GET h: Protocol not supported", ""}));
}

TEST(Errors, MessagesHoldNoValues) {
  EXPECT_EQ(Cleaned("Could not parse 'hunter2' as INT64 for field age"), "Could not parse '…' as INT64 for field age");
  EXPECT_EQ(Cleaned("Couldn't convert value to timestamp. Field: created_at; Value: hunter2 and more"), "Couldn't convert value to timestamp. Field: created_at; Value: …");
  EXPECT_EQ(Cleaned("Could not cast literal \"hunter2\" to type INT64 [at 1:13]"), "Could not cast literal \"…\" to type INT64 [at 1:13]");
  EXPECT_EQ(Cleaned("bad key 0123456789abcdef0123456789abcdef here"), "bad key 012345… here");
  EXPECT_EQ(Cleaned("Unrecognized name: tenant_id; Did you mean `my-project.acme_data.api_keys`? [at 3:7]"),
            "Unrecognized name: tenant_id; Did you mean `my-project.acme_data.api_keys`? [at 3:7]");
  EXPECT_EQ(Cleaned("a\nb\x1b[31mc"), "a b [31mc");
}

TEST(Errors, AReasonIsAWordOrUnknown) {
  EXPECT_EQ(FailureOfAnswer(Problem(400, "bytesBilledLimitExceeded", "m"), 0).reason, "bytesBilledLimitExceeded");
  EXPECT_EQ(FailureOfAnswer(Problem(400, "] hunter2 [", "m"), 0).reason, "unknown");
  EXPECT_EQ(FailureOfJob({std::string(65, 'a'), "m", ""}).reason, "unknown");
}

TEST(Errors, OfLongMessagesBothEndsAreKept) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "ü ";
  for (size_t size : {size_t{710}, size_t{2800}, size_t{9000}})
    for (size_t shift = 0; shift < 3; ++shift) {
      const std::string cleaned = Cleaned("first " + std::string(shift, 'x') + text.substr(0, size) + (size % 2 == 1 ? "" : "z") + " last");
      EXPECT_LE(cleaned.size(), kMessageBytesMax);
      EXPECT_TRUE(cleaned.starts_with("first ")) << cleaned;
      EXPECT_TRUE(cleaned.ends_with(" last")) << cleaned;
      EXPECT_TRUE(IsUtf8(cleaned));
    }
  EXPECT_TRUE(IsUtf8(Cleaned("\xFF\xFE")));
  const std::string sql = "SELECT n FROM `p.d.t` UNION ALL ";
  std::string complaint = "failed to query ";
  for (int i = 0; i < 600; ++i) complaint += sql;
  EXPECT_TRUE(IsTooLarge(ToError(FailureOfJob({"jobInternalError", complaint + ": sqlite3: SQL logic error: too many terms in compound SELECT", ""}), "job j")));
}

}  // namespace
}  // namespace reeve::bigquery
