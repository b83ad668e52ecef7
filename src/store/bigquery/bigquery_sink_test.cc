// Merges into a dataset, and what is read back of them.
#include "store/bigquery/bigquery_sink.h"

#include "store/bigquery/bigquery_sink_testing.h"
#include "tests/fakes/faulty_bigquery.h"

namespace reeve::store {
namespace {

using catalog::Cell;
using catalog::RowBatch;

TEST_F(BigQuerySinkTest, WhatWasMergedIsThereAfterReopening) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 3)));
  const auto before = Dump(*sink);
  sink.reset();
  world_->options().create = false;
  sink = Open();
  EXPECT_EQ(Dump(*sink), before);
  EXPECT_EQ(Dump(**world_->OpenReader()), before);
  EXPECT_NE(before.at("customers").find("{\"b\": 1, \"a\":2}"), std::string::npos) << "byte for byte";
  const auto again = sink->Merge(Writes(0, 3));
  ASSERT_TRUE(again);
  for (const TenantResult& result : *again) EXPECT_EQ(result.rows_changed, 0u);
}

TEST_F(BigQuerySinkTest, JobsDoNotGrowWithTheTenantsOfABatch) {
  auto sink = Open();
  for (const int tenants : {1, 40, 300}) {
    const auto before = world_->client().counts();
    ASSERT_TRUE(sink->Merge(Writes(tenants * 1000, tenants)));
    const auto after = world_->client().counts();
    EXPECT_EQ(after.load_jobs - before.load_jobs, 1u);
    EXPECT_EQ(after.query_jobs - before.query_jobs, 1u);
    EXPECT_LE(after.api_calls - before.api_calls, 8u);
  }
  const auto before = world_->client().counts();
  ASSERT_TRUE(sink->Merge(Writes(1000, 1)));
  EXPECT_EQ(world_->client().counts().api_calls, before.api_calls) << "what changes nothing costs nothing";
}

TEST_F(BigQuerySinkTest, VerificationReadsWhatBigQueryHoldsAndNotWhatWasMeant) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
  world_->server().Sql(fmt::format("UPDATE {} SET company_name = 'tampered' WHERE TRUE", world_->Table("customers")));
  EXPECT_NE(DumpTable(**sink->OpenReader(), catalog::Customers()).find("tampered"), std::string::npos);
}

TEST_F(BigQuerySinkTest, OnlyTablesThatWereWrittenAreReadAgain) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::Customers()).value(), 1u);
  const auto before = world_->client().counts().api_calls;
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::Customers()).value(), 1u);
  EXPECT_EQ(world_->client().counts().api_calls, before);
  RowBatch events(catalog::AuditLogs());
  AddEvent(&events, "tenant0", "log_1");
  std::vector<TenantWrite> batch;
  batch.push_back(WriteOf("tenant0", 1, std::move(events)));
  ASSERT_TRUE(sink->Merge(batch));
  const auto merged = world_->client().counts().api_calls;
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::Customers()).value(), 1u);
  EXPECT_EQ(world_->client().counts().api_calls, merged);
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::AuditLogs()).value(), 1u);
  EXPECT_GT(world_->client().counts().api_calls, merged);
}

TEST_F(BigQuerySinkTest, TwinsAndOrphansAreReported) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 2)));
  EXPECT_TRUE(sink->CheckIntegrity()->empty());
  const std::string keys = world_->Table("customer_api_keys");
  world_->server().Sql(fmt::format("INSERT INTO {0} SELECT * FROM {0} WHERE api_key_id = 'key_tenant0_1'", keys));
  world_->server().Sql(fmt::format("DELETE FROM {} WHERE tenant_id = 'tenant1'", world_->Table("customers")));
  const auto findings = sink->CheckIntegrity();
  ASSERT_TRUE(findings);
  const auto has = [&](std::string_view text) {
    return std::any_of(findings->begin(), findings->end(), [&](const std::string& finding) { return finding.find(text) != std::string::npos; });
  };
  EXPECT_TRUE(has("customer_api_keys: tenant_id, api_key_id tenant0, key_tenant0_1 occurs 2 times"));
  EXPECT_TRUE(has("customer_api_keys: api_key_hash " + HashOf("tenant0_1").substr(0, 12) + " occurs 2 times"));
  EXPECT_TRUE(has("customer_subscriptions: subscription_id sub_tenant1 names a customers row that does not exist"));
  EXPECT_TRUE(has("customer_api_keys: api_key_id key_tenant1_2 names a customers row"));
}

TEST_F(BigQuerySinkTest, NothingIsMergedBesideTwinsUntilTheyAreMended) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 2)));
  sink.reset();
  // As two runs of a script without keys leave it.
  const std::string customers = world_->Table("customers");
  world_->server().Sql(fmt::format("INSERT INTO {0} SELECT * FROM {0} WHERE tenant_id = 'tenant0'", customers));
  world_->server().Sql(fmt::format("UPDATE {} SET customer_id = 'cust_twin' WHERE tenant_id = 'tenant1'", customers));
  sink = Open();
  const auto refused = sink->Merge(Writes(0, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_NE(refused.error().message.find("customers"), std::string::npos);

  RowBatch one(catalog::Customers());
  AddCustomer(&one, "tenant0");
  std::vector<RowBatch> upserts;
  upserts.push_back(std::move(one));
  const std::vector<CentralSink::Deletion> deletions = {{&catalog::Customers(), {Cell::Text("cust_tenant0")}, true}};
  const auto amended = sink->Amend(deletions, upserts);
  ASSERT_TRUE(amended) << amended.error().message;
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::Customers()).value(), 2u);
  const auto merged = sink->Merge(Writes(0, 1));
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(merged->front().outcome, Outcome::kMerged);
}

