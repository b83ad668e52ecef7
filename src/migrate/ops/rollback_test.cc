#include "migrate/ops/ops_testing.h"

#include "tests/fakes/faulty_files.h"
#include "migrate/ops/legacy_keys.h"

namespace reeve::migrate::ops {
namespace {

using Strings = std::vector<std::string>;

class RollbackOf : public ::testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Stores, RollbackOf, ::testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& info) { return info.param == Kind::kMemory ? "Memory" : "Sqlite"; });

std::string KeyLine(const std::string& key, const std::string& rest) {
  return fmt::format(R"({{"api_key_id":"key_{}","tenant_id":"acme","api_key_hash":"{}","created_at":"2026-01-02 00:00:00 UTC",{}}})", key, Rows::Hash(key), rest) + "\n";
}

// The three tables that make a dataset a tenant.
void WriteLegacy(World& world, const std::string& tenant, const std::string& keys) {
  const std::string dir = world.dir / ("legacy/" + tenant + "/");
  WriteFile(dir + "x_meta_api_keys-000000000000.json", keys);
  WriteFile(dir + "x_meta_cloud_credentials-000000000000.json", "");
  WriteFile(dir + "x_meta_pipeline_runs-000000000000.json", "");
  world.OpenEstate();
}

std::string LegacyKeys(World& world, const std::string& tenant = "acme") {
  return ReadFile(world.dir / ("legacy/" + tenant + "/x_meta_api_keys-000000000000.json"));
}

const std::string kRevokedLater = R"("is_active":false,"revoked_at":"2026-11-10 08:00:00 UTC","revoked_by":"ann")";
const std::string kRevokedBefore = R"("is_active":false,"revoked_at":"2026-05-01 00:00:00 UTC")";

void WriteJournal(World& world, const std::string& tenant, Phase phase, int64_t attempt) {
  const auto journal = Journal::Open(*world.files, world.dir / "reeve.db.journal");
  ASSERT_OK(journal);
  JournalRecord record;
  record.type = "phase";
  record.tenant = tenant;
  record.phase = PhaseName(phase);
  record.attempt = attempt;
  record.at = record.as_of = world.clock.now;
  record.digest = std::string(64, 'a');
  (*journal)->Add(record);
  ASSERT_OK((*journal)->Commit());
}

TEST_P(RollbackOf, ATenantsRowsGoAndItsEventsStay) {
  World world(GetParam());
  Rows("acme").Whole("a").Event("log_a").State("verified", 7).WriteTo(world, 7);
  Rows("beta").Whole("b").State("copied", 7).WriteTo(world, 7);
  WriteJournal(world, "acme", Phase::kCopied, 7);

  const auto report = Rollback(world.engine(), {{"acme"}, false});

  ASSERT_OK(report);
  ASSERT_EQ(report->items.size(), 1u);
  EXPECT_EQ(report->items[0].refused, "");
  EXPECT_EQ(report->items[0].from_phase, "verified");
  EXPECT_EQ(report->items[0].rows_removed, 6u);
  const auto reader = world.Reader();
  EXPECT_EQ(Column(*reader, catalog::Customers(), "tenant_id"), (Strings{"beta"}));
  EXPECT_EQ(Column(*reader, catalog::ApiKeys(), "tenant_id"), (Strings{"beta"}));
  EXPECT_EQ(Column(*reader, catalog::ReeveTenants(), "phase"), (Strings{"legacy", "copied"}));
  EXPECT_EQ(Column(*reader, catalog::ReeveTenants(), "attempt"), (Strings{"8", "7"}));
  Strings events = Column(*reader, catalog::AuditLogs(), "event_type");
  std::sort(events.begin(), events.end());
  EXPECT_EQ(events, (Strings{"customer.migrated", "customer.rolled_back"}));
  const auto journal = ReadJournal(*world.files, world.dir / "reeve.db.journal");
  EXPECT_EQ(journal->tenants.at("acme").phase, Phase::kLegacy);
  EXPECT_EQ(journal->tenants.at("acme").attempt, 8);
}

