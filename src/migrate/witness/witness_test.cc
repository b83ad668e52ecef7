// The witness as a whole: the tenant that is equal, what cannot be read, who is compared.
#include "migrate/witness/witness.h"

#include <thread>

#include "migrate/witness/witness_testing.h"

namespace reeve::migrate::witness {
namespace {

TEST_F(WitnessTest, TheTenantWrittenDownByHandIsEqual) {
  const Verdict verdict = Verify();
  EXPECT_EQ(Differences(), std::vector<std::string>());
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.failed, "");
  EXPECT_EQ(verdict.legacy_rows, 13U);
  EXPECT_EQ(verdict.quarantined_rows, 0U);
  EXPECT_EQ(verdict.tables.at("customer_api_keys").rows_expected, 3U);
  EXPECT_EQ(verdict.keys.hashes, 3U);
  EXPECT_EQ(verdict.keys.instants, 3U + 3U + 3U);
  EXPECT_EQ(verdict.keys.usable, 2U);
  EXPECT_EQ(verdict.credentials.unproven, 2U);
  EXPECT_EQ(verdict.credentials.withheld, 1U);
  EXPECT_EQ(verdict.usage.runs, 4U);
  EXPECT_EQ(verdict.usage.months, 2U);
  EXPECT_EQ(verdict.usage.out_of_window, 1U);
  EXPECT_EQ(verdict.usage.digest_expected, verdict.usage.digest_found);
}

TEST_F(WitnessTest, DigestsAreThoseComputedByHand) {
  const Verdict verdict = Verify();
  EXPECT_EQ(verdict.tables.at("customers").digest_expected,
            "003d594a2dde5b1742446cc074956ea59a368281518affe86a127c68360a075d");
  EXPECT_EQ(verdict.tables.at("customers").digest_found,
            "003d594a2dde5b1742446cc074956ea59a368281518affe86a127c68360a075d");
  EXPECT_EQ(verdict.keys.digest_expected, "9347b8c71573195fd5564bfbcde2daad94e5d23bc68151a222e05c558b01c8e9");
}

TEST_F(WitnessTest, ADamagedTableFailsTheTenantAndOnlyTheMigrationMayKnow) {
  estate_.FailAt("acme", "x_meta_pipeline_runs");
  EXPECT_TRUE(Finds("tenant_failed  acme acme.x_meta_pipeline_runs: damaged"));
  const Verdict known = Verify({kAsOf, true, false});
  EXPECT_TRUE(known.equal);
  EXPECT_EQ(known.failed, "acme.x_meta_pipeline_runs: damaged");
  estate_.Mend();
  const Verdict wrong = Verify({kAsOf, true, false});
  EXPECT_FALSE(wrong.equal);
  EXPECT_EQ(wrong.differences.at(0).kind, DifferenceKind::kTenantFailed);
}

TEST_F(WitnessTest, AnUnreadableRecordFailsTheTenant) {
  for (const char* rows : {"{\"tenant_id\":\"acme\"}\n{\n", "{\"tenant_id\":\"other\"}\n", "{\"tenant_id\":\"acme\",\"is_active\":\"maybe\"}\n",
                           "{\"tenant_id\":\"acme\",\"colour\":\"red\"}\n"}) {
    estate_.Put("acme", "x_meta_tenants", rows);
    EXPECT_NE(Verify({kAsOf, true, false}).failed, "") << rows;
  }
}

TEST_F(WitnessTest, StrangersInCentralAreNamed) {
  central_.Change("customer_api_keys", kHash3, "\"tenant_id\":\"acme\"", "\"tenant_id\":\"ghost\"");
  auto witness = Witness::Start(estate_, assumptions_);
  ASSERT_TRUE(witness);
  EXPECT_EQ(*(*witness)->OnlyInCentral(central_), std::vector<std::string>{"ghost"});
}

TEST_F(WitnessTest, AStoreThatCannotBeReadIsAnErrorAndNoDifference) {
  auto witness = Witness::Start(estate_, assumptions_);
  ASSERT_TRUE(witness);
  central_.FailAll();
  EXPECT_FALSE((*witness)->Verify("acme", {kAsOf, false, false}, central_));
  EXPECT_EQ((*witness)->Verify("nobody", {kAsOf, false, false}, central_).error().code, Code::kNotFound);
}

TEST_F(WitnessTest, AssumptionsThatMakeNoSenseAreRefused) {
  assumptions_.default_plan = "gold";
  EXPECT_EQ(Witness::Start(estate_, assumptions_).error().code, Code::kUsage);
  assumptions_ = Standard();
  assumptions_.usage_months = 0;
  EXPECT_EQ(Witness::Start(estate_, assumptions_).error().code, Code::kUsage);
}

TEST_F(WitnessTest, SeveralThreadsGetTheSameVerdict) {
  auto witness = Witness::Start(estate_, assumptions_);
  ASSERT_TRUE(witness);
  std::vector<std::thread> threads;
  std::vector<std::string> digests(4);
  for (size_t i = 0; i < digests.size(); ++i) {
    threads.emplace_back([&, i] {
      fakes::TextCentral mine = central_;
      for (int round = 0; round < 20; ++round) {
        const auto verdict = (*witness)->Verify("acme", {kAsOf, false, false}, mine);
        digests[i] = verdict && verdict->equal ? verdict->usage.digest_found : "not equal";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& digest : digests) EXPECT_EQ(digest, digests[0]);
  EXPECT_EQ(digests[0].size(), 64U);
}

}  // namespace
}  // namespace reeve::migrate::witness
