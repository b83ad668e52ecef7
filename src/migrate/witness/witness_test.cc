// The witness as a whole: a tenant written down by hand on both sides, and every way in which central can be wrong.
#include "migrate/witness/witness.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/memory_estate.h"
#include "tests/fakes/text_central.h"

namespace reeve::migrate::witness {
namespace {

constexpr Micros kAsOf = 1'773'576'000 * kSecond;  // 2026-03-15 12:00:00 UTC

// Hashes of secret-one, secret-two and secret-three.
constexpr std::string_view kHash1 = "ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185";
constexpr std::string_view kHash2 = "cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b";
constexpr std::string_view kHash3 = "2a32a097d0e385878ded206d7c22422ba962802dce9707796c3e10324a6b7478";

constexpr std::string_view kKeys =
    R"({"api_key_id":"k1","tenant_id":"acme","api_key_hash":"EA77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185","encrypted_api_key":"Y2lwaGVyLW9uZQ==","created_at":"2025-01-01 00:00:00 UTC","is_active":true,"description":"first \u00e9","scopes":["pipelines:read"],"created_by":"ann"}
{"api_key_id":"k2","tenant_id":"acme","api_key_hash":"zr3zePLSvWDT42kzSejyDzKdrxGidvhJmW8KY3fiFVs=","encrypted_api_key":"YjNCaGNYVmxJR05wY0dobGNuUmxlSFFnWW5sMFpYTT0=","created_at":"2025-02-01T00:00:00Z","is_active":"false","revoked_at":"2025-12-01 00:00:00 UTC","revoked_by":"bob","expires_at":"2026-01-01 00:00:00 UTC"}
{"api_key_id":"k3","tenant_id":null,"api_key_hash":"2a32a097d0e385878ded206d7c22422ba962802dce9707796c3e10324a6b7478","encrypted_api_key":"c2VjcmV0LXRocmVl","created_at":"2025-03-01 00:00:00+01:00","is_active":true,"expires_at":"2026-06-01 00:00:00 UTC"}
)";
constexpr std::string_view kCredentials =
    R"({"credential_id":"c1","tenant_id":"acme","provider":"GCP_SA","credential_type":"service_account","encrypted_credential":"Y2lwaGVyLXR3bw==","project_id":"p-1","created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-06 00:00:00 UTC","is_active":true,"metadata":{"a" : [1, 2e3], "b c":"d \" e"}}
{"credential_id":"c2","tenant_id":"acme","provider":"claude","encrypted_credential":"eyJ0eXBlIjoic2VydmljZV9hY2NvdW50In0=","created_at":"2025-01-05 00:00:00 UTC","is_active":false}
{"tenant_id":"acme","provider":"Amazon","encrypted_credential":"QUtJQS1zZWFsZWQtYnl0ZXM=","created_at":"2025-01-07 00:00:00 UTC","is_active":true,"scopes":["s3"]}
)";
constexpr std::string_view kRuns =
    R"({"pipeline_logging_id":"acme-run-1","pipeline_id":"p","status":"PENDING","trigger_type":"api","start_time":"2026-03-10 08:00:00 UTC"}
{"pipeline_logging_id":"acme-run-1","pipeline_id":"p","status":"completed","trigger_type":"api","start_time":"2026-03-10 08:00:01 UTC","end_time":"2026-03-10 09:30:00.0005 UTC","duration_ms":"5400000"}
{"pipeline_logging_id":"acme-run-2","status":"PENDING","start_time":"2026-03-12 00:00:00 UTC"}
{"pipeline_logging_id":"01234567-89ab-cdef-0123-456789abcdef","status":"INGESTING","start_time":"2026-03-15 11:00:00.123456 UTC"}
{"pipeline_logging_id":"acme-run-0","status":"FAILED","start_time":"2026-02-28 23:59:59.999999 UTC","end_time":"2026-03-01 00:36:00 UTC"}
{"pipeline_logging_id":"long-ago","status":"FAILED","start_time":"2024-02-28 00:00:00 UTC"}
)";
constexpr std::string_view kRecord =
    R"({"tenant_id":"acme","company_name":"Acme \"Works\"","admin_email":"ops@acme.example","subscription_tier":"FREE","is_active":false,"max_pipelines_per_month":"200","max_storage_gb":-1,"created_at":"2025-01-01 00:00:00 UTC","suspended_at":"2026-01-02 03:04:05.6 UTC","suspended_reason":"unpaid"}
)";

