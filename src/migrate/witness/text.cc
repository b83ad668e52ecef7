#include "migrate/witness/text.h"

#include <cstring>

#include "crypto/sha256.h"

namespace reeve::migrate::witness {
namespace {

constexpr int64_t kDaysBefore1970 = 719162;  // from 0001-01-01
constexpr int kDaysBeforeMonth[2][13] = {{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
                                         {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};

bool Leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

// Days since 1970-01-01 of the first of January. REQUIRES: year >= 1.
int64_t NewYear(int64_t year) {
  const int64_t whole = year - 1;
  return whole * 365 + whole / 4 - whole / 100 + whole / 400 - kDaysBefore1970;
}

bool Digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Two digits at `p`; a value over 99 if one of them is none.
unsigned Two(const char* p) {
  const unsigned tens = static_cast<unsigned char>(p[0] - '0');
  const unsigned ones = static_cast<unsigned char>(p[1] - '0');
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

// The offset of a zone in minutes: "", " UTC", then after at most one space Z, +00 or ±HH:MM.
std::optional<int> ReadZone(std::string_view zone) {
  if (zone.empty() || zone == " UTC") return 0;
  if (zone[0] == ' ') zone.remove_prefix(1);
  if (zone == "Z" || zone == "+00") return 0;
  if (zone.size() != 6 || zone[3] != ':' || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  const unsigned hours = Two(zone.data() + 1);
  const unsigned minutes = Two(zone.data() + 4);
  if (hours > 23 || minutes > 59) return std::nullopt;
  const int offset = static_cast<int>(hours * 60 + minutes);
  return zone[0] == '-' ? -offset : offset;
}

// Days since 1970-01-01 of YYYY-MM-DD at the start of `p`.
std::optional<int64_t> ReadDay(const char* p) {
  const unsigned century = Two(p);
  const unsigned rest = Two(p + 2);
  const unsigned month = Two(p + 5);
  const unsigned day = Two(p + 8);
  if (century > 99 || rest > 99 || p[4] != '-' || p[7] != '-') return std::nullopt;
  const int64_t year = century * 100 + rest;
  if (year < 1 || month < 1 || month > 12) return std::nullopt;
  const auto& before = kDaysBeforeMonth[Leap(year) ? 1 : 0];
  if (day < 1 || static_cast<int>(day) > before[month] - before[month - 1]) return std::nullopt;
  return NewYear(year) + before[month - 1] + day - 1;
}

constexpr std::array<int8_t, 256> MakeBase64Values() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (int i = 0; i < 26; ++i) {
    values['A' + i] = static_cast<int8_t>(i);
    values['a' + i] = static_cast<int8_t>(26 + i);
  }
  for (int i = 0; i < 10; ++i) values['0' + i] = static_cast<int8_t>(52 + i);
  values['+'] = 62;
  values['/'] = 63;
  return values;
}
constexpr std::array<int8_t, 256> kBase64Values = MakeBase64Values();

int Sextet(char c) { return kBase64Values[static_cast<unsigned char>(c)]; }

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Digest DigestOf(std::string_view bytes) {
  static thread_local crypto::Sha256 hasher;  // setting one up costs more than hashing a short text
  Digest digest;
  hasher.Update(bytes);
  const std::string made = hasher.Finish();
  std::memcpy(digest.data(), made.data(), digest.size());
  return digest;
}

std::string HexOf(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(bytes.size() * 2, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    hex[2 * i] = kDigits[byte >> 4];
    hex[2 * i + 1] = kDigits[byte & 15];
  }
  return hex;
}

std::optional<Micros> ReadTime(std::string_view text) {
  if (text.size() < 19) return std::nullopt;
  const char* p = text.data();
  const std::optional<int64_t> day = ReadDay(p);
  if (!day || (p[10] != ' ' && p[10] != 'T') || p[13] != ':' || p[16] != ':') return std::nullopt;
  const unsigned hour = Two(p + 11);
  const unsigned minute = Two(p + 14);
  const unsigned second = Two(p + 17);
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  size_t at = 19;
  Micros fraction = 0;
  if (at < text.size() && text[at] == '.') {
    Micros unit = 100'000;
    for (++at; at < text.size() && Digit(text[at]); ++at, unit /= 10) {
      if (unit == 0) return std::nullopt;  // a seventh digit
      fraction += (text[at] - '0') * unit;
    }
    if (at == 20) return std::nullopt;
  }
  const std::optional<int> zone = ReadZone(text.substr(at));
  if (!zone) return std::nullopt;
  const Micros seconds = *day * 86'400 + hour * 3600 + minute * 60 + second - *zone * 60;
  const Micros instant = seconds * kSecond + fraction;
  if (instant < kTimeMin || instant > kTimeMax) return std::nullopt;
  return instant;
}

std::optional<int64_t> ReadInt(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  const uint64_t limit = negative ? uint64_t{1} << 63 : (uint64_t{1} << 63) - 1;
  uint64_t value = 0;
  for (const char c : text) {
    if (!Digit(c)) return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (limit - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return static_cast<int64_t>(negative ? ~value + 1 : value);
}

bool ReadBase64(std::string_view text, std::string* out) {
  out->clear();
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  size_t padding = text.back() == '=' ? 1 : 0;
  if (padding == 1 && text[text.size() - 2] == '=') padding = 2;
  const size_t digits = text.size() - padding;
  out->reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  unsigned held = 0;
  for (size_t i = 0; i < digits; ++i) {
    const int value = Sextet(text[i]);
    if (value < 0) return false;
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xFFFFFF;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out->push_back(static_cast<char>(bits >> held & 0xFF));
    }
  }
  return (bits & ((1U << held) - 1)) == 0;  // canonical: nothing under the padding
}

std::optional<Digest> ReadHexDigest(std::string_view text) {
  if (text.size() != 64) return std::nullopt;
  Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = Nibble(text[2 * i]);
    const int low = Nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return digest;
}

std::optional<Digest> ReadHash(std::string_view text) {
  if (text.size() != 44) return ReadHexDigest(text);
  std::string bytes;
  if (!ReadBase64(text, &bytes) || bytes.size() != 32) return std::nullopt;
  Digest digest;
  std::memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

void AppendQuoted(std::string_view text, std::string* out) {
  static constexpr std::string_view kShort = "btn?fr";  // for U+0008 … U+000D; U+000B has none
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *out += {'\\', c};
    } else if (byte >= 0x20) {
      out->push_back(c);
    } else if (byte >= 8 && byte <= 13 && byte != 11) {
      *out += {'\\', kShort[byte - 8]};
    } else {
      *out += "\\u00" + HexOf({&c, 1});
    }
  }
  out->push_back('"');
}

std::string DerivedId(std::string_view prefix, std::string_view kind,
                      std::initializer_list<std::string_view> parts) {
  std::string input = "reeve/" + std::string(kind) + "/v1";
  for (const std::string_view part : parts) {
    input += '\0';
    input += part;
  }
  return std::string(prefix) + HexOf(BytesOf(DigestOf(input)).substr(0, 12));
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

bool EqualsUpper(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'a' && c <= 'z' ? c - 32 : c) != upper[i]) return false;
  }
  return true;
}

Days DayOf(Micros instant) {
  return static_cast<Days>((instant - kTimeMin) / kDay - kDaysBefore1970);
}

std::string NameOfMonth(Month month) {
  std::string name = "0000-00";
  const int digits = month / 12 * 100 + month % 12 + 1;
  int rest = digits;
  for (const size_t at : {6, 5, 3, 2, 1, 0}) {
    name[at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  return name;
}

Month MonthOf(Micros instant) {
  const int64_t day = DayOf(instant);
  int64_t year = (day + kDaysBefore1970) / 366 + 1;  // at most the right one
  while (NewYear(year + 1) <= day) ++year;
  const auto& before = kDaysBeforeMonth[Leap(year) ? 1 : 0];
  const int64_t in_year = day - NewYear(year);
  int month = 0;
  while (before[month + 1] <= in_year) ++month;
  return static_cast<Month>(year * 12 + month);
}

Days FirstDay(Month month) {
  const int year = month / 12;
  return static_cast<Days>(NewYear(year) + kDaysBeforeMonth[Leap(year) ? 1 : 0][month % 12]);
}

}  // namespace reeve::migrate::witness
