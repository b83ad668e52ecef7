// The ServingStore suite, run for every adapter; the memory store is the model.
#include "store/serving_store.h"

#include <gtest/gtest.h>

#include "domain/run_set.h"
#include "tests/conformance/serving_world.h"

namespace reeve::store {
namespace {

using catalog::RowBatch;
using Lines = std::vector<std::string>;

Lines Sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

Lines Beginning(const Lines& lines, std::string_view prefix) {
  Lines chosen;
  for (const std::string& line : lines)
    if (line.starts_with(prefix)) chosen.push_back(line);
  return chosen;
}

RunRow Granted(std::string_view run_id, int64_t fence, Days month = kServedMonth) {
  RunRow run;
  run.customer_id = "cust_t0", run.tenant_id = "t0", run.run_id = run_id, run.pipeline_id = "daily", run.api_key_id = "key_0";
  run.month = month;
  run.ttl_ms = 1000;
  run.fence = fence;
  run.reserved_at = StartOf(month) + fence;
  run.expires_at = run.reserved_at + kSecond;
  run.request_digest = "digest";
  return run;
}

RunRow Completed(RunRow run, int64_t compute_ms) {
  run.state = RunState::kCompleted;
  run.ended_at = run.reserved_at + 7;
  run.compute_ms = compute_ms;
  run.outcome = "succeeded";
  return run;
}

ServingWrites WritesOf(std::vector<RunRow> runs) {
  ServingWrites writes;
  writes.runs = std::move(runs);
  return writes;
}

class ServingStoreSuite : public testing::TestWithParam<const char*> {
 protected:
  std::string Table(const catalog::Table& table) { return DumpTable(*place_->Reader(), table); }
  // One cell of customer_usage of t0 or t1 in a month.
  std::string UsageCell(std::string_view tenant, Days month, std::string_view column) {
    RowBatch rows(catalog::Usage());
    REEVE_ASSERT(place_->Reader()->Read(catalog::Usage(), OwnerOf(tenant), &rows).has_value());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows.Row(i)[catalog::Usage().Index("usage_month")].num != month) continue;
      const catalog::Cell& cell = rows.Row(i)[catalog::Usage().Index(column)];
      return cell.is_null ? "NULL" : cell.text.empty() ? std::to_string(cell.num) : std::string(cell.text);
    }
    return "no row";
  }
  void Commit(const ServingWrites& writes) {
    const auto done = place_->store().Commit(writes);
    ASSERT_TRUE(done) << done.error().message;
  }

  std::unique_ptr<ServingPlace> place_ = std::string_view(GetParam()) == "memory" ? MakeMemoryPlace() : MakeSqlitePlace();
};

INSTANTIATE_TEST_SUITE_P(Adapters, ServingStoreSuite, testing::Values("memory", "sqlite"), [](const auto& info) { return info.param; });

TEST_P(ServingStoreSuite, LoadsCustomersThenKeysThenUsageThenOpenRuns) {
  Commit(WritesOf({Granted("a", 1), Granted("b", 2)}));
  const Lines lines = LoadLines(place_->store());
  Lines kinds;
  for (const std::string& line : lines) {
    const std::string kind = line.substr(0, line.find(' '));
    if (kinds.empty() || kinds.back() != kind) kinds.push_back(kind);
  }
  EXPECT_EQ(kinds, (Lines{"customer", "key", "usage", "run", "marks"}));
  EXPECT_EQ(Sorted(Beginning(lines, "customer")),
            (Lines{"customer cust_t0 t0 active professional true 5000 - - 1234", "customer cust_t1 t1 active professional true 5000 - - 1234",
                   "customer cust_t2 t2 active professional true 5000 - - 0", "customer cust_t3 t3 active professional false - - - 0"}));
  const Lines keys = Beginning(lines, "key 0001");
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_TRUE(keys.front().ends_with(fmt::format(R"( true - {} ["pipelines:write","usage:read"])", StartOf(kNextMonth)))) << keys.front();
  EXPECT_TRUE(Beginning(lines, "key 0102").front().ends_with(R"( false 500 - ["usage:read"])")) << Beginning(lines, "key 0102").front();
  EXPECT_EQ(Beginning(lines, "key").size(), size_t{kServedTenants * kKeysOfATenant});
}

TEST_P(ServingStoreSuite, LoadsUsageOfTheMonthsAskedForAndOfThoseOfOpenRuns) {
  const Days earlier = MonthStart(kServedMonth, -1);
  EXPECT_EQ(Beginning(LoadLines(place_->store(), kServedMonth), "usage").size(), 2u);
  EXPECT_EQ(Beginning(LoadLines(place_->store(), kNextMonth), "usage").size(), 0u);
  Commit(WritesOf({Granted("old", 1, earlier)}));
  const Lines lines = LoadLines(place_->store(), kNextMonth);
  EXPECT_EQ(Sorted(Beginning(lines, "usage")), (Lines{"usage cust_t0 t0 2026-10 1 0 0 0 -", "usage cust_t1 t1 2026-10 1 0 0 0 -"}));
  EXPECT_EQ(Beginning(lines, "run").size(), 1u);
}

