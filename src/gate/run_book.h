// RunBook: the ledger of runs in memory, as a state machine. It is told what callers want and what time it is, answers, and hands out what a transaction
// must write so that the answers are true. It decides; the writer (writer.h) acts.
//
// Rules (docs/adr/0012-one-writer-decides.md):
//   * A run id belongs to its customer for ever. The same reservation again gets the same answer, granted or refused; another request with that id is a
//     conflict.
//   * A reservation counts in the month that the ledger is in, once, whatever becomes of the run: cancelling it or losing the lease gives back the slot and
//     not the count, as every distinct run of a month has always counted.
//   * Slots are counted from live leases and nothing else; runs that came from legacy hold none, since nobody would ever end them. Leases that are over
//     are ended before anyone is refused a slot.
//   * A lease runs by the steady clock; a lease that is over is over, even if nobody has noticed yet.
//   * Every grant has a fence, greater than all before it in the store.
//   * Usage is what the rows say at the start plus what is added here; months need no reset.
//
// Everything that is decided counts at once for what is decided next, before it is committed. If the commit fails, the book is of no more use.
// Not safe for concurrent use: it is the writer's.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "domain/decision.h"
#include "domain/ledger_clock.h"
#include "domain/plan.h"
#include "gate/ledger_audit.h"
#include "gate/runs.h"
#include "store/serving_store.h"

namespace reeve::gate {

inline constexpr size_t kEndedRunsKept = 1u << 16;  // for repeated calls; older ones are looked up in the store

class RunBook {
 public:
  // ServingStore::FindRun.
  using Finder = std::function<Result<std::optional<store::RunRow>>(std::string_view tenant_id, std::string_view run_id)>;
  explicit RunBook(Finder finder) : finder_(std::move(finder)) {}

  // Loading. Customers get their numbers in order, 0 first; a customer that is there already is brought up to date and keeps its usage and runs.
  [[nodiscard]] uint32_t PutCustomer(const store::ServedCustomer& customer);
  // REQUIRES: the customer was put. Rows of others are left out.
  void PutUsage(const store::UsageRow& row);
  // kCorrupt for a run that is not reserved.
  [[nodiscard]] Result<> PutRun(const store::RunRow& row, const domain::Instant& now);
  void PutMarks(const store::ServingMarks& marks);
  void Forget(uint32_t customer);    // it is no longer in the store; its leases run out

  // Answers a call that the door let in (writer.h judges the key). `api_key_id` is for the record.
  [[nodiscard]] RunAnswer Call(uint32_t customer, std::string_view api_key_id, const RunCall& call, const domain::Instant& now);
  // Starts to fetch the customer's account, line by line. Inlined always: the compiler takes a function that only fetches for one without effect.
  [[gnu::always_inline]] void Approach(uint32_t customer) const {
    const char* const account = reinterpret_cast<const char*>(&accounts_[customer]);
    for (size_t at = 0; at < sizeof(Ledger); at += 64) __builtin_prefetch(account + at, 1);
  }
  // Ends up to `most` leases that are over; how many it ended.
  size_t ExpireDue(const domain::Instant& now, size_t most);
  // When the next lease is over, by the steady clock; nullopt: there is none.
  [[nodiscard]] std::optional<Micros> NextDue() const;

  // False: it was so already, and nothing is written. REQUIRES: status, if set, is active, suspended or cancelled
  [[nodiscard]] bool Change(uint32_t customer, const store::CustomerChange& change, std::string_view by, const domain::Instant& now);
  void RevokeKey(uint32_t customer, const store::KeyDigest& digest, std::string_view api_key_id, std::string_view by, const domain::Instant& now);
  void Touch(const store::KeyDigest& digest, Micros last_used_at) { touches_.push_back({digest, last_used_at}); }
  void CountRequests(uint32_t customer, uint64_t requests, const domain::Instant& now);

  // Everything decided since the last call, as one transaction; nullopt: nothing.
  [[nodiscard]] std::optional<store::ServingWrites> TakeWrites(const domain::Instant& now);
  // The transaction of the last TakeWrites is durable. Appends the customers whose standing or figures it changed.
  void Committed(const domain::Instant& now, std::vector<uint32_t>* changed);

  // What decisions about a customer go by.
  struct Account {
    bool known = true, suspended = false, cancelled = false, subscribed = false;
    domain::Quotas quotas;
    int64_t storage_used_hundredths = 0;
    // Filled by ViewOf.
    int64_t month_runs = 0;          // of `month`
    Days month = 0;
    int64_t live_runs = 0;
    Micros first_lease_end = 0;      // steady clock, of the live ones; 0: none
  };
  [[nodiscard]] Account ViewOf(uint32_t customer, Days month) const;
  [[nodiscard]] size_t customers() const { return accounts_.size(); }
  [[nodiscard]] uint64_t live_leases() const { return due_.size(); }
  [[nodiscard]] bool known(uint32_t customer) const { return accounts_[customer].known; }
  // Standing of the customer for domain::JudgeStanding; the key's part is the caller's.
  void Stand(uint32_t customer, domain::KeyStanding* standing) const;

