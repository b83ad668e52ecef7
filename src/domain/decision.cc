#include "domain/decision.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace reeve::domain {

std::optional<Outcome> OutcomeOf(int32_t number) {
  for (const Outcome outcome : kOutcomes)
    if (static_cast<int32_t>(outcome) == number) return outcome;
  return std::nullopt;
}

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllowed: return "allowed";
    case Outcome::kStoreUnavailable: return "store_unavailable";
    case Outcome::kMalformedKey: return "malformed_key";
    case Outcome::kUnknownKey: return "unknown_key";
    case Outcome::kRevokedKey: return "revoked_key";
    case Outcome::kExpiredKey: return "expired_key";
    case Outcome::kCustomerSuspended: return "customer_suspended";
    case Outcome::kCustomerCancelled: return "customer_cancelled";
    case Outcome::kSubscriptionInactive: return "subscription_inactive";
    case Outcome::kScopeMissing: return "scope_missing";
    case Outcome::kRateLimited: return "rate_limited";
    case Outcome::kStorageQuota: return "storage_quota";
    case Outcome::kMonthlyQuota: return "monthly_quota";
    case Outcome::kConcurrentQuota: return "concurrent_quota";
  }
  REEVE_ASSERT(false);
  return {};
}

std::string_view ErrorCode(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllowed: return "";
    case Outcome::kStoreUnavailable: return "STORE_UNAVAILABLE";
    case Outcome::kMalformedKey:
    case Outcome::kUnknownKey:
    case Outcome::kRevokedKey:
    case Outcome::kExpiredKey: return "INVALID_API_KEY";
    case Outcome::kCustomerSuspended:
    case Outcome::kCustomerCancelled: return "CUSTOMER_SUSPENDED";
    case Outcome::kSubscriptionInactive: return "SUBSCRIPTION_INACTIVE";
    case Outcome::kScopeMissing: return "INSUFFICIENT_SCOPE";
    case Outcome::kRateLimited: return "RATE_LIMIT_EXCEEDED";
    case Outcome::kStorageQuota: return "STORAGE_QUOTA_EXCEEDED";
    case Outcome::kMonthlyQuota: return "QUOTA_EXCEEDED";
    case Outcome::kConcurrentQuota: return "CONCURRENT_LIMIT_REACHED";
  }
  REEVE_ASSERT(false);
  return {};
}

int HttpStatus(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllowed: return 200;
    case Outcome::kStoreUnavailable: return 503;
    case Outcome::kMalformedKey:
    case Outcome::kUnknownKey:
    case Outcome::kRevokedKey:
    case Outcome::kExpiredKey: return 401;
    case Outcome::kCustomerSuspended:
    case Outcome::kCustomerCancelled:
    case Outcome::kSubscriptionInactive:
    case Outcome::kScopeMissing: return 403;
    case Outcome::kRateLimited:
    case Outcome::kStorageQuota:
    case Outcome::kMonthlyQuota:
    case Outcome::kConcurrentQuota: return 429;
  }
  REEVE_ASSERT(false);
  return 503;
}

bool IsPermanent(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAllowed:
    case Outcome::kStoreUnavailable:
    case Outcome::kRateLimited:
    case Outcome::kMonthlyQuota:
    case Outcome::kConcurrentQuota: return false;
    case Outcome::kMalformedKey:
    case Outcome::kUnknownKey:
    case Outcome::kRevokedKey:
    case Outcome::kExpiredKey:
    case Outcome::kCustomerSuspended:
    case Outcome::kCustomerCancelled:
    case Outcome::kSubscriptionInactive:
    case Outcome::kScopeMissing:
    case Outcome::kStorageQuota: return true;
  }
  REEVE_ASSERT(false);
  return true;
}

Decision JudgeRun(const RunStanding& standing) {
  constexpr int64_t kHundredths = 100, kMax = std::numeric_limits<int64_t>::max();
  if (standing.storage_gb) {
    // In GB first: a quota times 100 need not fit.
    const int64_t quota = std::max<int64_t>(*standing.storage_gb, 0);
    const int64_t used = std::max<int64_t>(standing.storage_used_hundredths, 0);
    if (used / kHundredths >= quota) return {Outcome::kStorageQuota, used, quota > kMax / kHundredths ? kMax : quota * kHundredths, 0};
  }
  if (standing.monthly_runs && standing.month_runs >= *standing.monthly_runs) {
    const int64_t wait = *standing.monthly_runs > 0 ? RetryAfter(standing.month_ends - standing.now) : 0;
    return {Outcome::kMonthlyQuota, standing.month_runs, standing.monthly_runs, wait};
  }
  if (standing.concurrent_runs && standing.live_runs >= *standing.concurrent_runs) {
    const int64_t wait = *standing.concurrent_runs > 0 ? RetryAfter(standing.next_lease_end) : 0;
    return {Outcome::kConcurrentQuota, standing.live_runs, standing.concurrent_runs, wait};
  }
  return {Outcome::kAllowed, standing.month_runs, standing.monthly_runs, 0};
}

int64_t RetryAfter(Micros duration) {
  if (duration <= kSecond) return 1;
  return duration / kSecond + (duration % kSecond != 0 ? 1 : 0);
}

bool IsKeyText(std::string_view text) {
  if (text.empty() || text.size() > kKeyTextMax) return false;
  // Sixteen bytes at a time, on the request path; the last ones once more, or filled up with spaces.
  using Bytes = unsigned char __attribute__((vector_size(16)));
  constexpr size_t kBytes = sizeof(Bytes);
  const auto bad = [&](size_t at, size_t size) {
    Bytes bytes = Bytes{} + static_cast<unsigned char>(' ');
    std::memcpy(&bytes, text.data() + at, size);
    return (bytes < 0x20) | (bytes == 0x7f);
  };
  auto found = text.size() < kBytes ? bad(0, text.size()) : bad(text.size() - kBytes, kBytes);
  for (size_t at = 0; at + kBytes <= text.size(); at += kBytes) found |= bad(at, kBytes);
  uint64_t halves[2];
  std::memcpy(halves, &found, sizeof(halves));
  return (halves[0] | halves[1]) == 0;
}

bool ScopeCovers(std::string_view held, std::string_view needed) {
  if (held == needed) return true;
  if (held.size() < 2 || held.substr(held.size() - 2) != ":*") return false;
  const std::string_view thing = held.substr(0, held.size() - 1);  // with its colon
  return thing.size() > 1 && needed.size() > thing.size() && needed.substr(0, thing.size()) == thing;
}

}  // namespace reeve::domain
