#include "cli/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/encoding.h"

namespace reeve::cli {

size_t EditDistance(std::string_view a, std::string_view b) {
  constexpr size_t kLengthMax = 64;
  a = a.substr(0, kLengthMax);
  b = b.substr(0, kLengthMax);
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::optional<std::string_view> Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string lower = AsciiLower(word);
  std::optional<std::string_view> best;
  size_t best_distance = 0;
  for (std::string_view candidate : candidates) {
    const size_t distance = EditDistance(lower, AsciiLower(candidate));
    const size_t allowed = std::clamp<size_t>(candidate.size() / 3, 1, 3);
    if (distance > allowed || (best && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  if (best || lower.size() < 2) return best;
  for (std::string_view candidate : candidates) {
    if (AsciiLower(candidate.substr(0, lower.size())) != lower) continue;
    if (best) return std::nullopt;  // two of them: no guess
    best = candidate;
  }
  return best;
}

std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates, std::string_view otherwise) {
  const auto nearest = Nearest(word, candidates);
  return nearest ? fmt::format("did you mean \"{}\"?", *nearest) : std::string(otherwise);
}

}  // namespace reeve::cli
