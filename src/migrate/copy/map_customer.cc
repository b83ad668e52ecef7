#include <algorithm>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "migrate/copy/central_rows.h"
#include "migrate/copy/json_member.h"
#include "migrate/copy/row_writer.h"

namespace reeve::migrate::copy {
namespace {

// The records of a tenant as one.
struct Profile {
  std::string company_name, contact_email, tier, suspended_reason;
  std::optional<int64_t> max_monthly, max_concurrent, max_storage_gb, runs_this_month;
  std::optional<Micros> created_at, suspended_at;
  std::string status = "active";
};

Micros RevisionOf(const RecordRow& record) {
  if (record.updated_at) return *record.updated_at;
  return record.created_at.value_or(kTimeMin);
}

int Severity(const std::string& status) { return status == "cancelled" ? 2 : status == "suspended" ? 1 : 0; }

std::string StatusOf(const RecordRow& record) {
  const std::string word = AsciiUpper(record.status);
  if (word == "CANCELLED") return "cancelled";
  const bool inactive = record.is_active && !*record.is_active;
  return inactive || record.suspended_at || word == "SUSPENDED" ? "suspended" : "active";
}

// The value of the newest record that has one; equally new ones: the smallest.
template <typename T, typename Has>
T NewestValue(const std::vector<RecordRow>& records, T RecordRow::*member, Has has) {
  const RecordRow* best = nullptr;
  for (const RecordRow& record : records) {
    if (!has(record.*member)) continue;
    const bool better = best == nullptr || RevisionOf(record) > RevisionOf(*best) ||
                        (RevisionOf(record) == RevisionOf(*best) && record.*member < best->*member);
    if (better) best = &record;
  }
  return best != nullptr ? best->*member : T();
}

Profile MergeRecords(const std::vector<RecordRow>& records) {
  const auto has_text = [](const std::string& text) { return !text.empty(); };
  const auto has_number = [](const std::optional<int64_t>& number) { return number.has_value(); };
  Profile profile;
  profile.company_name = NewestValue(records, &RecordRow::company_name, has_text);
  profile.contact_email = NewestValue(records, &RecordRow::contact_email, has_text);
  profile.tier = NewestValue(records, &RecordRow::tier, has_text);
  profile.suspended_reason = NewestValue(records, &RecordRow::suspended_reason, has_text);
  profile.max_monthly = NewestValue(records, &RecordRow::max_monthly, has_number);
  profile.max_concurrent = NewestValue(records, &RecordRow::max_concurrent, has_number);
  profile.max_storage_gb = NewestValue(records, &RecordRow::max_storage_gb, has_number);
  profile.runs_this_month = NewestValue(records, &RecordRow::runs_this_month, has_number);
  for (const RecordRow& record : records) {
    if (record.created_at) profile.created_at = std::min(profile.created_at.value_or(kTimeMax), *record.created_at);
    if (record.suspended_at) profile.suspended_at = std::min(profile.suspended_at.value_or(kTimeMax), *record.suspended_at);
    const std::string status = StatusOf(record);
    if (Severity(status) > Severity(profile.status)) profile.status = status;
  }
  return profile;
}

const domain::PlanOverride* OverrideOf(const MappingContext& context) {
  const auto found = context.plans->tenants.find(context.tenant);
  return found != context.plans->tenants.end() ? &found->second : nullptr;
}

const domain::Plan& ChoosePlan(const MappingContext& context, const Profile& profile, MappingNotes* notes) {
  const domain::PlanBook& book = *context.plans;
  const domain::PlanOverride* said = OverrideOf(context);
  const domain::Plan* plan = nullptr;
  if (said != nullptr && !said->plan.empty()) {
    plan = book.Find(said->plan);
  } else if (!profile.tier.empty()) {
    plan = book.Find(AsciiLower(profile.tier));
    if (plan == nullptr) {
      plan = book.Find("starter");
      notes->findings.push_back({"tier_mapped", profile.tier, "is no plan: starter, with the tenant's own quotas"});
    }
  } else {
    plan = book.Find(book.default_plan);
  }
  REEVE_ASSERT(plan != nullptr);  // the options were checked against the book
  return *plan;
}

void TakeOwnQuota(const std::optional<int64_t>& own, std::string_view name, std::optional<int64_t>* quota,
                  MappingNotes* notes) {
  if (!own) return;
  if (*own < 0) {
    notes->findings.push_back({"bad_quota", std::string(name), fmt::format("{} is ignored", *own)});
  } else {
    *quota = own;
  }
}

domain::Quotas ChooseQuotas(const MappingContext& context, const domain::Plan& plan, const Profile& profile,
                            MappingNotes* notes) {
  domain::Quotas quotas = plan.quotas;
  TakeOwnQuota(profile.max_monthly, "max_pipelines_per_month", &quotas.monthly_runs, notes);
  TakeOwnQuota(profile.max_concurrent, "max_concurrent_pipelines", &quotas.concurrent_runs, notes);
  TakeOwnQuota(profile.max_storage_gb, "max_storage_gb", &quotas.storage_gb, notes);
  if (const domain::PlanOverride* said = OverrideOf(context)) {
    if (said->monthly_runs) quotas.monthly_runs = *said->monthly_runs;
    if (said->concurrent_runs) quotas.concurrent_runs = *said->concurrent_runs;
    if (said->storage_gb) quotas.storage_gb = *said->storage_gb;
  }
  return quotas;
}

std::string Metadata(const Profile& profile, std::string_view created_at_source) {
  std::string json = "{";
  const auto add = [&json](std::string_view name, std::string_view value) {
    AppendMember(name, value, &json);
  };
  add("company_name_source", profile.company_name.empty() ? "unknown" : "tenant_record");
  add("created_at_source", created_at_source);
  if (!profile.tier.empty()) add("legacy_tier", profile.tier);
  if (profile.suspended_at) add("suspended_at", FormatTime(*profile.suspended_at));
  if (!profile.suspended_reason.empty()) add("suspended_reason", profile.suspended_reason);
  return json + "}";
}

void WriteSubscription(const MappingContext& context, const domain::Plan& plan, const domain::Quotas& quotas,
                       Micros created_at, catalog::RowBatch* out) {
  RowWriter row(out);
  row.Text("subscription_id", crypto::DeterministicId("sub_", "subscription", {context.tenant}));
  row.Text("customer_id", context.customer_id).Text("plan_name", plan.name);
  row.Int("monthly_pipeline_quota", quotas.monthly_runs).Int("concurrent_pipeline_quota", quotas.concurrent_runs);
  row.Int("storage_quota_gb", quotas.storage_gb).Int("monthly_cost_usd", plan.cost_usd_cents);
  row.Int("billing_cycle_start", DateOf(created_at)).Bool("auto_renew", false);
  row.Time("created_at", context.as_of).Time("updated_at", context.as_of);
}

}  // namespace

std::string MapCustomer(const MappingContext& context, const CustomerFacts& facts, catalog::RowBatch* customers,
                        catalog::RowBatch* subscriptions, MappingNotes* notes) {
  const Profile profile = MergeRecords(facts.records);
  const domain::Plan& plan = ChoosePlan(context, profile, notes);
  const domain::Quotas quotas = ChooseQuotas(context, plan, profile, notes);
  const Micros created_at = profile.created_at ? *profile.created_at : facts.earliest_evidence.value_or(context.as_of);
  const std::string_view source = profile.created_at ? "tenant_record" : facts.earliest_evidence ? "evidence" : "migration";
  if (profile.runs_this_month && facts.runs_this_month && *profile.runs_this_month != *facts.runs_this_month)
    notes->findings.push_back({"counter_mismatch", "pipeline_runs_this_month",
                               fmt::format("the tenant's record says {}, its runs are {}", *profile.runs_this_month, *facts.runs_this_month)});
  RowWriter row(customers);
  row.Text("customer_id", context.customer_id).Text("tenant_id", context.tenant);
  row.Text("company_name", profile.company_name.empty() ? context.tenant : profile.company_name);
  row.TextOrNull("contact_email", profile.contact_email).Text("subscription_plan", plan.name);
  row.Text("status", profile.status).Text("dataset_id", context.dataset_id);
  row.Time("created_at", created_at).Time("updated_at", context.as_of).Text("metadata", Metadata(profile, source));
  WriteSubscription(context, plan, quotas, created_at, subscriptions);
  return plan.name;
}

}  // namespace reeve::migrate::copy
