#include "migrate/copy/migrate.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "migrate/audit.h"
#include "migrate/copy/plan.h"
#include "migrate/journal.h"
#include "store/memory/memory.h"
#include "tests/fakes/memory_estate.h"

namespace reeve::migrate {
namespace {

namespace fs = std::filesystem;

const Micros kAsOf = *ParseTime("2026-11-15 12:00:00 UTC");

std::string Hash(const std::string& key) { return crypto::Sha256Hex(key); }

std::string KeyLine(const std::string& tenant, const std::string& key, bool active = true) {
  return fmt::format(R"({{"api_key_id":"id_{}","tenant_id":"{}","api_key_hash":"{}","encrypted_api_key":"AQID","created_at":"2026-01-02 03:04:05 UTC","is_active":{}}})"
                     "\n", key, tenant, Hash(key), active);
}

std::string CredentialLine(const std::string& tenant, const std::string& id) {
  return fmt::format(R"({{"credential_id":"{}","tenant_id":"{}","provider":"GCP_SA","credential_type":"service_account","encrypted_credential":"AQIDBA==","created_at":"2026-01-02 03:04:05 UTC","is_active":true}})"
                     "\n", id, tenant);
}

std::string RunLine(const std::string& tenant, const std::string& id, const std::string& status, const std::string& start) {
  return fmt::format(R"({{"pipeline_logging_id":"{}","tenant_id":"{}","pipeline_id":"p","status":"{}","trigger_type":"api","trigger_by":"u","start_time":"{}","duration_ms":"36000"}})"
                     "\n", id, tenant, status, start);
}

// An estate, a store in memory, and a directory for the journal.
class MigrateTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / fmt::format("reeve-migrate-{}-{}", getpid(), testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    options_.as_of = kAsOf;
    options_.workers = 2;
    options_.verify = false;
  }
  void TearDown() override { fs::remove_all(dir_); }

  void AddTenant(const std::string& name) {
    estate_.Put(name, "x_meta_api_keys", KeyLine(name, name + "-k1") + KeyLine(name, name + "-k2", false));
    estate_.Put(name, "x_meta_cloud_credentials", CredentialLine(name, "c1"));
    estate_.Put(name, "x_meta_pipeline_runs", RunLine(name, "run-1", "PENDING", "2026-11-02 00:00:00 UTC") +
                                                  RunLine(name, "run-1", "COMPLETED", "2026-11-02 00:00:01 UTC"));
  }

  Engine MakeEngine() {
    return {&estate_, sink_.get(), files_.get(), clock_.get(), &progress_, (dir_ / "store").string()};
  }
  MigrateReport Run() {
    Result<MigrateReport> report = Migrate(MakeEngine(), options_);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report ? *report : MigrateReport();
  }

  std::vector<std::string> Rows(const catalog::Table& table) {
    std::vector<std::string> lines;
    auto reader = sink_->OpenReader();
    EXPECT_TRUE((*reader)->Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
      lines.emplace_back();
      catalog::AppendRow(table, row, &lines.back());
      return {};
    }));
    return lines;
  }
  std::vector<std::string> Central() {
    std::vector<std::string> all;
    for (const catalog::Table& table : catalog::CentralTables())
      for (std::string& line : Rows(table)) all.push_back(std::move(line));
    return all;
  }
  // How many rows of `table` hold `text`.
  size_t Count(const catalog::Table& table, const std::string& text) {
    size_t count = 0;
    for (const std::string& line : Rows(table)) count += line.find(text) != std::string::npos;
    return count;
  }

  fs::path dir_;
  fakes::MemoryEstate estate_;
  std::unique_ptr<store::CentralSink> sink_ = store::MakeMemorySink();
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  obs::SilentProgress progress_;
  Options options_;
};

