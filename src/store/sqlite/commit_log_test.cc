#include "store/sqlite/commit_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/conformance/central_sink_world.h"
#include "tests/fakes/faulty_files.h"

namespace reeve::store {
namespace {

using testing::Fault;
using Records = std::map<uint64_t, std::string>;

constexpr std::string_view kStore = "0123456789abcdef";
constexpr uint64_t kBytes = 900;  // a file: six records of 128 bytes

class CommitLogTest : public ::testing::Test {
 protected:
  std::string File(size_t i) const { return fmt::format("{}.commits-{}", path_, i); }
  static std::string Record(uint64_t number) { return fmt::format("{:0112}", number); }
  // Appends numbers behind those that are there; `released` of them are in the tables.
  void Fill(CommitLog* log, uint64_t upto) {
    while (log->last() < upto) {
      const std::string record = Record(log->last() + 1);
      if (log->Needs(record.size()) > log->released()) log->Release(log->Needs(record.size()));
      ASSERT_TRUE(log->Append(record));
    }
  }
  Result<Records> Read(uint64_t applied, std::string_view store = kStore) {
    Records records;
    REEVE_TRY(ReadCommitLog(*files_, path_, store, applied, [&](uint64_t number, std::string_view record) -> Result<> {
      records.emplace(number, record);
      return {};
    }));
    return records;
  }
  static Records Numbers(uint64_t first, uint64_t last) {
    Records records;
    for (uint64_t number = first; number <= last; ++number) records.emplace(number, Record(number));
    return records;
  }
  void Change(size_t file, uint64_t at, const std::string& bytes) {
    std::fstream stream(File(file), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(at));
    stream << bytes;
    ASSERT_TRUE(stream.good());
  }

