// A store that served, under the commands of a migration: recount, doctor, export and import, rollback.
#include <random>

#include "drivers/sqlite/sqlite.h"
#include "migrate/ops/ops_testing.h"
#include "store/sqlite/serving_store.h"

namespace reeve::migrate::ops {
namespace {

using store::RunRow;
using store::RunState;
using Strings = std::vector<std::string>;

const Days kNovember = *ParseDate("2026-11-01");

// Two runs that legacy had: an hour, and half an hour.
domain::RunSet LegacyRuns() {
  domain::RunSet set;
  set.Add({"legacy-1", domain::RunState::kTerminal, *ParseTime("2026-11-02 00:00:00"), std::nullopt, 3'600'000});
  set.Add({"legacy-2", domain::RunState::kTerminal, *ParseTime("2026-11-03 00:00:00"), std::nullopt, 1'800'000});
  return set;
}

// Serves a store as the gate does: counters follow every effect, in the same transaction.
class Server {
 public:
  explicit Server(World& world) : world_(world) {
    world.sink.reset();
    auto opened = store::OpenSqliteServingStore(*world.files, world.dir / "reeve.db", "test");
    REEVE_ASSERT(opened.has_value());
    store_ = std::move(*opened);
    store::ServingVisitor visitor;
    visitor.customer = [this](const store::ServedCustomer& customer) { tenants_[customer.tenant_id] = customer.customer_id; };
    visitor.key = [](const store::ServedKey&) {};
    visitor.usage = [this](const store::UsageRow& row) { usage_[{row.tenant_id, row.month}] = row; };
    visitor.run = [this](const RunRow& run) { open_.push_back(run); };
    const auto marks = store_->Load(MonthStart(kNovember, -12), visitor);
    REEVE_ASSERT(marks.has_value());
    fence_ = marks->fence;
    now_ = std::max(marks->ledger_time, StartOf(kNovember));
  }
  ~Server() {
    store_.reset();
    world_.sink = MakeSink(Kind::kSqlite, *world_.files, world_.dir / "reeve.db");
  }

  void Pass(Micros time) { now_ += time; }
  RunRow Reserve(const std::string& tenant, const std::string& id) {
    RunRow run = Asked(tenant, id);
    run.fence = ++fence_;
    run.expires_at = now_ + kHour;
    store::UsageRow& usage = UsageOf(run);
    ++usage.run_count, ++usage.running_count;
    usage.last_run_at = now_;
    open_.push_back(run);
    Commit(run, &usage);
    return run;
  }
  void Refuse(const std::string& tenant, const std::string& id) {
    RunRow run = Asked(tenant, id);
    run.state = RunState::kRefused, run.refusal = 110, run.ended_at = now_;
    Commit(run, nullptr);
  }
  void End(RunRow run, RunState state, int64_t compute_ms) {
    std::erase_if(open_, [&](const RunRow& one) { return one.fence == run.fence; });
    run.state = state, run.ended_at = now_, run.compute_ms = compute_ms;
    store::UsageRow& usage = UsageOf(run);
    --usage.running_count;
    usage.compute_ms += compute_ms;
    Commit(run, &usage);
  }
  [[nodiscard]] const std::vector<RunRow>& open() const { return open_; }

 private:
  RunRow Asked(const std::string& tenant, const std::string& id) {
    RunRow run;
    run.tenant_id = tenant, run.customer_id = tenants_.at(tenant), run.run_id = id;
    run.month = MonthStart(DateOf(now_)), run.reserved_at = now_;
    return run;
  }
  store::UsageRow& UsageOf(const RunRow& run) {
    store::UsageRow& usage = usage_[{run.tenant_id, run.month}];
    usage.tenant_id = run.tenant_id, usage.customer_id = run.customer_id, usage.month = run.month;
    return usage;
  }
  void Commit(const RunRow& run, const store::UsageRow* usage) {
    store::ServingWrites writes;
    writes.runs.push_back(run);
    if (usage != nullptr) writes.usage.push_back(*usage);
    writes.fence = fence_;
    writes.ledger_time = now_;
    const auto done = store_->Commit(writes);
    REEVE_ASSERT(done.has_value());
  }

