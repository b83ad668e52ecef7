// Histories of many threads over several lives of a gate, each ended by a commit that failed: could they have happened one call after the other?
#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "gate/gate_testing.h"
#include "gate/linearizability_testing.h"

namespace reeve::gate {
namespace {

using domain::Outcome;

// One customer as the sequential rules have it.
struct State {
  std::optional<int64_t> monthly, concurrent;
  int64_t counted = 0;
  struct Run {
    char state = 'r';       // reserved, completed, cancelled ('x'), expired, refused ('n')
    Outcome outcome = Outcome::kAllowed;
    int64_t used = 0;
  };
  std::map<std::string, Run> runs;
};

std::string KeyOf(const State& state) {
  std::string key = fmt::format("{} {} {}", state.monthly.value_or(-1), state.concurrent.value_or(-1), state.counted);
  for (const auto& [id, run] : state.runs) key += fmt::format(" {}{}{}{}", id, run.state, static_cast<int>(run.outcome), run.used);
  return key;
}

struct Told {
  RunResult result = RunResult::kInDoubt;
  bool replayed = false;
  domain::Decision decision;
};

State::Run Decide(State* state) {
  if (state->monthly && state->counted >= *state->monthly) return {'n', Outcome::kMonthlyQuota, state->counted};
  int64_t live = 0;
  for (const auto& [id, run] : state->runs) live += run.state == 'r';
  if (state->concurrent && live >= *state->concurrent) return {'n', Outcome::kConcurrentQuota, live};
  return {'r', Outcome::kAllowed, ++state->counted};
}

Told Step(State* state, RunVerb verb, const std::string& id) {
  const auto found = state->runs.find(id);
  if (verb == RunVerb::kReserve) {
    const bool known = found != state->runs.end();
    const State::Run run = known ? found->second : Decide(state);
    if (!known) state->runs[id] = run;
    return {run.outcome == Outcome::kAllowed ? RunResult::kOk : RunResult::kRefused, known, {run.outcome, run.used, std::nullopt, 0}};
  }
  if (found == state->runs.end() || found->second.state == 'n') return {RunResult::kUnknownRun, false, {}};
  State::Run& run = found->second;
  const char wanted = verb == RunVerb::kComplete ? 'c' : 'x';
  if (run.state == 'e') return {RunResult::kLeaseExpired, false, {}};
  if (run.state != 'r') return {run.state == wanted ? RunResult::kOk : RunResult::kRunEnded, run.state == wanted, {}};
  run.state = wanted;
  return {RunResult::kOk, false, {}};
}

using Entry = Operation_<State>;

class Recorder {
 public:
  [[nodiscard]] int64_t Stamp() { return ++stamps_; }
  void Add(size_t customer, Entry entry) {
    const std::lock_guard<std::mutex> lock(mutex_);
    histories_[customer].push_back(std::move(entry));
  }
  [[nodiscard]] std::map<size_t, std::vector<Entry>>& histories() { return histories_; }

 private:
  std::atomic<int64_t> stamps_{0};
  std::mutex mutex_;
  std::map<size_t, std::vector<Entry>> histories_;
};

constexpr int kCustomers = 3, kClients = 6, kLives = 4;

class Lives {
 public:
  explicit Lives(uint64_t seed) : random_(seed), world_(Seeds()) {}

  void Run(int calls) {
    for (int life = 0; life < kLives; ++life) {
      const std::unique_ptr<Gate> gate = world_.Open();
      if (life > 0 && random_() % 2 == 0) ExpireAll(*gate);
      world_.faults.keep_failed = random_() % 2 == 0;
      if (life + 1 < kLives) world_.faults.fail_commit = world_.faults.commits + 3 + static_cast<int64_t>(random_() % 20);
      std::vector<std::thread> clients;
      for (int c = 0; c < kClients; ++c) clients.emplace_back([this, &gate, calls, seed = random_()] { Client(*gate, calls, seed); });
      for (std::thread& client : clients) client.join();
      gate->Drain();
      world_.faults.fail_commit = -1;
    }
  }