// The copier that was still at work when its tenant was rolled back.
TEST_P(RollbackOf, AZombieOfTheOldAttemptCannotWriteAnyMore) {
  World world(GetParam());
  Rows("acme").Whole("a").State("copied", 7).WriteTo(world, 7);
  ASSERT_OK(Rollback(world.engine(), {}));
  Rows zombie("acme");
  zombie.Whole("a");
  store::TenantWrite write{zombie.owner(), 7, std::move(zombie.tables())};
  EXPECT_EQ((*world.sink->Merge({&write, 1}))[0].outcome, store::Outcome::kStaleAttempt);
  EXPECT_TRUE(Lines(*world.Reader(), catalog::ApiKeys()).empty());
}

// "Old tables" alone would bring back what was revoked in central.
TEST_P(RollbackOf, K101ARevocationThatOnlyCentralKnowsIsWrittenBackFirst) {
  World world(GetParam());
  Rows("acme").Customer().Key("key_a", Rows::Hash("a"), kRevokedLater).Key("key_b", Rows::Hash("b")).State("verified").WriteTo(world);
  const std::string other = R"({"api_key_id":"x", "odd" : 1e3,"is_active":true,"api_key_hash":"zz"}   )" "\n\nnot json\n";
  WriteLegacy(world, "acme", other + KeyLine("a", R"("is_active":true,"deactivated_at":null)") + KeyLine("b", R"("is_active":true)"));

  const auto report = Rollback(world.engine(), {{"acme"}, false});

  ASSERT_OK(report);
  EXPECT_EQ(report->items[0].refused, "");
  EXPECT_EQ(report->items[0].revocations_carried_back, 1u);
  EXPECT_EQ(LegacyKeys(world), other + KeyLine("a", R"("is_active":false,"deactivated_at":"2026-11-10 08:00:00 UTC")") + KeyLine("b", R"("is_active":true)"));
  EXPECT_TRUE(Lines(*world.Reader(), catalog::ApiKeys()).empty());
}

TEST_P(RollbackOf, K101WithoutTheLegacyEstateSuchATenantIsRefused) {
  World world(GetParam());
  Rows("acme").Customer().Key("key_a", Rows::Hash("a"), kRevokedLater).State("verified").WriteTo(world);
  Rows("beta").Customer().Key("key_b", Rows::Hash("b"), kRevokedBefore).State("verified").WriteTo(world);
  const auto report = Rollback(world.engine(), {});
  ASSERT_OK(report);
  ASSERT_EQ(report->items.size(), 2u);
  EXPECT_NE(report->items[0].refused.find("--from"), std::string::npos) << report->items[0].refused;
  EXPECT_EQ(report->items[1].refused, "");
  EXPECT_EQ(Column(*world.Reader(), catalog::Customers(), "tenant_id"), (Strings{"acme"}));
}

// A reload of the backup would append active copies beside revoked rows.
TEST_P(RollbackOf, K102NoRowIsDoubledAndNoRevokedRowComesBack) {
  World world(GetParam());
  const std::string keys = KeyLine("a", R"("is_active":false)") + KeyLine("b", R"("is_active":true)");
  WriteLegacy(world, "acme", keys);
  Rows("acme").Customer().Key("key_a", Rows::Hash("a"), R"("is_active":false)").Key("key_b", Rows::Hash("b")).State("verified").WriteTo(world);
  ASSERT_OK(Rollback(world.engine(), {}));
  EXPECT_EQ(LegacyKeys(world), keys);
}

TEST_P(RollbackOf, AKeyMadeInCentralAfterTheCopyIsNotLostSilently) {
  World world(GetParam());
  Rows rows("acme");
  rows.Customer().State("verified", 1, R"(,"as_of":"2025-12-01 00:00:00 UTC")").Key("key_a", Rows::Hash("a")).WriteTo(world);
  EXPECT_NE(Rollback(world.engine(), {})->items[0].refused.find("--from"), std::string::npos);
  WriteLegacy(world, "acme", KeyLine("b", R"("is_active":true)"));
  EXPECT_NE(Rollback(world.engine(), {})->items[0].refused.find("would be lost"), std::string::npos);
  WriteLegacy(world, "acme", KeyLine("a", R"("is_active":true)"));
  EXPECT_EQ(Rollback(world.engine(), {})->items[0].refused, "");
}

