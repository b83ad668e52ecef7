#include "env/processors.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace reeve {
namespace {

TEST(Processors, OneThatIsConfinedToOneMayUseOne) {
  EXPECT_GE(UsableProcessors(), 1);
  int confined = 0;
  std::thread([&confined] {
    cpu_set_t all, one;
    CPU_ZERO(&one);
    ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    confined = UsableProcessors();
  }).join();
  EXPECT_EQ(confined, 1);
}

}  // namespace
}  // namespace reeve