TEST_P(ServingStoreSuite, LoadsTheMonthInWhichTheLedgersClockStands) {
  ServingWrites writes;
  writes.ledger_time = StartOf(kServedMonth) + 5;
  Commit(writes);
  EXPECT_EQ(Beginning(LoadLines(place_->store(), kNextMonth), "usage").size(), 2u) << "the wall's clock has leapt ahead, the counters are of before";
}

TEST_P(ServingStoreSuite, LoadsOnlyOpenRunsInTheOrderOfTheirGrants) {
  Commit(WritesOf({Granted("z", 1), Granted("y", 2), Granted("x", 3)}));
  RunRow refused = Granted("w", 0);
  refused.state = RunState::kRefused, refused.refusal = 110;
  Commit(WritesOf({Completed(Granted("y", 2), 5), refused}));
  const Lines runs = Beginning(LoadLines(place_->store()), "run");
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_NE(runs[0].find(" z "), std::string::npos) << runs[0];
  EXPECT_NE(runs[1].find(" x "), std::string::npos) << runs[1];
}

TEST_P(ServingStoreSuite, FindsARunInWhateverStateAndMonth) {
  const Days earlier = MonthStart(kServedMonth, -5);
  const RunRow old = Completed(Granted("old", 1, earlier), 99);
  RunRow refused = Granted("no", 0);
  refused.state = RunState::kRefused, refused.refusal = 120, refused.ended_at = refused.reserved_at, refused.expires_at = 0, refused.reply = "{}";
  Commit(WritesOf({old, refused}));
  place_->Close();
  EXPECT_EQ(RunText(*place_->store().FindRun("t0", "old")), RunText(old));
  EXPECT_EQ(RunText(*place_->store().FindRun("t0", "no")), RunText(refused));
  EXPECT_EQ(RunText(*place_->store().FindRun("t1", "old")), "no run") << "another tenant's run of the same name is another run";
  EXPECT_EQ(RunText(*place_->store().FindRun("none", "old")), "no run");
}

TEST_P(ServingStoreSuite, TheNewerRowOfARunTakesThePlaceOfTheOlder) {
  const RunRow granted = Granted("a", 1);
  RunRow longer = granted;
  longer.expires_at += 5, longer.ttl_ms = 2000;
  Commit(WritesOf({granted, longer}));
  EXPECT_EQ(RunText(*place_->store().FindRun("t0", "a")), RunText(longer));
  Commit(WritesOf({Completed(longer, 5)}));
  EXPECT_EQ(RunText(*place_->store().FindRun("t0", "a")), RunText(Completed(longer, 5)));
}

TEST_P(ServingStoreSuite, TwoOpenRunsNeverHaveOneFence) {
  const auto done = place_->store().Commit(WritesOf({Granted("a", 1), Granted("b", 1)}));
  EXPECT_FALSE(done);
}