TEST_F(MigrateTest, EveryRowOfATenantArrives) {
  AddTenant("acme");
  AddTenant("globex");
  const MigrateReport report = Run();
  EXPECT_EQ(report.copied, 2u);
  EXPECT_EQ(report.legacy_rows, 10u);
  EXPECT_TRUE(report.failed.empty());
  EXPECT_EQ(Rows(catalog::Customers()).size(), 2u);
  EXPECT_EQ(Rows(catalog::Subscriptions()).size(), 2u);
  EXPECT_EQ(Rows(catalog::ApiKeys()).size(), 4u);
  EXPECT_EQ(Count(catalog::ApiKeys(), "\"is_active\":false"), 2u);
  EXPECT_EQ(Rows(catalog::Credentials()).size(), 2u);
  EXPECT_EQ(Count(catalog::Usage(), "\"pipelines_run_count\":\"1\""), 2u);
  EXPECT_EQ(Count(catalog::AuditLogs(), "customer.migrated"), 2u);
  EXPECT_EQ(Count(catalog::AuditLogs(), "\"result\":\"success\""), 2u);
}

TEST_F(MigrateTest, ASecondRunOfAnUnchangedEstateWritesNothing) {
  AddTenant("acme");
  Run();
  const auto before = Central();
  const auto journal = files_->Read((dir_ / "store.journal").string(), 1 << 20);
  options_.as_of = kAsOf + kDay;
  const MigrateReport again = Run();
  EXPECT_EQ(again.unchanged, 1u);
  EXPECT_EQ(again.copied, 0u);
  EXPECT_EQ(again.rows_changed, 0u);
  EXPECT_EQ(Central(), before);
  EXPECT_EQ(*files_->Read((dir_ / "store.journal").string(), 1 << 20), *journal);
}

TEST_F(MigrateTest, RepeatingACopyChangesNothing) {
  AddTenant("acme");
  Run();
  const auto before = Central();
  ASSERT_TRUE(files_->Remove((dir_ / "store.journal").string()));  // forgets that it was copied
  const MigrateReport again = Run();
  EXPECT_EQ(again.copied, 1u);
  EXPECT_EQ(Central(), before);
}

TEST_F(MigrateTest, OnlyAChangedTenantIsCopiedAgain) {
  AddTenant("acme");
  AddTenant("globex");
  Run();
  estate_.Put("acme", "x_meta_api_keys", KeyLine("acme", "acme-k1", false) + KeyLine("acme", "acme-k2", false));
  const MigrateReport again = Run();
  EXPECT_EQ(again.copied, 1u);
  EXPECT_EQ(again.unchanged, 1u);
  EXPECT_EQ(Count(catalog::ApiKeys(), "\"is_active\":false"), 3u);
}

TEST_F(MigrateTest, ARevocationNeverUnHappens) {
  AddTenant("acme");
  Run();
  estate_.Put("acme", "x_meta_api_keys", KeyLine("acme", "acme-k1", true) + KeyLine("acme", "acme-k2", true));
  Run();
  EXPECT_EQ(Count(catalog::ApiKeys(), "\"is_active\":false"), 1u);
}

TEST_F(MigrateTest, AKeyDeletedInLegacyIsRevokedNotForgotten) {
  AddTenant("acme");
  Run();
  estate_.Put("acme", "x_meta_api_keys", KeyLine("acme", "acme-k2", false));
  Run();
  EXPECT_EQ(Rows(catalog::ApiKeys()).size(), 2u);
  EXPECT_EQ(Count(catalog::ApiKeys(), "reeve:gone-from-legacy"), 1u);
  EXPECT_EQ(Count(catalog::ReeveFindings(), "key_gone"), 1u);
}

TEST_F(MigrateTest, AnUnreadableKeyRowRevokesNothing) {
  AddTenant("acme");
  Run();
  estate_.Put("acme", "x_meta_api_keys", "{\"broken\n" + KeyLine("acme", "acme-k2", false));
  Run();
  EXPECT_EQ(Count(catalog::ApiKeys(), "reeve:gone-from-legacy"), 0u);
  EXPECT_EQ(Count(catalog::ReeveFindings(), "key_unreadable"), 1u);
}

