#include "migrate/ops/ops_testing.h"

namespace reeve::migrate::ops {
namespace {

using Strings = std::vector<std::string>;

class RepairUsageOf : public ::testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Stores, RepairUsageOf, ::testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& info) { return info.param == Kind::kMemory ? "Memory" : "Sqlite"; });

Micros At(const std::string& text) { return *ParseTime(text); }

// Two finished runs in October; in November one finished, one fresh, one that never ended.
domain::RunSet SomeRuns() {
  domain::RunSet set;
  for (const char* id : {"o1", "o2"}) set.Add({id, domain::RunState::kTerminal, At("2026-10-05 00:00:00"), At("2026-10-05 01:30:00"), std::nullopt});
  set.Add({"n1", domain::RunState::kTerminal, At("2026-11-05 00:00:00"), std::nullopt, 1'800'000});
  set.Add({"n2", domain::RunState::kRunning, At("2026-11-22 11:00:00"), std::nullopt, std::nullopt});
  set.Add({"n3", domain::RunState::kPending, At("2026-11-02 00:00:00"), std::nullopt, std::nullopt});
  return set;
}

Strings Texts(const std::vector<RepairReport::Item>& items) {
  Strings texts;
  for (const auto& item : items) texts.push_back(item.tenant + " " + item.what);
  return texts;
}

// The published correction writes the present number of running runs into every past month.
TEST_P(RepairUsageOf, L111EveryMonthIsRecountedFromItsOwnRuns) {
  World world(GetParam());
  Rows("acme").Customer().Usage("usage_o", "2026-10", 4, 4).Usage("usage_n", "2026-11", 6, 6).Runs(SomeRuns()).State("copied").WriteTo(world);

  const auto report = RepairUsage(world.engine(), {}, false);

  ASSERT_OK(report);
  EXPECT_EQ(Texts(report->items), (Strings{"acme 2026-10: 4 runs (4 running) were stored, 2 runs (0 running) counted",
                                           "acme 2026-11: 6 runs (6 running) were stored, 3 runs (1 running) counted"}));
  const auto reader = world.Reader();
  EXPECT_EQ(Column(*reader, catalog::Usage(), "pipelines_run_count"), (Strings{"3", "2"}));
  EXPECT_EQ(Column(*reader, catalog::Usage(), "pipelines_running_count"), (Strings{"1", "0"}));
  EXPECT_EQ(Column(*reader, catalog::Usage(), "compute_hours"), (Strings{"50", "300"}));
  EXPECT_EQ(Column(*reader, catalog::Usage(), "last_pipeline_run_at"),
            (Strings{std::to_string(At("2026-11-22 11:00:00")), std::to_string(At("2026-10-05 00:00:00"))}));
  EXPECT_EQ(Column(*reader, catalog::AuditLogs(), "event_type"), (Strings{"usage.recounted"}));
}

TEST_P(RepairUsageOf, L111ADryRunSaysTheSameAndWritesNothing) {
  World world(GetParam());
  Rows("acme").Customer().Usage("usage_o", "2026-10", 4, 4).Runs(SomeRuns()).State("copied").WriteTo(world);
  const std::string before = Dump(*world.Reader());
  const auto dry = RepairUsage(world.engine(), {}, true);
  ASSERT_OK(dry);
  EXPECT_EQ(Dump(*world.Reader()), before);
  EXPECT_EQ(Texts(RepairUsage(world.engine(), {}, false)->items), Texts(dry->items));
}

TEST_P(RepairUsageOf, RowsThatAreRightAreNotWritten) {
  World world(GetParam());
  Rows("acme").Customer().Runs(SomeRuns()).State("copied").WriteTo(world);
  ASSERT_OK(RepairUsage(world.engine(), {}, false));
  const std::string after = Dump(*world.Reader());
  world.clock.now += kHour;
  const auto again = RepairUsage(world.engine(), {}, false);
  ASSERT_OK(again);
  EXPECT_TRUE(again->items.empty());
  EXPECT_EQ(Dump(*world.Reader()), after);
}

