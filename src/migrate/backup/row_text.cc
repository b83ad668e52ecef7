#include "migrate/backup/row_text.h"

#include <boost/json.hpp>

namespace reeve::migrate {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr std::string_view kSpace = " \t\r\n";

size_t SkipSpace(std::string_view text, size_t at) { return std::min(text.find_first_not_of(kSpace, at), text.size()); }

// The end of the string that begins at `at` with a quote, behind its closing quote; kNone if it does not end.
size_t EndOfString(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return kNone;
}

// The end of the value that begins at `at`; kNone if there is none.
size_t EndOfValue(std::string_view text, size_t at) {
  size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = EndOfString(text, at);
      if (at == kNone) return kNone;
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return kNone;
      --depth;
      ++at;
    } else if (depth > 0) {
      ++at;
      continue;
    } else {
      const size_t end = std::min(text.find_first_of(",}] \t\r\n", at), text.size());
      return end > at ? end : kNone;
    }
    if (depth == 0) return at;
  }
  return kNone;
}

}  // namespace

std::optional<std::string> TextOf(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  if (value.find('\\') == kNone) return std::string(value.substr(1, value.size() - 2));
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(value, error);
  if (error || !parsed.is_string()) return std::nullopt;
  return std::string(parsed.get_string());
}

std::optional<RowText> RowText::Parse(std::string_view line) {
  RowText row;
  row.line_ = line;
  size_t at = SkipSpace(line, 0);
  if (at >= line.size() || line[at] != '{') return std::nullopt;
  at = SkipSpace(line, at + 1);
  const bool no_fields = at < line.size() && line[at] == '}';
  while (!no_fields) {
    if (at >= line.size() || line[at] != '"') return std::nullopt;
    const size_t name_end = EndOfString(line, at);
    if (name_end == kNone) return std::nullopt;
    std::string_view name = line.substr(at + 1, name_end - at - 2);
    if (name.find('\\') != kNone) {
      std::optional<std::string> unescaped = TextOf(line.substr(at, name_end - at));
      if (!unescaped) return std::nullopt;
      name = row.unescaped_.emplace_back(std::move(*unescaped));
    }
    at = SkipSpace(line, name_end);
    if (at >= line.size() || line[at] != ':') return std::nullopt;
    at = SkipSpace(line, at + 1);
    const size_t end = EndOfValue(line, at);
    if (end == kNone) return std::nullopt;
    row.fields_.push_back({name, line.substr(at, end - at)});
    at = SkipSpace(line, end);
    if (at >= line.size()) return std::nullopt;
    if (line[at] == '}') break;
    if (line[at] != ',') return std::nullopt;
    at = SkipSpace(line, at + 1);
  }
  row.close_ = at;
  if (SkipSpace(line, at + 1) != line.size()) return std::nullopt;
  return row;
}

std::string RowText::With(const std::vector<Edit>& edits) const {
  std::string out;
  size_t done = 0;
  std::string appended;
  for (const Edit& edit : edits) {
    if (edit.value.empty()) {
      if (!fields_.empty() || !appended.empty()) appended += ',';
      appended += edit.text;
      continue;
    }
    const auto at = static_cast<size_t>(edit.value.data() - line_.data());
    out.append(line_, done, at - done).append(edit.text);
    done = at + edit.value.size();
  }
  out.append(line_, done, close_ - done).append(appended);
  return out.append(line_, close_);
}

}  // namespace reeve::migrate
