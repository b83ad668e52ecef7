#include "drivers/bigquery/rows.h"

#include <gtest/gtest.h>

#include "drivers/bigquery/resources.h"

namespace reeve::bigquery {
namespace {

const Schema kAllTypes = {
    {"s", FieldType::kString},   {"by", FieldType::kBytes},   {"i", FieldType::kInt64},     {"f", FieldType::kFloat64}, {"b", FieldType::kBool},
    {"ts", FieldType::kTimestamp}, {"d", FieldType::kDate},   {"t", FieldType::kTime},      {"dt", FieldType::kDatetime}, {"n", FieldType::kNumeric},
    {"bn", FieldType::kBignumeric}, {"j", FieldType::kJson}, {"g", FieldType::kGeography}, {"iv", FieldType::kInterval}, {"r", FieldType::kRange},
};

std::string TextOf(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull: return "NULL";
    case Value::Kind::kText: return value.text;
    case Value::Kind::kList:
    case Value::Kind::kStruct: break;
  }
  std::string text;
  for (const Value& item : value.items) text += (text.empty() ? "" : ",") + TextOf(item);
  return value.kind == Value::Kind::kList ? "[" + text + "]" : "(" + text + ")";
}

// The rows as texts, or the message.
std::vector<std::string> Read(const std::string& body, const Columns& columns) {
  PageReader reader("rows");
  const Result<Page> page = reader.Open(body);
  if (!page) return {"refused: " + page.error().message};
  std::vector<std::string> rows;
  const Result<> visited = reader.Visit(columns, [&](const Row& row) -> Result<> {
    std::string text;
    for (const Value& value : row) text += (text.empty() ? "" : "|") + TextOf(value);
    rows.push_back(text);
    return {};
  });
  if (!visited) rows.push_back("refused: " + visited.error().message);
  return rows;
}

std::string PageOf(const std::string& rows) { return fmt::format("{{\"rows\":[{}]}}", rows); }

TEST(Rows, EveryTypeArrivesExactly) {
  const std::string row = R"({"f":[{"v":"ü\u0000\""},{"v":"AQID"},{"v":"9223372036854775807"},{"v":"-0.1"},{"v":"true"},{"v":"1794744000123456"},)"
                          R"({"v":"2026-02-03"},{"v":"01:02:03.5"},{"v":"2026-02-03T04:05:06"},{"v":"1.50"},{"v":"-1e-30"},{"v":"{\"a\":1}"},)"
                          R"x({"v":"POINT(1 2)"},{"v":"0-0 1 0:0:0"},{"v":"[1, 2)"}]})x";
  const auto rows = Read(PageOf(row), AllColumns(kAllTypes));
  ASSERT_EQ(rows.size(), 1U);
  const std::string_view unusual("ü\0\"", 4);
  EXPECT_EQ(rows[0], fmt::format("{}|AQID|9223372036854775807|-0.1|true|1794744000123456|2026-02-03|01:02:03.5|2026-02-03T04:05:06|1.50|-1e-30|"
                                 "{}|POINT(1 2)|0-0 1 0:0:0|[1, 2)", unusual, "{\"a\":1}"));
}

TEST(Rows, NullsOfEveryTypeAndNumbersInsteadOfTexts) {
  std::string nulls;
  for (size_t i = 0; i < kAllTypes.size(); ++i) nulls += (i == 0 ? "" : ",") + std::string(R"({"v":null})");
  EXPECT_EQ(Read(PageOf(fmt::format("{{\"f\":[{}]}}", nulls)), AllColumns(kAllTypes)).at(0).substr(0, 14), "NULL|NULL|NULL");
  const Schema numbers = {{"i", FieldType::kInt64}, {"u", FieldType::kInt64}, {"f", FieldType::kFloat64}, {"b", FieldType::kBool}, {"ts", FieldType::kTimestamp}};
  EXPECT_EQ(Read(PageOf(R"({"f":[{"v":-5},{"v":7},{"v":2.5},{"v":false},{"v":1794744000000000}]})"), AllColumns(numbers)).at(0),
            "-5|7|2.5|false|1794744000000000");
}

