// The Store suite, run for every adapter.
#include "store/store.h"

#include <gtest/gtest.h>

#include "base/time_text.h"
#include "store/memory/memory.h"
#include "store/sqlite/sqlite_store.h"
#include "tests/conformance/central_sink_world.h"

namespace reeve::store {
namespace {

using catalog::RowBatch;

class StoreSuite : public testing::TestWithParam<const char*> {
 protected:
  StoreSuite() {
    const bool memory = std::string_view(GetParam()) == "memory";
    auto data = MakeMemoryData();
    std::unique_ptr<CentralSink> sink = memory ? MakeMemorySink(data) : std::move(OpenSqliteSink(*files_, Path(), OpenMode::kCreate, "s").value());
    Seed(*sink);
    sink = nullptr;
    store_ = memory ? MakeMemoryStore(data) : std::move(OpenSqliteStore(*files_, Path(), "reeve serve").value());
  }

  static void Seed(CentralSink& sink) {
    RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys()), usage(catalog::Usage()), subscriptions(catalog::Subscriptions());
    AddCustomer(&customers, "a").Text("contact_email", "a@example.com");
    AddKey(&keys, "a", "1").Text("key_name", "ci").Num("expires_at", 9'000'000);
    AddUsage(&usage, "a", 0).Num("pipelines_run_count", 7);
    AddSubscription(&subscriptions, "a").Text("subscription_id", "sub_old").Num("billing_cycle_end", 20'100);
    AddSubscription(&subscriptions, "a").Null("concurrent_pipeline_quota").Num("monthly_pipeline_quota", 0);
    std::vector<TenantWrite> batch;
    batch.push_back(WriteOf("a", 1, std::move(customers), std::move(keys), std::move(usage), std::move(subscriptions)));
    REEVE_ASSERT(sink.Merge(batch).value()[0].outcome == Outcome::kMerged);
  }

  static RowBatch Event(std::string_view id) {
    RowBatch events(catalog::AuditLogs());
    AddEvent(&events, "a", id).Text("event_type", "api_key.revoked");
    return events;
  }

  std::string Path() const { return dir_.File("store.db"); }

  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Adapters, StoreSuite, testing::Values("memory", "sqlite"), [](const auto& info) { return info.param; });

TEST_P(StoreSuite, FindsAKeyByItsHash) {
  const auto key = store_->FindKey(HashOf("1")).value();
  ASSERT_TRUE(key);
  EXPECT_EQ(key->api_key_id, "key_1");
  EXPECT_EQ(key->customer_id, "cust_a");
  EXPECT_EQ(key->key_name, "ci");
  EXPECT_EQ(key->scopes, std::vector<std::string>{"usage:read"});
  EXPECT_TRUE(key->is_active);
  EXPECT_FALSE(key->has_ciphertext);
  EXPECT_EQ(key->expires_at, 9'000'000);
  EXPECT_EQ(key->revoked_at, std::nullopt);
  EXPECT_EQ(store_->FindKey(HashOf("2")).value(), std::nullopt);
}

TEST_P(StoreSuite, FindsACustomerByIdAndByTenant) {
  EXPECT_EQ(store_->FindCustomer("cust_a").value()->tenant_id, "a");
  EXPECT_EQ(store_->FindCustomerOfTenant("a").value()->contact_email, "a@example.com");
  EXPECT_FALSE(store_->FindCustomer("a").value());
  EXPECT_FALSE(store_->FindCustomerOfTenant("A").value()) << "names are bytes";
}

TEST_P(StoreSuite, TheCurrentSubscriptionIsTheOneWithoutAnEnd) {
  const auto current = store_->CurrentSubscription("cust_a").value();
  ASSERT_TRUE(current);
  EXPECT_EQ(current->subscription_id, "sub_a");
  EXPECT_EQ(current->concurrent_pipeline_quota, std::nullopt) << "unlimited";
  EXPECT_EQ(current->monthly_pipeline_quota, 0) << "blocked";
  EXPECT_FALSE(store_->CurrentSubscription("cust_b").value());
}

TEST_P(StoreSuite, UsageIsByMonth) {
  const Days month = MonthStart(20'400);
  EXPECT_EQ(store_->UsageOf("a", month).value()->pipelines_run_count, 7);
  EXPECT_EQ(store_->UsageOf("a", month).value()->compute_hours_hundredths, 125);
  EXPECT_FALSE(store_->UsageOf("a", MonthStart(month, 1)).value());
}

TEST_P(StoreSuite, ARevocationHoldsAtOnceAndIsWrittenOnce) {
  EXPECT_EQ(store_->RevokeKey(HashOf("1"), 500, "ann", Event("log_1")).value(), RevokeOutcome::kRevoked);
  auto key = store_->FindKey(HashOf("1")).value();
  EXPECT_FALSE(key->is_active);
  EXPECT_EQ(key->revoked_at, 500);
  EXPECT_EQ(key->revoked_by, "ann");
  EXPECT_EQ(key->key_name, "ci") << "nothing else changed";
  EXPECT_EQ(store_->RevokeKey(HashOf("1"), 600, "bob", Event("log_2")).value(), RevokeOutcome::kAlreadyRevoked);
  EXPECT_EQ(store_->FindKey(HashOf("1")).value()->revoked_by, "ann");
  EXPECT_EQ(store_->RevokeKey(HashOf("1"), 400, "cat", Event("log_3")).value(), RevokeOutcome::kRevoked);
  EXPECT_EQ(store_->FindKey(HashOf("1")).value()->revoked_at, 400);
  EXPECT_EQ(store_->RevokeKey(HashOf("2"), 1, "ann", Event("log_4")).value(), RevokeOutcome::kUnknownKey);
}

TEST_P(StoreSuite, WithoutItsEventNoRevocationIsStored) {
  ASSERT_TRUE(store_->RevokeKey(HashOf("1"), 500, "ann", Event("log_1")));
  RowBatch clashing = Event("log_1");
  clashing.Row(0)[catalog::AuditLogs().Index("result")] = catalog::Cell::Text("failure");
  EXPECT_FALSE(store_->RevokeKey(HashOf("1"), 400, "bob", clashing));
  EXPECT_EQ(store_->FindKey(HashOf("1")).value()->revoked_at, 500);
}

TEST(SqliteStore, LookingNeedsNoLockAndSeesTheLastCommit) {
  TempDir dir;
  const auto files = MakeSystemFiles();
  const std::string path = dir.File("store.db");
  EXPECT_EQ(OpenSqliteStoreReader(path).error().code, Code::kStoreMissing);
  EXPECT_EQ(OpenSqliteStore(*files, path, "x").error().code, Code::kStoreMissing);
  auto sink = std::move(OpenSqliteSink(*files, path, OpenMode::kCreate, "reeve migrate").value());
  auto reader = std::move(OpenSqliteStoreReader(path).value());
  EXPECT_FALSE(reader->FindCustomerOfTenant("a").value());
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, "a");
  std::vector<TenantWrite> batch;
  batch.push_back(WriteOf("a", 1, std::move(customers)));
  ASSERT_TRUE(sink->Merge(batch));
  EXPECT_TRUE(reader->FindCustomerOfTenant("a").value());
  EXPECT_EQ(OpenSqliteStore(*files, path, "x").error().code, Code::kLocked);
}

}  // namespace
}  // namespace reeve::store
