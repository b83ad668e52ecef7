// What the witness is told of the options.
#include <gtest/gtest.h>

#include "migrate/verify/verify.h"

namespace reeve::migrate {
namespace {

constexpr Micros kAsOf = 1'795'370'580 * kSecond;  // 2026-11-22 18:03:00 UTC

TEST(Assumptions, SayWhatTheOptionsSay) {
  Options options;
  options.usage_months = 5;
  options.abandoned_after = kHour;
  options.api_key_column_holds_hash = true;
  options.declared = {"x"};
  options.plans.default_plan = "starter";
  domain::PlanOverride plan;
  plan.plan = "enterprise";
  plan.concurrent_runs = std::optional<int64_t>();  // unlimited
  plan.storage_gb = 7;
  options.plans.tenants["acme"] = plan;
  const witness::Assumptions said = AssumptionsOf(options, kAsOf);
  EXPECT_EQ(said.as_of, kAsOf);
  EXPECT_EQ(said.usage_months, 5);
  EXPECT_EQ(said.abandoned_after, kHour);
  EXPECT_TRUE(said.api_key_column_holds_hash);
  EXPECT_EQ(said.declared_tenants, std::vector<std::string>{"x"});
  EXPECT_EQ(said.default_plan, "starter");
  ASSERT_EQ(said.plans.size(), 3u);
  EXPECT_EQ(said.plans[0].monthly, 1000);
  EXPECT_EQ(said.plans[2].cost_usd_cents, std::nullopt);
  const witness::PlanOverride& acme = said.overrides.at("acme");
  EXPECT_EQ(acme.plan, "enterprise");
  EXPECT_FALSE(acme.monthly.set);
  EXPECT_TRUE(acme.concurrent.set);
  EXPECT_EQ(acme.concurrent.value, std::nullopt);
  EXPECT_EQ(acme.storage_gb.value, 7);
}

}  // namespace
}  // namespace reeve::migrate
