#include "env/clock.h"

#include <ctime>

namespace reeve {
namespace {

// Goes on while the machine sleeps, as leases do.
constexpr clockid_t kSteady = CLOCK_BOOTTIME;

timespec Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return now;
}

Micros ReadMicros(clockid_t id) {
  const timespec now = Read(id);
  return Micros{now.tv_sec} * kSecond + now.tv_nsec / 1000;
}

class SystemClock final : public Clock {
 public:
  Micros Now() override { return ReadMicros(CLOCK_REALTIME); }
  Micros Steady() override { return ReadMicros(kSteady); }
  int64_t SteadyNanos() override {
    const timespec now = Read(kSteady);
    return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }
  void Sleep(Micros duration) override {
    const timespec wait{duration / kSecond, duration % kSecond * 1000};
    nanosleep(&wait, nullptr);
  }
};

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() { return std::make_unique<SystemClock>(); }

}  // namespace reeve