TEST_F(MigrateTest, TheSameHashInTwoTenantsIsMovedForNeither) {
  AddTenant("acme");
  AddTenant("globex");
  estate_.Put("acme", "x_meta_api_keys", KeyLine("acme", "shared") + KeyLine("acme", "own"));
  estate_.Put("globex", "x_meta_api_keys", KeyLine("globex", "shared"));
  const MigrateReport report = Run();
  EXPECT_EQ(report.dead_letters.at("hash_in_two_tenants"), 2u);
  EXPECT_EQ(Count(catalog::ApiKeys(), Hash("shared")), 0u);
  EXPECT_EQ(Count(catalog::ApiKeys(), Hash("own")), 1u);
}

TEST_F(MigrateTest, ARowThatNamesAnotherTenantIsQuarantined) {
  AddTenant("acme");
  estate_.Put("acme", "x_meta_api_keys", KeyLine("Acme", "k"));
  const MigrateReport report = Run();
  EXPECT_EQ(report.dead_letters.at("foreign_tenant"), 1u);
  EXPECT_EQ(Rows(catalog::ApiKeys()).size(), 0u);
  EXPECT_EQ(Count(catalog::AuditLogs(), "\"result\":\"partial\""), 1u);
}

TEST_F(MigrateTest, SharedCarriersGoToTheTenantTheyName) {
  AddTenant("acme");
  estate_.Put("metadata", "api_keys", KeyLine("acme", "from-metadata") + KeyLine("nobody", "lost") + "{\"api_key_hash\":\"x\"}\n");
  const MigrateReport report = Run();
  EXPECT_EQ(Count(catalog::ApiKeys(), Hash("from-metadata")), 1u);
  EXPECT_EQ(report.dead_letters.at("unknown_tenant"), 1u);
  EXPECT_EQ(report.dead_letters.at("no_tenant"), 1u);
}

TEST_F(MigrateTest, DatasetsThatAreNoTenantsBecomeNoCustomers) {
  AddTenant("acme");
  estate_.Put("billing_export", "gcp_billing", "{}\n");
  estate_.Put("acme_raw_x", "rows", "{}\n");
  estate_.Put("half", "x_meta_api_keys", KeyLine("half", "k"));
  const MigrateReport report = Run();
  EXPECT_EQ(Rows(catalog::Customers()).size(), 1u);
  ASSERT_EQ(report.skipped.size(), 3u);
  EXPECT_EQ(report.skipped[2].reason, "incomplete signature: lacks credentials, runs");
}

TEST_F(MigrateTest, AnUnknownShapeIsNeverTakenForEmpty) {
  AddTenant("acme");
  estate_.Put("acme", "x_meta_cloud_credentials", R"({"credential_id":"c","provider":"x","encrypted_value":"","created_at":"2026-01-01 00:00:00 UTC","brand_new":1})" "\n");
  const MigrateReport report = Run();
  EXPECT_EQ(report.dead_letters.at("unknown_shape"), 1u);
  EXPECT_EQ(Count(catalog::ReeveDeadLetters(), "unknown column brand_new; 1 rows"), 1u);
  EXPECT_EQ(Rows(catalog::ApiKeys()).size(), 2u);
}

TEST_F(MigrateTest, AnUnknownRunTableIsUnknownUsageNotZero) {
  AddTenant("acme");
  estate_.Put("acme", "x_meta_pipeline_runs", "{\"surprise\":1}\n");
  Run();
  EXPECT_EQ(Rows(catalog::Usage()).size(), 0u);
  EXPECT_EQ(Count(catalog::ReeveFindings(), "usage_unknown"), 1u);
}

TEST_F(MigrateTest, ATenantThatCannotBeReadIsNotHalfWritten) {
  AddTenant("acme");
  AddTenant("globex");
  estate_.FailAt("acme", "x_meta_pipeline_runs");
  const MigrateReport report = Run();
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(report.copied, 1u);
  EXPECT_EQ(Count(catalog::ApiKeys(), "\"tenant_id\":\"acme\""), 0u);
  EXPECT_EQ(Count(catalog::AuditLogs(), "customer.migration_failed"), 1u);
  estate_.Mend();
  EXPECT_EQ(Run().copied, 1u);
  EXPECT_EQ(Count(catalog::ApiKeys(), "\"tenant_id\":\"acme\""), 2u);
}

