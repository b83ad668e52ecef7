#include "gate/key_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "gate/key_holder.h"

namespace reeve::gate {
namespace {

constexpr Micros kStart = 7 * kSecond, kNoon = 1'794'744'000 * kSecond;

store::ServedKey Key(const std::string& text, std::string_view id, std::string_view scopes = R"(["a:b"])") {
  store::ServedKey key;
  key.digest = crypto::Sha256Digest(text);
  key.api_key_id = id;
  key.customer_id = "c";
  key.is_active = true;
  key.scopes = scopes;
  return key;
}

std::unique_ptr<KeyIndex> IndexOf(int keys) {
  KeyIndex::Builder builder(kStart);
  for (int i = 0; i < keys; ++i) EXPECT_TRUE(builder.Add(Key(std::to_string(i), "id" + std::to_string(i)), static_cast<uint32_t>(i / 10)));
  return std::move(builder.Build().value());
}

TEST(KeyIndex, FindsEveryKeyAndNoOther) {
  for (const int keys : {0, 1, 2, 15, 16, 17, 1'000, 70'000}) {
    const std::unique_ptr<KeyIndex> index = IndexOf(keys);
    ASSERT_EQ(index->size(), static_cast<uint32_t>(keys));
    for (int i = 0; i < keys; ++i) {
      const uint32_t key = index->Find(crypto::Sha256Digest(std::to_string(i)));
      ASSERT_EQ(key, static_cast<uint32_t>(i));
      ASSERT_EQ(index->IdOf(key), "id" + std::to_string(i));
      ASSERT_EQ(index->At(key).customer, static_cast<uint32_t>(i / 10));
    }
    for (int i = keys; i < keys + 1'000; ++i) ASSERT_EQ(index->Find(crypto::Sha256Digest(std::to_string(i))), kNoKey);
  }
}

// Digests that agree where positions and tags come from differ somewhere else.
TEST(KeyIndex, TellsDigestsApartThatAgreeInTheirFirstBytes) {
  KeyIndex::Builder builder(kStart);
  store::ServedKey key = Key("x", "first");
  ASSERT_TRUE(builder.Add(key, 0));
  key.digest[31] ^= 1;
  key.api_key_id = "second";
  ASSERT_TRUE(builder.Add(key, 1));
  const std::unique_ptr<KeyIndex> index = std::move(builder.Build().value());
  EXPECT_EQ(index->IdOf(index->Find(key.digest)), "second");
  key.digest[31] ^= 3;
  EXPECT_EQ(index->Find(key.digest), kNoKey);
}

TEST(KeyIndex, ADigestThatComesTwiceIsDamage) {
  KeyIndex::Builder builder(kStart);
  ASSERT_TRUE(builder.Add(Key("x", "one"), 0));
  ASSERT_TRUE(builder.Add(Key("x", "two"), 1));
  EXPECT_EQ(builder.Build().error().code, Code::kCorrupt);
}

TEST(KeyIndex, KeepsWhatWasStored) {
  KeyIndex::Builder builder(kStart);
  store::ServedKey revoked = Key("revoked", "r", "");
  revoked.revoked_at = 5;
  store::ServedKey inactive = Key("inactive", "", R"(["b:c","a:b","odd one","b:*"])");
  inactive.is_active = false;
  store::ServedKey expiring = Key("expiring", "e");
  expiring.expires_at = kNoon;
  for (const store::ServedKey* key : {&revoked, &inactive, &expiring}) ASSERT_TRUE(builder.Add(*key, 1));
  EXPECT_EQ(builder.Add(Key("bad", "bad", "{}"), 1).error().code, Code::kCorrupt);
  const std::unique_ptr<KeyIndex> index = std::move(builder.Build().value());
  const auto at = [&](const store::ServedKey& key) -> const KeyIndex::Entry& { return index->At(index->Find(key.digest)); };
  EXPECT_TRUE(at(revoked).standing & KeyIndex::kRevoked);
  EXPECT_TRUE(index->ScopesOf(at(revoked)).scopes.empty());
  EXPECT_TRUE(at(inactive).standing & KeyIndex::kRevoked);
  EXPECT_EQ(index->IdOf(index->Find(inactive.digest)), "");
  EXPECT_EQ(index->ScopesOf(at(inactive)).text, "b:c a:b b:*");
  EXPECT_TRUE(index->ScopesOf(at(inactive)).Covers("b:x"));
  EXPECT_TRUE(index->ScopesOf(at(inactive)).Covers("odd one"));
  EXPECT_FALSE(index->ScopesOf(at(inactive)).Covers("c:d"));
  for (const Micros away : {Micros{1}, kSecond, 5 * kSecond, kDay}) {
    EXPECT_FALSE(index->IsExpired(index->Find(expiring.digest), kNoon - away));
    EXPECT_TRUE(index->IsExpired(index->Find(expiring.digest), kNoon + away - 1));
    EXPECT_FALSE(index->IsExpired(index->Find(revoked.digest), kTimeMax)) << "never";
  }
  EXPECT_FALSE(at(expiring).standing & KeyIndex::kRevoked);
  index->Revoke(index->Find(expiring.digest));
  EXPECT_TRUE(at(expiring).standing & KeyIndex::kRevoked);
}

TEST(KeyIndex, HandsOutEachTouchedKeyOnceWithItsLastUse) {
  const std::unique_ptr<KeyIndex> index = IndexOf(100);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i)
      for (const uint32_t key : {3u, 99u, 0u, 42u}) index->Touch(key, index->GrainOfUse(kStart + round * kSecond + i * KeyIndex::kUseGrain));
    std::vector<uint32_t> touched;
    index->TakeTouched(&touched);
    std::sort(touched.begin(), touched.end());
    EXPECT_EQ(touched, (std::vector<uint32_t>{0, 3, 42, 99}));
    EXPECT_EQ(index->UsedAt(42), kStart + round * kSecond + 4 * KeyIndex::kUseGrain);
    touched.clear();
    index->TakeTouched(&touched);
    EXPECT_TRUE(touched.empty());
  }
}

TEST(KeyIndex, LosesNoTouchOfManyThreads) {
  const std::unique_ptr<KeyIndex> index = IndexOf(64);
  std::atomic<bool> stop{false};
  std::vector<std::thread> users;
  for (int t = 0; t < 3; ++t)
    users.emplace_back([&, t] {
      for (uint32_t i = 0; !stop; ++i) index->Touch((i * 7 + static_cast<uint32_t>(t)) % 64, 64);
    });
  for (int i = 0; i < 2'000; ++i) {
    std::vector<uint32_t> touched;
    index->TakeTouched(&touched);
    ASSERT_EQ(std::set<uint32_t>(touched.begin(), touched.end()).size(), touched.size()) << "twice in one list";
  }
  stop = true;
  for (std::thread& user : users) user.join();
  std::vector<uint32_t> touched;
  index->TakeTouched(&touched);
  for (uint32_t key = 0; key < 64; ++key) index->Touch(key, 128);
  touched.clear();
  index->TakeTouched(&touched);
  EXPECT_EQ(touched.size(), 64u) << "no key is stuck as touched";
}

TEST(KeyIndex, InheritsTheRatesOfTheOneItReplaces) {
  const std::unique_ptr<KeyIndex> old = IndexOf(50);
  old->At(7).minute = 700;
  old->At(7).hour = 7'000;
  KeyIndex::Builder builder(kStart);
  ASSERT_TRUE(builder.Add(Key("new", "n"), 0));
  ASSERT_TRUE(builder.Add(Key("7", "id7"), 0));
  const std::unique_ptr<KeyIndex> index = std::move(builder.Build().value());
  index->InheritRates(*old);
  EXPECT_EQ(index->At(1).minute, 700);
  EXPECT_EQ(index->At(1).hour, 7'000);
  EXPECT_EQ(index->At(0).minute, 0);
}

TEST(KeyIndex, NeedsNoMoreThan128BytesForAKeyWithAnOrdinaryId) {
  KeyIndex::Builder builder(kStart);
  constexpr int kKeys = 100'000;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(builder.Add(Key(std::to_string(i), fmt::format("key_{:024}", i)), 1));
  const std::unique_ptr<KeyIndex> index = std::move(builder.Build().value());
  EXPECT_LE(index->bytes() / kKeys, 128u);
}

TEST(KeyHolder, EveryPinAfterASwapHasTheNewOneAndOldOnesGoWhenNobodyHasThem) {
  KeyHolder holder, other;
  std::shared_ptr<KeyIndex> first = IndexOf(1), second = IndexOf(2);
  const std::weak_ptr<KeyIndex> watched = first;
  holder.Swap(std::move(first));
  other.Swap(IndexOf(3));
  EXPECT_EQ(holder.Pin().size(), 1u);
  EXPECT_EQ(other.Pin().size(), 3u);
  EXPECT_EQ(holder.Pin().size(), 1u);
  std::thread([&] { EXPECT_EQ(holder.Pin().size(), 1u); }).join();
  holder.Swap(second);
  EXPECT_FALSE(watched.expired()) << "this thread has it";
  EXPECT_EQ(holder.Pin().size(), 2u);
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace reeve::gate
