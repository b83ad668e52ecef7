// The service behind an exchange, in front of a fake gate: what goes in and comes out, byte for byte where it matters.
#include "api/service.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstring>
#include <future>

#include "api/denial_token.h"
#include "crypto/sha256.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_gate.h"

namespace reeve::api {
namespace {

using testing::FakeGate;

struct Answered {
  int status = 0;
  std::string head;
  std::string body;
  [[nodiscard]] std::string Field(std::string_view name) const {
    const size_t at = head.find(fmt::format("\r\n{}: ", name));
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  [[nodiscard]] boost::json::object Json() const { return boost::json::parse(body).as_object(); }
  [[nodiscard]] std::string Code() const { return std::string(Json().at("error_code").as_string()); }
};

class ServiceTest : public ::testing::Test, public Handler, public Outbox {
 protected:
  void SetUp() override {
    AdminTokens admins;
    admins.Add("root-token", "ops");
    shared_ = std::make_unique<Shared>(gate_, clock_, *entropy_, *files_, ServiceOptions{.public_url = "", .admins = admins, .over_tls = false});
    service_ = std::make_unique<Service>(*shared_, *this);
    gate_.keys["good"] = {"cust_1", "acme", "professional", "key_1", "pipelines:read pipelines:write", {}, domain::RateFacts{300, 42, 17, 60}};
  }

  // Handler and Outbox: one connection, whose answers come at once.
  bool IsGatewayDoor(std::string_view path) override { return service_->IsGatewayDoor(path); }
  BodyPlan PlanBody(const Request& request) override { return service_->PlanBody(request, {0, 0, admin_door_}); }
  Handler::Answer Handle(const Request& request, Ticket ticket, Reply* reply) override { return service_->Handle(request, {0, ticket, admin_door_}, reply); }
  void Refuse(Fault fault, const Request& request, Reply* reply) override { service_->Refuse(fault, request, reply); }
  void Post(uint64_t, Ticket ticket, std::function<void(Reply*)> write) override { late_.set_value({ticket, std::move(write)}); }

  Answered Ask(std::string_view method, std::string_view target, std::string_view fields = "", std::string_view body = "") {
    const std::string length = body.empty() && (method == "GET" || method == "HEAD") ? "" : fmt::format("Content-Length: {}\r\nContent-Type: application/json\r\n", body.size());
    return Send(fmt::format("{} {} HTTP/1.1\r\nHost: a\r\n{}{}\r\n{}", method, target, fields, length, body));
  }
  Answered Send(std::string_view bytes) {
    Limits limits;
    Exchange exchange(*this, limits, nullptr, 0);
    const auto space = exchange.Space();
    std::memcpy(space.data(), bytes.data(), bytes.size());
    late_ = {};
    auto late = late_.get_future();
    exchange.Received(bytes.size(), 0);
    if (exchange.want() == Exchange::Want::kAnswer) {
      // The gate's writer is another thread.
      std::async(std::launch::async, [this, &late] {
        while (late.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) gate_.Complete();
      }).wait();
      const auto [ticket, write] = late.get();
      Reply reply;
      write(&reply);
      EXPECT_TRUE(exchange.Finish(ticket, reply, 0));
    }
    const std::string output(exchange.output());
    Answered answered;
    const size_t end = output.find("\r\n\r\n");
    EXPECT_NE(end, std::string::npos) << output;
    answered.head = output.substr(0, end + 2);
    answered.body = output.substr(end + 4);
    answered.status = std::stoi(output.substr(9, 3));
    return answered;
  }
  Answered Reserve(std::string_view run, std::string_view key = "good") {
    return Ask("POST", "/api/v1/pipeline-runs", fmt::format("X-API-Key: {}\r\n", key), fmt::format(R"({{"run_id":"{}","pipeline_id":"p","ttl_seconds":60}})", run));
  }
  void Say(domain::Outcome outcome, int64_t used = 0, std::optional<int64_t> limit = {}, int64_t retry = 0) {
    gate_.keys["good"].decision = {outcome, used, limit, retry};
  }