TEST_F(MigrateTest, APlaintextKeyIsNeverStored) {
  AddTenant("acme");
  const std::string secret = "acme_api_0123456789abcdef";
  estate_.Put("acme", "x_meta_api_keys",
              fmt::format(R"({{"api_key_id":"a","tenant_id":"acme","api_key_hash":"{}","encrypted_api_key":"{}","created_at":"2026-01-01 00:00:00 UTC","is_active":true}})" "\n",
                          Hash(secret), Base64Encode(secret)) +
                  R"({"api_key":"plain-old-key-text","tenant_id":"acme","created_at":"2026-01-01 00:00:00 UTC","is_active":true})" "\n");
  const MigrateReport report = Run();
  EXPECT_EQ(report.findings.at("key_exposed"), 2u);
  EXPECT_EQ(Count(catalog::ApiKeys(), "\"encrypted_api_key\":\"\""), 2u);
  EXPECT_EQ(Count(catalog::ApiKeys(), Hash("plain-old-key-text")), 1u);
  for (const auto* table : {&catalog::ApiKeys(), &catalog::AuditLogs(), &catalog::ReeveFindings(), &catalog::ReeveDeadLetters()}) {
    EXPECT_EQ(Count(*table, secret), 0u);
    EXPECT_EQ(Count(*table, "plain-old-key-text"), 0u);
    EXPECT_EQ(Count(*table, Base64Encode(secret)), 0u);
  }
}

TEST_F(MigrateTest, ASuspendedTenantStaysSuspendedWithItsPlan) {
  AddTenant("acme");
  estate_.Put("acme", "x_meta_tenants", R"({"tenant_id":"acme","company_name":"Acme","subscription_tier":"ENTERPRISE","is_active":false,"suspended_at":"2026-02-02 00:00:00 UTC"})" "\n");
  Run();
  EXPECT_EQ(Count(catalog::Customers(), "\"status\":\"suspended\""), 1u);
  EXPECT_EQ(Count(catalog::Subscriptions(), "\"plan_name\":\"enterprise\""), 1u);
}

TEST_F(MigrateTest, AnUnreadableTenantRecordFailsTheTenant) {
  AddTenant("acme");
  estate_.Put("acme", "x_meta_tenants", "{\"tenant_id\":\"acme\",\"is_active\":\"maybe\"}\n");
  const MigrateReport report = Run();
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(Rows(catalog::Customers()).size(), 0u);
}

TEST_F(MigrateTest, RunsThatVanishedFromLegacyStillCount) {
  AddTenant("acme");
  Run();
  estate_.Put("acme", "x_meta_pipeline_runs", RunLine("acme", "run-2", "COMPLETED", "2026-11-03 00:00:00 UTC"));
  Run();
  EXPECT_EQ(Count(catalog::Usage(), "\"pipelines_run_count\":\"2\""), 1u);
}

TEST_F(MigrateTest, TheJournalTellsWhatWasCopied) {
  AddTenant("acme");
  Run();
  const Result<JournalState> state = ReadJournal(*files_, (dir_ / "store.journal").string());
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->run_open);
  EXPECT_EQ(state->tenants.at("acme").phase, Phase::kCopied);
  EXPECT_EQ(state->tenants.at("acme").as_of, kAsOf);
}

TEST_F(MigrateTest, AuditEventsFormAChain) {
  AddTenant("acme");
  Run();
  estate_.Put("acme", "x_meta_api_keys", KeyLine("acme", "another"));
  Run();
  auto reader = sink_->OpenReader();
  const Result<std::string> fault = CheckAuditChain(**reader, {"acme", CustomerIdOf("acme")});
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(*fault, "");
  EXPECT_EQ(Count(catalog::AuditLogs(), "customer.migrated"), 2u);
}

TEST_F(MigrateTest, UnknownTenantsInOnlyAreRefused) {
  AddTenant("acme");
  options_.only = {"acmee"};
  const Result<MigrateReport> report = Migrate(MakeEngine(), options_);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Code::kNotFound);
}