  World& world_;
  std::unique_ptr<store::ServingStore> store_;
  std::map<std::string, std::string> tenants_;
  std::map<std::pair<std::string, Days>, store::UsageRow> usage_;
  std::vector<RunRow> open_;
  int64_t fence_ = 0;
  Micros now_ = 0;
};

class Ledger : public ::testing::Test {
 protected:
  Ledger() : world_(Kind::kSqlite) {
    Rows("acme").Customer().Subscription("sub_a").Runs(LegacyRuns()).State("verified").WriteTo(world_);
    EXPECT_OK(RepairUsage(world_.engine(), {}, false));  // counts what came from legacy
    Rows("bolt").Customer().Subscription("sub_b").Usage("usage_b", "2026-11", 7).State("verified").WriteTo(world_);  // nobody knows which seven
    Rows("new").Customer().Subscription("sub_n").State("verified").WriteTo(world_);
  }

  Strings Found(const Result<RepairReport>& report) {
    EXPECT_OK(report);
    Strings texts;
    for (const auto& item : report->items) texts.push_back(item.tenant + " " + item.what);
    return texts;
  }
  Strings Recounted() { return Found(RepairUsage(world_.engine(), {}, true)); }
  void Sql(const std::string& sql) {
    world_.sink.reset();
    {
      auto database = std::move(*sqlite::Database::Open(world_.dir / "reeve.db", sqlite::Mode::kReadWrite, 0));
      EXPECT_OK(database->Execute(sql));
    }
    world_.sink = MakeSink(Kind::kSqlite, *world_.files, world_.dir / "reeve.db");
  }
  Check Line(const std::string& name) {
    const auto checks = Doctor(*world_.Reader(), *world_.files, world_.dir / "reeve.db", world_.clock.now, {}, {});
    EXPECT_OK(checks);
    for (const Check& check : *checks)
      if (check.name == name) return check;
    ADD_FAILURE() << "no line " << name;
    return {};
  }

