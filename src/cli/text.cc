#include "cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace reeve::cli {
namespace {

struct Glyph {
  char32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The code point at the start of `text` (not empty). Invalid: one byte, valid = false.
Glyph NextGlyph(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  size_t bytes = 0;
  char32_t code = 0;
  if (first >= 0xC2 && first <= 0xDF) bytes = 2, code = first & 0x1F;
  if (first >= 0xE0 && first <= 0xEF) bytes = 3, code = first & 0x0F;
  if (first >= 0xF0 && first <= 0xF4) bytes = 4, code = first & 0x07;
  if (bytes == 0 || text.size() < bytes) return {first, 1, false};
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {first, 1, false};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  const char32_t least = bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
  const bool bad = code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF);
  return bad ? Glyph{first, 1, false} : Glyph{code, bytes, true};
}

bool In(char32_t code, std::initializer_list<std::pair<char32_t, char32_t>> ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return code >= range.first && code <= range.second; });
}

size_t GlyphWidth(char32_t code) {
  if (In(code, {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}})) return 0;
  if (In(code, {{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},
                {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}}))
    return 2;
  return 1;
}

// Bidirectional controls can make a terminal show another text than what is there.
bool IsSteering(char32_t code) {
  return In(code, {{0, 0x1F}, {0x7F, 0x9F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF}});
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Glyph glyph = NextGlyph(text);
    width += GlyphWidth(glyph.code);
    text.remove_prefix(glyph.bytes);
  }
  return width;
}

std::string CutToWidth(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const Glyph glyph = NextGlyph(text);
    used += GlyphWidth(glyph.code);
    if (used > width - 1) break;
    out.append(text.substr(0, glyph.bytes));
    text.remove_prefix(glyph.bytes);
  }
  return out + "…";
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Glyph glyph = NextGlyph(text);
    if (!glyph.valid) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(glyph.code));
    } else if (IsSteering(glyph.code)) {
      out += glyph.code == '\n' ? "\\n" : glyph.code == '\t' ? "\\t" : fmt::format("\\u{:04x}", static_cast<uint32_t>(glyph.code));
    } else {
      out.append(text.substr(0, glyph.bytes));
    }
    text.remove_prefix(glyph.bytes);
  }
  return out;
}

std::string Wrap(std::string_view text, size_t width, size_t indent) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.front() == ' ') {
      out += std::string(indent, ' ').append(line).append("\n");
      continue;
    }
    std::string current;
    while (!line.empty()) {
      const size_t space = line.find(' ');
      const std::string_view word = line.substr(0, space);
      line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
      if (word.empty()) continue;
      if (!current.empty() && indent + DisplayWidth(current) + 1 + DisplayWidth(word) > width) {
        out += std::string(indent, ' ') + current + "\n";
        current.clear();
      }
      if (!current.empty()) current += ' ';
      current += word;
    }
    out += current.empty() ? "\n" : std::string(indent, ' ') + current + "\n";
  }
  return out;
}

std::string Counted(uint64_t number, std::string_view noun, std::string_view plural) {
  if (number == 1) return fmt::format("1 {}", noun);
  return plural.empty() ? fmt::format("{} {}s", Grouped(number), noun) : fmt::format("{} {}", Grouped(number), plural);
}

std::string Bytes(uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string Lasting(Micros duration) {
  duration = std::max<Micros>(duration, 0);
  if (duration < 10 * kSecond) return fmt::format("{:.1f} s", static_cast<double>(duration) / kSecond);
  const int64_t seconds = (duration + kSecond / 2) / kSecond;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds % 3600 / 60);
}

std::string ShellLine(std::span<const std::string> words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-_./:=,@%+").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (plain) {
      out += word;
      continue;
    }
    out += '\'';
    for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

}  // namespace reeve::cli