  FakeGate gate_;
  testing::FakeClock clock_;
  std::unique_ptr<Entropy> entropy_ = MakeSeededEntropy(7);
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Service> service_;
  std::promise<std::pair<Ticket, std::function<void(Reply*)>>> late_;
  bool admin_door_ = true;
};

constexpr std::string_view kGood = "X-API-Key: good\r\n";

TEST_F(ServiceTest, AGatewayLearnsWhoItIsFromTheHead) {
  const Answered answer = Ask("GET", "/authz/scope/pipelines:write/cost/5", kGood);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Field("X-Customer-Id"), "cust_1");
  EXPECT_EQ(answer.Field("X-Tenant-Id"), "acme");
  EXPECT_EQ(answer.Field("X-Plan"), "professional");
  EXPECT_EQ(answer.Field("X-Key-Id"), "key_1");
  EXPECT_EQ(answer.Field("X-Scopes"), "pipelines:read,pipelines:write");
  EXPECT_EQ(answer.Field("RateLimit-Policy"), "\"minute\";q=300;w=60");
  EXPECT_EQ(answer.Field("RateLimit"), "\"minute\";r=42;t=17");
  EXPECT_EQ(answer.Field("Content-Length"), "0");
  EXPECT_EQ(answer.Field("X-Request-Id"), answer.Field("X-Authz-Decision-Id"));
  EXPECT_EQ(gate_.last_scope, "pipelines:write");
  EXPECT_EQ(gate_.last_cost, 5);
}

TEST_F(ServiceTest, IdentityNeverIsEmptyNorSteersAHead) {
  gate_.keys["good"] = {"cust_1", "", "my plan\r\nX-Evil: 1", "", "", {}, {}};
  const Answered answer = Ask("GET", "/authz", kGood);
  EXPECT_EQ(answer.Field("X-Tenant-Id"), "none");
  EXPECT_EQ(answer.Field("X-Key-Id"), "none");
  EXPECT_EQ(answer.Field("X-Scopes"), "none");
  EXPECT_EQ(answer.Field("X-Plan"), "my%20plan%0D%0AX-Evil:%201");
  EXPECT_EQ(answer.head.find("RateLimit"), std::string::npos);
}

TEST_F(ServiceTest, TheQueryOfAGatewayMeansNothing) {
  EXPECT_EQ(Ask("GET", "/authz/cost/5?cost=0&scope=x&key=good&/authz/cost/0", kGood).status, 200);
  EXPECT_EQ(gate_.last_cost, 5);
  EXPECT_EQ(gate_.last_scope, "");
}

TEST_F(ServiceTest, AGatewayMayAskByAnyMethod) {
  for (const std::string_view method : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"}) EXPECT_EQ(Ask(method, "/authz", kGood).status, 200) << method;
}

TEST_F(ServiceTest, AnEnvoyPathReachesNothingButTheDoor) {
  EXPECT_EQ(Ask("DELETE", "/authz/envoy/api/v1/customers/cust_1/suspend?x=y", kGood).status, 200);
  EXPECT_TRUE(gate_.changes.empty());
}

TEST_F(ServiceTest, EveryDenialOfTheLadderHasItsStatusAndFields) {
  const struct {
    domain::Outcome outcome;
    int status;
    std::string_view code, retry;
  } cases[] = {
      {domain::Outcome::kUnknownKey, 401, "INVALID_API_KEY", ""},
      {domain::Outcome::kRevokedKey, 401, "INVALID_API_KEY", ""},
      {domain::Outcome::kExpiredKey, 401, "INVALID_API_KEY", ""},
      {domain::Outcome::kCustomerSuspended, 403, "CUSTOMER_SUSPENDED", ""},
      {domain::Outcome::kCustomerCancelled, 403, "CUSTOMER_SUSPENDED", ""},
      {domain::Outcome::kSubscriptionInactive, 403, "SUBSCRIPTION_INACTIVE", ""},
      {domain::Outcome::kScopeMissing, 403, "INSUFFICIENT_SCOPE", ""},
      {domain::Outcome::kRateLimited, 429, "RATE_LIMIT_EXCEEDED", "7"},
      {domain::Outcome::kStoreUnavailable, 503, "STORE_UNAVAILABLE", "7"},
  };
  for (const auto& each : cases) {
    Say(each.outcome, 1, 2, each.retry.empty() ? 0 : 7);
    for (const std::string_view target : {"/authz", "/api/v1/authorize"}) {
      const Answered answer = Ask(target == "/authz" ? "GET" : "POST", target, kGood, target == "/authz" ? "" : "{}");
      EXPECT_EQ(answer.status, each.status) << target << ' ' << each.code;
      EXPECT_EQ(answer.Code(), each.code);
      EXPECT_EQ(answer.Field("Retry-After"), each.retry);
      EXPECT_EQ(answer.Field("WWW-Authenticate").empty(), each.status != 401);
      EXPECT_EQ(answer.Field("Content-Type"), "application/problem+json");
      EXPECT_EQ(answer.head.find("X-Customer-Id"), std::string::npos);
    }
    // nginx lets 401 and 403 through and takes everything else for a fault of ours.
    const Answered first = Ask("GET", "/authz/scope/a:b/nginx", kGood);
    EXPECT_EQ(first.status, each.status == 429 ? 403 : each.status);
    EXPECT_EQ(first.Field("X-Authz-Status"), std::to_string(each.status));
    const Answered replay = Ask("GET", "/authz/nginx/denied", fmt::format("X-Authz-Denial: {}\r\n", first.Field("X-Authz-Denial")));
    EXPECT_EQ(replay.status, each.status);
    EXPECT_EQ(replay.Code(), each.code);
    EXPECT_EQ(replay.Field("Retry-After"), each.retry);
    EXPECT_EQ(replay.Field("WWW-Authenticate"), "") << "nginx adds its own";
    EXPECT_EQ(std::string(replay.Json().at("request_id").as_string()), first.Field("X-Authz-Decision-Id"));
  }
}

TEST_F(ServiceTest, AReplayDecidesNothing) {
  Say(domain::Outcome::kScopeMissing);
  const std::string token = Ask("GET", "/authz/nginx", kGood).Field("X-Authz-Denial");
  gate_.last_cost = -1;
  EXPECT_EQ(Ask("GET", "/authz/nginx/denied", fmt::format("X-Authz-Denial: {}\r\nX-API-Key: good\r\n", token)).status, 403);
  EXPECT_EQ(gate_.last_cost, -1);
  const Answered forged = Ask("GET", "/authz/nginx/denied", "X-Authz-Denial: 1.2.3\r\n");
  EXPECT_EQ(forged.status, 403);
  EXPECT_EQ(forged.Code(), "ACCESS_DENIED");
}

TEST_F(ServiceTest, ADenialNamesTheClientsPathButNotItsQuery) {
  const auto instance = [&](std::string_view target, std::string_view fields) { return std::string(Ask("GET", target, fields).Json().at("instance").as_string()); };
  EXPECT_EQ(instance("/authz", "X-Forwarded-Uri: /things?token=secret\r\nX-Original-URI: /other\r\n"), "/things");
  EXPECT_EQ(instance("/authz", "X-Original-URI: /other?x\r\n"), "/other");
  EXPECT_EQ(instance("/authz/envoy/v1/things?x=y", ""), "/v1/things");
  EXPECT_EQ(instance("/authz", "X-Forwarded-Uri: http://evil/\r\n"), "/authz");
}

TEST_F(ServiceTest, AuthorizeTellsAnApplicationWhoAndHowMuch) {
  gate_.keys["good"].decision = {domain::Outcome::kAllowed, 10, 5000, 0};
  const Answered answer = Ask("POST", "/api/v1/authorize", kGood, R"({"scope":"pipelines:write","cost":2,"run":true})");
  EXPECT_EQ(answer.status, 200);
  const auto json = answer.Json();
  EXPECT_EQ(json.at("allowed"), true);
  EXPECT_EQ(json.at("customer_id"), "cust_1");
  EXPECT_EQ(json.at("scopes").as_array().size(), 2U);
  EXPECT_EQ(json.at("rate").at("remaining"), 42);
  EXPECT_EQ(json.at("runs").at("remaining"), 4990);
  EXPECT_EQ(answer.Field("X-RateLimit-Limit"), "300");
  EXPECT_EQ(answer.Field("X-RateLimit-Remaining"), "42");
  EXPECT_EQ(answer.Field("X-RateLimit-Reset"), "17");
  EXPECT_EQ(answer.Field("RateLimit"), "\"minute\";r=42;t=17");
  EXPECT_EQ(Ask("POST", "/api/v1/authorize", "Authorization: Bearer good\r\n").status, 200) << "no body is no request for a scope";
}

TEST_F(ServiceTest, ReservingTwiceIsOneRun) {
  const Answered first = Reserve("r1");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(first.Json().at("state"), "reserved");
  EXPECT_EQ(first.Field("Idempotent-Replayed"), "");
  const Answered again = Reserve("r1");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.Field("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.body, first.body);
  const Answered other = Ask("POST", "/api/v1/pipeline-runs", kGood, R"({"run_id":"r1","pipeline_id":"q"})");
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.Code(), "IDEMPOTENCY_CONFLICT");
}

TEST_F(ServiceTest, ARunIsLookedAtAndEnded) {
  const auto fence = Reserve("r 1").Json().at("fence").as_int64();
  EXPECT_EQ(Ask("GET", "/api/v1/pipeline-runs/r%201", kGood).Json().at("run_id"), "r 1");
  EXPECT_EQ(Ask("POST", "/api/v1/pipeline-runs/r%201/heartbeat", kGood, fmt::format(R"({{"fence":{}}})", fence)).status, 200);
  const Answered stale = Ask("POST", "/api/v1/pipeline-runs/r%201/complete", kGood, fmt::format(R"({{"fence":{}}})", fence + 1));
  EXPECT_EQ(stale.status, 409);
  EXPECT_EQ(stale.Code(), "STALE_FENCE");
  const Answered done = Ask("POST", "/api/v1/pipeline-runs/r%201/complete", kGood, fmt::format(R"({{"fence":{},"outcome":"failed","compute_ms":1500}})", fence));
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.Json().at("outcome"), "failed");
  EXPECT_EQ(done.Json().at("compute_ms"), 1500);
}

TEST_F(ServiceTest, ARefusedRunSaysWhyAndUntilWhen) {
  gate_.quota = {domain::Outcome::kMonthlyQuota, 5000, 5000, 3600};
  const Answered answer = Reserve("r1");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.Code(), "QUOTA_EXCEEDED");
  EXPECT_EQ(answer.Field("Retry-After"), "3600");
  EXPECT_EQ(answer.Json().at("detail"), "5000 of 5000 runs of this month are used.");
}

TEST_F(ServiceTest, AnotherCustomersRunIsLikeNone) {
  gate_.keys["other"] = {"cust_2", "globex", "starter", "key_2", "pipelines:write", {}, {}};
  Reserve("r1");
  const Answered foreign = Ask("GET", "/api/v1/pipeline-runs/r1", "X-API-Key: other\r\nX-Request-Id: same\r\n");
  const Answered unknown = Ask("GET", "/api/v1/pipeline-runs/rX", "X-API-Key: other\r\nX-Request-Id: same\r\n");
  EXPECT_EQ(foreign.status, 404);
  std::string body = foreign.body;
  body.replace(body.find("runs/r1"), 7, "runs/rX");
  EXPECT_EQ(body, unknown.body);
  EXPECT_EQ(foreign.head, unknown.head);
}

TEST_F(ServiceTest, WhatIsWrongWithABodyIsToldBeforeAnyWork) {
  const Answered answer = Ask("POST", "/api/v1/pipeline-runs", kGood, R"({"run_id":"","x":1})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.Code(), "INVALID_REQUEST");
  const auto errors = answer.Json().at("errors").as_array();
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].at("loc").as_array()[1], "run_id");
  EXPECT_EQ(errors[1].at("type"), "unknown");
  EXPECT_EQ(gate_.waiting(), 0U);
  const Answered text = Send("POST /api/v1/authorize HTTP/1.1\r\nHost: a\r\nX-API-Key: good\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(text.status, 415);
}

TEST_F(ServiceTest, WithoutAKeyNothingIsRead) {
  for (const std::string_view target : {"/api/v1/authorize", "/api/v1/pipeline-runs", "/api/v1/pipeline-runs/r/complete"}) {
    const Answered answer = Ask("POST", target, "", "not json");
    EXPECT_EQ(answer.status, 401) << target;
    EXPECT_EQ(answer.Code(), "INVALID_API_KEY");
  }
  EXPECT_EQ(Ask("GET", "/authz", "X-API-Key: good\r\nX-API-Key: good\r\n").status, 401) << "two keys are none";
}

TEST_F(ServiceTest, ASecretInTheAddressIsRefusedAndSaidToBeOut) {
  const Answered answer = Ask("POST", "/api/v1/authorize?api_key=good", kGood, "{}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("revoke it"), std::string::npos);
  EXPECT_EQ(answer.body.find("good"), std::string::npos);
  EXPECT_EQ(Ask("GET", "/livez?x=1").status, 400);
}

TEST_F(ServiceTest, RequestIdsAndTracesOfCallersAreKept) {
  constexpr std::string_view kTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const Answered kept = Ask("GET", "/livez", fmt::format("X-Request-Id: mine-1\r\ntraceparent: {}\r\n", kTrace));
  EXPECT_EQ(kept.Field("X-Request-Id"), "mine-1");
  EXPECT_EQ(kept.Field("traceparent"), kTrace);
  const Answered made = Ask("GET", "/livez", "X-Request-Id: not/mine\r\ntraceparent: x\r\n");
  EXPECT_EQ(made.Field("X-Request-Id").size(), 36U);
  EXPECT_EQ(made.Field("traceparent"), "");
  EXPECT_EQ(made.Field("Server"), "") << "no banner";
}

TEST_F(ServiceTest, UnknownAddressesAndMethods) {
  EXPECT_EQ(Ask("GET", "/nowhere").Code(), "RESOURCE_NOT_FOUND");
  const Answered wrong = Ask("DELETE", "/api/v1/authorize", kGood);
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.Field("Allow"), "POST");
  EXPECT_EQ(Ask("TRACE", "/livez").status, 405);
  EXPECT_EQ(Ask("GET", "/authz/nowhere", kGood).status, 404);
}

TEST_F(ServiceTest, AnAdministratorNeedsATokenAndTheRightDoor) {
  const std::string_view suspend = "/api/v1/customers/cust_1/suspend";
  EXPECT_EQ(Ask("POST", suspend, "", R"({"reason":"payment_failed"})").Code(), "INVALID_ADMIN_TOKEN");
  EXPECT_EQ(Ask("POST", suspend, "Authorization: Bearer wrong\r\n", R"({"reason":"payment_failed"})").status, 401);
  EXPECT_EQ(Ask("POST", suspend, "X-API-Key: good\r\n", R"({"reason":"payment_failed"})").status, 401);
  admin_door_ = false;
  EXPECT_EQ(Ask("POST", suspend, "Authorization: Bearer root-token\r\n", R"({"reason":"payment_failed"})").status, 404);
  EXPECT_EQ(Ask("GET", "/metrics").status, 404);
  EXPECT_TRUE(gate_.changes.empty());
}

TEST_F(ServiceTest, AdministratorsChangeCustomersAndKeys) {
  constexpr std::string_view kAdmin = "Authorization: Bearer root-token\r\n";
  const Answered suspended = Ask("POST", "/api/v1/customers/cust_1/suspend", kAdmin, R"({"reason":"payment_failed","note":"n"})");
  EXPECT_EQ(suspended.status, 200) << suspended.body;
  EXPECT_EQ(suspended.Json().at("status"), "suspended");
  EXPECT_EQ(suspended.Json().at("changed"), true);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/cust_1/activate", kAdmin).status, 200);
  EXPECT_EQ(Ask("PATCH", "/api/v1/customers/cust_1/subscription", kAdmin,
                R"({"monthly_pipeline_quota":null,"concurrent_pipeline_quota":3,"storage_quota_gb":5})")
                .Json()
                .at("concurrent_pipeline_quota"),
            3);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/cust_1/api-keys/key_1/revoke", kAdmin).Json().at("is_active"), false);
  EXPECT_EQ(gate_.changes, (std::vector<std::string>{"cust_1 suspended by admin:ops", "cust_1 active by admin:ops", "cust_1 quotas by admin:ops", "revoke key_1 by admin:ops"}));
  EXPECT_EQ(Ask("POST", "/api/v1/customers/nobody/activate", kAdmin).status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/cust_1/api-keys/nothing/revoke", kAdmin).status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/admin/clock/confirm", kAdmin).Json().at("changed"), false);
}

