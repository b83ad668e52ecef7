// NameTable: numbers by name, for very many of them. The names are kept by whoever has the numbers; here is only their hash.
//
// A slot is eight bytes and says enough that a name that is not there is nearly always known from the slot alone, and that growing looks at no name. Belongs
// to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace reeve::gate {

class NameTable {
 public:
  // The number whose name it is, as `is(number)` says of those that may have it.
  template <typename Is>
  [[nodiscard]] std::optional<uint32_t> Find(std::string_view name, const Is& is) const {
    const uint32_t hash = HashOf(name);
    for (size_t at = hash & mask(); slots_[at].next_number != 0; at = (at + 1) & mask())
      if (slots_[at].hash == hash && is(slots_[at].next_number - 1)) return slots_[at].next_number - 1;
    return std::nullopt;
  }
  // REQUIRES: the name is not there; `number` < 2^32 − 1
  void Add(std::string_view name, uint32_t number) {
    if (++size_ * 2 > slots_.size()) Grow();
    Place({HashOf(name), number + 1});
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t next_number = 0;  // number + 1; 0: free
  };

  static uint32_t HashOf(std::string_view name) { return static_cast<uint32_t>(std::hash<std::string_view>()(name) >> 32); }
  [[nodiscard]] size_t mask() const { return slots_.size() - 1; }
  void Place(Slot slot) {
    size_t at = slot.hash & mask();
    while (slots_[at].next_number != 0) at = (at + 1) & mask();
    slots_[at] = slot;
  }
  void Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.next_number != 0) Place(slot);
  }

  std::vector<Slot> slots_ = std::vector<Slot>(16);  // a power of two, at most half full
  size_t size_ = 0;
};

}  // namespace reeve::gate
