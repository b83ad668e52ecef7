#include <charconv>

#include "base/encoding.h"
#include "base/time_text.h"
#include "catalog/json_scan.h"
#include "legacy/bigquery/row_text.h"

namespace reeve::legacy {
namespace {

using bigquery::Field;
using bigquery::FieldType;
using bigquery::Mode;
using bigquery::Value;

void AppendTimestamp(const std::string& text, std::string* out) {
  Micros instant = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), instant);
  const bool is_instant = error == std::errc() && end == text.data() + text.size() && instant >= kTimeMin && instant <= kTimeMax;
  AppendJsonString(is_instant ? FormatTime(instant) : text, out);
}

// Of JSON a line may hold no break; in valid JSON breaks stand between values only.
void AppendJson(const std::string& text, std::string* out) {
  if (!catalog::IsJson(text)) return AppendJsonString(text, out);
  for (const char c : text) *out += c == '\n' || c == '\r' ? ' ' : c;
}

void AppendScalar(const Field& field, const std::string& text, std::string* out) {
  switch (field.type) {
    case FieldType::kBool:
      if (text != "true" && text != "false") break;
      *out += text;
      return;
    case FieldType::kFloat64:  // a number, or NaN and Infinity, which are none in JSON
    case FieldType::kJson: return AppendJson(text, out);
    case FieldType::kTimestamp: return AppendTimestamp(text, out);
    case FieldType::kString:
    case FieldType::kBytes:
    case FieldType::kInt64:
    case FieldType::kDate:
    case FieldType::kTime:
    case FieldType::kDatetime:
    case FieldType::kNumeric:
    case FieldType::kBignumeric:
    case FieldType::kGeography:
    case FieldType::kInterval:
    case FieldType::kRange:
    case FieldType::kStruct: break;
  }
  AppendJsonString(text, out);
}

void AppendMember(const Field& field, const Value& value, bool first, std::string* out);

void AppendOne(const Field& field, const Value& value, std::string* out) {
  if (value.kind == Value::Kind::kText) return AppendScalar(field, value.text, out);
  if (value.kind == Value::Kind::kNull) {
    *out += "null";  // only inside an array, where nothing can be left out
    return;
  }
  *out += '{';
  bool first = true;
  for (size_t i = 0; i < value.items.size() && i < field.fields.size(); ++i) {
    if (value.items[i].is_null()) continue;
    AppendMember(field.fields[i], value.items[i], first, out);
    first = false;
  }
  *out += '}';
}

void AppendMember(const Field& field, const Value& value, bool first, std::string* out) {
  if (!first) *out += ',';
  AppendJsonString(field.name, out);
  *out += ':';
  if (field.mode != Mode::kRepeated || value.kind != Value::Kind::kList) return AppendOne(field, value, out);
  *out += '[';
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) *out += ',';
    AppendOne(field, value.items[i], out);
  }
  *out += ']';
}

}  // namespace

void AppendRowForCopier(const bigquery::Schema& schema, const bigquery::Row& row, std::span<const uint16_t> positions, std::string* out) {
  *out += '{';
  bool first = true;
  for (const uint16_t position : positions) {
    if (row[position].is_null()) continue;
    AppendMember(schema[position], row[position], first, out);
    first = false;
  }
  *out += '}';
}

}  // namespace reeve::legacy
