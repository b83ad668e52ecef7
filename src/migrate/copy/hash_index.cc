#include "migrate/copy/hash_index.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::migrate::copy {

void HashIndex::Add(uint32_t tenant, const std::vector<std::string>& hashes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const std::string& hash : hashes) {
    REEVE_ASSERT(hash.size() == 32);
    Entry entry{{}, tenant};
    std::memcpy(entry.hash.data(), hash.data(), 32);
    entries_.push_back(entry);
  }
}

void HashIndex::Settle() {
  keys_ = entries_.size();
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.hash < b.hash; });
  for (size_t i = 0; i < entries_.size();) {
    size_t end = i + 1;
    while (end < entries_.size() && entries_[end].hash == entries_[i].hash) ++end;
    if (end - i > 1) {
      const std::string hex = HexEncode({entries_[i].hash.data(), 32});
      for (size_t k = i; k < end; ++k) collisions_[entries_[k].tenant].insert(hex);
    }
    i = end;
  }
  entries_ = {};
}

const std::set<std::string>& HashIndex::CollisionsOf(uint32_t tenant) const {
  static const std::set<std::string> kNone;
  const auto found = collisions_.find(tenant);
  return found != collisions_.end() ? found->second : kNone;
}

}  // namespace reeve::migrate::copy
