// Values and rows of every table that differ, and what an earlier migration excuses.
#include "migrate/witness/witness_testing.h"

namespace reeve::migrate::witness {
namespace {

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

}  // namespace
}  // namespace reeve::migrate::witness
