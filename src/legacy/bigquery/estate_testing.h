// An estate over MemoryBigQuery with a spool of its own, and short ways to fill and read it. For tests only; one thread.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "legacy/bigquery/bigquery_estate.h"
#include "legacy/bigquery/memory_bigquery_testing.h"

namespace reeve::testing {

class BigQueryEstateTest : public ::testing::Test {
 protected:
  using Strings = std::vector<std::string>;

  void SetUp() override {
    const auto* const info = ::testing::UnitTest::GetInstance()->current_test_info();
    dir_ = fmt::format("{}reeve_{}_{}", ::testing::TempDir(), info->test_suite_name(), info->name());
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<legacy::LegacyEstate> Open(legacy::BigQueryEstateOptions options = {}) {
    options.project = "p";
    options.spool_dir = dir_;
    return legacy::OpenBigQueryEstate(std::move(options), project_, *files_, *clock_, *entropy_);
  }
  // A table of kind keys, credentials or runs with one row that says whose it is.
  void AddTable(const std::string& dataset, const std::string& table, const std::string& location = "EU") {
    project_->Add(dataset, table, {{.name = "id"}, {.name = "n", .type = bigquery::FieldType::kInt64}},
                  {{MemoryBigQuery::Text(dataset + "." + table), MemoryBigQuery::Text("7")}}, location);
  }
  static std::string RowOf(const std::string& dataset, const std::string& table) { return fmt::format(R"({{"id":"{}.{}","n":"7"}})", dataset, table); }

  static Result<Strings> Lines(legacy::LegacyEstate& estate, const std::string& dataset, const std::string& table) {
    legacy::LegacyTable wanted;
    wanted.dataset = dataset;
    wanted.name = table;
    REEVE_ASSIGN(const auto reader, estate.OpenLines(wanted, 0));
    Strings lines;
    for (legacy::Line line;;) {
      REEVE_ASSIGN(const bool more, reader->Next(&line));
      if (!more) return lines;
      lines.emplace_back(line.text);
    }
  }
  static Result<std::string> Bytes(legacy::LegacyEstate& estate, const std::string& dataset, const std::string& table) {
    legacy::LegacyTable wanted;
    wanted.dataset = dataset;
    wanted.name = table;
    REEVE_ASSIGN(const auto reader, estate.OpenRaw(wanted, 0));
    std::string bytes(64 * 1024, '\0');
    REEVE_ASSIGN(const size_t count, reader->Read(bytes.data(), bytes.size()));
    bytes.resize(count);
    return bytes;
  }

  const std::shared_ptr<MemoryBigQuery> project_ = std::make_shared<MemoryBigQuery>();
  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  const std::unique_ptr<Clock> clock_ = MakeSystemClock();
  const std::unique_ptr<Entropy> entropy_ = MakeSeededEntropy(7);
  std::string dir_;
};

}  // namespace reeve::testing
