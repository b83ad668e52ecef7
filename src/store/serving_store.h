// ServingStore: what the gate asks of the store that it serves from: everything once at the start, then one durable transaction per group of
// decisions. Not for looking at single records (store/store.h) and not for bulk merges (store/central_sink.h).
//
// The writer (gate/writer.h) is the only caller, from one thread. Load may block for as long as a million keys take; it is called at the start, and again
// when the gate is told to read everything anew. One process has the store: it holds its lock, so nobody else changes what was loaded.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "catalog/rows.h"

namespace reeve::store {

using KeyDigest = std::array<uint8_t, 32>;  // SHA-256 of the whole key text

struct ServedCustomer {
  std::string customer_id, tenant_id;
  std::string status;                                // active, suspended, cancelled
  std::string plan;
  bool has_subscription = false;                     // a current one
  std::optional<int64_t> monthly_runs, concurrent_runs, storage_gb;  // nullopt: unlimited; 0 blocks
  int64_t storage_used_hundredths = 0;               // GB × 100, of the newest month that says so
};

struct ServedKey {
  KeyDigest digest{};
  std::string_view customer_id, api_key_id;          // valid during the call
  bool is_active = false;
  std::optional<Micros> revoked_at, expires_at;
  std::string_view scopes;                           // JSON array of strings as stored; empty: NULL
};

// State of a run in the ledger. Persisted numbers, frozen.
enum class RunState : uint8_t { kReserved = 1, kCompleted = 2, kCancelled = 3, kExpired = 4, kRefused = 5 };

struct RunRow {
  std::string customer_id, tenant_id, run_id, pipeline_id, api_key_id;
  Days month = 0;                                    // first of the UTC month (ledger time) in which it was reserved: where it counts
  RunState state = RunState::kReserved;
  int32_t refusal = 0;                               // kRefused: number of the gate's outcome; final for this id
  int64_t ttl_ms = 0;
  int64_t fence = 0;                                 // of the grant; grows over the whole store
  Micros reserved_at = 0, expires_at = 0;            // ledger time
  Micros ended_at = 0;                               // 0: not ended
  int64_t compute_ms = 0;
  std::string request_digest;                        // of what was asked: the same id with another request is a conflict
  std::string outcome;                               // what complete said: "succeeded", "failed"; else empty
  std::string reply;                                 // facts of the refusal (used, limit, Retry-After), so that a repeat is answered alike
};

// Counters of one customer and month; absolute values, so that writing one twice changes nothing.
struct UsageRow {
  std::string customer_id, tenant_id;
  Days month = 0;
  int64_t run_count = 0, running_count = 0;          // with the runs that came from legacy
  int64_t compute_ms = 0;                            // of the ledger alone, added to what legacy had
  int64_t api_requests = 0;
  std::optional<Micros> last_run_at;
};

struct KeyTouch {
  KeyDigest digest{};
  Micros last_used_at = 0;
};

// A change of authority; takes effect in memory only after its transaction.
struct KeyRevocation {
  KeyDigest digest{};
  Micros at = 0;
  std::string by;
};
struct CustomerChange {
  std::string customer_id;
  std::optional<std::string> status;
  // Set: the current subscription's quotas become these.
  struct Quotas {
    std::optional<int64_t> monthly_runs, concurrent_runs, storage_gb;
    // What a caller of the gate leaves as it is; the store is given all three.
    bool keep_monthly_runs = false, keep_concurrent_runs = false, keep_storage_gb = false;
  };
  std::optional<Quotas> quotas;
  std::string reason, note;                          // for the audit event; may be empty
};

// One transaction.
struct ServingWrites {
  std::vector<RunRow> runs;            // by (customer, run id): the newer row replaces
  std::vector<UsageRow> usage;
  std::vector<KeyTouch> touches;
  std::vector<KeyRevocation> revocations;
  std::vector<CustomerChange> changes;
  std::optional<catalog::RowBatch> audit;  // of AuditLogs()
  // The store's marks after this transaction; none of them ever goes back. They are written with it, also when nothing else is in it.
  Micros ledger_time = 0;              // high-water mark
  int64_t fence = 0;                   // highest that was granted
  int64_t audit_seq = 0;               // number of the newest event of the ledger's chain (store/ledger_chain.h), and its digest as 64 hex digits
  std::string audit_head;
};

// What Load hands over; calls come in this order: every customer, every key, every usage row of the months from `from_month` on (or from that of the ledger's
// mark, if it is earlier: its clock may be behind the wall's) and of every month in which an open run was reserved, every open run (kReserved) in the order of
// the grants. Runs that ended are found by FindRun.
struct ServingVisitor {
  std::function<void(const ServedCustomer&)> customer;
  std::function<void(const ServedKey&)> key;
  std::function<void(const UsageRow&)> usage;
  std::function<void(const RunRow&)> run;
};
struct ServingMarks {
  Micros ledger_time = 0;
  int64_t fence = 0;
  int64_t audit_seq = 0;
  std::string audit_head;
};

// What last uses and counts of requests cost a store that brings them into its tables later than it commits them.
struct UseLoad {
  bool pending = false;                // some are committed and not in the tables yet
  Micros cost = 0;                     // time that went into those that were brought in since the last call
};

class ServingStore {
 public:
  virtual ~ServingStore() = default;
  [[nodiscard]] virtual Result<ServingMarks> Load(Days from_month, const ServingVisitor& visitor) = 0;
  // The run in whatever state and month, without its customer_id; nullopt if the tenant has never used the id. From the writer's thread, once for each run id that is new to it: it should
  // cost a look into an index.
  [[nodiscard]] virtual Result<std::optional<RunRow>> FindRun(std::string_view tenant_id, std::string_view run_id) = 0;
  // All of it, durably, or an error after which nothing is known: the process must not acknowledge anything any more.
  [[nodiscard]] virtual Result<> Commit(const ServingWrites& writes) = 0;
  // For whoever hands over uses: they can wait, and should take no more of the machine than their share. From the writer's thread.
  [[nodiscard]] virtual UseLoad TakeUseLoad() { return {}; }
  // Returns when other readers of the store see everything that was committed; it was durable before. From the writer's thread.
  [[nodiscard]] virtual Result<> Settle() = 0;
  // Whether the store answers at all (for readiness). Cheap. From the writer's thread.
  [[nodiscard]] virtual Result<> Probe() = 0;
};

}  // namespace reeve::store
