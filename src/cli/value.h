// Checks of single values as people write them. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time_text.h"
#include "cli/command.h"

namespace reeve::cli {

[[nodiscard]] std::optional<int64_t> ParseCount(std::string_view text);
// 0…1, decimal point, no exponent.
[[nodiscard]] std::optional<double> ParseRate(std::string_view text);
// 24h, 90m, 30s, 2d; at most 100 years.
[[nodiscard]] std::optional<Micros> ParseDuration(std::string_view text);
// An instant, or a date (its midnight), UTC.
[[nodiscard]] std::optional<Micros> ParseInstant(std::string_view text);

struct ValueRule {
  Kind kind = Kind::kText;
  std::span<const std::string_view> choices = {};
  int64_t min = 0;
  int64_t max = INT64_MAX;
};
// OK if `text` is such a value; else kUsage: "<what>: …" with a hint.
[[nodiscard]] Result<> CheckValue(std::string_view what, std::string_view text, const ValueRule& rule);

}  // namespace reeve::cli
