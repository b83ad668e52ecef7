// A dataset of the fake's own for each test, what tests write into it, and what they look for there beside the sink.
#pragma once

#include "store/bigquery/bigquery_sink.h"
#include "store/bigquery/dataset_lock.h"
#include "store/bigquery/dataset_tables.h"
#include "tests/conformance/bigquery_dataset.h"

namespace reeve::store {

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
    catalog::RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys()), credentials(catalog::Credentials()), tenants(catalog::ReeveTenants()),
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

}  // namespace reeve::store
