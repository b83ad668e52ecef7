// The tenant's own record: company, plan, suspension, quotas.
#include "sample/tenants.h"

namespace reeve::sample {
namespace {

std::optional<int64_t> Quota(Prng* rng, std::initializer_list<int64_t> values) {
  if (rng->Percent(60)) return std::nullopt;
  if (rng->Percent(4)) return -1;
  return *(values.begin() + rng->Below(values.size()));
}

void Suspend(const SampleOptions& options, Prng* rng, RecordRow* row) {
  const uint64_t dice = rng->Below(100);
  if (dice < 60) row->is_active = true;
  if (dice >= 80) row->status = std::string(dice < 90 ? "ACTIVE" : "trial");
  if (dice < 10) {
    row->is_active = false;
    row->suspended_at = options.as_of - rng->Between(1, 300 * kDay);
    row->suspended_reason = rng->Percent(50) ? "payment_failed" : "Rechnung \"offen\"";
  } else if (dice < 13) {
    row->status = std::string(rng->Percent(50) ? "CANCELLED" : "cancelled");
  } else if (dice < 16) {
    row->status = std::string("Suspended");
  } else if (dice < 19) {
    row->is_active = false;
  }
}

RecordRow MakeRecord(TenantOut* tenant) {
  static constexpr std::string_view kTiers[] = {"starter", "professional", "PROFESSIONAL", "enterprise", "FREE", "FREE", "SCALE", ""};
  static constexpr std::string_view kCompanies[] = {"Acme GmbH & Co. KG", "Blue \"Sky\" Ltd", "株式会社サンプル", "Ember Foods", ""};
  Prng& rng = tenant->rng();
  const SampleOptions& options = tenant->shop().options;
  RecordRow row;
  if (!rng.Percent(15)) row.company_name = std::string(rng.Pick(kCompanies));
  if (!rng.Percent(30)) row.contact_email = "owner@" + tenant->name() + ".example";
  if (!rng.Percent(10)) row.tier = std::string(rng.Pick(kTiers));
  row.max_pipelines_per_month = Quota(&rng, {0, 250, 1'000, 20'000, INT64_MAX});
  row.max_concurrent_pipelines = Quota(&rng, {0, 1, 40});
  row.max_storage_gb = Quota(&rng, {10, 2'000});
  if (!rng.Percent(15)) row.created_at = PastTime(options, &rng, 1'200);
  if (!rng.Percent(30)) row.updated_at = PastTime(options, &rng, 100);
  Suspend(options, &rng, &row);
  return row;
}

// What the record said before.
RecordRow Older(RecordRow row, Prng* rng) {
  if (rng->Percent(80) && row.updated_at) row.updated_at = *row.updated_at - rng->Between(1, 90 * kDay);
  if (row.created_at) row.created_at = *row.created_at - rng->Between(0, 2) * kDay;
  if (row.company_name) row.company_name = "Formerly " + *row.company_name;
  row.contact_email = "old@" + rng->Hex(4) + ".example";
  row.max_storage_gb = 77;
  if (rng->Percent(50)) row.tier = "starter";
  row.runs_this_month.reset();
  return row;
}

}  // namespace

Result<> WriteRecord(TenantOut* tenant, const Layout& layout) {
  Prng& rng = tenant->rng();
  const SampleOptions& options = tenant->shop().options;
  if (layout.special == Special::kBrokenRecord) {
    TableOut& table = tenant->Own(layout.home, "x_meta_tenants", Kind::kRecord, {});
    REEVE_ASSIGN(const Place place,
                 tenant->RawLine(table, R"({"tenant_id":")" + tenant->name() + R"(","is_active":"perhaps","created_at":"2025-01-01 00:00:00 UTC"})"));
    tenant->DeadLetterAt(place, "bad_bool");
    tenant->failure = "record row dead-lettered";
    return {};
  }
  if (!options.all_variants || layout.special != Special::kNone || rng.Percent(40)) return {};
  TableOut& table = tenant->Own(layout.home, rng.Percent(50) ? "tenants" : "x_meta_tenants", Kind::kRecord, {});
  RecordRow row = MakeRecord(tenant);
  if (rng.Percent(60)) {
    ExpectedTenant scratch;
    Micros evidence = INT64_MAX;
    const uint64_t counted =
        ExpectUsage(tenant->model, {options.as_of, options.usage_months, options.abandoned_after}, &scratch, &evidence);
    row.runs_this_month = static_cast<int64_t>(rng.Percent(60) ? counted : counted * 2);
  }
  if (rng.Percent(12)) REEVE_TRY(tenant->Record(table, Older(row, &rng)));
  return tenant->Record(table, row);
}

}  // namespace reeve::sample
