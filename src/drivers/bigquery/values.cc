#include "drivers/bigquery/values.h"

#include <charconv>
#include <cmath>

#include "base/encoding.h"

namespace reeve::bigquery {
namespace {

template <typename T>
std::optional<T> Whole(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

size_t CountDigits(std::string_view text) {
  const size_t end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

// [-+] digits [. digits] [e [-+] digits], at least one digit before the exponent.
bool IsDecimal(std::string_view text) {
  const auto skip_sign = [&] {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  };
  skip_sign();
  const size_t whole = CountDigits(text);
  text.remove_prefix(whole);
  size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = CountDigits(text);
    text.remove_prefix(fraction);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  skip_sign();
  return !text.empty() && CountDigits(text) == text.size();
}

// HH:MM:SS[.f{1,6}]
bool IsTimeOfDay(std::string_view text) {
  if (text.size() < 8 || text.find_first_not_of("0123456789:.") != std::string_view::npos) return false;
  return ParseTime("2000-01-01 " + std::string(text)).has_value();
}

bool NormaliseFloat(std::string* text) {
  const std::string_view number = text->starts_with('+') ? std::string_view(*text).substr(1) : std::string_view(*text);
  const std::optional<double> value = Whole<double>(number);
  if (!value) return false;
  if (std::isnan(*value)) *text = "NaN";
  else if (std::isinf(*value)) *text = *value < 0 ? "-Infinity" : "Infinity";
  return true;
}

bool NormaliseTimestamp(std::string* text) {
  if (const std::optional<int64_t> micros = Whole<int64_t>(*text)) return *micros >= kTimeMin && *micros <= kTimeMax;
  const std::optional<Micros> time = ParseTime(*text);
  if (!time) return false;
  *text = std::to_string(*time);
  return true;
}

bool NormaliseDatetime(std::string* text) {
  if (text->size() < 19 || ((*text)[10] != 'T' && (*text)[10] != ' ')) return false;
  (*text)[10] = 'T';
  const std::string_view all = *text;
  return ParseDate(all.substr(0, 10)).has_value() && IsTimeOfDay(all.substr(11));
}

const std::string* TextOf(const Value& value) { return value.kind == Value::Kind::kText ? &value.text : nullptr; }

}  // namespace

bool Normalise(FieldType type, std::string* text) {
  switch (type) {
    case FieldType::kInt64: return Whole<int64_t>(*text).has_value();
    case FieldType::kFloat64: return NormaliseFloat(text);
    case FieldType::kBool: return *text == "true" || *text == "false";
    case FieldType::kTimestamp: return NormaliseTimestamp(text);
    case FieldType::kDate: return ParseDate(*text).has_value();
    case FieldType::kTime: return IsTimeOfDay(*text);
    case FieldType::kDatetime: return NormaliseDatetime(text);
    case FieldType::kNumeric:
    case FieldType::kBignumeric: return IsDecimal(*text);
    case FieldType::kBytes: {
      std::string bytes;
      return Base64Decode(*text, &bytes);
    }
    case FieldType::kString:
    case FieldType::kJson:
    case FieldType::kGeography:
    case FieldType::kInterval:
    case FieldType::kRange: return true;
    case FieldType::kStruct: break;
  }
  return false;
}

std::optional<int64_t> AsInt64(const Value& value) {
  const std::string* const text = TextOf(value);
  return text == nullptr ? std::nullopt : Whole<int64_t>(*text);
}

std::optional<double> AsDouble(const Value& value) {
  const std::string* const text = TextOf(value);
  return text == nullptr ? std::nullopt : Whole<double>(*text);
}

std::optional<bool> AsBool(const Value& value) {
  const std::string* const text = TextOf(value);
  if (text == nullptr || (*text != "true" && *text != "false")) return std::nullopt;
  return *text == "true";
}

std::optional<Micros> AsTime(const Value& value) { return AsInt64(value); }

std::optional<Days> AsDate(const Value& value) {
  const std::string* const text = TextOf(value);
  return text == nullptr ? std::nullopt : ParseDate(*text);
}

std::optional<std::string> AsBytes(const Value& value) {
  const std::string* const text = TextOf(value);
  std::string bytes;
  if (text == nullptr || !Base64Decode(*text, &bytes)) return std::nullopt;
  return bytes;
}

std::optional<std::string> AsText(const Value& value) {
  const std::string* const text = TextOf(value);
  if (text == nullptr) return std::nullopt;
  return *text;
}

}  // namespace reeve::bigquery
