// HMAC-SHA-256, and comparison of secrets. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace reeve::crypto {

// 32 bytes.
[[nodiscard]] std::string HmacSha256(std::string_view key, std::string_view bytes);

// Whether the two are equal, in a time that depends on their lengths only.
[[nodiscard]] bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace reeve::crypto
