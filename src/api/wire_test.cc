// Pieces of the wire: texts of fields, dates, ids, problem documents, doors of gateways, denial tokens, admin tokens, figures.
#include <gtest/gtest.h>

#include "api/admin_tokens.h"
#include "api/credentials.h"
#include "api/denial_token.h"
#include "api/error_code.h"
#include "api/event_loop.h"
#include "api/gateway_door.h"
#include "api/http.h"
#include "api/ids.h"
#include "api/metrics_text.h"
#include "api/problem.h"
#include "crypto/sha256.h"
#include "gate/runs.h"

namespace reeve::api {
namespace {

TEST(FieldText, LetsNothingSteerAHead) {
  EXPECT_EQ(FieldText("cust_01"), "cust_01");
  EXPECT_EQ(FieldText("a b\r\nX: y"), "a%20b%0D%0AX:%20y");
  EXPECT_EQ(FieldText("100%"), "100%25");
  EXPECT_EQ(FieldText("\xc3\xa4"), "%C3%A4");
}

TEST(HttpDate, IsTheDateOfRfc9110) {
  EXPECT_EQ(HttpDate(784'111'777 * kSecond), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(HttpDate(951'782'400 * kSecond + 5), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(Ids, AreUuidsOfVersion7ThatGrowWithTime) {
  const auto entropy = MakeSeededEntropy(1);
  IdMaker ids(*entropy);
  const Micros now = 1'794'744'000 * kSecond;
  std::string before;
  for (int i = 0; i < 1000; ++i) {
    const std::string id(ids.Next(now + i * 1000));
    ASSERT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '7');
    EXPECT_TRUE(id[19] == '8' || id[19] == '9' || id[19] == 'a' || id[19] == 'b');
    EXPECT_GT(id, before);
    EXPECT_TRUE(IsSaneRequestId(id));
    before = id;
  }
}

TEST(Ids, OfCallersAreKeptOnlyIfTheyAreHarmless) {
  EXPECT_TRUE(IsSaneRequestId("a.B_9-"));
  for (const std::string_view id : {"", "a b", "a\r\nb", "a;b", "\xc3\xa4"}) EXPECT_FALSE(IsSaneRequestId(id)) << id;
  EXPECT_FALSE(IsSaneRequestId(std::string(kRequestIdMax + 1, 'a')));
  EXPECT_TRUE(IsTraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(IsTraceParent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(IsTraceParent("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(IsTraceParent("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
}

TEST(Problem, IsOneDocumentForOldAndNewClients) {
  Reply reply;
  WriteProblem({.code = "QUOTA_EXCEEDED", .detail = "5 of 5 \"runs\"."},
               {.type_base = "https://reeve.example", .instance = "/api/v1/pipeline-runs", .request_id = "r1", .accept = "", .now = 1'794'744'000 * kSecond}, &reply);
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.fields, "Content-Type: application/problem+json\r\n");
  EXPECT_EQ(reply.body,
            R"({"type":"https://reeve.example/errors/QUOTA_EXCEEDED","title":"Monthly quota exceeded","status":429,"detail":"5 of 5 \"runs\".",)"
            R"("instance":"/api/v1/pipeline-runs","error_code":"QUOTA_EXCEEDED","timestamp":"2026-11-15T12:00:00Z","request_id":"r1"})"
            "\n");
}

TEST(Problem, LeavesOutAnInstanceThatIsNoPlainPath) {
  Reply reply;
  WriteProblem({.code = "RESOURCE_NOT_FOUND"}, {.type_base = "", .instance = "/\xff", .request_id = "r", .accept = "application/json", .now = 0}, &reply);
  EXPECT_EQ(reply.body.find("instance"), std::string::npos);
  EXPECT_EQ(reply.fields, "Content-Type: application/json\r\n");
}

TEST(Problem, IsSentAsWhatTheClientAccepts) {
  for (const std::string_view accept : {"", "*/*", "application/*", "text/html, application/problem+json;q=0.5", "text/html, */*;q=0.1"}) EXPECT_TRUE(AcceptsProblem(accept)) << accept;
  for (const std::string_view accept : {"application/json", "text/html", "*/*;q=0", "application/problem+xml"}) EXPECT_FALSE(AcceptsProblem(accept)) << accept;
}

TEST(ErrorCodes, CoverTheOutcomesAndResultsOfTheGate) {
  for (const domain::Outcome outcome : domain::kOutcomes) {
    if (outcome == domain::Outcome::kAllowed) continue;
    EXPECT_EQ(ErrorInfoOf(domain::ErrorCode(outcome)).status, domain::HttpStatus(outcome)) << domain::OutcomeName(outcome);
  }
  for (int i = 0; i <= static_cast<int>(gate::RunResult::kInDoubt); ++i) {
    const auto result = static_cast<gate::RunResult>(i);
    if (gate::ErrorCode(result).empty()) continue;
    EXPECT_EQ(ErrorInfoOf(gate::ErrorCode(result)).status, gate::HttpStatus(result)) << i;
  }
  for (const ErrorInfo& info : ErrorInfos()) EXPECT_FALSE(StatusLine(info.status).empty());
}

TEST(GatewayDoor, ReadsWhatTheOperatorWrote) {
  const struct {
    std::string_view path, scope;
    int cost;
    DoorProfile profile;
    std::string_view original;
  } cases[] = {
      {"/authz", "", 1, DoorProfile::kPlain, ""},
      {"/authz/scope/pipelines:write", "pipelines:write", 1, DoorProfile::kPlain, ""},
      {"/authz/cost/0", "", 0, DoorProfile::kPlain, ""},
      {"/authz/scope/a:b/cost/1000", "a:b", 1000, DoorProfile::kPlain, ""},
      {"/authz/nginx", "", 1, DoorProfile::kNginx, ""},
      {"/authz/scope/a/cost/2/nginx", "a", 2, DoorProfile::kNginx, ""},
      {"/authz/nginx/denied", "", 1, DoorProfile::kNginxDenied, ""},
      {"/authz/envoy", "", 1, DoorProfile::kEnvoy, ""},
      {"/authz/envoy/v1/customers/1", "", 1, DoorProfile::kEnvoy, "/v1/customers/1"},
      {"/authz/scope/a/envoy/x", "a", 1, DoorProfile::kEnvoy, "/x"},
      // What a client writes behind the operator's prefix means nothing.
      {"/authz/envoy/scope/admin:*/cost/0", "", 1, DoorProfile::kEnvoy, "/scope/admin:*/cost/0"},
      {"/authz/envoy/../nginx/denied", "", 1, DoorProfile::kEnvoy, "/../nginx/denied"},
  };
  for (const auto& each : cases) {
    const auto door = ReadGatewayDoor(each.path);
    ASSERT_TRUE(door.has_value()) << each.path;
    EXPECT_EQ(door->scope, each.scope) << each.path;
    EXPECT_EQ(door->cost, each.cost) << each.path;
    EXPECT_EQ(door->profile, each.profile) << each.path;
    EXPECT_EQ(door->original, each.original) << each.path;
  }
  for (const std::string_view path : {"/authz/", "/authz/x", "/authz/scope", "/authz/scope/", "/authz/scope/a b", "/authz/scope/a%3Ab", "/authz/cost/", "/authz/cost/1001",
                                      "/authz/cost/-1", "/authz/cost/1x", "/authz/nginx/", "/authz/nginx/x", "/authz/nginx/denied/x", "/authz/cost/1/scope/a", "/authz/envoyx",
                                      "/authz//envoy"})
    EXPECT_FALSE(ReadGatewayDoor(path).has_value()) << path;
}

TEST(GatewayDoor, IsBelowItsOwnPathOnly) {
  EXPECT_TRUE(IsGatewayPath("/authz"));
  EXPECT_TRUE(IsGatewayPath("/authz/anything"));
  EXPECT_FALSE(IsGatewayPath("/authzx"));
  EXPECT_FALSE(IsGatewayPath("/api/v1/authorize"));
}

Denial SomeDenial() {
  return {{domain::Outcome::kMonthlyQuota, 5000, 5000, 86400}, domain::RateFacts{300, 12, 17, 60}, "pipelines:write.x", "0190c0de-0000-7000-8000-000000000000"};
}

TEST(DenialToken, CarriesADecisionUnchanged) {
  const Denial denial = SomeDenial();
  const Micros now = 1'794'744'000'123'456;
  const std::string token = WriteDenialToken(denial, "key", now);
  EXPECT_LE(token.size(), kDenialTokenMax);
  const auto read = ReadDenialToken(token, "key", now + kDenialLife - kSecond);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->decision, denial.decision);
  EXPECT_EQ(read->rate, denial.rate);
  EXPECT_EQ(read->scope, denial.scope);
  EXPECT_EQ(read->decision_id, denial.decision_id);
  const Denial bare = {{domain::Outcome::kUnknownKey, 0, std::nullopt, 0}, std::nullopt, "", "id"};
  const auto again = ReadDenialToken(WriteDenialToken(bare, "key", now), "key", now);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->decision, bare.decision);
  EXPECT_FALSE(again->rate.has_value());
  EXPECT_EQ(again->scope, "");
}

TEST(DenialToken, IsWorthNothingWhenOldForeignOrChanged) {
  const Micros now = 1'794'744'000 * kSecond;
  const std::string token = WriteDenialToken(SomeDenial(), "key", now);
  EXPECT_FALSE(ReadDenialToken(token, "key", now + kDenialLife + kSecond).has_value());
  EXPECT_FALSE(ReadDenialToken(token, "key", now - kDenialLife - kSecond).has_value());
  EXPECT_FALSE(ReadDenialToken(token, "another key", now).has_value());
  EXPECT_FALSE(ReadDenialToken("", "key", now).has_value());
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_FALSE(ReadDenialToken(changed, "key", now).has_value()) << i;
    EXPECT_FALSE(ReadDenialToken(token.substr(0, i), "key", now).has_value()) << i;
  }
}

TEST(Credentials, AKeyIsShownOnce) {
  Request request;
  EXPECT_EQ(KeyShown(request), "");
  request.authorization = "bearer  k1";
  request.authorizations = 1;
  EXPECT_EQ(KeyShown(request), "k1");
  request.api_key = "k2";
  request.api_keys = 1;
  EXPECT_EQ(KeyShown(request), "k2") << "the platform's own field, whatever Authorization is for";
  request.api_keys = 2;
  EXPECT_EQ(KeyShown(request), "");
  request.api_keys = 0;
  request.authorizations = 2;
  EXPECT_EQ(KeyShown(request), "");
  for (const std::string_view other : {"Basic abc", "Bearer", "Bearer ", "Bearerk1", ""}) EXPECT_EQ(BearerOf(other), "") << other;
}

TEST(AdminTokens, KnowATokenByItsDigestOnly) {
  const std::string digest = crypto::Sha256Hex("secret"), other = crypto::Sha256Hex("older");
  const auto tokens = AdminTokens::Parse("# who\n\nsha256:" + digest + " ops\r\nsha256:" + other + "\n", "tokens");
  ASSERT_TRUE(tokens.has_value()) << tokens.error().message;
  EXPECT_EQ(tokens->Find("secret"), "ops");
  EXPECT_EQ(tokens->Find("older"), "admin");
  EXPECT_EQ(tokens->Find(digest), "");
  EXPECT_EQ(tokens->Find(""), "");
  for (const std::string& text : std::vector<std::string>{"secret\n", "sha256:abc", "sha256:" + digest + " a b", digest, "# nothing\n", ""}) {
    const auto refused = AdminTokens::Parse(text, "tokens");
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().code, Code::kUsage);
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos) << "a token is never repeated";
  }
}

TEST(Endpoint, IsAnAddressAndAPort) {
  const struct {
    std::string_view text, whole;
    bool loopback;
  } cases[] = {{"127.0.0.1:8080", "127.0.0.1:8080", true}, {"[::1]:80", "[::1]:80", true}, {"localhost:0", "127.0.0.1:0", true}, {":9000", "0.0.0.0:9000", false},
               {"10.0.0.1:1", "10.0.0.1:1", false},        {"127.9.9.9:1", "127.9.9.9:1", true}};
  for (const auto& each : cases) {
    const auto endpoint = ParseEndpoint(each.text);
    ASSERT_TRUE(endpoint.has_value()) << each.text;
    EXPECT_EQ(EndpointText(*endpoint), each.whole);
    EXPECT_EQ(IsLoopback(*endpoint), each.loopback);
  }
  for (const std::string_view text : {"", "8080", "a:b", "127.0.0.1:", "127.0.0.1:65536", "example.com:80", "127.0.0.1:-1"}) EXPECT_FALSE(ParseEndpoint(text).has_value()) << text;
}

TEST(MetricsText, NamesEverythingAndNobody) {
  gate::MetricsSnapshot gate;
  gate.decisions[domain::OutcomeIndex(domain::Outcome::kRevokedKey)] = 3;
  gate.authentication.bounds = gate::kDecisionBoundsNs;
  gate.authentication.count[1] = 2;
  gate.authentication.count[10] = 1;
  gate.authentication.sum = 3000;
  gate.live_leases = 7;
  HttpMetrics http;
  http.CountAnswer(static_cast<size_t>(Operation::kReserveRun), 201);
  const std::string text = MetricsText(gate, http, {.cpu_seconds = 1, .resident_bytes = 2, .start_time_seconds = 3, .ready = true, .draining = false});
  for (const std::string_view line : {"reeve_decisions_total{outcome=\"revoked_key\",code=\"INVALID_API_KEY\"} 3", "# TYPE reeve_authentication_seconds histogram",
                                      "reeve_authentication_seconds_count 3", "reeve_leases 7", "reeve_http_requests_total{operation=\"reserveRun\",status=\"201\"} 1",
                                      "reeve_ready 1", "process_resident_memory_bytes 2"})
    EXPECT_NE(text.find(std::string(line) + "\n"), std::string::npos) << line << "\n" << text;
  EXPECT_NE(text.find("reeve_authentication_seconds_bucket{le=\"+Inf\"} 3"), std::string::npos) << text;
  EXPECT_EQ(text.find("customer_id"), std::string::npos);
}

}  // namespace
}  // namespace reeve::api
