#include "domain/ledger_clock.h"

#include <algorithm>

namespace reeve::domain {
namespace {

Days MonthOf(Micros instant) { return MonthStart(DateOf(instant)); }

// Clocks that are set to nonsense must not take the arithmetic with them.
Micros Sane(Micros wall) { return std::clamp<Micros>(wall, 0, kTimeMax - kDay); }

}  // namespace

LedgerClock::LedgerClock(Micros high_water, Micros wall, Micros steady)
    : last_(std::max(high_water + 1, Sane(wall))), steady_(steady), month_(MonthOf(last_)) {}

bool LedgerClock::LeapHolds(Micros ahead) {
  if (ahead <= kLeap) {
    leap_seen_ = false;
    return false;
  }
  const Micros difference = ahead > leap_ahead_ ? ahead - leap_ahead_ : leap_ahead_ - ahead;
  // Another distance than that of the first reading is another leap, and waits from now on.
  if (!leap_seen_ || (difference > kLeap && !confirmed_)) {
    leap_seen_ = true;
    leap_steady_ = steady_;
    leap_ahead_ = ahead;
    return false;
  }
  return confirmed_ || steady_ - leap_steady_ >= kLeap;
}

Micros LedgerClock::Steering(Micros ahead, Micros passed) {
  slack_ = std::min(slack_ + passed, kSlackMax);
  const Micros most = slack_ / kSteeringShare;
  const Micros steer = std::clamp(ahead, -most, most);
  slack_ -= (steer < 0 ? -steer : steer) * kSteeringShare;
  return steer;
}

Instant LedgerClock::Tick(Micros wall, Micros steady) {
  wall = Sane(wall);
  const Micros passed = std::max<Micros>(steady - steady_, 0);
  steady_ += passed;
  Micros next = last_ + passed;
  const Micros ahead = wall - next;
  if (LeapHolds(ahead)) {
    next = wall;
    leap_seen_ = false;
  } else if (!leap_seen_) {
    next += Steering(ahead, passed);
  }
  confirmed_ = false;
  last_ = std::max(last_ + 1, next);
  if (!leap_seen_) month_ = std::max(month_, MonthOf(last_));
  return {last_, steady_, month_};
}

bool LedgerClock::Confirm() {
  confirmed_ = leap_seen_;
  return confirmed_;
}

}  // namespace reeve::domain
