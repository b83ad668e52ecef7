#include "env/thread_rank.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

namespace reeve {
namespace {

int RankOfThisThread() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

TEST(ThreadRank, OneThreadGivesWayAndTheOthersDoNot) {
  const int before = RankOfThisThread();
  int inside = 0;
  std::thread([&inside] {
    GiveWayToOtherThreads();
    inside = RankOfThisThread();
  }).join();
  EXPECT_GE(inside, 10);
  EXPECT_EQ(RankOfThisThread(), before);
}

}  // namespace
}  // namespace reeve
