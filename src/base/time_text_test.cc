#include "base/time_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <ctime>

namespace reeve {
namespace {

constexpr Micros kBase = 1'795'370'580 * kSecond;  // 2026-11-22 18:03:00 UTC

TEST(ParseTime, TakesEveryFormThatExportsUse) {
  for (const char* text : {"2026-11-22 18:03:00", "2026-11-22T18:03:00", "2026-11-22 18:03:00 UTC", "2026-11-22T18:03:00Z", "2026-11-22 18:03:00 Z",
                           "2026-11-22 18:03:00+00", "2026-11-22 18:03:00 +00", "2026-11-22 18:03:00+00:00", "2026-11-22 18:03:00.0 UTC",
                           "2026-11-22 18:03:00.000000", "2026-11-22T19:33:00+01:30", "2026-11-22 16:33:00 -01:30", "2026-11-23T17:02:00+22:59",
                           "2026-11-21 19:03:00-23:00"})
    EXPECT_EQ(ParseTime(text), kBase) << text;
  EXPECT_EQ(ParseTime("2026-11-22 18:03:00.1"), kBase + 100'000);
  EXPECT_EQ(ParseTime("2026-11-22 18:03:00.000001Z"), kBase + 1);
  EXPECT_EQ(ParseTime("2026-11-22 18:03:00.123456 UTC"), kBase + 123'456);
}

TEST(ParseTime, RefusesEverythingElse) {
  for (const char* text : {"", "2026", "2026-11-22", "2026-11-22 ", "2026-11-22 18:03", "2026-11-22 18:03:", "2026-11-22 18:03:0", "2026-11-22_18:03:00",
                           "2026-11-22t18:03:00", "2026-11-22  18:03:00", " 2026-11-22 18:03:00", "2026-11-22 18:03:00 ", "2026-11-22 18:03:00.",
                           "2026-11-22 18:03:00.1234567", "2026-11-22 18:03:00,5", "2026-11-22 24:00:00", "2026-11-22 18:60:00", "2026-11-22 18:03:60",
                           "2026-13-01 00:00:00", "2026-00-01 00:00:00", "2026-02-29 00:00:00", "2026-04-31 00:00:00", "2026-01-00 00:00:00",
                           "0000-01-01 00:00:00", "10000-01-01 00:00:00", "-001-01-01 00:00:00", "+026-01-01 00:00:00", "2026-1-1 00:00:00",
                           "2026-11-22 18:03:00UTC", "2026-11-22 18:03:00 utc", "2026-11-22 18:03:00z", "2026-11-22 18:03:00  UTC",
                           "2026-11-22 18:03:00+1:00", "2026-11-22 18:03:00+0100", "2026-11-22 18:03:00+01", "2026-11-22 18:03:00-00",
                           "2026-11-22 18:03:00+24:00", "2026-11-22 18:03:00+00:60", "2026-11-22 18:03:00 GMT", "2026-11-22 18:03:00 Europe/Berlin",
                           "1795370580", "2026-11-22 1a:03:00", "\xEF\xBB\xBF" "2026-11-22 18:03:00"})
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  EXPECT_EQ(ParseTime(std::string_view("2026-11-22 18:03:00\0", 20)), std::nullopt);
}

TEST(ParseTime, KnowsItsEnds) {
  EXPECT_EQ(ParseTime("0001-01-01 00:00:00"), kTimeMin);
  EXPECT_EQ(ParseTime("9999-12-31 23:59:59.999999"), kTimeMax);
  EXPECT_EQ(ParseTime("0001-01-01 00:00:00+00:01"), std::nullopt);
  EXPECT_EQ(ParseTime("9999-12-31 23:59:59-00:01"), std::nullopt);
  EXPECT_EQ(ParseTime("1970-01-01 00:00:00"), 0);
  EXPECT_EQ(ParseTime("1969-12-31 23:59:59.999999"), -1);
}

TEST(ParseTime, KnowsLeapYears) {
  for (const char* leap : {"2024", "2000", "1600", "0004", "2400"}) EXPECT_TRUE(ParseDate(std::string(leap) + "-02-29")) << leap;
  for (const char* common : {"2023", "1900", "2100", "0100"}) EXPECT_FALSE(ParseDate(std::string(common) + "-02-29")) << common;
}

TEST(ParseDate, TakesADateAndNothingAfterIt) {
  EXPECT_EQ(ParseDate("1970-01-02"), 1);
  EXPECT_EQ(ParseDate("1969-12-31"), -1);
  for (const char* text : {"", "1970-01-02 ", "1970-01-02T", "1970-1-2", "70-01-02"}) EXPECT_EQ(ParseDate(text), std::nullopt) << text;
}

TEST(FormatTime, WritesMicrosecondsOnlyWhereThereAreSome) {
  EXPECT_EQ(FormatTime(kBase), "2026-11-22 18:03:00 UTC");
  EXPECT_EQ(FormatTime(kBase + 10), "2026-11-22 18:03:00.000010 UTC");
  EXPECT_EQ(FormatTime(-1), "1969-12-31 23:59:59.999999 UTC");
  EXPECT_EQ(FormatRfc3339(kBase), "2026-11-22T18:03:00Z");
  EXPECT_EQ(FormatRfc3339(kBase + 500'000), "2026-11-22T18:03:00.500000Z");
  EXPECT_EQ(FormatTime(kTimeMin), "0001-01-01 00:00:00 UTC");
  EXPECT_EQ(FormatRfc3339(kTimeMax), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatDate(0), "1970-01-01");
  EXPECT_EQ(FormatMonth(-1), "1969-12");
}

TEST(FormatTime, EveryInstantSurvivesTheRoundTrip) {
  EXPECT_TRUE(rc::check([] {
    const Micros instant = *rc::gen::inRange<Micros>(kTimeMin, kTimeMax + 1);
    RC_ASSERT(ParseTime(FormatTime(instant)) == instant);
    RC_ASSERT(ParseTime(FormatRfc3339(instant)) == instant);
  }));
}

TEST(Civil, EveryDayOfTheRangeFollowsTheOneBefore) {
  const Days first = DateOf(kTimeMin);
  const Days last = DateOf(kTimeMax);
  CivilDate before = CivilFromDays(first - 1);
  EXPECT_EQ(before.year, 0);
  for (Days day = first; day <= last; ++day) {
    const CivilDate date = CivilFromDays(day);
    ASSERT_EQ(DaysFromCivil(date), day);
    const bool next_day = date.year == before.year && date.month == before.month && date.day == before.day + 1;
    const bool next_month = date.year == before.year && date.month == before.month + 1 && date.day == 1 && before.day >= 28;
    const bool next_year = date.year == before.year + 1 && date.month == 1 && date.day == 1 && before.month == 12 && before.day == 31;
    ASSERT_TRUE(next_day || next_month || next_year) << day;
    before = date;
  }
}

TEST(Civil, AgreesWithTheSystemsCalendar) {
  EXPECT_TRUE(rc::check([] {
    const Micros instant = *rc::gen::inRange<Micros>(kTimeMin, kTimeMax + 1);
    const std::time_t seconds = static_cast<std::time_t>(instant / kSecond - (instant % kSecond < 0 ? 1 : 0));
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    const CivilDate date = CivilFromDays(DateOf(instant));
    RC_ASSERT(date.year == parts.tm_year + 1900);
    RC_ASSERT(date.month == parts.tm_mon + 1);
    RC_ASSERT(date.day == parts.tm_mday);
  }));
}

TEST(MonthStart, CountsMonthsInBothDirections) {
  const Days day = *ParseDate("2026-11-22");
  EXPECT_EQ(FormatDate(MonthStart(day)), "2026-11-01");
  EXPECT_EQ(FormatDate(MonthStart(day, 1)), "2026-12-01");
  EXPECT_EQ(FormatDate(MonthStart(day, 2)), "2027-01-01");
  EXPECT_EQ(FormatDate(MonthStart(day, -10)), "2026-01-01");
  EXPECT_EQ(FormatDate(MonthStart(day, -11)), "2025-12-01");
  EXPECT_EQ(FormatDate(MonthStart(day, -12)), "2025-11-01");
  EXPECT_EQ(FormatDate(MonthStart(*ParseDate("2024-03-31"), -1)), "2024-02-01");
  EXPECT_EQ(FormatDate(MonthStart(*ParseDate("9999-12-31"), 1)).substr(0, 6), "10000-");
}

TEST(DateOf, RoundsTowardsThePast) {
  EXPECT_EQ(DateOf(0), 0);
  EXPECT_EQ(DateOf(kDay - 1), 0);
  EXPECT_EQ(DateOf(-1), -1);
  EXPECT_EQ(DateOf(-kDay), -1);
  EXPECT_EQ(DateOf(-kDay - 1), -2);
}

}  // namespace
}  // namespace reeve
