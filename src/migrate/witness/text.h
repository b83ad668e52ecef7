// The witness's own reading of texts: instants, base64, hex, JSON strings, digests, ids (docs/mapping.md §2, §4, §7).
//
// Written apart from base/encoding and base/time_text on purpose: a mistake there must not be repeated here. Not for general use.
// Pure functions; safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/time_text.h"

namespace reeve::migrate::witness {

using Digest = std::array<uint8_t, 32>;

[[nodiscard]] Digest DigestOf(std::string_view bytes);
// Writes the last `bytes` bytes of `number` to `at`, the highest first, and returns where they end.
inline char* PutBigEndian(uint64_t number, size_t bytes, char* at) {
  for (size_t i = bytes; i-- > 0; number >>= 8) at[i] = static_cast<char>(number);
  return at + bytes;
}
[[nodiscard]] std::string HexOf(std::string_view bytes);
[[nodiscard]] inline std::string_view BytesOf(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The instant of a §2 time text; nullopt is `bad_time`.
[[nodiscard]] std::optional<Micros> ReadTime(std::string_view text);
// The number of a §2 int text, -?[0-9]+ within int64; nullopt is `bad_int`.
[[nodiscard]] std::optional<int64_t> ReadInt(std::string_view text);

// Decodes canonical, padded base64 into `out`; false, with `out` unspecified, for anything else.
[[nodiscard]] bool ReadBase64(std::string_view text, std::string* out);
// 64 hex digits of any case; nullopt for anything else.
[[nodiscard]] std::optional<Digest> ReadHexDigest(std::string_view text);
// A legacy key hash: 64 hex digits or the base64 of 32 bytes; nullopt is `bad_hash`.
[[nodiscard]] std::optional<Digest> ReadHash(std::string_view text);

// Appends `text` as a JSON string in the escapes of §4.
void AppendQuoted(std::string_view text, std::string* out);

// prefix + H(kind, parts…) of §7.
[[nodiscard]] std::string DerivedId(std::string_view prefix, std::string_view kind,
                                    std::initializer_list<std::string_view> parts);

[[nodiscard]] std::string Lower(std::string_view text);
[[nodiscard]] bool EqualsUpper(std::string_view text, std::string_view upper);

// A UTC month, counted from January of year 0.
using Month = int32_t;
[[nodiscard]] Month MonthOf(Micros instant);
[[nodiscard]] Days FirstDay(Month month);
[[nodiscard]] Days DayOf(Micros instant);
// "YYYY-MM"
[[nodiscard]] std::string NameOfMonth(Month month);
[[nodiscard]] inline Micros FirstInstant(Month month) { return Micros{FirstDay(month)} * kDay; }

}  // namespace reeve::migrate::witness
