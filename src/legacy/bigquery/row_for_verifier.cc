#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <ctime>

#include "legacy/bigquery/row_text.h"

namespace reeve::legacy {
namespace {

namespace json = boost::json;
using bigquery::FieldType;
using bigquery::Value;

// JSON text of a value; the tree of boost::json is not used for what it holds, since it would write numbers in its own way.
std::string Rendered(const bigquery::Field& field, const Value& value);

std::string Text(const std::string& text) { return json::serialize(json::string_view(text)); }

bool IsJsonText(const std::string& text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  (void)json::parse(text, error, {}, options);
  return !error;
}

std::string OnOneLine(std::string text) {
  for (char& c : text)
    if (c == '\r' || c == '\n') c = ' ';
  return text;
}

// Microseconds since 1970, decimal. Anything else is left as it is.
std::string Instant(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const long long micros = std::strtoll(text.c_str(), &end, 10);
  if (errno != 0 || text.empty() || *end != '\0' || std::isspace(static_cast<unsigned char>(text[0])) != 0 || text[0] == '+') return Text(text);
  const long long fraction = ((micros % 1'000'000) + 1'000'000) % 1'000'000;
  const auto seconds = static_cast<time_t>((micros - fraction) / 1'000'000);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr || parts.tm_year < 1 - 1900 || parts.tm_year > 9999 - 1900) return Text(text);
  std::string out = fmt::format("\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                                parts.tm_min, parts.tm_sec);
  if (fraction != 0) out += fmt::format(".{:06}", fraction);
  return out + " UTC\"";
}

std::string Scalar(FieldType type, const std::string& text) {
  if (type == FieldType::kTimestamp) return Instant(text);
  const bool is_flag = type == FieldType::kBool && (text == "true" || text == "false");
  const bool as_it_is = (type == FieldType::kJson || type == FieldType::kFloat64) && IsJsonText(text);
  if (is_flag || as_it_is) return OnOneLine(text);
  return Text(text);
}

// Starts or goes on with an object.
void Put(const bigquery::Field& field, const Value& value, std::string* object) {
  if (value.kind == Value::Kind::kNull) return;
  *object += (object->empty() ? "{" : ",") + Text(field.name) + ":" + Rendered(field, value);
}

std::string Closed(std::string object) { return object.empty() ? "{}" : std::move(object) + "}"; }

std::string Struct(const std::vector<bigquery::Field>& fields, const std::vector<Value>& values) {
  std::string object;
  for (size_t i = 0; i < std::min(fields.size(), values.size()); ++i) Put(fields[i], values[i], &object);
  return Closed(std::move(object));
}

std::string Rendered(const bigquery::Field& field, const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull: return "null";
    case Value::Kind::kText: return Scalar(field.type, value.text);
    case Value::Kind::kStruct: return Struct(field.fields, value.items);
    case Value::Kind::kList: break;
  }
  std::string array;
  for (const Value& item : value.items) array += (array.empty() ? "[" : ",") + Rendered(field, item);
  return array.empty() ? "[]" : array + "]";
}

}  // namespace

void AppendRowForVerifier(const bigquery::Schema& schema, const bigquery::Row& row, std::span<const uint16_t> positions, std::string* out) {
  std::string object;
  for (const uint16_t position : positions) Put(schema[position], row[position], &object);
  *out += Closed(std::move(object));
}

}  // namespace reeve::legacy
