#include "domain/ledger_clock.h"

#include <gtest/gtest.h>

#include <random>

namespace reeve::domain {
namespace {

const Micros kMay = StartOf(DaysFromCivil({2026, 5, 1}));
const Micros kJune = StartOf(DaysFromCivil({2026, 6, 1}));
constexpr Micros kMinute = 60 * kSecond;

// Two clocks that a test sets as it likes.
struct Clocks {
  Micros wall = 0, steady = 1'000;
  void Pass(Micros duration) {
    wall += duration;
    steady += duration;
  }
};

Days MonthOf(Micros t) { return MonthStart(DateOf(t)); }

TEST(LedgerClock, FollowsAnOrdinaryWallClock) {
  Clocks clocks{kMay};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  for (int i = 0; i < 1'000; ++i) {
    clocks.Pass(kSecond);
    const Instant now = ledger.Tick(clocks.wall, clocks.steady);
    EXPECT_EQ(now.ledger, clocks.wall);
    EXPECT_EQ(now.month, MonthOf(kMay));
  }
  EXPECT_FALSE(ledger.frozen());
}

TEST(LedgerClock, NeverStandsStillAndNeverGoesBack) {
  Clocks clocks{kMay};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  Micros last = 0;
  for (int i = 0; i < 100; ++i) {
    const Micros now = ledger.Tick(clocks.wall, clocks.steady).ledger;
    EXPECT_GT(now, last);
    last = now;
    clocks.wall -= kDay;
    clocks.steady -= 5;  // a fault: counts as standing still
  }
}

TEST(LedgerClock, GoesOnAfterWhatWasStored) {
  LedgerClock behind(kJune + 7, kMay, 0);
  EXPECT_EQ(behind.Tick(kMay, 0).ledger, kJune + 9);
  LedgerClock after_an_outage(kMay, kJune + kDay, 0);
  EXPECT_EQ(after_an_outage.Tick(kJune + kDay, 1).month, MonthOf(kJune));
}

TEST(LedgerClock, AnHourBackOverTheEndOfAMonthReopensNothing) {
  Clocks clocks{kJune - kMinute};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  clocks.Pass(2 * kMinute);
  ASSERT_EQ(ledger.Tick(clocks.wall, clocks.steady).month, MonthOf(kJune));
  clocks.wall -= kHour;
  for (int i = 0; i < 7'200; ++i) {
    clocks.Pass(kSecond);
    ASSERT_EQ(ledger.Tick(clocks.wall, clocks.steady).month, MonthOf(kJune));
  }
  // Also in the next process.
  LedgerClock next(ledger.last(), clocks.wall - kHour, 5);
  EXPECT_EQ(next.Tick(clocks.wall - kHour, 6).month, MonthOf(kJune));
}

TEST(LedgerClock, IsSteeredByAHundredthAtMostEvenByTinyTicks) {
  for (const Micros step : {Micros{7}, Micros{100}, kSecond / 3}) {
    for (const Micros off : {-kMinute, kMinute}) {
      Clocks clocks{kMay};
      LedgerClock ledger(0, clocks.wall, clocks.steady);
      clocks.wall += off;
      const Micros start = clocks.steady;
      Instant now;
      for (int i = 0; i < 20'000; ++i) {
        clocks.Pass(step);
        now = ledger.Tick(clocks.wall, clocks.steady);
      }
      const Micros passed = clocks.steady - start;
      const Micros steered = now.ledger - (kMay + passed);
      EXPECT_LE(std::abs(steered), passed / 100 + 1) << step;
      EXPECT_GE(std::abs(steered), std::min(std::abs(off), passed / 100 - 100)) << step;
      EXPECT_EQ(steered > 0, off > 0);
    }
  }
}

TEST(LedgerClock, ALeapOf40DaysFreezesTheMonthUntilASecondReading) {
  Clocks clocks{kMay + kDay};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  clocks.wall += 40 * kDay;
  const Micros seen = clocks.steady;
  while (clocks.steady - seen < 5 * kMinute) {
    const Instant now = ledger.Tick(clocks.wall, clocks.steady);
    ASSERT_TRUE(ledger.frozen());
    ASSERT_EQ(now.month, MonthOf(kMay));
    ASSERT_LT(now.ledger, kMay + 2 * kDay) << "the ledger does not leap with the wall";
    clocks.Pass(kSecond);
  }
  const Instant now = ledger.Tick(clocks.wall, clocks.steady);
  EXPECT_FALSE(ledger.frozen());
  EXPECT_EQ(now.month, MonthOf(kJune));
  EXPECT_GE(now.ledger, clocks.wall);
}

TEST(LedgerClock, ALeapThatIsTakenBackLeavesNoTrace) {
  Clocks clocks{kMay + kDay};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  clocks.wall += 40 * kDay;
  for (int i = 0; i < 299; ++i) {
    clocks.Pass(kSecond);
    ledger.Tick(clocks.wall, clocks.steady);
  }
  clocks.wall -= 40 * kDay;
  clocks.Pass(kHour);
  const Instant now = ledger.Tick(clocks.wall, clocks.steady);
  EXPECT_FALSE(ledger.frozen());
  EXPECT_EQ(now.month, MonthOf(kMay));
  EXPECT_LE(now.ledger, clocks.wall + kSecond);
}

TEST(LedgerClock, WhileFrozenTheMonthStaysThoughTheLedgerPassesItsEnd) {
  Clocks clocks{kJune - kMinute};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  clocks.wall += 40 * kDay;
  clocks.Pass(1);
  ledger.Tick(clocks.wall, clocks.steady);
  clocks.Pass(2 * kMinute);
  const Instant frozen = ledger.Tick(clocks.wall, clocks.steady);
  EXPECT_GT(frozen.ledger, kJune);
  EXPECT_EQ(frozen.month, MonthOf(kMay));
  clocks.wall -= 40 * kDay;
  clocks.Pass(1);
  EXPECT_EQ(ledger.Tick(clocks.wall, clocks.steady).month, MonthOf(kJune));
}

TEST(LedgerClock, AnotherLeapWaitsAnew) {
  Clocks clocks{kMay + kDay};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  for (int i = 0; i < 60; ++i) {  // a wall clock that wanders by ten minutes each minute convinces nobody
    clocks.wall += 40 * kDay / 60;
    clocks.Pass(kMinute);
    ledger.Tick(clocks.wall, clocks.steady);
    EXPECT_TRUE(ledger.frozen());
  }
  EXPECT_LT(ledger.last(), kMay + 2 * kDay);
}

TEST(LedgerClock, ConfirmTakesTheWallsWordAtTheNextTick) {
  Clocks clocks{kMay + kDay};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  EXPECT_FALSE(ledger.Confirm()) << "nothing to confirm";
  clocks.wall += 40 * kDay;
  clocks.Pass(1);
  ledger.Tick(clocks.wall, clocks.steady);
  EXPECT_TRUE(ledger.Confirm());
  clocks.Pass(1);
  EXPECT_EQ(ledger.Tick(clocks.wall, clocks.steady).ledger, clocks.wall);
  EXPECT_FALSE(ledger.frozen());
}

TEST(LedgerClock, FourMinutesAheadIsNoLeapButSteered) {
  Clocks clocks{kJune - 3 * kMinute};
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  clocks.wall += 4 * kMinute;
  clocks.Pass(kSecond);
  const Instant now = ledger.Tick(clocks.wall, clocks.steady);
  EXPECT_FALSE(ledger.frozen());
  EXPECT_EQ(now.month, MonthOf(kMay));
  EXPECT_LE(now.ledger, kJune - 3 * kMinute + kSecond + kSecond / 100);
}

TEST(LedgerClock, RandomClocksNeverTakeItBack) {
  constexpr unsigned kSeed = 4'711;
  std::mt19937_64 random(kSeed);
  Clocks clocks{kMay};
  Micros last = 0, mark = 0;
  Days month = 0;
  LedgerClock ledger(0, clocks.wall, clocks.steady);
  for (int i = 0; i < 200'000; ++i) {
    clocks.Pass(static_cast<Micros>(random() % kMinute));
    if (random() % 100 == 0) clocks.wall += static_cast<Micros>(random() % (80 * kDay)) - 40 * kDay;
    if (random() % 50 == 0) ledger.Confirm();
    const Instant now = ledger.Tick(clocks.wall, clocks.steady);
    ASSERT_GT(now.ledger, last) << "seed " << kSeed << " step " << i;
    ASSERT_GE(now.month, month) << "seed " << kSeed << " step " << i;
    ASSERT_LE(now.month, MonthOf(now.ledger));
    last = now.ledger;
    month = now.month;
    if (random() % 200 == 0) mark = last;
    if (random() % 500 == 0) {  // a crash: what came after the mark is forgotten, and was told to nobody
      ledger = LedgerClock(mark, clocks.wall, clocks.steady);
      ASSERT_GT(ledger.last(), mark);
      last = mark;
      month = MonthOf(mark);
    }
  }
}

}  // namespace
}  // namespace reeve::domain
