#include "gate/gate.h"

#include <gtest/gtest.h>

#include <thread>

#include "gate/gate_testing.h"

namespace reeve::gate {
namespace {

using domain::Outcome;
using store::RunState;

std::vector<SeedCustomer> Acme(domain::Quotas quotas = {}) {
  return {{.tenant = "acme", .quotas = quotas, .keys = {{.text = "k"}, {.text = "k2"}, {.text = "reads", .scopes = R"(["pipelines:read"])"}}}};
}

const catalog::Cell& At(const catalog::RowBatch& rows, size_t row, std::string_view column) {
  return rows.Row(row)[static_cast<size_t>(rows.table().Index(column))];
}

store::CustomerChange::Quotas Limits(std::optional<int64_t> monthly, std::optional<int64_t> concurrent) {
  store::CustomerChange::Quotas quotas;
  quotas.monthly_runs = monthly;
  quotas.concurrent_runs = concurrent;
  return quotas;
}

// Submits and does not wait.
std::future<RunAnswer> Submit(Gate& gate, std::string_view key, RunCall call) {
  auto answer = std::make_shared<std::promise<RunAnswer>>();
  gate.SubmitRun(key, std::move(call), [answer](const RunAnswer& told) { answer->set_value(told); });
  return answer->get_future();
}

void WaitForCommit(World& world, int64_t number) {
  for (int64_t seen = world.faults.commits; seen < number; seen = world.faults.commits) world.faults.commits.wait(seen);
}

TEST(Gate, RunsGoThroughTheDoorAndTheBook) {
  World world(Acme({2, 1, std::nullopt}));
  const std::unique_ptr<Gate> gate = world.Open();
  EXPECT_TRUE(gate->Ready().ready);
  const RunAnswer granted = AskRun(*gate, "k", Reserve("a"));
  EXPECT_EQ(granted.result, RunResult::kOk);
  EXPECT_EQ(AskRun(*gate, "k2", Reserve("b")).decision.outcome, Outcome::kConcurrentQuota);
  EXPECT_EQ(gate->Authorize("k", {.run = true}).decision.outcome, Outcome::kConcurrentQuota) << "what was committed is seen at the door";
  EXPECT_EQ(AskRun(*gate, "reads", Reserve("c")).decision.outcome, Outcome::kScopeMissing);
  EXPECT_EQ(AskRun(*gate, "reads", On(RunVerb::kLook, "a")).run->state, RunState::kReserved);
  EXPECT_EQ(AskRun(*gate, "nobody", Reserve("d")).decision.outcome, Outcome::kUnknownKey);
  EXPECT_EQ(AskRun(*gate, "k", Reserve("")).result, RunResult::kInvalidCall);
  EXPECT_EQ(AskRun(*gate, "k", On(RunVerb::kComplete, "a", granted.run->fence)).run->state, RunState::kCompleted);
  EXPECT_EQ(gate->Authorize("k", {.run = true}).decision, (domain::Decision{Outcome::kAllowed, 1, 2, 0}));
  EXPECT_TRUE(AskRun(*gate, "k2", Reserve("a")).replayed);
  const MetricsSnapshot metrics = gate->Metrics();
  EXPECT_EQ(metrics.reservations[domain::OutcomeIndex(Outcome::kAllowed)], 1u);
  EXPECT_EQ(metrics.reservations[domain::OutcomeIndex(Outcome::kConcurrentQuota)], 1u);
  EXPECT_EQ(metrics.runs_completed, 1u);
  EXPECT_EQ(metrics.replays, 1u);
  EXPECT_EQ(metrics.run_calls, 5u);
  EXPECT_EQ(metrics.batch_size.total(), 3u) << "looking and repeating commit nothing";
  EXPECT_EQ(metrics.keys, 3u);
}

TEST(Gate, NobodyIsToldBeforeTheCommit) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  world.faults.Hold();
  std::future<RunAnswer> answer = Submit(*gate, "k", Reserve("a"));
  WaitForCommit(world, 1);
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  world.faults.Release();
  EXPECT_EQ(answer.get().result, RunResult::kOk);
}

TEST(Gate, WhatWaitsIsCommittedTogetherUpToTheLimit) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  world.faults.Hold();
  std::vector<std::future<RunAnswer>> answers;
  answers.push_back(Submit(*gate, "k", Reserve("first")));
  WaitForCommit(world, 1);
  for (int i = 0; i < 600; ++i) answers.push_back(Submit(*gate, "k", Reserve(std::to_string(i))));
  world.faults.Release();
  for (std::future<RunAnswer>& answer : answers) EXPECT_EQ(answer.get().result, RunResult::kOk);
  gate->Drain();
  EXPECT_EQ(world.faults.largest, 256u);
  const MetricsSnapshot metrics = gate->Metrics();
  EXPECT_EQ(metrics.batch_size.total(), 4u) << "1, 256, 256, 88";
  EXPECT_EQ(metrics.batch_size.sum, 601);
}

