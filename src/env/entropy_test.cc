#include "env/entropy.h"

#include <gtest/gtest.h>

#include <set>

namespace reeve {
namespace {

TEST(Entropy, TheSystemNeverRepeatsItself) {
  const auto entropy = MakeSystemEntropy();
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(entropy->Bytes(16)).second);
  EXPECT_EQ(entropy->Bytes(0), "");
  EXPECT_EQ(entropy->Bytes(1'000'000).size(), 1'000'000U);
}

TEST(Entropy, OneSeedGivesOneSequence) {
  EXPECT_EQ(MakeSeededEntropy(7)->Bytes(100), MakeSeededEntropy(7)->Bytes(100));
  EXPECT_NE(MakeSeededEntropy(7)->Bytes(100), MakeSeededEntropy(8)->Bytes(100));
  const auto entropy = MakeSeededEntropy(7);
  EXPECT_NE(entropy->Bytes(16), entropy->Bytes(16));
}

}  // namespace
}  // namespace reeve
