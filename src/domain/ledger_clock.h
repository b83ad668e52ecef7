// LedgerClock: the one time line of a store's ledger, made from two clocks neither of which is fit for it alone.
//
// Ledger time never goes back and never stands still: each tick is later than every one before it, in this process and in those before it. It advances
// with the steady clock and is steered towards the wall clock by at most 1 %, so that a wall clock that was set back cannot reopen a month, and one that
// leaps ahead cannot close it:
//
//   * wall ahead of the ledger by more than kLeap against the steady clock: the month is frozen and the ledger goes on by the steady clock alone, until
//     the leap is confirmed, by a second reading kLeap later that agrees with the first, or by Confirm(). Then the ledger takes the wall's time.
//   * the leap goes away before that: as if nothing had happened.
//   * at the start, a wall clock ahead of the stored mark is taken as it is: how long the process was down only it can say.
//
// Leases run by Instant::steady, which no wall clock touches: a leap that is confirmed ends none of them early.
// A value; time is an argument. Not safe for concurrent use.
#pragma once

#include <cstdint>

#include "base/time_text.h"

namespace reeve::domain {

struct Instant {
  Micros ledger = 0;     // strictly growing; what is stored and shown
  Micros steady = 0;     // the steady clock's reading; for durations
  Days month = 0;        // first day of the month in which the ledger is
};

class LedgerClock {
 public:
  static constexpr Micros kLeap = 5 * 60 * kSecond;
  static constexpr int64_t kSteeringShare = 100;  // at most a hundredth of the time that passed

  // Goes on after `high_water`, the newest ledger time that may have been stored; 0: a new store.
  LedgerClock(Micros high_water, Micros wall, Micros steady);

  // The next instant. A steady clock that went back counts as standing still.
  Instant Tick(Micros wall, Micros steady);
  // The next tick takes the wall clock's word. False if no leap waits for that.
  bool Confirm();

  [[nodiscard]] bool frozen() const { return leap_seen_; }
  [[nodiscard]] Micros last() const { return last_; }
  [[nodiscard]] Days month() const { return month_; }

 private:
  // Whether the wall clock, `ahead` of the ledger, is to be believed at once. Keeps account of the leap.
  bool LeapHolds(Micros ahead);
  Micros Steering(Micros ahead, Micros passed);

  static constexpr Micros kSlackMax = kSecond;
  Micros last_;             // newest tick
  Micros steady_;           // at that tick
  Days month_;
  Micros slack_ = 0;        // time that passed and was not steered yet; a tick may be shorter than what 1 % can express
  bool leap_seen_ = false;
  bool confirmed_ = false;
  Micros leap_steady_ = 0;  // when it was seen first
  Micros leap_ahead_ = 0;   // and how far the wall was ahead of the ledger then
};

}  // namespace reeve::domain