// The central rows that docs/mapping.md makes of it; ids, digests and packed runs were computed apart, by hand.
constexpr std::string_view kCustomers =
    R"({"customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","company_name":"Acme \"Works\"","contact_email":"ops@acme.example","subscription_plan":"starter","status":"suspended","dataset_id":"acme","created_at":"2025-01-01 00:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC","metadata":{"company_name_source":"tenant_record","created_at_source":"tenant_record","legacy_tier":"FREE","suspended_at":"2026-01-02 03:04:05.600000 UTC","suspended_reason":"unpaid"}}
)";
constexpr std::string_view kSubscriptions =
    R"({"subscription_id":"sub_9bc243c69d1ef60ccf16d99a","customer_id":"cust_bf3857705b64a657553d1006","plan_name":"starter","monthly_pipeline_quota":"200","concurrent_pipeline_quota":"5","storage_quota_gb":"100","monthly_cost_usd":"99","billing_cycle_start":"2025-01-01","auto_renew":false,"created_at":"2026-03-15 12:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC"}
)";
constexpr std::string_view kCentralKeys =
    R"({"api_key_id":"k1","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","api_key_hash":"ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185","encrypted_api_key":"Y2lwaGVyLW9uZQ==","key_name":"first é","scopes":["pipelines:read"],"is_active":true,"created_at":"2025-01-01 00:00:00 UTC","created_by":"ann"}
{"api_key_id":"k2","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","api_key_hash":"cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b","encrypted_api_key":"b3BhcXVlIGNpcGhlcnRleHQgYnl0ZXM=","scopes":["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"],"is_active":false,"expires_at":"2026-01-01 00:00:00 UTC","created_at":"2025-02-01 00:00:00 UTC","revoked_at":"2025-12-01 00:00:00 UTC","revoked_by":"bob"}
{"api_key_id":"k3","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","api_key_hash":"2a32a097d0e385878ded206d7c22422ba962802dce9707796c3e10324a6b7478","encrypted_api_key":"","scopes":["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"],"is_active":true,"expires_at":"2026-06-01 00:00:00 UTC","created_at":"2025-02-28 23:00:00 UTC"}
)";
constexpr std::string_view kCentralCredentials =
    R"({"credential_id":"c1","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"gcp","credential_type":"service_account","encrypted_credentials":"Y2lwaGVyLXR3bw==","scopes":[],"is_active":true,"created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-06 00:00:00 UTC","metadata":{"legacy_metadata":"{\"a\":[1,2e3],\"b c\":\"d \\\" e\"}","project_id":"p-1","reeve_ciphertext":"unproven"}}
{"credential_id":"c2","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"anthropic","credential_type":"unspecified","encrypted_credentials":"","scopes":[],"is_active":false,"created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-05 00:00:00 UTC","metadata":{"reeve_ciphertext":"plaintext_withheld"}}
{"credential_id":"cred_aa2a9198b5befafd772c1b1f","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"aws","credential_type":"unspecified","encrypted_credentials":"QUtJQS1zZWFsZWQtYnl0ZXM=","scopes":["s3"],"is_active":true,"created_at":"2025-01-07 00:00:00 UTC","updated_at":"2025-01-07 00:00:00 UTC","metadata":{"reeve_ciphertext":"unproven"}}
)";
constexpr std::string_view kUsage =
    R"({"usage_id":"usage_783cbb2c5e4c559f93aee0d6","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","usage_month":"2026-02-01","pipelines_run_count":"1","pipelines_running_count":"0","storage_used_gb":"0","compute_hours":"0.6","api_requests_count":"0","last_pipeline_run_at":"2026-02-28 23:59:59.999999 UTC","quota_reset_at":"2026-03-01 00:00:00 UTC","created_at":"2026-03-15 12:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC"}
{"usage_id":"usage_beceada1bde4b60ce80ce417","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","usage_month":"2026-03-01","pipelines_run_count":"3","pipelines_running_count":"1","storage_used_gb":"0","compute_hours":"1.5","api_requests_count":"0","last_pipeline_run_at":"2026-03-15 11:00:00.123456 UTC","quota_reset_at":"2026-04-01 00:00:00 UTC","created_at":"2026-03-15 12:00:00 UTC","updated_at":"2026-03-15 12:00:00 UTC"}
)";
constexpr std::string_view kRunSets =
    R"({"tenant_id":"acme","usage_month":"2026-02-01","runs":"AQADCmFjbWUtcnVuLTD+//O46IwBAYLw94sQ"}
{"tenant_id":"acme","usage_month":"2026-03-01","runs":"AQADCmFjbWUtcnVuLTGAgPyS+C4D6N/rnSjAy8kCAAEKYWNtZS1ydW4tMoCAiYSpNwABAgEjRWeJq83vASNFZ4mrze+AuYmi20gA"}
)";

