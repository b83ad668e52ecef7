// docs/mapping.md §6, and the whole.
#include <algorithm>
#include <type_traits>

#include "base/encoding.h"
#include "sample/expect.h"
#include "sample/expect_text.h"

namespace reeve::sample {
namespace {

struct Plan {
  std::string_view name;
  std::optional<int64_t> monthly, concurrent, storage_gb;
  OptText monthly_cost;
};

const Plan* FindPlan(std::string_view name) {
  static const Plan kPlans[] = {{"starter", 1'000, 5, 100, "99.00"},
                                {"professional", 5'000, 15, 500, "499.00"},
                                {"enterprise", {}, {}, {}, {}}};
  for (const Plan& plan : kPlans)
    if (plan.name == name) return &plan;
  return nullptr;
}

Micros NewnessOf(const RecordRow& row) { return row.updated_at.value_or(row.created_at.value_or(kTimeMin)); }

// The field of the newest row that has it; among equally new ones the smallest.
template <typename T>
std::optional<T> Newest(const std::vector<RecordRow>& rows, std::optional<T> RecordRow::*field) {
  std::optional<T> best;
  Micros best_time = 0;
  for (const RecordRow& row : rows) {
    const std::optional<T>& value = row.*field;
    if (!value) continue;
    if constexpr (std::is_same_v<T, std::string>)
      if (value->empty()) continue;
    const Micros time = NewnessOf(row);
    if (best && (time < best_time || (time == best_time && !(*value < *best)))) continue;
    best = value;
    best_time = time;
  }
  return best;
}

OptTime Earliest(const std::vector<RecordRow>& rows, OptTime RecordRow::*field) {
  OptTime best;
  for (const RecordRow& row : rows)
    if (row.*field && (!best || *(row.*field) < *best)) best = row.*field;
  return best;
}

std::string StatusOf(const std::vector<RecordRow>& rows) {
  bool suspended = Earliest(rows, &RecordRow::suspended_at).has_value() ||
                   Newest(rows, &RecordRow::is_active) == std::optional<bool>(false);
  for (const RecordRow& row : rows) {
    const std::string status = AsciiUpper(row.status.value_or(""));
    if (status == "CANCELLED") return "cancelled";
    suspended |= status == "SUSPENDED";
  }
  return suspended ? "suspended" : "active";
}

std::optional<int64_t> Quota(const std::vector<RecordRow>& rows,
                             std::optional<int64_t> RecordRow::*field,
                             std::optional<int64_t> of_plan, bool* bad) {
  const std::optional<int64_t> own = Newest(rows, field);
  if (!own) return of_plan;
  if (*own >= 0) return own;
  *bad = true;
  return of_plan;
}

ExpectedRow SubscriptionLine(const TenantModel& tenant, const ExpectOptions& options, const Plan& plan,
                             Micros created_at, bool* bad_quota) {
  const auto& rows = tenant.records;
  const std::string id = "sub_" + IdHash("subscription", {tenant.name});
  Line line;
  line.Text("subscription_id", std::string_view(id));
  line.Text("customer_id", std::string_view("cust_" + IdHash("customer", {tenant.name})));
  line.Text("plan_name", plan.name);
  line.Int("monthly_pipeline_quota",
           Quota(rows, &RecordRow::max_pipelines_per_month, plan.monthly, bad_quota));
  line.Int("concurrent_pipeline_quota",
           Quota(rows, &RecordRow::max_concurrent_pipelines, plan.concurrent, bad_quota));
  line.Int("storage_quota_gb", Quota(rows, &RecordRow::max_storage_gb, plan.storage_gb, bad_quota));
  line.Text("monthly_cost_usd", plan.monthly_cost).Date("billing_cycle_start", DateOf(created_at));
  line.Bool("auto_renew", false).Time("created_at", options.as_of).Time("updated_at", options.as_of);
  return {id, line.Finish()};
}

std::map<std::string, std::string> MetadataOf(const TenantModel& tenant, bool from_record, bool from_evidence) {
  const auto& rows = tenant.records;
  std::map<std::string, std::string> metadata;
  metadata["company_name_source"] = Newest(rows, &RecordRow::company_name) ? "tenant_record" : "unknown";
  metadata["created_at_source"] = from_record ? "tenant_record" : from_evidence ? "evidence" : "migration";
  if (const OptText tier = Newest(rows, &RecordRow::tier)) metadata["legacy_tier"] = *tier;
  if (const OptTime at = Earliest(rows, &RecordRow::suspended_at)) metadata["suspended_at"] = FormatTime(*at);
  if (const OptText reason = Newest(rows, &RecordRow::suspended_reason)) metadata["suspended_reason"] = *reason;
  return metadata;
}

}  // namespace

void ExpectCustomer(const TenantModel& tenant, const ExpectOptions& options, Micros evidence,
                    uint64_t runs_this_month, ExpectedTenant* out) {
  const auto& rows = tenant.records;
  const OptTime recorded = Earliest(rows, &RecordRow::created_at);
  const bool has_evidence = evidence != kNoEvidence;
  const Micros created_at = recorded.value_or(has_evidence ? evidence : options.as_of);
  const OptText tier = Newest(rows, &RecordRow::tier);
  const Plan* plan = FindPlan(tier ? AsciiLower(*tier) : "professional");
  if (plan == nullptr) {
    plan = FindPlan("starter");
    out->findings.push_back({"tier_mapped", ""});
  }
  bool bad_quota = false;
  out->subscription = SubscriptionLine(tenant, options, *plan, created_at, &bad_quota);
  if (bad_quota) out->findings.push_back({"bad_quota", ""});
  if (tenant.case_collision) out->findings.push_back({"case_collision", ""});
  const std::optional<int64_t> counter = Newest(rows, &RecordRow::runs_this_month);
  if (counter && *counter != static_cast<int64_t>(runs_this_month))
    out->findings.push_back({"counter_mismatch", ""});

  out->customer_status = StatusOf(rows);
  const std::string id = "cust_" + IdHash("customer", {tenant.name});
  Line line;
  line.Text("customer_id", std::string_view(id)).Text("tenant_id", std::string_view(tenant.name));
  line.Text("company_name",
            std::string_view(Newest(rows, &RecordRow::company_name).value_or(tenant.name)));
  line.Text("contact_email", Newest(rows, &RecordRow::contact_email));
  line.Text("subscription_plan", plan->name).Text("status", std::string_view(out->customer_status));
  line.Text("dataset_id", std::string_view(tenant.dataset_id));
  line.Time("created_at", created_at).Time("updated_at", options.as_of);
  line.Object("metadata", MetadataOf(tenant, recorded.has_value(), has_evidence));
  out->customer = {id, line.Finish()};
}

ExpectedTenant Expect(const TenantModel& tenant, const ExpectOptions& options) {
  ExpectedTenant out;
  Micros evidence = kNoEvidence;
  ExpectKeys(tenant, options, &out, &evidence);
  ExpectCredentials(tenant, &out, &evidence);
  const uint64_t runs = ExpectUsage(tenant, options, &out, &evidence);
  ExpectCustomer(tenant, options, evidence, runs, &out);
  return out;
}

}  // namespace reeve::sample
