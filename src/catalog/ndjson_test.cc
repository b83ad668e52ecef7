#include "catalog/ndjson.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/encoding.h"
#include "catalog/json_scan.h"

namespace reeve::catalog {
namespace {

std::string Print(const RowBatch& rows) {
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) AppendRow(rows.table(), rows.Row(i), &text);
  return text;
}

void Set(RowBatch* rows, std::string_view column, Cell cell) { rows->Row(rows->size() - 1)[rows->table().Index(column)] = cell; }

TEST(Ndjson, ARowIsOneLineInCatalogOrderWithoutNulls) {
  RowBatch rows(Subscriptions());
  rows.AddRow();
  Set(&rows, "created_at", Cell::Int(1'500'000));
  Set(&rows, "subscription_id", Cell::Text("sub_1"));
  Set(&rows, "plan_name", Cell::Text("a \"b\"\n"));
  Set(&rows, "monthly_pipeline_quota", Cell::Int(std::numeric_limits<int64_t>::max()));
  Set(&rows, "monthly_cost_usd", Cell::Int(-5));
  Set(&rows, "billing_cycle_start", Cell::Int(0));
  Set(&rows, "auto_renew", Cell::Int(0));
  EXPECT_EQ(Print(rows),
            "{\"subscription_id\":\"sub_1\",\"plan_name\":\"a \\\"b\\\"\\n\",\"monthly_pipeline_quota\":\"9223372036854775807\","
            "\"monthly_cost_usd\":\"-0.05\",\"billing_cycle_start\":\"1970-01-01\",\"auto_renew\":false,"
            "\"created_at\":\"1970-01-01 00:00:01.500000 UTC\"}\n");
}

TEST(Ndjson, BytesAreBase64AndJsonStaysAsItIs) {
  RowBatch rows(Credentials());
  rows.AddRow();
  Set(&rows, "encrypted_credentials", Cell::Text(std::string_view("\0\xff", 2)));
  Set(&rows, "scopes", Cell::Text(R"(["a","b"])"));
  Set(&rows, "metadata", Cell::Text("{\"b\": 1.50,\n\"a\":\"\\u00e9\"}"));
  EXPECT_EQ(Print(rows),
            "{\"encrypted_credentials\":\"AP8=\",\"scopes\":[\"a\",\"b\"],\"metadata\":{\"b\": 1.50, \"a\":\"\\u00e9\"}}\n");
}

constexpr std::string_view kUsage =
    R"({"usage_id":"u","customer_id":"c","tenant_id":"t","usage_month":"2026-11-01","pipelines_run_count":"7",)"
    R"("pipelines_running_count":"0","storage_used_gb":"0.00","compute_hours":"12.34","api_requests_count":"0",)"
    R"("quota_reset_at":"2026-12-01 00:00:00 UTC","created_at":"2026-11-22 18:03:00.000001 UTC",)"
    R"("updated_at":"2026-11-22 18:03:00 UTC"})";

TEST(Ndjson, ReadsWhatItWrites) {
  RowBatch rows(Usage());
  ASSERT_TRUE(ParseRow(kUsage, &rows));
  EXPECT_EQ(Print(rows), fmt::format("{}\n", kUsage));
  EXPECT_EQ(rows.Row(0)[Usage().Index("compute_hours")].num, 1234);
  EXPECT_TRUE(rows.Row(0)[Usage().Index("last_pipeline_run_at")].is_null);
}

TEST(Ndjson, ReadsAnyOrderNullsAndSpaces) {
  RowBatch rows(ReeveFindings());
  ASSERT_TRUE(ParseRow(" { \"subject\" : \"\" , \"detail\":null,\"code\":\"c\\u0065\\ud83d\\ude00\\/\" ,\"tenant_id\":\"t\" } ", &rows));
  EXPECT_EQ(Print(rows), "{\"tenant_id\":\"t\",\"code\":\"ce\xF0\x9F\x98\x80/\",\"subject\":\"\"}\n");
}

TEST(Ndjson, RefusesWhatItCannotKeepAndLeavesTheBatchAlone) {
  const struct {
    std::string line;
    std::string_view reason;
  } cases[] = {
      {R"({"key":"a","key":"b"})", "key occurs twice"},
      {R"({"key":"a","k\u0065y":"b"})", "key occurs twice"},
      {R"({"key":"a","x":1})", "reeve_meta has no column x"},
      {R"({"value":"a"})", "key is missing"},
      {R"({"key":null})", "key is missing"},
      {R"({"key":1})", "key is no text"},
      {R"({"key":"a\u0000"})", "key holds U+0000"},
      {R"({"key":"a"} x)", "the line is no JSON object"},
      {R"({"key":"a",})", "the line is no JSON object"},
      {R"({"key":"a)", "the line is no JSON object"},
      {R"({"key":"\ud800"})", "the line is no JSON object"},
      {R"({"key":"\x"})", "the line is no JSON object"},
      {"{\"key\":\"\x01\"}", "the line is no JSON object"},
      {"{\"key\":\"\xff\"}", "the line is no JSON object"},
      {R"({"key":01})", "the line is no JSON object"},
      {R"({"key":nul})", "the line is no JSON object"},
      {"[]", "the line is no JSON object"},
      {"", "the line is no JSON object"},
  };
  for (const auto& c : cases) {
    RowBatch rows(ReeveMeta());
    ASSERT_TRUE(ParseRow(R"({"key":"kept"})", &rows));
    const auto parsed = ParseRow(c.line, &rows);
    ASSERT_FALSE(parsed) << c.line;
    EXPECT_EQ(parsed.error().message, c.reason) << c.line;
    EXPECT_EQ(Print(rows), "{\"key\":\"kept\"}\n");
  }
}

TEST(Ndjson, RefusesValuesOfAnotherType) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"usage_month", R"("2026-02-30")"},      {"pipelines_run_count", R"("9223372036854775808")"},
      {"pipelines_run_count", "1.0"},          {"storage_used_gb", R"("1.234")"},
      {"storage_used_gb", R"("10000000000000.00")"}, {"compute_hours", "true"},
      {"created_at", "1"},                     {"created_at", R"("2026-11-22 24:00:00 UTC")"},
      {"tenant_id", "[]"},                     {"tenant_id", "{}"},
  };
  for (const auto& [column, value] : cases) {
    std::string line(kUsage);
    const size_t at = line.find(fmt::format("\"{}\":", column)) + column.size() + 3;
    const size_t end = line.find_first_of(",}", at);
    line.replace(at, end - at, value);
    RowBatch rows(Usage());
    const auto parsed = ParseRow(line, &rows);
    ASSERT_FALSE(parsed) << line;
    EXPECT_TRUE(parsed.error().message.starts_with(column)) << parsed.error().message;
    EXPECT_TRUE(rows.empty());
  }
}

