// Datasets, tables and their rows, as a caller of Client sees them.
#include "drivers/bigquery/client.h"

#include <gtest/gtest.h>

#include "drivers/bigquery/rest_testing.h"

namespace reeve::bigquery {
namespace {

using fakes::ScriptedHttp;
using testing::ClientWorld;
using testing::Param;
using testing::PathOf;
using testing::Problem;
using testing::Reply;

std::string DatasetItem(std::string_view name, std::string_view location = "EU") {
  return fmt::format(R"({{"id":"p:{0}","datasetReference":{{"projectId":"p","datasetId":"{0}"}},"location":"{1}"}})", name, location);
}

std::string TableItemOf(std::string_view name, std::string_view type) {
  return fmt::format(R"({{"tableReference":{{"projectId":"p","datasetId":"d","tableId":"{}"}}{}}})", name, type.empty() ? "" : fmt::format(R"(,"type":"{}")", type));
}

std::string TableDocument(std::string_view name, std::string_view more = "") {
  return fmt::format(R"({{"tableReference":{{"projectId":"p","datasetId":"d","tableId":"{}"}},"schema":{{"fields":[{{"name":"n","type":"INTEGER"}}]}}{}}})", name, more);
}

TableSpec NumbersTable() {
  TableSpec spec;
  spec.id = {"p", "d", "t"};
  spec.schema = {{"n", FieldType::kInt64}};
  return spec;
}

TEST(Datasets, AreListedPageByPageInOrderAndEmptyPagesAreNotTheEnd) {
  ScriptedHttp http([](const net::HttpRequest& request) {
    EXPECT_EQ(PathOf(request), "/bigquery/v2/projects/p/datasets");
    EXPECT_EQ(Param(request, "maxResults"), "1000");
    const std::string token = Param(request, "pageToken");
    if (token.empty()) return Reply(200, R"({"datasets":[)" + DatasetItem("zeta") + R"(],"nextPageToken":"a%2Fb"})");
    if (token == "a%252Fb") return Reply(200, R"({"nextPageToken":"c"})");
    return Reply(200, R"({"datasets":[)" + DatasetItem("alpha", "US") + "," + DatasetItem("run-query-7") + "]}");
  });
  ClientWorld world(http);
  const Result<std::vector<DatasetInfo>> datasets = world.client->ListDatasets("p");
  ASSERT_TRUE(datasets) << datasets.error().message;
  ASSERT_EQ(datasets->size(), 2U);  // a name with a hyphen is the result of a query on the emulator
  EXPECT_EQ(datasets->at(0).dataset, "alpha");
  EXPECT_EQ(datasets->at(0).location, "US");
  EXPECT_EQ(datasets->at(1).dataset, "zeta");
}

TEST(Datasets, AListingThatALocationDidNotAnswerIsIncomplete) {
  ScriptedHttp http([](const net::HttpRequest& request) {
    if (Param(request, "pageToken").empty()) return Reply(200, R"({"datasets":[],"unreachable":["europe-west9"],"nextPageToken":"x"})");
    return Reply(200, R"({"datasets":[]})");
  });
  const auto datasets = ClientWorld(http).client->ListDatasets("p");
  ASSERT_FALSE(datasets);
  EXPECT_EQ(datasets.error().code, Code::kIncomplete);
  EXPECT_NE(datasets.error().message.find("europe-west9"), std::string::npos);
}

TEST(Datasets, ATokenThatComesAgainIsAnError) {
  ScriptedHttp http([](const net::HttpRequest& request) {
    return Reply(200, Param(request, "pageToken") == "a" ? R"({"nextPageToken":"b"})" : R"({"nextPageToken":"a"})");
  });
  const auto datasets = ClientWorld(http).client->ListDatasets("p");
  ASSERT_FALSE(datasets);
  EXPECT_EQ(http.count(), 3U);
}

TEST(Datasets, ListingsThatMakeNoSenseAreErrors) {
  for (const std::string body : {R"({"datasets":[7]})", R"({"datasets":[{}]})"}) {
    ScriptedHttp http([&](const net::HttpRequest&) { return Reply(200, body); });
    EXPECT_FALSE(ClientWorld(http).client->ListDatasets("p")) << body;
  }
}

// One dataset that may be there, as both servers keep it.
struct OneDataset {
  bool there = false, emulator = false;
  std::string location = "EU";
  int inserts = 0;
  ScriptedHttp http{[this](const net::HttpRequest& request) {
    if (request.method == "GET") return there ? Reply(200, DatasetItem("d", location)) : Problem(404, "notFound", "Not found: Dataset p:d");
    ++inserts;
    if (there) return emulator ? Problem(500, "internalError", "dataset d is already created") : Problem(409, "duplicate", "Already Exists: Dataset p:d");
    there = true;
    return Reply(200, DatasetItem("d", location));
  }};
};

TEST(Datasets, AreMadeOnlyWhenTheyAreNotThere) {
  OneDataset fresh;
  EXPECT_EQ(ClientWorld(fresh.http).client->EnsureDataset({"p", "d", "EU", {}})->location, "EU");
  EXPECT_EQ(fresh.inserts, 1);
  EXPECT_TRUE(ClientWorld(fresh.http).client->EnsureDataset({"p", "d", "eu", {}}));
  EXPECT_TRUE(ClientWorld(fresh.http).client->EnsureDataset({"p", "d", "", {}}));
  EXPECT_EQ(fresh.inserts, 1);
  const auto elsewhere = ClientWorld(fresh.http).client->EnsureDataset({"p", "d", "US", {}});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, Code::kRefused);
  EXPECT_NE(elsewhere.error().message.find("is in EU, not in US"), std::string::npos);
  OneDataset vague;  // made on the emulator's command line
  vague.there = true;
  vague.location = "";
  EXPECT_TRUE(ClientWorld(vague.http).client->EnsureDataset({"p", "d", "EU", {}}));
}

TEST(Datasets, OneThatSomebodyElseMadeMeanwhileIsTaken) {
  for (const bool emulator : {false, true}) {
    OneDataset state;
    state.emulator = emulator;
    ScriptedHttp racing([&](const net::HttpRequest& request) {
      if (request.method == "POST") state.there = true;
      return state.http.Send(request);
    });
    ClientWorld world(racing);
    EXPECT_TRUE(world.client->EnsureDataset({"p", "d", "EU", {}}));
    EXPECT_EQ(state.inserts, 1);  // no insisting on what is there
  }
}

TEST(Datasets, NotFoundIsNoneAndOtherFailuresAreErrors) {
  OneDataset none;
  EXPECT_EQ(*ClientWorld(none.http).client->FindDataset("p", "d"), std::nullopt);
  ScriptedHttp denied([](const net::HttpRequest&) { return Problem(403, "accessDenied", "Access Denied: Dataset p:d"); });
  const auto dataset = ClientWorld(denied).client->FindDataset("p", "d");
  ASSERT_FALSE(dataset);
  EXPECT_EQ(dataset.error().code, Code::kAuthNeeded);
}

TEST(Tables, AreListedByKind) {
  ScriptedHttp http([](const net::HttpRequest& request) {
    if (Param(request, "pageToken").empty()) return Reply(200, R"({"tables":[)" + TableItemOf("z", "TABLE") + "," + TableItemOf("v", "VIEW") + R"(],"nextPageToken":"x"})");
    return Reply(200, R"({"tables":[)" + TableItemOf("a-b", "") + "," + TableItemOf("odd name", "TABLE") + "," + TableItemOf("e", "EXTERNAL") + "]}");
  });
  std::vector<std::string> skipped;
  const auto tables = ClientWorld(http).client->ListTables("p", "d", &skipped);
  ASSERT_TRUE(tables) << tables.error().message;
  EXPECT_EQ(*tables, (std::vector<std::string>{"a-b", "z"}));
  EXPECT_EQ(skipped, (std::vector<std::string>{"v (VIEW)", "odd name (TABLE, and its name has characters that reeve does not write)", "e (EXTERNAL)"}));
}

TEST(Tables, ThatExistAreNotMadeAgain) {
  ScriptedHttp http([](const net::HttpRequest&) { return Problem(409, "duplicate", "Already Exists: Table p:d.t"); });
  const auto table = ClientWorld(http).client->InsertTable(NumbersTable());
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, Code::kRefused);
  EXPECT_EQ(table.error().message, "BigQuery: table p.d.t exists already");
  EXPECT_EQ(http.count(), 1U);
}

