#include "env/clock.h"

#include <ctime>

namespace reeve {
namespace {

Micros Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return Micros{now.tv_sec} * kSecond + now.tv_nsec / 1000;
}

class SystemClock final : public Clock {
 public:
  Micros Now() override { return Read(CLOCK_REALTIME); }
  Micros Steady() override { return Read(CLOCK_MONOTONIC); }
  void Sleep(Micros duration) override {
    const timespec wait{duration / kSecond, duration % kSecond * 1000};
    nanosleep(&wait, nullptr);
  }
};

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() { return std::make_unique<SystemClock>(); }

}  // namespace reeve
