// A tenant written down by hand on both sides, equal as it stands; the tests of this folder change one thing and say what the witness finds.
#pragma once

#include <gtest/gtest.h>

#include "migrate/witness/witness.h"
#include "tests/fakes/memory_estate.h"
#include "tests/fakes/text_central.h"

namespace reeve::migrate::witness {

inline constexpr Micros kAsOf = 1'773'576'000 * kSecond;  // 2026-03-15 12:00:00 UTC

// Hashes of secret-one, secret-two and secret-three.
inline constexpr std::string_view kHash1 = "ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185";
inline constexpr std::string_view kHash2 = "cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b";
inline constexpr std::string_view kHash3 = "2a32a097d0e385878ded206d7c22422ba962802dce9707796c3e10324a6b7478";

inline constexpr std::string_view kKeys =
    R"({"api_key_id":"k1","tenant_id":"acme","api_key_hash":"EA77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185","encrypted_api_key":"Y2lwaGVyLW9uZQ==","created_at":"2025-01-01 00:00:00 UTC","is_active":true,"description":"first \u00e9","scopes":["pipelines:read"],"created_by":"ann"}
{"api_key_id":"k2","tenant_id":"acme","api_key_hash":"zr3zePLSvWDT42kzSejyDzKdrxGidvhJmW8KY3fiFVs=","encrypted_api_key":"YjNCaGNYVmxJR05wY0dobGNuUmxlSFFnWW5sMFpYTT0=","created_at":"2025-02-01T00:00:00Z","is_active":"false","revoked_at":"2025-12-01 00:00:00 UTC","revoked_by":"bob","expires_at":"2026-01-01 00:00:00 UTC"}
{"api_key_id":"k3","tenant_id":null,"api_key_hash":"2a32a097d0e385878ded206d7c22422ba962802dce9707796c3e10324a6b7478","encrypted_api_key":"c2VjcmV0LXRocmVl","created_at":"2025-03-01 00:00:00+01:00","is_active":true,"expires_at":"2026-06-01 00:00:00 UTC"}
)";
inline constexpr std::string_view kCredentials =
    R"({"credential_id":"c1","tenant_id":"acme","provider":"GCP_SA","credential_type":"service_account","encrypted_credential":"Y2lwaGVyLXR3bw==","project_id":"p-1","created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-06 00:00:00 UTC","is_active":true,"metadata":{"a" : [1, 2e3], "b c":"d \" e"}}
{"credential_id":"c2","tenant_id":"acme","provider":"claude","encrypted_credential":"eyJ0eXBlIjoic2VydmljZV9hY2NvdW50In0=","created_at":"2025-01-05 00:00:00 UTC","is_active":false}
{"tenant_id":"acme","provider":"Amazon","encrypted_credential":"QUtJQS1zZWFsZWQtYnl0ZXM=","created_at":"2025-01-07 00:00:00 UTC","is_active":true,"scopes":["s3"]}
)";
inline constexpr std::string_view kRuns =
    R"({"pipeline_logging_id":"acme-run-1","pipeline_id":"p","status":"PENDING","trigger_type":"api","start_time":"2026-03-10 08:00:00 UTC"}
{"pipeline_logging_id":"acme-run-1","pipeline_id":"p","status":"completed","trigger_type":"api","start_time":"2026-03-10 08:00:01 UTC","end_time":"2026-03-10 09:30:00.0005 UTC","duration_ms":"5400000"}
{"pipeline_logging_id":"acme-run-2","status":"PENDING","start_time":"2026-03-12 00:00:00 UTC"}
{"pipeline_logging_id":"01234567-89ab-cdef-0123-456789abcdef","status":"INGESTING","start_time":"2026-03-15 11:00:00.123456 UTC"}
{"pipeline_logging_id":"acme-run-0","status":"FAILED","start_time":"2026-02-28 23:59:59.999999 UTC","end_time":"2026-03-01 00:36:00 UTC"}
{"pipeline_logging_id":"long-ago","status":"FAILED","start_time":"2024-02-28 00:00:00 UTC"}
)";
inline constexpr std::string_view kRecord =
    R"({"tenant_id":"acme","company_name":"Acme \"Works\"","admin_email":"ops@acme.example","subscription_tier":"FREE","is_active":false,"max_pipelines_per_month":"200","max_storage_gb":-1,"created_at":"2025-01-01 00:00:00 UTC","suspended_at":"2026-01-02 03:04:05.6 UTC","suspended_reason":"unpaid"}
)";