TEST_P(RepairUsageOf, ARunThatNeverEndsStopsCountingAsRunningAfterADay) {
  World world(GetParam());
  Rows("acme").Customer().Runs(SomeRuns()).State("copied").WriteTo(world);
  ASSERT_OK(RepairUsage(world.engine(), {}, false));
  EXPECT_EQ(Column(*world.Reader(), catalog::Usage(), "pipelines_running_count"), (Strings{"1", "0"}));
  world.clock.now += kDay;
  EXPECT_EQ(Texts(RepairUsage(world.engine(), {}, false)->items), (Strings{"acme 2026-11: 3 runs (1 running) were stored, 3 runs (0 running) counted"}));
}

TEST_P(RepairUsageOf, ACountWithoutASetIsLeftAloneAndSaidSo) {
  World world(GetParam());
  Rows("acme").Customer().Usage("usage_n", "2026-11", 6, 1).State("copied").WriteTo(world);
  const auto report = RepairUsage(world.engine(), {}, false);
  ASSERT_OK(report);
  EXPECT_TRUE(report->items.empty());
  EXPECT_EQ(Texts(report->left_alone), (Strings{"acme 2026-11: 6 runs (1 running) without a stored set of runs: left as it is"}));
}

TEST_P(RepairUsageOf, OnlyTheTenantsAskedForAreTouched) {
  World world(GetParam());
  Rows("acme").Customer().Runs(SomeRuns()).State("copied").WriteTo(world);
  Rows("beta").Customer().Runs(SomeRuns()).State("copied").WriteTo(world);
  Options options;
  options.only = {"beta"};
  ASSERT_OK(RepairUsage(world.engine(), options, false));
  EXPECT_EQ(Column(*world.Reader(), catalog::Usage(), "tenant_id"), (Strings{"beta", "beta"}));
}

// The published count takes two rows per run for two runs.
TEST_P(RepairUsageOf, L111LegacyIsUnitedRunByRun) {
  World world(GetParam());
  Rows("acme").Customer().Usage("usage_n", "2026-11", 20, 20).Runs(SomeRuns()).State("copied").WriteTo(world);
  const auto run = [](const std::string& id, const std::string& status, const std::string& more) {
    return fmt::format(R"({{"pipeline_logging_id":"{}","tenant_id":"acme","status":"{}","start_time":"2026-11-22 11:00:00 UTC"{}}})", id, status, more) + "\n";
  };
  WriteFile(world.dir / "legacy/acme/x_meta_pipeline_runs-0.json",
            run("n2", "PENDING", "") + run("n2", "COMPLETED", R"(,"duration_ms":"3600000")") + run("new", "COMPLETED", "") + run("new", "PENDING", ""));
  WriteFile(world.dir / "legacy/acme/x_meta_api_keys-0.json", "");
  WriteFile(world.dir / "legacy/acme/x_meta_cloud_credentials-0.json", "");
  world.OpenEstate();

  const auto report = RepairUsage(world.engine(), {}, false);

  ASSERT_OK(report);
  EXPECT_EQ(report->items.size(), 2u);
  EXPECT_EQ(report->items[1].what, "2026-11: 20 runs (20 running) were stored, 4 runs (0 running) counted");
  const std::string after = Dump(*world.Reader());
  EXPECT_TRUE(RepairUsage(world.engine(), {}, false)->items.empty());
  EXPECT_EQ(Dump(*world.Reader()), after);
}


TEST_P(RepairUsageOf, ADamagedSetIsLeftAloneAndTheOtherTenantsGoOn) {
  World world(GetParam());
  Rows("acme").Customer().Add(catalog::ReeveUsageRuns(), R"({"tenant_id":"acme","usage_month":"2026-11-01","runs":"/////w=="})").State("copied").WriteTo(world);
  Rows("beta").Customer().Runs(SomeRuns()).State("copied").WriteTo(world);
  const auto report = RepairUsage(world.engine(), {}, false);
  ASSERT_OK(report);
  EXPECT_EQ(report->items.size(), 2u);
  ASSERT_EQ(report->left_alone.size(), 1u);
  EXPECT_NE(report->left_alone[0].what.find("set of runs"), std::string::npos) << report->left_alone[0].what;
}

}  // namespace
}  // namespace reeve::migrate::ops
