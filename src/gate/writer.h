// Writer: the one thread that decides what changes something, in one order, and commits it in groups.
//
// A group is up to group_max operations or group_wait_max of time, fewer when nothing else waits. All of it is one transaction; whoever asked is told
// after the commit, never before. After a commit that failed nobody is told anything but kInDoubt, and nothing more is decided.
//
// Push… are safe from any thread and do not wait. Everything else happens on the writer's own thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "domain/ledger_clock.h"
#include "env/clock.h"
#include "gate/gate.h"
#include "gate/gate_state.h"
#include "gate/run_book.h"
#include "gate/use_flush.h"
#include "store/serving_store.h"

namespace reeve::gate {

struct RunOperation {
  store::KeyDigest digest{};
  RunCall call;
  RunDone done;
};
struct RevokeOperation {
  store::KeyDigest digest{};
  std::string by;
  ChangeDone done;
};
struct ChangeOperation {
  store::CustomerChange change;
  std::string by;
  ChangeDone done;
};
struct ConfirmOperation {
  ChangeDone done;
};
struct ReloadOperation {
  ChangeDone done;
};
using Operation = std::variant<RunOperation, RevokeOperation, ChangeOperation, ConfirmOperation, ReloadOperation>;

class Writer {
 public:
  static constexpr size_t kExpiriesMax = 1'024;        // in one transaction, beside its operations
  static constexpr Micros kWakeEvery = kSecond;        // at the latest, for the month's sake

  Writer(std::unique_ptr<store::ServingStore> store, Clock* clock, GateState* state, const GateOptions& options);
  ~Writer() { Stop(); }

  // Starts the thread and waits until everything is loaded.
  [[nodiscard]] Result<> Start();
  // False, with the operation as it was, if the queue is full or the writer takes no more.
  [[nodiscard]] bool Push(Operation&& operation);
  // Finishes what is in the queue and in memory and ends the thread. Not from a completion.
  void Stop();
  void AddTo(MetricsSnapshot* out) const;

 private:
  // Who is told what, once the group is committed.
  struct Reply {
    RunDone run_done;
    RunAnswer answer;
    ChangeDone change_done;
    ChangeResult result = ChangeResult::kDone;
    void Tell() const {
      if (run_done) run_done(answer);
      if (change_done) change_done(result);
    }
  };

  void Run();
  void Loop();
  // One transaction; how many uses of keys and customers it carried. With stopping_ set it carries what there is, and 0 means that nothing is left.
  size_t Serve(std::vector<Operation>* group);
  // Starts to fetch what deciding about `operations` will look at: for all of them at once, instead of waiting for memory at each.
  void Approach(std::span<const Operation> operations) const;
  void Decide(Operation* operation);
  void Decide(RunOperation* operation);
  void Decide(RevokeOperation* operation);
  void Decide(ChangeOperation* operation);
  void Decide(ConfirmOperation* operation);
  void Decide(ReloadOperation* operation);
  [[nodiscard]] domain::Decision JudgeKey(const store::KeyDigest& digest, const domain::Instant& now, uint32_t* key, uint32_t* customer) const;
  // False: poisoned.
  [[nodiscard]] bool CommitGroup(size_t operations);
  void PublishCommitted(const store::ServingWrites& writes, const domain::Instant& now);
  void TellAll();
  void ReloadIfAsked();
  void Poison(const Error& error);
  void ProbeIfIdle();
  void RefuseAll(std::vector<Operation>* operations);
  void CopyMetrics();
  [[nodiscard]] domain::Instant Tick();
  [[nodiscard]] std::chrono::microseconds Patience();

  const std::unique_ptr<store::ServingStore> store_;
  Clock& clock_;
  GateState& state_;
  const GateOptions options_;
  BoundedQueue<Operation> queue_;
  std::thread thread_;
  std::mutex stop_mutex_;

  // The writer's thread only, after Start.
  RunBook book_;
  std::optional<domain::LedgerClock> ledger_;
  UseFlush uses_;
  KeyIndex* keys_ = nullptr;                           // the present index
  std::set<store::KeyDigest> revoked_;                 // decided and not committed yet
  std::vector<Reply> replies_;
  std::vector<ChangeDone> reloads_;
  std::optional<Result<>> started_;
  Micros last_contact_ = 0;                            // with the store
  bool stopping_ = false;
  MetricsSnapshot counted_;

  // For Start and AddTo.
  mutable std::mutex mutex_;
  std::condition_variable loaded_;
  bool is_loaded_ = false;                             // guarded by mutex_
  MetricsSnapshot published_;                          // guarded by mutex_
  std::atomic<uint64_t> not_taken_{0};
};

}  // namespace reeve::gate
