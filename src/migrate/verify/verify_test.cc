// What is done about a verdict: the tenant's phase, its audit event, the report. How a verdict comes about is the witness's business and tested there.
#include "migrate/verify/verify.h"

#include "catalog/ndjson.h"
#include "migrate/verify/verify_testing.h"

namespace reeve::migrate {
namespace {

using catalog::RowBatch;
using witness::Verdict;

TEST_F(VerifyTest, AnEqualTenantIsVerifiedWithACertificate) {
  Copied("acme", Equal());
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.equal, 1u);
  EXPECT_EQ(report.differing, 0u);
  EXPECT_EQ(report.legacy_rows, 10u);
  EXPECT_EQ(report.legacy_bytes, 100u);
  EXPECT_EQ(report.quarantined_rows, 7u + 3u);  // of the tenant, and rows of nobody
  EXPECT_TRUE(report.details.empty());
  EXPECT_EQ(PhaseOf("acme"), "verified");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "reason"), "<null>");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "dataset_id"), "acme_prod");  // what else the row says stays
  const std::string digest = Text(catalog::ReeveCertificates(), "acme", "digest");
  EXPECT_EQ(Journaled("acme").phase, Phase::kVerified);
  EXPECT_EQ(Journaled("acme").certificate, digest);
  EXPECT_EQ(Journaled("acme").source_digest, "src");
}

TEST_F(VerifyTest, EachTenantIsComparedAsOfItsOwnInstant) {
  Copied("acme", Equal(), Phase::kCopied, 1, kAsOf);
  Copied("bolt", Equal(), Phase::kCopied, 2, kAsOf + 5);
  MustRun();
  EXPECT_EQ(witness_->asked.at("acme").as_of, kAsOf);
  EXPECT_EQ(witness_->asked.at("bolt").as_of, kAsOf + 5);
  EXPECT_FALSE(witness_->asked.at("acme").expect_failed);
}

TEST_F(VerifyTest, ATenantWithDifferencesFallsBackToCopiedWithTheReason) {
  for (const Phase phase : {Phase::kCopied, Phase::kArmed, Phase::kVerified}) Copied("t_" + std::string(PhaseName(phase)), Different(), phase);
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.differing, 3u);
  ASSERT_EQ(report.details.size(), 3u);
  EXPECT_EQ(report.details[0].tenant, "t_armed");
  EXPECT_EQ(report.details[0].difference_count, 2u);
  EXPECT_EQ(report.details[0].differences[1], "value_differs: customers cust_1 status");
  for (const VerifiedTenant& detail : report.details) {
    EXPECT_EQ(PhaseOf(detail.tenant), "copied");
    EXPECT_EQ(Text(catalog::ReeveTenants(), detail.tenant, "reason"), "verification found 2 differences");
    EXPECT_TRUE(Rows(catalog::ReeveCertificates(), detail.tenant).empty());
    EXPECT_EQ(Text(catalog::AuditLogs(), detail.tenant, "event_type"), "customer.verification_failed");
    EXPECT_EQ(Text(catalog::AuditLogs(), detail.tenant, "result"), "failure");
    EXPECT_EQ(Journaled(detail.tenant).phase, Phase::kCopied);
    EXPECT_EQ(Journaled(detail.tenant).source_digest, "") << "the next migration must merge it again";
  }
}

TEST_F(VerifyTest, AReasonIsForgottenOnceTheTenantIsEqual) {
  Copied("acme", Different());
  MustRun();
  witness_->verdicts["acme"] = Equal();
  MustRun();
  EXPECT_EQ(PhaseOf("acme"), "verified");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "reason"), "<null>");
  EXPECT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 2u);
  EXPECT_EQ(ChainFault("acme"), "");
}

TEST_F(VerifyTest, VerifiedAgainItGetsAFreshCertificateAndNoSecondEvent) {
  Copied("acme", Equal());
  MustRun();
  const std::string first = Journaled("acme").certificate;
  MustRun();
  EXPECT_EQ(Rows(catalog::ReeveCertificates(), "acme").size(), 2u);
  EXPECT_NE(Journaled("acme").certificate, first);
  EXPECT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 1u);
  EXPECT_EQ(ChainFault("acme"), "");
  // other content is another event
  witness_->verdicts["acme"] = Equal(9);
  MustRun();
  EXPECT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 2u);
  EXPECT_EQ(ChainFault("acme"), "");
}

