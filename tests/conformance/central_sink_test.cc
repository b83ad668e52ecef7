// The CentralSink suite, run for every adapter.
#include "store/central_sink.h"

#include <gtest/gtest.h>

#include "tests/conformance/central_sink_adapters.h"
#include "tests/conformance/central_sink_world.h"

namespace reeve::store {
namespace {

using catalog::Cell;
using catalog::RowBatch;

class CentralSinkSuite : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    adapter_ = MakeAdapter(GetParam(), &why);
    if (adapter_ == nullptr) GTEST_SKIP() << why;
    sink_ = adapter_->Open();
  }

  // Of `rounds`, as many as the adapter does in a few seconds.
  static int Rounds(int rounds) { return std::string_view(GetParam()) == "bigquery_emulator" ? rounds / 5 : rounds; }

  // Merges one tenant and returns its result.
  TenantResult Merge(TenantWrite write) {
    std::vector<TenantWrite> batch;
    batch.push_back(std::move(write));
    auto results = sink_->Merge(batch);
    REEVE_ASSERT(results.has_value() && results->size() == 1);
    return results->front();
  }

  TenantResult MergeCustomer(std::string_view tenant, int64_t attempt = 1) {
    RowBatch customers(catalog::Customers()), tenants(catalog::ReeveTenants());
    AddCustomer(&customers, tenant);
    AddTenant(&tenants, tenant, attempt);
    return Merge(WriteOf(tenant, attempt, std::move(customers), std::move(tenants)));
  }

  // Merges one key of tenant "a", changed by `change`.
  template <typename Change>
  TenantResult MergeKey(Change change) {
    RowBatch keys(catalog::ApiKeys());
    RowMaker row = AddKey(&keys, "a", "1");
    change(row);
    return Merge(WriteOf("a", 1, std::move(keys)));
  }

  // A cell of the only key of tenant "a".
  Cell KeyCell(std::string_view column) {
    auto reader = sink_->OpenReader();
    REEVE_ASSERT(reader.has_value());
    found_ = std::make_unique<RowBatch>(catalog::ApiKeys());
    REEVE_ASSERT((*reader)->Read(catalog::ApiKeys(), OwnerOf("a"), found_.get()).has_value());
    REEVE_ASSERT(found_->size() == 1);
    return found_->Row(0)[catalog::ApiKeys().Index(column)];
  }

  std::string Table(const catalog::Table& table) {
    auto reader = sink_->OpenReader();
    REEVE_ASSERT(reader.has_value());
    return DumpTable(**reader, table);
  }

  std::unique_ptr<Adapter> adapter_;
  std::unique_ptr<CentralSink> sink_;
  std::unique_ptr<RowBatch> found_;
};

INSTANTIATE_TEST_SUITE_P(Adapters, CentralSinkSuite, testing::Values("memory", "sqlite", "bigquery", "bigquery_plain", "bigquery_emulator"),
                         [](const auto& info) { return info.param; });

// Gives every key an id of its own. Keys that swap ids within one write are a conflict, which other tests are about.
TenantWrite WithSettledKeyIds(TenantWrite write) {
  const auto id = static_cast<size_t>(catalog::ApiKeys().Index("api_key_id"));
  const auto hash = static_cast<size_t>(catalog::ApiKeys().Index("api_key_hash"));
  for (RowBatch& rows : write.tables) {
    if (&rows.table() != &catalog::ApiKeys()) continue;
    for (size_t i = 0; i < rows.size(); ++i) rows.Row(i)[id] = rows.Own("key_" + std::string(rows.Row(i)[hash].text));
  }
  return write;
}

TEST_P(CentralSinkSuite, ASecondMergeOfTheSameRowsChangesNothing) {
  const uint64_t seed = TakeSeed();
  for (int i = 0; i < Rounds(20); ++i) {
    std::mt19937_64 first(seed + i), second(seed + i);
    const TenantResult once = Merge(WithSettledKeyIds(RandomWrite(first, "t1", i)));
    const auto before = Dump(*sink_);
    const TenantResult twice = Merge(WithSettledKeyIds(RandomWrite(second, "t1", i)));
    EXPECT_EQ(once.outcome, twice.outcome) << twice.detail;
    // Several versions of one row in one write each count, so only the dataset is compared.
    EXPECT_EQ(Dump(*sink_), before);
  }
}

