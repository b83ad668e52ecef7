#include "drivers/bigquery/values.h"

#include <gtest/gtest.h>

#include <cmath>

namespace reeve::bigquery {
namespace {

Value Of(std::string text) { return Value{Value::Kind::kText, std::move(text)}; }

TEST(Values, EachTypeHasOneForm) {
  const struct {
    FieldType type;
    std::string sent, kept;
  } cases[] = {
      {FieldType::kInt64, "-9223372036854775808", "-9223372036854775808"},
      {FieldType::kInt64, "9223372036854775807", "9223372036854775807"},
      {FieldType::kFloat64, "1.5e-300", "1.5e-300"},
      {FieldType::kFloat64, "0.1", "0.1"},
      {FieldType::kFloat64, "NaN", "NaN"},
      {FieldType::kFloat64, "+Inf", "Infinity"},
      {FieldType::kFloat64, "-Infinity", "-Infinity"},
      {FieldType::kBool, "true", "true"},
      {FieldType::kBool, "false", "false"},
      {FieldType::kTimestamp, "1794744000123456", "1794744000123456"},
      {FieldType::kTimestamp, "-62135596800000000", "-62135596800000000"},
      {FieldType::kTimestamp, "253402300799999999", "253402300799999999"},
      {FieldType::kTimestamp, "2026-11-15 12:00:00+00", "1794744000000000"},        // nested, by the emulator
      {FieldType::kTimestamp, "2026-11-15 12:00:00.123456 UTC", "1794744000123456"},
      {FieldType::kDate, "0001-01-01", "0001-01-01"},
      {FieldType::kTime, "23:59:59.999999", "23:59:59.999999"},
      {FieldType::kTime, "00:00:00", "00:00:00"},
      {FieldType::kDatetime, "2026-02-03T04:05:06.7", "2026-02-03T04:05:06.7"},
      {FieldType::kDatetime, "2026-02-03 04:05:06", "2026-02-03T04:05:06"},
      {FieldType::kNumeric, "-99999999999999999999999999999.999999999", "-99999999999999999999999999999.999999999"},
      {FieldType::kNumeric, "1e2", "1e2"},
      {FieldType::kBignumeric, ".5", ".5"},
      {FieldType::kBytes, "", ""},
      {FieldType::kBytes, "AQID", "AQID"},
      {FieldType::kString, std::string("a\0ü", 4), std::string("a\0ü", 4)},
      {FieldType::kJson, "{\"a\": [1]}", "{\"a\": [1]}"},
      {FieldType::kGeography, "POINT(1 2)", "POINT(1 2)"},
      {FieldType::kInterval, "1-2 3 4:5:6", "1-2 3 4:5:6"},
      {FieldType::kRange, "[2026-01-01, UNBOUNDED)", "[2026-01-01, UNBOUNDED)"},
  };
  for (const auto& [type, sent, kept] : cases) {
    std::string text = sent;
    EXPECT_TRUE(Normalise(type, &text)) << NameOf(type) << ' ' << sent;
    EXPECT_EQ(text, kept) << NameOf(type);
  }
}

TEST(Values, WhatIsNoValueOfTheTypeIsRefused) {
  const struct {
    FieldType type;
    std::vector<std::string> texts;
  } cases[] = {
      {FieldType::kInt64, {"", "9223372036854775808", "1.0", " 1", "0x1", "1e3"}},
      {FieldType::kFloat64, {"", "1e999", "one", "1,5", "0x1p3"}},
      {FieldType::kBool, {"", "True", "1", "yes"}},
      // Seconds with a fraction have lost their microseconds: never taken for a time.
      {FieldType::kTimestamp, {"", "1.7E9", "1700000000.5", "253402300800000000", "-62135596800000001", "2026-02-30 00:00:00 UTC", "now"}},
      {FieldType::kDate, {"", "2026-2-3", "2026-02-30", "2026-02-03T00:00:00"}},
      {FieldType::kTime, {"", "24:00:00", "1:02:03", "01:02", "01:02:03.1234567", "01:02:03Z"}},
      {FieldType::kDatetime, {"", "2026-02-03", "2026-02-03T04:05:06Z", "2026-02-03X04:05:06", "2026-02-31T04:05:06"}},
      {FieldType::kNumeric, {"", "-", ".", "1.", "e5", "1e", "NaN", "1 000", "1.2.3"}},
      {FieldType::kBytes, {"A", "AQ=", "AQIDA===", "A_-B", "AR=="}},
      {FieldType::kStruct, {"x"}},
  };
  for (const auto& [type, texts] : cases)
    for (std::string text : texts) {
      if (type == FieldType::kNumeric && text == "1.") continue;  // a digit before the point is enough
      const std::string sent = text;
      EXPECT_FALSE(Normalise(type, &text)) << NameOf(type) << " '" << sent << "'";
    }
}

TEST(Values, AreRead) {
  EXPECT_EQ(AsInt64(Of("-7")), -7);
  EXPECT_EQ(AsDouble(Of("0.1")), 0.1);
  EXPECT_TRUE(std::isnan(*AsDouble(Of("NaN"))));
  EXPECT_EQ(AsDouble(Of("-Infinity")), -HUGE_VAL);
  EXPECT_EQ(AsBool(Of("true")), true);
  EXPECT_EQ(AsTime(Of("1794744000123456")), 1794744000123456);
  EXPECT_EQ(AsDate(Of("1970-01-02")), 1);
  EXPECT_EQ(AsBytes(Of("AQID")), "\x01\x02\x03");
  EXPECT_EQ(AsText(Of("x")), "x");
  const Value null;
  EXPECT_FALSE(AsInt64(null) || AsDouble(null) || AsBool(null) || AsTime(null) || AsDate(null) || AsBytes(null) || AsText(null));
  EXPECT_FALSE(AsInt64(Of("x")) || AsBool(Of("maybe")) || AsBytes(Of("?")));
}

TEST(Types, NamesOfBothKindsAreKnownAndTheStandardOneIsWritten) {
  EXPECT_EQ(ParseFieldType("INTEGER"), FieldType::kInt64);
  EXPECT_EQ(ParseFieldType("float"), FieldType::kFloat64);
  EXPECT_EQ(ParseFieldType("BOOLEAN"), FieldType::kBool);
  EXPECT_EQ(ParseFieldType("RECORD"), FieldType::kStruct);
  EXPECT_FALSE(ParseFieldType("FOREIGN"));
  EXPECT_FALSE(ParseFieldType(""));
  for (int i = 0; i <= static_cast<int>(FieldType::kStruct); ++i) {
    const auto type = static_cast<FieldType>(i);
    EXPECT_EQ(ParseFieldType(NameOf(type)), type);
  }
  EXPECT_EQ(NameOf(FieldType::kInt64), "INT64");
  EXPECT_EQ(NameOf(FieldType::kStruct), "STRUCT");
}

TEST(Types, NamesThatMayStandInSqlAreTold) {
  EXPECT_TRUE(IsIdentifier("a_B9"));
  for (const std::string& text : {std::string(), std::string("a-b"), std::string("a`b"), std::string("ä"), std::string(1025, 'a'), std::string("a b")})
    EXPECT_FALSE(IsIdentifier(text));
  EXPECT_TRUE(IsTableName("a-b"));
  EXPECT_TRUE(IsProjectId("example.com:my-project"));
  EXPECT_FALSE(IsProjectId("a`; DROP"));
  EXPECT_TRUE(IsJobId("mig-42_x"));
  EXPECT_FALSE(IsJobId("a.b"));
  EXPECT_FALSE(IsJobId(std::string(1001, 'a')));
  EXPECT_EQ((TableId{"my-project", "data", "t_1"}.Quoted()), "`my-project.data.t_1`");
}

}  // namespace
}  // namespace reeve::bigquery
