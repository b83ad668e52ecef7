// The estate as a whole: the same seed gives the same bytes, the counts are right, every shape and every fault occurs.
#include "sample/sample.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/encoding.h"
#include "sample/expect_text.h"
#include "sample/poison.h"
#include "sample/shapes.h"

namespace reeve::sample {
namespace {

namespace fs = std::filesystem;

class Sample : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() /
           ("reeve_sample_" + std::to_string(getpid()) + "_" +
            testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  SampleReport Write(SampleOptions options, const std::string& name = "estate") {
    options.out_dir = (dir_ / name).string();
    const auto report = WriteSample(options, *files_, {});
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(SampleReport());
  }
  std::string Text(const fs::path& path) {
    std::ifstream in(dir_ / path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::vector<std::string> Lines(const fs::path& path) {
    std::vector<std::string> lines;
    std::istringstream in(Text(path));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  // Path below `name` → SHA-256 of the content.
  std::map<std::string, std::string> Digests(const std::string& name) {
    std::map<std::string, std::string> digests;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ / name))
      if (entry.is_regular_file())
        digests[fs::relative(entry.path(), dir_ / name).string()] = Sha256Text(Text(entry.path()));
    return digests;
  }

  fs::path dir_;
  const std::unique_ptr<Files> files_ = MakeSystemFiles();
};

SampleOptions Realistic(uint64_t tenants, double poison) {
  SampleOptions options;
  options.tenants = tenants;
  options.poison_rate = poison;
  return options;
}

uint64_t Of(const Counts& counts, std::string_view name) {
  const auto it = counts.find(name);
  return it == counts.end() ? 0 : it->second;
}

TEST_F(Sample, TheSameSeedGivesTheSameBytes) {
  SampleOptions options = Realistic(60, 0.02);
  options.gzip_some = true;
  Write(options, "a");
  Write(options, "b");
  EXPECT_EQ(Digests("a"), Digests("b"));
  EXPECT_EQ(Digests("a.expected"), Digests("b.expected"));
  options.seed = 2;
  Write(options, "c");
  EXPECT_NE(Digests("a"), Digests("c"));
}

TEST_F(Sample, ADirectoryThatIsNotEmptyIsRefused) {
  fs::create_directories(dir_ / "estate" / "old");
  SampleOptions options = Realistic(1, 0);
  options.out_dir = (dir_ / "estate").string();
  const auto report = WriteSample(options, *files_, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kRefused);
}

TEST_F(Sample, OptionsOutOfRangeAreRefused) {
  for (const auto& [tenants, poison] : {std::pair{uint64_t{0}, 0.0}, {kTenantsMax + 1, 0.0}, {uint64_t{1}, 1.5}}) {
    SampleOptions options = Realistic(tenants, poison);
    options.out_dir = (dir_ / "estate").string();
    const auto report = WriteSample(options, *files_, {});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Code::kUsage);
  }
}

TEST_F(Sample, AStandardTenantHas5Keys2CredentialsAnd60RunsOfTwoRows) {
  SampleOptions options = Realistic(40, 0);
  options.profile = Profile::kStandard;
  const SampleReport report = Write(options);
  EXPECT_EQ(report.tenants, 40U);
  EXPECT_EQ(report.files, 120U);
  EXPECT_EQ(report.rows, 40U * 127);
  EXPECT_EQ(report.rows_by_kind, (Counts{{"credentials", 80}, {"keys", 200}, {"runs", 4800}}));
  EXPECT_EQ(Of(report.expected, "customer_api_keys"), 200U);
  EXPECT_EQ(Of(report.expected, "customer_credentials"), 80U);
  EXPECT_EQ(Lines("estate.expected/customers.json").size(), 40U);
  EXPECT_TRUE(report.dead_letters.empty());
  uint64_t runs = 0;
  for (const std::string& line : Lines("estate.expected/customer_usage.json")) {
    const std::string_view name = R"("pipelines_run_count":")";
    runs += std::stoull(line.substr(line.find(name) + name.size()));
    EXPECT_NE(line.find(R"("pipelines_running_count":"0")"), std::string::npos);
  }
  EXPECT_EQ(runs, 40U * 60);
  const std::vector<std::string> rows = Lines("estate/tenant_000001/x_meta_pipeline_runs-000000000000.json");
  EXPECT_GT(rows.at(1).size(), 300U);
  EXPECT_LT(rows.at(1).size(), 600U);
}

TEST_F(Sample, EveryShapeOccurs) {
  const SampleReport report = Write(Realistic(60, 0));
  for (const KeyShape& shape : KeyShapes()) EXPECT_GT(Of(report.rows_by_shape, shape.name), 0U) << shape.name;
  for (const CredentialShape& shape : CredentialShapes()) EXPECT_GT(Of(report.rows_by_shape, shape.name), 0U) << shape.name;
  for (const RunShape& shape : RunShapes()) EXPECT_GT(Of(report.rows_by_shape, shape.name), 0U) << shape.name;
  EXPECT_GT(Of(report.rows_by_shape, "tenants"), 0U);
  EXPECT_TRUE(report.dead_letters.empty());
  EXPECT_EQ(report.failed_tenants, 0U);
}

TEST_F(Sample, WithoutVariantsOnlyTheGuidesShapesOccur) {
  SampleOptions options = Realistic(40, 0);
  options.all_variants = false;
  const SampleReport report = Write(options);
  std::set<std::string> shapes;
  for (const auto& [shape, rows] : report.rows_by_shape) shapes.insert(shape);
  EXPECT_EQ(shapes, (std::set<std::string>{"A2", "A3", "C0", "C1", "R1", "R2", "R3"}));
  EXPECT_FALSE(fs::exists(dir_ / "estate/metadata/api_keys-000000000000.json"));
}

TEST_F(Sample, EveryReasonOccursAndEveryBrokenRowIsExpectedAsADeadLetter) {
  const SampleReport report = Write(Realistic(200, 0.15));
  for (const std::string_view reason : BreakReasons()) EXPECT_GT(Of(report.dead_letters, reason), 0U) << reason;
  for (const std::string_view reason : {"hash_in_two_tenants", "credential_conflict", "unknown_shape", "row_too_large"})
    EXPECT_GT(Of(report.dead_letters, reason), 0U) << reason;
  uint64_t letters = 0;
  for (const auto& [reason, count] : report.dead_letters) letters += count;
  EXPECT_EQ(Lines("estate.expected/dead_letters.json").size(), letters);
  EXPECT_EQ(report.failed_tenants, 2U);
  EXPECT_EQ(Lines("estate.expected/failed.json").size(), 2U);
  EXPECT_EQ(Lines("estate.expected/customers.json").size(), 198U);
}

TEST_F(Sample, EveryFileOfTheExpectationIsSorted) {
  Write(Realistic(80, 0.05));
  for (const std::string table : {"customers", "customer_subscriptions", "customer_usage", "skipped", "findings"}) {
    const std::vector<std::string> lines = Lines("estate.expected/" + table + ".json");
    EXPECT_FALSE(lines.empty()) << table;
    EXPECT_TRUE(std::is_sorted(lines.begin(), lines.end())) << table;
  }
}

TEST_F(Sample, BucketsOfALargeEstateGiveTheSameOrderAsOne) {
  SampleOptions options = Realistic(2'000, 0);
  options.profile = Profile::kStandard;
  Write(options);
  for (const std::string table : {"customers", "customer_subscriptions", "customer_usage", "findings"}) {
    const std::vector<std::string> lines = Lines("estate.expected/" + table + ".json");
    EXPECT_GE(lines.size(), 2'000U) << table;
    EXPECT_TRUE(std::is_sorted(lines.begin(), lines.end())) << table;
  }
  for (const auto& entry : fs::directory_iterator(dir_ / "estate.expected"))
    EXPECT_EQ(entry.path().extension(), ".json") << entry.path();
}

TEST_F(Sample, EveryExpectedLineIsJson) {
  Write(Realistic(80, 0.05));
  for (const auto& entry : fs::directory_iterator(dir_ / "estate.expected"))
    for (const std::string& line : Lines(fs::relative(entry.path(), dir_)))
      ASSERT_TRUE(IsValidJson(line)) << entry.path() << ": " << line;
}

TEST_F(Sample, WithoutPoisonEveryLineIsAJsonObject) {
  Write(Realistic(60, 0));
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "estate")) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || !name.ends_with(".json") || name.ends_with(".schema.json")) continue;
    for (const std::string& line : Lines(fs::relative(entry.path(), dir_))) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      ASSERT_TRUE(line.starts_with("{") && IsValidJson(line)) << entry.path() << ": " << line;
    }
  }
}