TEST_P(CentralSinkSuite, CountsRowsThatChanged) {
  EXPECT_EQ(MergeCustomer("a").rows_changed, 2u);
  EXPECT_EQ(MergeCustomer("a").rows_changed, 0u);
  EXPECT_EQ(MergeKey([](RowMaker&) {}).rows_changed, 1u);
  EXPECT_EQ(MergeKey([](RowMaker&) {}).rows_changed, 0u);
  EXPECT_EQ(MergeKey([](RowMaker& key) { key.Text("key_name", "new"); }).rows_changed, 1u);
}

TEST_P(CentralSinkSuite, BookkeepingAloneIsNoChange) {
  MergeCustomer("a");
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, "a").Num("updated_at", 7);
  const std::string before = Table(catalog::Customers());
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(customers))).rows_changed, 0u);
  EXPECT_EQ(Table(catalog::Customers()), before);
}

TEST_P(CentralSinkSuite, BookkeepingFollowsAnotherChange) {
  MergeCustomer("a");
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, "a").Num("updated_at", 7'000'000).Text("company_name", "New");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(customers))).rows_changed, 1u);
  EXPECT_NE(Table(catalog::Customers()).find("1970-01-01 00:00:07 UTC"), std::string::npos);
}

TEST_P(CentralSinkSuite, ARevocationNeverUnHappens) {
  MergeCustomer("a");
  MergeKey([](RowMaker& key) { key.Num("is_active", 0).Num("revoked_at", 500).Text("revoked_by", "ann"); });
  MergeKey([](RowMaker& key) { key.Num("is_active", 1); });
  EXPECT_EQ(KeyCell("is_active").num, 0);
  EXPECT_EQ(KeyCell("revoked_at").num, 500);
  EXPECT_EQ(KeyCell("revoked_by").text, "ann");
}

TEST_P(CentralSinkSuite, TheEarliestRevocationStaysWithWhoMadeIt) {
  MergeCustomer("a");
  MergeKey([](RowMaker& key) { key.Num("is_active", 0).Num("revoked_at", 500).Text("revoked_by", "ann"); });
  MergeKey([](RowMaker& key) { key.Num("is_active", 0).Num("revoked_at", 400).Text("revoked_by", "zoe"); });
  MergeKey([](RowMaker& key) { key.Num("is_active", 0).Num("revoked_at", 600).Text("revoked_by", "abe"); });
  EXPECT_EQ(KeyCell("revoked_at").num, 400);
  EXPECT_EQ(KeyCell("revoked_by").text, "zoe");
  MergeKey([](RowMaker& key) { key.Num("is_active", 0).Num("revoked_at", 400).Text("revoked_by", "yan"); });
  EXPECT_EQ(KeyCell("revoked_by").text, "yan");
}

TEST_P(CentralSinkSuite, ANullOverwritesWhatTheLatestDecides) {
  MergeCustomer("a");
  MergeKey([](RowMaker& key) { key.Text("key_name", "old").Num("expires_at", 9); });
  MergeKey([](RowMaker&) {});
  EXPECT_TRUE(KeyCell("key_name").is_null);
  EXPECT_EQ(KeyCell("expires_at").num, 9) << "an unknown expiry is not an earlier one";
}

// A random version of a key: every column that merges as a lattice.
void FillVersion(uint64_t version, RowMaker& key) {
  std::mt19937_64 random(version);
  key.Num("is_active", random() % 2).Num("created_at", random() % 3);
  for (std::string_view column : {"revoked_at", "expires_at", "last_used_at"}) {
    if (random() % 3 != 0) key.Num(column, random() % 3);
  }
  if (random() % 3 != 0) key.Text("revoked_by", random() % 2 == 0 ? "x" : "y");
}

std::string LatticeState(std::span<const Cell> row) {
  std::string state;
  for (std::string_view column : {"is_active", "revoked_at", "revoked_by", "expires_at", "last_used_at", "created_at"}) {
    const Cell& cell = row[catalog::ApiKeys().Index(column)];
    state.append(fmt::format("{}={}/{}/{} ", column, cell.is_null, cell.num, cell.text));
  }
  return state;
}