TEST(Rows, ListsAndStructsNest) {
  const Schema inner = {{"x", FieldType::kInt64}, {"ys", FieldType::kString, Mode::kRepeated}};
  const Schema schema = {{"tags", FieldType::kString, Mode::kRepeated}, {"one", FieldType::kStruct, Mode::kNullable, inner}, {"many", FieldType::kStruct, Mode::kRepeated, inner}};
  const std::string filled = R"({"f":[{"v":[{"v":"a"},{"v":"b"}]},{"v":{"f":[{"v":"1"},{"v":[{"v":"p"}]}]}},)"
                             R"({"v":[{"v":{"f":[{"v":"2"},{"v":[]}]}},{"v":{"f":[{"v":null},{"v":[{"v":"q"},{"v":"r"}]}]}}]}]})";
  const std::string empty = R"({"f":[{"v":[]},{"v":null},{"v":null}]})";
  const std::string again = R"({"f":[{"v":[{"v":"c"}]},{"v":{"f":[{"v":"3"},{"v":[]}]}},{"v":[]}]})";
  // What one row held shows in no other, though its memory is used again.
  EXPECT_EQ(Read(PageOf(fmt::format("{},{},{}", filled, empty, again)), AllColumns(schema)),
            (std::vector<std::string>{"[a,b]|(1,[p])|[(2,[]),(NULL,[q,r])]", "[]|NULL|[]", "[c]|(3,[])|[]"}));
}

TEST(Rows, WhatStandsBesideThemIsRead) {
  PageReader reader("rows");
  const Result<Page> page = reader.Open(
      R"({"jobComplete":true,"pageToken":"next","totalRows":"12","numDmlAffectedRows":3,"totalBytesProcessed":"99",)"
      R"("schema":{"fields":[{"name":"a","type":"INTEGER"},{"name":"r","type":"RECORD","mode":"REPEATED","fields":[{"name":"x","type":"FLOAT"}]}]}})");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_TRUE(page->complete);
  EXPECT_EQ(page->token, "next");
  EXPECT_EQ(page->total_rows, 12U);
  EXPECT_EQ(page->affected_rows, 3U);
  EXPECT_EQ(page->bytes_processed, 99U);
  ASSERT_TRUE(page->schema);
  EXPECT_EQ(page->schema->at(1).fields.at(0).type, FieldType::kFloat64);
  EXPECT_TRUE(reader.Visit(AllColumns(*page->schema), [](const Row&) -> Result<> { return Fail(Code::kFailed, "no row was to come"); }));
  EXPECT_FALSE(reader.Open(R"({"jobComplete":false})")->complete);
}

TEST(Rows, ColumnsAreDeliveredInTheOrderAsked) {
  const Schema schema = {{"a", FieldType::kString}, {"b", FieldType::kString}, {"c", FieldType::kString}};
  const std::vector<std::string> names = {"C", "a"};
  const Result<Columns> columns = SelectColumns(schema, names);
  ASSERT_TRUE(columns);
  EXPECT_EQ(Read(PageOf(R"({"f":[{"v":"1"},{"v":"3"}]})"), *columns), std::vector<std::string>{"3|1"});              // just these, in the table's order
  EXPECT_EQ(Read(PageOf(R"({"f":[{"v":"1"},{"v":"2"},{"v":"3"}]})"), *columns), std::vector<std::string>{"3|1"});    // all of them
  EXPECT_EQ(SelectColumns(schema, std::vector<std::string>{"d"}).error().code, Code::kUsage);
  EXPECT_EQ(SelectColumns(schema, std::vector<std::string>{"a", "A"}).error().code, Code::kUsage);
}