Assumptions Standard() {
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

TEST_F(WitnessTest, TheTenantWrittenDownByHandIsEqual) {
  const Verdict verdict = Verify();
  EXPECT_EQ(Differences(), std::vector<std::string>());
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.failed, "");
  EXPECT_EQ(verdict.legacy_rows, 13U);
  EXPECT_EQ(verdict.quarantined_rows, 0U);
  EXPECT_EQ(verdict.tables.at("customer_api_keys").rows_expected, 3U);
  EXPECT_EQ(verdict.keys.hashes, 3U);
  EXPECT_EQ(verdict.keys.instants, 3U + 3U + 3U);
  EXPECT_EQ(verdict.keys.usable, 2U);
  EXPECT_EQ(verdict.credentials.unproven, 2U);
  EXPECT_EQ(verdict.credentials.withheld, 1U);
  EXPECT_EQ(verdict.usage.runs, 4U);
  EXPECT_EQ(verdict.usage.months, 2U);
  EXPECT_EQ(verdict.usage.out_of_window, 1U);
  EXPECT_EQ(verdict.usage.digest_expected, verdict.usage.digest_found);
}

TEST_F(WitnessTest, DigestsAreThoseComputedByHand) {
  const Verdict verdict = Verify();
  EXPECT_EQ(verdict.tables.at("customers").digest_expected,
            "003d594a2dde5b1742446cc074956ea59a368281518affe86a127c68360a075d");
  EXPECT_EQ(verdict.tables.at("customers").digest_found,
            "003d594a2dde5b1742446cc074956ea59a368281518affe86a127c68360a075d");
  EXPECT_EQ(verdict.keys.digest_expected, "9347b8c71573195fd5564bfbcde2daad94e5d23bc68151a222e05c558b01c8e9");
}

TEST_F(WitnessTest, FindsAMissingKey) {
  central_.Remove("customer_api_keys", kHash1);
  EXPECT_TRUE(Finds("missing_in_central customer_api_keys ea77193cc4e6 "));
  EXPECT_TRUE(Finds("decision_differs customer_api_keys ea77193cc4e6 at 2026-03-15 12:00:00 UTC legacy: usable, central: unknown"));
}

TEST_F(WitnessTest, FindsAnExtraKey) {
  std::string row(kCentralKeys.substr(0, kCentralKeys.find('\n')));
  row.replace(row.find("\"k1\""), 4, "\"k9\"");
  row.replace(row.find(kHash1), 2, "00");
  central_.Put("customer_api_keys", row);
  EXPECT_TRUE(Finds("extra_in_central customer_api_keys 0077193cc4e6 "));
  EXPECT_TRUE(Finds("decision_differs customer_api_keys 0077193cc4e6 at 2026-03-15 12:00:00 UTC legacy: unknown, central: usable"));
}