TEST_P(RollbackOf, PhasesBeyondVerifiedAreRefusedWithWhatToDo) {
  World world(GetParam());
  for (const char* phase : {"shadow", "central", "final"}) Rows(phase).Customer().State(phase).WriteTo(world);
  Rows("ahead").Customer().State("verified").WriteTo(world);
  WriteJournal(world, "ahead", Phase::kShadow, 1);
  const std::string before = Dump(*world.Reader());
  const auto report = Rollback(world.engine(), {});
  ASSERT_OK(report);
  ASSERT_EQ(report->items.size(), 4u);
  for (const auto& item : report->items) EXPECT_NE(item.refused, "") << item.tenant;
  EXPECT_NE(report->items[1].refused.find("phase set central shadow"), std::string::npos) << report->items[1].refused;
  EXPECT_EQ(Dump(*world.Reader()), before);
}

TEST_P(RollbackOf, ADryRunCountsAndWritesNothing) {
  World world(GetParam());
  Rows("acme").Customer().Key("key_a", Rows::Hash("a"), kRevokedLater).State("verified").WriteTo(world);
  const std::string keys = KeyLine("a", R"("is_active":true)");
  WriteLegacy(world, "acme", keys);
  const std::string before = Dump(*world.Reader());
  const auto report = Rollback(world.engine(), {{}, true});
  ASSERT_OK(report);
  EXPECT_EQ(report->items[0].rows_removed, 2u);
  EXPECT_EQ(report->items[0].revocations_carried_back, 1u);
  EXPECT_EQ(Dump(*world.Reader()), before);
  EXPECT_EQ(LegacyKeys(world), keys);
  EXPECT_FALSE(world.files->Exists(world.dir / "reeve.db.journal"));
}

TEST_P(RollbackOf, UnknownTenantsAreSaidSoAndARepeatDoesNothing) {
  World world(GetParam());
  Rows("acme").Whole("a").State("copied").WriteTo(world);
  EXPECT_NE(Rollback(world.engine(), {{"nobody"}, false})->items[0].refused, "");
  ASSERT_OK(Rollback(world.engine(), {}));
  const std::string after = Dump(*world.Reader());
  EXPECT_TRUE(Rollback(world.engine(), {})->items.empty());
  const auto named = Rollback(world.engine(), {{"acme"}, false});
  EXPECT_EQ(named->items[0].refused, "");
  EXPECT_EQ(named->items[0].rows_removed, 0u);
  EXPECT_EQ(Dump(*world.Reader()), after);
}

TEST_P(RollbackOf, RowsOfSharedTablesAreDeniedForTheTenantTheyName) {
  World world(GetParam());
  Rows("acme").Customer().Key("key_a", Rows::Hash("a"), kRevokedLater).State("verified").WriteTo(world);
  WriteLegacy(world, "acme", "");
  const auto line = [](const std::string& tenant, const std::string& active, const std::string& more = {}) {
    return fmt::format(R"({{"tenant_id":"{}","api_key_hash":"{}","is_active":{}{}}})", tenant, AsciiUpper(Rows::Hash("a")), active, more) + "\n";
  };
  WriteFile(world.dir / "legacy/metadata/x_meta_api_keys-1.json", line("acme", "\"true\"") + line("beta", "true"));
  WriteFile(world.dir / "legacy/metadata/x_meta_api_keys-2.json", R"({"tenant_id":"z","api_key_hash":"q","is_active":true,"revoked_at":"","revoked_by":null})");
  ASSERT_EQ(Rollback(world.engine(), {})->items[0].revocations_carried_back, 1u);
  EXPECT_EQ(ReadFile(world.dir / "legacy/metadata/x_meta_api_keys-000000000000.json"),
            line("acme", "\"false\"", R"(,"revoked_at":"2026-11-10 08:00:00 UTC","revoked_by":"ann")") + line("beta", "true") +
                R"({"tenant_id":"z","api_key_hash":"q","is_active":true,"revoked_at":"","revoked_by":null})" + "\n");
}

TEST_P(RollbackOf, ALegacyTableThatCannotBeReadKeepsItsTenantWhereItIs) {
  World world(GetParam());
  Rows("acme").Customer().Key("key_a", Rows::Hash("a"), kRevokedLater).State("verified").WriteTo(world);
  Rows("beta").Customer().Key("key_b", Rows::Hash("b"), kRevokedLater).State("verified").WriteTo(world);
  WriteLegacy(world, "beta", KeyLine("b", R"("is_active":true)"));
  WriteLegacy(world, "acme", "");
  WriteFile(world.dir / "legacy/acme/x_meta_api_keys-000000000001.json.gz", "no gzip");
  const auto report = Rollback(world.engine(), {});
  ASSERT_OK(report);
  EXPECT_NE(report->items[0].refused.find("could not be carried back"), std::string::npos) << report->items[0].refused;
  EXPECT_EQ(report->items[1].refused, "");
}

