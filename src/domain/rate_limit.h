// Rate limits: how many requests a key may make per minute and per hour, by plan, and the arithmetic that decides (GCRA).
//
// A limit of N per period lets a key that was quiet make N requests at once, and one more each period / N after that; over a long time never more than N
// a period, in any single period at most 2 N − 1. A request of cost c counts as c. Integer arithmetic in nanoseconds; an interval that is no whole number
// of them is rounded up, so that never too many are let in. Pure; time and state are arguments; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"

namespace reeve::domain {

inline constexpr int64_t kRateMax = 1'000'000'000;  // requests in a period

struct RateLimit {
  int64_t requests = 0;            // in `period`; 0 lets nothing in
  Micros period = 60 * kSecond;
  bool operator==(const RateLimit&) const = default;
};

struct PlanRates {
  std::string plan;
  RateLimit minute, hour;
};

struct RateBook {
  std::vector<PlanRates> plans;
  std::string default_plan;        // for the customers of a plan that is not listed
  // The rates of `plan`, else those of the default. REQUIRES: the default is listed
  [[nodiscard]] const PlanRates& Find(std::string_view plan) const;
};

// starter 100 and 5,000, professional 300 and 20,000, enterprise 1,000 and 100,000; professional for unknown plans.
[[nodiscard]] RateBook BuiltInRates();

// The state of one limit for one key: the theoretical arrival time of the next request, in nanoseconds of the steady clock. 0: never used.
using Arrival = int64_t;

// A limit prepared for the arithmetic.
class Gcra {
 public:
  Gcra() = default;
  // REQUIRES: 0 <= limit.requests <= kRateMax, 0 < limit.period <= kDay
  explicit Gcra(const RateLimit& limit);

  struct Step {
    bool allowed = false;
    Arrival next = 0;              // the state afterwards; unchanged if refused
    int64_t wait_ns = 0;           // refused: until this request would be allowed; −1: never (it costs more than the limit)
  };
  [[nodiscard]] Step Try(Arrival state, int64_t now_ns, int64_t cost) const {
    const Arrival base = state > now_ns ? state : now_ns;
    const Arrival next = base + interval_ns_ * cost;
    if (next - now_ns <= window_ns_) return {true, next, 0};
    return {false, state, cost <= requests_ ? next - now_ns - window_ns_ : -1};
  }
  // Requests that would be allowed now.
  [[nodiscard]] int64_t Remaining(Arrival state, int64_t now_ns) const {
    const int64_t room = window_ns_ - (state > now_ns ? state - now_ns : 0);
    if (room <= 0 || requests_ == 0) return 0;
    // room / interval, without the division: the estimate is off by one at most.
    const auto estimate = static_cast<int64_t>(static_cast<double>(room) * per_ns_);
    return estimate + (room - estimate * interval_ns_ >= interval_ns_) - (estimate * interval_ns_ > room);
  }
  // Until all of the limit is free again.
  [[nodiscard]] int64_t ResetNs(Arrival state, int64_t now_ns) const { return state > now_ns ? state - now_ns : 0; }

  [[nodiscard]] int64_t requests() const { return requests_; }
  [[nodiscard]] int64_t interval_ns() const { return interval_ns_; }
  [[nodiscard]] Micros period() const { return period_; }

 private:
  int64_t requests_ = 0;
  int64_t interval_ns_ = 0;
  int64_t window_ns_ = -1;         // requests × interval
  double per_ns_ = 0;              // 1 / interval
  Micros period_ = 0;
};

// A limit as it stands, for the RateLimit fields.
struct RateFacts {
  int64_t limit = 0;
  int64_t remaining = 0;
  int64_t reset_s = 0;             // until all of it is free again, rounded up
  int64_t window_s = 0;            // 60 or 3600
  bool operator==(const RateFacts&) const = default;
};

}  // namespace reeve::domain
