#include <sys/stat.h>

#include "migrate/ops/ops_testing.h"

namespace reeve::migrate::ops {
namespace {

using State = Check::State;

// A healthy store of one verified tenant; each test makes one thing ill.
class DoctorOf : public ::testing::TestWithParam<Kind> {
 protected:
  DoctorOf() : world_(GetParam()) {
    Rows rows("acme");
    domain::RunSet runs;
    runs.Add({"r1", domain::RunState::kTerminal, *ParseTime("2026-11-05 00:00:00"), std::nullopt, 1000});
    rows.Customer().Subscription("sub_a").Key("key_a", Rows::Hash("a")).Usage("usage_a", "2026-11", 1).Runs(runs);
    rows.State("verified", 2, R"(,"counts":{"legacy":{"keys":1},"central":{"customer_api_keys":1}})");
    rows.Add(catalog::ReeveCertificates(), Certificate("acme", 2, 1));
    EXPECT_OK(AddAuditEvent(nullptr, rows.owner(), {.event_type = "customer.migrated", .action = "migrate", .result = "success", .facts = "{}", .resource_type = "customer", .resource_id = {}, .created_at = world_.clock.now},
                            &Events(rows)));
    rows.WriteTo(world_, 2);
    auto journal = *Journal::Open(*world_.files, world_.dir / "reeve.db.journal");
    for (const auto& [type, phase] : {std::pair("begin", ""), std::pair("phase", "copied"), std::pair("phase", "verified"), std::pair("end", "")}) {
      JournalRecord record;
      record.type = type;
      record.phase = phase;
      if (*phase != 0) record.tenant = "acme", record.digest = std::string(64, 'a');
      record.attempt = 2;
      record.at = record.as_of = world_.clock.now;
      journal->Add(record);
    }
    EXPECT_OK(journal->Commit());
    for (const auto& entry : std::filesystem::directory_iterator(world_.dir / "")) chmod(entry.path().c_str(), 0600);
  }

  static RowBatch& Events(Rows& rows) {
    rows.tables().emplace_back(catalog::AuditLogs());
    return rows.tables().back();
  }

  static std::string Certificate(const std::string& tenant, int attempt, int usable) {
    return fmt::format(R"({{"tenant_id":"{}","attempt":"{}","verified_at":"2026-11-20 00:00:00 UTC","certificate":{{"keys":{{"usable":{}}}}},"digest":"d{}{}"}})", tenant, attempt, usable, tenant, attempt);
  }

  std::map<std::string, Check> Run(const std::vector<store::Drift>& drift = {}, const std::vector<std::string>& integrity = {}) {
    const auto checks = Doctor(*world_.Reader(), *world_.files, world_.dir / "reeve.db", world_.clock.now, drift, integrity);
    EXPECT_TRUE(checks) << checks.error().message;
    std::map<std::string, Check> by_name;
    for (const Check& check : *checks) {
      by_name[check.name] = check;
      EXPECT_FALSE(check.evidence.empty()) << check.name;
      EXPECT_EQ(check.advice.empty(), check.state == State::kOk) << check.name;
    }
    return by_name;
  }

  // Names of the lines that are not as in a healthy store.
  std::vector<std::string> Ill(const std::map<std::string, Check>& checks) {
    std::vector<std::string> names;
    for (const auto& [name, check] : checks)
      if (check.state == State::kFailed || check.state == State::kWarning) names.push_back(name + ": " + check.evidence);
    return names;
  }

