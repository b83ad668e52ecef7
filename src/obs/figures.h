// Numbers and durations as people read them. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/time_text.h"

namespace reeve::obs {

// "1,234,567".
[[nodiscard]] std::string Grouped(uint64_t number);
// Minutes and seconds: "0:42", "12:05", "1:02:03". Negative counts as zero.
[[nodiscard]] std::string ClockTime(Micros duration);

}  // namespace reeve::obs
