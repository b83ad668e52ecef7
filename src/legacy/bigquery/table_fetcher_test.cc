// Reading in sets: batches, growing and shrinking, faults of single tables, what is read once and what anew.
#include "legacy/bigquery/table_fetcher.h"

#include <thread>

#include "legacy/bigquery/estate_testing.h"
#include "legacy/bigquery/read_batch.h"

namespace reeve::testing {
namespace {

using legacy::LegacyEstate;

class TableFetcherTest : public BigQueryEstateTest {
 protected:
  void AddTenants(int count, const std::string& location = "EU", int from = 0) {
    for (int i = from; i < from + count; ++i)
      for (const char* table : {"x_meta_api_keys", "x_meta_cloud_credentials", "x_meta_pipeline_runs"}) AddTable(Name(i), table, location);
  }
  static std::string Name(int i) { return fmt::format("t{:05}", i); }
  std::vector<size_t> Sizes() const {
    std::vector<size_t> sizes;
    for (const auto& job : project_->reads()) sizes.push_back(MemoryBigQuery::TablesOf(job));
    return sizes;
  }
};

TEST_F(TableFetcherTest, TablesOfOneKindAreOneJobAndEachGetsItsRows) {
  AddTenants(40);
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  for (const char* table : {"x_meta_api_keys", "x_meta_cloud_credentials", "x_meta_pipeline_runs"})
    for (int i = 0; i < 40; ++i) EXPECT_EQ(Lines(*estate, Name(i), table).value(), Strings{RowOf(Name(i), table)});
  EXPECT_EQ(Sizes(), (std::vector<size_t>{40, 40, 40}));
}

TEST_F(TableFetcherTest, BatchesGrowWhileTheyWork) {
  AddTenants(2'000);
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  for (int i = 0; i < 2'000; ++i) ASSERT_TRUE(Lines(*estate, Name(i), "x_meta_api_keys"));
  EXPECT_EQ(Sizes(), (std::vector<size_t>{250, 500, 1'000, 250}));
}

TEST_F(TableFetcherTest, WhatIsTooLargeIsHalvedAndNotTriedAgain) {
  AddTenants(400);
  project_->tables_per_query_max = 100;
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  for (int i = 0; i < 400; ++i) ASSERT_EQ(Lines(*estate, Name(i), "x_meta_api_keys").value(), Strings{RowOf(Name(i), "x_meta_api_keys")});
  // 250 and 125 are refused; the rest goes in pieces of 62.
  const std::vector<size_t> sizes = Sizes();
  EXPECT_EQ(sizes[0], 250U);
  EXPECT_EQ(sizes[1], 125U);
  EXPECT_EQ(std::count_if(sizes.begin(), sizes.end(), [](size_t size) { return size > 100; }), 2);
  EXPECT_LE(sizes.size(), 2U + 6 + 3);
}

TEST_F(TableFetcherTest, ATableThatIsTooLargeAloneIsReadPageByPage) {
  AddTenants(3);
  project_->tables_per_query_max = 0;
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  EXPECT_EQ(Lines(*estate, Name(1), "x_meta_api_keys").value(), Strings{RowOf(Name(1), "x_meta_api_keys")});
  EXPECT_EQ(Bytes(*estate, Name(2), "x_meta_api_keys").value(), RowOf(Name(2), "x_meta_api_keys") + "\n");
}

TEST_F(TableFetcherTest, TablesOfDifferentColumnsShareAJobAndKeepTheirOwn) {
  project_->Add("a", "api_keys", {{.name = "id"}, {.name = "scopes", .mode = bigquery::Mode::kRepeated}},
                {{MemoryBigQuery::Text("1"), {bigquery::Value::Kind::kList, {}, {}}}});
  project_->Add("b", "x_meta_api_keys", {{.name = "enc", .type = bigquery::FieldType::kBytes}, {.name = "id"}}, {{MemoryBigQuery::Text("AQID"), MemoryBigQuery::Text("2")}});
  project_->Add("c", "api_keys", {{.name = "enc"}}, {{MemoryBigQuery::Text("text")}});
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  EXPECT_EQ(Lines(*estate, "a", "api_keys").value(), Strings{R"({"id":"1","scopes":[]})"});
  EXPECT_EQ(Lines(*estate, "b", "x_meta_api_keys").value(), Strings{R"({"enc":"AQID","id":"2"})"});
  EXPECT_EQ(Lines(*estate, "c", "api_keys").value(), Strings{R"({"enc":"text"})"});
  EXPECT_EQ(Sizes(), (std::vector<size_t>{2, 1}));  // enc is BYTES here and STRING there
}

TEST_F(TableFetcherTest, EachLocationHasItsJobs) {
  AddTenants(10, "EU");
  AddTenants(10, "europe-west1", 10);
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Lines(*estate, Name(i), "x_meta_api_keys")) << i;
  ASSERT_EQ(Sizes(), (std::vector<size_t>{10, 10}));
  EXPECT_EQ(project_->reads()[0].location, "EU");
  EXPECT_EQ(project_->reads()[1].location, "europe-west1");
}

TEST_F(TableFetcherTest, TheSamePathReadsATableOnceTheOtherReadsItAnew) {
  AddTenants(5);
  project_->has_past = false;
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(Lines(*estate, Name(i), "x_meta_api_keys"));
  project_->datasets[Name(2)].tables["x_meta_api_keys"].rows[0][0] = MemoryBigQuery::Text("changed");
  EXPECT_EQ(Lines(*estate, Name(2), "x_meta_api_keys").value(), Strings{RowOf(Name(2), "x_meta_api_keys")});
  EXPECT_EQ(Bytes(*estate, Name(2), "x_meta_api_keys").value(), "{\"id\":\"changed\",\"n\":\"7\"}\n");
}

TEST_F(TableFetcherTest, AllRowsAreThoseOfTheListingsInstantWhereTheEngineCan) {
  AddTenants(3);
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  ASSERT_TRUE(Lines(*estate, Name(0), "x_meta_api_keys"));
  ASSERT_TRUE(Bytes(*estate, Name(0), "x_meta_api_keys"));
  for (const auto& job : project_->reads())
    EXPECT_NE(job.sql.find("FOR SYSTEM_TIME AS OF TIMESTAMP '2027-01-15 08:00:00+00'"), std::string::npos) << job.sql;
  EXPECT_EQ(estate->RowsAsOf(), project_->now);
}

TEST_F(TableFetcherTest, AnEngineWithoutAPastIsAskedForItOnce) {
  AddTenants(3);
  project_->has_past = false;
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  for (const char* table : {"x_meta_api_keys", "x_meta_pipeline_runs"}) ASSERT_TRUE(Lines(*estate, Name(0), table));
  ASSERT_TRUE(Bytes(*estate, Name(0), "x_meta_api_keys"));
  EXPECT_EQ(project_->reads().size(), 1U + 3);
  EXPECT_EQ(estate->RowsAsOf(), std::nullopt);
  const auto now = Open({.one_instant = false});
  ASSERT_TRUE(now->List());
  ASSERT_TRUE(Lines(*now, Name(0), "x_meta_api_keys"));
  EXPECT_EQ(project_->reads().back().sql.find("SYSTEM_TIME"), std::string::npos);
}

TEST_F(TableFetcherTest, ATableThatCannotBeReadCostsOnlyItself) {
  AddTenants(40);
  project_->broken = {"t00007.x_meta_api_keys", "t00011.x_meta_api_keys"};
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  for (int i = 0; i < 40; ++i) {
    const auto lines = Lines(*estate, Name(i), "x_meta_api_keys");
    EXPECT_EQ(static_cast<bool>(lines), i != 7 && i != 11) << i;
    if (!lines) {
      EXPECT_NE(lines.error().message.find(Name(i) + ".x_meta_api_keys"), std::string::npos) << lines.error().message;
    }
  }
  EXPECT_LT(project_->reads().size(), 12U);
}

TEST_F(TableFetcherTest, AFaultThatNamesNoTableIsFoundByHalving) {
  AddTenants(64);
  project_->silently_broken = {"t00033.x_meta_api_keys"};
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  int failed = 0;
  for (int i = 0; i < 64; ++i) failed += Lines(*estate, Name(i), "x_meta_api_keys") ? 0 : 1;
  EXPECT_EQ(failed, 1);
  EXPECT_LE(project_->reads().size(), 1U + 2 * 6 + 1);
}

TEST_F(TableFetcherTest, WhenBigQueryIsGoneNothingIsHalved) {
  AddTenants(250);
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  project_->is_down = true;
  const uint64_t before = project_->calls;
  EXPECT_FALSE(Lines(*estate, Name(0), "x_meta_api_keys"));
  EXPECT_LE(project_->calls - before, 2U);
  project_->is_down = false;
  EXPECT_TRUE(Lines(*estate, Name(0), "x_meta_api_keys"));  // no failure is kept
}

TEST_F(TableFetcherTest, JobNamesDifferWhereRowsMayAndAgreeWhereTheyCannot) {
  AddTenants(3);
  std::vector<std::string> ids;
  for (const bool has_past : {true, true, false, false}) {
    project_->has_past = has_past;
    if (!has_past) project_->now = 1'800'000'001 * kSecond;
    const auto estate = Open();
    ASSERT_TRUE(estate->List());
    ASSERT_TRUE(Lines(*estate, Name(0), "x_meta_api_keys"));
    ids.push_back(project_->reads().back().id);
  }
  EXPECT_EQ(ids[0], ids[1]);  // the same tables at the same instant: the job is adopted
  EXPECT_NE(ids[2], ids[3]);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 3U);
  for (const std::string& id : ids) EXPECT_TRUE(bigquery::IsJobId(id)) << id;
}

TEST_F(TableFetcherTest, ASpoolOverItsLimitForgetsWhatWasReadAndReadsItAgainWhenAsked) {
  AddTenants(600);
  const auto estate = Open({.spool_bytes_max = 1});
  ASSERT_TRUE(estate->List());
  for (const char* table : {"x_meta_api_keys", "x_meta_pipeline_runs"})
    for (int i = 0; i < 600; ++i) ASSERT_TRUE(Lines(*estate, Name(i), table));
  const size_t once = project_->reads().size();
  EXPECT_EQ(once, 4U);
  for (int i = 0; i < 600; ++i) ASSERT_EQ(Lines(*estate, Name(i), "x_meta_api_keys").value(), Strings{RowOf(Name(i), "x_meta_api_keys")});
  EXPECT_LE(project_->reads().size(), once + 2);  // in sets again, not one by one
}

TEST_F(TableFetcherTest, ManyThreadsShareOneBatch) {
  AddTenants(200);
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  std::atomic<int> next = 0, good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = next++; i < 200; i = next++)
        for (const char* table : {"x_meta_api_keys", "x_meta_cloud_credentials", "x_meta_pipeline_runs"}) {
          const auto lines = Lines(*estate, Name(i), table);
          if (lines && *lines == Strings{RowOf(Name(i), table)}) ++good;
        }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 600);
  EXPECT_EQ(project_->reads().size(), 3U);
}

TEST_F(TableFetcherTest, CopiesOfEnvironmentsAreNotReadUnlessAskedFor) {
  AddTenants(2);
  AddTable("t00000_local", "x_meta_api_keys");
  AddTable("t00000_stage", "x_meta_api_keys");
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  ASSERT_TRUE(Lines(*estate, Name(0), "x_meta_api_keys"));
  EXPECT_EQ(Sizes(), (std::vector<size_t>{2}));
  EXPECT_EQ(Lines(*estate, "t00000_local", "x_meta_api_keys").value(), Strings{RowOf("t00000_local", "x_meta_api_keys")});
}

}  // namespace
}  // namespace reeve::testing
