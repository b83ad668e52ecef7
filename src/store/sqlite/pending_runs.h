// PendingRuns: which run ids are in groups that are durable in the commit log and may not be in the tables yet, by their hashes. What is released needs no taking out: a place is free as
// soon as the group that took it is in the tables.
//
// A fixed table of small sets, so that neither noting nor asking costs more than a look at two lines of the processor's cache. Not safe for concurrent use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reeve::store {

class PendingRuns {
 public:
  PendingRuns() : sets_(kSets) {}

  // Notes a run of group `number`. What finds no place makes MayHold true for its whole set until that group is released: too much, never too little.
  void Note(uint64_t hash, uint64_t number, uint64_t released) {
    Set& set = SetOf(hash);
    for (Place& place : set.places) {
      if (place.number > released && place.hash != hash) continue;
      place = {hash, number};
      return;
    }
    set.crowded_until = number;
  }
  // Whether a run with this hash may be in a group behind `released`.
  [[nodiscard]] bool MayHold(uint64_t hash, uint64_t released) const {
    const Set& set = SetOf(hash);
    if (set.crowded_until > released) return true;
    for (const Place& place : set.places)
      if (place.hash == hash && place.number > released) return true;
    return false;
  }

 private:
  static constexpr size_t kSets = 1u << 14, kPlaces = 7;  // 2 MiB for 114,000 runs; a full log holds some 35,000
  struct Place {
    uint64_t hash = 0, number = 0;
  };
  struct alignas(64) Set {
    std::array<Place, kPlaces> places;
    uint64_t crowded_until = 0;
  };

  [[nodiscard]] Set& SetOf(uint64_t hash) { return sets_[(hash >> 32) % kSets]; }
  [[nodiscard]] const Set& SetOf(uint64_t hash) const { return sets_[(hash >> 32) % kSets]; }

  std::vector<Set> sets_;
};

}  // namespace reeve::store