TEST_P(CentralSinkSuite, KeyStateDependsNeitherOnOrderNorOnRepetition) {
  const uint64_t seed = TakeSeed();
  std::mt19937_64 random(seed);
  MergeCustomer("a");
  for (int round = 0; round < Rounds(50); ++round) {
    SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
    const std::array<uint64_t, 3> versions = {random(), random(), random()};
    // Four copies of one key, each taking the versions in an order of its own, some of them twice.
    RowBatch keys(catalog::ApiKeys());
    for (int copy = 0; copy < 4; ++copy) {
      std::vector<uint64_t> order(versions.begin(), versions.end());
      for (int again = random() % 3; again > 0; --again) order.push_back(versions[random() % 3]);
      std::shuffle(order.begin(), order.end(), random);
      for (const uint64_t version : order) {
        RowMaker key = AddKey(&keys, "a", fmt::format("{:02}.{}", round, copy));
        FillVersion(version, key);
      }
    }
    ASSERT_EQ(Merge(WriteOf("a", 1, std::move(keys))).outcome, Outcome::kMerged);
  }
  RowBatch found(catalog::ApiKeys());
  ASSERT_TRUE((*sink_->OpenReader())->Read(catalog::ApiKeys(), OwnerOf("a"), &found));
  ASSERT_EQ(found.size(), static_cast<size_t>(Rounds(50)) * 4);
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(LatticeState(found.Row(i)), LatticeState(found.Row(i / 4 * 4))) << "seed " << seed;
  }
}

TEST_P(CentralSinkSuite, AStaleAttemptIsRejectedWhole) {
  MergeCustomer("a", 5);
  const auto before = Dump(*sink_);
  RowBatch keys(catalog::ApiKeys());
  AddKey(&keys, "a", "1");
  const TenantResult result = Merge(WriteOf("a", 4, std::move(keys)));
  EXPECT_EQ(result.outcome, Outcome::kStaleAttempt);
  EXPECT_EQ(Dump(*sink_), before);
}

TEST_P(CentralSinkSuite, TheFenceNeverGoesDown) {
  MergeCustomer("a", 5);
  RowBatch tenants(catalog::ReeveTenants());
  AddTenant(&tenants, "a", 3);  // a row that contradicts its write
  EXPECT_EQ(Merge(WriteOf("a", 6, std::move(tenants))).outcome, Outcome::kMerged);
  EXPECT_EQ(MergeCustomer("a", 4).outcome, Outcome::kStaleAttempt);
}

TEST_P(CentralSinkSuite, AConflictStaysWithItsTenant) {
  MergeCustomer("a");
  MergeKey([](RowMaker&) {});
  std::vector<TenantWrite> batch;
  for (const char* tenant : {"b", "c", "d"}) {
    RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys());
    AddCustomer(&customers, tenant);
    AddKey(&keys, tenant, std::string_view(tenant) == "c" ? "1" : tenant);  // "1" is a's
    batch.push_back(WriteOf(tenant, 1, std::move(keys), std::move(customers)));
  }
  const auto results = sink_->Merge(batch);
  ASSERT_TRUE(results);
  EXPECT_EQ((*results)[0].outcome, Outcome::kMerged);
  EXPECT_EQ((*results)[1].outcome, Outcome::kConflict);
  EXPECT_EQ((*results)[2].outcome, Outcome::kMerged);
  EXPECT_NE((*results)[1].detail.find("customer_api_keys"), std::string::npos) << (*results)[1].detail;
  EXPECT_EQ((*results)[1].detail.find(HashOf("1")), std::string::npos) << "a hash is shortened";
  EXPECT_EQ(Table(catalog::Customers()).find("\"tenant_id\":\"c\""), std::string::npos);
  EXPECT_NE(Table(catalog::ApiKeys()).find("\"tenant_id\":\"d\""), std::string::npos);
}