  struct Counts {
    std::array<uint64_t, domain::kOutcomes.size()> reservations{};
    uint64_t replays = 0, completed = 0, cancelled = 0, expired = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct MonthCount {
    Days month = 0;
    int64_t runs = 0;
    int64_t legacy_running = 0;      // in the row and not ours
    int64_t live = 0;
    int64_t compute_ms = 0;
    int64_t api_requests = 0;
    std::optional<Micros> last_run_at;
    bool dirty = false;
  };
  struct Run {
    uint32_t customer = 0;
    Micros lease_end = 0;            // steady clock
    Micros reserved_steady = 0;
    bool dirty = false, pinned = false;
    store::RunRow row;               // without the names of the customer
  };
  // With what it is ordered by beside it: runs themselves are far apart in memory.
  struct Lease {
    Micros end = 0;
    int64_t fence = 0;
    Run* run = nullptr;
    bool operator<(const Lease& other) const { return end != other.end ? end < other.end : fence < other.fence; }
  };
  using Leases = std::set<Lease>;
  struct Ledger : Account {
    std::string customer_id, tenant_id;
    std::vector<MonthCount> months;
    Leases open;
    bool dirty = false;
  };

  // The run in memory or in the store; null: the id was never used. `name`: NameOf both.
  [[nodiscard]] Result<Run*> Find(uint32_t customer, std::string_view run_id, const std::string& name);
  Run* Keep(uint32_t customer, std::string name, store::RunRow row);
  static std::string NameOf(uint32_t customer, std::string_view run_id);

  // REQUIRES: nothing is known by `name`
  RunAnswer Reserve(uint32_t customer, std::string_view api_key_id, const RunCall& call, std::string name, const domain::Instant& now);
  RunAnswer Heartbeat(Run& run, const RunCall& call, const domain::Instant& now);
  RunAnswer Complete(Run& run, std::string_view api_key_id, const RunCall& call, const domain::Instant& now);
  RunAnswer Cancel(Run& run, std::string_view api_key_id, const RunCall& call, const domain::Instant& now);
  RunAnswer Replay(const Run& run);

  [[nodiscard]] domain::Decision Judge(uint32_t customer, const domain::Instant& now);
  void ExpireOf(uint32_t customer, const domain::Instant& now);
  void Expire(Run& run, const domain::Instant& now);
  void Open(Run& run, Micros lease_end);
  // Puts a run among the live ones by its lease_end; takes it from them before that changes.
  void EnterLease(Run& run);
  void LeaveLease(Run& run);
  void End(Run& run, store::RunState state, const domain::Instant& now);
  MonthCount& MonthOf(uint32_t customer, Days month);
  const MonthCount* FindMonth(const Ledger& ledger, Days month) const;
  void MarkDirty(Run& run);
  void MarkDirty(uint32_t customer, MonthCount& month);
  void MarkDirty(uint32_t customer);
  void Record(const Run& run, std::string_view event, std::string_view actor_type, std::string_view actor_id, std::string_view facts,
              const domain::Instant& now);
  void RecordChange(uint32_t customer, std::string_view event, std::string_view resource_type, std::string_view resource_id, std::string_view action,
                    std::string_view by, std::string_view facts, const domain::Instant& now);
  [[nodiscard]] store::RunRow RowOf(const Run& run) const;
  void ForgetOldEnded();

  const Finder finder_;
  std::deque<Ledger> accounts_;
  std::unordered_map<std::string, uint32_t> numbers_;            // by customer_id
  std::unordered_map<std::string, std::unique_ptr<Run>> runs_;   // by NameOf
  std::deque<Run*> ended_;                                       // oldest first; may be forgotten once committed
  Leases due_;                                                   // the live ones
  LedgerChain chain_;
  int64_t fence_ = 0;
  Counts counts_;

  // Since the last TakeWrites.
  std::vector<Run*> dirty_runs_;
  std::vector<uint32_t> dirty_customers_;
  std::optional<catalog::RowBatch> audit_;
  std::vector<store::KeyTouch> touches_;
  std::vector<store::KeyRevocation> revocations_;
  std::vector<store::CustomerChange> changes_;
  // Of the transaction that TakeWrites handed out.
  std::vector<Run*> written_runs_;
  std::vector<uint32_t> written_customers_;
};

// The facts of a reservation's decision, as RunRow::reply keeps them:
//
//   reply := used ' ' limit ' ' retry-after      limit := number | '-' (unlimited)
[[nodiscard]] std::string ReplyText(const domain::Decision& decision);
// kCorrupt for anything else.
[[nodiscard]] Result<domain::Decision> ParseReply(domain::Outcome outcome, std::string_view reply);
// What makes two reservations the same request: SHA-256 (32 bytes) over pipeline and lease.
[[nodiscard]] std::string RequestDigest(const RunCall& call);

}  // namespace reeve::gate