TEST(Gate, AFullQueueRefusesAtOnceAndSaysWhenToComeBack) {
  World world(Acme());
  world.options.queue_max = 10;
  const std::unique_ptr<Gate> gate = world.Open();
  world.faults.Hold();
  std::vector<std::future<RunAnswer>> answers;
  answers.push_back(Submit(*gate, "k", Reserve("first")));
  WaitForCommit(world, 1);
  for (int i = 0; i < 10; ++i) answers.push_back(Submit(*gate, "k", Reserve(std::to_string(i))));
  const RunAnswer refused = AskRun(*gate, "k", Reserve("too many"));
  EXPECT_EQ(refused.result, RunResult::kUnavailable);
  EXPECT_EQ(refused.decision, (domain::Decision{Outcome::kStoreUnavailable, 0, std::nullopt, 1}));
  EXPECT_EQ(Await([&](ChangeDone done) { gate->RevokeKey(DigestOfKey("k"), "ops", done); }), ChangeResult::kUnavailable);
  EXPECT_EQ(gate->Metrics().queue_full, 2u);
  EXPECT_TRUE(gate->Authorize("k", {}).decision.allowed()) << "deciding from memory goes on";
  world.faults.Release();
  for (std::future<RunAnswer>& answer : answers) EXPECT_EQ(answer.get().result, RunResult::kOk);
  EXPECT_EQ(AskRun(*gate, "k", Reserve("too many")).result, RunResult::kOk) << "and nothing was remembered of it";
}

TEST(Poison, AfterAFailedCommitNobodyIsToldAnythingButDoubt) {
  for (const bool kept : {false, true}) {
    World world(Acme());
    world.faults.keep_failed = kept;
    std::atomic<int> poisoned{0};
    world.options.on_poison = [&](const Error& error) {
      EXPECT_EQ(error.message, "told to fail");
      ++poisoned;
    };
    {
      const std::unique_ptr<Gate> gate = world.Open();
      ASSERT_EQ(AskRun(*gate, "k", Reserve("before")).result, RunResult::kOk);
      world.faults.fail_commit = world.faults.commits.load();
      world.faults.Hold();
      std::vector<std::future<RunAnswer>> group, later;
      group.push_back(Submit(*gate, "k", Reserve("doubtful")));
      WaitForCommit(world, world.faults.fail_commit + 1);
      for (int i = 0; i < 20; ++i) later.push_back(Submit(*gate, "k", Reserve("later" + std::to_string(i))));
      world.faults.Release();
      for (std::future<RunAnswer>& answer : group) EXPECT_EQ(answer.get().result, RunResult::kInDoubt);
      for (std::future<RunAnswer>& answer : later) EXPECT_EQ(answer.get().result, RunResult::kUnavailable);
      for (int i = 0; i < 20; ++i) EXPECT_NE(AskRun(*gate, "k", Reserve("after" + std::to_string(i))).result, RunResult::kOk);
      EXPECT_EQ(gate->Authorize("k", {}).decision, (domain::Decision{Outcome::kStoreUnavailable, 0, std::nullopt, 1}));
      EXPECT_FALSE(gate->Ready().ready);
      EXPECT_EQ(gate->Ready().why, "commit failed");
      gate->Drain();
      EXPECT_EQ(poisoned, 1);
      EXPECT_EQ(world.faults.commits, world.faults.fail_commit + 1) << "nothing is committed any more";
    }
    world.faults.fail_commit = -1;
    const std::unique_ptr<Gate> next = world.Open();
    EXPECT_TRUE(AskRun(*next, "k", Reserve("before")).replayed);
    const RunAnswer resolved = AskRun(*next, "k", Reserve("doubtful"));
    EXPECT_EQ(resolved.result, RunResult::kOk) << "the id settles what happened";
    EXPECT_EQ(resolved.replayed, kept);
    EXPECT_EQ(resolved.decision.used, 2) << "once, either way";
  }
}

