#include "store/bigquery/dataset_lock.h"

#include "tests/conformance/bigquery_dataset.h"

namespace reeve::store {
namespace {

class DatasetLockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (SharedFake() == nullptr) GTEST_SKIP() << "no python3";
    world_ = std::make_unique<TestDataset>(*SharedFake());
    world_->server().MakeDataset(world_->options().dataset, "EU");
    name_ = {world_->options().project, world_->options().dataset};
  }

  Result<std::unique_ptr<DatasetLock>> Take(const std::string& holder, const std::string& seat = "") {
    return DatasetLock::Take(world_->client(), world_->clock(), world_->entropy(), name_, holder, seat);
  }

  std::unique_ptr<TestDataset> world_;
  DatasetName name_;
};

TEST(LockNote, ReadsBackAsWritten) {
  const LockNote note{"aa", "reeve migrate, pid 17\non host", "bb", 1'760'000'000 * kSecond, "reeve-aa-1-script", "aa-1 12 customers"};
  const auto read = ParseLockNote(FormatLockNote(note));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->token, "aa");
  EXPECT_EQ(read->holder, "reeve migrate, pid 17 on host");
  EXPECT_EQ(read->seat, "bb");
  EXPECT_EQ(read->until, note.until);
  EXPECT_EQ(read->job, note.job);
  EXPECT_EQ(read->script, note.script);
  EXPECT_TRUE(ParseLockNote("reeve lock 1\ntoken: a\nholder: b\nseat:\nuntil: 2026-01-01T00:00:00Z\njob:\nscript:")) << "an engine may trim it";
  for (const char* other : {"", "somebody's table", "reeve lock 2\ntoken: a\n", "reeve lock 1\ntoken: a\nholder: b\nseat: c\nuntil: soon\njob: \nscript: \n"})
    EXPECT_FALSE(ParseLockNote(other)) << other;
}

TEST_F(DatasetLockTest, OneHasItAndTheOtherIsToldWho) {
  auto first = Take("reeve migrate, pid 17");
  ASSERT_TRUE(first) << first.error().message;
  const auto second = Take("reeve verify, pid 18");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked);
  EXPECT_NE(second.error().message.find("reeve migrate, pid 17"), std::string::npos) << second.error().message;
  first->reset();
  EXPECT_TRUE(Take("reeve verify, pid 18"));
  EXPECT_TRUE(world_->Tables().empty()) << "given up, it leaves nothing";
}

TEST_F(DatasetLockTest, ALockWhoseTimeIsOverIsTakenOver) {
  auto dead = Take("reeve migrate, pid 17");
  ASSERT_TRUE((*dead)->Announce("job-1", "staging customers"));
  world_->clock().Advance(kLease - kSecond);
  EXPECT_EQ(Take("x").error().code, Code::kLocked);
  world_->clock().Advance(kClockSkew + 2 * kSecond);
  auto next = Take("reeve migrate, pid 18");
  ASSERT_TRUE(next) << next.error().message;
  const auto left = (*next)->TakeLeft();
  ASSERT_TRUE(left);
  EXPECT_EQ(left->job, "job-1");
  EXPECT_EQ(left->script, "staging customers");
  EXPECT_FALSE((*next)->TakeLeft()) << "it is told once";

  const auto announced = (*dead)->Announce("job-2", "");
  ASSERT_FALSE(announced) << "who was taken for dead must not write any more";
  EXPECT_EQ(announced.error().code, Code::kLocked);
  dead->reset();
  EXPECT_EQ(Take("x").error().code, Code::kLocked) << "nor give up what is another's";
}

TEST_F(DatasetLockTest, ALockOfTheSameSeatIsOneOfTheDead) {
  auto dead = Take("reeve migrate, pid 17", "5ea7");
  ASSERT_TRUE(dead);
  EXPECT_EQ(Take("elsewhere", "07e4").error().code, Code::kLocked);
  EXPECT_EQ(Take("without a seat").error().code, Code::kLocked);
  EXPECT_TRUE(Take("reeve migrate, pid 18", "5ea7"));
}

TEST_F(DatasetLockTest, AHolderThatSleptTooLongTakesItAgainAndKnowsIt) {
  auto lock = Take("reeve migrate, pid 17");
  ASSERT_TRUE(lock);
  EXPECT_EQ((*lock)->Renew().value(), DatasetLock::Held::kStill);
  world_->clock().Advance(kLease / 2);
  EXPECT_EQ((*lock)->Renew().value(), DatasetLock::Held::kStill);
  world_->clock().Advance(kLease + kClockSkew + kSecond);
  {
    auto other = Take("reeve mirror, pid 19");
    ASSERT_TRUE(other) << other.error().message;
    EXPECT_EQ((*lock)->Renew().error().code, Code::kLocked);
  }
  EXPECT_EQ((*lock)->Renew().value(), DatasetLock::Held::kAgain) << "another may have written in between";
  EXPECT_EQ((*lock)->Renew().value(), DatasetLock::Held::kStill);
}

TEST_F(DatasetLockTest, AfterALongJobItIsLookedWhetherTheLockIsOursStill) {
  auto lock = Take("reeve migrate, pid 17");
  ASSERT_TRUE((*lock)->Announce("job-1", ""));
  EXPECT_TRUE((*lock)->Check());
  world_->clock().Advance(kLease + kClockSkew + kSecond);
  EXPECT_TRUE((*lock)->Check()) << "nobody took it";
  auto other = Take("reeve migrate, pid 18");
  ASSERT_TRUE(other);
  EXPECT_EQ((*lock)->Check().error().code, Code::kLocked);
}

TEST_F(DatasetLockTest, ATableOfThatNameThatIsNoLockIsLeftAlone) {
  world_->server().MakeTable(world_->options().dataset, kLockTable, R"([{"name":"a","type":"STRING"}])");
  const auto lock = Take("reeve migrate, pid 17");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, Code::kLocked);
  EXPECT_EQ(world_->Tables(), (std::vector<std::string>{"reeve_lock"}));
}

}  // namespace
}  // namespace reeve::store
