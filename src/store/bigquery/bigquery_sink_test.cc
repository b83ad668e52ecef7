#include "store/bigquery/bigquery_sink.h"

#include <filesystem>

#include "drivers/sqlite/sqlite.h"
#include "store/bigquery/dataset_lock.h"
#include "store/bigquery/dataset_tables.h"
#include "tests/conformance/bigquery_dataset.h"
#include "tests/fakes/faulty_bigquery.h"

namespace reeve::store {
namespace {

using catalog::Cell;
using catalog::RowBatch;

class BigQuerySinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (SharedFake() == nullptr) GTEST_SKIP() << "no python3";
    world_ = std::make_unique<TestDataset>(*SharedFake());
  }

  std::unique_ptr<BigQuerySink> Open() {
    auto sink = world_->Open();
    EXPECT_TRUE(sink) << sink.error().message;
    REEVE_ASSERT(sink.has_value());
    return std::move(*sink);
  }

  // A customer with a subscription, two keys, a credential whose metadata BigQuery would change, and a state.
  static TenantWrite Write(std::string_view tenant, int64_t attempt = 1) {
    RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys()), credentials(catalog::Credentials()), tenants(catalog::ReeveTenants()),
        subscriptions(catalog::Subscriptions());
    AddCustomer(&customers, tenant).Text("metadata", "{\"b\": 1, \"a\":2}");
    AddSubscription(&subscriptions, tenant);
    AddKey(&keys, tenant, fmt::format("{}_1", tenant));
    AddKey(&keys, tenant, fmt::format("{}_2", tenant)).Null("scopes");
    AddCredential(&credentials, tenant, "cred");
    AddTenant(&tenants, tenant, attempt);
    return WriteOf(tenant, attempt, std::move(customers), std::move(subscriptions), std::move(keys), std::move(credentials), std::move(tenants));
  }
  static std::vector<TenantWrite> Writes(int first, int count, int64_t attempt = 1) {
    std::vector<TenantWrite> batch;
    for (int i = first; i < first + count; ++i) batch.push_back(Write(fmt::format("tenant{}", i), attempt));
    return batch;
  }

  bool IsLocked() {
    const std::vector<std::string> tables = world_->Tables();
    return std::find(tables.begin(), tables.end(), kLockTable) != tables.end();
  }
  uint64_t StagedRows() {
    const auto strays = FindBigQueryStrays(world_->client(), world_->options());
    return strays && !strays->empty() ? strays->front().rows : 0;
  }
  void Stage(std::string_view what) {
    world_->server().Sql(fmt::format("INSERT INTO {} (reeve_table) VALUES ('{}')", world_->Table(kStagingTable), what));
  }

  void Drop(std::string_view table) { world_->server().Sql(fmt::format("DROP TABLE {}", world_->Table(table))); }

  std::unique_ptr<TestDataset> world_;
};

TEST_F(BigQuerySinkTest, AMissingDatasetIsNotMade) {
  world_->options().create = false;
  EXPECT_EQ(world_->Open().error().code, Code::kStoreMissing);
  EXPECT_EQ(world_->OpenReader().error().code, Code::kStoreMissing);
  world_->server().MakeDataset(world_->options().dataset, "EU");
  EXPECT_EQ(world_->Open().error().code, Code::kStoreMissing) << "a dataset without our tables is no store";
  EXPECT_EQ(world_->OpenReader().error().code, Code::kStoreMissing);
  EXPECT_TRUE(world_->Tables().empty()) << "nothing is left behind";
}

TEST_F(BigQuerySinkTest, ADatasetInAnotherLocationIsRefused) {
  Open();
  world_->options().location = "US";
  EXPECT_EQ(world_->Open().error().code, Code::kRefused);
  world_->options().location = "eu";
  EXPECT_TRUE(world_->Open());
}

TEST_F(BigQuerySinkTest, ANewerFormatIsRefused) {
  Open();
  bigquery::TableSpec meta = SpecOf(catalog::ReeveMeta(), {world_->options().project, world_->options().dataset});
  meta.labels[std::string(kFormatLabel)] = "99";
  ASSERT_TRUE(world_->client().PatchTable(meta, ""));
  EXPECT_EQ(world_->Open().error().code, Code::kRefused);
  EXPECT_EQ(world_->OpenReader().error().code, Code::kRefused);
}

TEST_F(BigQuerySinkTest, NamesThatAreNoneAreRefusedBeforeAnythingIsAsked) {
  world_->options().dataset = "a`b";
  EXPECT_EQ(world_->Open().error().code, Code::kUsage);
  EXPECT_EQ(world_->client().counts().api_calls, 0u);
}

TEST_F(BigQuerySinkTest, ASecondWriterIsToldWhoHasTheLockAndReadersNeedNone) {
  auto first = Open();
  ASSERT_TRUE(first->Merge(Writes(0, 1)));
  const auto second = world_->Open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked);
  EXPECT_NE(second.error().message.find("reeve test, pid 17"), std::string::npos);
  auto reader = world_->OpenReader();
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->Count(catalog::ApiKeys()).value(), 2u);
  first.reset();
  EXPECT_TRUE(world_->Open());
  EXPECT_FALSE(IsLocked());
}

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

