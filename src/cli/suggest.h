// "Did you mean …?": the known word nearest to a mistyped one. Pure; safe from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reeve::cli {

// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. Cost is the product of the lengths, so both are cut
// to 64 bytes.
[[nodiscard]] size_t EditDistance(std::string_view a, std::string_view b);

// The candidate that is near enough to be what was meant: at most a third of its length (at least 1, at most 3) edits away, or the
// only one that begins with `word` (of two letters or more). nullopt: none.
[[nodiscard]] std::optional<std::string_view> Nearest(std::string_view word, std::span<const std::string_view> candidates);

// The hint "did you mean \"plan\"?", or `otherwise` if nothing is near.
[[nodiscard]] std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates,
                                     std::string_view otherwise);

}  // namespace reeve::cli