TEST(Rows, AVisitorsErrorIsHandedOnAndEndsTheVisit) {
  PageReader reader("rows");
  ASSERT_TRUE(reader.Open(PageOf(R"({"f":[{"v":"1"}]},{"f":[{"v":"2"}]})")));
  int visits = 0;
  const Result<> visited = reader.Visit(AllColumns({{"a", FieldType::kInt64}}), [&](const Row&) -> Result<> {
    ++visits;
    return Fail(Code::kCorrupt, "mine");
  });
  EXPECT_EQ(visited.error().code, Code::kCorrupt);
  EXPECT_EQ(visited.error().message, "mine");
  EXPECT_EQ(visits, 1);
}

TEST(Rows, WhatIsNoPageIsRefused) {
  std::string deep = "1";
  for (int i = 0; i < 5000; ++i) deep = "[" + deep + "]";
  for (const std::string& body : {std::string(), std::string("<html>"), std::string("[]"), std::string("null"), std::string("{\"rows\":[}"), std::string("{\"a\":\"\xFF\"}"),
                                  "{\"rows\":" + deep + "}", std::string("{\"schema\":{\"fields\":[{\"name\":\"a\",\"type\":\"WAT\"}]}}")}) {
    PageReader reader("rows of t");
    const Result<Page> page = reader.Open(body);
    ASSERT_FALSE(page) << body.substr(0, 40);
    EXPECT_EQ(page.error().message.substr(0, 11), "rows of t: ");
  }
}

TEST(Rows, WhatIsNoRowIsRefusedWithItsPlaceAndWithoutItsValue) {
  const Schema schema = {{"key", FieldType::kInt64}, {"tags", FieldType::kString, Mode::kRepeated}, {"rec", FieldType::kStruct, Mode::kNullable, {{"x", FieldType::kDate}}}};
  const std::string good = R"({"f":[{"v":"1"},{"v":[]},{"v":null}]})";
  const struct {
    std::string row, problem;
  } cases[] = {
      {R"(7)", "it is no object with a list \"f\""},
      {R"({"f":7})", "it is no object with a list \"f\""},
      {R"({})", "it is no object with a list \"f\""},
      {R"({"f":[{"v":"1"}]})", "it has 1 columns, and 3 were to come"},
      {R"({"f":[{"w":"1"},{"v":[]},{"v":null}]})", "its column key has no \"v\""},
      {R"({"f":["1",{"v":[]},{"v":null}]})", "its column key has no \"v\""},
      {R"({"f":[{"v":"s3cret"},{"v":[]},{"v":null}]})", "its column key holds no INT64"},
      {R"({"f":[{"v":{"f":[]}},{"v":[]},{"v":null}]})", "its column key holds no scalar value"},
      {R"({"f":[{"v":1.5},{"v":[]},{"v":null}]})", "its column key holds no scalar value"},
      {R"({"f":[{"v":"1"},{"v":"s3cret"},{"v":null}]})", "its column tags is REPEATED and holds no list"},
      {R"({"f":[{"v":"1"},{"v":["s3cret"]},{"v":null}]})", "its column tags has an element without \"v\""},
      {R"({"f":[{"v":"1"},{"v":[]},{"v":"s3cret"}]})", "its column rec is a STRUCT and holds no object with a list \"f\""},
      {R"({"f":[{"v":"1"},{"v":[]},{"v":{"f":[]}}]})", "its column rec has another number of fields than its schema"},
      {R"({"f":[{"v":"1"},{"v":[]},{"v":{"f":[{"v":"s3cret"}]}}]})", "its column x holds no DATE"},
  };
  for (const auto& [row, problem] : cases) {
    const auto rows = Read(PageOf(fmt::format("{},{}", good, row)), AllColumns(schema));
    ASSERT_EQ(rows.size(), 2U) << row;
    EXPECT_EQ(rows[1], "refused: rows: row 2 of a page makes no sense: " + problem);
  }
  EXPECT_EQ(Read("{\"rows\":7}", AllColumns(schema)).at(0), "refused: rows: a page of rows holds no list of rows");
  EXPECT_TRUE(Read("{\"rows\":null}", AllColumns(schema)).empty());
}

}  // namespace
}  // namespace reeve::bigquery