TEST_F(WitnessTest, FindsARevokedKeyThatCameToLife) {
  central_.Change("customer_api_keys", kHash2, "\"is_active\":false", "\"is_active\":true");
  EXPECT_TRUE(Finds("value_differs customer_api_keys cebdf378f2d2 is_active"));
  EXPECT_TRUE(Finds("decision_differs customer_api_keys cebdf378f2d2 at 2026-03-15 12:00:00 UTC legacy: revoked, central: expired"));
}

TEST_F(WitnessTest, FindsAKeySwitchedOffWithoutARevocation) {
  central_.Change("customer_api_keys", kHash1, "\"is_active\":true", "\"is_active\":false");
  EXPECT_TRUE(Finds("value_differs customer_api_keys ea77193cc4e6 is_active"));
  EXPECT_TRUE(Finds("decision_differs customer_api_keys ea77193cc4e6"));
}

TEST_F(WitnessTest, ADatedRevocationInCentralIsDeclaredAndNoDifference) {
  central_.Change("customer_api_keys", kHash1, "\"is_active\":true,", "\"is_active\":false,\"revoked_at\":\"2026-03-14 00:00:00 UTC\",\"revoked_by\":\"admin\",");
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.declared.at("revoked in central"), 1U);
  EXPECT_EQ(verdict.tables.at("customer_api_keys").digest_expected, verdict.tables.at("customer_api_keys").digest_found);
}

TEST_F(WitnessTest, AKeyGoneFromLegacyMayOnlyStayRevoked) {
  const std::string gone =
      R"({"api_key_id":"k9","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","api_key_hash":"0000000000000000000000000000000000000000000000000000000000000009","encrypted_api_key":"","scopes":[],"is_active":false,"created_at":"2025-01-01 00:00:00 UTC","revoked_at":"2026-03-15 12:00:00 UTC","revoked_by":"reeve:gone-from-legacy"})";
  central_.Put("customer_api_keys", gone);
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.declared.at("gone from legacy"), 1U);
  central_.Change("customer_api_keys", "\"k9\"", "\"is_active\":false", "\"is_active\":true");
  EXPECT_TRUE(Finds("extra_in_central customer_api_keys 000000000000 "));
  EXPECT_TRUE(Finds("decision_differs customer_api_keys 000000000000 at 2026-03-15 12:00:00 UTC legacy: unknown, central: usable"));
}

TEST_F(WitnessTest, AnActiveKeyMayStayWhereLegacysKeysCouldNotAllBeRead) {
  // The row of k1 is damaged: its key is in central still, and need not be gone.
  std::string rows(kKeys);
  rows.replace(rows.find("\"is_active\":true"), 16, "\"is_active\":\"?\"");
  estate_.Put("acme", "x_meta_api_keys", rows);
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.quarantined_rows, 1U);
  EXPECT_EQ(verdict.declared.at("not readable in legacy"), 1U);
}

TEST_F(WitnessTest, WhatAnEarlierMigrationLeftIsDeclaredOnlyIfThereWasOne) {
  central_.Change("customer_api_keys", kHash3, "2026-06-01 00:00:00 UTC", "2026-05-01 00:00:00 UTC");
  central_.Change("customer_api_keys", kHash3, "2025-02-28 23:00:00 UTC", "2025-02-28 22:00:00 UTC");
  central_.Change("customer_api_keys", kHash1, "\"is_active\":true,", "\"is_active\":false,\"last_used_at\":\"2026-01-01 00:00:00 UTC\",");
  central_.Change("customer_credentials", "\"c1\"", "\"is_active\":true", "\"is_active\":false");
  central_.Change("customer_credentials", "\"c1\"", "2025-01-06 00:00:00 UTC", "2025-01-07 00:00:00 UTC");
  central_.Change("customers", "acme", "2025-01-01 00:00:00 UTC", "2024-12-31 00:00:00 UTC");
  EXPECT_EQ(Verify().differences_total, 4U + 2U + 2U + 1U);  // values of keys, decisions, values of a credential, a customer
  const Verdict verdict = Verify({kAsOf, false, true});
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.declared.at("kept from an earlier migration"), 3U);
  EXPECT_EQ(verdict.declared.at("created_at of an earlier migration"), 1U);
}

