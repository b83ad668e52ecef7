#include "cli/value.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "cli/suggest.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

Unexpected Bad(std::string_view what, std::string_view text, std::string_view must, std::string hint = {}) {
  return FailWithHint(Code::kUsage, fmt::format("{}: \"{}\" is not {}", what, Printable(text.substr(0, 200)), must), std::move(hint));
}

Result<> CheckCount(std::string_view what, std::string_view text, const ValueRule& rule) {
  const auto number = ParseCount(text);
  if (number && *number >= rule.min && *number <= rule.max) return {};
  if (rule.max == INT64_MAX) return Bad(what, text, rule.min == 0 ? "a whole number" : fmt::format("a whole number of at least {}", rule.min));
  return Bad(what, text, fmt::format("a whole number from {} to {}", rule.min, rule.max));
}

Result<> CheckChoice(std::string_view what, std::string_view text, const ValueRule& rule) {
  if (std::find(rule.choices.begin(), rule.choices.end(), text) != rule.choices.end()) return {};
  return Bad(what, text, fmt::format("one of {}", fmt::join(rule.choices, ", ")), DidYouMean(text, rule.choices, ""));
}

}  // namespace

std::optional<int64_t> ParseCount(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::optional<double> ParseRate(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(number >= 0 && number <= 1)) return std::nullopt;
  return number;
}

std::optional<Micros> ParseDuration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Micros unit = 0;
  switch (text.back()) {
    case 's': unit = kSecond; break;
    case 'm': unit = 60 * kSecond; break;
    case 'h': unit = kHour; break;
    case 'd': unit = kDay; break;
    default: return std::nullopt;
  }
  const auto number = ParseCount(text.substr(0, text.size() - 1));
  constexpr Micros kDurationMax = 36'525 * kDay;
  if (!number || *number > kDurationMax / unit) return std::nullopt;
  return *number * unit;
}

std::optional<Micros> ParseInstant(std::string_view text) {
  if (const auto instant = ParseTime(text)) return instant;
  if (const auto date = ParseDate(text)) return StartOf(*date);
  return std::nullopt;
}

Result<> CheckValue(std::string_view what, std::string_view text, const ValueRule& rule) {
  if (text.empty()) return Fail(Code::kUsage, "{} needs a value", what);
  if (text.find('\0') != std::string_view::npos) return Fail(Code::kUsage, "{}: a value cannot hold a zero byte", what);
  switch (rule.kind) {
    case Kind::kFlag:
      if (text != "true" && text != "false") return Bad(what, text, "true or false");
      return {};
    case Kind::kCount: return CheckCount(what, text, rule);
    case Kind::kRate:
      if (!ParseRate(text)) return Bad(what, text, "a number from 0 to 1");
      return {};
    case Kind::kChoice: return CheckChoice(what, text, rule);
    case Kind::kTime:
      if (!ParseInstant(text)) return Bad(what, text, "a time", "write it as 2026-11-22T18:00:00Z or 2026-11-22, UTC");
      return {};
    case Kind::kDuration:
      if (!ParseDuration(text)) return Bad(what, text, "a duration", "write it as 24h, 90m, 30s or 2d");
      return {};
    case Kind::kText:
    case Kind::kFile:
    case Kind::kDir:
    case Kind::kEstate:
    case Kind::kStore:
    case Kind::kTenant:
    case Kind::kSecretText: return {};
  }
  return {};
}

}  // namespace reeve::cli