TEST(Revocation, HoldsFromItsAcknowledgementAndNotBeforeTheCommit) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  ASSERT_EQ(AskRun(*gate, "k", Reserve("a")).result, RunResult::kOk);
  world.faults.Hold();
  const int64_t before = world.faults.commits;
  std::promise<ChangeResult> done;
  gate->RevokeKey(DigestOfKey("k"), "ops", [&](ChangeResult result) { done.set_value(result); });
  WaitForCommit(world, before + 1);
  EXPECT_TRUE(gate->Authorize("k", {}).decision.allowed()) << "not durable yet, so nobody may see it";
  std::future<RunAnswer> behind = Submit(*gate, "k", Reserve("b"));
  world.faults.Release();
  EXPECT_EQ(done.get_future().get(), ChangeResult::kDone);
  EXPECT_EQ(gate->Authorize("k", {}).decision.outcome, Outcome::kRevokedKey);
  EXPECT_EQ(behind.get().decision.outcome, Outcome::kRevokedKey) << "it was let in at the door, and asked again in the order of the writer";
  EXPECT_TRUE(gate->Authorize("k2", {}).decision.allowed());
  EXPECT_EQ(Await([&](ChangeDone told) { gate->RevokeKey(DigestOfKey("k"), "ops", told); }), ChangeResult::kNoChange);
  EXPECT_EQ(Await([&](ChangeDone told) { gate->RevokeKey(DigestOfKey("?"), "ops", told); }), ChangeResult::kUnknown);
  gate->Drain();
  const std::unique_ptr<Gate> next = world.Open();
  EXPECT_EQ(next->Authorize("k", {}).decision.outcome, Outcome::kRevokedKey) << "for ever";
}

TEST(Revocation, ComesBeforeWhatStandsBehindItInTheSameTransaction) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  world.faults.Hold();
  std::future<RunAnswer> first = Submit(*gate, "k2", Reserve("first"));
  WaitForCommit(world, 1);
  std::future<RunAnswer> ahead = Submit(*gate, "k", Reserve("ahead"));
  std::promise<ChangeResult> done, again;
  gate->RevokeKey(DigestOfKey("k"), "ops", [&](ChangeResult result) { done.set_value(result); });
  gate->RevokeKey(DigestOfKey("k"), "ops", [&](ChangeResult result) { again.set_value(result); });
  std::future<RunAnswer> behind = Submit(*gate, "k", Reserve("behind"));
  world.faults.Release();
  EXPECT_EQ(first.get().result, RunResult::kOk);
  EXPECT_EQ(ahead.get().result, RunResult::kOk);
  EXPECT_EQ(done.get_future().get(), ChangeResult::kDone);
  EXPECT_EQ(again.get_future().get(), ChangeResult::kNoChange);
  EXPECT_EQ(behind.get().decision.outcome, Outcome::kRevokedKey);
}

