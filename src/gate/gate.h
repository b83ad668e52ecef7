// Gate: one decision for every request, from memory, and runs that are reserved exactly and durably.
//
// Not for HTTP (api/), not for looking at single records (store/store.h), not for changing what is not authority (names, credentials).
//
// Threads: Authorize and SubmitRun may be called from any number of threads and never wait for a disk or for each other; the other calls may be made
// from any thread too. One thread of the gate's own, the writer, takes all decisions that change something, in one order, and commits them in groups;
// completions are called on it, after the commit. Reasons: docs/adr/0012-one-writer-decides.md, 0013-rate-limits.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "domain/decision.h"
#include "domain/rate_limit.h"
#include "env/clock.h"
#include "gate/admission.h"
#include "gate/metrics.h"
#include "gate/runs.h"
#include "store/serving_store.h"

namespace reeve::gate {

inline constexpr int32_t kCostMax = 1'000;
inline constexpr size_t kAsksMax = 256;

// What a request asks for.
struct Need {
  std::string_view scope = {};  // "pipelines:write"; empty: any key that is accepted
  std::string_view or_scope = {};  // empty, or one that suffices as well
  int32_t cost = 1;             // requests it counts as against the rates, 0 to kCostMax; 0 asks without counting it anywhere
  bool run = false;             // whether a run could be reserved now as well; takes none, SubmitRun does
};

struct Ask {
  std::string_view key_text;
  Need need;
};

struct Readiness {
  bool ready = false;
  std::string_view why;         // of not being ready: "loading", "draining", "store does not answer", "commit failed"
};

// How a change that is no run went.
enum class ChangeResult : uint8_t {
  kDone = 0,
  kUnknown = 1,      // no such key or customer; nothing was written
  kNoChange = 2,     // it was so already
  kUnavailable = 3,  // nothing happened (queue full, draining)
  kInDoubt = 4,      // the commit failed
};
using ChangeDone = std::function<void(ChangeResult)>;

struct GateOptions {
  size_t queue_max = 8'192;              // operations that wait for the writer; more are refused
  size_t group_max = 256;                // operations in one transaction
  Micros group_wait_max = 2'000;         // since the first of them was taken
  Micros flush_every = kSecond / 2;      // last_used_at, api_requests_count, the ledger's mark
  // Called once, on the writer's thread, when a commit has failed and everyone who waited was told kInDoubt. The program must end the process with exit
  // code 74 here; the gate answers nothing but kStoreUnavailable from then on.
  std::function<void(const Error&)> on_poison;
  domain::RateBook rates = domain::BuiltInRates();
};

class Gate {
 public:
  // Loads everything from `store` (a million keys take about as long as reading them) and starts the writer. `clock` outlives the gate.
  [[nodiscard]] static Result<std::unique_ptr<Gate>> Open(std::unique_ptr<store::ServingStore> store, Clock& clock, GateOptions options);
  virtual ~Gate() = default;             // drains first

  // Decides about one request. Counts it against the key's rates and the customer's api_requests, and as the key's last use, if it is allowed; a refusal
  // costs nothing. From memory, under a microsecond or so; takes no lock that a writer holds.
  [[nodiscard]] virtual Admission Authorize(std::string_view key_text, const Need& need) = 0;

  // The same for several requests, in their order, for whoever has them together: their memory is waited for together and not one by one, which more than
  // doubles the rate where there are a million keys. REQUIRES: as many admissions as asks, at most kAsksMax
  virtual void AuthorizeMany(std::span<const Ask> asks, std::span<Admission> admissions) {
    for (size_t i = 0; i < asks.size(); ++i) admissions[i] = Authorize(asks[i].key_text, asks[i].need);
  }

  // Decides about the key as Authorize does (scope pipelines:write; pipelines:read suffices for kLook), then hands the call to the writer. `done` is
  // called once: before this returns, on this thread, if the key, the call or the full queue refuses; else on the writer's thread when the effect is on
  // the medium. Who is told kOk can rely on it whatever happens to the process.
  virtual void SubmitRun(std::string_view key_text, RunCall call, RunDone done) = 0;

  // Revokes a key for ever. No call of Authorize that begins after `done` has been called accepts it; no run is reserved with it that the writer takes up
  // after this.
  virtual void RevokeKey(const store::KeyDigest& digest, std::string_view by, ChangeDone done) = 0;
  // Status and quotas; they count from the moment of `done` in Authorize, and for runs from their place in the writer's order. Live leases stay.
  // REQUIRES: status, if set, is active, suspended or cancelled
  virtual void ChangeCustomer(const store::CustomerChange& change, std::string_view by, ChangeDone done) = 0;
  // Says that a leap of the wall clock (MetricsSnapshot::rollover_frozen) is right, instead of waiting for the second reading.
  virtual void ConfirmClock(ChangeDone done) = 0;
  // Reads keys and customers anew from the store, for what was added behind the gate by this process, and swaps them in whole. Runs wait meanwhile,
  // Authorize does not. kDone, kUnavailable (it could not be read; what there was stays) or kInDoubt.
  virtual void Reload(ChangeDone done) = 0;

  // The digest of a customer's key by its public id; nullopt: none. Looks at every key: for people, not for requests.
  [[nodiscard]] virtual std::optional<store::KeyDigest> FindKey(std::string_view customer_id, std::string_view api_key_id) = 0;

  [[nodiscard]] virtual Readiness Ready() const = 0;
  [[nodiscard]] virtual MetricsSnapshot Metrics() const = 0;
  // Takes no more calls, finishes those in the queue, writes what is pending, stops the writer. Blocks until then; may be called again. Close the doors
  // first: what Authorize lets in meanwhile may be left out of the counts. Not from a completion.
  virtual void Drain() = 0;
};

// SHA-256 of the whole key text: how keys are known.
[[nodiscard]] store::KeyDigest DigestOfKey(std::string_view key_text);

}  // namespace reeve::gate
