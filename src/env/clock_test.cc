#include "env/clock.h"

#include <gtest/gtest.h>

#include <csignal>

#include "env/interrupt.h"

namespace reeve {
namespace {

TEST(SystemClock, KnowsThisCenturyAndNeverGoesBack) {
  const auto clock = MakeSystemClock();
  EXPECT_GT(clock->Now(), *ParseTime("2024-01-01 00:00:00"));
  EXPECT_LT(clock->Now(), *ParseTime("2124-01-01 00:00:00"));
  Micros before = clock->Steady();
  for (int i = 0; i < 1000; ++i) {
    const Micros now = clock->Steady();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(SystemClock, SleepTakesAtLeastAsLongAsAsked) {
  const auto clock = MakeSystemClock();
  const Micros before = clock->Steady();
  clock->Sleep(2000);
  EXPECT_GE(clock->Steady() - before, 2000);
}

// In a process of its own: the flag cannot be taken back.
void RaiseOnceAndExit() {
  CatchInterrupts();
  if (Interrupted()) _exit(1);
  std::raise(SIGTERM);
  _exit(Interrupted() ? 7 : 2);
}
void RaiseTwice() {
  CatchInterrupts();
  std::raise(SIGINT);
  std::raise(SIGINT);
  _exit(3);
}

TEST(InterruptDeathTest, TheFirstSignalSetsAFlag) { EXPECT_EXIT(RaiseOnceAndExit(), ::testing::ExitedWithCode(7), ""); }
TEST(InterruptDeathTest, TheSecondSignalEndsTheProcess) { EXPECT_EXIT(RaiseTwice(), ::testing::ExitedWithCode(130), ""); }

}  // namespace
}  // namespace reeve