TEST_P(CentralSinkSuite, IdentityNeverChanges) {
  MergeCustomer("a");
  const auto before = Dump(*sink_);
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, "a").Text("customer_id", "cust_b");
  TenantWrite write = WriteOf("a", 1, std::move(customers));
  write.owner.customer_id = "cust_b";
  const TenantResult result = Merge(std::move(write));
  EXPECT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_NE(result.detail.find("customer_id would change"), std::string::npos) << result.detail;
  EXPECT_EQ(Dump(*sink_), before);
}

TEST_P(CentralSinkSuite, AnEventIsNeverRewritten) {
  RowBatch events(catalog::AuditLogs());
  AddEvent(&events, "a", "log_1");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(events))).rows_changed, 1u);
  RowBatch again(catalog::AuditLogs());
  AddEvent(&again, "a", "log_1").Text("metadata", "{\"other\":1}");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(again))).outcome, Outcome::kConflict);
}

TEST_P(CentralSinkSuite, RowsOfAnotherOwnerAreRefused) {
  MergeCustomer("a");
  MergeCustomer("b");
  RowBatch keys(catalog::ApiKeys());
  AddKey(&keys, "b", "1");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(keys))).outcome, Outcome::kConflict);
}

TEST_P(CentralSinkSuite, BrokenConstraintsAreConflicts) {
  MergeCustomer("a");
  EXPECT_EQ(MergeKey([](RowMaker& key) { key.Null("created_at"); }).outcome, Outcome::kConflict);
  EXPECT_EQ(MergeKey([](RowMaker& key) { key.Num("is_active", 7); }).outcome, Outcome::kConflict);
  RowBatch orphans(catalog::ApiKeys());
  AddKey(&orphans, "b", "2");
  EXPECT_EQ(Merge(WriteOf("b", 1, std::move(orphans))).outcome, Outcome::kConflict) << "its customer does not exist";
  RowBatch two(catalog::Subscriptions());
  AddSubscription(&two, "a");
  AddSubscription(&two, "a").Text("subscription_id", "sub_2");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(two))).outcome, Outcome::kConflict) << "only one is current";
  RowBatch twins(catalog::ApiKeys());
  AddKey(&twins, "a", "1").Text("api_key_id", "same");
  AddKey(&twins, "a", "2").Text("api_key_id", "same");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(twins))).outcome, Outcome::kConflict) << "an id names one key";
}

TEST_P(CentralSinkSuite, AnAttemptReplacesATenantsFindings) {
  const auto merge = [&](std::string_view tenant, std::vector<std::string_view> codes) {
    RowBatch findings(catalog::ReeveFindings());
    for (std::string_view code : codes) AddFinding(&findings, tenant, code);
    return Merge(WriteOf(tenant, 1, std::move(findings))).rows_changed;
  };
  EXPECT_EQ(merge("a", {"x", "y"}), 2u);
  EXPECT_EQ(merge("b", {"x"}), 1u);
  EXPECT_EQ(merge("", {"x"}), 1u);
  EXPECT_EQ(merge("a", {"y", "x"}), 0u);
  EXPECT_EQ(merge("a", {"y", "z"}), 2u) << "one new, one gone";
  EXPECT_EQ(merge("a", {}), 2u);
  EXPECT_EQ(Table(catalog::ReeveFindings()),
            "{\"tenant_id\":\"\",\"code\":\"x\",\"subject\":\"\",\"detail\":\"\"}\n"
            "{\"tenant_id\":\"b\",\"code\":\"x\",\"subject\":\"\",\"detail\":\"\"}\n");
}

