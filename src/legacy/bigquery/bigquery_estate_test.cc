// Listing by its three ways, names, writing back.
#include "legacy/bigquery/bigquery_estate.h"

#include "catalog/legacy.h"
#include "legacy/bigquery/estate_testing.h"
#include "legacy/bigquery/listing.h"
#include "legacy/bigquery/table_writer.h"

namespace reeve::testing {
namespace {

class ListingTest : public BigQueryEstateTest {
 protected:
  void SetUp() override {
    BigQueryEstateTest::SetUp();
    AddTable("acme", "x_meta_api_keys");
    AddTable("acme", "step_logs");
    project_->Add("acme", "a_view", {{.name = "x"}}, {}).info.kind = "VIEW";
    project_->Add("acme", "odd-name", {{.name = "x"}}, {});
    AddTable("beta", "api_keys", "US");
    project_->datasets["empty"].location = "EU";
    project_->datasets["odd-dataset"].location = "EU";
    project_->datasets["acme"].tables["x_meta_api_keys"].info.bytes = 4711;
  }
  std::string Listed(legacy::LegacyEstate& estate) {
    const auto datasets = estate.List();
    if (!datasets) return datasets.error().message;
    std::string text;
    for (const legacy::Dataset& dataset : *datasets) {
      text += dataset.name + ":";
      for (const legacy::LegacyTable& table : dataset.tables)
        text += fmt::format(" {}{}", table.name, table.schema ? fmt::format("({})", fmt::join(*table.schema, ",")) : "");
      for (const std::string& unread : dataset.unread) text += " [" + unread + "]";
      text += "\n";
    }
    return text;
  }
  static constexpr const char* kWhole =
      "acme: step_logs x_meta_api_keys(id,n) [a_view (VIEW)] [odd-name]\nbeta: api_keys(id,n)\nempty:\nodd-dataset:\n";
};

TEST_F(ListingTest, ARegionsViewListsAllItsDatasetsInTwoJobs) {
  const auto estate = Open();
  EXPECT_EQ(Listed(*estate), kWhole);
  EXPECT_EQ(project_->jobs.size(), 4U);  // columns and sizes, for EU and US
  EXPECT_EQ(project_->calls, 5U);
  EXPECT_EQ(estate->List()->at(0).tables[1].bytes, 4711U);
  EXPECT_EQ(project_->jobs.size(), 4U);  // nothing was read since: the listing is as good as new
}

TEST_F(ListingTest, WithoutRegionsDatasetsAreListedHundredsAtOnce) {
  project_->has_regions = false;
  const auto estate = Open();
  EXPECT_EQ(Listed(*estate), kWhole);
  // Per location the region that is not there; for EU one job that stumbles over the empty dataset and one without it.
  EXPECT_EQ(project_->jobs.size(), 2U + 2 + 1);
}

TEST_F(ListingTest, WithoutAnyViewTablesAreLookedAtOneByOne) {
  project_->has_regions = project_->has_dataset_views = false;
  EXPECT_EQ(Listed(*Open()), kWhole);
}

TEST_F(ListingTest, AViewThatIsNotOursToReadCostsNoJobsPerDataset) {
  project_->regions_are_mine = false;
  EXPECT_EQ(Listed(*Open()), kWhole);
  for (const auto& job : project_->jobs) EXPECT_EQ(job.sql.find("`p`.`acme`"), std::string::npos);
}

TEST_F(ListingTest, OneLocationOnly) { EXPECT_EQ(Listed(*Open({.location = "US"})), "beta: api_keys(id,n)\n"); }

TEST_F(ListingTest, AnIncompleteListingIsAFailureAndNamesTheLocation) {
  project_->unreachable = {"us-central1"};
  const auto listed = Open()->List();
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Code::kFailed);
  EXPECT_NE(listed.error().message.find("us-central1"), std::string::npos);
}

TEST_F(ListingTest, AProjectThatShowsNothingIsNotFound) {
  project_->datasets.clear();
  const auto listed = Open()->List();
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Code::kNotFound);
}

TEST_F(ListingTest, WhatWasReadFromStaysListedAsItWas) {
  const auto estate = Open();
  ASSERT_EQ(Listed(*estate), kWhole);
  ASSERT_TRUE(Lines(*estate, "acme", "x_meta_api_keys"));
  AddTable("later", "api_keys");
  EXPECT_EQ(Listed(*estate), kWhole);
  EXPECT_NE(Listed(*Open()), kWhole);
}