TEST_F(WitnessTest, AnEarlierMigrationExcusesNothingInTheOtherDirection) {
  const std::tuple<const char*, std::string_view, const char*, const char*> changes[] = {
      {"customer_api_keys", kHash3, "2026-06-01 00:00:00 UTC", "2026-07-01 00:00:00 UTC"},
      {"customer_api_keys", kHash3, "2025-02-28 23:00:00 UTC", "2025-03-01 22:00:00 UTC"},
      {"customer_api_keys", kHash2, "\"is_active\":false", "\"is_active\":true"},
      {"customer_api_keys", kHash2, "2025-12-01", "2025-12-02"},
      {"customer_api_keys", kHash2, "\"bob\"", "\"carl\""},
      {"customer_api_keys", kHash1, "\"ann\"", "\"abe\""},
      {"customer_credentials", "\"c1\"", "2025-01-06 00:00:00 UTC", "2025-01-05 00:00:00 UTC"},
      {"customer_credentials", "\"c2\"", "\"is_active\":false", "\"is_active\":true"},
      {"customers", "acme", "2025-01-01 00:00:00 UTC", "2025-01-02 00:00:00 UTC"}};
  for (const auto& [table, where, from, to] : changes) {
    const auto before = central_;
    central_.Change(table, where, from, to);
    EXPECT_FALSE(Verify({kAsOf, false, true}).equal) << table << " " << to;
    central_ = before;
  }
}

TEST_F(WitnessTest, FindsAnExpiryThatMoved) {
  central_.Change("customer_api_keys", kHash3, "2026-06-01 00:00:00 UTC", "2026-06-01 00:00:00.000001 UTC");
  EXPECT_TRUE(Finds("value_differs customer_api_keys 2a32a097d0e3 expires_at"));
  EXPECT_TRUE(Finds("decision_differs customer_api_keys 2a32a097d0e3 at 2026-06-01 00:00:00 UTC legacy: expired, central: usable"));
}

TEST_F(WitnessTest, FindsAChangedScope) {
  central_.Change("customer_api_keys", kHash1, "pipelines:read", "pipelines:admin");
  EXPECT_TRUE(Finds("value_differs customer_api_keys ea77193cc4e6 scopes"));
}

TEST_F(WitnessTest, FindsAKeyOfAnotherCustomer) {
  central_.Change("customer_api_keys", kHash1, "\"tenant_id\":\"acme\"", "\"tenant_id\":\"other\"");
  central_.Change("customer_api_keys", kHash1, "cust_bf3857705b64a657553d1006", "cust_000000000000000000000000");
  EXPECT_TRUE(Finds("decision_differs customer_api_keys ea77193cc4e6 it belongs to customer cust_000000000000000000000000"));
  EXPECT_TRUE(Finds("missing_in_central customer_api_keys ea77193cc4e6"));
}

TEST_F(WitnessTest, FindsAKeyThatLetsInAsAnotherCustomer) {
  central_.Change("customer_api_keys", kHash1, "cust_bf3857705b64a657553d1006", "cust_000000000000000000000000");
  EXPECT_TRUE(Finds("value_differs customer_api_keys ea77193cc4e6 customer_id"));
  EXPECT_TRUE(Finds("decision_differs customer_api_keys ea77193cc4e6 it lets in as another customer"));
}

