// ScopeSets: the sets of scopes that keys have, each kept once and known by a number. A set is immutable; sets are added by one thread, before others look.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace reeve::gate {

struct ScopeSet {
  std::vector<std::string> scopes;   // as stored, in that order
  std::string text;                  // with single spaces between them; a scope that has a space or a control character is left out
  // Whether one of them covers `needed` (domain::ScopeCovers).
  [[nodiscard]] bool Covers(std::string_view needed) const;
};

class ScopeSets {
 public:
  static constexpr uint32_t kSetsMax = 1u << 24;

  // The number of the set written as `json` (a list of texts; empty: none). kCorrupt if it is no such list, or there are too many sets.
  [[nodiscard]] Result<uint32_t> Add(std::string_view json);
  [[nodiscard]] const ScopeSet& At(uint32_t number) const { return sets_[number]; }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::map<std::string, uint32_t, std::less<>> numbers_;  // by JSON text
  std::string last_json_ = "\n";                          // most keys have the scopes of the one before
  uint32_t last_number_ = 0;
  std::vector<ScopeSet> sets_;
  size_t bytes_ = 0;
};

}  // namespace reeve::gate