  TempDir dir_;
  const std::string path_ = dir_.File("store.db");
  std::unique_ptr<Files> files_ = MakeSystemFiles();
};

TEST_F(CommitLogTest, WhatWasAppendedIsReadInItsOrder) {
  CommitLog log(*files_, path_, kStore, 0, kBytes);
  Fill(&log, 20);
  const auto read = Read(log.released());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Numbers(log.released() + 1, 20));
}

TEST_F(CommitLogTest, NothingIsWrittenOverThatIsNotInTheTables) {
  CommitLog log(*files_, path_, kStore, 0, kBytes);
  while (log.Needs(Record(1).size()) == 0) ASSERT_TRUE(log.Append(Record(log.last() + 1)));
  EXPECT_EQ(log.last(), 6 * kCommitSegments) << "all files are full";
  EXPECT_EQ(log.Needs(Record(1).size()), 6u) << "the oldest one is needed next";
  EXPECT_EQ(*Read(0), Numbers(1, log.last()));
  log.Release(6);
  ASSERT_TRUE(log.Append(Record(log.last() + 1)));
  EXPECT_EQ(*Read(6), Numbers(7, 6 * kCommitSegments + 1));
}

TEST_F(CommitLogTest, TheFilesKeepTheirSizeHoweverLongItGoesOn) {
  CommitLog log(*files_, path_, kStore, 0, kBytes);
  Fill(&log, 1'000);
  for (size_t i = 0; i < kCommitSegments; ++i) EXPECT_EQ(std::filesystem::file_size(File(i)), kBytes);
  EXPECT_EQ(*Read(log.released()), Numbers(log.released() + 1, 1'000));
  EXPECT_FALSE(log.Fits(kBytes));
}

TEST_F(CommitLogTest, ItGoesOnBehindWhatIsInTheTables) {
  {
    CommitLog log(*files_, path_, kStore, 0, kBytes);
    Fill(&log, 10);
  }
  CommitLog log(*files_, path_, kStore, 10, kBytes);  // all of them are in the tables; the files still have them
  Fill(&log, 12);
  EXPECT_EQ(*Read(10), Numbers(11, 12));
  ASSERT_TRUE(RemoveCommitLog(*files_, path_));
  EXPECT_FALSE(HasCommitLog(*files_, path_));
  EXPECT_EQ(*Read(12), Records());
}

// A process may end at any byte of an append: what was acknowledged before is there, the record itself as a whole or not at all.
TEST_F(CommitLogTest, CutAtEveryByteOfTheLastRecordTheOthersAreThere) {
  for (const uint64_t last : {3u, 7u, 13u, 31u}) {  // in the middle of a file, its first, and first of a file that is written over
    CommitLog log(*files_, path_, kStore, 0, kBytes);
    Fill(&log, last - 1);
    Records before = *Read(log.released());
    std::vector<std::string> kept;
    for (size_t i = 0; i < kCommitSegments; ++i) kept.push_back(files_->Exists(File(i)) ? files_->Read(File(i), kBytes).value() : std::string(kBytes, '\0'));
    Fill(&log, last);
    for (size_t i = 0; i < kCommitSegments; ++i) {
      if (!files_->Exists(File(i))) continue;
      const std::string after = files_->Read(File(i), kBytes).value();
      if (after == kept[i]) continue;
      for (uint64_t cut = 0; cut < kBytes; ++cut) {
        Change(i, 0, after.substr(0, cut) + kept[i].substr(cut));
        const auto read = Read(log.released());
        ASSERT_TRUE(read) << "byte " << cut << ": " << read.error().message;
        Records expected = before;
        std::erase_if(expected, [&](const auto& record) { return record.first <= log.released(); });
        if (read->count(last) != 0) expected.emplace(last, Record(last));
        ASSERT_EQ(*read, expected) << "byte " << cut;
      }
    }
    ASSERT_TRUE(RemoveCommitLog(*files_, path_));
  }
}

TEST_F(CommitLogTest, DamageWithAcknowledgedRecordsBehindItIsNoEnd) {
  CommitLog log(*files_, path_, kStore, 0, kBytes);
  Fill(&log, 9);
  const std::string first = files_->Read(File(0), kBytes).value();
  for (const uint64_t at : {40u, 60u, 300u}) {
    Change(0, at, std::string(1, static_cast<char>(first[at] ^ 1)));
    const auto read = Read(0);
    ASSERT_FALSE(read) << at;
    EXPECT_EQ(read.error().code, Code::kCorrupt);
    EXPECT_NE(read.error().message.find(File(0)), std::string::npos) << read.error().message;
    EXPECT_FALSE(read.error().hint.empty());
    Change(0, at, first.substr(at, 1));
  }
  EXPECT_EQ(*Read(0), Numbers(1, 9));
  Change(0, 700, std::string(200, 'x'));  // the last record of the file: only the next file tells
  EXPECT_EQ(Read(0).error().code, Code::kCorrupt);
}

TEST_F(CommitLogTest, FilesOfAnotherStoreAreRefused) {
  CommitLog log(*files_, path_, kStore, 0, kBytes);
  Fill(&log, 2);
  EXPECT_EQ(Read(0, "fedcba9876543210").error().code, Code::kCorrupt);
  EXPECT_EQ(Read(0).value(), Numbers(1, 2));
}

TEST_F(CommitLogTest, AnOlderStoreThatWasPutBackMissesNumbersAndSaysSo) {
  CommitLog log(*files_, path_, kStore, 0, kBytes);
  Fill(&log, 40);
  const auto read = Read(3);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("missing"), std::string::npos) << read.error().message;
}

TEST_F(CommitLogTest, AnAppendThatFailsIsAnErrorAndWhatWasBeforeIsThere) {
  for (const Fault fault : {Fault::kNoSpace, Fault::kIo, Fault::kTorn}) {
    for (const uint64_t call : {1u, 2u}) {  // the write, the sync
      testing::FaultyFiles faulty(files_.get());
      CommitLog log(faulty, path_, kStore, 0, kBytes);
      Fill(&log, 4);
      faulty.FailAt(call, fault);
      EXPECT_FALSE(log.Append(Record(5)));
      Records read = *Read(0);
      read.erase(5);  // there or not
      EXPECT_EQ(read, Numbers(1, 4));
      ASSERT_TRUE(RemoveCommitLog(*files_, path_));
    }
  }
}

}  // namespace
}  // namespace reeve::store
