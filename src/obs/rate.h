// RateMeter: how fast work goes and how long the rest will take, from counts and times that are handed to it. Reads no clock. Not safe for concurrent
// use of one object.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time_text.h"

namespace reeve::obs {

// What had been done at a moment.
struct Work {
  uint64_t units = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

class RateMeter {
 public:
  // Forgets everything; the work begins at `now` with `total` units to do.
  void Start(Micros now, uint64_t total);
  // Takes note of `done` at `now`. Cheap; keeps one sample per second.
  void Note(Micros now, const Work& done);

  // Per second over the last half minute or so (over everything while that is shorter); zero while nothing can be said.
  struct Speed {
    double units = 0;
    double rows = 0;
    double bytes = 0;
  };
  [[nodiscard]] Speed At(Micros now, const Work& done) const;
  // Time until `total` at that speed; nullopt while unknown (nothing done yet, no total), 0 when all is done.
  [[nodiscard]] std::optional<Micros> Eta(Micros now, const Work& done) const;
  [[nodiscard]] Micros Elapsed(Micros now) const { return now - start_; }

 private:
  static constexpr size_t kSamples = 31;
  struct Sample {
    Micros at = 0;
    Work done;
  };
  std::array<Sample, kSamples> ring_{};  // the last samples; ring_[next_ - 1] is the newest
  size_t next_ = 0;
  size_t count_ = 0;
  Micros start_ = 0;
  uint64_t total_ = 0;
};

}  // namespace reeve::obs