TEST(Ndjson, NestingHasALimit) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(IsJson(nested(kJsonDepthMax)));
  EXPECT_FALSE(IsJson(nested(kJsonDepthMax + 1)));
  EXPECT_FALSE(IsJson(nested(1'000'000)));
}

TEST(Ndjson, RandomBytesNeverCrashTheReader) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string line(kUsage);
    for (int change = 0; change < 3; ++change) {
      const size_t at = random() % line.size();
      if (random() % 2 == 0) line[at] = static_cast<char>(random());
      if (random() % 4 == 0) line.resize(at);
      if (line.empty()) break;
    }
    RowBatch rows(Usage());
    (void)ParseRow(line, &rows);
    EXPECT_LE(rows.size(), 1u);
  }
}

TEST(Numeric, KeepsEveryDigitOrRefuses) {
  EXPECT_EQ(ParseNumeric("499.00", 2), 49900);
  EXPECT_EQ(ParseNumeric("-0.5", 2), -50);
  EXPECT_EQ(ParseNumeric("7", 2), 700);
  for (const char* bad : {"", "-", ".5", "5.", "1.234", "1e3", "+1", "1 ", "--1", "1.-2", "99999999999999999999"}) {
    EXPECT_EQ(ParseNumeric(bad, 2), std::nullopt) << bad;
  }
  EXPECT_EQ(FormatNumeric(49900, 2), "499.00");
  EXPECT_EQ(FormatNumeric(-5, 2), "-0.05");
  EXPECT_EQ(FormatNumeric(5, 0), "5");
  EXPECT_EQ(FormatNumeric(std::numeric_limits<int64_t>::min(), 2), "-92233720368547758.08");
}

TEST(Strings, AreAJsonArrayOfTexts) {
  const std::vector<std::string> values = {"a", "b\"\\", ""};
  const std::string json = StringsToJson(values);
  EXPECT_EQ(json, "[\"a\",\"b\\\"\\\\\",\"\"]");
  EXPECT_EQ(StringsFromJson(json), values);
  EXPECT_EQ(StringsFromJson("[]"), std::vector<std::string>());
  for (const char* bad : {"[1]", "[null]", "[\"a\",]", "{}", "[\"a\"]x", "", "[\"a\\u0000\"]"}) {
    EXPECT_EQ(StringsFromJson(bad), std::nullopt) << bad;
  }
}

TEST(RowBatch, TextsStayWhereTheyAreWhenItMoves) {
  RowBatch rows(ReeveMeta());
  rows.AddRow();
  const std::string large(100'000, 'x');
  Set(&rows, "key", rows.Own("short"));
  Set(&rows, "value", rows.Own(large));
  RowBatch moved = std::move(rows);
  for (int i = 0; i < 1000; ++i) (void)moved.Own(large);
  EXPECT_EQ(moved.Row(0)[0].text, "short");
  EXPECT_EQ(moved.Row(0)[1].text, large);
}

}  // namespace
}  // namespace reeve::catalog