TEST_F(WitnessTest, FindsEveryChangedValueOfEveryTable) {
  const struct {
    const char *table, *where, *from, *to, *found;
  } changes[] = {
      {"customers", "acme", "\"status\":\"suspended\"", "\"status\":\"active\"", "value_differs customers cust_bf3857705b64a657553d1006 status"},
      {"customers", "acme", "\"unpaid\"", "\"\"", "value_differs customers cust_bf3857705b64a657553d1006 metadata"},
      {"customers", "acme", "\"dataset_id\":\"acme\"", "\"dataset_id\":\"acme_prod\"", "value_differs customers cust_bf3857705b64a657553d1006 dataset_id"},
      {"customers", "acme", "\"contact_email\":\"ops@acme.example\",", "", "value_differs customers cust_bf3857705b64a657553d1006 contact_email"},
      {"customer_subscriptions", "starter", "\"200\"", "\"1000\"", "value_differs customer_subscriptions sub_9bc243c69d1ef60ccf16d99a monthly_pipeline_quota"},
      {"customer_subscriptions", "starter", "\"storage_quota_gb\":\"100\",", "", "value_differs customer_subscriptions sub_9bc243c69d1ef60ccf16d99a storage_quota_gb"},
      {"customer_subscriptions", "starter", "\"auto_renew\":false", "\"auto_renew\":true", "value_differs customer_subscriptions sub_9bc243c69d1ef60ccf16d99a auto_renew"},
      {"customer_credentials", "\"c1\"", "Y2lwaGVyLXR3bw==", "Y2lwaGVyLXR3cA==", "value_differs customer_credentials c1 encrypted_credentials"},
      {"customer_credentials", "\"c2\"", "\"is_active\":false", "\"is_active\":true", "value_differs customer_credentials c2 is_active"},
      {"customer_usage", "2026-03-01", "\"pipelines_run_count\":\"3\"", "\"pipelines_run_count\":\"4\"", "value_differs customer_usage usage_beceada1bde4b60ce80ce417 pipelines_run_count"},
      {"customer_usage", "2026-02-01", "\"0.6\"", "\"0.61\"", "value_differs customer_usage usage_783cbb2c5e4c559f93aee0d6 compute_hours"},
      {"customer_api_keys", "\"k1\"", "Y2lwaGVyLW9uZQ==", "", "value_differs customer_api_keys ea77193cc4e6 encrypted_api_key"},
      {"customer_api_keys", "\"k1\"", "\"k1\"", "\"k7\"", "value_differs customer_api_keys ea77193cc4e6 api_key_id"},
  };
  for (const auto& change : changes) {
    const auto before = central_;
    central_.Change(change.table, change.where, change.from, change.to);
    const auto lines = Differences();
    ASSERT_GE(lines.size(), 1U) << change.found;
    EXPECT_EQ(lines[0], change.found);
    const Verdict verdict = Verify();
    EXPECT_FALSE(verdict.equal);
    EXPECT_NE(verdict.tables.at(change.table).digest_expected, verdict.tables.at(change.table).digest_found);
    central_ = before;
  }
}

TEST_F(WitnessTest, FindsMissingAndExtraRowsOfEveryTable) {
  const std::pair<const char*, const char*> tables[] = {{"customers", "cust_"},
                                                        {"customer_subscriptions", "sub_"},
                                                        {"customer_credentials", "\"c1\""},
                                                        {"customer_usage", "2026-02-01"}};
  for (const auto& [table, where] : tables) {
    const auto before = central_;
    central_.Remove(table, where);
    EXPECT_TRUE(Finds(std::string("missing_in_central ") + table)) << table;
    central_ = before;
  }
  central_.Put("customer_credentials", R"({"credential_id":"c9","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"gcp","credential_type":"x","encrypted_credentials":"","scopes":[],"is_active":true,"created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-06 00:00:00 UTC"})");
  EXPECT_TRUE(Finds("extra_in_central customer_credentials c9 "));
}

TEST_F(WitnessTest, AnInactiveCredentialMayBeGoneFromLegacy) {
  central_.Put("customer_credentials", R"({"credential_id":"c9","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","provider":"gcp","credential_type":"x","encrypted_credentials":"","scopes":[],"is_active":false,"created_at":"2025-01-05 00:00:00 UTC","updated_at":"2025-01-06 00:00:00 UTC"})");
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.declared.at("gone from legacy"), 1U);
}

TEST_F(WitnessTest, BookkeepingColumnsDoNotCount) {
  central_.Change("customers", "acme", "\"updated_at\":\"2026-03-15", "\"updated_at\":\"2027-03-15");
  central_.Change("customer_usage", "2026-02-01", "\"created_at\":\"2026-03-15", "\"created_at\":\"2026-03-16");
  EXPECT_TRUE(Verify().equal);
}

