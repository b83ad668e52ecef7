// The codes of findings and the reasons of quarantined rows (docs/mapping.md) in words: what it means, and what to do. Constant data.
#pragma once

#include <span>
#include <string_view>

namespace reeve::cli {

struct CodeWords {
  std::string_view code;
  std::string_view meaning;  // one sentence, no full stop
  std::string_view advice;   // what an operator does about it
  bool quarantine = false;   // a reason of a row that was not moved; else a finding about what was
};

[[nodiscard]] std::span<const CodeWords> AllCodeWords();
// nullptr for a code that is not listed.
[[nodiscard]] const CodeWords* FindCodeWords(std::string_view code);

}  // namespace reeve::cli
