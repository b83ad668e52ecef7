// Runs as callers see them: what is asked of a run, and the answer. Values. The rules are in run_book.h, the wire is api's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "domain/decision.h"
#include "store/serving_store.h"

namespace reeve::gate {

inline constexpr size_t kRunIdMax = 200;                 // bytes, also of pipeline ids
inline constexpr int64_t kLeaseMsMin = 1'000;
inline constexpr int64_t kLeaseMsMax = 24 * 3600 * 1'000;
inline constexpr int64_t kLeaseMsDefault = 15 * 60 * 1'000;
inline constexpr int64_t kComputeMsMax = 366LL * 24 * 3600 * 1'000;

enum class RunVerb : uint8_t { kReserve, kHeartbeat, kComplete, kCancel, kLook };
[[nodiscard]] std::string_view VerbName(RunVerb verb);   // "reserve"

struct RunCall {
  RunVerb verb = RunVerb::kLook;
  std::string run_id;                 // the caller's; UTF-8 without control characters, 1 to kRunIdMax bytes
  std::string pipeline_id;            // kReserve; like run_id, may be empty
  int64_t lease_ms = 0;               // kReserve, kHeartbeat; 0: the default, or as reserved
  int64_t fence = 0;                  // of the grant; kHeartbeat and kComplete need it, kCancel checks it unless 0
  bool succeeded = true;              // kComplete
  std::optional<int64_t> compute_ms;  // kComplete; nullopt: the time since it was reserved
};
// kUsage, naming the field, for a call that breaks the limits above.
[[nodiscard]] Result<> CheckRunCall(const RunCall& call);

enum class RunResult : uint8_t {
  kOk,            // 201 for a new reservation, else 200
  kRefused,       // by the door, or a reservation by a quota: see decision; status and code are those of its outcome
  kInvalidCall,   // 400 INVALID_REQUEST: CheckRunCall would have said so
  kUnknownRun,    // 404 RESOURCE_NOT_FOUND: this customer has no such run; also one that was refused, but for kReserve and kLook
  kOtherRequest,  // 422 IDEMPOTENCY_CONFLICT: the id was used for another request, or the run has ended with another result
  kStaleFence,    // 409 STALE_FENCE: not the fence of the grant
  kLeaseExpired,  // 409 LEASE_EXPIRED: the lease was over before this call; its slot has been given back, and nothing was added
  kRunEnded,      // 409 RUN_ENDED: completed where it was to be cancelled, or the reverse, or no heartbeat is due any more
  kUnavailable,   // 503 STORE_UNAVAILABLE: nothing happened; repeat after decision.retry_after_s
  kInDoubt,       // 503 STORE_UNAVAILABLE: the commit failed and it is not known whether it happened; repeat it with the same id
};
[[nodiscard]] int HttpStatus(RunResult result);              // kRefused: 0, it is the outcome's
[[nodiscard]] std::string_view ErrorCode(RunResult result);  // empty for kOk and kRefused

// The run after the call (kReserve that is repeated: as it was when granted).
struct RunView {
  std::string run_id, pipeline_id;
  store::RunState state = store::RunState::kReserved;
  Days month = 0;                     // where it counts
  int64_t fence = 0;
  int64_t lease_ms = 0;
  Micros reserved_at = 0, expires_at = 0;  // ledger time
  Micros ended_at = 0;                // 0: not ended
  int64_t compute_ms = 0;
  bool succeeded = false;             // of a completed run
};

struct RunAnswer {
  RunResult result = RunResult::kOk;
  // For a reservation, granted or refused: the numbers of the moment at which it was decided, in every repetition. Granted: used and limit of the month
  // with this run in it. kUnavailable, kInDoubt: retry_after_s. kRefused before the run's id was looked at (key, scope, rate): not remembered for the id.
  domain::Decision decision;
  bool replayed = false;              // an earlier call had this effect; nothing changed now
  std::optional<RunView> run;         // kOk (kLook: in whatever state, also refused, with its decision), and kRefused by a quota (without fence and lease)
};

// Called exactly once for each call. Must not block or throw: it is called on the writer's thread while others wait.
using RunDone = std::function<void(const RunAnswer&)>;

}  // namespace reeve::gate