// Fails every write in turn: legacy files, journal, store. Afterwards a healthy repeat must end as
// an undisturbed run does.
TEST(Rollback, AfterACrashAtAnyPointARepeatEndsAsAnUndisturbedRun) {
  const auto prepare = [](World& world) {
    Rows("acme").Customer().Key("key_a", Rows::Hash("a"), kRevokedLater).Event("log").State("verified", 3).WriteTo(world, 3);
    Rows("beta").Whole("b").State("copied", 3).WriteTo(world, 3);
    WriteJournal(world, "acme", Phase::kCopied, 3);
    WriteLegacy(world, "acme", KeyLine("a", R"("is_active":true)"));
  };
  World undisturbed(Kind::kMemory);
  prepare(undisturbed);
  ASSERT_OK(Rollback(undisturbed.engine(), {}));
  int failures = 0;
  for (uint64_t n = 1; n < 20; ++n) {
    World world(Kind::kMemory);
    prepare(world);
    testing::FaultyFiles faulty(world.files.get());
    world.estate = std::move(*legacy::OpenExportEstate(faulty, world.dir / "legacy"));
    Engine engine = world.engine();
    engine.files = &faulty;
    faulty.FailAt(n, testing::Fault::kTorn);
    const auto broken = Rollback(engine, {});
    if (broken && broken->items[0].refused.empty()) break;
    ++failures;
    if (broken) {
      EXPECT_EQ(Column(*world.Reader(), catalog::ReeveTenants(), "phase")[0], "verified") << n;
    }
    faulty.Heal();
    ASSERT_OK(Rollback(engine, {})) << n;
    EXPECT_EQ(LegacyKeys(world), LegacyKeys(undisturbed)) << n;
    const Strings events = Column(*world.Reader(), catalog::AuditLogs(), "event_type");
    EXPECT_EQ(std::count(events.begin(), events.end(), "customer.rolled_back"), 2) << n;
    EXPECT_EQ(Lines(*world.Reader(), catalog::ReeveTenants()), Lines(*undisturbed.Reader(), catalog::ReeveTenants())) << n;
    EXPECT_TRUE(Lines(*world.Reader(), catalog::Customers()).empty());
    EXPECT_EQ(ReadJournal(*world.files, world.dir / "reeve.db.journal")->tenants.at("acme").phase, Phase::kLegacy);
  }
  EXPECT_GE(failures, 2);
}

