// The generator's randomness: xoshiro256** seeded by splitmix64, with integer-only ways to draw, so that a seed gives the same
// estate on every machine. Not for secrets. One thread per object.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace reeve::sample {

class Prng {
 public:
  // A stream of its own for each pair (seed, stream).
  Prng(uint64_t seed, uint64_t stream) {
    uint64_t x = seed * 0x9E3779B97F4A7C15U + stream * 0xD1B54A32D192ED03U + 0x2545F4914F6CDD1DU;
    for (uint64_t& word : state_) {
      x += 0x9E3779B97F4A7C15U;
      uint64_t z = x;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
      word = z ^ (z >> 31);
    }
  }

  uint64_t Next() {
    const uint64_t result = Rotate(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }

  // 0 … n-1; the bias of the remainder does not matter here. REQUIRES: n > 0
  uint64_t Below(uint64_t n) { return Next() % n; }
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low + 1)));
  }
  bool Percent(unsigned percent) { return Below(100) < percent; }
  bool Probability(double p) { return static_cast<double>(Next() >> 11) * 0x1.0p-53 < p; }

  template <typename Container>
  const auto& Pick(const Container& values) {
    return values[Below(std::size(values))];
  }

  std::string Text(size_t length, std::string_view alphabet) {
    std::string out(length, '\0');
    for (char& c : out) c = alphabet[Below(alphabet.size())];
    return out;
  }
  std::string Bytes(size_t length) {
    std::string out(length, '\0');
    for (char& c : out) c = static_cast<char>(Next() >> 24);
    return out;
  }
  std::string Hex(size_t length) {
    std::string out(length, '\0');
    uint64_t bits = 0;
    for (size_t i = 0; i < length; ++i, bits >>= 4) {
      if (i % 16 == 0) bits = Next();
      out[i] = "0123456789abcdef"[bits & 15];
    }
    return out;
  }
  std::string Uuid() {
    std::string out = Hex(36);
    out[8] = out[13] = out[18] = out[23] = '-';
    out[14] = '4';
    return out;
  }

 private:
  static uint64_t Rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<uint64_t, 4> state_{};
};

}  // namespace reeve::sample