TEST_P(ServingStoreSuite, ComputeTimeOfTheLedgerIsAddedExactlyToThatOfLegacy) {
  ServingWrites writes;
  // t0 has a set of runs with 5,400,000 ms; t1 has only 1.50 hours.
  for (const char* tenant : {"t0", "t1"}) writes.usage.push_back({OwnerOf(tenant).customer_id, tenant, kServedMonth, 4, 2, 17'999, 0, std::nullopt});
  Commit(writes);
  EXPECT_EQ(UsageCell("t0", kServedMonth, "compute_hours"), "150") << "17.999 s are less than half a hundredth";
  for (UsageRow& usage : writes.usage) usage.compute_ms = 18'000;
  Commit(writes);
  for (const char* tenant : {"t0", "t1"}) {
    EXPECT_EQ(UsageCell(tenant, kServedMonth, "compute_hours"), "151");
    EXPECT_EQ(UsageCell(tenant, kServedMonth, "pipelines_run_count"), "4");
  }
  place_->Close();
  const Lines usage = Beginning(LoadLines(place_->store()), "usage cust_t0");
  EXPECT_EQ(usage, (Lines{fmt::format("usage cust_t0 t0 2026-11 4 2 18000 0 {}", StartOf(kServedMonth) + 2)})) << "the ledger's part, to the millisecond";
}

TEST_P(ServingStoreSuite, WhatTheLedgerDoesNotCountStaysAsItWas) {
  ServingWrites writes;
  writes.usage.push_back({"cust_t1", "t1", kServedMonth, 3, 1, 0, 12, std::nullopt});
  Commit(writes);
  EXPECT_EQ(UsageCell("t1", kServedMonth, "compute_hours"), "150");
  EXPECT_EQ(UsageCell("t1", kServedMonth, "last_pipeline_run_at"), std::to_string(StartOf(kServedMonth) + 2));
  EXPECT_EQ(UsageCell("t1", kServedMonth, "api_requests_count"), "12");
  EXPECT_EQ(UsageCell("t1", MonthStart(kServedMonth, -1), "storage_used_gb"), "1234");
}

TEST_P(ServingStoreSuite, AMonthThatBeginsHereGetsARow) {
  ServingWrites writes;
  writes.ledger_time = StartOf(kNextMonth) + 5;
  writes.usage.push_back({"cust_t2", "t2", kNextMonth, 1, 1, 0, 0, StartOf(kNextMonth) + 4});
  Commit(writes);
  EXPECT_EQ(UsageCell("t2", kNextMonth, "pipelines_running_count"), "1");
  EXPECT_EQ(UsageCell("t2", kNextMonth, "quota_reset_at"), std::to_string(StartOf(MonthStart(kNextMonth, 1))));
  EXPECT_EQ(UsageCell("t2", kNextMonth, "created_at"), std::to_string(writes.ledger_time));
  EXPECT_TRUE(UsageCell("t2", kNextMonth, "usage_id").starts_with("usage_"));
}

TEST_P(ServingStoreSuite, WhatWasRememberedOfLegacyIsWhatWasThereBeforeTheLedgerBegan) {
  ServingWrites writes;
  writes.usage.push_back({"cust_t0", "t0", kServedMonth, 4, 2, 5, 0, std::nullopt});
  Commit(writes);
  writes.usage.front().run_count = 9;
  Commit(writes);
  EXPECT_EQ(Table(catalog::ReeveRunTotals()),
            R"({"tenant_id":"t0","usage_month":"2026-11-01","compute_ms":"5","legacy_runs":"3","legacy_running":"1","legacy_compute_ms":"5400000"})"
            "\n");
}

TEST_P(ServingStoreSuite, LastUseOnlyGrows) {
  ServingWrites writes;
  const auto touch = [&](Micros at) {
    writes.touches = {{DigestOf(2, 0), at}};
    Commit(writes);
    RowBatch keys(catalog::ApiKeys());
    REEVE_ASSERT(place_->Reader()->Read(catalog::ApiKeys(), OwnerOf("t2"), &keys).has_value());
    return keys.Row(0)[catalog::ApiKeys().Index("last_used_at")].num;
  };
  EXPECT_EQ(touch(700), 700);
  EXPECT_EQ(touch(600), 700);
  EXPECT_EQ(touch(800), 800);
  writes.touches = {{DigestOf(77, 7), 900}};
  Commit(writes);  // a key that is gone by now
}

TEST_P(ServingStoreSuite, TheEarliestRevocationStaysAndNothingUndoesIt) {
  ServingWrites writes;
  writes.revocations = {{DigestOf(0, 0), 900, "zoe"}, {DigestOf(0, 0), 800, "bob"}, {DigestOf(0, 0), 850, "abe"}, {DigestOf(0, 2), 600, "abe"}};
  Commit(writes);
  const std::string keys = Table(catalog::ApiKeys());
  EXPECT_NE(keys.find(R"("is_active":false,"created_at":"2025-10-09 08:53:20 UTC","revoked_at":"1970-01-01 00:00:00.000800 UTC","revoked_by":"bob")"), std::string::npos)
      << keys;
  EXPECT_NE(keys.find(R"("revoked_at":"1970-01-01 00:00:00.000500 UTC","revoked_by":"ann")"), std::string::npos) << keys;
}

TEST_P(ServingStoreSuite, ARevocationOfAnUnknownKeyIsNotTakenForDone) {
  ServingWrites writes;
  writes.revocations = {{DigestOf(9, 9), 900, "zoe"}};
  EXPECT_FALSE(place_->store().Commit(writes));
}

TEST_P(ServingStoreSuite, StatusAndQuotasBecomeWhatWasSaid) {
  ServingWrites writes;
  CustomerChange::Quotas some, ones;
  some.concurrent_runs = 0, some.storage_gb = 7;
  ones.monthly_runs = ones.concurrent_runs = ones.storage_gb = 1;
  writes.changes = {ChangeOf("cust_t0", "suspended", some), ChangeOf("cust_t3", std::nullopt, ones)};
  Commit(writes);
  const Lines customers = Sorted(Beginning(LoadLines(place_->store()), "customer"));
  EXPECT_EQ(customers.front(), "customer cust_t0 t0 suspended professional true - 0 7 1234");
  EXPECT_EQ(customers.back(), "customer cust_t3 t3 active professional false - - - 0") << "without a subscription there is nothing to change";
}

TEST_P(ServingStoreSuite, MarksNeverGoBack) {
  ServingWrites writes;
  writes.ledger_time = 100, writes.fence = 10, writes.audit_seq = 5, writes.audit_head = "head 5";
  Commit(writes);
  writes.ledger_time = 90, writes.fence = 9, writes.audit_seq = 4, writes.audit_head = "head 4";
  Commit(writes);
  EXPECT_EQ(LoadLines(place_->store()).back(), "marks 100 10 5 head 5");
  place_->Close();
  EXPECT_EQ(LoadLines(place_->store()).back(), "marks 100 10 5 head 5");
}

TEST_P(ServingStoreSuite, AfterAFailedCommitNothingWorksUntilTheStoreIsOpenedAgain) {
  ServingWrites broken = WritesOf({Granted("a", 1)});
  broken.changes = {ChangeOf("cust_none", "active")};
  EXPECT_FALSE(place_->store().Commit(broken));
  EXPECT_FALSE(place_->store().Commit({}));
  EXPECT_FALSE(place_->store().Probe());
  EXPECT_FALSE(place_->store().FindRun("t0", "a"));
  EXPECT_TRUE(LoadLines(place_->store()).front().starts_with("failed"));
  place_->Close();
  EXPECT_TRUE(place_->store().Probe());
  EXPECT_EQ(RunText(*place_->store().FindRun("t0", "a")), "no run") << "nothing of what failed is there";
}

TEST_P(ServingStoreSuite, WritingTheSameTwiceChangesNothing) {
  const uint64_t seed = TakeSeed();
  ServedHistory history(seed);
  for (int i = 0; i < 60; ++i) {
    const ServingWrites writes = history.Next();
    Commit(writes);
    const auto once = Dump(*place_->Reader());
    const Lines loaded = LoadLines(place_->store());
    Commit(writes);
    ASSERT_EQ(Dump(*place_->Reader()), once) << "seed " << seed << " step " << i;
    ASSERT_EQ(LoadLines(place_->store()), loaded) << "seed " << seed << " step " << i;
  }
}

TEST_P(ServingStoreSuite, ErasingATenantTakesItsLedgerWithIt) {
  ServingWrites writes = WritesOf({Granted("a", 1)});
  writes.usage.push_back({"cust_t0", "t0", kServedMonth, 4, 2, 0, 0, std::nullopt});
  Commit(writes);
  place_->Close();
  RowBatch tenants(catalog::ReeveTenants());
  AddTenant(&tenants, "t0", 2);
  const TenantWrite after = WriteOf("t0", 2, std::move(tenants));
  ASSERT_EQ(place_->Sink()->Erase({&after, 1})->front().outcome, Outcome::kMerged);
  EXPECT_EQ(Table(catalog::ReeveRuns()), "");
  EXPECT_EQ(Table(catalog::ReeveRunTotals()), "");
}

// Engine and model side by side.
class ServingPair {
 public:
  void Commit(const ServingWrites& writes, bool works) {
    EXPECT_EQ(memory_->store().Commit(writes).has_value(), works);
    const auto done = sqlite_->store().Commit(writes);
    EXPECT_EQ(done.has_value(), works) << (done ? "" : done.error().message);
    if (works) return;
    memory_->Close();
    sqlite_->Close();
  }
  void Crash() {
    memory_->Crash();
    sqlite_->Crash();
  }
  void Compare(const ServedHistory& history) {
    EXPECT_EQ(Sorted(LoadLines(sqlite_->store())), Sorted(LoadLines(memory_->store())));
    EXPECT_EQ(Beginning(LoadLines(sqlite_->store()), "run"), Beginning(LoadLines(memory_->store()), "run"));
    EXPECT_EQ(Dump(*sqlite_->Reader()), Dump(*memory_->Reader()));
    for (const auto& [tenant, run] : history.RunNames())
      EXPECT_EQ(RunText(*sqlite_->store().FindRun(tenant, run)), RunText(*memory_->store().FindRun(tenant, run)));
  }

 private:
  std::unique_ptr<ServingPlace> memory_ = MakeMemoryPlace(), sqlite_ = MakeSqlitePlace();
};

TEST(ServingStoreModel, RandomHistoriesWithCrashesAndFailuresAgreeWithTheModel) {
  const uint64_t seed = TakeSeed();
  for (uint64_t round = 0; round < 6; ++round) {
    SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
    std::mt19937_64 random(seed + round);
    ServedHistory history(seed + round);
    ServingPair pair;
    for (int step = 0; step < 120; ++step) {
      if (random() % 15 == 0) pair.Commit(history.NextBroken(), false);
      pair.Commit(history.Next(), true);
      if (random() % 20 == 0) pair.Crash();
      if (random() % 12 == 0) pair.Compare(history);
      if (testing::Test::HasFailure()) return;
    }
    pair.Compare(history);
  }
}

}  // namespace
}  // namespace reeve::store
