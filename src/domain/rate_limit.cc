#include "domain/rate_limit.h"

#include "base/error.h"

namespace reeve::domain {
namespace {

constexpr int64_t kNanos = 1'000;  // in a microsecond

PlanRates Rates(std::string plan, int64_t per_minute, int64_t per_hour) {
  return {std::move(plan), {per_minute, 60 * kSecond}, {per_hour, kHour}};
}

}  // namespace

const PlanRates& RateBook::Find(std::string_view plan) const {
  const PlanRates* fallback = nullptr;
  for (const PlanRates& rates : plans) {
    if (rates.plan == plan) return rates;
    if (rates.plan == default_plan) fallback = &rates;
  }
  REEVE_ASSERT(fallback != nullptr);
  return *fallback;
}

RateBook BuiltInRates() {
  return {{Rates("starter", 100, 5'000), Rates("professional", 300, 20'000), Rates("enterprise", 1'000, 100'000)}, "professional"};
}

Gcra::Gcra(const RateLimit& limit) : requests_(limit.requests), period_(limit.period) {
  REEVE_ASSERT(limit.requests >= 0 && limit.requests <= kRateMax && limit.period > 0 && limit.period <= kDay);
  if (requests_ == 0) return;  // the window stays below every interval
  const int64_t period_ns = limit.period * kNanos;
  interval_ns_ = period_ns / requests_ + (period_ns % requests_ != 0 ? 1 : 0);
  window_ns_ = interval_ns_ * requests_;
  per_ns_ = 1.0 / static_cast<double>(interval_ns_);
}

}  // namespace reeve::domain
