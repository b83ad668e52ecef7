// Decisions: what the gate says to a request, as an enum in order of precedence with the facts that go with it.
//
// Pure rules over values; `now` is an argument; safe from any thread. The state that is judged (keys, usage, rates) is gate's; how a decision looks on
// the wire is api's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time_text.h"

namespace reeve::domain {

// Persisted numbers (runs that were refused keep theirs): frozen. Among refusals the smaller number wins; the gaps are for what comes later.
enum class Outcome : uint8_t {
  kAllowed = 0,
  kStoreUnavailable = 1,        // transient; nothing was decided, and what cannot be decided is not let in
  kMalformedKey = 10,           // permanent: empty, too long, control characters
  kUnknownKey = 20,             // permanent; also a key whose customer does not exist
  kRevokedKey = 30,             // permanent
  kExpiredKey = 40,             // permanent
  kCustomerSuspended = 50,      // permanent until somebody acts; so are the next three
  kCustomerCancelled = 60,
  kSubscriptionInactive = 70,   // no current subscription
  kScopeMissing = 80,
  kRateLimited = 90,            // transient: until the next token
  kStorageQuota = 100,          // permanent until storage is freed or the quota raised
  kMonthlyQuota = 110,          // transient: until the next UTC month
  kConcurrentQuota = 120,       // transient: until a run ends, at the latest when its lease does
};

// Every outcome, in order of their numbers.
inline constexpr std::array<Outcome, 14> kOutcomes = {
    Outcome::kAllowed,           Outcome::kStoreUnavailable,  Outcome::kMalformedKey,         Outcome::kUnknownKey,   Outcome::kRevokedKey,
    Outcome::kExpiredKey,        Outcome::kCustomerSuspended, Outcome::kCustomerCancelled,    Outcome::kSubscriptionInactive,
    Outcome::kScopeMissing,      Outcome::kRateLimited,       Outcome::kStorageQuota,         Outcome::kMonthlyQuota, Outcome::kConcurrentQuota};

// Position in kOutcomes. REQUIRES: it is one of them
[[nodiscard]] constexpr size_t OutcomeIndex(Outcome outcome) {
  size_t at = 0;
  while (kOutcomes[at] != outcome) ++at;
  return at;
}
// The outcome with a persisted number; nullopt: none has it.
[[nodiscard]] std::optional<Outcome> OutcomeOf(int32_t number);
// For metrics and reports: "allowed", "revoked_key". Never for the holder of a key: that is ErrorCode.
[[nodiscard]] std::string_view OutcomeName(Outcome outcome);
// The published code: INVALID_API_KEY for malformed, unknown, revoked and expired alike. Empty for kAllowed.
[[nodiscard]] std::string_view ErrorCode(Outcome outcome);
// 200, 401, 403, 429 or 503.
[[nodiscard]] int HttpStatus(Outcome outcome);
// Whether asking again changes nothing until a person or another request changes something.
[[nodiscard]] bool IsPermanent(Outcome outcome);

// An outcome and the numbers that explain it.
struct Decision {
  Outcome outcome = Outcome::kAllowed;
  // Of the quota or rate that refused; of the month's runs where a run was asked for and nothing refused; else zero. In runs, requests or (storage)
  // hundredths of a GB.
  int64_t used = 0;
  std::optional<int64_t> limit;      // nullopt: unlimited, or nothing was counted
  // Whole seconds, at least 1, where waiting helps; 0: it does not (a quota of 0, storage, everything that is no 429 or 503).
  int64_t retry_after_s = 0;

  [[nodiscard]] bool allowed() const { return outcome == Outcome::kAllowed; }
  // limit − used, at least 0; nullopt: unlimited.
  [[nodiscard]] std::optional<int64_t> remaining() const {
    if (!limit) return std::nullopt;
    return *limit > used ? *limit - used : 0;
  }
  bool operator==(const Decision&) const = default;
};

// What is known of a key and its customer; the part of the ladder that depends on nothing but that.
struct KeyStanding {
  bool known = false;              // the digest is in the store, and so is its customer
  bool revoked = false;
  bool expired = false;            // at its instant, not after it
  bool suspended = false;
  bool cancelled = false;          // or in a status nobody knows
  bool subscribed = false;
  bool has_scope = false;          // what was asked for, or nothing was
};
// kUnknownKey … kScopeMissing, the first that applies, or kAllowed.
[[nodiscard]] constexpr Outcome JudgeStanding(const KeyStanding& standing) {
  if (!standing.known) return Outcome::kUnknownKey;
  if (standing.revoked) return Outcome::kRevokedKey;
  if (standing.expired) return Outcome::kExpiredKey;
  if (standing.suspended) return Outcome::kCustomerSuspended;
  if (standing.cancelled) return Outcome::kCustomerCancelled;
  if (!standing.subscribed) return Outcome::kSubscriptionInactive;
  if (!standing.has_scope) return Outcome::kScopeMissing;
  return Outcome::kAllowed;
}

// What a run needs. nullopt limits are unlimited, 0 blocks.
struct RunStanding {
  int64_t storage_used_hundredths = 0;
  std::optional<int64_t> storage_gb;
  int64_t month_runs = 0;          // counted in the present month
  std::optional<int64_t> monthly_runs;
  int64_t live_runs = 0;           // leases that are not over
  std::optional<int64_t> concurrent_runs;
  Micros now = 0;                  // ledger time
  Micros month_ends = 0;           // ledger time at which the next month begins
  Micros next_lease_end = 0;       // how long until the first live lease is over; for Retry-After
};
// kStorageQuota, kMonthlyQuota, kConcurrentQuota, the first that applies, with its numbers; or kAllowed with those of the month before the run counts.
[[nodiscard]] Decision JudgeRun(const RunStanding& standing);

// Whole seconds until `duration` has passed, at least 1.
[[nodiscard]] int64_t RetryAfter(Micros duration);

// Whether the text of a key can be one: 1 to kKeyTextMax bytes without control characters. The checksum of keys in the new format (rv_live_…) is not
// looked at yet: such keys are found by their digest like all others.
inline constexpr size_t kKeyTextMax = 512;
[[nodiscard]] bool IsKeyText(std::string_view text);

// Whether holding `held` covers `needed`: the same text, or held is "thing:*" and needed begins with "thing:". admin:* covers no other thing.
[[nodiscard]] bool ScopeCovers(std::string_view held, std::string_view needed);

}  // namespace reeve::domain