TEST_F(ServiceTest, ACustomerIsKnownByItsTenantToo) {
  gate_.keys["good"].customer_id = crypto::DeterministicId("cust_", "customer", {"acme"});
  EXPECT_EQ(Ask("POST", "/api/v1/customers/acme/activate", "Authorization: Bearer root-token\r\n").status, 200);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/acme/api-keys/key_1/revoke", "Authorization: Bearer root-token\r\n").status, 200);
}

TEST_F(ServiceTest, HealthSaysLivingServingAndWhyNot) {
  EXPECT_EQ(Ask("GET", "/livez").status, 200);
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  EXPECT_EQ(Ask("GET", "/healthz").body, "ok\n");
  gate_.readiness = {false, "store does not answer"};
  EXPECT_EQ(Ask("GET", "/livez").status, 200);
  const Answered not_ready = Ask("GET", "/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(not_ready.Field("Retry-After"), "1");
  EXPECT_EQ(Ask("GET", "/readyz?verbose").body, "[-] gate: store does not answer\n[+] not draining\n");
  gate_.readiness = {true, {}};
  shared_->draining = true;
  EXPECT_EQ(Ask("GET", "/readyz").status, 503);
}

TEST_F(ServiceTest, EveryCodeHasItsPage) {
  const Answered page = Ask("GET", "/errors/quota_exceeded");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("QUOTA_EXCEEDED\nHTTP 429"), std::string::npos);
  EXPECT_EQ(Ask("GET", "/errors/NOTHING").status, 404);
  EXPECT_EQ(Ask("HEAD", "/openapi.json").body, "");
  EXPECT_TRUE(Ask("GET", "/").body.starts_with("reeve keeps"));
}

TEST_F(ServiceTest, WhatCannotBeReadIsAnsweredAsAProblemToo) {
  const Answered answer = Send("GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.Code(), "INVALID_REQUEST");
  EXPECT_EQ(answer.Field("Connection"), "close");
  EXPECT_EQ(Send("GET /livez HTTP/2.0\r\nHost: a\r\n\r\n").status, 505);
}

TEST_F(ServiceTest, AnswersAreCounted) {
  Ask("GET", "/livez");
  Ask("GET", "/nowhere");
  Ask("GET", "/authz", kGood);
  Reserve("r1");
  const std::string text = Ask("GET", "/metrics").body;
  for (const std::string_view line : {R"(reeve_http_requests_total{operation="live",status="200"} 1)", R"(reeve_http_requests_total{operation="none",status="404"} 1)",
                                      R"(reeve_http_requests_total{operation="gateway",status="200"} 1)", R"(reeve_http_requests_total{operation="reserveRun",status="201"} 1)"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

}  // namespace
}  // namespace reeve::api