// The central rows that docs/mapping.md makes of it; ids, digests and packed runs were computed apart, by hand.
inline constexpr std::string_view kCustomers =
    R"({"customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","company_name":"Acme \"Works\"","contact_email":"ops@acme.example","subscription_plan":"starter","status":"suspended","dataset_id":"acme","created_at":"2025-01-01 00:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC","metadata":{"company_name_source":"tenant_record","created_at_source":"tenant_record","legacy_tier":"FREE","suspended_at":"2026-01-02 03:04:05.600000 UTC","suspended_reason":"unpaid"}}
)";
inline constexpr std::string_view kSubscriptions =
    R"({"subscription_id":"sub_9bc243c69d1ef60ccf16d99a","customer_id":"cust_bf3857705b64a657553d1006","plan_name":"starter","monthly_pipeline_quota":"200","concurrent_pipeline_quota":"5","storage_quota_gb":"100","monthly_cost_usd":"99","billing_cycle_start":"2025-01-01","auto_renew":false,"created_at":"2026-03-15 12:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC"}
)";
inline constexpr std::string_view kCentralKeys =
    R"({"api_key_id":"k1","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","api_key_hash":"ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185","encrypted_api_key":"Y2lwaGVyLW9uZQ==","key_name":"first é","scopes":["pipelines:read"],"is_active":true,"created_at":"2025-01-01 00:00:00 UTC","created_by":"ann"}
{"api_key_id":"k2","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","api_key_hash":"cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b","encrypted_api_key":"b3BhcXVlIGNpcGhlcnRleHQgYnl0ZXM=","scopes":["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"],"is_active":false,"expires_at":"2026-01-01 00:00:00 UTC","created_at":"2025-02-01 00:00:00 UTC","revoked_at":"2025-12-01 00:00:00 UTC","revoked_by":"bob"}
{"api_key_id":"k3","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","api_key_hash":"2a32a097d0e385878ded206d7c22422ba962802dce9707796c3e10324a6b7478","encrypted_api_key":"","scopes":["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"],"is_active":true,"expires_at":"2026-06-01 00:00:00 UTC","created_at":"2025-02-28 23:00:00 UTC"}
)";
inline constexpr std::string_view kCentralCredentials =
    R"({"credential_id":"c1","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"gcp","credential_type":"service_account","encrypted_credentials":"Y2lwaGVyLXR3bw==","scopes":[],"is_active":true,"created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-06 00:00:00 UTC","metadata":{"legacy_metadata":"{\"a\":[1,2e3],\"b c\":\"d \\\" e\"}","project_id":"p-1","reeve_ciphertext":"unproven"}}
{"credential_id":"c2","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"anthropic","credential_type":"unspecified","encrypted_credentials":"","scopes":[],"is_active":false,"created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-05 00:00:00 UTC","metadata":{"reeve_ciphertext":"plaintext_withheld"}}
{"credential_id":"cred_aa2a9198b5befafd772c1b1f","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"aws","credential_type":"unspecified","encrypted_credentials":"QUtJQS1zZWFsZWQtYnl0ZXM=","scopes":["s3"],"is_active":true,"created_at":"2025-01-07 00:00:00 UTC","updated_at":"2025-01-07 00:00:00 UTC","metadata":{"reeve_ciphertext":"unproven"}}
)";
inline constexpr std::string_view kUsage =
    R"({"usage_id":"usage_783cbb2c5e4c559f93aee0d6","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","usage_month":"2026-02-01","pipelines_run_count":"1","pipelines_running_count":"0","storage_used_gb":"0","compute_hours":"0.6","api_requests_count":"0","last_pipeline_run_at":"2026-02-28 23:59:59.999999 UTC","quota_reset_at":"2026-03-01 00:00:00 UTC","created_at":"2026-03-15 12:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC"}
{"usage_id":"usage_beceada1bde4b60ce80ce417","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","usage_month":"2026-03-01","pipelines_run_count":"3","pipelines_running_count":"1","storage_used_gb":"0","compute_hours":"1.5","api_requests_count":"0","last_pipeline_run_at":"2026-03-15 11:00:00.123456 UTC","quota_reset_at":"2026-04-01 00:00:00 UTC","created_at":"2026-03-15 12:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC"}
)";
inline constexpr std::string_view kRunSets =
    R"({"tenant_id":"acme","usage_month":"2026-02-01","runs":"AQADCmFjbWUtcnVuLTD+//O46IwBAYLw94sQ"}
{"tenant_id":"acme","usage_month":"2026-03-01","runs":"AQADCmFjbWUtcnVuLTGAgPyS+C4D6N/rnSjAy8kCAAEKYWNtZS1ydW4tMoCAiYSpNwABAgEjRWeJq83vASNFZ4mrze+AuYmi20gA"}
)";