TEST_F(Sample, PlainKeysAreShownWithEachVerdict) {
  Write(Realistic(80, 0.05));
  std::map<std::string, int> verdicts;
  for (const std::string& line : Lines("estate.expected/keys.json")) {
    const std::string_view name = R"("verdict":")";
    const size_t at = line.find(name) + name.size();
    ++verdicts[line.substr(at, line.find('"', at) - at)];
  }
  for (const std::string verdict : {"active", "revoked", "expired", "unknown"}) EXPECT_GT(verdicts[verdict], 3) << verdict;
}

TEST_F(Sample, NoPlainKeyStandsInTheExpectedRows) {
  Write(Realistic(60, 0));
  const std::string keys = Text("estate.expected/customer_api_keys.json");
  for (const std::string& line : Lines("estate.expected/keys.json")) {
    const std::string text = line.substr(8, line.find('"', 8) - 8);
    EXPECT_EQ(keys.find(Base64Encode(text)), std::string::npos);
    EXPECT_EQ(keys.find('"' + text + '"'), std::string::npos);
  }
}

TEST_F(Sample, ATruncatedFileIsReallyDamaged) {
  Write(Realistic(60, 0.01));
  const std::vector<std::string> failed = Lines("estate.expected/failed.json");
  int damaged = 0;
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "estate")) {
    if (entry.path().extension() != ".gz") continue;
    const gzFile file = gzopen(entry.path().c_str(), "rb");
    char buffer[4096];
    int read = 0;
    while ((read = gzread(file, buffer, sizeof buffer)) > 0) {
    }
    int code = Z_OK;
    gzerror(file, &code);
    damaged += code != Z_OK || read < 0;
    gzclose(file);
  }
  EXPECT_EQ(damaged, 1);
  EXPECT_EQ(failed.size(), 2U);
}

TEST_F(Sample, ProgressCountsTenants) {
  SampleOptions options = Realistic(7, 0);
  options.out_dir = (dir_ / "estate").string();
  std::vector<uint64_t> seen;
  ASSERT_TRUE(WriteSample(options, *files_, [&seen](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, 7U);
    seen.push_back(done);
  }));
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7}));
}

}  // namespace
}  // namespace reeve::sample
