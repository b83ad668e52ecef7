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

TEST(PendingRunsTest, ASetThatIsFullHoldsEverythingUntilItHasPlacesAgain) {
  PendingRuns runs;
  for (uint64_t run = 1; run <= 20; ++run) runs.Note(run, run, 0);
  for (uint64_t run = 1; run <= 21; ++run) EXPECT_TRUE(runs.MayHold(run, 19)) << run;
  EXPECT_FALSE(runs.MayHold(20, 20));
  runs.Note(30, 21, 20);
  EXPECT_TRUE(runs.MayHold(30, 20));
  EXPECT_FALSE(runs.MayHold(31, 20));
}

// Against the plain set of what is pending: never too little, and too much hardly ever.
TEST(PendingRunsTest, NothingThatIsPendingIsEverMissed) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  PendingRuns runs;
  std::deque<std::pair<uint64_t, uint64_t>> pending;  // hash, number
  uint64_t released = 0, wrong = 0;
  for (uint64_t number = 1; number <= 2'000; ++number) {
    for (int i = 0; i < 30; ++i) {
      const uint64_t hash = random() % 8 == 0 && !pending.empty() ? pending[random() % pending.size()].first : random();
      runs.Note(hash, number, released);
      pending.emplace_back(hash, number);
    }
    while (pending.size() > 35'000) released = pending.front().second, pending.pop_front();
    while (!pending.empty() && pending.front().second <= released) pending.pop_front();
    if (pending.empty()) continue;
    ASSERT_TRUE(runs.MayHold(pending[random() % pending.size()].first, released));
    wrong += runs.MayHold(random(), released);
  }
  EXPECT_LT(wrong, 40u) << "of 2,000";
}

}  // namespace
}  // namespace reeve::store
