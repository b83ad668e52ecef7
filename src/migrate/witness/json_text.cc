#include "migrate/witness/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "migrate/witness/text.h"

namespace reeve::migrate::witness {

bool IsFinite(std::string_view literal) {
  double value = 0;
  const auto [end, code] = std::from_chars(literal.data(), literal.data() + literal.size(), value);
  if (code == std::errc()) return std::isfinite(value);
  // Out of range, at either end of it: too small is 0 and finite. The decimal order of the first digit that counts tells.
  const size_t e = literal.find_first_of("eE");
  const std::string_view digits = literal.substr(0, e);
  const size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const size_t point = std::min(digits.find('.'), digits.size());
  const int64_t order = static_cast<int64_t>(point) - static_cast<int64_t>(first);
  const size_t at = e == std::string_view::npos ? 0 : e + 1 + (literal[e + 1] == '+' ? 1 : 0);
  const int64_t exponent = at == 0 ? 0 : ReadInt(literal.substr(at)).value_or(0);
  return order + exponent < 0;
}

std::string ClampExponents(std::string_view line) {
  std::string clamped;
  clamped.reserve(line.size());
  bool in_string = false;
  for (size_t i = 0; i < line.size(); ++i) {
    clamped.push_back(line[i]);
    if (in_string && line[i] == '\\' && i + 1 < line.size()) {
      clamped.push_back(line[++i]);
    } else if (line[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && (line[i] | 32) == 'e') {
      if (i + 1 < line.size() && (line[i + 1] == '+' || line[i + 1] == '-')) clamped.push_back(line[++i]);
      size_t end = i + 1;
      while (end < line.size() && line[end] >= '0' && line[end] <= '9') ++end;
      std::string_view digits = line.substr(i + 1, end - i - 1);
      while (digits.size() > 8 && digits[0] == '0') digits.remove_prefix(1);
      clamped += digits.size() > 8 ? "99999999" : digits;
      i = end - 1;
    }
  }
  return clamped;
}

std::string MemberSource(std::string_view line, size_t ordinal) {
  std::string source;
  int depth = 0;
  size_t member = 0;
  bool in_value = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool wanted = in_value && member == ordinal;
    if (c == '"') {
      const size_t start = i;
      for (++i; line[i] != '"'; ++i) i += line[i] == '\\' ? 1 : 0;
      if (wanted) source += line.substr(start, i + 1 - start);
      continue;
    }
    if (depth == 1 && !in_value && c == ':') {
      in_value = true;
      continue;
    }
    if (depth == 1 && (c == ',' || c == '}')) {
      if (wanted) return source;
      in_value = false;
      ++member;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (wanted && c != ' ' && c != '\t' && c != '\n' && c != '\r') source.push_back(c);
  }
  return source;
}

}  // namespace reeve::migrate::witness
