#include "obs/rate.h"

#include <algorithm>

namespace reeve::obs {

void RateMeter::Start(Micros now, uint64_t total) {
  start_ = now;
  total_ = total;
  count_ = 1;
  next_ = 1;
  ring_[0] = {now, {}};
}

void RateMeter::Note(Micros now, const Work& done) {
  if (count_ == 0) return;
  const Sample& newest = ring_[(next_ + kSamples - 1) % kSamples];
  if (now - newest.at < kSecond) return;
  ring_[next_] = {now, done};
  next_ = (next_ + 1) % kSamples;
  count_ = std::min(count_ + 1, kSamples);
}

RateMeter::Speed RateMeter::At(Micros now, const Work& done) const {
  if (count_ == 0) return {};
  const Sample& oldest = ring_[(next_ + kSamples - count_) % kSamples];
  const double seconds = static_cast<double>(now - oldest.at) / kSecond;
  if (seconds <= 0) return {};
  const auto rate = [&](uint64_t to, uint64_t from) { return to < from ? 0.0 : static_cast<double>(to - from) / seconds; };
  return {rate(done.units, oldest.done.units), rate(done.rows, oldest.done.rows), rate(done.bytes, oldest.done.bytes)};
}

std::optional<Micros> RateMeter::Eta(Micros now, const Work& done) const {
  if (total_ == 0) return std::nullopt;
  if (done.units >= total_) return 0;
  const double speed = At(now, done).units;
  if (speed <= 0) return std::nullopt;
  const double seconds = static_cast<double>(total_ - done.units) / speed;
  constexpr double kEtaMax = 100.0 * 365 * 24 * 3600;  // beyond: unknown
  if (seconds > kEtaMax) return std::nullopt;
  return static_cast<Micros>(seconds * kSecond);
}

}  // namespace reeve::obs