TEST_F(MigrateTest, CopiedTenantsAreProven) {
  AddTenant("acme");
  AddTenant("globex");
  options_.verify = true;
  const MigrateReport report = Run();
  for (const VerifiedTenant& tenant : report.differences)
    for (const std::string& difference : tenant.differences) ADD_FAILURE() << tenant.tenant << ": " << difference;
  EXPECT_EQ(report.verified, 2u);
  EXPECT_EQ(report.differing, 0u);
  EXPECT_EQ(Rows(catalog::ReeveCertificates()).size(), 2u);
}

TEST_F(MigrateTest, WhatVanishedFromLegacyIsProvenToo) {
  AddTenant("acme");
  options_.verify = true;
  Run();
  estate_.Put("acme", "x_meta_api_keys", KeyLine("acme", "acme-k2", false));
  estate_.Put("acme", "x_meta_cloud_credentials", CredentialLine("acme", "c2"));
  estate_.Put("acme", "x_meta_pipeline_runs", RunLine("acme", "run-2", "COMPLETED", "2026-11-03 00:00:00 UTC"));
  const MigrateReport report = Run();
  for (const VerifiedTenant& tenant : report.differences)
    for (const std::string& difference : tenant.differences) ADD_FAILURE() << tenant.tenant << ": " << difference;
  EXPECT_EQ(report.verified, 1u);
  EXPECT_EQ(Count(catalog::Credentials(), "\"is_active\":false"), 1u);
  EXPECT_EQ(Count(catalog::ReeveFindings(), "credential_gone"), 1u);
}

TEST_F(MigrateTest, ATenantThatWasServedFromTheStoreIsLeftAlone) {
  AddTenant("acme");
  AddTenant("globex");
  Run();
  store::TenantWrite served{{"acme", CustomerIdOf("acme")}, 1, {}};
  served.tables.emplace_back(catalog::ReeveRunTotals());
  ASSERT_TRUE(catalog::ParseRow(R"({"tenant_id":"acme","usage_month":"2026-11-01","compute_ms":"0","legacy_runs":"1","legacy_running":"0","legacy_compute_ms":"0"})",
                                &served.tables.front()));
  ASSERT_TRUE(sink_->Merge({&served, 1}));
  const auto before = Central();
  EXPECT_EQ(Run().unchanged, 2u) << "as long as legacy is as it was, nothing is to be said";
  estate_.Put("acme", "x_meta_api_keys", KeyLine("acme", "acme-k1", false));
  const MigrateReport report = Run();
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(report.failed[0].tenant, "acme");
  EXPECT_NE(report.failed[0].reason.find("was served from this store"), std::string::npos) << report.failed[0].reason;
  EXPECT_EQ(Central(), before);
}

TEST_F(MigrateTest, ThePlanSaysWhatWouldHappenAndWritesNothing) {
  AddTenant("acme");
  estate_.Put("metadata", "api_keys", KeyLine("nobody", "lost"));
  Engine engine = MakeEngine();
  engine.sink = nullptr;
  const Result<PlanReport> plan = MakePlan(engine, options_);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->tenants.size(), 1u);
  EXPECT_EQ(plan->legacy_rows, 5u);
  EXPECT_EQ(plan->tenants[0].central_rows.at("customer_api_keys"), 2u);
  EXPECT_EQ(plan->tenants[0].shapes.at("acme.x_meta_api_keys"), "A3");
  EXPECT_EQ(plan->dead_letters.at("unknown_tenant"), 1u);
  EXPECT_TRUE(fs::is_empty(dir_));
}

TEST_F(MigrateTest, PlanAndMigrationAgree) {
  AddTenant("acme");
  Engine engine = MakeEngine();
  const Result<PlanReport> plan = MakePlan(engine, options_);
  const MigrateReport report = Run();
  EXPECT_EQ(plan->legacy_rows, report.legacy_rows);
  EXPECT_EQ(plan->tenants[0].central_rows.at("customer_usage"), Rows(catalog::Usage()).size());
}

}  // namespace
}  // namespace reeve::migrate