TEST_F(BigQuerySinkTest, ANewerAttemptOfAnotherRunKeepsALateScriptOut) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 2, 1)));
  // Another run, which this one does not know of, has gone on with a tenant.
  world_->server().Sql(fmt::format("UPDATE {} SET attempt = 9 WHERE tenant_id = 'tenant0'", world_->Table("reeve_tenants")));
  std::vector<TenantWrite> batch;
  for (const char* tenant : {"tenant0", "tenant1"}) {
    RowBatch keys(catalog::ApiKeys());
    AddKey(&keys, tenant, fmt::format("{}_late", tenant));
    batch.push_back(WriteOf(tenant, 2, std::move(keys)));
  }
  ASSERT_TRUE(sink->Merge(batch));
  const std::string keys = DumpTable(**sink->OpenReader(), catalog::ApiKeys());
  EXPECT_EQ(keys.find("key_tenant0_late"), std::string::npos);
  EXPECT_NE(keys.find("key_tenant1_late"), std::string::npos);
}

TEST_F(BigQuerySinkTest, AMergeThatFailedIsForgottenAndMayBeRepeated) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
  const auto before = Dump(*sink);
  world_->server().Control("faults", R"({"do":"job_error","reason":"invalidQuery","query":"COMMIT","times":1})");
  EXPECT_FALSE(sink->Merge(Writes(1, 2)));
  world_->server().Control("reset", "{}");
  EXPECT_EQ(Dump(*sink), before);
  const auto again = sink->Merge(Writes(1, 2));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->front().rows_changed, 6u);
}

// As the emulator does with long rows.
TEST_F(BigQuerySinkTest, ALoadThatLostRowsMergesNothing) {
  FaultyBigQuery client(world_->client());
  auto sink = world_->Open(client);
  ASSERT_TRUE(sink);
  client.LoseLongRows(2000);
  ASSERT_TRUE((*sink)->Merge(Writes(0, 1)));
  std::vector<TenantWrite> batch = Writes(1, 1);
  RowBatch runs(catalog::ReeveUsageRuns());
  RowMaker(&runs).Text("tenant_id", "tenant1").Num("usage_month", 20'000).Text("runs", std::string(3000, 'x'));
  batch.front().tables.push_back(std::move(runs));
  const auto lost = (*sink)->Merge(batch);
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("of 9 rows that were loaded for a merge 8 arrived"), std::string::npos) << lost.error().message;
  EXPECT_EQ((*(*sink)->OpenReader())->Count(catalog::Customers()).value(), 1u);
  ASSERT_TRUE((*sink)->Merge(Writes(1, 1)));
  EXPECT_TRUE((*sink)->FindStrays()->empty()) << "what it left went with the next load";
}

// A run that lost its lock without knowing may still load: the script of who has it now must not take those rows for its own.
TEST_F(BigQuerySinkTest, RowsThatAnotherStagedMeanwhileAreNotMerged) {
  FaultyBigQuery client(world_->client());
  auto sink = world_->Open(client);
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->Merge(Writes(0, 1)));
  client.BeforeExecute([&] { Stage("customers"); });
  const auto merged = (*sink)->Merge(Writes(1, 1));
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message.find("not those of this merge"), std::string::npos) << merged.error().message;
  client.BeforeExecute({});
  EXPECT_EQ((*(*sink)->OpenReader())->Count(catalog::Customers()).value(), 1u);
  ASSERT_TRUE((*sink)->Merge(Writes(1, 1)));
  EXPECT_EQ((*(*sink)->OpenReader())->Count(catalog::Customers()).value(), 2u);
}

TEST_F(BigQuerySinkTest, AScriptThatTakesLongKeepsItsLock) {
  FaultyBigQuery client(world_->client());
  auto sink = world_->Open(client);
  ASSERT_TRUE(sink);
  world_->server().Control("options", R"({"pending_polls":1})");
  client.BeforeExecute([&] { world_->clock().Advance(kLease - kSecond); });
  const auto merged = (*sink)->Merge(Writes(0, 1));
  world_->server().Control("options", R"({"pending_polls":0})");
  ASSERT_TRUE(merged) << merged.error().message;
  world_->clock().Advance(kClockSkew + 2 * kSecond);
  EXPECT_EQ(world_->Open().error().code, Code::kLocked) << "the lease that the script began with is over";
}

TEST_F(BigQuerySinkTest, ReadersInOtherThreadsSeeWholeCommitsWhileMergesGoOn) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 2)));
  std::atomic<bool> stop = false;
  std::atomic<int> readers = 0;
  const auto read = [&] {
    while (!stop) {
      auto reader = sink->OpenReader();
      ASSERT_TRUE(reader);
      const uint64_t customers = (*reader)->Count(catalog::Customers()).value();
      EXPECT_EQ((*reader)->Count(catalog::ApiKeys()).value(), 2 * customers);
      EXPECT_EQ((*reader)->Count(catalog::ReeveTenants()).value(), customers);
      EXPECT_EQ((*reader)->Count(catalog::Subscriptions()).value(), customers);
      ++readers;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(read);
  for (int i = 1; i <= 12; ++i) EXPECT_TRUE(sink->Merge(Writes(2 * i, 2)));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(readers, 0);
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::Customers()).value(), 26u);
}

}  // namespace
}  // namespace reeve::store