TEST(Tables, OneWhoseInsertGotNoAnswerIsRecognisedByItsShape) {
  for (const bool same : {true, false})
    for (const bool resent : {true, false}) {
      int inserts = 0;
      ScriptedHttp http([&](const net::HttpRequest& request) -> Result<net::HttpResponse> {
        if (request.method == "GET") return Reply(200, TableDocument("t"));
        if (!resent && ++inserts == 1) return Fail(Code::kFailed, "reset");
        net::HttpResponse there = Problem(409, "duplicate", "Already Exists");
        there.maybe_resent = resent;
        return there;
      });
      TableSpec spec = NumbersTable();
      if (!same) spec.schema.push_back({"more", FieldType::kString});
      const auto table = ClientWorld(http).client->InsertTable(spec);
      EXPECT_EQ(table.has_value(), same);
      if (!table) {
        EXPECT_EQ(table.error().code, Code::kRefused);
      }
    }
}

TEST(Tables, ArePatchedIfNobodyElseChangedThem) {
  ScriptedHttp http([](const net::HttpRequest& request) {
    for (const auto& [name, value] : request.headers)
      if (name == "If-Match" && value != "e1") return Problem(412, "conditionNotMet", "Precondition Failed");
    return Reply(200, TableDocument("t", R"(,"etag":"e2")"));
  });
  ClientWorld world(http);
  EXPECT_EQ(world.client->PatchTable(NumbersTable(), "e1")->etag, "e2");
  EXPECT_EQ(http.requests().at(0).method, "PATCH");
  EXPECT_TRUE(world.client->PatchTable(NumbersTable(), ""));
  EXPECT_EQ(world.client->PatchTable(NumbersTable(), "e0").error().code, Code::kRefused);
}

