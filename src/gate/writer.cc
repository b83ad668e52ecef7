#include "gate/writer.h"

#include <algorithm>
#include <chrono>

#include "gate/loader.h"

namespace reeve::gate {
namespace {

using domain::Instant;
using domain::Outcome;

constexpr std::chrono::microseconds kAtOnce(0);

RunAnswer Because(RunResult result) {
  RunAnswer answer;
  answer.result = result;
  answer.decision = {Outcome::kStoreUnavailable, 0, std::nullopt, 1};
  return answer;
}

template <size_t Bounds>
void Observe(const std::array<int64_t, Bounds>& bounds, int64_t value, Histogram<Bounds>* histogram) {
  size_t i = 0;
  while (i < Bounds && value > bounds[i]) ++i;
  ++histogram->count[i];
  histogram->sum += static_cast<double>(value);
}

}  // namespace

Writer::Writer(std::unique_ptr<store::ServingStore> store, Clock* clock, GateState* state, const GateOptions& options)
    : store_(std::move(store)),
      clock_(*clock),
      state_(*state),
      options_(options),
      queue_(options.queue_max),
      book_([this](std::string_view tenant_id, std::string_view run_id) { return store_->FindRun(tenant_id, run_id); }),
      uses_(state, &book_, options.flush_every) {}

Result<> Writer::Start() {
  thread_ = std::thread([this] { Run(); });
  std::unique_lock<std::mutex> lock(mutex_);
  loaded_.wait(lock, [this] { return is_loaded_; });
  return *started_;
}

bool Writer::Push(Operation&& operation) {
  if (state_.phase.load(std::memory_order_acquire) == Phase::kServing && queue_.TryPush(std::move(operation))) return true;
  not_taken_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Writer::Stop() {
  const std::lock_guard<std::mutex> lock(stop_mutex_);
  Phase serving = Phase::kServing;
  state_.phase.compare_exchange_strong(serving, Phase::kDraining);
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

void Writer::Run() {
  Result<> loaded = LoadAll(*store_, clock_, &state_, &book_, &ledger_);
  const bool ok = loaded.has_value();
  if (ok) {
    keys_ = state_.keys.Share().get();
    CopyMetrics();
    state_.phase.store(Phase::kServing, std::memory_order_release);
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    started_ = std::move(loaded);
    is_loaded_ = true;
  }
  loaded_.notify_all();
  if (ok) Loop();
}

void Writer::Loop() {
  std::vector<Operation> group;
  while (state_.phase.load(std::memory_order_relaxed) != Phase::kPoisoned) {
    group.clear();
    if (!queue_.TakeFor(Patience(), options_.group_max, &group) && !stopping_) {
      stopping_ = true;
      state_.phase.store(Phase::kStopped);  // nothing is let in that would not be counted
    }
    if (Serve(&group) == 0 && stopping_) break;
  }
  group.clear();
  while (queue_.TakeFor(kAtOnce, options_.queue_max, &group)) {
  }
  RefuseAll(&group);
}

size_t Writer::Serve(std::vector<Operation>* group) {
  const Micros start = clock_.Steady();
  for (size_t decided = 0; decided < group->size();) {
    Approach(std::span(*group).subspan(decided));
    for (; decided < group->size(); ++decided) Decide(&(*group)[decided]);
    // What came meanwhile goes with them, as long as the first need not wait for it.
    if (decided < options_.group_max && clock_.Steady() - start < options_.group_wait_max)
      (void)queue_.TakeFor(kAtOnce, options_.group_max - decided, group);
  }
  const Instant now = Tick();
  counted_.leases_expired += book_.ExpireDue(now, kExpiriesMax);
  const size_t uses = uses_.Add(now, stopping_, store_->TakeUseLoad());
  if (!CommitGroup(group->size())) return 0;
  counted_.touches_written += uses;
  CopyMetrics();
  TellAll();
  ReloadIfAsked();
  ProbeIfIdle();
  return uses;
}

void Writer::Approach(std::span<const Operation> operations) const {
  for (const Operation& operation : operations)
    if (const auto* run = std::get_if<RunOperation>(&operation)) keys_->Approach(run->digest);
  for (const Operation& operation : operations)
    if (const auto* run = std::get_if<RunOperation>(&operation)) (void)keys_->Glimpse(run->digest);
  for (const Operation& operation : operations) {
    const auto* const run = std::get_if<RunOperation>(&operation);
    const uint32_t key = run != nullptr ? keys_->Glimpse(run->digest) : kNoKey;
    if (key == kNoKey) continue;
    keys_->ApproachCold(key);
    if (const uint32_t customer = keys_->At(key).customer; customer != kNoCustomer) book_.Approach(customer);
  }
}

Instant Writer::Tick() {
  const Instant now = ledger_->Tick(clock_.Now(), clock_.Steady());
  state_.Publish(now);
  return now;
}

std::chrono::microseconds Writer::Patience() {
  Micros until = uses_.NextDue();
  if (const std::optional<Micros> due = book_.NextDue()) until = std::min(until, *due);
  return std::chrono::microseconds(std::clamp<Micros>(until - clock_.Steady(), 0, kWakeEvery));
}

void Writer::Decide(Operation* operation) {
  std::visit([this](auto& kind) { Decide(&kind); }, *operation);
}

domain::Decision Writer::JudgeKey(const store::KeyDigest& digest, const Instant& now, uint32_t* key, uint32_t* customer) const {
  *key = keys_->Find(digest);
  if (*key == kNoKey || keys_->At(*key).customer == kNoCustomer) return {Outcome::kUnknownKey, 0, std::nullopt, 0};
  const KeyIndex::Entry& entry = keys_->At(*key);
  *customer = entry.customer;
  domain::KeyStanding standing;
  standing.known = standing.has_scope = true;  // the door has looked at the scope, which does not change
  standing.revoked = (entry.standing.load(std::memory_order_relaxed) & KeyIndex::kRevoked) != 0 || revoked_.count(digest) != 0;
  standing.expired = keys_->IsExpired(*key, now.ledger);
  book_.Stand(*customer, &standing);
  return {domain::JudgeStanding(standing), 0, std::nullopt, 0};
}

void Writer::Decide(RunOperation* operation) {
  ++counted_.run_calls;
  const Instant now = Tick();
  uint32_t key = kNoKey, customer = kNoCustomer;
  Reply& reply = replies_.emplace_back();
  reply.run_done = std::move(operation->done);
  reply.answer.decision = JudgeKey(operation->digest, now, &key, &customer);
  if (!reply.answer.decision.allowed()) {
    reply.answer.result = RunResult::kRefused;
    return;
  }
  reply.answer = book_.Call(customer, keys_->IdOf(key), operation->call, now);
}

void Writer::Decide(RevokeOperation* operation) {
  Reply& reply = replies_.emplace_back();
  reply.change_done = std::move(operation->done);
  const uint32_t key = keys_->Find(operation->digest);
  if (key == kNoKey || keys_->At(key).customer == kNoCustomer) {
    reply.result = ChangeResult::kUnknown;
    return;
  }
  const KeyIndex::Entry& entry = keys_->At(key);
  if (entry.standing.load(std::memory_order_relaxed) & KeyIndex::kRevoked || !revoked_.insert(operation->digest).second) {
    reply.result = ChangeResult::kNoChange;
    return;
  }
  book_.RevokeKey(entry.customer, operation->digest, keys_->IdOf(key), operation->by, Tick());
}

void Writer::Decide(ChangeOperation* operation) {
  Reply& reply = replies_.emplace_back();
  reply.change_done = std::move(operation->done);
  const std::optional<uint32_t> customer = state_.customers.Find(operation->change.customer_id);
  if (!customer || !book_.known(*customer)) {
    reply.result = ChangeResult::kUnknown;
  } else if (!book_.Change(*customer, operation->change, operation->by, Tick())) {
    reply.result = ChangeResult::kNoChange;
  }
}

void Writer::Decide(ConfirmOperation* operation) {
  Reply& reply = replies_.emplace_back();
  reply.change_done = std::move(operation->done);
  if (!ledger_->Confirm()) reply.result = ChangeResult::kNoChange;
  (void)Tick();
}

void Writer::Decide(ReloadOperation* operation) { reloads_.push_back(std::move(operation->done)); }

bool Writer::CommitGroup(size_t operations) {
  const Instant now = Tick();
  const std::optional<store::ServingWrites> writes = book_.TakeWrites(now);
  if (!writes) return true;
  const Micros start = clock_.Steady();
  const Result<> committed = store_->Commit(*writes);
  last_contact_ = clock_.Steady();
  if (!committed) {
    Poison(committed.error());
    return false;
  }
  ++counted_.commits;
  Observe(kCommitBoundsUs, last_contact_ - start, &counted_.commit_time);
  if (operations > 0) Observe(kBatchBounds, static_cast<int64_t>(operations), &counted_.batch_size);
  PublishCommitted(*writes, now);
  return true;
}

void Writer::PublishCommitted(const store::ServingWrites& writes, const Instant& now) {
  for (const store::KeyRevocation& revocation : writes.revocations) {
    keys_->Revoke(keys_->Find(revocation.digest));
    ++counted_.revocations;
  }
  revoked_.clear();
  std::vector<uint32_t> changed;
  book_.Committed(now, &changed);
  for (const uint32_t customer : changed) PublishCustomer(book_, customer, now.month, &state_);
  state_.store_answers.store(true, std::memory_order_relaxed);
}

void Writer::TellAll() {
  for (const Reply& reply : replies_) reply.Tell();
  replies_.clear();
}

void Writer::ReloadIfAsked() {
  if (reloads_.empty()) return;
  const std::shared_ptr<KeyIndex> old = state_.keys.Share();
  const Result<> loaded = LoadAll(*store_, clock_, &state_, &book_, &ledger_);
  if (loaded) {
    keys_ = state_.keys.Share().get();
    uses_.Retire(old);
    CopyMetrics();
  }
  for (const ChangeDone& done : std::exchange(reloads_, {})) done(loaded ? ChangeResult::kDone : ChangeResult::kUnavailable);
}

void Writer::Poison(const Error& error) {
  ++counted_.commits_failed;
  state_.phase.store(Phase::kPoisoned, std::memory_order_release);
  queue_.Close();
  for (Reply& reply : replies_) {
    if (reply.run_done) reply.answer = Because(RunResult::kInDoubt);
    reply.result = ChangeResult::kInDoubt;
    reply.Tell();
  }
  replies_.clear();
  for (const ChangeDone& done : std::exchange(reloads_, {})) done(ChangeResult::kUnavailable);
  CopyMetrics();
  if (options_.on_poison) options_.on_poison(error);
}

// Nothing of these was decided.
void Writer::RefuseAll(std::vector<Operation>* operations) {
  for (Operation& operation : *operations) {
    std::visit(
        [](auto& kind) {
          if constexpr (std::is_same_v<std::decay_t<decltype(kind)>, RunOperation>) {
            kind.done(Because(RunResult::kUnavailable));
          } else {
            kind.done(ChangeResult::kUnavailable);
          }
        },
        operation);
  }
  operations->clear();
}

void Writer::ProbeIfIdle() {
  const Micros now = clock_.Steady();
  if (now - last_contact_ < kWakeEvery) return;
  last_contact_ = now;
  state_.store_answers.store(store_->Probe().has_value(), std::memory_order_relaxed);
}

void Writer::CopyMetrics() {
  const RunBook::Counts& counts = book_.counts();
  counted_.reservations = counts.reservations;
  counted_.replays = counts.replays;
  counted_.runs_completed = counts.completed;
  counted_.runs_cancelled = counts.cancelled;
  counted_.leases_expired = counts.expired;
  counted_.live_leases = book_.live_leases();
  counted_.keys = keys_->size();
  counted_.key_bytes = keys_->bytes();
  counted_.customers = book_.customers();
  counted_.rollover_frozen = ledger_->frozen();
  counted_.ledger_lag = ledger_->last() - clock_.Now();
  const std::lock_guard<std::mutex> lock(mutex_);
  published_ = counted_;
}

void Writer::AddTo(MetricsSnapshot* out) const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    *out = published_;
  }
  out->queue_full = not_taken_.load(std::memory_order_relaxed);
  out->queue_length = queue_.size();
  out->authentication.bounds = out->quota_check.bounds = kDecisionBoundsNs;
  out->commit_time.bounds = kCommitBoundsUs;
  out->batch_size.bounds = kBatchBounds;
}

}  // namespace reeve::gate
