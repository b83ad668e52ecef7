#include "env/entropy.h"

#include <sys/random.h>

#include <cerrno>
#include <mutex>

#include "base/error.h"

namespace reeve {
namespace {

class SystemEntropy final : public Entropy {
 public:
  void Fill(char* out, size_t size) override {
    while (size > 0) {
      const ssize_t count = getrandom(out, size, 0);
      REEVE_ASSERT(count > 0 || errno == EINTR);
      if (count <= 0) continue;
      out += count;
      size -= static_cast<size_t>(count);
    }
  }
};

// SplitMix64.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(uint64_t seed) : state_(seed) {}
  void Fill(char* out, size_t size) override {
    const std::lock_guard lock(mu_);
    for (size_t i = 0; i < size; ++i) {
      uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
      out[i] = static_cast<char>(z ^ (z >> 31));
    }
  }

 private:
  std::mutex mu_;
  uint64_t state_;  // guarded by mu_
};

}  // namespace

std::unique_ptr<Entropy> MakeSystemEntropy() { return std::make_unique<SystemEntropy>(); }
std::unique_ptr<Entropy> MakeSeededEntropy(uint64_t seed) { return std::make_unique<SeededEntropy>(seed); }

}  // namespace reeve