TEST(Tables, APatchThatGotNoAnswerIsRecognisedByWhatItSet) {
  for (const bool same : {true, false}) {
    int patches = 0;
    ScriptedHttp http([&](const net::HttpRequest& request) -> Result<net::HttpResponse> {
      if (request.method == "GET") return Reply(200, TableDocument("t", same ? R"(,"description":"words","etag":"e2")" : R"(,"description":"theirs")"));
      if (++patches == 1) return Fail(Code::kFailed, "reset");
      return Problem(412, "conditionNotMet", "Precondition Failed");
    });
    TableSpec spec = NumbersTable();
    spec.description = "words";
    const auto table = ClientWorld(http).client->PatchTable(spec, "e1");
    EXPECT_EQ(table.has_value(), same);
    if (table) {
      EXPECT_EQ(table->etag, "e2");
    }
  }
}

TEST(Tables, AreDeletedAlsoIfTheyAreGone) {
  int calls = 0;
  ScriptedHttp http([&](const net::HttpRequest&) { return ++calls == 1 ? Reply(204, "") : Problem(404, "notFound", "Not found"); });
  ClientWorld world(http);
  EXPECT_TRUE(world.client->DeleteTable({"p", "d", "t"}));
  EXPECT_TRUE(world.client->DeleteTable({"p", "d", "t"}));
  EXPECT_EQ(http.requests().at(0).method, "DELETE");
}

TEST(Tables, ASlashAtTheEndOfTheEndpointDoesNoHarm) {
  ScriptedHttp http([](const net::HttpRequest&) { return Problem(404, "notFound", "Not found"); });
  ClientOptions options;
  options.endpoint = "http://127.0.0.1:9050/";
  ASSERT_TRUE(ClientWorld(http, options).client->FindTable({"p", "d", "t"}));
  EXPECT_TRUE(http.requests().at(0).url.starts_with("http://127.0.0.1:9050/bigquery/v2/projects/p/")) << http.requests().at(0).url;
}

