#include "domain/rate_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace reeve::domain {
namespace {

constexpr int64_t kNs = 1'000'000'000;
constexpr int64_t kStart = 77 * kNs + 3;  // any

TEST(BuiltInRates, AreThePublishedOnes) {
  const RateBook book = BuiltInRates();
  const auto per = [&](const char* plan) { return std::pair(book.Find(plan).minute.requests, book.Find(plan).hour.requests); };
  EXPECT_EQ(per("starter"), std::pair(int64_t{100}, int64_t{5'000}));
  EXPECT_EQ(per("professional"), std::pair(int64_t{300}, int64_t{20'000}));
  EXPECT_EQ(per("enterprise"), std::pair(int64_t{1'000}, int64_t{100'000}));
  EXPECT_EQ(per("no such plan"), per("professional"));
  EXPECT_EQ(book.Find("starter").minute.period, 60 * kSecond);
  EXPECT_EQ(book.Find("starter").hour.period, kHour);
}

TEST(Gcra, AQuietKeyMaySendTheWholeLimitAtOnceAndNotOneMore) {
  for (const int64_t limit : {1, 2, 3, 7, 100, 300, 999, 1'000, 100'000}) {
    const Gcra gcra({limit, 60 * kSecond});
    Arrival state = 0;
    for (int64_t i = 0; i < limit; ++i) {
      EXPECT_EQ(gcra.Remaining(state, kStart), limit - i);
      const Gcra::Step step = gcra.Try(state, kStart, 1);
      ASSERT_TRUE(step.allowed) << limit << " " << i;
      state = step.next;
    }
    EXPECT_EQ(gcra.Remaining(state, kStart), 0);
    EXPECT_FALSE(gcra.Try(state, kStart, 1).allowed) << limit;
  }
}

TEST(Gcra, TheWaitIsExactToTheNanosecond) {
  for (const int64_t limit : {1, 7, 300, 1'000}) {
    const Gcra gcra({limit, 60 * kSecond});
    Arrival state = gcra.Try(0, kStart, limit).next;
    for (int i = 0; i < 20; ++i) {
      const int64_t now = kStart + i * gcra.interval_ns();
      const Gcra::Step refused = gcra.Try(state, now, 1);
      ASSERT_FALSE(refused.allowed);
      EXPECT_EQ(refused.next, state) << "a refusal costs nothing";
      EXPECT_EQ(refused.wait_ns, gcra.interval_ns());
      EXPECT_FALSE(gcra.Try(state, now + refused.wait_ns - 1, 1).allowed);
      const Gcra::Step allowed = gcra.Try(state, now + refused.wait_ns, 1);
      ASSERT_TRUE(allowed.allowed);
      state = allowed.next;
    }
  }
}

TEST(Gcra, WhatRemainsIsTheWholeRequestsThatWouldBeLetIn) {
  constexpr unsigned kSeed = 99;
  std::mt19937_64 random(kSeed);
  for (const int64_t limit : {int64_t{1}, int64_t{3}, int64_t{7}, int64_t{299}, int64_t{100'000}, kRateMax}) {
    for (const Micros period : {kSecond, 60 * kSecond, kHour, kDay}) {
      const Gcra gcra({limit, period});
      const int64_t window = gcra.interval_ns() * limit;
      for (int i = 0; i < 2'000; ++i) {
        int64_t taken = static_cast<int64_t>(random() % static_cast<uint64_t>(window + 1));
        if (i % 2 == 0) taken = std::clamp<int64_t>(taken / gcra.interval_ns() * gcra.interval_ns() + i % 3 - 1, 0, window);  // around whole requests
        ASSERT_EQ(gcra.Remaining(kStart + taken, kStart), (window - taken) / gcra.interval_ns()) << "seed " << kSeed << " limit " << limit << " taken " << taken;
      }
    }
  }
}

TEST(Gcra, ALimitOfZeroLetsNothingInAndSaysThatWaitingIsUseless) {
  const Gcra none({0, kHour});
  EXPECT_FALSE(none.Try(0, kStart, 1).allowed);
  EXPECT_EQ(none.Try(0, kStart, 1).wait_ns, -1);
  EXPECT_EQ(none.Remaining(0, kStart), 0);
  const Gcra three({3, kHour});
  EXPECT_EQ(three.Try(0, kStart, 4).wait_ns, -1) << "it costs more than there ever is";
  EXPECT_TRUE(three.Try(0, kStart, 3).allowed);
}

// The definition, kept in exact fractions: a bucket of `limit` tokens in units of 1 / period, filled by `limit` each period.
struct Bucket {
  int64_t limit, period_ns;
  __extension__ using Wide = __int128;
  Wide level;      // tokens × period
  int64_t at;
  bool Try(int64_t now, int64_t cost) {
    level = std::min<Wide>(Wide{limit} * period_ns, level + Wide{now - at} * limit);
    at = now;
    if (level < Wide{cost} * period_ns) return false;
    level -= Wide{cost} * period_ns;
    return true;
  }
};

// Where the interval is a whole number of nanoseconds the two agree always; elsewhere GCRA is never the more generous one.
TEST(Gcra, EqualsATokenBucketInExactFractions) {
  constexpr unsigned kSeed = 20'261'125;
  std::mt19937_64 random(kSeed);
  int allowed_both = 0, refused_both = 0;
  for (const int64_t limit : {1, 3, 7, 100, 300, 1'000, 5'000, 5'003}) {
    const RateLimit rate{limit, 60 * kSecond};
    const Gcra gcra(rate);
    const bool whole = 60 * kNs % limit == 0;
    Bucket bucket{limit, 60 * kNs, Bucket::Wide{limit} * 60 * kNs, kStart};
    Arrival state = 0;
    int64_t now = kStart;
    for (int i = 0; i < 20'000; ++i) {
      now += static_cast<int64_t>(random() % static_cast<uint64_t>(2 * gcra.interval_ns()));
      const int64_t cost = random() % 50 == 0 ? std::min<int64_t>(limit, 3) : 1;
      const Gcra::Step step = gcra.Try(state, now, cost);
      Bucket trial = bucket;
      const bool model = trial.Try(now, cost);
      if (whole) {
        ASSERT_EQ(step.allowed, model) << "seed " << kSeed << " limit " << limit << " step " << i;
      } else {
        ASSERT_TRUE(model || !step.allowed) << "seed " << kSeed << " limit " << limit << " step " << i;
      }
      (step.allowed ? allowed_both : refused_both) += 1;
      if (step.allowed) bucket = trial;
      state = step.next;
    }
  }
  EXPECT_GT(allowed_both, 1'000);
  EXPECT_GT(refused_both, 1'000);
}

TEST(Gcra, InAnySinglePeriodAtMostTwiceTheLimitMinusOneComeIn) {
  constexpr int64_t kLimit = 50;
  const Gcra gcra({kLimit, 60 * kSecond});
  std::deque<int64_t> times;
  Arrival state = 0;
  size_t most = 0;
  for (int64_t now = kStart; now < kStart + 600 * kNs; now += kNs / 10) {
    if (const Gcra::Step step = gcra.Try(state, now, 1); step.allowed) {
      state = step.next;
      times.push_back(now);
    }
    while (!times.empty() && times.front() <= now - 60 * kNs) times.pop_front();
    most = std::max(most, times.size());
  }
  EXPECT_LE(most, static_cast<size_t>(2 * kLimit - 1));
  EXPECT_EQ(times.size(), static_cast<size_t>(kLimit)) << "in the long run, the limit";
}

}  // namespace
}  // namespace reeve::domain
