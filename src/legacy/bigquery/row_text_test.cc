#include "legacy/bigquery/row_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>

namespace reeve::legacy {
namespace {

using bigquery::Field;
using bigquery::FieldType;
using bigquery::Mode;
using bigquery::Row;
using bigquery::Schema;
using bigquery::Value;

Value Text(std::string text) { return {Value::Kind::kText, std::move(text), {}}; }
Value List(std::vector<Value> items) { return {Value::Kind::kList, {}, std::move(items)}; }
Value Struct(std::vector<Value> items) { return {Value::Kind::kStruct, {}, std::move(items)}; }

struct Case {
  Field field;
  Value value;
  std::string json;
};

std::vector<Case> Cases() {
  const Field record{.name = "f", .type = FieldType::kStruct, .fields = {{.name = "a", .type = FieldType::kInt64}, {.name = "b"}}};
  Field records = record;
  records.mode = Mode::kRepeated;
  return {
      {{.name = "f"}, {}, "{}"},
      {{.name = "f"}, Text("ü \"q\" \\ \x01\n"), "{\"f\":\"ü \\\"q\\\" \\\\ \\u0001\\n\"}"},
      {{.name = "f", .type = FieldType::kInt64}, Text("-9223372036854775808"), R"({"f":"-9223372036854775808"})"},
      {{.name = "f", .type = FieldType::kFloat64}, Text("1.50"), R"({"f":1.50})"},
      {{.name = "f", .type = FieldType::kFloat64}, Text("NaN"), R"({"f":"NaN"})"},
      {{.name = "f", .type = FieldType::kFloat64}, Text("-Infinity"), R"({"f":"-Infinity"})"},
      {{.name = "f", .type = FieldType::kBool}, Text("true"), R"({"f":true})"},
      {{.name = "f", .type = FieldType::kBool}, Text("TRUE"), R"({"f":"TRUE"})"},
      {{.name = "f", .type = FieldType::kBytes}, Text("AQID"), R"({"f":"AQID"})"},
      {{.name = "f", .type = FieldType::kNumeric}, Text("0.10"), R"({"f":"0.10"})"},
      {{.name = "f", .type = FieldType::kDate}, Text("2025-01-02"), R"({"f":"2025-01-02"})"},
      {{.name = "f", .type = FieldType::kTimestamp}, Text("1735725600123456"), R"({"f":"2025-01-01 10:00:00.123456 UTC"})"},
      {{.name = "f", .type = FieldType::kTimestamp}, Text("1735725600000000"), R"({"f":"2025-01-01 10:00:00 UTC"})"},
      {{.name = "f", .type = FieldType::kTimestamp}, Text("-1"), R"({"f":"1969-12-31 23:59:59.999999 UTC"})"},
      {{.name = "f", .type = FieldType::kTimestamp}, Text("-62135596800000000"), R"({"f":"0001-01-01 00:00:00 UTC"})"},
      {{.name = "f", .type = FieldType::kTimestamp}, Text("253402300799999999"), R"({"f":"9999-12-31 23:59:59.999999 UTC"})"},
      {{.name = "f", .type = FieldType::kTimestamp}, Text("2025-01-01 10:00:00+00"), R"({"f":"2025-01-01 10:00:00+00"})"},
      {{.name = "f", .type = FieldType::kTimestamp}, Text("99999999999999999999"), R"({"f":"99999999999999999999"})"},
      {{.name = "f", .type = FieldType::kJson}, Text("{\"a\": 1.0,\n\"b\":[]}"), "{\"f\":{\"a\": 1.0, \"b\":[]}}"},
      {{.name = "f", .type = FieldType::kJson}, Text("\"x\""), R"({"f":"x"})"},
      {{.name = "f", .type = FieldType::kJson}, Text("{broken"), R"({"f":"{broken"})"},
      {{.name = "f", .mode = Mode::kRepeated}, List({Text("a"), Text("b")}), R"({"f":["a","b"]})"},
      {{.name = "f", .mode = Mode::kRepeated}, List({}), R"({"f":[]})"},
      {record, Struct({Text("1"), {}}), R"({"f":{"a":"1"}})"},
      {record, Struct({{}, {}}), R"({"f":{}})"},
      {records, List({Struct({Text("1"), Text("x")}), Struct({{}, Text("y")})}), R"({"f":[{"a":"1","b":"x"},{"b":"y"}]})"},
      {{.name = "odd \"name\""}, Text("v"), R"({"odd \"name\"":"v"})"},
  };
}

TEST(RowText, EveryTypeIsWrittenAsBqExtractWritesItOnBothPaths) {
  const std::vector<uint16_t> first = {0};
  for (const Case& each : Cases()) {
    std::string for_copier, for_verifier;
    AppendRowForCopier({each.field}, {each.value}, first, &for_copier);
    AppendRowForVerifier({each.field}, {each.value}, first, &for_verifier);
    EXPECT_EQ(for_copier, each.json);
    EXPECT_EQ(for_verifier, each.json);
  }
}

TEST(RowText, OnlyTheColumnsOfTheTableInItsOrder) {
  const Schema schema = {{.name = "reeve_table"}, {.name = "a"}, {.name = "b"}, {.name = "c"}};
  const Row row = {Text("0"), Text("1"), Text("2"), {}};
  for (AppendRow* const append : {&AppendRowForCopier, &AppendRowForVerifier}) {
    std::string text;
    append(schema, row, std::vector<uint16_t>{2, 3, 1}, &text);
    EXPECT_EQ(text, R"({"b":"2","a":"1"})");
  }
}

TEST(RowText, BothPathsSayTheSameOfRandomRows) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  const std::string pieces[] = {"", "a", "\"", "\\", "\n", "\x1f", "ü", "€", "😀", "/", "{", "]", " ", "9"};
  for (int round = 0; round < 2'000; ++round) {
    Schema schema;
    Row row;
    std::vector<uint16_t> positions;
    for (uint16_t i = 0; i < 6; ++i) {
      Field field{.name = fmt::format("c{}", i), .type = static_cast<FieldType>(random() % 15)};
      std::string text;
      for (auto n = random() % 8; n > 0; --n) text += pieces[random() % std::size(pieces)];
      if (field.type == FieldType::kTimestamp) text = std::to_string(static_cast<int64_t>(random() % 500'000'000'000'000'000) - 200'000'000'000'000'000);
      schema.push_back(field);
      row.push_back(random() % 4 == 0 ? Value() : Text(text));
      positions.push_back(i);
    }
    std::string for_copier, for_verifier;
    AppendRowForCopier(schema, row, positions, &for_copier);
    AppendRowForVerifier(schema, row, positions, &for_verifier);
    ASSERT_EQ(for_copier, for_verifier);
    boost::json::error_code error;
    (void)boost::json::parse(for_copier, error);
    ASSERT_FALSE(error) << for_copier;
    ASSERT_EQ(for_copier.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace reeve::legacy
