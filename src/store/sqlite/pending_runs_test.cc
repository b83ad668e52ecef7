#include "store/sqlite/pending_runs.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace reeve::store {
namespace {

TEST(PendingRunsTest, ARunIsHeldUntilItsGroupIsReleased) {
  PendingRuns runs;
  EXPECT_FALSE(runs.MayHold(7, 0));
  runs.Note(7, 1, 0);
  runs.Note(7, 3, 0);
  EXPECT_TRUE(runs.MayHold(7, 0));
  EXPECT_TRUE(runs.MayHold(7, 2)) << "the newer group is not released";
  EXPECT_FALSE(runs.MayHold(7, 3));
  EXPECT_FALSE(runs.MayHold(8, 0)) << "of the same set, and another run";
}

TEST(PendingRunsTest, WhatFindsNoPlaceInItsSetIsHeldAllTheSame) {
  PendingRuns runs;
  for (uint64_t run = 1; run <= 20; ++run) runs.Note(run, run, 0);
  for (uint64_t run = 1; run <= 20; ++run) EXPECT_TRUE(runs.MayHold(run, run - 1)) << run;
  for (uint64_t run = 1; run <= 20; ++run) EXPECT_FALSE(runs.MayHold(run, run)) << run;
  EXPECT_FALSE(runs.MayHold(21, 0)) << "of the same set, and another run";
  runs.Note(30, 21, 20);
  EXPECT_TRUE(runs.MayHold(30, 20));
}

// Against the plain set of what is pending. To hold what is not there would make everybody wait for the tables.
TEST(PendingRunsTest, ExactlyWhatIsPendingIsHeld) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  PendingRuns runs;
  std::deque<std::pair<uint64_t, uint64_t>> pending;  // hash, number
  uint64_t released = 0;
  for (uint64_t number = 1; number <= 2'000; ++number) {
    for (int i = 0; i < 30; ++i) {
      const uint64_t hash = random() % 8 == 0 && !pending.empty() ? pending[random() % pending.size()].first : random();
      runs.Note(hash, number, released);
      pending.emplace_back(hash, number);
    }
    while (pending.size() > 50'000) released = pending.front().second, pending.pop_front();
    while (!pending.empty() && pending.front().second <= released) pending.pop_front();
    if (pending.empty()) continue;
    ASSERT_TRUE(runs.MayHold(pending[random() % pending.size()].first, released));
    for (int i = 0; i < 100; ++i) ASSERT_FALSE(runs.MayHold(random(), released));
  }
}

}  // namespace
}  // namespace reeve::store
