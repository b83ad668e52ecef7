// TwoClocks: wall and steady time that part only where a test says so. Safe from any thread.
#pragma once

#include <atomic>

#include "env/clock.h"

namespace reeve::testing {

class TwoClocks final : public Clock {
 public:
  explicit TwoClocks(Micros wall) : wall_(wall) {}
  Micros Now() override { return wall_; }
  Micros Steady() override { return steady_; }
  void Sleep(Micros duration) override { Pass(duration); }
  void Pass(Micros duration) {
    wall_ += duration;
    steady_ += duration;
  }
  void SetWall(Micros wall) { wall_ = wall; }

 private:
  std::atomic<Micros> wall_, steady_{5 * kSecond};
};

}  // namespace reeve::testing