TEST(Changes, OfStatusAndQuotasHoldFromTheirAcknowledgement) {
  World world(Acme({10, 5, std::nullopt}));
  const std::unique_ptr<Gate> gate = world.Open();
  const auto change = [&](std::optional<std::string> status, std::optional<store::CustomerChange::Quotas> quotas, std::string customer = "cust_acme") {
    store::CustomerChange wanted;
    wanted.customer_id = customer;
    wanted.status = status;
    wanted.quotas = quotas;
    return Await([&](ChangeDone done) { gate->ChangeCustomer(wanted, "ops", done); });
  };
  EXPECT_EQ(change("suspended", std::nullopt), ChangeResult::kDone);
  EXPECT_EQ(gate->Authorize("k", {}).decision.outcome, Outcome::kCustomerSuspended);
  EXPECT_EQ(AskRun(*gate, "k", Reserve("a")).decision.outcome, Outcome::kCustomerSuspended);
  EXPECT_EQ(change("suspended", std::nullopt), ChangeResult::kNoChange);
  EXPECT_EQ(change("active", Limits(0, 5)), ChangeResult::kDone);
  EXPECT_EQ(gate->Authorize("k", {.run = true}).decision.outcome, Outcome::kMonthlyQuota);
  EXPECT_EQ(AskRun(*gate, "k", Reserve("b")).decision.outcome, Outcome::kMonthlyQuota);
  EXPECT_EQ(change(std::nullopt, Limits(std::nullopt, std::nullopt)), ChangeResult::kDone);
  EXPECT_EQ(AskRun(*gate, "k", Reserve("c")).result, RunResult::kOk);
  EXPECT_EQ(change("suspended", std::nullopt, "cust_nobody"), ChangeResult::kUnknown);
  EXPECT_EQ(change("cancelled", std::nullopt), ChangeResult::kDone);
  gate->Drain();
  EXPECT_EQ(world.Open()->Authorize("k", {}).decision.outcome, Outcome::kCustomerCancelled);
}

TEST(Uses, AreCountedExactlyAndNeverWrittenOneByOne) {
  World world(Acme());
  constexpr int kRequests = 40'000;
  {
    const std::unique_ptr<Gate> gate = world.Open();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < kRequests / 4; ++i) (void)gate->Authorize(i % 2 == 0 ? "k" : "k2", {});
      });
    for (std::thread& thread : threads) thread.join();
    (void)gate->Authorize("k", {.cost = 0});
    (void)gate->Authorize("k", {.scope = "no:such"});
    world.clock.Pass(2 * kSecond);
    (void)gate->Authorize("k2", {.cost = 5});
    gate->Drain();
    EXPECT_LE(world.faults.commits, 10) << "time has passed twice";
  }
  const catalog::RowBatch usage = world.Rows(catalog::Usage()), keys = world.Rows(catalog::ApiKeys());
  ASSERT_EQ(usage.size(), 1u);
  EXPECT_EQ(At(usage, 0, "api_requests_count").num, kRequests + 1);
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string id(At(keys, i, "api_key_id").text);
    const catalog::Cell& used = At(keys, i, "last_used_at");
    const Micros expected = id == "key_of_k2" ? kNoon + 2 * kSecond : kNoon;
    if (id == "key_of_reads") {
      EXPECT_TRUE(used.is_null);
    } else {
      EXPECT_NEAR(static_cast<double>(used.num), static_cast<double>(expected), static_cast<double>(kSecond / 32)) << id;
    }
  }
  // The next process goes on from there.
  const std::unique_ptr<Gate> gate = world.Open();
  (void)gate->Authorize("k", {});
  gate->Drain();
  EXPECT_EQ(At(world.Rows(catalog::Usage()), 0, "api_requests_count").num, kRequests + 2);
}

