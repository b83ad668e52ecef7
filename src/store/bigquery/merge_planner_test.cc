#include "store/bigquery/merge_planner.h"

#include <gtest/gtest.h>

#include "store/memory/memory.h"
#include "tests/conformance/central_sink_world.h"
#include "tests/fakes/no_bigquery.h"

namespace reeve::store {
namespace {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;

// A planner over a dataset that is known to be empty, so that nothing is asked of BigQuery.
class MergePlannerTest : public testing::Test {
 protected:
  MergePlannerTest() {
    for (const Table* table : DatasetTables()) copies_.Learn(*table, {}, true);
    planner_ = std::move(MergePlanner::Make(copies_).value());
    REEVE_ASSERT(planner_->Load(DatasetTables()).has_value());
  }

  static std::shared_ptr<Spool> OpenSpool(Files& files, Entropy& entropy, const TempDir& dir) { return Spool::Open(files, entropy, dir.File("")).value(); }

  TenantResult Merge(TenantWrite write) {
    std::vector<TenantWrite> batch;
    batch.push_back(std::move(write));
    return planner_->Merge(batch)->front();
  }

  // Merges customer `tenant` and keeps it.
  void Keep(TenantWrite write) {
    ASSERT_EQ(Merge(std::move(write)).outcome, Outcome::kMerged);
    ASSERT_TRUE(planner_->Changes());
    ASSERT_TRUE(planner_->Commit());
  }
  void KeepCustomer(std::string_view tenant) {
    RowBatch customers(catalog::Customers());
    AddCustomer(&customers, tenant);
    Keep(WriteOf(tenant, 1, std::move(customers)));
  }

  std::vector<std::string> Changed() {
    std::vector<std::string> names;
    const auto changes = planner_->Changes();
    for (const ScriptTable& one : *changes) names.emplace_back(one.table->name);
    return names;
  }

  // "put customers cust_a", … in the order of staging. REQUIRES: Changes() was called
  std::vector<std::string> Staged(int rows_max = 100) {
    std::vector<std::string> staged;
    MergePlanner::Place place;
    while (!place.end) {
      place = planner_->VisitChanges(place, rows_max, [&](const StagedRow& row) {
        std::string line = fmt::format("{} {}", row.put ? "put" : "delete", row.table->name);
        for (std::string_view name : row.table->merge_key) {
          const Cell& cell = row.cells[row.table->Index(name)];
          line.append(fmt::format(" {}", cell.text.empty() ? std::to_string(cell.num) : std::string(cell.text)));
        }
        if (!row.tenant.empty()) line.append(fmt::format(" of {}/{}", row.tenant, row.attempt));
        staged.push_back(line);
      }).value();
    }
    return staged;
  }

  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Entropy> entropy_ = MakeSeededEntropy(1);
  NoBigQuery client_;
  TableCopies copies_{client_, OpenSpool(*files_, *entropy_, dir_), {"p", "central"}, "read"};
  std::unique_ptr<MergePlanner> planner_;
};

TEST_F(MergePlannerTest, OnlyWhatChangesIsStaged) {
  KeepCustomer("a");
  RowBatch customers(catalog::Customers()), subscriptions(catalog::Subscriptions());
  AddCustomer(&customers, "a").Num("updated_at", 7);  // bookkeeping alone is no change
  AddSubscription(&subscriptions, "a");
  EXPECT_EQ(Merge(WriteOf("a", 4, std::move(customers), std::move(subscriptions))).rows_changed, 1u);
  EXPECT_EQ(Changed(), (std::vector<std::string>{"customer_subscriptions"}));
  EXPECT_EQ(Staged(), (std::vector<std::string>{"put customer_subscriptions cust_a sub_a of a/4"})) << "whose it is, is found by its customer";
}

TEST_F(MergePlannerTest, AnUnchangedMergeStagesNothing) {
  KeepCustomer("a");
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, "a");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(customers))).rows_changed, 0u);
  EXPECT_TRUE(Changed().empty());
}

TEST_F(MergePlannerTest, WhatATenantNoLongerHasIsStagedAsDeletion) {
  RowBatch two(catalog::ReeveFindings()), one(catalog::ReeveFindings());
  AddFinding(&two, "a", "x");
  AddFinding(&two, "a", "y");
  AddFinding(&one, "a", "y");
  Keep(WriteOf("a", 1, std::move(two)));
  EXPECT_EQ(Merge(WriteOf("a", 2, std::move(one))).rows_changed, 1u);
  EXPECT_EQ(Changed(), (std::vector<std::string>{"reeve_findings"}));
  EXPECT_EQ(Staged(), (std::vector<std::string>{"delete reeve_findings a x 0 of a/2"}));
}

