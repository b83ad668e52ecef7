#include "legacy/bigquery/spool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/fakes/faulty_files.h"

namespace reeve::legacy {
namespace {

using Lines = std::vector<std::string>;

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + "reeve_spool_test_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override {
    EXPECT_TRUE(std::filesystem::is_empty(dir_)) << "a spool file has kept its name";
    std::filesystem::remove_all(dir_);
  }
  SpoolDirectory Open(Files& files) { return SpoolDirectory(files, *entropy_, dir_); }

  static Lines ReadAll(SpoolReader* reader) {
    Lines lines;
    for (std::string line;;) {
      const auto more = reader->Next(&line);
      EXPECT_TRUE(more) << more.error().message;
      if (!more || !*more) return lines;
      lines.push_back(line);
    }
  }

  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  const std::unique_ptr<Entropy> entropy_ = MakeSeededEntropy(1);
  std::string dir_;
};

TEST_F(SpoolTest, RowsOfManyTablesInAnyOrderLeaveTableByTableInOrder) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  SpoolDirectory spool = Open(*files_);
  const auto file = spool.Create().value();
  constexpr size_t kTables = 7;
  SpoolWriter writer(*file, kTables, 2'000);  // many runs
  std::vector<Lines> expected(kTables);
  for (int i = 0; i < 3'000; ++i) {
    const size_t table = random() % kTables;
    std::string line(random() % 60, static_cast<char>('a' + random() % 26));
    line += std::to_string(random() % 1000);
    expected[table].push_back(line);
    ASSERT_TRUE(writer.Add(table, line));
  }
  const auto runs = writer.Finish().value();
  for (size_t table = 0; table < kTables; ++table) {
    std::sort(expected[table].begin(), expected[table].end());
    EXPECT_GT(runs[table].size(), 3U);
    SpoolReader reader(file, runs[table]);
    EXPECT_EQ(ReadAll(&reader), expected[table]);
  }
}

TEST_F(SpoolTest, LinesLongerThanAnyBufferAreWhole) {
  SpoolDirectory spool = Open(*files_);
  const auto file = spool.Create().value();
  SpoolWriter writer(*file, 1, 1'000);
  const Lines lines = {std::string(3'000'000, 'b'), "", std::string(20'000'000, 'a'), "c"};
  for (const std::string& line : lines) ASSERT_TRUE(writer.Add(0, line));
  const auto runs = writer.Finish().value();
  SpoolReader reader(file, runs[0]);
  Lines expected = lines;
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(ReadAll(&reader), expected);
}

TEST_F(SpoolTest, ATableWithoutRowsHasNone) {
  SpoolDirectory spool = Open(*files_);
  const auto file = spool.Create().value();
  SpoolWriter writer(*file, 2);
  ASSERT_TRUE(writer.Add(1, "x"));
  const auto runs = writer.Finish().value();
  SpoolReader none(file, runs[0]);
  EXPECT_EQ(ReadAll(&none), Lines{});
  SpoolReader nothing(nullptr, {});
  EXPECT_EQ(ReadAll(&nothing), Lines{});
}

TEST_F(SpoolTest, TheDirectoryKnowsWhatItsFilesTakeUntilTheLastReaderGoes) {
  SpoolDirectory spool = Open(*files_);
  auto file = spool.Create().value();
  SpoolWriter writer(*file, 1);
  ASSERT_TRUE(writer.Add(0, "12345678"));
  const auto runs = writer.Finish().value();
  EXPECT_EQ(spool.bytes(), 12U);
  auto reader = std::make_unique<SpoolReader>(file, runs[0]);
  file.reset();
  EXPECT_EQ(spool.bytes(), 12U);
  EXPECT_EQ(ReadAll(reader.get()), Lines{"12345678"});
  reader.reset();
  EXPECT_EQ(spool.bytes(), 0U);
}

TEST_F(SpoolTest, AFullDiskIsAnErrorThatNamesTheDirectory) {
  testing::FaultyFiles faulty(files_.get());
  SpoolDirectory spool = Open(faulty);
  const auto file = spool.Create().value();
  SpoolWriter writer(*file, 1);
  ASSERT_TRUE(writer.Add(0, "x"));
  faulty.FailAt(1, testing::Fault::kNoSpace);
  const auto runs = writer.Finish();
  ASSERT_FALSE(runs);
  EXPECT_NE(runs.error().message.find("reeve-spool-"), std::string::npos) << runs.error().message;
}

}  // namespace
}  // namespace reeve::legacy
