#include "store/sqlite/commit_applier.h"

#include <chrono>

#include "env/thread_rank.h"

namespace reeve::store {
namespace {

// How long groups are gathered. Readers of the store see what was decided so much later, at most, while the processor keeps up.
constexpr std::chrono::milliseconds kGather(500);
constexpr std::chrono::microseconds kPaceMax(20'000);

}  // namespace

Micros CommitApplier::Now() const { return clock_ == nullptr ? 0 : clock_->Steady(); }

void CommitApplier::Start() {
  thread_ = std::thread([this] {
    GiveWayToOtherThreads();  // callers wait for the log; if it fills up they wait for this, and leave it the processor
    Loop();
  });
}

void CommitApplier::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CommitApplier::Pace(size_t log_bytes) {
  std::unique_lock<std::mutex> lock(mutex_);
  const size_t half = log_bytes / 2;
  if (pending_bytes_ <= half) return;
  const auto wait = kPaceMax * static_cast<int64_t>(pending_bytes_ - half) / static_cast<int64_t>(half);
  changed_.wait_for(lock, wait, [&] { return failure_ || pending_bytes_ <= half; });
}

void CommitApplier::Push(NumberedCommit commit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool few = pending_bytes_ < kAppliedBytesAtOnce;
  const bool first = pending_.empty();
  pending_bytes_ += commit.record.size();
  pending_uses_ += commit.uses;
  pending_.push_back(std::move(commit));
  if (first || (few && pending_bytes_ >= kAppliedBytesAtOnce)) changed_.notify_all();
}

UseLoad CommitApplier::TakeUseLoad() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {pending_uses_ > 0, std::exchange(use_cost_, 0)};
}

Result<> CommitApplier::Settle() { return SettleUpTo(log_.last()); }

Result<> CommitApplier::SettleUpTo(uint64_t number) {
  std::unique_lock<std::mutex> lock(mutex_);
  hurry_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return failure_ || log_.released() >= number; });
  hurry_ = false;
  if (failure_) return Unexpected(Error(*failure_));
  return {};
}

std::optional<Error> CommitApplier::failure() const {
  if (!failed_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard<std::mutex> lock(mutex_);
  return failure_;
}

void CommitApplier::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!failure_) {
    changed_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    if (pending_.empty()) return;
    changed_.wait_for(lock, kGather, [this] { return stopping_ || hurry_ || pending_bytes_ >= kAppliedBytesAtOnce; });
    const std::vector<NumberedCommit> batch = TakeBatch();
    lock.unlock();
    const Micros before = Now();
    Result<> applied = ApplyBatch(batch);
    const Micros took = Now() - before;
    lock.lock();
    Forget(batch, took);
    if (!applied) {
      failure_ = std::move(applied).error();
      failed_.store(true, std::memory_order_release);
    }
    changed_.notify_all();
  }
}

std::vector<NumberedCommit> CommitApplier::TakeBatch() {
  std::vector<NumberedCommit> batch;
  for (size_t bytes = 0; !pending_.empty() && bytes < kAppliedBytesAtOnce;) {
    bytes += pending_.front().record.size();
    batch.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  return batch;
}

Result<> CommitApplier::ApplyBatch(const std::vector<NumberedCommit>& batch) {
  REEVE_TRY(tables_.Apply(batch));
  log_.Release(tables_.applied());
  return tables_.MoveLog(log_pages_max_);
}

void CommitApplier::Forget(const std::vector<NumberedCommit>& batch, Micros took) {
  size_t rows = 0, uses = 0;
  for (const NumberedCommit& commit : batch) {
    rows += commit.rows;
    uses += commit.uses;
    pending_bytes_ -= commit.record.size();
  }
  pending_uses_ -= uses;
  if (uses > 0) use_cost_ += took * static_cast<Micros>(uses) / static_cast<Micros>(rows);
}

}  // namespace reeve::store