inline Assumptions Standard() {
  Assumptions assumptions;
  assumptions.as_of = kAsOf;
  assumptions.plans = {{"starter", 1000, 5, 100, 9900},
                       {"professional", 5000, 15, 500, 49900},
                       {"enterprise", std::nullopt, std::nullopt, std::nullopt, std::nullopt}};
  return assumptions;
}

class WitnessTest : public testing::Test {
 protected:
  void SetUp() override {
    estate_.Put("acme", "x_meta_api_keys", std::string(kKeys));
    estate_.Put("acme", "x_meta_cloud_credentials", std::string(kCredentials));
    estate_.Put("acme", "x_meta_pipeline_runs", std::string(kRuns));
    estate_.Put("acme", "x_meta_tenants", std::string(kRecord));
    central_.Put("customers", kCustomers);
    central_.Put("customer_subscriptions", kSubscriptions);
    central_.Put("customer_api_keys", kCentralKeys);
    central_.Put("customer_credentials", kCentralCredentials);
    central_.Put("customer_usage", kUsage);
    central_.Put("reeve_usage_runs", kRunSets);
  }

  Verdict Verify(TenantFacts facts = {kAsOf, false, false}, const std::string& tenant = "acme") {
    auto witness = Witness::Start(estate_, assumptions_);
    EXPECT_TRUE(witness) << witness.error().message;
    auto verdict = (*witness)->Verify(tenant, facts, central_);
    EXPECT_TRUE(verdict) << verdict.error().message;
    return verdict ? *verdict : Verdict();
  }

  // What a verification finds, one line each: "kind table row column".
  std::vector<std::string> Differences() {
    std::vector<std::string> lines;
    for (const Difference& d : Verify().differences) {
      lines.push_back(fmt::format("{} {} {} {}", NameOf(d.kind), d.table, d.row, d.column));
    }
    return lines;
  }
  bool Finds(std::string_view wanted) {
    const auto lines = Differences();
    for (const std::string& line : lines) {
      if (line.starts_with(wanted)) return true;
    }
    ADD_FAILURE() << wanted << " not in\n" << fmt::format("{}", fmt::join(lines, "\n"));
    return false;
  }

  fakes::MemoryEstate estate_;
  fakes::TextCentral central_;
  Assumptions assumptions_ = Standard();
};

}  // namespace reeve::migrate::witness
