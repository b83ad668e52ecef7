// The service behind an exchange, in front of a gate over the memory store: what goes in and comes out, byte for byte where it matters.
#include "api/service.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstring>
#include <future>

#include "api/denial_token.h"
#include "gate/gate_testing.h"

namespace reeve::api {
namespace {

using gate::kNoon;

// Keys are named after what is special about them.
std::vector<gate::SeedCustomer> Platform() {
  return {{.tenant = "acme",
           .plan = "three hundred",
           .quotas = {5000, 15, std::nullopt},
           .keys = {{.text = "good"},
                    {.text = "reader", .scopes = R"(["usage:read"])"},
                    {.text = "revoked", .active = false},
                    {.text = "expired", .expires_at = kNoon - 1}}},
          {.tenant = "globex", .keys = {{.text = "other"}}},
          {.tenant = "evil", .plan = "my plan\r\nX-Evil: 1", .keys = {{.text = "evil", .scopes = "-"}}},
          {.tenant = "slow", .plan = "two", .keys = {{.text = "slow"}}},
          {.tenant = "sleeping", .status = "suspended", .keys = {{.text = "of sleeping"}}},
          {.tenant = "gone", .status = "cancelled", .keys = {{.text = "of gone"}}},
          {.tenant = "free", .subscribed = false, .keys = {{.text = "of free"}}},
          {.tenant = "used", .quotas = {10, 5, std::nullopt}, .keys = {{.text = "used"}}, .runs = 10}};
}

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
    world_.options.rates = {{{"three hundred", {300, 60 * kSecond}, {20'000, kHour}}, {"two", {2, 60 * kSecond}, {100, kHour}}}, "three hundred"};
    gate_ = world_.Open();
    AdminTokens admins;
    admins.Add("root-token", "ops");
    shared_ = std::make_unique<Shared>(*gate_, world_.clock, *entropy_, *files_, ServiceOptions{.public_url = "", .admins = admins, .over_tls = false});
    service_ = std::make_unique<Service>(*shared_, *this);
  }
  void TearDown() override { gate_->Drain(); }

  // Handler and Outbox: one connection at a time.
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
    if (service_->HasQuestions()) {
      service_->AnswerGateways([&](const Caller& caller, const Reply& reply) { EXPECT_TRUE(exchange.Finish(caller.ticket, reply, 0)); });
    } else if (exchange.want() == Exchange::Want::kAnswer) {
      const auto [ticket, write] = late.get();  // from the gate's writer
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
  uint64_t Decisions() {
    uint64_t all = 0;
    for (const uint64_t count : gate_->Metrics().decisions) all += count;
    return all;
  }
  // The gate's medium fails, and with it the gate.
  void Poison() {
    world_.faults.fail_commit = world_.faults.commits.load();
    Reserve("the last");
  }

  gate::World world_{Platform()};
  std::unique_ptr<gate::Gate> gate_;
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
  EXPECT_EQ(answer.Field("X-Customer-Id"), "cust_acme");
  EXPECT_EQ(answer.Field("X-Tenant-Id"), "acme");
  EXPECT_EQ(answer.Field("X-Plan"), "three%20hundred");
  EXPECT_EQ(answer.Field("X-Key-Id"), "key_of_good");
  EXPECT_EQ(answer.Field("X-Scopes"), "pipelines:read,pipelines:write");
  EXPECT_EQ(answer.Field("RateLimit-Policy"), "\"minute\";q=300;w=60");
  EXPECT_EQ(answer.Field("RateLimit"), "\"minute\";r=295;t=1");
  EXPECT_EQ(answer.Field("Content-Length"), "0");
  EXPECT_EQ(answer.Field("X-Request-Id"), answer.Field("X-Authz-Decision-Id"));
}

TEST_F(ServiceTest, IdentityNeverIsEmptyNorSteersAHead) {
  const Answered answer = Ask("GET", "/authz/cost/0", "X-API-Key: evil\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Field("X-Scopes"), "none");
  EXPECT_EQ(answer.Field("X-Plan"), "my%20plan%0D%0AX-Evil:%201");
  EXPECT_EQ(answer.head.find("RateLimit"), std::string::npos) << "nothing was counted";
}

TEST_F(ServiceTest, TheQueryOfAGatewayMeansNothing) {
  const Answered answer = Ask("GET", "/authz/cost/5?cost=0&scope=x&key=good&/authz/cost/0", kGood);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Field("RateLimit"), "\"minute\";r=295;t=1");
}

TEST_F(ServiceTest, AGatewayMayAskByAnyMethod) {
  for (const std::string_view method : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"}) EXPECT_EQ(Ask(method, "/authz", kGood).status, 200) << method;
}

TEST_F(ServiceTest, AnEnvoyPathReachesNothingButTheDoor) {
  EXPECT_EQ(Ask("DELETE", "/authz/envoy/api/v1/customers/cust_acme/suspend?x=y", kGood).status, 200);
  EXPECT_EQ(Ask("GET", "/authz", kGood).status, 200);
}

TEST_F(ServiceTest, EveryDenialOfTheLadderHasItsStatusAndFields) {
  EXPECT_EQ(Ask("GET", "/authz/cost/2", "X-API-Key: slow\r\n").status, 200) << "all that the plan allows at once";
  const struct {
    std::string_view key;
    int status;
    std::string_view code, retry;
  } cases[] = {
      {"nobody's", 401, "INVALID_API_KEY", ""},       {"revoked", 401, "INVALID_API_KEY", ""},          {"expired", 401, "INVALID_API_KEY", ""},
      {"of sleeping", 403, "CUSTOMER_SUSPENDED", ""}, {"of gone", 403, "CUSTOMER_SUSPENDED", ""},       {"of free", 403, "SUBSCRIPTION_INACTIVE", ""},
      {"reader", 403, "INSUFFICIENT_SCOPE", ""},      {"slow", 429, "RATE_LIMIT_EXCEEDED", "30"},
  };
  for (const auto& each : cases) {
    const std::string key = fmt::format("X-API-Key: {}\r\n", each.key);
    for (const std::string_view target : {"/authz/scope/pipelines:write", "/api/v1/authorize"}) {
      const bool gateway = target != "/api/v1/authorize";
      const Answered answer = Ask(gateway ? "GET" : "POST", target, key, gateway ? "" : R"({"scope":"pipelines:write"})");
      EXPECT_EQ(answer.status, each.status) << target << ' ' << each.key;
      EXPECT_EQ(answer.Code(), each.code);
      EXPECT_EQ(answer.Field("Retry-After"), each.retry);
      EXPECT_EQ(answer.Field("WWW-Authenticate").empty(), each.status != 401);
      EXPECT_EQ(answer.Field("Content-Type"), "application/problem+json");
      EXPECT_EQ(answer.head.find("X-Customer-Id"), std::string::npos);
    }
    // nginx lets 401 and 403 through and takes everything else for a fault of ours.
    const Answered first = Ask("GET", "/authz/scope/pipelines:write/nginx", key);
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

TEST_F(ServiceTest, WhatCannotBeDecidedIsNotLetIn) {
  Poison();
  for (const std::string_view target : {"/authz", "/authz/nginx", "/authz/envoy/x"}) {
    const Answered answer = Ask("GET", target, kGood);
    EXPECT_EQ(answer.status, 503) << target;
    EXPECT_NE(answer.Field("Retry-After"), "");
  }
  const Answered run = Reserve("r");
  EXPECT_EQ(run.status, 503);
  EXPECT_EQ(run.Code(), "STORE_UNAVAILABLE");
  EXPECT_EQ(Ask("GET", "/readyz").status, 503);
  EXPECT_EQ(Ask("GET", "/livez").status, 200);
}

TEST_F(ServiceTest, AReplayDecidesNothing) {
  const std::string token = Ask("GET", "/authz/scope/pipelines:write/nginx", "X-API-Key: reader\r\n").Field("X-Authz-Denial");
  const uint64_t before = Decisions();
  EXPECT_EQ(Ask("GET", "/authz/nginx/denied", fmt::format("X-Authz-Denial: {}\r\nX-API-Key: good\r\n", token)).status, 403);
  EXPECT_EQ(Decisions(), before);
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
  const Answered answer = Ask("POST", "/api/v1/authorize", kGood, R"({"scope":"pipelines:write","cost":2,"run":true})");
  EXPECT_EQ(answer.status, 200);
  const auto json = answer.Json();
  EXPECT_EQ(json.at("allowed"), true);
  EXPECT_EQ(json.at("customer_id"), "cust_acme");
  EXPECT_EQ(json.at("scopes").as_array().size(), 2U);
  EXPECT_EQ(json.at("rate").at("remaining"), 298);
  EXPECT_EQ(json.at("runs").at("remaining"), 5000);
  EXPECT_EQ(answer.Field("X-RateLimit-Limit"), "300");
  EXPECT_EQ(answer.Field("X-RateLimit-Remaining"), "298");
  EXPECT_EQ(answer.Field("X-RateLimit-Reset"), "1");
  EXPECT_EQ(answer.Field("RateLimit"), "\"minute\";r=298;t=1");
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
  const Answered answer = Reserve("r1", "used");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.Code(), "QUOTA_EXCEEDED");
  EXPECT_EQ(answer.Field("Retry-After"), std::to_string((15 * kDay + 12 * kHour) / kSecond)) << "until the month is over";
  EXPECT_EQ(answer.Json().at("detail"), "10 of 10 runs of this month are used.");
  EXPECT_EQ(Reserve("r1", "used").Field("Idempotent-Replayed"), "true");
  const Answered looked = Ask("GET", "/api/v1/pipeline-runs/r1", "X-API-Key: used\r\n");
  EXPECT_EQ(looked.status, 200);
  EXPECT_EQ(looked.Json().at("state"), "refused");
  EXPECT_EQ(looked.Json().at("error_code"), "QUOTA_EXCEEDED");
}

TEST_F(ServiceTest, AnotherCustomersRunIsLikeNone) {
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
  EXPECT_EQ(Decisions(), 0U);
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
  const std::string_view suspend = "/api/v1/customers/cust_acme/suspend";
  EXPECT_EQ(Ask("POST", suspend, "", R"({"reason":"payment_failed"})").Code(), "INVALID_ADMIN_TOKEN");
  EXPECT_EQ(Ask("POST", suspend, "Authorization: Bearer wrong\r\n", R"({"reason":"payment_failed"})").status, 401);
  EXPECT_EQ(Ask("POST", suspend, "X-API-Key: good\r\n", R"({"reason":"payment_failed"})").status, 401);
  admin_door_ = false;
  EXPECT_EQ(Ask("POST", suspend, "Authorization: Bearer root-token\r\n", R"({"reason":"payment_failed"})").status, 404);
  EXPECT_EQ(Ask("GET", "/metrics").status, 404);
  EXPECT_EQ(Ask("GET", "/authz", kGood).status, 200);
}

TEST_F(ServiceTest, AdministratorsChangeCustomersAndKeys) {
  constexpr std::string_view kAdmin = "Authorization: Bearer root-token\r\n";
  const Answered suspended = Ask("POST", "/api/v1/customers/cust_acme/suspend", kAdmin, R"({"reason":"payment_failed","note":"n"})");
  EXPECT_EQ(suspended.status, 200) << suspended.body;
  EXPECT_EQ(suspended.Json().at("status"), "suspended");
  EXPECT_EQ(suspended.Json().at("changed"), true);
  EXPECT_EQ(Ask("GET", "/authz", kGood).status, 403);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/cust_acme/activate", kAdmin).status, 200);
  EXPECT_EQ(Ask("GET", "/authz", kGood).status, 200);
  EXPECT_EQ(Ask("PATCH", "/api/v1/customers/cust_acme/subscription", kAdmin,
                R"({"monthly_pipeline_quota":null,"concurrent_pipeline_quota":3,"storage_quota_gb":5})")
                .Json()
                .at("concurrent_pipeline_quota"),
            3);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/cust_acme/api-keys/key_of_reader/revoke", kAdmin).Json().at("is_active"), false);
  EXPECT_EQ(Ask("GET", "/authz", "X-API-Key: reader\r\n").status, 401);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/cust_acme/api-keys/key_of_reader/revoke", kAdmin).Json().at("changed"), false);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/nobody/activate", kAdmin).status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/customers/cust_acme/api-keys/nothing/revoke", kAdmin).status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/admin/clock/confirm", kAdmin).Json().at("changed"), false);
}

TEST_F(ServiceTest, HealthSaysLivingServingAndWhyNot) {
  EXPECT_EQ(Ask("GET", "/livez").status, 200);
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  EXPECT_EQ(Ask("GET", "/healthz").body, "ok\n");
  EXPECT_EQ(Ask("GET", "/readyz?verbose").body, "[+] gate\n[+] not draining\n");
  shared_->draining = true;
  const Answered draining = Ask("GET", "/readyz");
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(draining.Field("Retry-After"), "1");
  EXPECT_EQ(Ask("GET", "/livez").status, 200);
  shared_->draining = false;
  Poison();
  EXPECT_EQ(Ask("GET", "/readyz?verbose").body, "[-] gate: commit failed\n[+] not draining\n");
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
