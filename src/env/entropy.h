// The tap for randomness. Whoever makes keys, nonces or random ids takes an Entropy. Safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace reeve {

class Entropy {
 public:
  virtual ~Entropy() = default;
  // Fills `size` bytes at `out` with unpredictable ones. Does not fail: without randomness the process ends.
  virtual void Fill(char* out, size_t size) = 0;

  [[nodiscard]] std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    Fill(bytes.data(), size);
    return bytes;
  }
};

// The kernel's generator, waiting until it is seeded.
[[nodiscard]] std::unique_ptr<Entropy> MakeSystemEntropy();

// The same bytes for the same seed: for tests only, never for a key or a nonce that leaves the process.
[[nodiscard]] std::unique_ptr<Entropy> MakeSeededEntropy(uint64_t seed);

}  // namespace reeve
