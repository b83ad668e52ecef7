#include <sys/resource.h>
#include <chrono>
#include "migrate/ops/ops_testing.h"
namespace reeve::migrate::ops {
namespace {
TEST(Speed, All) {
  const int n = getenv("N") ? atoi(getenv("N")) : 10000;
  World world(Kind::kSqlite);
  auto t0 = std::chrono::steady_clock::now();
  const auto lap = [&](const char* what) {
    auto t = std::chrono::steady_clock::now();
    rusage u{}; getrusage(RUSAGE_SELF, &u);
    fmt::print("{}: {:.2f} s, peak {} MiB\n", what, std::chrono::duration<double>(t - t0).count(), u.ru_maxrss / 1024); fflush(stdout);
    t0 = std::chrono::steady_clock::now();
  };
  std::vector<store::TenantWrite> batch;
  for (int i = 0; i < n; ++i) {
    const std::string t = fmt::format("tenant{}", i);
    Rows rows(t);
    domain::RunSet runs;
    for (int r = 0; r < 60; ++r) runs.Add({fmt::format("run{}_{}", i, r), domain::RunState::kTerminal, *ParseTime("2026-10-05 00:00:00") + r * kDay / 2, std::nullopt, 1000});
    rows.Customer().Subscription("sub_" + t).Usage("usage_" + t, "2026-11", 6).Usage("usage2_" + t, "2026-10", 54).Event("log_" + t).Event("log2_" + t).Runs(runs);
    for (int k = 0; k < 5; ++k) rows.Key(fmt::format("key_{}", k), Rows::Hash(fmt::format("{} {}", i, k)), k == 4 ? R"("is_active":false,"revoked_at":"2026-05-01 00:00:00 UTC")" : R"("is_active":true)");
    for (int k = 0; k < 2; ++k) rows.Credential(fmt::format("cred_{}", k), std::string(200, 'x'));
    rows.State("verified", 1, R"(,"as_of":"2026-11-20 00:00:00 UTC","counts":{"legacy":{"keys":5}})");
    batch.push_back({rows.owner(), 1, std::move(rows.tables())});
    if (batch.size() == 500) { ASSERT_OK(world.sink->Merge(batch)); batch.clear(); }
  }
  ASSERT_OK(world.sink->Merge(batch));
  batch.clear();
  lap("fill");
  ASSERT_OK(Doctor(*world.Reader(), *world.files, world.dir / "reeve.db", world.clock.now, {}, {}));
  lap("doctor");
  ASSERT_OK(ReadStatus(*world.Reader(), *world.files, world.dir / "reeve.db"));
  lap("status");
  ASSERT_OK(ExportCentral(*world.Reader(), *world.files, world.dir / "out", world.progress, 0));
  lap("export");
  World target(Kind::kSqlite);
  const auto imported = ImportCentral(target.engine(), world.dir / "out", false);
  ASSERT_OK(imported); EXPECT_TRUE(imported->conflicts.empty());
  lap("import");
  const auto usage = RepairUsage(world.engine(), {}, false);
  ASSERT_OK(usage); EXPECT_EQ(usage->items.size(), 2u * n);
  lap("repair usage");
  ASSERT_OK(RepairDuplicates(world.engine(), false));
  lap("repair duplicates (none)");
  ASSERT_OK(ExplainKey(*world.Reader(), nullptr, Secret("x"), {}, 0));
  lap("explain");
  ASSERT_OK(Rollback(world.engine(), {{}, true}));
  lap("rollback dry");
  const auto back = Rollback(world.engine(), {});
  ASSERT_OK(back); EXPECT_EQ(back->items[0].refused, "");
  lap("rollback");
}
}}
