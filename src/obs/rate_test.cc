#include "obs/rate.h"

#include <gtest/gtest.h>

#include "obs/figures.h"

namespace reeve::obs {
namespace {

constexpr Micros kStart = 1'000 * kSecond;

TEST(RateMeter, KnowsNothingBeforeWorkIsDone) {
  RateMeter meter;
  meter.Start(kStart, 100);
  EXPECT_FALSE(meter.Eta(kStart, {}).has_value());
  EXPECT_FALSE(meter.Eta(kStart + 5 * kSecond, {}).has_value());
  EXPECT_EQ(meter.At(kStart, {}).units, 0);
}

TEST(RateMeter, SteadyWorkIsExtrapolatedExactly) {
  RateMeter meter;
  meter.Start(kStart, 100);
  const Work done = {.units = 20, .rows = 400, .bytes = 8'000};
  const Micros now = kStart + 10 * kSecond;
  EXPECT_DOUBLE_EQ(meter.At(now, done).units, 2.0);
  EXPECT_DOUBLE_EQ(meter.At(now, done).rows, 40.0);
  EXPECT_DOUBLE_EQ(meter.At(now, done).bytes, 800.0);
  EXPECT_EQ(meter.Eta(now, done), 40 * kSecond);
}

TEST(RateMeter, ForgetsTheSpeedOfTheFirstMinutes) {
  RateMeter meter;
  meter.Start(kStart, 1'000'000);
  Work done;
  Micros now = kStart;
  for (int second = 0; second < 100; ++second) {  // ten units a second, then a hundred
    done.units += second < 50 ? 10 : 100;
    now += kSecond;
    meter.Note(now, done);
  }
  EXPECT_DOUBLE_EQ(meter.At(now, done).units, 100.0);
  EXPECT_EQ(meter.Eta(now, done), static_cast<Micros>(1'000'000 - done.units) * kSecond / 100);
}

TEST(RateMeter, AllDoneIsNoTimeAndMoreThanAllToo) {
  RateMeter meter;
  meter.Start(kStart, 10);
  EXPECT_EQ(meter.Eta(kStart + kSecond, {.units = 10}), 0);
  EXPECT_EQ(meter.Eta(kStart + kSecond, {.units = 11}), 0);
}

TEST(RateMeter, UnknownTotalHasNoEta) {
  RateMeter meter;
  meter.Start(kStart, 0);
  EXPECT_FALSE(meter.Eta(kStart + kSecond, {.units = 10}).has_value());
}

TEST(RateMeter, NoOverflowWithHugeTotalsAndTinySpeed) {
  RateMeter meter;
  meter.Start(kStart, UINT64_MAX);
  EXPECT_FALSE(meter.Eta(kStart + 3600 * kSecond, {.units = 1}).has_value());
}

TEST(RateMeter, StartForgetsTheStageBefore) {
  RateMeter meter;
  meter.Start(kStart, 100);
  meter.Note(kStart + 2 * kSecond, {.units = 90});
  meter.Start(kStart + 2 * kSecond, 10);
  EXPECT_FALSE(meter.Eta(kStart + 3 * kSecond, {}).has_value());
  EXPECT_EQ(meter.Elapsed(kStart + 3 * kSecond), kSecond);
}

TEST(Figures, NumbersAreGroupedByThousands) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1'000), "1,000");
  EXPECT_EQ(Grouped(1'234'567), "1,234,567");
  EXPECT_EQ(Grouped(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Figures, ClockTimeRoundsToSeconds) {
  EXPECT_EQ(ClockTime(0), "0:00");
  EXPECT_EQ(ClockTime(-5 * kSecond), "0:00");
  EXPECT_EQ(ClockTime(42 * kSecond), "0:42");
  EXPECT_EQ(ClockTime(59 * kSecond + kSecond / 2), "1:00");
  EXPECT_EQ(ClockTime(3723 * kSecond), "1:02:03");
}

}  // namespace
}  // namespace reeve::obs