TEST_F(MergePlannerTest, NothingOfAConflictingTenantIsStaged) {
  KeepCustomer("a");
  std::vector<TenantWrite> batch;
  for (const char* tenant : {"b", "c"}) {
    RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys());
    AddCustomer(&customers, tenant);
    AddKey(&keys, tenant, "same");
    batch.push_back(WriteOf(tenant, 1, std::move(customers), std::move(keys)));
  }
  const auto results = planner_->Merge(batch);
  ASSERT_TRUE(results);
  EXPECT_EQ((*results)[0].outcome, Outcome::kMerged);
  EXPECT_EQ((*results)[1].outcome, Outcome::kConflict);
  EXPECT_EQ(Changed(), (std::vector<std::string>{"customers", "customer_api_keys"}));
  for (const std::string& line : Staged()) EXPECT_EQ(line.find(" of c"), std::string::npos) << line;
}

TEST_F(MergePlannerTest, StagingReadsTheSameInPiecesOfAnySizeAndAgain) {
  std::vector<TenantWrite> batch;
  for (int i = 0; i < 7; ++i) {
    const std::string tenant = fmt::format("t{}", i);
    RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys());
    AddCustomer(&customers, tenant);
    for (int key = 0; key < 3; ++key) AddKey(&keys, tenant, fmt::format("{}.{}", tenant, key));
    batch.push_back(WriteOf(tenant, 1, std::move(customers), std::move(keys)));
  }
  ASSERT_TRUE(planner_->Merge(batch));
  ASSERT_EQ(Changed().size(), 2u);
  const auto whole = Staged(1000);
  EXPECT_EQ(whole.size(), 28u);
  for (const int rows_max : {1, 2, 7, 21}) EXPECT_EQ(Staged(rows_max), whole);
}

TEST_F(MergePlannerTest, TextsThatBigQueryWouldChangeAreNotedAndForgotten) {
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, "a").Text("metadata", "{\"b\": 1}");
  Merge(WriteOf("a", 1, std::move(customers)));
  EXPECT_EQ(Changed(), (std::vector<std::string>{"customers", "reeve_exact_cells"}));
  EXPECT_EQ(Staged(), (std::vector<std::string>{"put customers a of a/1", "put reeve_exact_cells customers [\"a\"] metadata of a/1"}));
  ASSERT_TRUE(planner_->Commit());
  RowBatch again(catalog::Customers());
  AddCustomer(&again, "a").Text("metadata", "{\"b\":1}");
  EXPECT_EQ(Merge(WriteOf("a", 1, std::move(again))).rows_changed, 1u);
  EXPECT_EQ(Changed(), (std::vector<std::string>{"customers", "reeve_exact_cells"}));
  EXPECT_EQ(Staged(), (std::vector<std::string>{"put customers a of a/1", "delete reeve_exact_cells customers [\"a\"] metadata of a/1"}));
}

TEST_F(MergePlannerTest, WithATenantGoWhatWasNotedOfIt) {
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, "a").Text("metadata", "{\"b\": 1}");
  Keep(WriteOf("a", 1, std::move(customers)));
  std::vector<TenantWrite> after;
  after.push_back(WriteOf("a", 2));
  const auto erased = planner_->Erase(after);
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->front().rows_changed, 1u);
  EXPECT_EQ(Changed(), (std::vector<std::string>{"customers", "reeve_exact_cells"}));
  EXPECT_EQ(Staged(), (std::vector<std::string>{"delete customers a of a/2", "delete reeve_exact_cells customers [\"a\"] metadata of a/2"}));
}

TEST_F(MergePlannerTest, WhatBigQueryCannotHoldIsAConflictUnlessTheAttemptIsStale) {
  RowBatch tenants(catalog::ReeveTenants());
  AddTenant(&tenants, "a", 5);
  Keep(WriteOf("a", 5, std::move(tenants)));
  const auto merge = [&](int64_t attempt) {
    RowBatch customers(catalog::Customers());
    AddCustomer(&customers, "a").Text("metadata", "{");
    TenantResult result = Merge(WriteOf("a", attempt, std::move(customers)));
    EXPECT_TRUE(Changed().empty());
    EXPECT_TRUE(planner_->Commit());
    return result;
  };
  const TenantResult conflict = merge(5);
  EXPECT_EQ(conflict.outcome, Outcome::kConflict);
  EXPECT_EQ(conflict.detail, "customers cust_a: metadata is no JSON text that BigQuery keeps");
  EXPECT_EQ(merge(4).outcome, Outcome::kStaleAttempt);
}

TEST_F(MergePlannerTest, ARepairMayNotOrphanAChild) {
  KeepCustomer("a");
  RowBatch keys(catalog::ApiKeys());
  AddKey(&keys, "a", "1");
  Keep(WriteOf("a", 1, std::move(keys)));
  const std::vector<CentralSink::Deletion> deletions = {{&catalog::Customers(), {Cell::Text("cust_a")}}};
  EXPECT_FALSE(planner_->Amend(deletions, {}));
}

}  // namespace
}  // namespace reeve::store
