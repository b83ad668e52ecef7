// SHA-256 and the deterministic ids made from it. Sha256 objects are for one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace reeve::crypto {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Update(std::string_view bytes);
  // The 32 bytes of everything since construction or the last Finish; starts anew.
  [[nodiscard]] std::string Finish();
  void FinishInto(uint8_t* digest);  // its 32 bytes

 private:
  evp_md_ctx_st* context_;
};

using Digest = std::array<uint8_t, 32>;

// For the request path: nothing is allocated.
[[nodiscard]] Digest Sha256Digest(std::string_view bytes);
// 32 bytes.
[[nodiscard]] std::string Sha256Of(std::string_view bytes);
// Compares in a time that does not depend on where they differ.
// By words, since the library's takes bytes: every word is looked at, and the compiler is not to know that one difference settles it.
[[nodiscard]] inline bool EqualInConstantTime(const Digest& a, const Digest& b) {
  uint64_t different = 0;
  for (size_t at = 0; at < a.size(); at += sizeof(uint64_t)) {
    uint64_t x, y;
    std::memcpy(&x, a.data() + at, sizeof(x));
    std::memcpy(&y, b.data() + at, sizeof(y));
    different |= x ^ y;
    asm volatile("" : "+r"(different));
  }
  return different == 0;
}
// 64 lower-case hex digits.
[[nodiscard]] std::string Sha256Hex(std::string_view bytes);

// prefix + first 24 hex digits of SHA-256 over "reeve/" kind "/v1" and each part preceded by a zero byte
// (docs/mapping.md §7): DeterministicId("cust_", "customer", {tenant}).
[[nodiscard]] std::string DeterministicId(std::string_view prefix, std::string_view kind,
                                          std::initializer_list<std::string_view> parts);

}  // namespace reeve::crypto
