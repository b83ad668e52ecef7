// View: how a result is laid out for people (width, detail, colour), and the pieces that several results share. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"

namespace reeve::cli {

enum class Paint : uint8_t { kGood, kWarn, kBad, kStrong, kFaint };

struct View {
  size_t width = 0;      // of tables; 0: nothing is cut
  bool details = false;  // every row of every list
  bool color = false;

  // `text` in colour, or as it is. Never the only carrier of a meaning.
  [[nodiscard]] std::string Painted(Paint paint, std::string_view text) const;
  // How many of `count` rows to show.
  [[nodiscard]] size_t Shown(size_t count) const;
  // "  … and 12 more (--details shows them)", or nothing if all are shown.
  [[nodiscard]] std::string More(size_t count) const;
};

// "label   value" lines; empty values are left out.
[[nodiscard]] std::string Facts(const std::vector<std::pair<std::string_view, std::string>>& facts);

// Counts by code with what to do about each (with details: also what it means): codes of findings or reasons of quarantined rows. Empty text for
// no counts.
[[nodiscard]] std::string CodeCounts(std::string_view title, const std::map<std::string, uint64_t>& counts, const View& view);

// [{"code","count","meaning","advice"}, …]
[[nodiscard]] Json CodeCountsJson(const std::map<std::string, uint64_t>& counts);

template <typename Counts>
[[nodiscard]] uint64_t Sum(const Counts& counts) {
  uint64_t sum = 0;
  for (const auto& [code, count] : counts) sum += count;
  return sum;
}

}  // namespace reeve::cli