TEST(Tables, NamesCannotLeaveTheirPlaceInThePath) {
  ScriptedHttp http([](const net::HttpRequest&) { return Problem(404, "notFound", "Not found"); });
  EXPECT_EQ(*ClientWorld(http).client->FindTable({"p", "d/../../x", "t?alt=media#"}), std::nullopt);
  EXPECT_EQ(PathOf(http.requests().at(0)), "/bigquery/v2/projects/p/datasets/d%2F..%2F..%2Fx/tables/t%3Falt%3Dmedia%23");
}

TEST(TableRows, AreReadPageByPageWithTheColumnsAsked) {
  TableInfo table;
  table.id = {"p", "d", "t"};
  table.schema = {{"a", FieldType::kString}, {"b", FieldType::kTimestamp}, {"c", FieldType::kString}};
  for (const bool knows_selection : {true, false}) {
    ScriptedHttp http([&](const net::HttpRequest& request) {
      EXPECT_EQ(PathOf(request), "/bigquery/v2/projects/p/datasets/d/tables/t/data");
      EXPECT_EQ(Param(request, "selectedFields"), "a%2Cc");
      EXPECT_EQ(Param(request, "formatOptions.useInt64Timestamp"), "true");
      const auto row = [&](std::string_view a, std::string_view c) {
        return knows_selection ? fmt::format(R"({{"f":[{{"v":"{}"}},{{"v":"{}"}}]}})", a, c)
                               : fmt::format(R"({{"f":[{{"v":"{}"}},{{"v":null}},{{"v":"{}"}}]}})", a, c);
      };
      const std::string token = Param(request, "pageToken");
      if (token.empty()) return Reply(200, R"({"totalRows":"2","rows":[)" + row("a1", "c1") + R"(],"pageToken":"x"})");
      if (token == "x") return Reply(200, R"({"totalRows":"2","pageToken":"y"})");
      return Reply(200, R"({"totalRows":"2","rows":[)" + row("a2", "c2") + "]}");
    });
    std::vector<std::string> rows;
    const std::vector<std::string> columns = {"c", "a"};
    const Result<> read = ClientWorld(http).client->ReadTable(table, columns, [&](const Row& row) -> Result<> {
      rows.push_back(row.at(0).text + row.at(1).text);
      return {};
    });
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(rows, (std::vector<std::string>{"c1a1", "c2a2"}));
  }
}

TEST(TableRows, WithoutColumnsAllAreReadAndFaultsAreErrors) {
  TableInfo table;
  table.id = {"p", "d", "t"};
  table.schema = {{"n", FieldType::kInt64}};
  std::string body = R"({"rows":[{"f":[{"v":"1"}]}]})";
  ScriptedHttp http([&](const net::HttpRequest& request) {
    EXPECT_EQ(Param(request, "selectedFields"), "");
    return Reply(200, body);
  });
  ClientWorld world(http);
  int rows = 0;
  const auto count = [&](const Row&) -> Result<> { return ++rows, Result<>(); };
  EXPECT_TRUE(world.client->ReadTable(table, {}, count));
  EXPECT_EQ(rows, 1);
  body = R"({"rows":[{"f":[{"v":"s3cret"}]}]})";
  const Result<> wrong = world.client->ReadTable(table, {}, count);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "BigQuery: GET projects/p/datasets/d/tables/t/data: row 1 of a page makes no sense: its column n holds no INT64");
  body = R"({"pageToken":"same"})";
  EXPECT_FALSE(world.client->ReadTable(table, {}, count));
  const std::vector<std::string> unknown = {"x"};
  EXPECT_EQ(world.client->ReadTable(table, unknown, count).error().code, Code::kUsage);
}

}  // namespace
}  // namespace reeve::bigquery
