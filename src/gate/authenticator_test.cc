#include "gate/authenticator.h"

#include <gtest/gtest.h>

#include <thread>

#include "gate/gate_testing.h"

namespace reeve::gate {
namespace {

using domain::Outcome;

std::vector<SeedCustomer> Platform() {
  return {{.tenant = "acme",
           .quotas = {5'000, 15, 500},
           .keys = {{.text = "good"}, {.text = "reads", .scopes = R"(["pipelines:read"])"}, {.text = "revoked", .active = false},
                    {.text = "expired", .expires_at = kNoon}, {.text = "expires", .expires_at = kNoon + kSecond}, {.text = "unscoped", .scopes = "-"},
                    {.text = "admin", .scopes = R"(["admin:*"])"}, {.text = "revoked and expired", .active = false, .expires_at = 1}},
           .storage_hundredths = 12'34},
          {.tenant = "sus", .status = "suspended", .keys = {{.text = "of suspended"}, {.text = "revoked of suspended", .active = false}}},
          {.tenant = "gone", .status = "cancelled", .keys = {{.text = "of cancelled"}}},
          {.tenant = "odd", .status = "frozen?", .keys = {{.text = "of odd"}}},
          {.tenant = "free", .subscribed = false, .keys = {{.text = "of unsubscribed", .scopes = "-"}}},
          {.tenant = "full", .quotas = {7, 2, 5}, .keys = {{.text = "of full"}}, .storage_hundredths = 4'99, .runs = 7, .running = 3},
          {.tenant = "fat", .quotas = {0, 0, 5}, .keys = {{.text = "of fat"}}, .storage_hundredths = 5'00},
          {.tenant = "zero", .quotas = {std::nullopt, 0, std::nullopt}, .keys = {{.text = "of zero"}}}};
}

TEST(Ladder, EachRefusalInItsPlace) {
  World world(Platform());
  const std::unique_ptr<Gate> gate = world.Open();
  struct Row {
    std::string key;
    Need need;
    Outcome outcome;
    const char* who;  // tenant that is told; empty: nobody is
  };
  const Need write{.scope = "pipelines:write"}, run{.scope = "pipelines:write", .run = true};
  const Row rows[] = {
      {"", write, Outcome::kMalformedKey, ""},
      {std::string(513, 'k'), write, Outcome::kMalformedKey, ""},
      {"good\n", write, Outcome::kMalformedKey, ""},
      {std::string("good\0", 5), write, Outcome::kMalformedKey, ""},
      {"Good", write, Outcome::kUnknownKey, ""},
      {"good ", write, Outcome::kUnknownKey, ""},
      {"revoked", write, Outcome::kRevokedKey, ""},
      {"revoked and expired", write, Outcome::kRevokedKey, ""},
      {"revoked of suspended", write, Outcome::kRevokedKey, ""},
      {"expired", write, Outcome::kExpiredKey, ""},
      {"expires", write, Outcome::kAllowed, "acme"},
      {"of suspended", {.scope = "no:such"}, Outcome::kCustomerSuspended, "sus"},
      {"of cancelled", write, Outcome::kCustomerCancelled, "gone"},
      {"of odd", write, Outcome::kCustomerCancelled, "odd"},
      {"of unsubscribed", write, Outcome::kSubscriptionInactive, "free"},
      {"reads", write, Outcome::kScopeMissing, "acme"},
      {"unscoped", write, Outcome::kScopeMissing, "acme"},
      {"admin", write, Outcome::kScopeMissing, "acme"},
      {"admin", {.scope = "admin:keys"}, Outcome::kAllowed, "acme"},
      {"unscoped", {}, Outcome::kAllowed, "acme"},
      {"reads", {.scope = "pipelines:write", .or_scope = "pipelines:read"}, Outcome::kAllowed, "acme"},
      {"of fat", run, Outcome::kStorageQuota, "fat"},
      {"of fat", write, Outcome::kAllowed, "fat"},
      {"of full", run, Outcome::kMonthlyQuota, "full"},
      {"of full", write, Outcome::kAllowed, "full"},
      {"of zero", run, Outcome::kConcurrentQuota, "zero"},
      {"good", run, Outcome::kAllowed, "acme"},
  };
  for (const Row& row : rows) {
    const Admission admission = gate->Authorize(row.key, row.need);
    EXPECT_EQ(admission.decision.outcome, row.outcome) << row.key;
    EXPECT_EQ(admission.who().tenant_id, row.who) << row.key;
    EXPECT_EQ(admission.who().customer_id, *row.who == 0 ? "" : CustomerId(row.who)) << row.key;
    EXPECT_EQ(admission.rate().has_value(), row.outcome == Outcome::kAllowed || row.outcome >= Outcome::kRateLimited) << row.key;
  }
  const MetricsSnapshot metrics = gate->Metrics();
  EXPECT_EQ(metrics.decisions[domain::OutcomeIndex(Outcome::kMalformedKey)], 4u);
  EXPECT_EQ(metrics.decisions[domain::OutcomeIndex(Outcome::kAllowed)], 7u);
}

TEST(Ladder, TellsWhoseKeyItIs) {
  World world(Platform());
  const std::unique_ptr<Gate> gate = world.Open();
  const Admission admission = gate->Authorize("good", {.scope = "pipelines:write"});
  EXPECT_EQ(admission.who().customer_id, "cust_acme");
  EXPECT_EQ(admission.who().tenant_id, "acme");
  EXPECT_EQ(admission.who().plan, "professional");
  EXPECT_EQ(admission.who().api_key_id, "key_of_good");
  EXPECT_EQ(admission.who().scopes, "pipelines:read pipelines:write");
}

TEST(Ladder, AKeyExpiresAtItsInstant) {
  World world(Platform());
  const std::unique_ptr<Gate> gate = world.Open();
  world.clock.Pass(kSecond - 1'000);  // ledger time may be some ticks ahead
  EXPECT_EQ(gate->Authorize("expires", {}).decision.outcome, Outcome::kAllowed);
  world.clock.Pass(1'000);
  EXPECT_EQ(gate->Authorize("expires", {}).decision.outcome, Outcome::kExpiredKey);
}

TEST(Ladder, QuotasComeWithTheirNumbers) {
  World world(Platform());
  const std::unique_ptr<Gate> gate = world.Open();
  const Need run{.run = true};
  const Micros rest = StartOf(MonthStart(kNovember, 1)) - kNoon;
  const domain::Decision month = gate->Authorize("of full", run).decision;
  EXPECT_EQ(month.used, 7);
  EXPECT_EQ(month.limit, 7);
  EXPECT_EQ(month.remaining(), 0);
  EXPECT_EQ(month.retry_after_s, rest / kSecond);
  EXPECT_EQ(gate->Authorize("of fat", run).decision, (domain::Decision{Outcome::kStorageQuota, 5'00, 5'00, 0}));
  EXPECT_EQ(gate->Authorize("of zero", run).decision, (domain::Decision{Outcome::kConcurrentQuota, 0, 0, 0}));
  EXPECT_EQ(gate->Authorize("good", run).decision, (domain::Decision{Outcome::kAllowed, 0, 5'000, 0}));
}

TEST(Rates, LimitEachKeyByItsPlanAndSayWhenToComeBack) {
  World world({{.tenant = "s", .plan = "starter", .keys = {{.text = "a"}, {.text = "b"}}}, {.tenant = "u", .plan = "made up", .keys = {{.text = "c"}}}});
  world.options.rates = domain::BuiltInRates();
  const std::unique_ptr<Gate> gate = world.Open();
  for (int i = 0; i < 100; ++i) {
    const Admission admission = gate->Authorize("a", {});
    ASSERT_TRUE(admission.decision.allowed()) << i;
    ASSERT_EQ(admission.rate(), (domain::RateFacts{100, 99 - i, (600 * (i + 1) + 999) / 1'000, 60}));
  }
  const Admission refused = gate->Authorize("a", {});
  EXPECT_EQ(refused.decision, (domain::Decision{Outcome::kRateLimited, 100, 100, 1}));
  EXPECT_EQ(refused.rate()->remaining, 0);
  EXPECT_TRUE(gate->Authorize("b", {}).decision.allowed()) << "another key has rates of its own";
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(gate->Authorize("c", {}).decision.allowed()) << "professional, where the plan is not listed";
  EXPECT_FALSE(gate->Authorize("c", {}).decision.allowed());
  world.clock.Pass(600'000 - 1);
  EXPECT_FALSE(gate->Authorize("a", {}).decision.allowed());
  world.clock.Pass(1);
  EXPECT_TRUE(gate->Authorize("a", {}).decision.allowed());
  EXPECT_FALSE(gate->Authorize("a", {}).decision.allowed());
}

TEST(Rates, TheHourRefusesWhenTheMinuteWouldNot) {
  World world({{.tenant = "s", .plan = "p", .keys = {{.text = "a"}}}});
  world.options.rates = {{{"p", {10, 60 * kSecond}, {15, kHour}}}, "p"};
  const std::unique_ptr<Gate> gate = world.Open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(gate->Authorize("a", {}).decision.allowed());
  world.clock.Pass(60 * kSecond);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(gate->Authorize("a", {}).decision.allowed());
  const Admission refused = gate->Authorize("a", {});
  EXPECT_EQ(refused.decision, (domain::Decision{Outcome::kRateLimited, 15, 15, 180}));
  EXPECT_EQ(refused.rate(), (domain::RateFacts{15, 0, 3'540, 3'600}));
  // What the refusals did not take from the minute is still there when the hour has one again.
  world.clock.Pass(180 * kSecond);
  EXPECT_TRUE(gate->Authorize("a", {}).decision.allowed());
}

TEST(Rates, ARefusalAndAQuestionCostNothing) {
  World world({{.tenant = "s", .plan = "p", .quotas = {0, 0, 0}, .keys = {{.text = "a"}}}});
  world.options.rates = {{{"p", {3, 60 * kSecond}, {100, kHour}}}, "p"};
  const std::unique_ptr<Gate> gate = world.Open();
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(gate->Authorize("a", {.run = true}).decision.outcome, Outcome::kStorageQuota);
    ASSERT_EQ(gate->Authorize("a", {.scope = "no:such"}).decision.outcome, Outcome::kScopeMissing);
    ASSERT_EQ(gate->Authorize("a", {.cost = 4}).decision.outcome, Outcome::kRateLimited);
    ASSERT_TRUE(gate->Authorize("a", {.cost = 0}).decision.allowed());
  }
  EXPECT_EQ(gate->Authorize("a", {.cost = 4}).decision.retry_after_s, 0) << "more than the limit will ever hold";
  EXPECT_TRUE(gate->Authorize("a", {.cost = 2}).decision.allowed());
  EXPECT_TRUE(gate->Authorize("a", {}).decision.allowed());
  EXPECT_FALSE(gate->Authorize("a", {}).decision.allowed());
  EXPECT_TRUE(gate->Authorize("a", {.cost = 0}).decision.allowed()) << "asking is free";
}

TEST(Rates, LetInExactlyTheLimitUnderManyThreads) {
  constexpr int kLimit = 20'000;
  const std::pair<int64_t, int64_t> limits[] = {{kLimit, 10 * kLimit}, {10 * kLimit, kLimit}};
  for (const auto& [minute, hour] : limits) {
    World world({{.tenant = "s", .plan = "p", .keys = {{.text = "a"}}}});
    world.options.rates = {{{"p", {minute, 60 * kSecond}, {hour, kHour}}}, "p"};
    const std::unique_ptr<Gate> gate = world.Open();
    std::atomic<int> allowed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < kLimit / 2; ++i)
          if (gate->Authorize("a", {}).decision.allowed()) ++allowed;
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(allowed, kLimit) << minute << " a minute, " << hour << " an hour";
  }
}

}  // namespace
}  // namespace reeve::gate