TEST_F(WitnessTest, FindsALostRunAndADamagedSet) {
  central_.Change("reeve_usage_runs", "2026-02-01", "AQADCmFjbWUtcnVuLTD+//O46IwBAYLw94sQ", "AQ==");
  EXPECT_TRUE(Finds("usage_differs reeve_usage_runs 2026-02-01 run is not in the stored set: acme-run-0"));
  central_.Change("reeve_usage_runs", "2026-02-01", "AQ==", "AQADCmFjbWU=");
  EXPECT_TRUE(Finds("usage_differs reeve_usage_runs 2026-02-01 the stored set is damaged"));
}

TEST_F(WitnessTest, FindsAStoredRunThatContradictsLegacy) {
  // The same set with status 2 (running) instead of 3 for acme-run-0.
  central_.Change("reeve_usage_runs", "2026-02-01", "AQADCmFj", "AQACCmFj");
  EXPECT_TRUE(Finds("usage_differs reeve_usage_runs 2026-02-01 run differs from what legacy says: acme-run-0"));
}

TEST_F(WitnessTest, ARunThatVanishedFromLegacyStillCounts) {
  std::string rows(kRuns);
  rows.erase(rows.find(R"({"pipeline_logging_id":"acme-run-2")"), rows.find(R"({"pipeline_logging_id":"01234567)") -
                                                                   rows.find(R"({"pipeline_logging_id":"acme-run-2")"));
  estate_.Put("acme", "x_meta_pipeline_runs", rows);
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.usage.vanished, 1U);
  EXPECT_EQ(verdict.usage.runs, 4U);
}

TEST_F(WitnessTest, AMonthWithoutRunsOfAnEarlierMigrationMayStay) {
  central_.Put("customer_usage", R"({"usage_id":"usage_519478059634c6897220c49f","customer_id":"cust_bf3857705b64a657553d1006","tenant_id":"acme","usage_month":"2026-01-01","pipelines_run_count":"0","pipelines_running_count":"0","storage_used_gb":"0","compute_hours":"0","api_requests_count":"0","quota_reset_at":"2026-02-01 00:00:00 UTC","created_at":"2026-01-15 12:00:00 UTC","updated_at":"2026-01-15 12:00:00 UTC"})");
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.declared.at("month without runs"), 1U);
  central_.Change("customer_usage", "2026-01-01", "\"compute_hours\":\"0\"", "\"compute_hours\":\"1\"");
  EXPECT_TRUE(Finds("value_differs customer_usage usage_519478059634c6897220c49f compute_hours"));
}

TEST_F(WitnessTest, ADamagedTableFailsTheTenantAndOnlyTheMigrationMayKnow) {
  estate_.FailAt("acme", "x_meta_pipeline_runs");
  EXPECT_TRUE(Finds("tenant_failed  acme acme.x_meta_pipeline_runs: damaged"));
  const Verdict known = Verify({kAsOf, true, false});
  EXPECT_TRUE(known.equal);
  EXPECT_EQ(known.failed, "acme.x_meta_pipeline_runs: damaged");
  estate_.Mend();
  const Verdict wrong = Verify({kAsOf, true, false});
  EXPECT_FALSE(wrong.equal);
  EXPECT_EQ(wrong.differences.at(0).kind, DifferenceKind::kTenantFailed);
}

TEST_F(WitnessTest, AnUnreadableRecordFailsTheTenant) {
  for (const char* rows : {"{\"tenant_id\":\"acme\"}\n{\n", "{\"tenant_id\":\"other\"}\n", "{\"tenant_id\":\"acme\",\"is_active\":\"maybe\"}\n",
                           "{\"tenant_id\":\"acme\",\"colour\":\"red\"}\n"}) {
    estate_.Put("acme", "x_meta_tenants", rows);
    EXPECT_NE(Verify({kAsOf, true, false}).failed, "") << rows;
  }
}

