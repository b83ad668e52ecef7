#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace reeve::crypto {
namespace {

TEST(Sha256, AgreesWithThePublishedVectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesHashLikeTheWholeAndFinishStartsAnew) {
  Sha256 hash;
  for (int round = 0; round < 2; ++round) {
    hash.Update("a");
    hash.Update("");
    hash.Update("bc");
    EXPECT_EQ(hash.Finish(), Sha256Of("abc"));
  }
  EXPECT_EQ(hash.Finish(), Sha256Of(""));
}

TEST(Sha256, DigestIsTheSameBytesAndComparesAsAWhole) {
  const Digest digest = Sha256Digest("abc");
  EXPECT_EQ(std::string(digest.begin(), digest.end()), Sha256Of("abc"));
  EXPECT_TRUE(EqualInConstantTime(digest, Sha256Digest("abc")));
  for (size_t i = 0; i < digest.size(); ++i) {
    Digest other = digest;
    other[i] ^= 1;
    EXPECT_FALSE(EqualInConstantTime(digest, other)) << i;
  }
}

TEST(DeterministicId, DependsOnKindAndOnWhereThePartsEnd) {
  const std::string id = DeterministicId("cust_", "customer", {"acme"});
  EXPECT_EQ(id, "cust_" + Sha256Hex(std::string("reeve/customer/v1\0acme", 22)).substr(0, 24));
  EXPECT_NE(id, DeterministicId("cust_", "subscription", {"acme"}));
  EXPECT_NE(DeterministicId("", "k", {"ab", "c"}), DeterministicId("", "k", {"a", "bc"}));
}

}  // namespace
}  // namespace reeve::crypto
