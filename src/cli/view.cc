#include "cli/view.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/finding_words.h"
#include "cli/table.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

constexpr size_t kRowsShown = 10;

// Most frequent first, equal counts by code.
std::vector<std::pair<std::string, uint64_t>> ByCount(const std::map<std::string, uint64_t>& counts) {
  std::vector<std::pair<std::string, uint64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

}  // namespace

std::string View::Painted(Paint paint, std::string_view text) const {
  if (!color) return std::string(text);
  static constexpr std::string_view kCodes[] = {"32", "33", "31", "1", "2"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(paint)], text);
}

size_t View::Shown(size_t count) const { return details ? count : std::min(count, kRowsShown); }

std::string View::More(size_t count) const {
  const size_t hidden = count - Shown(count);
  return hidden == 0 ? std::string() : fmt::format("  … and {} more (--details shows them)\n", Grouped(hidden));
}

std::string Facts(const std::vector<std::pair<std::string_view, std::string>>& facts) {
  size_t widest = 0;
  for (const auto& [label, value] : facts)
    if (!value.empty()) widest = std::max(widest, label.size());
  std::string out;
  for (const auto& [label, value] : facts)
    if (!value.empty()) out += fmt::format("  {:<{}}  {}\n", label, widest, value);
  return out;
}

std::string CodeCounts(std::string_view title, const std::map<std::string, uint64_t>& counts, const View& view) {
  if (counts.empty()) return {};
  std::string out = fmt::format("\n{}\n", view.Painted(Paint::kStrong, title));
  const auto sorted = ByCount(counts);
  TextTable table({{"COUNT", TextTable::Align::kRight}, {"CODE"}, {view.details ? "WHAT IT MEANS" : "WHAT TO DO", TextTable::Align::kLeft, true}});
  for (size_t i = 0; i < view.Shown(sorted.size()); ++i) {
    const CodeWords* words = FindCodeWords(sorted[i].first);
    const std::string_view text = words == nullptr ? std::string_view() : view.details ? words->meaning : words->advice;
    table.Add({Grouped(sorted[i].second), sorted[i].first, std::string(text)});
    if (view.details && words != nullptr) table.Add({"", "", fmt::format("→ {}", words->advice)});
  }
  return out + table.Text(view.width, 2) + view.More(sorted.size());
}

Json CodeCountsJson(const std::map<std::string, uint64_t>& counts) {
  Json array = Json::Array();
  for (const auto& [code, count] : ByCount(counts)) {
    const CodeWords* words = FindCodeWords(code);
    Json item = Json::Object();
    item.Set("code", code).Set("count", count);
    item.Set("meaning", words == nullptr ? Json() : Json(words->meaning)).Set("advice", words == nullptr ? Json() : Json(words->advice));
    array.Add(std::move(item));
  }
  return array;
}

}  // namespace reeve::cli