TEST_F(VerifyTest, TheEventDependsOnNeitherWallTimeNorAttempt) {
  Copied("acme", Equal());
  MustRun();
  const std::string id = Text(catalog::AuditLogs(), "acme", "log_id");
  Copied("acme", Equal(), Phase::kCopied, 9);
  witness_->names = {"acme"};
  MustRun();
  ASSERT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 1u);
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "log_id"), id);
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "event_type"), "customer.verified");
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "action"), "verify");
  const RowBatch events = Rows(catalog::AuditLogs(), "acme");
  EXPECT_EQ(events.Row(0)[static_cast<size_t>(events.table().Index("created_at"))].num, kAsOf);
}

TEST_F(VerifyTest, WhatWasNeverCopiedIsCountedAndLeftAlone) {
  Known("ghost", Equal());
  Known("back", Equal());
  SetState("back", Phase::kLegacy, 3, kAsOf, "");
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.tenants, 2u);
  EXPECT_EQ(report.not_copied, 2u);
  EXPECT_TRUE(witness_->asked.empty());
  EXPECT_EQ(PhaseOf("back"), "legacy");
  EXPECT_TRUE(sink_.batches.empty());
}

TEST_F(VerifyTest, AFailedTenantIsListedWithTheWitnesssReason) {
  Failed("acme", Unmovable("x_meta_api_keys-0.json.gz: truncated"));
  const VerifyReport report = MustRun();
  EXPECT_TRUE(witness_->asked.at("acme").expect_failed);
  EXPECT_EQ(report.not_copied, 1u);
  EXPECT_EQ(report.differing, 0u);
  ASSERT_EQ(report.details.size(), 1u);
  EXPECT_EQ(report.details[0].differences, std::vector<std::string>{"not migrated: x_meta_api_keys-0.json.gz: truncated"});
  EXPECT_EQ(PhaseOf("acme"), "legacy");
  EXPECT_TRUE(sink_.batches.empty());
}

TEST_F(VerifyTest, AFailureThatTheWitnessDoesNotFindIsADifferenceAndMovesNothing) {
  Verdict verdict = Different(1);
  verdict.differences = {{witness::DifferenceKind::kTenantFailed, "", "", "the migration says it failed, but it can be read"}};
  Failed("acme", verdict);
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.differing, 1u);
  EXPECT_EQ(PhaseOf("acme"), "legacy");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "reason"), "gzip cut");
  EXPECT_EQ(Journaled("acme").phase, Phase::kLegacy);
  EXPECT_EQ(Journaled("acme").failure, "gzip cut");
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "event_type"), "customer.verification_failed");
}

TEST_F(VerifyTest, ATenantThatWasServedFromTheStoreIsNotCompared) {
  Copied("acme", Different(), Phase::kVerified);
  Copied("other", Equal());
  store::TenantWrite served{{"acme", CustomerIdOf("acme")}, 1, {}};
  served.tables.emplace_back(catalog::ReeveRunTotals());
  ASSERT_TRUE(catalog::ParseRow(R"({"tenant_id":"acme","usage_month":"2026-11-01","compute_ms":"0","legacy_runs":"1","legacy_running":"0","legacy_compute_ms":"0"})",
                                &served.tables.front()));
  ASSERT_TRUE(sink_.Merge({&served, 1}));
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.equal, 1u);
  EXPECT_EQ(report.not_copied, 1u);
  EXPECT_EQ(PhaseOf("acme"), "verified") << "counting on is no difference";
  ASSERT_EQ(report.details.size(), 1u);
  EXPECT_NE(report.details[0].differences[0].find("was served from this store"), std::string::npos);
}

TEST_F(VerifyTest, ATenantThatIsServedKeepsItsPhase) {
  Copied("central_equal", Equal(), Phase::kCentral);
  Copied("shadow_differs", Different(), Phase::kShadow);
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.differing, 1u);
  EXPECT_EQ(PhaseOf("central_equal"), "central");
  EXPECT_EQ(PhaseOf("shadow_differs"), "shadow");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "shadow_differs", "reason"), "verification found 2 differences");
  EXPECT_EQ(Rows(catalog::ReeveCertificates(), "central_equal").size(), 1u);
  EXPECT_EQ(Journaled("central_equal").phase, Phase::kCentral);
  EXPECT_EQ(Journaled("shadow_differs").phase, Phase::kShadow);
}

TEST_F(VerifyTest, TenantsThatOnlyCentralKnowsAreDifferences) {
  Copied("acme", Equal());
  witness_->extra = {"stray"};
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.tenants, 2u);
  EXPECT_EQ(report.differing, 1u);
  ASSERT_EQ(report.details.size(), 1u);
  EXPECT_EQ(report.details[0].tenant, "stray");
}

}  // namespace
}  // namespace reeve::migrate