TEST_P(CentralSinkSuite, EraseKeepsTheAuditAndTheFence) {
  for (const char* tenant : {"a", "b"}) {
    MergeCustomer(tenant, 2);
    RowBatch keys(catalog::ApiKeys()), credentials(catalog::Credentials()), usage(catalog::Usage()), events(catalog::AuditLogs()),
        findings(catalog::ReeveFindings()), subscriptions(catalog::Subscriptions());
    AddKey(&keys, tenant, tenant);
    AddCredential(&credentials, tenant, "cred");
    AddUsage(&usage, tenant, 0);
    AddEvent(&events, tenant, fmt::format("log_{}", tenant));
    AddFinding(&findings, tenant, "x");
    AddSubscription(&subscriptions, tenant);
    ASSERT_EQ(Merge(WriteOf(tenant, 2, std::move(keys), std::move(credentials), std::move(usage), std::move(events),
                            std::move(findings), std::move(subscriptions))).rows_changed, 6u);
  }
  RowBatch tenants(catalog::ReeveTenants()), events(catalog::AuditLogs());
  AddTenant(&tenants, "a", 3).Text("phase", "legacy");
  AddEvent(&events, "a", "log_rolled_back");
  std::vector<TenantWrite> after;
  after.push_back(WriteOf("a", 3, std::move(tenants), std::move(events)));
  after.push_back(WriteOf("b", 1));
  const auto erased = sink_->Erase(after);
  ASSERT_TRUE(erased);
  ASSERT_EQ(erased->size(), 2u);
  EXPECT_EQ((*erased)[0].outcome, Outcome::kMerged) << (*erased)[0].detail;
  EXPECT_EQ((*erased)[0].rows_changed, 8u) << "six of the tenant, its phase, the event";
  EXPECT_EQ((*erased)[1].outcome, Outcome::kStaleAttempt) << "the tenant beside it keeps its rows";
  for (const catalog::Table* table : {&catalog::Customers(), &catalog::Subscriptions(), &catalog::ApiKeys(), &catalog::Credentials(),
                                      &catalog::Usage(), &catalog::ReeveFindings()}) {
    const std::string rows = Table(*table);
    EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 1) << rows;
  }
  EXPECT_NE(Table(catalog::AuditLogs()).find("log_a"), std::string::npos);
  EXPECT_NE(Table(catalog::AuditLogs()).find("log_rolled_back"), std::string::npos);
  EXPECT_EQ(MergeCustomer("a", 2).outcome, Outcome::kStaleAttempt);
  const TenantWrite late = WriteOf("a", 2);
  const auto stale = sink_->Erase({&late, 1});
  ASSERT_TRUE(stale);
  EXPECT_EQ(stale->front().outcome, Outcome::kStaleAttempt);
}

TEST_P(CentralSinkSuite, AmendMovesChildrenBeforeTheirCustomerGoes) {
  MergeCustomer("a");
  MergeCustomer("b");
  MergeKey([](RowMaker&) {});
  RowBatch keys(catalog::ApiKeys());
  AddKey(&keys, "b", "1");
  std::vector<RowBatch> upserts;
  upserts.push_back(std::move(keys));
  const std::vector<CentralSink::Deletion> deletions = {
      {&catalog::Customers(), {Cell::Text("cust_a")}},
      {&catalog::ApiKeys(), {Cell::Text("cust_a"), Cell::Text("key_1")}},
  };
  ASSERT_TRUE(sink_->Amend(deletions, upserts));
  EXPECT_EQ(Table(catalog::Customers()).find("cust_a"), std::string::npos);
  EXPECT_NE(Table(catalog::ApiKeys()).find("cust_b"), std::string::npos);
}

TEST_P(CentralSinkSuite, WhatIsDeletedByMergeKeyIsNotMergedIntoButReplaced) {
  MergeCustomer("a");
  MergeKey([](RowMaker& key) { key.Num("is_active", 0).Num("revoked_at", 500).Num("created_at", 100); });
  RowBatch keys(catalog::ApiKeys());
  AddKey(&keys, "a", "1").Text("api_key_id", "key_renamed").Num("created_at", 900);
  std::vector<RowBatch> upserts;
  upserts.push_back(std::move(keys));
  const std::string hash = HashOf("1");
  const std::vector<CentralSink::Deletion> deletions = {{&catalog::ApiKeys(), {Cell::Text(hash)}, false, true}};
  ASSERT_TRUE(sink_->Amend(deletions, upserts));
  EXPECT_EQ(KeyCell("api_key_id").text, "key_renamed");
  EXPECT_EQ(KeyCell("is_active").num, 1);
  EXPECT_EQ(KeyCell("created_at").num, 900);
  EXPECT_TRUE(KeyCell("revoked_at").is_null);
}

