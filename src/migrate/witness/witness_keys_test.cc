// Every way in which the keys of central can be wrong, and those that are no difference.
#include "migrate/witness/witness_testing.h"

namespace reeve::migrate::witness {
namespace {

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

}  // namespace
}  // namespace reeve::migrate::witness
