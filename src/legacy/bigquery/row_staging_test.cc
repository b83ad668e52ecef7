#include "legacy/bigquery/row_staging.h"

#include <gtest/gtest.h>

#include "legacy/bigquery/schema_text.h"

namespace reeve::legacy {
namespace {

using bigquery::FieldType;
using bigquery::Mode;
using bigquery::Schema;

const Schema kKeys = {{.name = "api_key_id", .mode = Mode::kRequired},
                      {.name = "enc", .type = FieldType::kBytes},
                      {.name = "created_at", .type = FieldType::kTimestamp},
                      {.name = "n", .type = FieldType::kInt64},
                      {.name = "scopes", .mode = Mode::kRepeated},
                      {.name = "meta", .type = FieldType::kJson},
                      {.name = "rec", .type = FieldType::kStruct, .fields = {{.name = "a"}}}};

TEST(RowStaging, RowsBecomeTextsThatLoadEverywhereAlike) {
  const auto row = StagedRow(kKeys, R"({"api_key_id":"k","enc":"AQID","created_at":"2025-01-01T10:00:00.5Z","n":"7","scopes":["a","b"],"meta":{"x":1.0},"rec":{"a":"b"}})");
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_EQ(*row, R"({"c0":"k","c1":"AQID","c2":"2025-01-01 10:00:00.500000+00","c3":"7","c4":"[\"a\",\"b\"]","c5":"{\"x\":1.0}","c6":{"a":"b"}})"
                  "\n");
}

TEST(RowStaging, NumbersAndBooleansMayBeWrittenEitherWay) {
  const Schema schema = {{.name = "n", .type = FieldType::kInt64}, {.name = "b", .type = FieldType::kBool}, {.name = "s"}};
  EXPECT_EQ(*StagedRow(schema, R"({"n":7,"b":true,"s":"x"})"), "{\"c0\":\"7\",\"c1\":\"true\",\"c2\":\"x\"}\n");
  EXPECT_EQ(*StagedRow(schema, R"({"n":"7","b":"true"})"), "{\"c0\":\"7\",\"c1\":\"true\"}\n");
}

TEST(RowStaging, NullIsLeftOutAndColumnsAreFoundInAnyCase) {
  EXPECT_EQ(*StagedRow(kKeys, R"({"API_KEY_ID":"k","n":null})"), "{\"c0\":\"k\"}\n");
}

TEST(RowStaging, JsonAsTextOfAnExportIsTheValueItHolds) {
  const Schema schema = {{.name = "j", .type = FieldType::kJson}};
  EXPECT_EQ(*StagedRow(schema, R"({"j":"{\"a\":1}"})"), "{\"c0\":\"{\\\"a\\\":1}\"}\n");
  EXPECT_EQ(*StagedRow(schema, R"({"j":"plain"})"), "{\"c0\":\"\\\"plain\\\"\"}\n");
}

TEST(RowStaging, WhatDoesNotFitIsAnErrorThatNamesTheColumnAndNoValue) {
  const struct {
    const char* line;
    const char* message;
  } cases[] = {{"[]", "no JSON object"},
               {R"({"other":"s3cret"})", "the table has no column other"},
               {R"({"created_at":"s3cret"})", "the value of column created_at is no TIMESTAMP"},
               {R"({"api_key_id":{"a":"s3cret"}})", "the value of column api_key_id is no STRING"},
               {R"({"scopes":"s3cret"})", "the value of column scopes is no ARRAY<STRING>"}};
  for (const auto& each : cases) {
    const auto row = StagedRow(kKeys, each.line);
    ASSERT_FALSE(row) << each.line;
    EXPECT_EQ(row.error().message, each.message);
  }
}

TEST(RowStaging, TheStagingTableRequiresNothingAndHoldsTexts) {
  const Schema staging = StagingSchema(kKeys);
  ASSERT_EQ(staging.size(), kKeys.size());
  for (size_t i = 0; i < staging.size(); ++i) {
    EXPECT_EQ(staging[i].name, fmt::format("c{}", i));
    EXPECT_EQ(staging[i].mode, Mode::kNullable);
    EXPECT_EQ(staging[i].type, i == 6 ? FieldType::kStruct : FieldType::kString);
  }
}

TEST(RowStaging, OneScriptSwapsAllRowsOrNone) {
  const bigquery::TableId table{"p", "acme", "t"}, staging{"p", "acme", "stage"};
  EXPECT_EQ(SwapScript(kKeys, table, &staging),
            "BEGIN TRANSACTION;\nDELETE FROM `p.acme.t` WHERE TRUE;\n"
            "INSERT INTO `p.acme.t` (`api_key_id`, `enc`, `created_at`, `n`, `scopes`, `meta`, `rec`)\n"
            "SELECT c0, FROM_BASE64(c1), CAST(c2 AS TIMESTAMP), CAST(c3 AS INT64), JSON_VALUE_ARRAY(PARSE_JSON(c4)), PARSE_JSON(c5), c6\n"
            "FROM `p.acme.stage`;\nCOMMIT TRANSACTION;");
  EXPECT_EQ(SwapScript(kKeys, table, nullptr), "DELETE FROM `p.acme.t` WHERE TRUE");
  const Schema numbers = {{.name = "n", .type = FieldType::kInt64, .mode = Mode::kRepeated}};
  EXPECT_NE(SwapScript(numbers, table, &staging)
                .find("ARRAY(SELECT CAST(item AS INT64) FROM UNNEST(JSON_VALUE_ARRAY(PARSE_JSON(c0))) AS item WITH OFFSET AS place ORDER BY place)"),
            std::string::npos);
}

TEST(SchemaText, WhatBqShowPrintsIsReadAndWrittenBack) {
  const auto schema = ParseSchemaJson(
      R"([{"mode":"REQUIRED","name":"id","type":"STRING","description":"the id"},{"name":"n","type":"INTEGER"},{"name":"p","type":"NUMERIC","precision":"10","scale":"2"},
          {"name":"r","type":"RECORD","mode":"REPEATED","fields":[{"name":"a","type":"FLOAT"}]},{"name":"d","type":"BOOL","defaultValueExpression":"TRUE","policyTags":{}}])");
  ASSERT_TRUE(schema) << schema.error().message;
  EXPECT_EQ((*schema)[3].fields[0].type, FieldType::kFloat64);
  EXPECT_EQ(SqlType((*schema)[3]), "ARRAY<STRUCT<`a` FLOAT64>>");
  const auto again = ParseSchemaJson(SchemaJson(*schema));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *schema);
  EXPECT_TRUE(ParseSchemaJson(R"({"fields":[{"name":"a","type":"STRING"}]})"));
  for (const char* bad : {"", "{}", "[1]", R"([{"type":"STRING"}])", R"([{"name":"a","type":"BLOB"}])"}) EXPECT_FALSE(ParseSchemaJson(bad)) << bad;
}

TEST(SchemaText, RowsWithoutASchemaSayWhatTheirColumnsAre) {
  const auto schema = SchemaOfRows("{\"a\":null,\"b\":true}\n\n{\"a\":\"x\",\"n\":7,\"f\":1.5,\"l\":[\"x\"],\"m\":[1],\"o\":{}}\n");
  ASSERT_TRUE(schema) << schema.error().message;
  std::string text;
  for (const auto& field : *schema) text += field.name + " " + SqlType(field) + ", ";
  EXPECT_EQ(text, "b BOOL, a STRING, n INT64, f FLOAT64, l ARRAY<STRING>, m JSON, o JSON, ");
  const auto bad = SchemaOfRows("{}\nnope\n");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "line 2 is no JSON object");
}

}  // namespace
}  // namespace reeve::legacy
