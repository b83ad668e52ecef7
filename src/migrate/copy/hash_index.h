// HashIndex: which key hashes stand in more than one tenant. 36 bytes a key while it is built, then only the collisions.
// Add from any thread; Settle once; then read only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace reeve::migrate::copy {

class HashIndex {
 public:
  // The distinct hashes (32 bytes each) of tenant number `tenant`.
  void Add(uint32_t tenant, const std::vector<std::string>& hashes);
  // Finds the collisions and frees the rest.
  void Settle();
  // The hashes (64 hex digits) of `tenant` that another tenant has too.
  [[nodiscard]] const std::set<std::string>& CollisionsOf(uint32_t tenant) const;
  [[nodiscard]] uint64_t keys() const { return keys_; }

 private:
  struct Entry {
    std::array<char, 32> hash;
    uint32_t tenant;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;  // guarded by mutex_ until settled
  std::map<uint32_t, std::set<std::string>> collisions_;
  uint64_t keys_ = 0;
};

}  // namespace reeve::migrate::copy
