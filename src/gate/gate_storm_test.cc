// Many threads at once against one gate: races for the last run, retries without end, holders that die. What is asserted are exact sums.
#include <gtest/gtest.h>

#include <barrier>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "gate/gate_testing.h"

namespace reeve::gate {
namespace {

using domain::Outcome;

bool Full() { return std::getenv("REEVE_FULL") != nullptr; }

int64_t UsageOf(World& world, std::string_view tenant, std::string_view column) {
  const catalog::RowBatch rows = world.Rows(catalog::Usage());
  const auto at = [&](size_t row, std::string_view name) { return rows.Row(row)[static_cast<size_t>(rows.table().Index(name))]; };
  for (size_t i = 0; i < rows.size(); ++i)
    if (at(i, "tenant_id").text == tenant) return at(i, column).num;
  return -1;
}

TEST(Storm, OfSixtyFourForTheLastOfFiveThousandExactlyOneWins) {
  const int rounds = Full() ? 1'000 : 50;
  constexpr int kClients = 64;
  std::vector<SeedCustomer> customers;
  for (int r = 0; r < rounds; ++r)
    customers.push_back({.tenant = "t" + std::to_string(r), .quotas = {5'000, std::nullopt, std::nullopt}, .keys = {{.text = "k" + std::to_string(r)}}, .runs = 4'999});
  World world(customers);
  const std::unique_ptr<Gate> gate = world.Open();
  std::vector<std::atomic<int>> won(static_cast<size_t>(rounds)), refused(static_cast<size_t>(rounds));
  std::barrier start(kClients);
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c)
    clients.emplace_back([&, c] {
      for (int r = 0; r < rounds; ++r) {
        start.arrive_and_wait();
        const RunAnswer answer = AskRun(*gate, "k" + std::to_string(r), Reserve("client " + std::to_string(c)));
        if (answer.result == RunResult::kOk) ++won[static_cast<size_t>(r)];
        if (answer.result == RunResult::kRefused && answer.decision.outcome == Outcome::kMonthlyQuota) ++refused[static_cast<size_t>(r)];
      }
    });
  for (std::thread& client : clients) client.join();
  for (int r = 0; r < rounds; ++r) {
    ASSERT_EQ(won[static_cast<size_t>(r)], 1) << "round " << r;
    ASSERT_EQ(refused[static_cast<size_t>(r)], kClients - 1) << "round " << r;
  }
  gate->Drain();
  EXPECT_EQ(UsageOf(world, "t0", "pipelines_run_count"), 5'000);
}

// Each logical request is sent one to ten times, by several threads at once, a third of the replies is thrown away, and the process dies now and then.
TEST(Storm, RequestsThatAreSentAgainAndAgainHappenOnce) {
  const int requests = Full() ? 100'000 : 10'000;
  constexpr int kClients = 8, kLives = 4;
  constexpr unsigned kSeed = 314'159;
  World world({{.tenant = "a", .keys = {{.text = "k"}}}});
  std::vector<std::atomic<int64_t>> fences(static_cast<size_t>(requests));
  std::atomic<bool> contradiction{false};
  const auto client = [&](Gate& gate, int from, int to, unsigned seed) {
    std::mt19937 random(seed);
    for (int i = from; i < to; ++i) {
      const std::string id = "run " + std::to_string(i);
      for (int64_t sends = 1 + random() % 10; sends > 0; --sends) {
        const RunAnswer answer = AskRun(gate, "k", Reserve(id));
        if (answer.result != RunResult::kOk || random() % 3 == 0) continue;  // an outage, or a reply that is lost
        int64_t expected = 0;
        const int64_t fence = answer.run->fence;
        if (!fences[static_cast<size_t>(i)].compare_exchange_strong(expected, fence) && expected != fence) contradiction = true;
        RunCall complete = On(RunVerb::kComplete, id, fence);
        complete.compute_ms = 3'600;
        if (random() % 2 == 0) (void)AskRun(gate, "k", complete);
      }
    }
  };
  for (int life = 0; life < kLives; ++life) {
    const std::unique_ptr<Gate> gate = world.Open();
    if (life + 1 < kLives) {
      world.faults.keep_failed = life % 2 == 0;
      world.faults.fail_commit = world.faults.commits + 50;
    }
    std::vector<std::thread> clients;
    // Two clients share each range: every request has a twin.
    for (int c = 0; c < kClients; ++c)
      clients.emplace_back(client, std::ref(*gate), requests * (c / 2) / (kClients / 2), requests * (c / 2 + 1) / (kClients / 2),
                           kSeed + static_cast<unsigned>(life * kClients + c));
    for (std::thread& thread : clients) thread.join();
    gate->Drain();
    world.faults.fail_commit = -1;
  }
  {
    const std::unique_ptr<Gate> gate = world.Open();  // what is not complete yet
    for (int i = 0; i < requests; ++i) {
      const std::string id = "run " + std::to_string(i);
      RunCall complete = On(RunVerb::kComplete, id, AskRun(*gate, "k", Reserve(id)).run->fence);
      complete.compute_ms = 3'600;
      ASSERT_EQ(AskRun(*gate, "k", complete).result, RunResult::kOk) << "seed " << kSeed << " " << id;
    }
  }
  EXPECT_FALSE(contradiction) << "an id was granted twice, seed " << kSeed;
  EXPECT_EQ(UsageOf(world, "a", "pipelines_run_count"), requests);
  EXPECT_EQ(UsageOf(world, "a", "pipelines_running_count"), 0);
  EXPECT_EQ(UsageOf(world, "a", "compute_hours"), requests / 10) << "0.001 h each, in hundredths";
}

TEST(Storm, TenThousandDeadHoldersGiveTheirSlotsBackAndComeTooLate) {
  constexpr int kHolders = 10'000;
  World world({{.tenant = "a", .quotas = {std::nullopt, kHolders, std::nullopt}, .keys = {{.text = "k"}}}});
  const std::unique_ptr<Gate> gate = world.Open();
  std::vector<int64_t> fences(kHolders);
  std::atomic<int> granted{0};
  for (int i = 0; i < kHolders; ++i) {
    const auto store = [&, i](const RunAnswer& answer) {
      fences[static_cast<size_t>(i)] = answer.run ? answer.run->fence : 0;
      ++granted;
    };
    gate->SubmitRun("k", Reserve("holder " + std::to_string(i), 30'000), store);
    if (i % 4'000 == 3'999)
      while (granted <= i) std::this_thread::yield();  // the queue has an end
  }
  while (granted < kHolders) std::this_thread::yield();
  EXPECT_EQ(AskRun(*gate, "k", Reserve("one too many")).decision.outcome, Outcome::kConcurrentQuota);
  world.clock.Pass(30 * kSecond);  // nobody says anything
  EXPECT_EQ(AskRun(*gate, "k", Reserve("next")).result, RunResult::kOk) << "at once, for whoever asks";
  while (gate->Metrics().live_leases > 1) std::this_thread::yield();  // and by itself, without anybody asking
  EXPECT_EQ(gate->Metrics().leases_expired, static_cast<uint64_t>(kHolders));
  std::set<int64_t> distinct(fences.begin(), fences.end());
  EXPECT_EQ(distinct.size(), static_cast<size_t>(kHolders));
  for (int i = 0; i < kHolders; i += 97)
    for (const RunVerb verb : {RunVerb::kHeartbeat, RunVerb::kComplete, RunVerb::kCancel})
      ASSERT_EQ(AskRun(*gate, "k", On(verb, "holder " + std::to_string(i), fences[static_cast<size_t>(i)])).result, RunResult::kLeaseExpired) << i;
  gate->Drain();
  EXPECT_EQ(UsageOf(world, "a", "pipelines_running_count"), 1);
  EXPECT_EQ(UsageOf(world, "a", "pipelines_run_count"), kHolders + 1);
}

}  // namespace
}  // namespace reeve::gate