TEST_F(ListingTest, TheNamesThatAreLookedAtAreThoseOfTheCatalog) {
  EXPECT_TRUE(Open()->List());
  const std::string& sql = project_->jobs[0].sql;
  size_t names = 0;
  for (size_t at = sql.find(" IN ('") + 4; (at = sql.find('\'', at)) != std::string::npos; ++names) {
    const size_t end = sql.find('\'', at + 1);
    const std::string name = sql.substr(at + 1, end - at - 1);
    bool known = catalog::KindOfTable("acme", name, false).has_value();
    for (const char* shared : {"customers", "tenants", "organizations"}) known |= catalog::KindOfTable(shared, name, true).has_value();
    EXPECT_TRUE(known) << name;
    at = end + 1;
  }
  EXPECT_EQ(names, 26U);
}

class WriteTest : public BigQueryEstateTest {
 protected:
  const MemoryBigQuery::Job& LastJob() const { return project_->jobs.back(); }
};

TEST_F(WriteTest, RowsAreStagedSwappedInOneScriptAndTheStagingTableGoes) {
  AddTable("acme", "x_meta_api_keys");
  const auto put = Open()->Replace("acme", "x_meta_api_keys", "{\"id\":\"a\",\"n\":\"1\"}\n\n{\"id\":\"b\"}\n");
  ASSERT_TRUE(put) << put.error().message;
  ASSERT_EQ(project_->loads.size(), 1U);
  EXPECT_EQ(project_->loads[0].second, "{\"c0\":\"a\",\"c1\":\"1\"}\n{\"c0\":\"b\"}\n");
  EXPECT_TRUE(project_->loads[0].first.starts_with(legacy::kStagingPrefix));
  EXPECT_NE(LastJob().sql.find(project_->loads[0].first), std::string::npos);
  EXPECT_EQ(LastJob().location, "EU");
  EXPECT_EQ(project_->datasets["acme"].tables.size(), 1U);
}

TEST_F(WriteTest, AbsentDatasetAndTableAreMadeFromTheRows) {
  ASSERT_TRUE(Open({.new_location = "EU"})->Replace("acme", "t", "{\"id\":\"a\",\"b\":true}\n"));
  EXPECT_EQ(project_->datasets["acme"].location, "EU");
  const bigquery::Schema& schema = project_->datasets["acme"].tables["t"].info.schema;
  ASSERT_EQ(schema.size(), 2U);
  EXPECT_EQ(schema[1].type, bigquery::FieldType::kBool);
}

TEST_F(WriteTest, ADatasetThatIsThereKeepsItsLocation) {
  AddTable("acme", "x_meta_api_keys", "US");
  const auto put = Open({.new_location = "EU"})->Replace("acme", "x_meta_pipeline_runs", "{\"id\":\"a\"}\n");
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(LastJob().location, "US");
}

TEST_F(WriteTest, ATableWithoutColumnsIsThereAndEmptyUntilRowsSayWhatItHas) {
  const auto estate = Open();
  ASSERT_TRUE(estate->Replace("acme", "api_keys", ""));
  auto listed = estate->List().value();
  EXPECT_FALSE(listed[0].tables[0].schema.has_value());
  EXPECT_EQ(Lines(*estate, "acme", "api_keys").value(), Strings{});
  ASSERT_TRUE(estate->Replace("acme", "api_keys", "{\"id\":\"a\"}\n"));
  listed = estate->List().value();
  EXPECT_EQ(listed[0].tables[0].schema, Strings{"id"});
}

TEST_F(WriteTest, RowsInTheStreamingBufferForbidItWithTheReasonAndTheWait) {
  AddTable("acme", "api_keys");
  auto& info = project_->datasets["acme"].tables["api_keys"].info;
  info.has_streaming_buffer = true;
  info.streaming_rows = 12;
  const auto put = Open()->Replace("acme", "api_keys", "{\"id\":\"a\"}\n");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kRefused);
  EXPECT_EQ(put.error().message, "acme.api_keys: about 12 rows are in the streaming buffer; they can be changed in at most 90 minutes");
  EXPECT_TRUE(project_->loads.empty());
}

