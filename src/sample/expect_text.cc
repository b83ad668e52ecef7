#include "sample/expect_text.h"

#include <openssl/sha.h>

#include "base/encoding.h"

namespace reeve::sample {
namespace {

// A strict recursive-descent check; only the verdict matters.
class JsonCheck {
 public:
  explicit JsonCheck(std::string_view text) : text_(text) {}
  bool Whole() {
    Space();
    if (!Value(0)) return false;
    Space();
    return at_ == text_.size();
  }

 private:
  static constexpr int kDepthMax = 200;
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void Space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool Word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool Digits() {
    const size_t begin = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    return at_ > begin;
  }
  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return Digits();
    }
    return true;
  }
  // The four digits after \u, or -1.
  int Unit() {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
      const std::optional<std::string> digit = HexDecode(std::string("0") + Peek());
      if (!digit) return -1;
      value = value * 16 + (*digit)[0];
      ++at_;
    }
    return value;
  }
  bool Escape() {
    if (Take('u')) {
      const int unit = Unit();
      if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) return false;
      if (unit < 0xD800 || unit > 0xDBFF) return true;
      if (!Take('\\') || !Take('u')) return false;
      const int low = Unit();
      return low >= 0xDC00 && low <= 0xDFFF;
    }
    const bool known = at_ < text_.size() &&
                       std::string_view("\"\\/bfnrt").find(text_[at_]) != std::string_view::npos;
    ++at_;
    return known;
  }
  bool String() {
    if (!Take('"')) return false;
    while (at_ < text_.size()) {
      const auto c = static_cast<uint8_t>(text_[at_++]);
      if (c == '"') return true;
      if (c < 0x20 || (c == '\\' && !Escape())) return false;
    }
    return false;
  }
  bool Array(int depth) {
    Space();
    if (Take(']')) return true;
    do {
      Space();
      if (!Value(depth)) return false;
      Space();
    } while (Take(','));
    return Take(']');
  }
  bool Object(int depth) {
    Space();
    if (Take('}')) return true;
    do {
      Space();
      if (!String()) return false;
      Space();
      if (!Take(':')) return false;
      Space();
      if (!Value(depth)) return false;
      Space();
    } while (Take(','));
    return Take('}');
  }
  bool Value(int depth) {
    if (depth >= kDepthMax) return false;
    switch (Peek()) {
      case '{': ++at_; return Object(depth + 1);
      case '[': ++at_; return Array(depth + 1);
      case '"': return String();
      case 't': return Word("true");
      case 'f': return Word("false");
      case 'n': return Word("null");
      default: return Number();
    }
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::string Sha256Bytes(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string Sha256Text(std::string_view bytes) { return HexEncode(Sha256Bytes(bytes)); }

std::string IdHash(std::string_view kind, const std::vector<std::string_view>& parts) {
  std::string input = "reeve/";
  input += kind;
  input += "/v1";
  for (const std::string_view part : parts) {
    input.push_back('\0');
    input += part;
  }
  return Sha256Text(input).substr(0, 24);
}

bool IsValidJson(std::string_view text) { return IsUtf8(text) && JsonCheck(text).Whole(); }

std::string WithoutSpace(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\') {
      out += json.substr(i, 2);
      ++i;
      continue;
    }
    if (c == '"') in_string = !in_string;
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (in_string || !space) out.push_back(c);
  }
  return out;
}

void Line::Name(std::string_view column) {
  text_ += text_.empty() ? "{\"" : ",\"";
  text_ += column;
  text_ += "\":";
}

Line& Line::Text(std::string_view column, std::string_view value) {
  Name(column);
  AppendJsonString(value, &text_);
  return *this;
}

Line& Line::Text(std::string_view column, const std::optional<std::string>& value) {
  return value ? Text(column, std::string_view(*value)) : *this;
}

Line& Line::Time(std::string_view column, Micros value) { return Text(column, std::string_view(FormatTime(value))); }

Line& Line::Time(std::string_view column, const std::optional<Micros>& value) {
  return value ? Time(column, *value) : *this;
}

Line& Line::Date(std::string_view column, Days value) { return Text(column, std::string_view(FormatDate(value))); }

Line& Line::Int(std::string_view column, int64_t value) { return Text(column, std::string_view(std::to_string(value))); }

Line& Line::Int(std::string_view column, const std::optional<int64_t>& value) {
  return value ? Int(column, *value) : *this;
}

Line& Line::Bool(std::string_view column, bool value) { return Json(column, value ? "true" : "false"); }

Line& Line::Bytes(std::string_view column, std::string_view value) {
  return Text(column, std::string_view(Base64Encode(value)));
}

Line& Line::Json(std::string_view column, std::string_view json) {
  Name(column);
  text_ += json;
  return *this;
}

Line& Line::Object(std::string_view column, const std::map<std::string, std::string>& texts) {
  std::string json = "{";
  for (const auto& [name, value] : texts) {
    if (json.size() > 1) json.push_back(',');
    AppendJsonString(name, &json);
    json.push_back(':');
    AppendJsonString(value, &json);
  }
  json.push_back('}');
  return Json(column, json);
}

std::string Line::Finish() {
  text_.push_back('}');
  return std::move(text_);
}

std::string StringsJson(const std::vector<std::string>& values) {
  std::string json = "[";
  for (const std::string& value : values) {
    if (json.size() > 1) json.push_back(',');
    AppendJsonString(value, &json);
  }
  json.push_back(']');
  return json;
}

}  // namespace reeve::sample