  World world_;
};
INSTANTIATE_TEST_SUITE_P(Stores, DoctorOf, ::testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& info) { return info.param == Kind::kMemory ? "Memory" : "Sqlite"; });

using Strings = std::vector<std::string>;

TEST_P(DoctorOf, AHealthyStoreHasNoComplaint) {
  const auto checks = Run();
  EXPECT_EQ(Ill(checks), Strings());
  EXPECT_EQ(checks.at("Every tenant verified").state, State::kOk);
  EXPECT_EQ(checks.at("API keys migrated").state, State::kOk);
  EXPECT_EQ(checks.at("Backup kept").state, State::kUnknown);
  EXPECT_EQ(checks.at("Application answers from central").state, State::kUnknown);
}

// The published check looks at one tenant, at existence only, and always says success.
TEST_P(DoctorOf, I83EveryTenantIsLookedAtAndOneThatIsWrongIsNamed) {
  for (int i = 0; i < 20; ++i) {
    Rows rows(fmt::format("t{:02}", i));
    rows.Customer().Subscription(fmt::format("sub{}", i)).Key("key", Rows::Hash(std::to_string(i))).Usage(fmt::format("u{}", i), "2026-11", 0);
    rows.State("verified", 2).Add(catalog::ReeveCertificates(), Certificate(rows.owner().tenant_id, i == 13 ? 1 : 2, 1)).WriteTo(world_, 2);
  }
  EXPECT_EQ(Ill(Run()), (Strings{"Every tenant verified: without a certificate of their present attempt: 1 (t13)"}));
}

TEST_P(DoctorOf, ATenantThatFailedIsNamedWithItsReason) {
  Rows("beta").State("legacy", 1, R"(,"reason":"a damaged file")").WriteTo(world_);
  EXPECT_EQ(Ill(Run()), (Strings{"All tenants migrated: not migrated: 1 (beta: a damaged file)"}));
}

TEST_P(DoctorOf, ATenantWhoseKeysAllStayedBehindFails) {
  Rows("beta").Customer().Subscription("sub_b").Usage("usage_b", "2026-11", 0).State("copied", 1, R"(,"counts":{"legacy":{"keys":3}})").WriteTo(world_);
  const auto checks = Run();
  EXPECT_EQ(checks.at("API keys migrated").state, State::kFailed);
  EXPECT_NE(checks.at("API keys migrated").evidence.find("beta"), std::string::npos);
}

TEST_P(DoctorOf, ATenantWithoutAUsableKeyIsFineWhenLegacyHadNoneEither) {
  Rows rows("beta");
  rows.Customer().Subscription("sub_b").Key("key_b", Rows::Hash("b"), R"("is_active":false)").Usage("usage_b", "2026-11", 0);
  rows.State("verified", 1).Add(catalog::ReeveCertificates(), Certificate("beta", 1, 0)).WriteTo(world_);
  EXPECT_EQ(Run().at("API keys migrated").state, State::kOk);
}

TEST_P(DoctorOf, KeysThatAreGoneSinceTheProofAreAWarning) {
  Rows rows("beta");
  rows.Customer().Subscription("sub_b").Key("key_b", Rows::Hash("b"), R"("is_active":false)").Usage("usage_b", "2026-11", 0);
  rows.State("verified", 1).Add(catalog::ReeveCertificates(), Certificate("beta", 1, 1)).WriteTo(world_);
  EXPECT_EQ(Run().at("API keys migrated").state, State::kWarning);
}

TEST_P(DoctorOf, ACustomerWithoutACurrentSubscriptionFails) {
  Rows("acme").Subscription("sub_a", "2026-01-01", R"(,"billing_cycle_end":"2026-06-30")").WriteTo(world_, 2);
  EXPECT_EQ(Run().at("One current subscription for every customer").state, State::kFailed);
}

TEST_P(DoctorOf, UsageThatDiffersFromItsRunsFails) {
  Rows("acme").Usage("usage_a", "2026-11", 2).WriteTo(world_, 2);
  EXPECT_EQ(Ill(Run()), (Strings{"Usage equals its runs: months that differ from their set of runs: 1 (acme 2026-11)"}));
}

TEST_P(DoctorOf, UnknownUsageIsListedAsUnknownNotAsZero) {
  Rows("beta").Customer().Subscription("sub_b").Key("key_b", Rows::Hash("b")).State("verified", 1)
      .Add(catalog::ReeveCertificates(), Certificate("beta", 1, 1))
      .Add(catalog::ReeveFindings(), R"({"tenant_id":"beta","code":"usage_unknown","subject":""})").WriteTo(world_);
  const Check check = Run().at("Usage tracked");
  EXPECT_EQ(check.state, State::kUnknown);
  EXPECT_NE(check.evidence.find("beta"), std::string::npos);
}

TEST_P(DoctorOf, KeysThatExpireSoonOrHaveExpiredAreCounted) {
  Rows("acme").Key("key_soon", Rows::Hash("soon"), R"("is_active":true,"expires_at":"2026-12-01 00:00:00 UTC")")
      .Key("key_late", Rows::Hash("late"), R"("is_active":true,"expires_at":"2027-12-01 00:00:00 UTC")")
      .Key("key_over", Rows::Hash("over"), R"("is_active":true,"expires_at":"2026-11-01 00:00:00 UTC")")
      .Key("key_gone", Rows::Hash("gone"), R"("is_active":false,"expires_at":"2026-12-01 00:00:00 UTC")").WriteTo(world_, 2);
  EXPECT_EQ(Ill(Run()), (Strings{"No expired key in use: keys that are active but expired: 1 (key_over of acme)",
                                 "No key about to expire: active keys that expire within 30 days: 1 (key_soon of acme)"}));
}

TEST_P(DoctorOf, OpenPointsOfTheMigrationAreWarnings) {
  Rows("acme").Add(catalog::ReeveDeadLetters(), R"({"tenant_id":"acme","dataset":"d","table_name":"t","part":"p","line":"1","reason":"bad_hash"})")
      .Add(catalog::ReeveFindings(), R"({"tenant_id":"acme","code":"key_exposed","subject":"k"})")
      .Add(catalog::ReeveFindings(), R"({"tenant_id":"acme","code":"case_collision","subject":"ACME"})").WriteTo(world_, 2);
  EXPECT_EQ(Ill(Run()), (Strings{"No names that differ only in case: 1 findings", "No rows quarantined: bad_hash 1",
                                 "No secret lay open in legacy: keys in plaintext: 1, credentials in plaintext: 0"}));
}

TEST_P(DoctorOf, AChangedEventBreaksItsChain) {
  RowBatch events(catalog::AuditLogs());
  ASSERT_OK(world_.Reader()->Read(catalog::AuditLogs(), {"acme", {}}, &events));
  RowBatch changed(catalog::AuditLogs());
  const auto row = CopyRow(events.Row(0), &changed);
  const std::string metadata(TextAt(changed.table(), row, "metadata"));
  Put(&changed, row, "metadata", std::string_view(std::string(metadata).replace(metadata.find("\"seq\":1"), 7, "\"seq\":2")));
  std::vector<RowBatch> upserts;
  upserts.push_back(std::move(changed));
  const store::CentralSink::Deletion deletion{&catalog::AuditLogs(), {At(events.table(), events.Row(0), "log_id")}};
  ASSERT_OK(world_.sink->Amend({&deletion, 1}, upserts));
  EXPECT_EQ(Run().at("Audit trail whole").state, State::kFailed);
}

TEST_P(DoctorOf, DriftAndIntegrityArePassedOn) {
  EXPECT_EQ(Ill(Run({{"customers", "index x is missing", true}}, {"row 7 is damaged"})),
            (Strings{"Schema as declared: 1 differences, the first: customers: index x is missing", "Store sound: 1 findings, the first: row 7 is damaged"}));
}

TEST_P(DoctorOf, TheJournalIsReadAndAStrangeHistoryTold) {
  const std::string path = world_.dir / "reeve.db.journal";
  const std::string good = ReadFile(path);
  std::string bad = good;
  bad[30] ^= 1;
  WriteFile(path, bad);
  EXPECT_EQ(Run().at("Journal readable").state, State::kFailed);
  std::filesystem::remove(path);
  EXPECT_EQ(Run().at("Journal readable").state, State::kWarning);
  WriteFile(path, good);
  auto journal = *Journal::Open(*world_.files, path);
  JournalRecord record;
  record.type = "phase";
  record.tenant = "beta";
  record.phase = "central";
  record.attempt = 2;
  record.at = world_.clock.now;
  journal->Add(record);
  ASSERT_OK(journal->Commit());
  EXPECT_NE(Run().at("Journal readable").evidence.find("beta went from legacy to central"), std::string::npos);
}

TEST_P(DoctorOf, FilesThatEverybodyCanReadAreAWarning) {
  const std::string path = world_.dir / "reeve.db.journal";
  chmod(path.c_str(), 0644);
  const Check check = Run().at("The store's files are private");
  EXPECT_EQ(check.state, State::kWarning);
  EXPECT_NE(check.advice.find(path), std::string::npos);
}

TEST(DoctorOfNothing, AnEmptyStoreIsNoSuccess) {
  World world(Kind::kMemory);
  const auto checks = Doctor(*world.Reader(), *world.files, world.dir / "reeve.db", world.clock.now, {}, {});
  ASSERT_OK(checks);
  EXPECT_EQ(checks->front().name, "All tenants migrated");
  EXPECT_EQ(checks->front().state, State::kUnknown);
}

}  // namespace
}  // namespace reeve::migrate::ops
