#include "legacy/bigquery/row_staging.h"

#include "base/encoding.h"
#include "base/time_text.h"
#include "catalog/json_scan.h"
#include "legacy/bigquery/schema_text.h"

namespace reeve::legacy {
namespace {

using bigquery::Field;
using bigquery::FieldType;
using bigquery::Mode;
using bigquery::Schema;

// Whether the staging column has the table's own type.
bool StandsAsItIs(const Field& field) {
  switch (field.type) {
    case FieldType::kStruct:
    case FieldType::kGeography:
    case FieldType::kInterval:
    case FieldType::kRange: return true;
    case FieldType::kString:
    case FieldType::kBytes:
    case FieldType::kInt64:
    case FieldType::kFloat64:
    case FieldType::kBool:
    case FieldType::kTimestamp:
    case FieldType::kDate:
    case FieldType::kTime:
    case FieldType::kDatetime:
    case FieldType::kNumeric:
    case FieldType::kBignumeric:
    case FieldType::kJson: return false;
  }
  return false;
}

// The value of one scalar from its text.
std::string Converted(FieldType type, const std::string& text) {
  if (type == FieldType::kString) return text;
  if (type == FieldType::kBytes) return "FROM_BASE64(" + text + ")";
  if (type == FieldType::kJson) return "PARSE_JSON(" + text + ")";
  return fmt::format("CAST({} AS {})", text, bigquery::NameOf(type));
}

std::string Expression(const Field& field, const std::string& staged) {
  if (StandsAsItIs(field)) return staged;
  if (field.mode != Mode::kRepeated) return Converted(field.type, staged);
  const std::string items = fmt::format("JSON_VALUE_ARRAY(PARSE_JSON({}))", staged);
  if (field.type == FieldType::kString) return items;
  return fmt::format("ARRAY(SELECT {} FROM UNNEST({}) AS item WITH OFFSET AS place ORDER BY place)", Converted(field.type, "item"), items);
}

// A scalar as text; nullopt: it is none.
std::optional<std::string> ScalarText(std::string_view token) {
  if (token.front() == '{' || token.front() == '[') return std::nullopt;
  std::string text(token);
  if (token.front() == '"') catalog::UnescapeJsonString(token, &text);
  return text;
}

// What the member of a staged row is, as text; nullopt: the value does not fit.
std::optional<std::string> StagedText(const Field& field, std::string_view token) {
  std::string text;
  if (field.mode == Mode::kRepeated) return token.front() == '[' ? std::optional<std::string>(token) : std::nullopt;
  if (field.type == FieldType::kJson) {
    // Exports write JSON as a value or as text that holds it.
    if (token.front() == '"') catalog::UnescapeJsonString(token, &text);
    const bool holds_json = !text.empty() && (text.front() == '{' || text.front() == '[') && catalog::IsJson(text);
    return holds_json ? text : std::string(token);
  }
  const std::optional<std::string> scalar = ScalarText(token);
  if (!scalar || field.type != FieldType::kTimestamp) return scalar;
  const std::optional<Micros> instant = ParseTime(*scalar);
  if (!instant) return std::nullopt;
  text = FormatTime(*instant);
  return text.substr(0, text.size() - 4) + "+00";
}

size_t PositionOf(const Schema& schema, std::string_view name) {
  for (size_t i = 0; i < schema.size(); ++i)
    if (AsciiLower(schema[i].name) == AsciiLower(name)) return i;  // BigQuery's columns do not differ in case only
  return schema.size();
}

}  // namespace

Schema StagingSchema(const Schema& schema) {
  Schema staging;
  for (size_t i = 0; i < schema.size(); ++i) {
    Field field;
    if (StandsAsItIs(schema[i])) field = schema[i];
    if (field.mode == Mode::kRequired) field.mode = Mode::kNullable;
    field.default_expression.clear();
    field.name = fmt::format("c{}", i);
    staging.push_back(std::move(field));
  }
  return staging;
}

Result<std::string> StagedRow(const Schema& schema, std::string_view line) {
  std::vector<catalog::JsonMember> members;
  if (!catalog::ScanJsonObject(line, &members)) return Fail(Code::kFailed, "no JSON object");
  std::string row = "{";
  for (const catalog::JsonMember& member : members) {
    const size_t position = PositionOf(schema, member.name);
    if (position == schema.size()) return Fail(Code::kFailed, "the table has no column {}", member.name);
    if (member.value == "null") continue;
    row += fmt::format("{}\"c{}\":", row.size() > 1 ? "," : "", position);
    if (StandsAsItIs(schema[position])) {
      row += member.value;
      continue;
    }
    const std::optional<std::string> text = StagedText(schema[position], member.value);
    if (!text) return Fail(Code::kFailed, "the value of column {} is no {}", member.name, SqlType(schema[position]));
    AppendJsonString(*text, &row);
  }
  return row + "}\n";
}

std::string SwapScript(const Schema& schema, const bigquery::TableId& table, const bigquery::TableId* staging) {
  const std::string clear = fmt::format("DELETE FROM {} WHERE TRUE", table.Quoted());
  if (staging == nullptr) return clear;
  std::string columns, values;
  for (size_t i = 0; i < schema.size(); ++i) {
    columns += fmt::format("{}`{}`", i > 0 ? ", " : "", schema[i].name);
    values += (i > 0 ? ", " : "") + Expression(schema[i], fmt::format("c{}", i));
  }
  return fmt::format("BEGIN TRANSACTION;\n{};\nINSERT INTO {} ({})\nSELECT {}\nFROM {};\nCOMMIT TRANSACTION;", clear, table.Quoted(), columns, values,
                     staging->Quoted());
}

}  // namespace reeve::legacy