TEST_F(WriteTest, ATableThatChangedSinceItWasReadIsNotOverwritten) {
  AddTable("acme", "api_keys");
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  ASSERT_TRUE(Bytes(*estate, "acme", "api_keys"));
  project_->datasets["acme"].tables["api_keys"].info.last_modified = project_->now + 1;
  const auto put = estate->Replace("acme", "api_keys", "{\"id\":\"a\"}\n");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kRefused);
  EXPECT_NE(put.error().message.find("after it was read"), std::string::npos);
  EXPECT_TRUE(project_->loads.empty());
}

TEST_F(WriteTest, WhatThisObjectWroteIsListedAndReadAsItIsNow) {
  AddTable("acme", "api_keys");
  AddTable("beta", "api_keys");
  const auto estate = Open();
  ASSERT_TRUE(estate->List());
  ASSERT_TRUE(Bytes(*estate, "acme", "api_keys"));
  ASSERT_TRUE(estate->Replace("acme", "api_keys", "{\"id\":\"new\"}\n"));
  project_->datasets["acme"].tables["api_keys"].rows = {{MemoryBigQuery::Text("new"), {}}};
  project_->datasets["acme"].tables["api_keys"].info.last_modified = project_->now + kSecond;
  ASSERT_TRUE(estate->List());
  EXPECT_EQ(Bytes(*estate, "acme", "api_keys").value(), "{\"id\":\"new\"}\n");
  EXPECT_EQ(project_->reads().back().sql.find("SYSTEM_TIME"), std::string::npos);
  EXPECT_TRUE(estate->Replace("acme", "api_keys", "{\"id\":\"newer\"}\n"));
}

TEST_F(WriteTest, ABrokenRowFailsByItsNumberAndLeavesNoStagingTable) {
  project_->Add("acme", "api_keys", {{.name = "id"}, {.name = "n", .type = bigquery::FieldType::kInt64}}, {});
  const auto put = Open()->Replace("acme", "api_keys", "{\"id\":\"a\"}\n{\"n\":[\"s3cret\"]}\n");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "acme.api_keys: row 2: the value of column n is no INT64");
  EXPECT_EQ(project_->datasets["acme"].tables.size(), 1U);
}

TEST_F(WriteTest, ALoadThatDropsRowsIsNoSwap) {
  AddTable("acme", "api_keys");
  project_->loses_a_row = true;
  const auto put = Open()->Replace("acme", "api_keys", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "acme.api_keys: 2 rows were sent and 1 arrived; the table is as it was");
  EXPECT_TRUE(project_->jobs.empty());
  EXPECT_EQ(project_->datasets["acme"].tables.size(), 1U);
}

TEST_F(WriteTest, DeclaringASchemaMakesTheTableOnce) {
  const auto estate = Open();
  const std::string json = R"([{"name":"id","type":"STRING"},{"name":"n","type":"INT64"}])";
  ASSERT_TRUE(estate->DeclareSchema("acme", "api_keys", json));
  ASSERT_TRUE(estate->DeclareSchema("acme", "api_keys", R"([{"name":"other","type":"STRING"}])"));
  const auto listed = estate->List().value();
  EXPECT_EQ(listed[0].tables[0].schema, (Strings{"id", "n"}));
  const auto text = estate->SchemaText(listed[0].tables[0]);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "[{\"name\":\"id\",\"type\":\"STRING\",\"mode\":\"NULLABLE\"},{\"name\":\"n\",\"type\":\"INT64\",\"mode\":\"NULLABLE\"}]\n");
}

TEST(BigQueryUrl, ProjectsAndOptions) {
  const auto plain = legacy::ParseBigQueryEstate("my-project-1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->project, "my-project-1");
  EXPECT_TRUE(plain->one_instant);
  const auto full = legacy::ParseBigQueryEstate("example.com:proj?location=europe-west1&instant=off");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->project, "example.com:proj");
  EXPECT_EQ(full->location, "europe-west1");
  EXPECT_FALSE(full->one_instant);
  for (const char* bad : {"", "a b", "p/dataset", "p?", "p?location=", "p?location=a'b", "p?nothing=1", "p`x", "p;"}) {
    const auto url = legacy::ParseBigQueryEstate(bad);
    if (std::string_view(bad) == "p?") continue;
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, Code::kUsage);
  }
}

}  // namespace
}  // namespace reeve::testing
