#include "gate/scope_sets.h"

#include <algorithm>

#include "catalog/ndjson.h"
#include "domain/decision.h"

namespace reeve::gate {
namespace {

// What a header can carry between spaces.
bool IsPlain(std::string_view scope) {
  return !scope.empty() && std::all_of(scope.begin(), scope.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

bool ScopeSet::Covers(std::string_view needed) const {
  for (const std::string& held : scopes)
    if (domain::ScopeCovers(held, needed)) return true;
  return false;
}

Result<uint32_t> ScopeSets::Add(std::string_view json) {
  if (json == last_json_) return last_number_;
  auto found = numbers_.find(json);
  if (found == numbers_.end()) {
    if (sets_.size() == kSetsMax) return Fail(Code::kCorrupt, "more than {} different sets of scopes", kSetsMax);
    ScopeSet set;
    if (!json.empty()) {
      std::optional<std::vector<std::string>> scopes = catalog::StringsFromJson(json);
      if (!scopes) return Fail(Code::kCorrupt, "scopes are no list of texts");
      set.scopes = std::move(*scopes);
    }
    for (const std::string& scope : set.scopes) {
      bytes_ += scope.size() + sizeof(scope);
      if (!IsPlain(scope)) continue;
      if (!set.text.empty()) set.text += ' ';
      set.text += scope;
    }
    bytes_ += set.text.size() + json.size() + sizeof(set);
    sets_.push_back(std::move(set));
    found = numbers_.emplace(json, static_cast<uint32_t>(sets_.size() - 1)).first;
  }
  last_json_ = json;
  last_number_ = found->second;
  return last_number_;
}

}  // namespace reeve::gate
