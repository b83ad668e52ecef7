// The tap for time. Everything that needs "now" or a pause takes a Clock; domain code takes `now` as an argument.
// Safe from any thread.
#pragma once

#include <memory>

#include "base/time_text.h"

namespace reeve {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time, UTC.
  [[nodiscard]] virtual Micros Now() = 0;
  // Time since an arbitrary start; never goes back. For durations only.
  [[nodiscard]] virtual Micros Steady() = 0;
  // The same time line in nanoseconds, as fine as there is: for measuring what takes less than a microsecond.
  [[nodiscard]] virtual int64_t SteadyNanos() { return Steady() * 1'000; }
  // Blocks the calling thread for `duration`, or less if a signal arrives.
  virtual void Sleep(Micros duration) = 0;
};

[[nodiscard]] std::unique_ptr<Clock> MakeSystemClock();

}  // namespace reeve
