// FakeClock: time that passes only when somebody sleeps or a test says so. Safe from any thread.
#pragma once

#include <atomic>

#include "env/clock.h"

namespace reeve::testing {

class FakeClock final : public Clock {
 public:
  Micros Now() override { return now_; }
  Micros Steady() override { return now_; }
  void Sleep(Micros duration) override { now_ += duration; }
  void Advance(Micros duration) { now_ += duration; }

 private:
  std::atomic<Micros> now_ = 1'794'744'000 * kSecond;  // 2026-11-15 12:00:00 UTC
};

}  // namespace reeve::testing