TEST_F(BigQuerySinkTest, DriftIsNamedAndWhatIsMissingIsMended) {
  Open();
  Drop("reeve_findings");
  Drop("customer_invitations");
  world_->server().MakeTable(world_->options().dataset, "customer_invitations", R"([{"name":"invitation_id","type":"STRING","mode":"REQUIRED"}])");
  auto sink = Open();
  const auto drift = sink->CheckSchema();
  ASSERT_TRUE(drift);
  EXPECT_EQ(drift->front().table, "customer_invitations");
  EXPECT_EQ(drift->front().what, "column customer_id is missing");
  EXPECT_EQ(drift->back().table, "reeve_findings");
  EXPECT_TRUE(drift->back().repairable);
  EXPECT_EQ(sink->ApplySchema().error().code, Code::kRefused);
  Drop("customer_invitations");
  sink.reset();
  sink = Open();
  ASSERT_TRUE(sink->ApplySchema());
  EXPECT_TRUE(sink->CheckSchema()->empty());
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
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

// The run dies at each of its calls to BigQuery, before or after the call's work; the next one, on the same machine, ends where an undisturbed one does.
TEST_F(BigQuerySinkTest, ARunThatDiesAnywhereLeavesNothingHalfAndNoStrays) {
  std::map<std::string, std::string> expected;
  int calls = 0;
  {
    FaultyBigQuery client(world_->client());
    auto sink = world_->Open(client);
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->Merge(Writes(0, 3)));
    ASSERT_TRUE((*sink)->Merge(Writes(2, 3, 2)));
    expected = Dump(**sink);
    sink->reset();
    calls = client.calls();
  }
  for (int at = 0; at < 2 * calls; ++at) {
    SCOPED_TRACE(fmt::format("dies at call {}, {} its work", at / 2, at % 2 == 0 ? "before" : "after"));
    world_ = std::make_unique<TestDataset>(*SharedFake());
    world_->options().state_path = world_->File("state");
    FaultyBigQuery client(world_->client());
    client.DieAt(at / 2, at % 2 != 0);
    if (auto dying = world_->Open(client)) {
      if ((*dying)->Merge(Writes(0, 3))) (void)(*dying)->Merge(Writes(2, 3, 2));
      const std::string customers = DumpTable(**world_->OpenReader(), catalog::Customers());
      const auto rows = std::count(customers.begin(), customers.end(), '\n');
      EXPECT_TRUE(rows == 0 || rows == 3 || rows == 5) << rows << ": a merge is there whole or not at all";
    }
    auto next = world_->Open();
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(StagedRows(), 0u);
    ASSERT_TRUE((*next)->Merge(Writes(0, 3, 1)));
    ASSERT_TRUE((*next)->Merge(Writes(2, 3, 2)));
    EXPECT_EQ(Dump(**next), expected);
    EXPECT_TRUE((*next)->CheckIntegrity()->empty());
    next->reset();
    EXPECT_EQ(StagedRows(), 0u);
    EXPECT_FALSE(IsLocked());
  }
}

// The script of the dead run is at work, or its rows are staged and the script did not begin.
TEST_F(BigQuerySinkTest, WhatADeadRunHadAtWorkIsBroughtToItsEndBeforeAnythingIsRead) {
  world_->options().state_path = world_->File("state");
  FaultyBigQuery client(world_->client());
  auto dying = world_->Open(client);
  ASSERT_TRUE(dying);
  ASSERT_TRUE((*dying)->Merge(Writes(0, 1)));
  const int before = client.calls();
  ASSERT_TRUE((*dying)->Merge(Writes(1, 1)));
  const int calls = client.calls() - before;
  client.DieAt(calls - 1, false);  // the script
  EXPECT_FALSE((*dying)->Merge(Writes(2, 1)));
  dying->reset();
  EXPECT_EQ((*world_->OpenReader())->Count(catalog::Customers()).value(), 2u);
  auto next = world_->Open();
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ((*(*next)->OpenReader())->Count(catalog::Customers()).value(), 3u);
}

TEST_F(BigQuerySinkTest, StraysAreFoundAndRemoved) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
  sink.reset();
  EXPECT_EQ(StagedRows(), 0u) << "a merge leaves nothing staged";
  Stage("dead");
  EXPECT_EQ(StagedRows(), 1u);
  world_->options().keep_strays = true;
  sink = Open();
  const auto found = sink->FindStrays();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u) << "who only looks removes nothing";
  EXPECT_EQ(found->front().table, kStagingTable);
  EXPECT_EQ(sink->RemoveStrays().value(), 1u);
  EXPECT_TRUE(sink->FindStrays()->empty());
  ASSERT_TRUE(sink->Merge(Writes(1, 1))) << "it is made again";
  Stage("dead");
  sink.reset();
  world_->options().keep_strays = false;
  sink = Open();
  EXPECT_TRUE(sink->FindStrays()->empty());
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

TEST_F(BigQuerySinkTest, CopiesAreTheOwnersAloneAndGoWithTheSink) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::Customers()).value(), 1u);
  int files = 0;
  const auto entries = world_->files().List(world_->options().spool_dir);
  for (const DirEntry& entry : *entries) {
    if (!entry.name.ends_with(".db")) continue;
    ++files;
    EXPECT_EQ(world_->files().Mode(world_->options().spool_dir + "/" + entry.name).value(), 0600) << entry.name;
  }
  EXPECT_GT(files, 0);
  sink.reset();
  EXPECT_TRUE(world_->files().List(world_->options().spool_dir)->empty());
}

TEST_F(BigQuerySinkTest, CopiesOfADeadRunGoWithTheNext) {
  const std::string dir = world_->options().spool_dir;
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-dead.lock", "x"));
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-dead-1.db", "x"));
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-alive.lock", "x"));
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-alive-1.db", "x"));
  const auto alive = world_->files().Lock(dir + "/reeve-spool-alive.lock", "x");
  Open();
  std::vector<std::string> names;
  const auto entries = world_->files().List(dir);
  for (const DirEntry& entry : *entries) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"reeve-spool-alive-1.db", "reeve-spool-alive.lock"}));
}

}  // namespace
}  // namespace reeve::store
