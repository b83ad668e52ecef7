// The standard profile: the platform at its most regular, for figures.
#include "base/encoding.h"
#include "sample/expect_text.h"
#include "sample/tenants.h"

namespace reeve::sample {
namespace {

constexpr int kKeys = 5;
constexpr int kCredentials = 2;
constexpr int kRuns = 60;
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

Result<> StandardKeys(TenantOut* tenant) {
  const SampleOptions& options = tenant->shop().options;
  Prng& rng = tenant->rng();
  TableOut& table = tenant->Own(tenant->name(), "x_meta_api_keys", Kind::kKeys, {});
  for (int i = 0; i < kKeys; ++i) {
    const std::string text = tenant->name() + "_api_" + rng.Text(16, kBase64Url);
    KeyRow row;
    row.id = rng.Uuid();
    row.hash = Sha256Text(text);
    row.enc = Base64Encode(rng.Bytes(96));
    row.created_at = PastTime(options, &rng, 360);
    if (i == 1) row.expires_at = options.as_of + 500 * kDay;
    if (i == 3) row.expires_at = options.as_of - rng.Between(1, 30) * kDay;
    row.is_active = i != 4;
    tenant->plain_keys.push_back({text, *row.hash});
    REEVE_TRY(tenant->Key(table, KeyShapeNamed("A3"), std::move(row)));
  }
  return {};
}

Result<> StandardCredentials(TenantOut* tenant) {
  Prng& rng = tenant->rng();
  TableOut& table = tenant->Own(tenant->name(), "x_meta_cloud_credentials", Kind::kCredentials, {});
  for (int i = 0; i < kCredentials; ++i) {
    CredentialRow row;
    row.id = rng.Uuid();
    row.provider = i == 0 ? "GCP" : "OPENAI";
    row.type = i == 0 ? "SERVICE_ACCOUNT" : "API_KEY";
    row.enc = Base64Encode(rng.Bytes(160));
    row.name = "billing export";
    row.created_at = PastTime(tenant->shop().options, &rng, 360);
    row.updated_at = row.created_at + rng.Between(0, 3600) * kSecond;
    row.is_active = true;
    if (i == 0) row.metadata = {{"project_id", "prj-" + rng.Hex(8)}};
    REEVE_TRY(tenant->Credential(table, CredentialShapeNamed("C1"), std::move(row)));
  }
  return {};
}

Result<> StandardRuns(TenantOut* tenant) {
  static const RunShape& shape = RunShapeNamed("R3");
  const SampleOptions& options = tenant->shop().options;
  Prng& rng = tenant->rng();
  TableOut& table = tenant->Own(tenant->name(), "x_meta_pipeline_runs", Kind::kRuns, {});
  const std::string pipeline = tenant->name() + "-gcp-cost-billing";
  const Days last_day = DateOf(options.as_of - kHour);
  for (int i = 0; i < kRuns; ++i) {
    RunRow row;
    row.id = rng.Uuid();
    // One run every six days, at some time of the day that is over.
    row.start = StartOf(last_day) - Micros{i} * 6 * kDay - kDay + rng.Between(0, kDay - 1);
    const std::string day = FormatDate(DateOf(row.start));
    const std::string parameters =
        R"({"date":")" + day + "\"}";
    RunText text{"PENDING", pipeline, parameters, false, ""};
    RunRow pending = row;
    REEVE_TRY(tenant->Run(table, shape, std::move(pending), text));
    const bool failed = rng.Percent(8);
    row.state = RunState::kTerminal;
    row.duration_ms = rng.Between(2'000, 900'000);
    row.end = row.start + *row.duration_ms * 1000;
    text.status = failed ? "FAILED" : "COMPLETED";
    if (failed) text.error = "Step bq_loader failed: 404 Not found: Table";
    REEVE_TRY(tenant->Run(table, shape, std::move(row), text));
  }
  return {};
}

}  // namespace

Result<> WriteStandardTenant(Workshop* shop, uint64_t index) {
  TenantOut tenant(shop, index);
  REEVE_TRY(StandardKeys(&tenant));
  REEVE_TRY(StandardCredentials(&tenant));
  REEVE_TRY(StandardRuns(&tenant));
  return tenant.Finish();
}

}  // namespace reeve::sample
