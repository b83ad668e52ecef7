// PendingRuns: which run ids are in groups that are durable in the commit log and may not be in the tables yet, by their hashes. What is released needs no taking out: a place is free as
// soon as the group that took it is in the tables.
//
// Exact. A fixed table of small sets, so that neither noting nor asking costs more than a look at two lines of the processor's cache. Not safe for concurrent use.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reeve::store {

class PendingRuns {
 public:
  PendingRuns() : sets_(kSets) {}

  // Notes a run of group `number`.
  void Note(uint64_t hash, uint64_t number, uint64_t released) {
    Set& set = SetOf(hash);
    for (Place& place : set.places) {
      if (place.number > released && place.hash != hash) continue;
      place = {hash, number};
      return;
    }
    set.crowded_until = number;
    std::erase_if(elsewhere_, [&](const Place& place) { return place.number <= released; });
    elsewhere_.push_back({hash, number});
  }
  // Whether a run with this hash may be in a group behind `released`.
  [[nodiscard]] bool MayHold(uint64_t hash, uint64_t released) const {
    const Set& set = SetOf(hash);
    const auto holds = [&](const Place& place) { return place.hash == hash && place.number > released; };
    if (std::any_of(set.places.begin(), set.places.end(), holds)) return true;
    return set.crowded_until > released && std::any_of(elsewhere_.begin(), elsewhere_.end(), holds);
  }

 private:
  static constexpr size_t kSets = 1u << 14, kPlaces = 7;  // 2 MiB for 114,000 runs; a full log holds some 35,000
  struct Place {
    uint64_t hash = 0, number = 0;
  };
  struct alignas(64) Set {
    std::array<Place, kPlaces> places;
    uint64_t crowded_until = 0;  // the last group of which a run is elsewhere
  };

  [[nodiscard]] Set& SetOf(uint64_t hash) { return sets_[(hash >> 32) % kSets]; }
  [[nodiscard]] const Set& SetOf(uint64_t hash) const { return sets_[(hash >> 32) % kSets]; }

  std::vector<Set> sets_;
  std::vector<Place> elsewhere_;  // what found no place in its set: hardly ever anything
};

}  // namespace reeve::store
