// Random histories of the run book beside the model: reservations, ends, heartbeats, changes of quotas, clocks that leap, commits and crashes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "gate/run_book_testing.h"
#include "gate/run_model_testing.h"

namespace reeve::gate {
namespace {

constexpr int kCustomers = 3;

class History {
 public:
  explicit History(uint64_t seed) : random_(seed), w_(Seeds()) {
    for (int i = 0; i < kCustomers; ++i) model_.customers.push_back({Quotas(i), {}, {{kNovember, 7 * i}}});
    committed_ = model_;
  }

  void Step() {
    const int dice = Upto(99);
    if (dice < 75) return Ask();
    if (dice < 85) return Pass();
    if (dice < 88) return ChangeQuotas();
    if (dice < 90) {
      (void)w_.book().ExpireDue(w_.Tick(), static_cast<size_t>(Upto(3)));
      return;
    }
    if (dice < 98) return Commit();
    Crash();
  }

  // The store holds what the model says of what was committed.
  void CheckStore() {
    Commit();
    const catalog::RowBatch runs = w_.world.Rows(catalog::ReeveRuns());
    std::map<std::pair<std::string, Days>, std::tuple<int64_t, int64_t, int64_t>> recount;
    size_t ended = 0;
    for (size_t i = 0; i < runs.size(); ++i) {
      const auto number = [&](std::string_view column) { return BookWorld::At(runs, i, column).num; };
      auto& [counted, live, compute] = recount[{std::string(BookWorld::At(runs, i, "tenant_id").text), static_cast<Days>(number("usage_month"))}];
      const auto state = static_cast<store::RunState>(number("state"));
      counted += state != store::RunState::kRefused;
      live += state == store::RunState::kReserved;
      compute += number("compute_ms");
      ended += state != store::RunState::kReserved && state != store::RunState::kRefused;
    }
    for (const auto& [key, counts] : recount) {
      const auto& [tenant, month] = key;
      const int customer = tenant.back() - '0';
      const int64_t legacy = month == kNovember ? 7 * customer : 0, legacy_running = month == kNovember ? customer : 0;
      const auto& [counted, live, compute] = counts;
      ASSERT_EQ(counted + legacy, model_.Counted(static_cast<size_t>(customer), month));
      ASSERT_EQ(compute, model_.ComputeOf(static_cast<size_t>(customer), month));
      if (counted == 0) continue;  // refusals alone make no usage
      ASSERT_EQ(w_.Usage(tenant, month, "pipelines_run_count"), counted + legacy) << "the cache equals the ledger";
      ASSERT_EQ(w_.Usage(tenant, month, "pipelines_running_count"), live + legacy_running);
    }
    // One event for each effect.
    size_t changes = 0;
    const std::vector<std::string> events = w_.Events();
    for (const std::string& event : events) changes += event == "subscription.quotas_changed";
    ASSERT_EQ(events.size() - changes, runs.size() + ended);
  }

 private:
  static domain::Quotas Quotas(int customer) {
    if (customer == 0) return {};
    return {40 * customer, 3, std::nullopt};
  }
  static std::vector<SeedCustomer> Seeds() {
    std::vector<SeedCustomer> seeds;
    for (int i = 0; i < kCustomers; ++i)
      seeds.push_back({.tenant = "t" + std::to_string(i), .quotas = Quotas(i), .keys = {{.text = "k" + std::to_string(i)}}, .runs = 7 * i, .running = i});
    return seeds;
  }
  int Upto(int most) { return static_cast<int>(random_() % static_cast<uint64_t>(most + 1)); }