  void Check() {
    for (auto& [customer, history] : recorder_.histories()) {
      State start;
      start.monthly = 30;
      start.concurrent = 2;
      ASSERT_EQ(CheckHistory<State>(std::move(history), start, KeyOf), "") << "customer " << customer;
    }
  }

 private:
  static std::vector<SeedCustomer> Seeds() {
    std::vector<SeedCustomer> seeds;
    for (int c = 0; c < kCustomers; ++c) {
      const std::string number = std::to_string(c);
      seeds.push_back({.tenant = "t" + number, .quotas = {30, 2, std::nullopt}, .keys = {{.text = "k" + number}}});
    }
    return seeds;
  }

  void Client(Gate& gate, int calls, uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < calls; ++i) {
      const size_t customer = random() % kCustomers;
      if (random() % 12 == 0) {
        ChangeLimits(gate, customer, static_cast<int64_t>(20 + random() % 30), static_cast<int64_t>(random() % 4));
      } else {
        const int dice = static_cast<int>(random() % 10);
        const RunVerb verb = dice < 6 ? RunVerb::kReserve : dice < 8 ? RunVerb::kComplete : RunVerb::kCancel;
        CallRun(gate, customer, verb, "r" + std::to_string(random() % 24));
      }
    }
  }

  void CallRun(Gate& gate, size_t customer, RunVerb verb, const std::string& id) {
    const std::string key = "k" + std::to_string(customer);
    RunCall call = verb == RunVerb::kReserve ? Reserve(id, 3'600'000) : On(verb, id);
    if (verb == RunVerb::kComplete) {
      call.fence = FenceOf(customer, id);
      if (call.fence == 0) return;  // nobody has been told it yet
    }
    Entry entry;
    entry.called = recorder_.Stamp();
    const RunAnswer answer = AskRun(gate, key, call);
    const int64_t returned = recorder_.Stamp();
    if (answer.result == RunResult::kUnavailable || answer.decision.outcome == Outcome::kStoreUnavailable) {
      if (answer.result != RunResult::kInDoubt) return;  // it did not happen
    } else {
      entry.returned = returned;
      if (answer.run && answer.run->fence != 0) NoteFence(customer, id, answer.run->fence);
    }
    const Told told{answer.result, answer.replayed, answer.decision};
    entry.text = fmt::format("{} {} → {} {} {}", VerbName(verb), id, static_cast<int>(told.result), domain::OutcomeName(told.decision.outcome), told.decision.used);
    entry.step = [verb, id, told](State* state) {
      const Told would = Step(state, verb, id);
      if (told.result == RunResult::kInDoubt) return true;
      if (would.result != told.result || would.replayed != told.replayed) return false;
      return verb != RunVerb::kReserve || (would.decision.outcome == told.decision.outcome && would.decision.used == told.decision.used);
    };
    entry.passive = told.replayed || (told.result != RunResult::kOk && told.result != RunResult::kRefused && told.result != RunResult::kInDoubt);
    recorder_.Add(customer, std::move(entry));
  }

  void ChangeLimits(Gate& gate, size_t customer, int64_t monthly, int64_t concurrent) {
    store::CustomerChange change;
    change.customer_id = CustomerId("t" + std::to_string(customer));
    store::CustomerChange::Quotas quotas;
    quotas.monthly_runs = monthly;
    quotas.concurrent_runs = concurrent;
    change.quotas = quotas;
    Entry entry;
    entry.called = recorder_.Stamp();
    const ChangeResult result = Await([&](ChangeDone done) { gate.ChangeCustomer(change, "ops", done); });
    const int64_t returned = recorder_.Stamp();
    if (result == ChangeResult::kUnavailable) return;
    if (result != ChangeResult::kInDoubt) entry.returned = returned;
    entry.text = fmt::format("limits {} {}", monthly, concurrent);
    entry.passive = result == ChangeResult::kNoChange;
    entry.step = [=](State* state) {
      const bool same = state->monthly == monthly && state->concurrent == concurrent;
      state->monthly = monthly;
      state->concurrent = concurrent;
      return result == ChangeResult::kInDoubt || same == (result == ChangeResult::kNoChange);
    };
    recorder_.Add(customer, std::move(entry));
  }

