#include "migrate/witness/expected.h"

#include <algorithm>

#include "base/error.h"

namespace reeve::migrate::witness {
namespace {

const PlanDefinition* FindPlan(const Assumptions& assumptions, std::string_view name) {
  const auto found = std::find_if(assumptions.plans.begin(), assumptions.plans.end(),
                                  [&](const PlanDefinition& plan) { return plan.name == name; });
  return found == assumptions.plans.end() ? nullptr : &*found;
}

const PlanOverride* FindOverride(const Assumptions& assumptions, std::string_view tenant) {
  const auto found = assumptions.overrides.find(std::string(tenant));
  return found == assumptions.overrides.end() ? nullptr : &found->second;
}

std::string PlanOf(const LegacySide& legacy, std::string_view tenant, const Assumptions& assumptions) {
  const PlanOverride* entry = FindOverride(assumptions, tenant);
  if (entry != nullptr && !entry->plan.empty()) return entry->plan;
  if (!legacy.record || legacy.record->tier.empty()) return assumptions.default_plan;
  const std::string tier = Lower(legacy.record->tier);
  return FindPlan(assumptions, tier) != nullptr ? tier : "starter";
}

std::string_view StatusText(CustomerStatus status) {
  switch (status) {
    case CustomerStatus::kActive: return "active";
    case CustomerStatus::kSuspended: return "suspended";
    case CustomerStatus::kCancelled: return "cancelled";
  }
  return "";
}

std::string CustomerMetadata(const LegacySide& legacy, const CustomerFacts& facts) {
  const bool named = legacy.record && !legacy.record->company.empty();
  std::string json = "{\"company_name_source\":";
  AppendQuoted(named ? "tenant_record" : "unknown", &json);
  json += ",\"created_at_source\":";
  AppendQuoted(facts.created_at_source, &json);
  const auto add = [&](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    json += ',';
    AppendQuoted(name, &json);
    json += ':';
    AppendQuoted(text, &json);
  };
  if (legacy.record) {
    add("legacy_tier", legacy.record->tier);
    if (legacy.record->suspended_at) add("suspended_at", FormatTime(*legacy.record->suspended_at));
    add("suspended_reason", legacy.record->suspended_reason);
  }
  return json + '}';
}

}  // namespace

catalog::Cell& RowWriter::At(std::string_view column) {
  const auto& columns = batch_.table().columns;
  for (size_t tried = 0; tried < columns.size(); ++tried) {
    const size_t at = (next_ + tried) % columns.size();
    if (columns[at].name != column) continue;
    next_ = at + 1;
    return row_[at];
  }
  AssertionFailed("a column that the catalog declares", __FILE__, __LINE__);
}

Identity IdentityOf(std::string_view tenant, std::string dataset_id) {
  return {std::string(tenant), DerivedId("cust_", "customer", {tenant}), std::move(dataset_id)};
}

CustomerFacts CustomerFactsOf(const LegacySide& legacy, std::string_view tenant, Micros as_of,
                              const Assumptions& assumptions) {
  CustomerFacts facts;
  facts.plan = PlanOf(legacy, tenant, assumptions);
  if (legacy.record && legacy.record->created_at) {
    facts.created_at = *legacy.record->created_at;
    facts.created_at_source = "tenant_record";
  } else if (legacy.evidence) {
    facts.created_at = *legacy.evidence;
    facts.created_at_source = "evidence";
  } else {
    facts.created_at = as_of;
    facts.created_at_source = "migration";
  }
  return facts;
}

void ExpectCustomer(const Identity& who, const LegacySide& legacy, const CustomerFacts& facts, catalog::RowBatch* out) {
  static const Record kNone;
  const Record& record = legacy.record ? *legacy.record : kNone;
  RowWriter row(out);
  row.Text("customer_id", who.customer_id);
  row.Text("tenant_id", who.tenant);
  row.Text("company_name", record.company.empty() ? who.tenant : record.company);
  row.TextOrNull("contact_email", record.email);
  row.Text("subscription_plan", facts.plan);
  row.Text("status", StatusText(record.status));
  row.Text("dataset_id", who.dataset_id);
  row.Number("created_at", facts.created_at);
  row.Text("metadata", CustomerMetadata(legacy, facts));
}

void ExpectSubscription(const Identity& who, const LegacySide& legacy, const CustomerFacts& facts,
                        const Assumptions& assumptions, catalog::RowBatch* out) {
  const PlanDefinition* plan = FindPlan(assumptions, facts.plan);
  REEVE_ASSERT(plan != nullptr);
  std::array<std::optional<int64_t>, 3> quotas = {plan->monthly, plan->concurrent, plan->storage_gb};
  const PlanOverride* entry = FindOverride(assumptions, who.tenant);
  const std::array<QuotaOverride, 3> overrides =
      entry == nullptr ? std::array<QuotaOverride, 3>()
                       : std::array<QuotaOverride, 3>{entry->monthly, entry->concurrent, entry->storage_gb};
  for (size_t i = 0; i < quotas.size(); ++i) {
    if (legacy.record && legacy.record->quotas[i].value_or(-1) >= 0) quotas[i] = legacy.record->quotas[i];
    if (overrides[i].set) quotas[i] = overrides[i].value;
  }
  RowWriter row(out);
  row.Text("subscription_id", DerivedId("sub_", "subscription", {who.tenant}));
  row.Text("customer_id", who.customer_id);
  row.Text("plan_name", facts.plan);
  row.Number("monthly_pipeline_quota", quotas[0]);
  row.Number("concurrent_pipeline_quota", quotas[1]);
  row.Number("storage_quota_gb", quotas[2]);
  row.Number("monthly_cost_usd", plan->cost_usd_cents);
  row.Number("billing_cycle_start", DayOf(facts.created_at));
  row.Number("auto_renew", 0);
}

void ExpectKeys(const Identity& who, const LegacySide& legacy, catalog::RowBatch* out) {
  for (const Key& key : legacy.keys) {
    RowWriter row(out);
    row.Text("api_key_id", key.id);
    row.Text("customer_id", who.customer_id);
    row.Text("tenant_id", who.tenant);
    row.Text("api_key_hash", HexOf(BytesOf(key.hash)));
    row.Text("encrypted_api_key", key.cipher);
    row.TextOrNull("key_name", key.name);
    row.Text("scopes", key.scopes);
    row.Number("is_active", key.is_active ? 1 : 0);
    row.Number("expires_at", key.expires_at);
    row.Number("last_used_at", key.last_used_at);
    row.Number("created_at", key.created_at);
    row.TextOrNull("created_by", key.created_by);
    row.Number("revoked_at", key.revoked_at);
    row.TextOrNull("revoked_by", key.revoked_by);
  }
}

void ExpectCredentials(const Identity& who, const LegacySide& legacy, catalog::RowBatch* out) {
  for (const Credential& credential : legacy.credentials) {
    RowWriter row(out);
    row.Text("credential_id", credential.id);
    row.Text("customer_id", who.customer_id);
    row.Text("tenant_id", who.tenant);
    row.Text("provider", credential.provider);
    row.Text("credential_type", credential.type);
    row.Text("encrypted_credentials", credential.cipher);
    row.TextOrNull("credential_name", credential.name);
    row.Text("scopes", credential.scopes);
    row.Number("is_active", credential.is_active ? 1 : 0);
    row.Number("expires_at", credential.expires_at);
    row.Number("last_validated_at", credential.validated_at);
    row.Number("created_at", credential.created_at);
    row.Number("updated_at", credential.updated_at);
    row.Text("metadata", credential.metadata);
  }
}

void ExpectUsage(const Identity& who, Month month, const MonthUsage& usage, catalog::RowBatch* out) {
  RowWriter row(out);
  row.Text("usage_id", DerivedId("usage_", "usage", {who.tenant, NameOfMonth(month)}));
  row.Text("customer_id", who.customer_id);
  row.Text("tenant_id", who.tenant);
  row.Number("usage_month", FirstDay(month));
  row.Number("pipelines_run_count", usage.runs);
  row.Number("pipelines_running_count", usage.running);
  row.Number("storage_used_gb", 0);
  row.Number("compute_hours", usage.ComputeHours());
  row.Number("api_requests_count", 0);
  row.Number("last_pipeline_run_at", usage.last_start);
  row.Number("quota_reset_at", FirstInstant(month + 1));
}

}  // namespace reeve::migrate::witness
