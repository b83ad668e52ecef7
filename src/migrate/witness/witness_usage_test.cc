// Months and sets of runs: what is lost, damaged or contradicted, and what may stay.
#include "migrate/witness/witness_testing.h"

namespace reeve::migrate::witness {
namespace {

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

TEST_F(WitnessTest, ARunsTableOfUnknownShapeIsNotReadAsNoRuns) {
  estate_.Put("acme_metadata", "pipeline_runs", R"({"run_id":"acme-run-1","status":"FAILED","started_at":"2026-03-10 08:00:00 UTC","colour":"red"})");
  const Verdict verdict = Verify();
  EXPECT_TRUE(verdict.equal);
  EXPECT_EQ(verdict.quarantined_tables, 1U);
  EXPECT_EQ(verdict.legacy_rows, 14U);
}

}  // namespace
}  // namespace reeve::migrate::witness