// Three tenants, `step` in a transaction; the store stops before or after the transaction that follows `good` others.
void StopAndFinish(Kind kind, size_t step, int good, bool after) {
  World world(kind);
  for (const char* tenant : {"acme", "beta", "gamma"}) {
    Rows(tenant).Whole(tenant).State("verified", 3).WriteTo(world, 3);
    WriteJournal(world, tenant, Phase::kCopied, 3);
  }
  FailingSink failing(*world.sink, good, after);
  failing.hint = {.tenants_min = 1, .tenants_max = step};
  Engine engine = world.engine();
  engine.sink = &failing;
  EXPECT_FALSE(Rollback(engine, {}));
  ASSERT_OK(Rollback(world.engine(), {}));
  EXPECT_TRUE(Lines(*world.Reader(), catalog::Customers()).empty());
  EXPECT_EQ(Column(*world.Reader(), catalog::ReeveTenants(), "phase"), (Strings{"legacy", "legacy", "legacy"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::ReeveTenants(), "attempt"), (Strings{"4", "4", "4"}));
  EXPECT_EQ(Lines(*world.Reader(), catalog::AuditLogs()).size(), 3u);
  const auto journal = ReadJournal(*world.files, world.dir / "reeve.db.journal");
  ASSERT_OK(journal);
  for (const auto& [tenant, state] : journal->tenants) EXPECT_EQ(state.phase, Phase::kLegacy) << tenant;
}

TEST_P(RollbackOf, ACrashAroundTheStoresTransactionIsFinishedForward) {
  for (const size_t step : {1, 2, 3}) {
    for (size_t good = 0; good * step < 3; ++good) {
      for (const bool after : {false, true}) {
        SCOPED_TRACE(fmt::format("{} tenants a transaction, {} good ones, stopped {}", step, good, after ? "after" : "before"));
        StopAndFinish(GetParam(), step, static_cast<int>(good), after);
      }
    }
  }
}

TEST(Rollback, ACrashAfterTheJournalIsFinishedForward) {
  World world(Kind::kMemory);
  Rows("acme").Whole("a").State("verified", 3).WriteTo(world, 3);
  WriteJournal(world, "acme", Phase::kCopied, 3);
  WriteJournal(world, "acme", Phase::kLegacy, 4);
  const auto report = Rollback(world.engine(), {});
  ASSERT_OK(report);
  EXPECT_EQ(report->items[0].refused, "");
  EXPECT_TRUE(Lines(*world.Reader(), catalog::Customers()).empty());
  EXPECT_EQ(Column(*world.Reader(), catalog::ReeveTenants(), "phase"), (Strings{"legacy"}));
}

TEST(LegacyKeys, ADeniedLineKeepsEveryOtherByte) {
  const Denial denial{*ParseTime("2026-11-10 08:00:00 UTC"), "ann"};
  const std::string hash = Rows::Hash("a");
  struct Case {
    std::string before, after;
    DenialColumns columns;
  };
  const auto with = [&](std::string text) {
    const size_t at = text.find('#');
    return text.replace(at, 1, hash);
  };
  const Case cases[] = {
      {R"({"api_key_hash":"#","is_active":true})", R"({"api_key_hash":"#","is_active":false})", {}},
      {R"( { "is_active" : true , "api_key_hash":"#" } )" "\r", R"( { "is_active" : false , "api_key_hash":"#" } )" "\r", {}},
      {R"({"api_key_hash":"#","is_active":"true"})", R"({"api_key_hash":"#","is_active":"false","deactivated_at":"2026-11-10 08:00:00 UTC"})", {"deactivated_at", ""}},
      {R"({"api_key_hash":"#","revoked_at":"2025-01-01 00:00:00 UTC","is_active":true})", R"({"api_key_hash":"#","revoked_at":"2025-01-01 00:00:00 UTC","is_active":false})", {"revoked_at", ""}},
      {R"({"api_key_hash":"#","revoked_at":null,"is_active":true,"note":"}"})", R"({"api_key_hash":"#","revoked_at":"2026-11-10 08:00:00 UTC","is_active":false,"note":"}","revoked_by":"ann"})", {"revoked_at", "revoked_by"}},
      {R"({"api_key_hash":"#","x":{"is_active":true},"is_active":true})", R"({"api_key_hash":"#","x":{"is_active":true},"is_active":false})", {}},
  };
  for (const Case& one : cases) {
    const std::string line = with(one.before);
    ASSERT_TRUE(ParseLegacyKey(line) && ParseLegacyKey(line)->active) << line;
    EXPECT_EQ(DenyInLine(line, denial, one.columns), with(one.after));
    EXPECT_FALSE(ParseLegacyKey(DenyInLine(line, denial, one.columns))->active);
  }
}

TEST(LegacyKeys, EveryFormOfAHashIsTheSameHash) {
  const std::string hash = Rows::Hash("the key");
  const std::string bytes = *HexDecode(hash);
  for (const std::string& form : {R"("api_key_hash":")" + hash + '"', R"("org_api_key_hash":")" + AsciiUpper(hash) + '"',
                                  R"("api_key_hash":")" + Base64Encode(bytes) + '"', std::string(R"("api_key":"the key")")}) {
    const auto key = ParseLegacyKey("{" + form + "}");
    ASSERT_TRUE(key) << form;
    EXPECT_EQ(key->hashes, (Strings{hash})) << form;
  }
  EXPECT_EQ(ParseLegacyKey(R"({"api_key":")" + hash + R"("})")->hashes, (Strings{Rows::Hash(hash), hash}));
  EXPECT_FALSE(ParseLegacyKey(R"({"is_active":true})"));
  EXPECT_FALSE(ParseLegacyKey("[]"));
}

}  // namespace
}  // namespace reeve::migrate::ops
