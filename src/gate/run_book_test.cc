#include "gate/run_book.h"

#include <gtest/gtest.h>

#include "gate/run_book_testing.h"

namespace reeve::gate {
namespace {

using domain::Decision;
using domain::Outcome;
using store::RunState;

std::vector<SeedCustomer> Acme(domain::Quotas quotas) { return {{.tenant = "acme", .quotas = quotas, .keys = {{.text = "k"}}}}; }

RunCall Complete(std::string id, int64_t fence, std::optional<int64_t> compute_ms = std::nullopt, bool succeeded = true) {
  RunCall call = On(RunVerb::kComplete, std::move(id), fence);
  call.compute_ms = compute_ms;
  call.succeeded = succeeded;
  return call;
}

store::CustomerChange::Quotas Limits(std::optional<int64_t> monthly, std::optional<int64_t> concurrent, std::optional<int64_t> storage) {
  store::CustomerChange::Quotas quotas;
  quotas.monthly_runs = monthly;
  quotas.concurrent_runs = concurrent;
  quotas.storage_gb = storage;
  return quotas;
}

TEST(Reserve, GrantsWithALeaseAFenceAndTheNumbersOfTheMonth) {
  BookWorld w(Acme({10, 2, 5}));
  const RunAnswer first = w.Call(Reserve("a", 30'000));
  EXPECT_EQ(first.result, RunResult::kOk);
  EXPECT_EQ(first.decision, (Decision{Outcome::kAllowed, 1, 10, 0}));
  EXPECT_FALSE(first.replayed);
  ASSERT_TRUE(first.run);
  EXPECT_EQ(first.run->state, RunState::kReserved);
  EXPECT_EQ(first.run->month, kNovember);
  EXPECT_EQ(first.run->expires_at, first.run->reserved_at + 30 * kSecond);
  EXPECT_EQ(first.run->lease_ms, 30'000);
  const RunAnswer second = w.Call(Reserve("b"));
  EXPECT_GT(second.run->fence, first.run->fence);
  EXPECT_EQ(second.decision.used, 2);
  w.Commit();
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_run_count"), 2);
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_running_count"), 2);
  EXPECT_EQ(w.Events(), (std::vector<std::string>{"run.reserved", "run.reserved"}));
}

TEST(Reserve, TheSameAgainHasTheSameAnswerForEver) {
  BookWorld w(Acme({3, 1, 5}));
  const RunAnswer granted = w.Call(Reserve("a"));
  const RunAnswer refused = w.Call(Reserve("b"));
  EXPECT_EQ(refused.result, RunResult::kRefused);
  EXPECT_EQ(refused.decision, (Decision{Outcome::kConcurrentQuota, 1, 1, 60}));
  w.Commit();
  ASSERT_EQ(w.Call(On(RunVerb::kHeartbeat, "a", granted.run->fence)).result, RunResult::kOk);
  ASSERT_EQ(w.Call(Complete("a", granted.run->fence, 5)).result, RunResult::kOk);
  ASSERT_EQ(w.Call(Reserve("c")).result, RunResult::kOk) << "there is room now, but not for b";
  w.Commit();
  for (int life = 0; life < 3; ++life) {
    const RunAnswer again = w.Call(Reserve("a")), refused_again = w.Call(Reserve("b"));
    EXPECT_TRUE(again.replayed && refused_again.replayed);
    EXPECT_EQ(again.result, RunResult::kOk);
    EXPECT_EQ(again.decision, granted.decision);
    EXPECT_EQ(again.run->state, RunState::kReserved) << "as it was granted";
    EXPECT_EQ(again.run->fence, granted.run->fence);
    EXPECT_EQ(again.run->expires_at, granted.run->expires_at);
    EXPECT_EQ(again.run->compute_ms, 0);
    EXPECT_EQ(refused_again.result, RunResult::kRefused);
    EXPECT_EQ(refused_again.decision, refused.decision);
    EXPECT_FALSE(w.Commit()) << "nothing new";
    w.world.clock.Pass(40 * kDay);  // another month, another process
    w.Restart();
  }
}

TEST(Reserve, AnotherRequestWithTheIdIsAConflict) {
  BookWorld w(Acme({}));
  ASSERT_EQ(w.Call(Reserve("a", 30'000)).result, RunResult::kOk);
  RunCall other = Reserve("a", 30'000);
  other.pipeline_id = "q";
  EXPECT_EQ(w.Call(other).result, RunResult::kOtherRequest);
  EXPECT_EQ(w.Call(Reserve("a", 31'000)).result, RunResult::kOtherRequest);
  RunCall by_default = Reserve("b", 0);
  ASSERT_EQ(w.Call(by_default).result, RunResult::kOk);
  EXPECT_TRUE(w.Call(Reserve("b", kLeaseMsDefault)).replayed) << "the default said aloud is the same request";
}

TEST(Reserve, IdsBelongToTheirCustomer) {
  std::vector<SeedCustomer> two = Acme({1, 1, std::nullopt});
  two.push_back({.tenant = "beta", .quotas = {1, 1, std::nullopt}, .keys = {{.text = "b"}}});
  BookWorld w(two);
  EXPECT_FALSE(w.Call(Reserve("a"), 0).replayed);
  EXPECT_FALSE(w.Call(Reserve("a"), 1).replayed);
  EXPECT_EQ(w.Call(On(RunVerb::kLook, "b"), 1).result, RunResult::kUnknownRun);
}

TEST(Reserve, RefusesInTheOrderOfTheLadderAndKeepsNothingButTheRefusal) {
  std::vector<SeedCustomer> full = Acme({5, 3, 1});
  full[0].storage_hundredths = 1'00;
  full[0].runs = 5;
  BookWorld w(full);
  EXPECT_EQ(w.Call(Reserve("a")).decision.outcome, Outcome::kStorageQuota);
  store::CustomerChange change;
  change.quotas = Limits(5, 0, 2);
  ASSERT_TRUE(w.book().Change(0, change, "ops", w.Tick()));
  EXPECT_EQ(w.Call(Reserve("b")).decision.outcome, Outcome::kMonthlyQuota) << "legacy's runs of the month count";
  change.quotas = Limits(6, 0, 2);
  ASSERT_TRUE(w.book().Change(0, change, "ops", w.Tick()));
  EXPECT_EQ(w.Call(Reserve("c")).decision, (Decision{Outcome::kConcurrentQuota, 0, 0, 0}));
  EXPECT_EQ(w.View().month_runs, 5);
  change.quotas = Limits(6, 1, 2);
  ASSERT_TRUE(w.book().Change(0, change, "ops", w.Tick()));
  EXPECT_EQ(w.Call(Reserve("d")).decision, (Decision{Outcome::kAllowed, 6, 6, 0}));
  w.Commit();
  const std::vector<std::string> events = {"run.refused", "subscription.quotas_changed", "run.refused", "subscription.quotas_changed",
                                           "run.refused", "subscription.quotas_changed", "run.reserved"};
  EXPECT_EQ(w.Events(), events);
}

TEST(Leases, OneThatIsOverIsEndedBeforeAnybodyIsRefused) {
  BookWorld w(Acme({std::nullopt, 2, std::nullopt}));
  (void)w.Call(Reserve("a", 10'000));
  (void)w.Call(Reserve("b", 20'000));
  const RunAnswer refused = w.Call(Reserve("c"));
  EXPECT_EQ(refused.decision, (Decision{Outcome::kConcurrentQuota, 2, 2, 10})) << "until the first lease is over";
  w.world.clock.Pass(10 * kSecond);
  EXPECT_EQ(w.Call(Reserve("d")).result, RunResult::kOk);
  EXPECT_EQ(w.Call(On(RunVerb::kLook, "a")).run->state, RunState::kExpired);
  w.Commit();
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_running_count"), 2);
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_run_count"), 3) << "its run still counts";
}

TEST(Leases, AHeartbeatExtendsAndOnlyTheRightFenceMay) {
  BookWorld w(Acme({}));
  const int64_t fence = w.Call(Reserve("a", 10'000)).run->fence;
  for (int i = 0; i < 5; ++i) {
    w.world.clock.Pass(9 * kSecond);
    EXPECT_EQ(w.Call(On(RunVerb::kHeartbeat, "a", fence)).result, RunResult::kOk);
    EXPECT_EQ(w.Call(On(RunVerb::kHeartbeat, "a", fence + 1)).result, RunResult::kStaleFence);
    EXPECT_EQ(w.Call(On(RunVerb::kHeartbeat, "a", 0)).result, RunResult::kStaleFence);
  }
  RunCall longer = On(RunVerb::kHeartbeat, "a", fence);
  longer.lease_ms = 60'000;
  const RunAnswer extended = w.Call(longer);
  EXPECT_EQ(extended.run->expires_at, w.ledger().last() + 60 * kSecond);
  w.world.clock.Pass(59 * kSecond);
  EXPECT_EQ(w.Call(Complete("a", fence + 1)).result, RunResult::kStaleFence);
  EXPECT_EQ(w.Call(On(RunVerb::kLook, "a")).run->state, RunState::kReserved);
  w.world.clock.Pass(kSecond);
  for (const RunVerb verb : {RunVerb::kHeartbeat, RunVerb::kComplete, RunVerb::kCancel})
    EXPECT_EQ(w.Call(On(verb, "a", fence)).result, RunResult::kLeaseExpired) << VerbName(verb);
}

TEST(Leases, AfterARestartTheyRunOnFromWhereTheLedgerIs) {
  BookWorld w(Acme({std::nullopt, 1, std::nullopt}));
  const int64_t fence = w.Call(Reserve("a", 60'000)).run->fence;
  w.Commit();
  w.world.clock.Pass(20 * kSecond);
  w.Restart();
  EXPECT_EQ(w.book().live_leases(), 1u);
  w.world.clock.Pass(39 * kSecond);
  EXPECT_EQ(w.Call(On(RunVerb::kHeartbeat, "a", fence)).result, RunResult::kOk);
  w.Commit();
  w.world.clock.Pass(61 * kSecond);
  w.Restart();
  EXPECT_EQ(w.book().ExpireDue(w.Tick(), 10), 1u);
  EXPECT_GT(w.Call(Reserve("b")).run->fence, fence);
}

TEST(Ending, CompletingAddsComputeOnceGivenOrMeasured) {
  BookWorld w(Acme({}));
  const int64_t a = w.Call(Reserve("a")).run->fence, b = w.Call(Reserve("b")).run->fence;
  w.Commit();
  w.Restart();  // what is measured is measured over a restart too
  w.world.clock.Pass(7 * kSecond);
  EXPECT_EQ(w.Call(Complete("a", a, 3'600'000)).run->compute_ms, 3'600'000);
  const int64_t measured = w.Call(Complete("b", b, std::nullopt, false)).run->compute_ms;
  EXPECT_EQ(measured, 7'000);
  EXPECT_TRUE(w.Call(Complete("a", a, 3'600'000)).replayed);
  EXPECT_TRUE(w.Call(Complete("a", a)).replayed) << "nothing said is nothing contradicted";
  EXPECT_TRUE(w.Call(Complete("b", b, 7'000, false)).replayed);
  EXPECT_EQ(w.Call(Complete("a", a, 1)).result, RunResult::kOtherRequest);
  EXPECT_EQ(w.Call(Complete("a", a, 3'600'000, false)).result, RunResult::kOtherRequest);
  w.Commit();
  w.Restart();
  EXPECT_TRUE(w.Call(Complete("a", a, 3'600'000)).replayed) << "also when it has to be looked up";
  EXPECT_EQ(w.Usage("acme", kNovember, "compute_hours"), 100);
  EXPECT_EQ(w.Events().size(), 4u);
}

TEST(Ending, EachEndIsFinal) {
  BookWorld w(Acme({std::nullopt, 2, std::nullopt}));
  const int64_t done = w.Call(Reserve("done")).run->fence, dropped = w.Call(Reserve("dropped")).run->fence;
  ASSERT_EQ(w.Call(Complete("done", done)).result, RunResult::kOk);
  ASSERT_EQ(w.Call(On(RunVerb::kCancel, "dropped")).result, RunResult::kOk) << "a cancel needs no fence";
  EXPECT_EQ(w.View().live_runs, 0);
  EXPECT_EQ(w.View().month_runs, 2) << "a cancelled run counts, as it always has";
  EXPECT_TRUE(w.Call(On(RunVerb::kCancel, "dropped", dropped)).replayed);
  EXPECT_EQ(w.Call(On(RunVerb::kCancel, "dropped", dropped + 1)).result, RunResult::kStaleFence);
  EXPECT_EQ(w.Call(On(RunVerb::kCancel, "done")).result, RunResult::kRunEnded);
  EXPECT_EQ(w.Call(Complete("dropped", dropped)).result, RunResult::kRunEnded);
  EXPECT_EQ(w.Call(On(RunVerb::kHeartbeat, "done", done)).result, RunResult::kRunEnded);
  for (const RunVerb verb : {RunVerb::kHeartbeat, RunVerb::kComplete, RunVerb::kCancel, RunVerb::kLook})
    EXPECT_EQ(w.Call(On(verb, "never", 1)).result, RunResult::kUnknownRun) << VerbName(verb);
}

TEST(Ending, ARefusedRunCanOnlyBeLookedAt) {
  BookWorld w(Acme({0, 1, std::nullopt}));
  const RunAnswer refused = w.Call(Reserve("a"));
  for (const RunVerb verb : {RunVerb::kHeartbeat, RunVerb::kComplete, RunVerb::kCancel})
    EXPECT_EQ(w.Call(On(verb, "a", 1)).result, RunResult::kUnknownRun) << VerbName(verb);
  const RunAnswer look = w.Call(On(RunVerb::kLook, "a"));
  EXPECT_EQ(look.result, RunResult::kOk);
  EXPECT_EQ(look.run->state, RunState::kRefused);
  EXPECT_EQ(look.decision, refused.decision);
}

TEST(Months, ARunBelongsToTheMonthInWhichItWasReserved) {
  BookWorld w(Acme({2, 5, std::nullopt}));
  const Days december = MonthStart(kNovember, 1);
  w.world.clock.Pass(StartOf(december) - kNoon - 10 * kSecond);
  const int64_t old = w.Call(Reserve("old")).run->fence;
  (void)w.Call(Reserve("old too"));
  EXPECT_EQ(w.Call(Reserve("no more")).decision, (Decision{Outcome::kMonthlyQuota, 2, 2, 10}));
  w.Commit();
  w.world.clock.Pass(10 * kSecond + 1);
  const RunAnswer fresh = w.Call(Reserve("fresh"));
  EXPECT_EQ(fresh.decision, (Decision{Outcome::kAllowed, 1, 2, 0})) << "absence is zero, nobody resets anything";
  EXPECT_EQ(fresh.run->month, december);
  EXPECT_EQ(w.View().live_runs, 3) << "slots know no months";
  ASSERT_EQ(w.Call(Complete("old", old, 3'600'000)).result, RunResult::kOk);
  w.Commit();
  w.Restart();
  EXPECT_EQ(w.Usage("acme", kNovember, "compute_hours"), 100);
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_running_count"), 1);
  EXPECT_EQ(w.Usage("acme", december, "pipelines_run_count"), 1);
  EXPECT_EQ(w.Usage("acme", december, "compute_hours"), 0);
}

TEST(Months, TheClockBackAnHourOrAheadBy40DaysReopensNone) {
  BookWorld w(Acme({1, 5, std::nullopt}));
  const Days december = MonthStart(kNovember, 1);
  w.world.clock.Pass(StartOf(december) - kNoon + kSecond);
  ASSERT_EQ(w.Call(Reserve("december")).result, RunResult::kOk);
  w.Commit();
  w.world.clock.SetWall(w.world.clock.Now() - kHour);
  EXPECT_EQ(w.Call(Reserve("again")).decision.outcome, Outcome::kMonthlyQuota);
  w.Commit();
  w.Restart();
  EXPECT_EQ(w.Call(Reserve("and again")).decision.outcome, Outcome::kMonthlyQuota);
  w.world.clock.SetWall(w.world.clock.Now() + 40 * kDay);
  EXPECT_EQ(w.Call(Reserve("ahead")).decision.outcome, Outcome::kMonthlyQuota) << "a leap is not believed at once";
  EXPECT_TRUE(w.ledger().frozen());
  EXPECT_EQ(w.book().live_leases(), 1u);
  ASSERT_TRUE(w.ledger().Confirm());
  EXPECT_EQ(w.Call(Reserve("confirmed")).result, RunResult::kOk);
  EXPECT_EQ(w.book().ExpireDue(w.Tick(), 10), 0u) << "a leap ends no lease early";
}

TEST(Legacy, RunsThatCameFromThereCountInTheMonthAndHoldNoSlot) {
  std::vector<SeedCustomer> seed = Acme({10, 1, std::nullopt});
  seed[0].runs = 7;
  seed[0].running = 4;
  BookWorld w(seed);
  const RunAnswer granted = w.Call(Reserve("a"));
  EXPECT_EQ(granted.decision.used, 8);
  w.Commit();
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_running_count"), 5);
  w.Restart();
  ASSERT_EQ(w.Call(Complete("a", granted.run->fence)).result, RunResult::kOk);
  w.Commit();
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_running_count"), 4);
  EXPECT_EQ(w.Usage("acme", kNovember, "pipelines_run_count"), 8);
}

TEST(Changes, QuotasCountAtOnceAndLiveLeasesStay) {
  BookWorld w(Acme({100, 5, std::nullopt}));
  for (const char* id : {"a", "b", "c"}) (void)w.Call(Reserve(id));
  store::CustomerChange change;
  change.quotas = Limits(100, 1, std::nullopt);
  ASSERT_TRUE(w.book().Change(0, change, "ops", w.Tick()));
  EXPECT_FALSE(w.book().Change(0, change, "ops", w.Tick())) << "it is so already";
  EXPECT_EQ(w.Call(Reserve("d")).decision, (Decision{Outcome::kConcurrentQuota, 3, 1, 60}));
  EXPECT_EQ(w.View().live_runs, 3);
  change.quotas = Limits(3, 9, std::nullopt);
  ASSERT_TRUE(w.book().Change(0, change, "ops", w.Tick()));
  EXPECT_EQ(w.Call(Reserve("e")).decision.outcome, Outcome::kMonthlyQuota);
  change.quotas = store::CustomerChange::Quotas{};
  ASSERT_TRUE(w.book().Change(0, change, "ops", w.Tick()));
  EXPECT_EQ(w.Call(Reserve("f")).result, RunResult::kOk);
  w.Commit();
  w.Restart();
  EXPECT_EQ(w.Call(Reserve("g")).decision.limit, std::nullopt) << "and in the next process";
}

TEST(Calls, ThatBreakALimitChangeNothing) {
  BookWorld w(Acme({}));
  std::vector<RunCall> calls = {Reserve(""), Reserve(std::string(201, 'x')), Reserve("a\n"), Reserve("\xff"), Reserve("a", 999), Reserve("a", kLeaseMsMax + 1),
                                Complete("a", 1, -1), Complete("a", 1, kComputeMsMax + 1), On(RunVerb::kHeartbeat, "a", -1)};
  calls.push_back(Reserve("a"));
  calls.back().pipeline_id = std::string(201, 'x');
  for (const RunCall& call : calls) EXPECT_EQ(w.Call(call).result, RunResult::kInvalidCall) << CheckRunCall(call).has_value();
  EXPECT_FALSE(w.Commit());
}

TEST(Calls, AStoreThatCannotBeAskedDecidesNothing) {
  BookWorld w(Acme({}));
  w.world.faults.find_fails = true;
  const RunAnswer answer = w.Call(Reserve("a"));
  EXPECT_EQ(answer.result, RunResult::kUnavailable);
  EXPECT_EQ(answer.decision.retry_after_s, 1);
  EXPECT_FALSE(w.Commit());
  w.world.faults.find_fails = false;
  EXPECT_EQ(w.Call(Reserve("a")).result, RunResult::kOk);
}

TEST(Memory, EndedRunsAreForgottenAndLookedUp) {
  BookWorld w(Acme({}));
  constexpr int kRuns = static_cast<int>(kEndedRunsKept) + 100;
  for (int i = 0; i < kRuns; ++i) {
    const RunAnswer answer = w.Call(Reserve(std::to_string(i)));
    (void)w.Call(Complete(std::to_string(i), answer.run->fence, 1));
    if (i % 1'000 == 999) w.Commit();
  }
  w.Commit();
  const int64_t asked = w.world.faults.finds;
  EXPECT_TRUE(w.Call(Reserve(std::to_string(kRuns - 1))).replayed);
  EXPECT_EQ(w.world.faults.finds, asked) << "in memory";
  EXPECT_TRUE(w.Call(Reserve("0")).replayed);
  EXPECT_EQ(w.world.faults.finds, asked + 1) << "forgotten, so looked up";
}

TEST(ReplyText, ReadsBackAndRefusesAnythingElse) {
  for (const Decision& decision : {Decision{Outcome::kAllowed, 0, std::nullopt, 0}, Decision{Outcome::kMonthlyQuota, 5, 5, 86'400}}) {
    const Result<Decision> read = ParseReply(decision.outcome, ReplyText(decision));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, decision);
  }
  for (const char* text : {"", "1", "1 2", "1 2 ", "1 2 3 ", "-1 2 3", "1 -2 3", "1 2 -3", "a b c", " 1 2 3", "1  2 3", "99999999999999999999 1 1"})
    EXPECT_FALSE(ParseReply(Outcome::kAllowed, text)) << text;
}

}  // namespace
}  // namespace reeve::gate