TEST_P(CentralSinkSuite, AmendIsAllOrNothing) {
  MergeCustomer("a");
  MergeKey([](RowMaker&) {});
  const auto before = Dump(*sink_);
  const std::vector<CentralSink::Deletion> orphaning = {{&catalog::Customers(), {Cell::Text("cust_a")}}};
  EXPECT_FALSE(sink_->Amend(orphaning, {}));
  EXPECT_EQ(Dump(*sink_), before);
  EXPECT_TRUE(sink_->Amend({}, {}));
}

TEST_P(CentralSinkSuite, AReaderSeesTheLastCommitBeforeItWasOpened) {
  MergeCustomer("a");
  auto reader = sink_->OpenReader();
  ASSERT_TRUE(reader);
  MergeCustomer("b");
  EXPECT_EQ((*reader)->Count(catalog::Customers()).value(), 1u);
  RowBatch none(catalog::Customers());
  ASSERT_TRUE((*reader)->Read(catalog::Customers(), OwnerOf("b"), &none));
  EXPECT_TRUE(none.empty());
  EXPECT_EQ((*sink_->OpenReader())->Count(catalog::Customers()).value(), 2u);
}

TEST_P(CentralSinkSuite, ReadsAnOwnersRowsInOrderOfTheKeyAndAppends) {
  MergeCustomer("a");
  RowBatch keys(catalog::ApiKeys());
  for (const char* name : {"b", "B", "a", "\xC3\xA9", "ab"}) AddKey(&keys, "a", name);
  Merge(WriteOf("a", 1, std::move(keys)));
  auto reader = sink_->OpenReader();
  RowBatch found(catalog::ApiKeys());
  found.AddRow();
  ASSERT_TRUE((*reader)->Read(catalog::ApiKeys(), OwnerOf("a"), &found));
  std::vector<std::string> ids;
  for (size_t i = 1; i < found.size(); ++i) ids.emplace_back(found.Row(i)[0].text);
  EXPECT_EQ(ids, (std::vector<std::string>{"key_B", "key_a", "key_ab", "key_b", "key_\xC3\xA9"}));
}

TEST_P(CentralSinkSuite, FindsByEveryKeyAndUniqueSet) {
  MergeCustomer("a");
  MergeKey([](RowMaker&) {});
  RowBatch subscriptions(catalog::Subscriptions());
  AddSubscription(&subscriptions, "a");
  AddSubscription(&subscriptions, "a").Text("subscription_id", "sub_old").Num("billing_cycle_end", 1);
  ASSERT_EQ(Merge(WriteOf("a", 1, std::move(subscriptions))).outcome, Outcome::kMerged);
  auto reader = sink_->OpenReader();
  const auto find = [&](const catalog::Table& table, std::vector<std::string_view> columns, std::vector<Cell> values) {
    RowBatch found(table);
    EXPECT_TRUE((*reader)->Find(table, columns, values, &found));
    return found.size();
  };
  const std::string hash = HashOf("1");
  EXPECT_EQ(find(catalog::ApiKeys(), {"api_key_hash"}, {Cell::Text(hash)}), 1u);
  EXPECT_EQ(find(catalog::ApiKeys(), {"api_key_hash"}, {Cell::Text("x")}), 0u);
  EXPECT_EQ(find(catalog::ApiKeys(), {"customer_id", "api_key_id"}, {Cell::Text("cust_a"), Cell::Text("key_1")}), 1u);
  EXPECT_EQ(find(catalog::Customers(), {"tenant_id"}, {Cell::Text("a")}), 1u);
  EXPECT_EQ(find(catalog::Subscriptions(), {"customer_id"}, {Cell::Text("cust_a")}), 1u) << "the current one";
}

TEST_P(CentralSinkSuite, AnEmptyBatchAndAnEmptyWriteAreFine) {
  EXPECT_EQ(sink_->Merge({})->size(), 0u);
  EXPECT_EQ(Merge(WriteOf("a", 1)).outcome, Outcome::kMerged);
  EXPECT_TRUE(sink_->ApplySchema());
  EXPECT_TRUE(sink_->CheckSchema()->empty());
  EXPECT_TRUE(sink_->CheckIntegrity()->empty());
  EXPECT_TRUE(sink_->Checkpoint());
}

}  // namespace
}  // namespace reeve::store