  void Ask() {
    const auto customer = static_cast<uint32_t>(Upto(kCustomers - 1));
    RunCall call;
    const int dice = Upto(9);
    call.verb = dice < 5 ? RunVerb::kReserve : dice < 6 ? RunVerb::kHeartbeat : dice < 8 ? RunVerb::kComplete : dice < 9 ? RunVerb::kCancel : RunVerb::kLook;
    // New ids mostly, and old ones that must be answered as before.
    const bool fresh = call.verb == RunVerb::kReserve && Upto(3) > 0;
    call.run_id = fresh ? "run" + std::to_string(next_++) : "run" + std::to_string(std::max(0, next_ - 1 - Upto(60)));
    call.pipeline_id = Upto(30) == 0 ? "q" : "p";
    if (call.verb == RunVerb::kReserve) call.lease_ms = call.run_id.back() % 2 == 0 ? 0 : 10'000 + Upto(2) * 50'000 * (Upto(40) == 0);
    if (call.verb == RunVerb::kHeartbeat && Upto(1) == 0) call.lease_ms = 1'000 * (1 + Upto(100));
    const auto& runs = model_.customers[customer].runs;
    const auto known = runs.find(call.run_id);
    call.fence = known != runs.end() && Upto(9) > 0 ? known->second.fence : Upto(5);
    if (call.verb == RunVerb::kCancel && Upto(1) == 0) call.fence = 0;
    call.succeeded = Upto(9) > 0;
    if (Upto(1) == 0) call.compute_ms = Upto(3) * 1'000;
    const domain::Instant now = w_.Tick();
    const RunAnswer told = w_.book().Call(customer, "key", call, now), expected = model_.Call(customer, call, now);
    ASSERT_EQ(told.result, expected.result) << VerbName(call.verb) << " " << call.run_id << " of " << customer;
    ASSERT_EQ(told.replayed, expected.replayed) << VerbName(call.verb) << " " << call.run_id;
    const bool decided = call.verb == RunVerb::kReserve || call.verb == RunVerb::kLook;
    if (decided && told.result != RunResult::kOtherRequest) {
      ASSERT_EQ(told.decision, expected.decision) << VerbName(call.verb) << " " << call.run_id;
    }
    const auto run = model_.customers[customer].runs.find(call.run_id);
    if (told.run) {
      ASSERT_EQ(told.run->fence, run->second.fence);
      ASSERT_EQ(told.run->month, run->second.month);
      if (call.verb != RunVerb::kReserve) {
        ASSERT_EQ(told.run->state, run->second.state);
        ASSERT_EQ(told.run->compute_ms, run->second.compute_ms);
      }
    }
    ASSERT_EQ(w_.book().ViewOf(customer, now.month).month_runs, model_.Counted(customer, now.month));
  }

  void Pass() {
    const int dice = Upto(99);
    w_.world.clock.Pass(dice < 60 ? Upto(5) * kSecond : dice < 95 ? Upto(90) * kSecond : dice < 98 ? 6 * kHour : 9 * kDay);
    if (Upto(40) == 0) {
      const Micros leaps[] = {-kHour, 40 * kDay, 4 * 60 * kSecond, -40 * kDay, kSecond, -kSecond};
      w_.world.clock.SetWall(w_.world.clock.Now() + leaps[Upto(5)]);
    }
    if (Upto(40) == 0) w_.ledger().Confirm();
    const domain::Instant now = w_.Tick();
    ASSERT_GE(now.month, month_) << "no month is reopened";
    ASSERT_GT(now.ledger, last_);
    month_ = now.month;
    last_ = now.ledger;
  }

  void ChangeQuotas() {
    const int customer = Upto(kCustomers - 1);
    store::CustomerChange change;
    change.quotas = store::CustomerChange::Quotas{};
    if (Upto(3) > 0) change.quotas->monthly_runs = Upto(120);
    if (Upto(3) > 0) change.quotas->concurrent_runs = Upto(6);
    (void)w_.book().Change(static_cast<uint32_t>(customer), change, "ops", w_.Tick());
    model_.customers[static_cast<size_t>(customer)].quotas = {change.quotas->monthly_runs, change.quotas->concurrent_runs, std::nullopt};
  }

  void Commit() {
    (void)w_.Commit();
    committed_ = model_;
  }

  // Everything since the last commit is gone, on both sides. Ids that were used only since then are free again.
  void Crash() {
    model_ = committed_;
    w_.Restart();
    const domain::Instant now = {w_.ledger().last(), w_.world.clock.Steady(), w_.ledger().month()};  // at which the leases were loaded
    model_.Restart(now);
    committed_ = model_;
    month_ = std::min(month_, now.month);
    last_ = now.ledger;
    w_.world.clock.Pass(kSecond);
  }

  std::mt19937_64 random_;
  BookWorld w_;
  RunModel model_, committed_;
  int next_ = 1;
  Days month_ = 0;
  Micros last_ = 0;
};

TEST(RunBookModel, AnyHistoryIsAnsweredAsTheRulesSay) {
  const bool full = std::getenv("REEVE_FULL") != nullptr;
  const uint64_t first = 1, last = full ? 400 : 25;
  for (uint64_t seed = first; seed <= last && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    for (int step = 0; step < 2'000 && !::testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      history.Step();
    }
    if (!::testing::Test::HasFailure()) history.CheckStore();
  }
}

}  // namespace
}  // namespace reeve::gate