TEST(Uses, MoreThanATransactionHoldsGoInPieces) {
  std::vector<SeedCustomer> customers;
  for (int c = 0; c < 5'600; ++c) customers.push_back({.tenant = "t" + std::to_string(c), .keys = {{.text = "a" + std::to_string(c)}, {.text = "b" + std::to_string(c)}}});
  World world(customers);
  const std::unique_ptr<Gate> gate = world.Open();
  // A first part is being written when the rest comes and the gate is closed.
  for (int c = 0; c < 2'800; ++c) ASSERT_TRUE(gate->Authorize("a" + std::to_string(c), {}).decision.allowed());
  world.clock.Pass(2 * kSecond);
  (void)Await([&](ChangeDone done) { gate->ConfirmClock(done); });
  for (int c = 0; c < 5'600; ++c)
    for (const char* key : {"a", "b", "a"}) ASSERT_TRUE(gate->Authorize(key + std::to_string(c), {}).decision.allowed());
  gate->Drain();
  EXPECT_GE(world.faults.commits, 4) << "5,600 customers and 11,200 keys, 4,096 rows at a time";
  EXPECT_LE(world.faults.commits, 12);
  EXPECT_GE(world.faults.touches, 11'200) << "and those that were gathered before the others were used";
  const catalog::RowBatch usage = world.Rows(catalog::Usage());
  EXPECT_EQ(usage.size(), 5'600u);
  for (size_t i = 0; i < usage.size(); ++i) {
    const int number = std::stoi(std::string(At(usage, i, "tenant_id").text.substr(1)));
    EXPECT_EQ(At(usage, i, "api_requests_count").num, number < 2'800 ? 4 : 3);
  }
}

TEST(Drain, FinishesWhatItTookAndTakesNoMore) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  world.faults.Hold();
  std::vector<std::future<RunAnswer>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(Submit(*gate, "k", Reserve(std::to_string(i))));
  std::thread drain([&] { gate->Drain(); });
  while (gate->Ready().ready) std::this_thread::yield();
  EXPECT_EQ(gate->Ready().why, "draining");
  EXPECT_EQ(AskRun(*gate, "k", Reserve("late")).result, RunResult::kUnavailable);
  world.faults.Release();
  drain.join();
  gate->Drain();
  for (std::future<RunAnswer>& answer : answers) EXPECT_EQ(answer.get().result, RunResult::kOk);
  EXPECT_EQ(gate->Authorize("k", {}).decision.outcome, Outcome::kStoreUnavailable) << "what nobody counts any more is not let in";
}

TEST(Reload, TakesUpWhatWasAddedAndKeepsWhatIsGoingOn) {
  World world(Acme({std::nullopt, 1, std::nullopt}));
  world.options.rates = {{{"professional", {5, 60 * kSecond}, {100, kHour}}}, "professional"};
  const std::unique_ptr<Gate> gate = world.Open();
  const RunAnswer run = AskRun(*gate, "k", Reserve("a"));
  ASSERT_EQ(run.result, RunResult::kOk);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(gate->Authorize("k", {}).decision.allowed());
  world.Add({.tenant = "beta", .keys = {{.text = "new"}}});
  EXPECT_EQ(gate->Authorize("new", {}).decision.outcome, Outcome::kUnknownKey);
  EXPECT_EQ(Await([&](ChangeDone done) { gate->Reload(done); }), ChangeResult::kDone);
  EXPECT_TRUE(gate->Authorize("new", {}).decision.allowed());
  EXPECT_EQ(gate->Authorize("new", {}).who().tenant_id, "beta");
  EXPECT_EQ(gate->Authorize("k", {}).decision.outcome, Outcome::kRateLimited) << "rates go on";
  world.clock.Pass(60 * kSecond - 1'000);
  EXPECT_EQ(AskRun(*gate, "k2", Reserve("b")).decision.outcome, Outcome::kConcurrentQuota) << "leases go on";
  EXPECT_EQ(AskRun(*gate, "k", On(RunVerb::kHeartbeat, "a", run.run->fence)).result, RunResult::kOk);
  world.faults.load_fails = true;
  EXPECT_EQ(Await([&](ChangeDone done) { gate->Reload(done); }), ChangeResult::kUnavailable);
  EXPECT_TRUE(gate->Authorize("new", {}).decision.allowed()) << "what was there stays";
  gate->Drain();
  EXPECT_EQ(At(world.Rows(catalog::Usage()), 0, "api_requests_count").num, 5 + 2) << "counts of before the swap are not lost";
}

TEST(Clock, ALeapFreezesTheMonthUntilItIsConfirmed) {
  World world(Acme({1, 5, std::nullopt}));
  const std::unique_ptr<Gate> gate = world.Open();
  ASSERT_EQ(AskRun(*gate, "k", Reserve("a", 3'600'000)).result, RunResult::kOk);
  EXPECT_EQ(Await([&](ChangeDone done) { gate->ConfirmClock(done); }), ChangeResult::kNoChange);
  world.clock.SetWall(kNoon + 40 * kDay);
  EXPECT_EQ(AskRun(*gate, "k", Reserve("b")).decision.outcome, Outcome::kMonthlyQuota);
  EXPECT_TRUE(gate->Metrics().rollover_frozen);
  EXPECT_EQ(Await([&](ChangeDone done) { gate->ConfirmClock(done); }), ChangeResult::kDone);
  EXPECT_EQ(AskRun(*gate, "k", Reserve("c")).result, RunResult::kOk);
  EXPECT_FALSE(gate->Metrics().rollover_frozen);
  EXPECT_EQ(gate->Metrics().live_leases, 2u) << "no lease ended early";
}

TEST(Ready, SaysSoWhenTheStoreDoesNotAnswer) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  world.faults.probe_fails = true;
  while (gate->Ready().ready) {
    world.clock.Pass(2 * kSecond);
    (void)Await([&](ChangeDone done) { gate->ConfirmClock(done); });  // wakes the writer, writes nothing
  }
  EXPECT_EQ(gate->Ready().why, "store does not answer");
  world.faults.probe_fails = false;
  ASSERT_EQ(AskRun(*gate, "k", Reserve("a")).result, RunResult::kOk);
  EXPECT_TRUE(gate->Ready().ready);
}

TEST(Open, FailsWithTheStoresReason) {
  World world(Acme());
  world.faults.load_fails = true;
  const Result<std::unique_ptr<Gate>> gate = Gate::Open(world.Store(), world.clock, world.options);
  ASSERT_FALSE(gate);
  EXPECT_EQ(gate.error().message, "told to fail");
}

TEST(FindKey, KnowsKeysByTheirPublicIds) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  EXPECT_EQ(gate->FindKey("cust_acme", "key_of_k2"), DigestOfKey("k2"));
  EXPECT_EQ(gate->FindKey("cust_beta", "key_of_k2"), std::nullopt);
  EXPECT_EQ(gate->FindKey("cust_acme", "key_of_"), std::nullopt);
}

TEST(AuthorizeMany, DecidesAsOneAfterTheOther) {
  World world(Acme());
  const std::unique_ptr<Gate> gate = world.Open();
  const std::string texts[] = {"k", "", "nobody", "reads", "k2", "bad\n"};
  for (const size_t count : {0, 1, 2, 5, 6, 7, 100, 256}) {
    std::vector<Ask> asks(count);
    std::vector<Admission> together(count);
    for (size_t i = 0; i < count; ++i) asks[i] = {texts[i % std::size(texts)], {.scope = i % 7 == 0 ? "pipelines:read" : "pipelines:write"}};
    gate->AuthorizeMany(asks, together);
    for (size_t i = 0; i < count; ++i) {
      const Admission alone = gate->Authorize(asks[i].key_text, asks[i].need);
      EXPECT_EQ(together[i].decision, alone.decision) << count << " " << i;
      EXPECT_EQ(together[i].who().api_key_id, alone.who().api_key_id);
    }
  }
}

TEST(AuthorizeMany, TimesOneDecisionInSoManyHoweverManyComeTogether) {
  for (const size_t together : {1, 3, 64, 200}) {
    World world(Acme());
    const std::unique_ptr<Gate> gate = world.Open();
    std::vector<Ask> asks(together, {"k", {}});
    std::vector<Admission> admissions(together);
    size_t decided = 0;
    for (; decided < 6'400; decided += together) gate->AuthorizeMany(asks, admissions);
    const MetricsSnapshot metrics = gate->Metrics();
    const uint64_t expected = (decided + kDecisionSampled - 1) / kDecisionSampled;
    EXPECT_EQ(metrics.authentication.total(), expected) << together;
    EXPECT_EQ(metrics.quota_check.total(), expected) << together;
    EXPECT_EQ(metrics.decisions[domain::OutcomeIndex(Outcome::kAllowed)], decided);
  }
}

}  // namespace
}  // namespace reeve::gate