  // Nobody calls meanwhile; every lease is over, and so it is from here on, noticed or not.
  void ExpireAll(Gate& gate) {
    world_.clock.Pass(3'601 * kSecond);
    while (gate.Metrics().live_leases > 0) (void)Await([&](ChangeDone done) { gate.ConfirmClock(done); });
    for (size_t customer = 0; customer < kCustomers; ++customer) {
      Entry entry;
      entry.called = recorder_.Stamp();
      entry.returned = recorder_.Stamp();
      entry.text = "all leases are over";
      entry.step = [](State* state) {
        for (auto& [id, run] : state->runs)
          if (run.state == 'r') run.state = 'e';
        return true;
      };
      recorder_.Add(customer, std::move(entry));
    }
  }

  int64_t FenceOf(size_t customer, const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return fences_[{customer, id}];
  }
  void NoteFence(size_t customer, const std::string& id, int64_t fence) {
    const std::lock_guard<std::mutex> lock(mutex_);
    int64_t& known = fences_[{customer, id}];
    EXPECT_TRUE(known == 0 || known == fence) << "granted twice: " << id;
    known = fence;
  }

  std::mt19937_64 random_;
  World world_;
  Recorder recorder_;
  std::mutex mutex_;
  std::map<std::pair<size_t, std::string>, int64_t> fences_;
};

TEST(Linearizability, AnyHistoryOverCrashesCouldHaveHappenedOneCallAfterTheOther) {
  const uint64_t seeds = std::getenv("REEVE_FULL") != nullptr ? 2'000 : 60;
  for (uint64_t seed = 1; seed <= seeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Lives lives(seed);
    lives.Run(25);
    lives.Check();
  }
}

// The judge must be able to say no.
TEST(Linearizability, TheCheckerRefusesWhatCannotBe) {
  const auto reserve = [](int64_t called, int64_t returned, const std::string& id, int64_t used) {
    Entry entry;
    entry.called = called;
    entry.returned = returned;
    entry.text = id;
    entry.step = [=](State* state) {
      const Told would = Step(state, RunVerb::kReserve, id);
      return returned == kNeverReturned || (would.result == RunResult::kOk && would.decision.used == used);
    };
    return entry;
  };
  const State start;
  EXPECT_EQ(CheckHistory<State>({reserve(1, 2, "a", 1), reserve(3, 4, "b", 2)}, start, KeyOf), "");
  EXPECT_NE(CheckHistory<State>({reserve(1, 2, "a", 2), reserve(3, 4, "b", 1)}, start, KeyOf), "") << "one had ended before the other began";
  EXPECT_EQ(CheckHistory<State>({reserve(1, 4, "a", 2), reserve(2, 3, "b", 1)}, start, KeyOf), "") << "they overlapped";
  EXPECT_NE(CheckHistory<State>({reserve(1, 2, "a", 1), reserve(3, 4, "b", 1)}, start, KeyOf), "") << "one effect is lost";
  EXPECT_EQ(CheckHistory<State>({reserve(1, kNeverReturned, "x", 0), reserve(2, 3, "a", 1), reserve(4, 5, "b", 3)}, start, KeyOf), "") << "x happened late";
  EXPECT_EQ(CheckHistory<State>({reserve(1, kNeverReturned, "x", 0), reserve(2, 3, "a", 1), reserve(4, 5, "b", 2)}, start, KeyOf), "") << "or not at all";
  EXPECT_NE(CheckHistory<State>({reserve(1, kNeverReturned, "x", 0), reserve(2, 3, "a", 1), reserve(4, 5, "b", 4)}, start, KeyOf), "");
}

}  // namespace
}  // namespace reeve::gate