  World world_;
};

TEST_F(Ledger, RecountingRandomHistoriesNeverFindsADifference) {
  const char* given = std::getenv("REEVE_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::mt19937_64 random(seed);
  for (int restart = 0; restart < 4; ++restart) {
    {
      Server server(world_);
      for (int step = 0; step < 150; ++step) {
        server.Pass(1 + static_cast<Micros>(random() % (12 * kHour)));
        const std::string tenant = std::array{"acme", "bolt", "new"}[random() % 3];
        const std::string id = fmt::format("run-{}-{}", restart, step);
        if (random() % 4 == 0) {
          server.Refuse(tenant, id);
        } else if (random() % 2 == 0 || server.open().empty()) {
          (void)server.Reserve(tenant, id);
        } else {
          const RunRow run = server.open()[random() % server.open().size()];
          const auto state = static_cast<RunState>(2 + random() % 3);
          server.End(run, state, state == RunState::kCompleted ? static_cast<int64_t>(random() % 90'000) : 0);
        }
      }
    }
    EXPECT_EQ(Recounted(), Strings()) << "seed " << seed;
    EXPECT_EQ(Line("Counters equal the ledger").state, Check::State::kOk) << Line("Counters equal the ledger").evidence << ", seed " << seed;
    EXPECT_EQ(Line("Usage equals its runs").state, Check::State::kOk) << "seed " << seed;
    EXPECT_EQ(Line("Fences in order").state, Check::State::kOk) << "seed " << seed;
  }
}

TEST_F(Ledger, CountersThatAreWrongAreSetToLegacyAndLedger) {
  {
    Server server(world_);
    server.End(server.Reserve("acme", "a"), RunState::kCompleted, 36'000);
    (void)server.Reserve("acme", "b");
    (void)server.Reserve("bolt", "c");
  }
  Sql("UPDATE customer_usage SET pipelines_run_count = 1, pipelines_running_count = 9, compute_hours = '0.00'; UPDATE reeve_run_totals SET compute_ms = 99");
  EXPECT_EQ(Found(RepairUsage(world_.engine(), {}, false)),
            (Strings{"acme 2026-11: 1 run (9 running) were stored, 4 runs (1 running) counted", "bolt 2026-11: 1 run (9 running) were stored, 8 runs (1 running) counted"}));
  EXPECT_EQ(Column(*world_.Reader(), catalog::Usage(), "compute_hours"), (Strings{"151", "0"})) << "in order of the usage ids";
  EXPECT_EQ(Column(*world_.Reader(), catalog::ReeveRunTotals(), "compute_ms"), (Strings{"36000", "0"}));
  EXPECT_EQ(Recounted(), Strings());
}

TEST_F(Ledger, TheDoctorNamesMonthsThatDiffer) {
  {
    Server server(world_);
    (void)server.Reserve("acme", "a");
  }
  EXPECT_EQ(Line("Counters equal the ledger").evidence, "1 tenants served, 1 runs granted and 0 refused");
  Sql("UPDATE customer_usage SET pipelines_run_count = pipelines_run_count + 1 WHERE tenant_id = 'acme'");
  const Check line = Line("Counters equal the ledger");
  EXPECT_EQ(line.state, Check::State::kFailed);
  EXPECT_NE(line.evidence.find("acme 2026-11"), std::string::npos) << line.evidence;
  EXPECT_EQ(line.advice, "reeve repair usage");
}

TEST_F(Ledger, TheDoctorSeesLeasesThatNobodyEndedAndFencesThatCannotBe) {
  {
    Server server(world_);
    (void)server.Reserve("acme", "a");
  }
  EXPECT_EQ(Line("Open runs are alive").state, Check::State::kWarning) << "it is three weeks later";
  EXPECT_EQ(Line("Fences in order").state, Check::State::kOk);
  Sql("UPDATE reeve_runs SET fence = 77, expires_at = 9000000000000000");
  EXPECT_EQ(Line("Open runs are alive").state, Check::State::kOk);
  EXPECT_EQ(Line("Fences in order").state, Check::State::kFailed);
  EXPECT_NE(Line("Fences in order").evidence.find("fence 77 is beyond the mark 1"), std::string::npos);
}

TEST_F(Ledger, ARunOfTheLedgerThatThePlatformLoggedCountsOnce) {
  WriteFile(world_.dir / "legacy/acme/x_meta_api_keys-000.json", R"({"api_key_id":"k","tenant_id":"acme","api_key_hash":")" + Rows::Hash("k") + R"(","is_active":true,"created_at":"2026-01-01 00:00:00 UTC"})" "\n");
  WriteFile(world_.dir / "legacy/acme/x_meta_pipeline_runs-000.json",
            R"({"pipeline_logging_id":"a","tenant_id":"acme","status":"COMPLETED","start_time":"2026-11-20 00:00:00 UTC"})" "\n"
            R"({"pipeline_logging_id":"beside","tenant_id":"acme","status":"COMPLETED","start_time":"2026-11-20 00:00:00 UTC"})" "\n");
  {
    Server server(world_);
    server.End(server.Reserve("acme", "a"), RunState::kCompleted, 0);
  }
  world_.OpenEstate();
  Options options;
  options.only = {"acme"};
  EXPECT_EQ(Found(RepairUsage(world_.engine(), options, false)), Strings{"acme 2026-11: 3 runs (0 running) were stored, 4 runs (0 running) counted"});
  EXPECT_EQ(Column(*world_.Reader(), catalog::ReeveRunTotals(), "legacy_runs"), Strings{"3"});
  EXPECT_EQ(Found(RepairUsage(world_.engine(), options, false)), Strings());
  EXPECT_EQ(Line("Counters equal the ledger").state, Check::State::kOk);
}

TEST_F(Ledger, AnExportOfAStoreThatServedMakesAnEqualStoreThatServesOn) {
  {
    Server server(world_);
    server.End(server.Reserve("acme", "a"), RunState::kCompleted, 36'000);
    (void)server.Reserve("new", "b");
    server.Refuse("bolt", "c");
  }
  ASSERT_OK(ExportCentral(*world_.Reader(), *world_.files, world_.dir / "out", world_.progress, world_.clock.now));
  World other(Kind::kSqlite);
  const auto imported = ImportCentral(other.engine(), world_.dir / "out", false);
  ASSERT_OK(imported);
  EXPECT_EQ(imported->conflicts, Strings());
  for (const Table* table : ExportedTables()) EXPECT_EQ(Lines(*other.Reader(), *table), Lines(*world_.Reader(), *table)) << table->name;
  EXPECT_EQ(Found(RepairUsage(other.engine(), {}, true)), Strings());
  const auto again = ImportCentral(other.engine(), world_.dir / "out", false);
  ASSERT_OK(again);
  EXPECT_EQ(again->rows_changed, 0u);
  EXPECT_EQ(again->conflicts, Strings());
  Server server(other);
  ASSERT_EQ(server.open().size(), 1u);
  const int64_t imported_fence = server.open()[0].fence;
  EXPECT_GT(server.Reserve("acme", "d").fence, imported_fence) << "the imported fences are not given again";
}

TEST_F(Ledger, AnExportFromBeforeTheLastRunsIsNotImported) {
  { Server(world_).Reserve("acme", "a"); }
  ASSERT_OK(ExportCentral(*world_.Reader(), *world_.files, world_.dir / "out", world_.progress, world_.clock.now));
  {
    Server server(world_);
    server.End(server.open()[0], RunState::kCompleted, 5);
  }
  const std::string before = Dump(*world_.Reader());
  const auto report = ImportCentral(world_.engine(), world_.dir / "out", false);
  ASSERT_OK(report);
  ASSERT_EQ(report->conflicts.size(), 1u);
  EXPECT_NE(report->conflicts[0].find("acme: was served from this store after the export was made (run a)"), std::string::npos) << report->conflicts[0];
  EXPECT_EQ(Column(*world_.Reader(), catalog::ReeveRuns(), "state"), Strings{"2"});
  EXPECT_EQ(Recounted(), Strings());
}

TEST_F(Ledger, AnExportOfTheVersionBeforeTheLedgerIsImported) {
  ASSERT_OK(ExportCentral(*world_.Reader(), *world_.files, world_.dir / "out", world_.progress, world_.clock.now));
  std::string manifest = ReadFile(world_.dir / "out/manifest.json");
  manifest.replace(manifest.find("\"version\": 2"), 12, "\"version\": 1");
  manifest.resize(manifest.find(",\n    {\"table\": \"reeve_runs\""));
  WriteFile(world_.dir / "out/manifest.json", manifest + "\n  ]\n}\n");
  for (const char* name : {"reeve_runs", "reeve_run_totals"}) std::filesystem::remove(world_.dir / fmt::format("out/{}.json", name));
  World other(Kind::kSqlite);
  const auto imported = ImportCentral(other.engine(), world_.dir / "out", false);
  ASSERT_OK(imported);
  EXPECT_EQ(imported->customers, 3u);
}

TEST_F(Ledger, ATenantThatWasServedGoesBackOnlyIfItsRunsMayBeForgotten) {
  {
    Server server(world_);
    server.End(server.Reserve("acme", "a"), RunState::kCompleted, 5);
    (void)server.Reserve("new", "b");
  }
  RollbackOptions options;
  options.tenants = {"acme", "new"};
  auto report = Rollback(world_.engine(), options);
  ASSERT_OK(report);
  EXPECT_NE(report->items[0].refused.find("was served from this store"), std::string::npos) << report->items[0].refused;
  EXPECT_NE(report->items[1].refused, "");
  options.forget_runs = true;
  report = Rollback(world_.engine(), options);
  ASSERT_OK(report);
  EXPECT_EQ(report->items[0].refused, "");
  EXPECT_NE(report->items[1].refused.find("1 run of its ledger not ended yet"), std::string::npos) << report->items[1].refused;
  EXPECT_EQ(Column(*world_.Reader(), catalog::ReeveRuns(), "tenant_id"), Strings{"new"});
  EXPECT_EQ(Column(*world_.Reader(), catalog::ReeveRunTotals(), "tenant_id"), Strings{"new"});
}

}  // namespace
}  // namespace reeve::migrate::ops
