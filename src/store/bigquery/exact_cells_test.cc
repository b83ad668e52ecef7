#include "store/bigquery/exact_cells.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace reeve::store {
namespace {

using catalog::Cell;
using catalog::Column;
using catalog::RowBatch;
using catalog::Type;

constexpr Column kJson = {.name = "metadata", .type = Type::kJson};
constexpr Column kArray = {.name = "scopes", .type = Type::kStrings};

std::optional<std::string> RestoredWith(const Column& column, std::optional<std::string> stored, const std::optional<std::string>& exact) {
  return Restored(column, std::move(stored), &exact);
}

TEST(JsonForm, IsOneTextForAllThatBigQueryKeepsAlike) {
  struct Case {
    std::string_view text, form;
  };
  const Case cases[] = {
      {" { \"b\" : [ 1 , 2 ] , \"a\" : null } ", R"({"a":null,"b":[1,2]})"},
      {R"({"a":1,"a":2})", R"({"a":1})"},
      {R"({"a":1,"\u0061":2})", R"({"a":1})"},
      {R"("\u00e9\/\n")", "\"\xC3\xA9/\\n\""},
      {"1.0", "1"},
      {"-0", "0"},
      {"-0.0", "0"},
      {"1e16", "10000000000000000"},
      {"0.10", "0.1"},
      {"9223372036854775807", "9223372036854775807"},
      {"18446744073709551615", "18446744073709551615"},
      {"100000000000000000000", "1e+20"},
      {"1E+20", "1e+20"},
      {"[]", "[]"},
      {"{}", "{}"},
      {"true", "true"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(JsonForm(one.text), one.form) << one.text;
    EXPECT_EQ(JsonForm(one.form), one.form) << "the form of a form is itself";
  }
}

TEST(JsonForm, ThereIsNoneForWhatBigQueryDoesNotKeep) {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  for (const std::string& text : {std::string(), std::string("{"), std::string("1e999"), std::string("nul"), std::string("\"\xFF\""), deep})
    EXPECT_FALSE(JsonForm(text)) << text;
}

TEST(ExactCells, ATextComesBackByteForByteWhateverFormTheEngineGivesIt) {
  const std::string text = "{\"b\": 1.50, \"a\": \"x\"}";
  EXPECT_TRUE(NeedsExactText(kJson, Cell::Text(text)));
  EXPECT_EQ(RestoredWith(kJson, R"({"a":"x","b":1.5})", text), text);
  EXPECT_EQ(RestoredWith(kJson, R"({ "b":15e-1, "a":"x" })", text), text);
}

TEST(ExactCells, WhatSomebodyChangedInTheColumnCounts) {
  EXPECT_EQ(RestoredWith(kJson, R"({"a":2})", "{\"a\": 1}"), R"({"a":2})");
  EXPECT_EQ(RestoredWith(kJson, std::nullopt, "{\"a\": 1}"), std::nullopt);
  EXPECT_EQ(RestoredWith(kArray, R"(["x"])", std::nullopt), R"(["x"])");
}

TEST(ExactCells, ATextInItsFormNeedsNoSecondOne) {
  EXPECT_FALSE(NeedsExactText(kJson, Cell::Text(R"({"a":1,"b":2})")));
  EXPECT_FALSE(NeedsExactText(kJson, Cell::Null()));
  EXPECT_FALSE(NeedsExactText(kArray, Cell::Text(R"(["a","b"])")));
  EXPECT_EQ(Restored(kJson, R"({ "b":2, "a":1 })", nullptr), R"({"a":1,"b":2})") << "an engine may print it otherwise";
}

TEST(ExactCells, AnArrayThatIsNullIsNotAnEmptyOne) {
  EXPECT_TRUE(NeedsExactText(kArray, Cell::Null()));
  EXPECT_EQ(RestoredWith(kArray, "[]", std::nullopt), std::nullopt);
  EXPECT_EQ(Restored(kArray, "[]", nullptr), "[]");
  EXPECT_EQ(RestoredWith(kArray, R"(["a","b"])", R"(["a", "b"])"), R"(["a", "b"])");
}

TEST(ExactCells, ARowIsNamedByItsNaturalKey) {
  RowBatch usage(catalog::Usage());
  const auto row = usage.AddRow();
  row[catalog::Usage().Index("tenant_id")] = Cell::Text("a\"b");
  row[catalog::Usage().Index("usage_month")] = Cell::Int(20'089);
  EXPECT_EQ(ExactRowKey(catalog::Usage(), row), R"(["a\"b","2025-01-01"])");
}

TEST(Unstorable, SaysWhatBigQueryCouldNotHold) {
  const catalog::Table& table = catalog::Subscriptions();
  RowBatch rows(table);
  const auto row = rows.AddRow();
  EXPECT_EQ(Unstorable(table, row), "");
  row[table.Index("plan_name")] = Cell::Text("\xFF");
  EXPECT_EQ(Unstorable(table, row), "plan_name is no text that BigQuery keeps");
  row[table.Index("plan_name")] = Cell::Text("starter");
  row[table.Index("monthly_cost_usd")] = Cell::Int(9'999'999'999);
  EXPECT_EQ(Unstorable(table, row), "");
  row[table.Index("monthly_cost_usd")] = Cell::Int(10'000'000'000);
  EXPECT_EQ(Unstorable(table, row), "monthly_cost_usd has too many digits");
  row[table.Index("monthly_cost_usd")] = Cell::Null();
  row[table.Index("created_at")] = Cell::Int(kTimeMax + 1);
  EXPECT_EQ(Unstorable(table, row), "created_at is no time that BigQuery keeps");
}

}  // namespace
}  // namespace reeve::store
