#include "obs/figures.h"

#include <fmt/format.h>

#include <algorithm>

namespace reeve::obs {

std::string Grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string ClockTime(Micros duration) {
  const int64_t seconds = (std::max<Micros>(duration, 0) + kSecond / 2) / kSecond;
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60);
}

}  // namespace reeve::obs
