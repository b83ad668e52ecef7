#include "app/demo_store.h"

#include <vector>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "domain/plan.h"
#include "migrate/ops/row_tools.h"
#include "store/sqlite/sqlite_sink.h"

namespace reeve::app {
namespace {

using catalog::RowBatch;
using migrate::ops::Put;

RowBatch Customer(const std::string& id, Micros now) {
  RowBatch batch(catalog::Customers());
  const auto row = batch.AddRow();
  for (const auto& [column, text] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"customer_id", id}, {"tenant_id", kDemoTenant}, {"company_name", "Demo Company"}, {"subscription_plan", "starter"}, {"status", "active"},
           {"dataset_id", kDemoTenant}, {"metadata", "{}"}})
    Put(&batch, row, column, text);
  Put(&batch, row, "created_at", now);
  Put(&batch, row, "updated_at", now);
  return batch;
}

RowBatch Subscription(const std::string& customer, Micros now) {
  RowBatch batch(catalog::Subscriptions());
  const auto row = batch.AddRow();
  const domain::PlanBook plans = domain::BuiltInPlans();
  const domain::Plan* plan = plans.Find("starter");
  REEVE_ASSERT(plan != nullptr);
  Put(&batch, row, "subscription_id", crypto::DeterministicId("sub_", "subscription", {kDemoTenant}));
  Put(&batch, row, "customer_id", customer);
  Put(&batch, row, "plan_name", plan->name);
  Put(&batch, row, "monthly_pipeline_quota", plan->quotas.monthly_runs.value_or(0));
  Put(&batch, row, "concurrent_pipeline_quota", plan->quotas.concurrent_runs.value_or(0));
  Put(&batch, row, "storage_quota_gb", plan->quotas.storage_gb.value_or(0));
  Put(&batch, row, "billing_cycle_start", DateOf(now));
  Put(&batch, row, "auto_renew", int64_t{0});
  Put(&batch, row, "created_at", now);
  Put(&batch, row, "updated_at", now);
  return batch;
}

RowBatch Key(const std::string& customer, std::string_view text, Micros now) {
  RowBatch batch(catalog::ApiKeys());
  const auto row = batch.AddRow();
  const std::string hash = crypto::Sha256Hex(text);
  for (const auto& [column, value] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"api_key_id", "key_demo"}, {"customer_id", customer}, {"tenant_id", kDemoTenant}, {"api_key_hash", hash}, {"encrypted_api_key", ""}, {"key_name", "demo"},
           {"scopes", R"(["pipelines:read","pipelines:write","usage:read"])"}, {"created_by", "reeve serve --dev"}})
    Put(&batch, row, column, value);
  Put(&batch, row, "is_active", int64_t{1});
  Put(&batch, row, "created_at", now);
  return batch;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<DemoStore> MakeDemoStore(Files& files, Clock& clock, Entropy& entropy, const std::string& path) {
  if (files.Exists(path)) return Fail(Code::kRefused, "{}: is there already", path);
  REEVE_TRY(files.MakeDirs(FolderOf(path)));
  REEVE_ASSIGN(const auto sink, store::OpenSqliteSink(files, path, store::OpenMode::kCreate, "reeve serve --dev"));
  REEVE_TRY(sink->ApplySchema());
  DemoStore demo{Secret("demo_" + HexEncode(entropy.Bytes(24))), crypto::DeterministicId("cust_", "customer", {kDemoTenant})};
  const Micros now = clock.Now();
  std::vector<store::TenantWrite> writes(1);
  writes[0].owner = {std::string(kDemoTenant), demo.customer_id};
  writes[0].attempt = 1;
  writes[0].tables.push_back(Customer(demo.customer_id, now));
  writes[0].tables.push_back(Subscription(demo.customer_id, now));
  writes[0].tables.push_back(Key(demo.customer_id, demo.key.Reveal(), now));
  REEVE_ASSIGN(const auto results, sink->Merge(writes));
  if (results.front().outcome != store::Outcome::kMerged) return Fail(Code::kFailed, "{}: the demo customer was not stored: {}", path, results.front().detail);
  REEVE_TRY(sink->Checkpoint());
  return demo;
}

}  // namespace reeve::app
