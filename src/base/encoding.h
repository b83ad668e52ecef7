// Text forms of bytes: hex, base64 (RFC 4648 section 4, canonical only), JSON strings.
// Pure functions; safe from any thread. Not for secrets' comparison.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve {

// Lower-case hex of `bytes`.
[[nodiscard]] std::string HexEncode(std::string_view bytes);
// The two lower-case hex digits of each byte.
inline constexpr std::array<std::array<char, 2>, 256> kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
  return pairs;
}();
// Bytes of hex digits of any case, two for each of `bytes`. False (`out` unspecified) for another length or another character.
[[nodiscard]] bool HexDecodeTo(std::string_view text, uint8_t* out, size_t bytes);
// Bytes of hex digits of any case; nullopt for odd length or another character.
[[nodiscard]] std::optional<std::string> HexDecode(std::string_view text);

[[nodiscard]] std::string Base64Encode(std::string_view bytes);
// Decodes canonical, padded base64 into `out`. False (out unspecified) for a length that is no multiple
// of 4, characters outside the alphabet, misplaced padding or non-zero bits under the padding.
// The empty text decodes to no bytes.
[[nodiscard]] bool Base64Decode(std::string_view text, std::string* out);

// Appends `text` as a JSON string with quotes. Escapes only what must be: \" \\ \b \f \n \r \t and \u00xx.
// REQUIRES: text is valid UTF-8.
void AppendJsonString(std::string_view text, std::string* out);

// True when `text` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
[[nodiscard]] bool IsUtf8(std::string_view text);

// CRC-32C (Castagnoli) of `bytes`; Crc32c("123456789") == 0xE3069283.
[[nodiscard]] uint32_t Crc32c(std::string_view bytes);

// ASCII lower / upper case; other bytes stay.
[[nodiscard]] std::string AsciiLower(std::string_view text);
[[nodiscard]] std::string AsciiUpper(std::string_view text);

}  // namespace reeve
