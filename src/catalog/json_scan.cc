#include "catalog/json_scan.h"

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::catalog {
namespace {

// A cursor over one text. Every Skip… moves behind what it names, or returns false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }

  bool Skip(char c) {
    SkipSpace();
    return SkipHere(c);
  }

  // The source text of the next value.
  bool Value(std::string_view* token, int depth) {
    SkipSpace();
    const size_t start = at_;
    if (!SkipValue(depth)) return false;
    *token = text_.substr(start, at_ - start);
    return true;
  }

  // The source text of the next string, with its quotes.
  bool StringToken(std::string_view* token) {
    SkipSpace();
    const size_t start = at_;
    if (!SkipString()) return false;
    *token = text_.substr(start, at_ - start);
    return true;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }

  bool SkipHere(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool SkipWord(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool SkipValue(int depth) {
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '{': return SkipContainer('}', true, depth);
      case '[': return SkipContainer(']', false, depth);
      case '"': return SkipString();
      case 't': return SkipWord("true");
      case 'f': return SkipWord("false");
      case 'n': return SkipWord("null");
      default: return SkipNumber();
    }
  }

  bool SkipContainer(char close, bool named, int depth) {
    if (depth >= kJsonDepthMax) return false;
    ++at_;
    if (Skip(close)) return true;
    do {
      SkipSpace();
      if (named && (!SkipString() || !Skip(':'))) return false;
      SkipSpace();
      if (!SkipValue(depth + 1)) return false;
    } while (Skip(','));
    return Skip(close);
  }

  bool SkipHex4(uint32_t* unit) {
    *unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ >= text_.size()) return false;
      const char c = text_[at_];
      const bool digit = c >= '0' && c <= '9';
      const char lower = static_cast<char>(c | 0x20);
      if (!digit && (lower < 'a' || lower > 'f')) return false;
      *unit = *unit * 16 + (digit ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  // The rest of an escape after its backslash. Surrogates come in pairs only.
  bool SkipEscape() {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    uint32_t unit = 0;
    if (!SkipHex4(&unit)) return false;
    if (unit >= 0xDC00 && unit <= 0xDFFF) return false;
    if (unit < 0xD800 || unit > 0xDBFF) return true;
    return SkipWord("\\u") && SkipHex4(&unit) && unit >= 0xDC00 && unit <= 0xDFFF;
  }

  bool SkipString() {
    if (!SkipHere('"')) return false;
    while (at_ < text_.size()) {
      const unsigned char c = text_[at_++];
      if (c == '"') return true;
      if (c < 0x20) return false;
      if (c == '\\' && !SkipEscape()) return false;
    }
    return false;
  }

  bool SkipDigits() {
    const size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > start;
  }

  bool SkipNumber() {
    SkipHere('-');
    if (!SkipHere('0') && !SkipDigits()) return false;
    if (SkipHere('.') && !SkipDigits()) return false;
    if (SkipHere('e') || SkipHere('E')) {
      if (!SkipHere('+')) SkipHere('-');
      return SkipDigits();
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

void AppendUtf8(uint32_t point, std::string* out) {
  if (point < 0x80) {
    out->push_back(static_cast<char>(point));
    return;
  }
  if (point < 0x800) {
    out->push_back(static_cast<char>(0xC0 | point >> 6));
  } else if (point < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | point >> 12));
    out->push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | point >> 18));
    out->push_back(static_cast<char>(0x80 | (point >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
  }
  out->push_back(static_cast<char>(0x80 | (point & 0x3F)));
}

uint32_t Hex4(std::string_view digits) {
  const auto bytes = HexDecode(digits.substr(0, 4));
  REEVE_ASSERT(bytes && bytes->size() == 2);
  return static_cast<unsigned char>((*bytes)[0]) << 8 | static_cast<unsigned char>((*bytes)[1]);
}

}  // namespace

bool ScanJsonObject(std::string_view text, std::vector<JsonMember>* members) {
  if (!IsUtf8(text)) return false;
  Scanner scanner(text);
  if (!scanner.Skip('{')) return false;
  if (scanner.Skip('}')) return scanner.AtEnd();
  do {
    std::string_view name;
    JsonMember member;
    if (!scanner.StringToken(&name) || !scanner.Skip(':') || !scanner.Value(&member.value, 1)) return false;
    UnescapeJsonString(name, &member.name);
    members->push_back(std::move(member));
  } while (scanner.Skip(','));
  return scanner.Skip('}') && scanner.AtEnd();
}

bool ScanJsonArray(std::string_view text, std::vector<std::string_view>* elements) {
  if (!IsUtf8(text)) return false;
  Scanner scanner(text);
  if (!scanner.Skip('[')) return false;
  if (scanner.Skip(']')) return scanner.AtEnd();
  do {
    if (!scanner.Value(&elements->emplace_back(), 1)) return false;
  } while (scanner.Skip(','));
  return scanner.Skip(']') && scanner.AtEnd();
}

bool ParseJsonStrings(std::string_view text, std::vector<std::string>* values) {
  if (!IsUtf8(text)) return false;
  Scanner scanner(text);
  if (!scanner.Skip('[')) return false;
  if (scanner.Skip(']')) return scanner.AtEnd();
  do {
    std::string_view token;
    if (!scanner.StringToken(&token)) return false;
    UnescapeJsonString(token, &values->emplace_back());
    if (values->back().find('\0') != std::string::npos) return false;
  } while (scanner.Skip(','));
  return scanner.Skip(']') && scanner.AtEnd();
}

bool IsJson(std::string_view text) {
  Scanner scanner(text);
  std::string_view token;
  return IsUtf8(text) && scanner.Value(&token, 0) && scanner.AtEnd();
}

void UnescapeJsonString(std::string_view token, std::string* out) {
  out->clear();
  token = token.substr(1, token.size() - 2);
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '\\') {
      out->push_back(token[i]);
      continue;
    }
    const char c = token[++i];
    const size_t plain = std::string_view("bfnrt").find(c);
    if (plain != std::string_view::npos) {
      out->push_back("\b\f\n\r\t"[plain]);
    } else if (c != 'u') {
      out->push_back(c);
    } else {
      uint32_t point = Hex4(token.substr(i + 1));
      i += 4;
      if (point >= 0xD800 && point <= 0xDBFF) {
        point = 0x10000 + ((point - 0xD800) << 10) + (Hex4(token.substr(i + 3)) - 0xDC00);
        i += 6;
      }
      AppendUtf8(point, out);
    }
  }
}

}  // namespace reeve::catalog
