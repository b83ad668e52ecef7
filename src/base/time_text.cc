#include "base/time_text.h"

#include <fmt/format.h>

namespace reeve {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads exactly `count` digits at `*at` and moves past them; -1 when there are fewer.
int TakeDigits(std::string_view text, size_t* at, int count) {
  if (text.size() - *at < static_cast<size_t>(count)) return -1;
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const char c = text[*at + i];
    if (!IsDigit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  *at += count;
  return value;
}

bool Take(std::string_view text, size_t* at, char wanted) {
  if (*at >= text.size() || text[*at] != wanted) return false;
  ++*at;
  return true;
}

bool IsLeap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int DaysInMonth(int year, int month) {
  constexpr int kDaysIn[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDaysIn[month - 1];
}

std::optional<Days> TakeDate(std::string_view text, size_t* at) {
  const int year = TakeDigits(text, at, 4);
  if (year < 1 || !Take(text, at, '-')) return std::nullopt;
  const int month = TakeDigits(text, at, 2);
  if (month < 1 || month > 12 || !Take(text, at, '-')) return std::nullopt;
  const int day = TakeDigits(text, at, 2);
  if (day < 1 || day > DaysInMonth(year, month)) return std::nullopt;
  return DaysFromCivil({year, month, day});
}

// Microseconds of ".f{1,6}" at `*at`, 0 without a point; -1 when malformed.
int TakeFraction(std::string_view text, size_t* at) {
  if (!Take(text, at, '.')) return 0;
  int value = 0;
  int digits = 0;
  while (*at < text.size() && IsDigit(text[*at])) {
    if (++digits > 6) return -1;
    value = value * 10 + (text[(*at)++] - '0');
  }
  if (digits == 0) return -1;
  for (; digits < 6; ++digits) value *= 10;
  return value;
}

// The zone's offset from UTC, of the whole rest of the text.
std::optional<Micros> ParseZone(std::string_view zone) {
  if (zone.empty() || zone == " UTC") return 0;
  if (zone.front() == ' ') zone.remove_prefix(1);
  if (zone == "Z" || zone == "+00") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  size_t at = 1;
  const int hours = TakeDigits(zone, &at, 2);
  if (hours < 0 || hours > 23 || !Take(zone, &at, ':')) return std::nullopt;
  const int minutes = TakeDigits(zone, &at, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  const Micros offset = (hours * 60 + minutes) * 60 * kSecond;
  return zone[0] == '+' ? offset : -offset;
}

struct TimeParts {
  CivilDate date;
  int hour, minute, second, micros;
};

TimeParts Split(Micros instant) {
  const Days day = DateOf(instant);
  const Micros rest = instant - StartOf(day);
  const auto seconds = static_cast<int>(rest / kSecond);
  return {CivilFromDays(day), seconds / 3600, seconds / 60 % 60, seconds % 60,
          static_cast<int>(rest % kSecond)};
}

// Appends `value` with at least `digits` digits.
void Append(int value, size_t digits, std::string* out) {
  const fmt::format_int text(value);
  if (text.size() < digits) out->append(digits - text.size(), '0');
  out->append(text.data(), text.size());
}

void AppendDate(const CivilDate& date, std::string* out) {
  Append(date.year, 4, out);
  Append(date.month, 2, &(*out += '-'));
  Append(date.day, 2, &(*out += '-'));
}

// By hand: two of these stand in every answer about a run.
std::string Format(Micros instant, char separator, std::string_view zone) {
  const TimeParts t = Split(instant);
  std::string out;
  out.reserve(32);
  AppendDate(t.date, &out);
  Append(t.hour, 2, &(out += separator));
  Append(t.minute, 2, &(out += ':'));
  Append(t.second, 2, &(out += ':'));
  if (t.micros != 0) Append(t.micros, 6, &(out += '.'));
  out += zone;
  return out;
}

}  // namespace

// Howard Hinnant's algorithm "days_from_civil" (chrono-compatible low-level date algorithms), eras of 400 years.
Days DaysFromCivil(CivilDate date) {
  const int year = date.year - (date.month <= 2 ? 1 : 0);
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilDate CivilFromDays(Days days) {
  const int z = days + 719468;
  const int era = (z >= 0 ? z : z - 146096) / 146097;
  const int day_of_era = z - era * 146097;
  const int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted_month = (5 * day_of_year + 2) / 153;
  const int month = shifted_month + (shifted_month < 10 ? 3 : -9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

Days DateOf(Micros instant) {
  const Micros days = instant / kDay;
  return static_cast<Days>(instant % kDay < 0 ? days - 1 : days);
}

Days MonthStart(Days date, int months) {
  const CivilDate civil = CivilFromDays(date);
  const int index = civil.year * 12 + (civil.month - 1) + months;
  return DaysFromCivil({index / 12, index % 12 + 1, 1});
}

std::optional<Micros> ParseTime(std::string_view text) {
  size_t at = 0;
  const std::optional<Days> date = TakeDate(text, &at);
  if (!date || at >= text.size() || (text[at] != ' ' && text[at] != 'T')) return std::nullopt;
  ++at;
  const int hour = TakeDigits(text, &at, 2);
  if (hour < 0 || hour > 23 || !Take(text, &at, ':')) return std::nullopt;
  const int minute = TakeDigits(text, &at, 2);
  if (minute < 0 || minute > 59 || !Take(text, &at, ':')) return std::nullopt;
  const int second = TakeDigits(text, &at, 2);
  if (second < 0 || second > 59) return std::nullopt;
  const int micros = TakeFraction(text, &at);
  if (micros < 0) return std::nullopt;
  const std::optional<Micros> offset = ParseZone(text.substr(at));
  if (!offset) return std::nullopt;
  const Micros instant =
      StartOf(*date) + (hour * 3600 + minute * 60 + second) * kSecond + micros - *offset;
  if (instant < kTimeMin || instant > kTimeMax) return std::nullopt;
  return instant;
}

std::optional<Days> ParseDate(std::string_view text) {
  size_t at = 0;
  const std::optional<Days> date = TakeDate(text, &at);
  return date && at == text.size() ? date : std::nullopt;
}

std::string FormatTime(Micros instant) { return Format(instant, ' ', " UTC"); }
std::string FormatRfc3339(Micros instant) { return Format(instant, 'T', "Z"); }

std::string FormatDate(Days date) {
  std::string out;
  AppendDate(CivilFromDays(date), &out);
  return out;
}

std::string FormatMonth(Days date) {
  std::string out = FormatDate(date);
  out.resize(out.size() - 3);
  return out;
}

}  // namespace reeve
