#include "store/store.h"

#include "catalog/ndjson.h"

namespace reeve::store {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;

namespace {

// One row by column names.
class RowView {
 public:
  RowView(const Table& table, std::span<const Cell> row) : table_(&table), row_(row) {}
  [[nodiscard]] const Cell& At(std::string_view column) const { return row_[table_->Index(column)]; }
  [[nodiscard]] std::string Text(std::string_view column) const { return std::string(At(column).text); }
  [[nodiscard]] int64_t Num(std::string_view column) const { return At(column).num; }
  [[nodiscard]] std::optional<std::string> MaybeText(std::string_view column) const {
    if (At(column).is_null) return std::nullopt;
    return Text(column);
  }
  [[nodiscard]] std::optional<int64_t> MaybeNum(std::string_view column) const {
    if (At(column).is_null) return std::nullopt;
    return Num(column);
  }

 private:
  const Table* table_;
  std::span<const Cell> row_;
};

KeyRecord MakeKey(const RowView& row) {
  KeyRecord key;
  key.api_key_id = row.Text("api_key_id");
  key.customer_id = row.Text("customer_id");
  key.tenant_id = row.Text("tenant_id");
  key.api_key_hash = row.Text("api_key_hash");
  key.key_name = row.MaybeText("key_name");
  if (!row.At("scopes").is_null) key.scopes = catalog::StringsFromJson(row.At("scopes").text);
  key.is_active = row.Num("is_active") != 0;
  key.has_ciphertext = !row.At("encrypted_api_key").text.empty();
  key.expires_at = row.MaybeNum("expires_at");
  key.last_used_at = row.MaybeNum("last_used_at");
  key.created_at = row.Num("created_at");
  key.created_by = row.MaybeText("created_by");
  key.revoked_at = row.MaybeNum("revoked_at");
  key.revoked_by = row.MaybeText("revoked_by");
  return key;
}

CustomerRecord MakeCustomer(const RowView& row) {
  CustomerRecord customer;
  customer.customer_id = row.Text("customer_id");
  customer.tenant_id = row.Text("tenant_id");
  customer.company_name = row.Text("company_name");
  customer.contact_email = row.MaybeText("contact_email");
  customer.subscription_plan = row.Text("subscription_plan");
  customer.status = row.Text("status");
  customer.dataset_id = row.Text("dataset_id");
  customer.created_at = row.Num("created_at");
  customer.updated_at = row.Num("updated_at");
  customer.metadata = row.MaybeText("metadata");
  return customer;
}

SubscriptionRecord MakeSubscription(const RowView& row) {
  SubscriptionRecord subscription;
  subscription.subscription_id = row.Text("subscription_id");
  subscription.customer_id = row.Text("customer_id");
  subscription.plan_name = row.Text("plan_name");
  subscription.monthly_pipeline_quota = row.MaybeNum("monthly_pipeline_quota");
  subscription.concurrent_pipeline_quota = row.MaybeNum("concurrent_pipeline_quota");
  subscription.storage_quota_gb = row.MaybeNum("storage_quota_gb");
  subscription.billing_cycle_start = static_cast<Days>(row.Num("billing_cycle_start"));
  return subscription;
}

UsageRecord MakeUsage(const RowView& row) {
  UsageRecord usage;
  usage.usage_id = row.Text("usage_id");
  usage.usage_month = static_cast<Days>(row.Num("usage_month"));
  usage.pipelines_run_count = row.Num("pipelines_run_count");
  usage.pipelines_running_count = row.Num("pipelines_running_count");
  usage.storage_used_gb_hundredths = row.Num("storage_used_gb");
  usage.compute_hours_hundredths = row.Num("compute_hours");
  usage.last_pipeline_run_at = row.MaybeNum("last_pipeline_run_at");
  usage.quota_reset_at = row.Num("quota_reset_at");
  return usage;
}

class RecordsOver final : public StoreReader {
 public:
  explicit RecordsOver(std::unique_ptr<CentralReader> reader) : reader_(std::move(reader)) {}

  Result<std::optional<KeyRecord>> FindKey(std::string_view hash) override {
    return Find(catalog::ApiKeys(), {"api_key_hash"}, {Cell::Text(hash)}, MakeKey);
  }
  Result<std::optional<CustomerRecord>> FindCustomer(std::string_view customer_id) override {
    return Find(catalog::Customers(), {"customer_id"}, {Cell::Text(customer_id)}, MakeCustomer);
  }
  Result<std::optional<CustomerRecord>> FindCustomerOfTenant(std::string_view tenant_id) override {
    return Find(catalog::Customers(), {"tenant_id"}, {Cell::Text(tenant_id)}, MakeCustomer);
  }
  Result<std::optional<SubscriptionRecord>> CurrentSubscription(std::string_view customer_id) override {
    return Find(catalog::Subscriptions(), {"customer_id"}, {Cell::Text(customer_id)}, MakeSubscription);
  }
  Result<std::optional<UsageRecord>> UsageOf(std::string_view tenant_id, Days month) override {
    return Find(catalog::Usage(), {"tenant_id", "usage_month"}, {Cell::Text(tenant_id), Cell::Int(month)}, MakeUsage);
  }

 private:
  template <typename Record>
  Result<std::optional<Record>> Find(const Table& table, std::vector<std::string_view> columns, std::vector<Cell> values,
                                     Record (*make)(const RowView&)) {
    RowBatch found(table);
    REEVE_TRY(reader_->Find(table, columns, values, &found));
    REEVE_ASSERT(found.size() <= 1);
    if (found.empty()) return std::nullopt;
    return make(RowView(table, std::as_const(found).Row(0)));
  }

  std::unique_ptr<CentralReader> reader_;
};

}  // namespace

std::unique_ptr<StoreReader> MakeStoreReader(std::unique_ptr<CentralReader> reader) {
  return std::make_unique<RecordsOver>(std::move(reader));
}

void MarkRevoked(RowBatch* key, Micros at, std::string_view by) {
  REEVE_ASSERT(&key->table() == &catalog::ApiKeys() && key->size() == 1);
  const std::span<Cell> row = key->Row(0);
  row[key->table().Index("is_active")] = Cell::Int(0);
  row[key->table().Index("revoked_at")] = Cell::Int(at);
  row[key->table().Index("revoked_by")] = key->Own(by);
}

}  // namespace reeve::store
