#include "migrate/witness/text.h"

#include <gtest/gtest.h>

namespace reeve::migrate::witness {
namespace {

TEST(WitnessText, TimesOfThePageAreRead) {
  const Micros noon = 1'773'576'000 * kSecond;  // 2026-03-15 12:00:00 UTC
  const std::pair<const char*, Micros> times[] = {
      {"2026-03-15 12:00:00", noon},
      {"2026-03-15T12:00:00", noon},
      {"2026-03-15 12:00:00 UTC", noon},
      {"2026-03-15T12:00:00Z", noon},
      {"2026-03-15 12:00:00 Z", noon},
      {"2026-03-15 12:00:00+00", noon},
      {"2026-03-15 12:00:00 +00", noon},
      {"2026-03-15 13:30:00+01:30", noon},
      {"2026-03-15 13:30:00 +01:30", noon},
      {"2026-03-14 12:01:00-23:59", noon},
      {"2026-03-15 12:00:00.5 UTC", noon + 500'000},
      {"2026-03-15 12:00:00.000001Z", noon + 1},
      {"2026-03-15 12:00:00.123456+00:00", noon + 123'456},
      {"1970-01-01 00:00:00", 0},
      {"1969-12-31 23:59:59.999999", -1},
      {"2024-02-29 00:00:00", 1'709'164'800 * kSecond},
      {"2000-02-29 00:00:00", 951'782'400 * kSecond},
      {"0001-01-01 00:00:00", kTimeMin},
      {"9999-12-31 23:59:59.999999", kTimeMax},
  };
  for (const auto& [text, instant] : times) EXPECT_EQ(ReadTime(text), instant) << text;
}

TEST(WitnessText, EverythingElseIsNoTime) {
  for (const char* text :
       {"", "2026-03-15", "2026-03-15 12:00", "2026-03-15  12:00:00", "2026-03-15t12:00:00", "2026-02-29 00:00:00",
        "1900-02-29 00:00:00", "2026-04-31 00:00:00", "2026-00-01 00:00:00", "2026-13-01 00:00:00", "2026-01-00 00:00:00",
        "2026-03-15 24:00:00", "2026-03-15 12:60:00", "2026-03-15 12:00:60", "2026-03-15 12:00:00.", "2026-03-15 12:00:00.1234567",
        "2026-03-15 12:00:00UTC", "2026-03-15 12:00:00 utc", "2026-03-15 12:00:00  UTC", "2026-03-15 12:00:00z",
        "2026-03-15 12:00:00+01", "2026-03-15 12:00:00+0100", "2026-03-15 12:00:00+24:00", "2026-03-15 12:00:00+01:60",
        "2026-03-15 12:00:00 UTC ", " 2026-03-15 12:00:00", "2026-03-15 12:00:00 ", "0000-01-01 00:00:00",
        "0001-01-01 00:00:00+00:01", "9999-12-31 23:59:59-00:01", "10000-01-01 00:00:00", "+026-03-15 12:00:00",
        "2026-3-15 12:00:00", "2026/03/15 12:00:00", "1773576000", "2026-03-15 12:00:00,5"}) {
    EXPECT_EQ(ReadTime(text), std::nullopt) << text;
  }
}

TEST(WitnessText, IntsEndWhereInt64Ends) {
  EXPECT_EQ(ReadInt("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(ReadInt("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(ReadInt("-0"), 0);
  EXPECT_EQ(ReadInt("007"), 7);
  for (const char* text : {"", "-", "+1", "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "1.0", "1e3",
                           " 1", "1 ", "0x1"}) {
    EXPECT_EQ(ReadInt(text), std::nullopt) << text;
  }
}

TEST(WitnessText, OnlyCanonicalBase64IsDecoded) {
  std::string out;
  const std::pair<const char*, const char*> good[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"+/+/", "\xfb\xff\xbf"}};
  for (const auto& [text, bytes] : good) {
    EXPECT_TRUE(ReadBase64(text, &out)) << text;
    EXPECT_EQ(out, bytes);
  }
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9=", "Zm8", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9v", "-_-_", "Zg=a", "=Zg=", "Z=g="}) {
    EXPECT_FALSE(ReadBase64(text, &out)) << text;
  }
}

TEST(WitnessText, AHashIsSixtyFourHexDigitsOrBase64OfThirtyTwoBytes) {
  const std::string hex = "CEBDF378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b";
  const auto digest = ReadHash(hex);
  ASSERT_TRUE(digest);
  EXPECT_EQ(*digest, DigestOf("secret-two"));
  EXPECT_EQ(ReadHash("zr3zePLSvWDT42kzSejyDzKdrxGidvhJmW8KY3fiFVs="), digest);
  for (const std::string& text : {hex.substr(1), hex + "0", "g" + hex.substr(1), std::string("zr3zePLSvWDT42kzSejyDzKdrxGidvhJmW8KY3fiFVt="),
                                  std::string("zr3zePLSvWDT42kzSejyDzKdrxGidvhJmW8KY3fiFVsA"), std::string()}) {
    EXPECT_EQ(ReadHash(text), std::nullopt) << text;
  }
}

TEST(WitnessText, QuotingEscapesWhatThePageNames) {
  std::string out;
  AppendQuoted(std::string_view("\"\\/\b\f\n\r\t\v\x01\x1f\x7f\xc3\xa9", 14), &out);
  EXPECT_EQ(out, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u000b\\u0001\\u001f\x7f\xc3\xa9\"");
}

TEST(WitnessText, MonthsBeginAndEndWhereTheCalendarSays) {
  const std::tuple<const char*, const char*, const char*> months[] = {
      {"2026-03-01 00:00:00", "2026-03-01", "2026-04-01"},
      {"2026-03-31 23:59:59.999999", "2026-03-01", "2026-04-01"},
      {"2026-02-28 23:59:59.999999", "2026-02-01", "2026-03-01"},
      {"2024-02-29 23:59:59.999999", "2024-02-01", "2024-03-01"},
      {"2025-12-31 23:59:59.999999", "2025-12-01", "2026-01-01"},
      {"2026-01-01 00:00:00", "2026-01-01", "2026-02-01"},
      {"1969-12-31 23:59:59.999999", "1969-12-01", "1970-01-01"},
      {"0001-01-01 00:00:00", "0001-01-01", "0001-02-01"},
      {"2000-12-31 00:00:00", "2000-12-01", "2001-01-01"},
      {"1900-03-01 00:00:00", "1900-03-01", "1900-04-01"},
  };
  for (const auto& [instant, first, next] : months) {
    const Month month = MonthOf(*ReadTime(instant));
    EXPECT_EQ(FormatDate(FirstDay(month)), first) << instant;
    EXPECT_EQ(FormatDate(FirstDay(month + 1)), next) << instant;
  }
}

TEST(WitnessText, EveryDayOfAThousandYearsLiesInItsMonth) {
  for (Days day = DayOf(*ReadTime("1500-01-01 00:00:00")); day < DayOf(*ReadTime("2500-01-01 00:00:00")); ++day) {
    const Month month = MonthOf(Micros{day} * kDay);
    ASSERT_LE(FirstDay(month), day);
    ASSERT_GT(FirstDay(month + 1), day);
    ASSERT_EQ(ReadTime(FormatDate(day) + " 00:00:00"), Micros{day} * kDay);
  }
}

}  // namespace
}  // namespace reeve::migrate::witness
