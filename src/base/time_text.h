// Instants, dates and their text. Instants are microseconds since 1970-01-01 00:00 UTC (proleptic Gregorian,
// no leap seconds), dates are days since then. Pure functions; safe from any thread. Reads no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve {

using Micros = int64_t;  // an instant or a duration in microseconds
using Days = int32_t;    // a calendar date

inline constexpr Micros kSecond = 1'000'000;
inline constexpr Micros kHour = 3600 * kSecond;
inline constexpr Micros kDay = 24 * kHour;
inline constexpr Micros kTimeMin = -62'135'596'800 * kSecond;          // 0001-01-01 00:00:00
inline constexpr Micros kTimeMax = 253'402'300'800 * kSecond - 1;      // 9999-12-31 23:59:59.999999

struct CivilDate {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
};

[[nodiscard]] Days DaysFromCivil(CivilDate date);
[[nodiscard]] CivilDate CivilFromDays(Days days);
// The UTC date of an instant.
[[nodiscard]] Days DateOf(Micros instant);
// The first day of the month `months` after (before, if negative) that of `date`.
[[nodiscard]] Days MonthStart(Days date, int months = 0);
[[nodiscard]] inline Micros StartOf(Days date) { return Micros{date} * kDay; }

// Parses YYYY-MM-DD (space or T) HH:MM:SS[.f{1,6}] with no zone (UTC), " UTC", Z, +00 or ±HH:MM.
// nullopt for anything else: impossible dates, second 60, hour 24, more digits, years outside 1..9999.
[[nodiscard]] std::optional<Micros> ParseTime(std::string_view text);
// Parses YYYY-MM-DD.
[[nodiscard]] std::optional<Days> ParseDate(std::string_view text);

// "2026-11-22 18:03:00 UTC", with ".ffffff" before the zone when the microseconds are not zero: as BigQuery exports it.
[[nodiscard]] std::string FormatTime(Micros instant);
// RFC 3339: "2026-11-22T18:03:00Z", with ".ffffff" when not zero.
[[nodiscard]] std::string FormatRfc3339(Micros instant);
[[nodiscard]] std::string FormatDate(Days date);
// "YYYY-MM".
[[nodiscard]] std::string FormatMonth(Days date);

}  // namespace reeve
