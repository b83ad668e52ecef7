// CommitApplier: the thread that brings groups that are durable in the commit log into the tables, many in one transaction, while the next ones are decided. That
// many groups share the pages that they change is what makes a ledger of large pages cheap; that nobody waits for it is what makes a commit quick.
//
// Push, Settle and failure() are for the store's caller, one thread. It may use the CommitTables itself between Settle and the next Push.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "env/clock.h"
#include "store/sqlite/commit_log.h"
#include "store/sqlite/commit_tables.h"

namespace reeve::store {

class CommitApplier {
 public:
  static constexpr size_t kAppliedBytesAtOnce = 16u << 20;

  // REQUIRES: both outlive this
  // `clock` may be null: then nothing has a cost.
  CommitApplier(CommitTables& tables, CommitLog& log, Clock* clock, int64_t log_pages_max)
      : tables_(tables), log_(log), clock_(clock), log_pages_max_(log_pages_max) {}
  ~CommitApplier() { Stop(); }

  void Start();
  // Brings in what is left and ends the thread.
  void Stop();

  // Waits a little if more than half of `log_bytes` is pending, the longer the more: callers are slowed down evenly before the log is full and they have to stop.
  void Pace(size_t log_bytes);
  // What is pending is bounded by what the log has room for.
  void Push(NumberedCommit commit);
  [[nodiscard]] UseLoad TakeUseLoad();
  // Returns when everything that was pushed is in the tables.
  [[nodiscard]] Result<> Settle();
  // Returns when everything up to `number` is.
  [[nodiscard]] Result<> SettleUpTo(uint64_t number);
  // The error that ended it, if one has.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  [[nodiscard]] Micros Now() const;
  void Loop();
  // What is to be applied next, as much as goes into one transaction.
  [[nodiscard]] std::vector<NumberedCommit> TakeBatch();
  [[nodiscard]] Result<> ApplyBatch(const std::vector<NumberedCommit>& batch);
  // The batch is in the tables, after `took`.
  void Forget(const std::vector<NumberedCommit>& batch, Micros took);

  CommitTables& tables_;
  CommitLog& log_;
  Clock* const clock_;
  const int64_t log_pages_max_;
  std::thread thread_;

  std::atomic<bool> failed_{false};          // failure_ is set
  mutable std::mutex mutex_;                 // guards all that follows
  std::condition_variable changed_;
  std::deque<NumberedCommit> pending_;
  size_t pending_bytes_ = 0;                 // of pending_ and of the batch that is being applied
  size_t pending_uses_ = 0;                  // likewise
  Micros use_cost_ = 0;                      // since it was asked for
  bool hurry_ = false;                       // somebody waits
  bool stopping_ = false;
  std::optional<Error> failure_;
};

}  // namespace reeve::store
