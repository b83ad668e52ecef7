// The sample's oracle against the whole way: export files → copier → SQLite → rows. The oracle is computed from the generator's own model and
// shares no code with the importer, so whatever the two agree on was understood twice.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "catalog/ndjson.h"
#include "legacy/export/export_estate.h"
#include "migrate/copy/migrate.h"
#include "sample/sample.h"
#include "store/sqlite/sqlite_sink.h"

namespace reeve {
namespace {

namespace fs = std::filesystem;

struct World {
  const char* name;
  sample::SampleOptions sample;
};

sample::SampleOptions Options(uint64_t tenants, uint64_t seed, double poison, bool gzip, sample::Profile profile) {
  sample::SampleOptions options;
  options.tenants = tenants;
  options.seed = seed;
  options.poison_rate = poison;
  options.gzip_some = gzip;
  options.profile = profile;
  return options;
}

std::vector<World> Worlds() {
  using sample::Profile;
  return {
      {"Standard", Options(60, 1, 0, false, Profile::kStandard)},
      {"AllShapes", Options(400, 2, 0, false, Profile::kRealistic)},
      {"AllShapesZipped", Options(300, 3, 0, true, Profile::kRealistic)},
      {"SomePoison", Options(400, 4, 0.001, true, Profile::kRealistic)},
      {"MuchPoison", Options(300, 5, 0.05, false, Profile::kRealistic)},
  };
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class OracleTest : public testing::TestWithParam<World> {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / fmt::format("reeve-oracle-{}-{}", getpid(), GetParam().name);
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    sample::SampleOptions options = GetParam().sample;
    options.out_dir = dir_ / "estate";
    options.expected_dir = dir_ / "expected";
    as_of_ = options.as_of;
    ASSERT_TRUE(sample::WriteSample(options, *files_, [](uint64_t, uint64_t) {}));
    estate_ = *legacy::OpenExportEstate(*files_, options.out_dir);
    sink_ = *store::OpenSqliteSink(*files_, dir_ / "store.db", store::OpenMode::kCreate, "test");
  }
  void TearDown() override {
    sink_.reset();
    fs::remove_all(dir_);
  }

  migrate::MigrateReport Migrate() {
    migrate::Options options;
    options.as_of = as_of_;
    const migrate::Engine engine{estate_.get(), sink_.get(), files_.get(), clock_.get(), &progress_, dir_ / "store.db"};
    auto report = migrate::Migrate(engine, options);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : migrate::MigrateReport();
  }

  std::string Rows(const catalog::Table& table) {
    std::string text;
    auto reader = *sink_->OpenReader();
    EXPECT_TRUE(reader->Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
      catalog::AppendRow(table, row, &text);
      return {};
    }));
    return text;
  }

  // The dead letters without what is for people only (key, detail).
  std::set<std::string> DeadLetters() {
    const catalog::Table& table = catalog::ReeveDeadLetters();
    std::set<std::string> lines;
    auto reader = *sink_->OpenReader();
    EXPECT_TRUE(reader->Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
      std::vector<catalog::Cell> cells(row.begin(), row.end());
      cells[static_cast<size_t>(table.Index("row_key"))] = catalog::Cell::Null();
      cells[static_cast<size_t>(table.Index("detail"))] = catalog::Cell::Null();
      std::string line;
      catalog::AppendRow(table, cells, &line);
      lines.insert(line);
      return {};
    }));
    return lines;
  }

  std::set<std::string> ExpectedLines(const char* file) {
    std::set<std::string> lines;
    std::istringstream text(ReadFile(dir_ / "expected" / file));
    for (std::string line; std::getline(text, line);) lines.insert(line + "\n");
    return lines;
  }

  fs::path dir_;
  Micros as_of_ = 0;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  obs::SilentProgress progress_;
  std::unique_ptr<legacy::LegacyEstate> estate_;
  std::unique_ptr<store::CentralSink> sink_;
};

TEST_P(OracleTest, WhatArrivesIsWhatTheOracleExpectsByteForByte) {
  const migrate::MigrateReport report = Migrate();
  for (const char* name : {"customers", "customer_subscriptions", "customer_api_keys", "customer_credentials", "customer_usage"})
    EXPECT_EQ(Rows(*catalog::FindTable(name)), ReadFile(dir_ / "expected" / (std::string(name) + ".json"))) << name;
  EXPECT_EQ(DeadLetters(), ExpectedLines("dead_letters.json"));
  EXPECT_EQ(report.failed.size(), ExpectedLines("failed.json").size());
  EXPECT_EQ(report.skipped.size(), ExpectedLines("skipped.json").size());
}

TEST_P(OracleTest, TheVerifierFindsNoDifference) {
  const migrate::MigrateReport report = Migrate();
  EXPECT_EQ(report.differing, 0u);
  EXPECT_EQ(report.verified, report.copied);
  for (const auto& tenant : report.differences)
    for (const std::string& difference : tenant.differences) ADD_FAILURE() << tenant.tenant << ": " << difference;
}

INSTANTIATE_TEST_SUITE_P(Samples, OracleTest, testing::ValuesIn(Worlds()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace reeve