TEST_F(WitnessTest, AHashInTwoTenantsIsMovedByNeither) {
  estate_.Put("twin", "api_keys", "{\"api_key\":\"secret-one\",\"created_at\":\"2025-01-01 00:00:00 UTC\",\"is_active\":true}\n");
  estate_.Put("twin", "cloud_credentials", "");
  estate_.Put("twin", "pipeline_runs", "");
  EXPECT_TRUE(Finds("extra_in_central customer_api_keys ea77193cc4e6 "));
  central_.Remove("customer_api_keys", kHash1);
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.quarantined_rows, 1U);
}

TEST_F(WitnessTest, SharedRowsGoToTheTenantTheyName) {
  const std::string rows(kKeys);
  const size_t second = rows.find('\n') + 1;
  estate_.Put("metadata", "api_keys", rows.substr(0, second) + "{\"api_key_hash\":\"x\",\"tenant_id\":\"nobody\",\"created_at\":null,\"is_active\":true}\n");
  estate_.Put("acme", "x_meta_api_keys", rows.substr(second));
  auto witness = Witness::Start(estate_, assumptions_);
  ASSERT_TRUE(witness);
  EXPECT_EQ((*witness)->shared_quarantined(), 1U);
  const auto verdict = (*witness)->Verify("acme", {kAsOf, false, false}, central_);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->equal);
  EXPECT_EQ(verdict->legacy_rows, 13U);
}

TEST_F(WitnessTest, ASharedCarrierThatCannotBeReadFailsTheStart) {
  estate_.Put("metadata", "api_keys", "{}\n");
  estate_.FailAt("metadata", "api_keys");
  EXPECT_FALSE(Witness::Start(estate_, assumptions_));
}

TEST_F(WitnessTest, ARunsTableOfUnknownShapeIsNotReadAsNoRuns) {
  estate_.Put("acme_metadata", "pipeline_runs", R"({"run_id":"acme-run-1","status":"FAILED","started_at":"2026-03-10 08:00:00 UTC","colour":"red"})");
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.quarantined_tables, 1U);
  EXPECT_EQ(verdict.legacy_rows, 14U);
}

TEST_F(WitnessTest, StrangersInCentralAreNamed) {
  central_.Change("customer_api_keys", kHash3, "\"tenant_id\":\"acme\"", "\"tenant_id\":\"ghost\"");
  auto witness = Witness::Start(estate_, assumptions_);
  ASSERT_TRUE(witness);
  EXPECT_EQ(*(*witness)->OnlyInCentral(central_), std::vector<std::string>{"ghost"});
}

TEST_F(WitnessTest, AStoreThatCannotBeReadIsAnErrorAndNoDifference) {
  auto witness = Witness::Start(estate_, assumptions_);
  ASSERT_TRUE(witness);
  central_.FailAll();
  EXPECT_FALSE((*witness)->Verify("acme", {kAsOf, false, false}, central_));
  EXPECT_EQ((*witness)->Verify("nobody", {kAsOf, false, false}, central_).error().code, Code::kNotFound);
}

TEST_F(WitnessTest, AssumptionsThatMakeNoSenseAreRefused) {
  assumptions_.default_plan = "gold";
  EXPECT_EQ(Witness::Start(estate_, assumptions_).error().code, Code::kUsage);
  assumptions_ = Standard();
  assumptions_.usage_months = 0;
  EXPECT_EQ(Witness::Start(estate_, assumptions_).error().code, Code::kUsage);
}

TEST_F(WitnessTest, SeveralThreadsGetTheSameVerdict) {
  auto witness = Witness::Start(estate_, assumptions_);
  ASSERT_TRUE(witness);
  std::vector<std::thread> threads;
  std::vector<std::string> digests(4);
  for (size_t i = 0; i < digests.size(); ++i) {
    threads.emplace_back([&, i] {
      fakes::TextCentral mine = central_;
      for (int round = 0; round < 20; ++round) {
        const auto verdict = (*witness)->Verify("acme", {kAsOf, false, false}, mine);
        digests[i] = verdict && verdict->equal ? verdict->usage.digest_found : "not equal";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& digest : digests) EXPECT_EQ(digest, digests[0]);
  EXPECT_EQ(digests[0].size(), 64U);
}

}  // namespace
}  // namespace reeve::migrate::witness
