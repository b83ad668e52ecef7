#include "legacy/bigquery/schema_text.h"

#include <algorithm>

#include "catalog/json_scan.h"
#include "drivers/bigquery/resources.h"

namespace reeve::legacy {
namespace {

namespace json = boost::json;
using bigquery::Field;
using bigquery::FieldType;
using bigquery::Mode;
using bigquery::Schema;

// What a column would be that holds this JSON value; nullopt: null says nothing.
std::optional<Field> FieldFor(const catalog::JsonMember& member) {
  Field field;
  field.name = member.name;
  const std::string_view value = member.value;
  std::vector<std::string> texts;
  if (value == "null") return std::nullopt;
  if (value == "true" || value == "false") {
    field.type = FieldType::kBool;
  } else if (value.front() == '[' && catalog::ParseJsonStrings(value, &texts)) {
    field.mode = Mode::kRepeated;
  } else if (value.front() == '[' || value.front() == '{') {
    field.type = FieldType::kJson;
  } else if (value.front() != '"') {
    field.type = value.find_first_of(".eE") == std::string_view::npos ? FieldType::kInt64 : FieldType::kFloat64;
  }
  return field;
}

}  // namespace

std::string SchemaJson(const Schema& schema) { return json::serialize(bigquery::EncodeSchema(schema, true)["fields"]) + "\n"; }

Result<Schema> ParseSchemaJson(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = bigquery::json::kDepthMax;
  json::value root = json::parse(text, error, {}, options);
  if (error) return Fail(Code::kFailed, "a schema that is no JSON: {}", error.message());
  if (root.is_array()) root = json::object{{"fields", std::move(root)}};
  if (!root.is_object() || bigquery::json::FindArray(root.get_object(), "fields") == nullptr)
    return Fail(Code::kFailed, "a schema is an array of fields, or an object that holds one");
  return bigquery::DecodeSchema(root.get_object(), "the schema");
}

std::string SqlType(const Field& field) {
  std::string type(bigquery::NameOf(field.type));
  if (field.type == FieldType::kStruct) {
    type += '<';
    for (const Field& inner : field.fields) type += fmt::format("{}`{}` {}", type.back() == '<' ? "" : ", ", inner.name, SqlType(inner));
    type += '>';
  }
  return field.mode == Mode::kRepeated ? "ARRAY<" + type + ">" : type;
}

Result<Schema> SchemaOfRows(std::string_view lines) {
  Schema schema;
  std::vector<catalog::JsonMember> members;
  REEVE_TRY(ForEachLine(lines, [&](std::string_view line, size_t number) -> Result<> {
    if (!catalog::ScanJsonObject(line, &members)) return Fail(Code::kFailed, "line {} is no JSON object", number);
    for (const catalog::JsonMember& member : members) {
      const bool known = std::any_of(schema.begin(), schema.end(), [&](const Field& field) { return field.name == member.name; });
      if (known) continue;
      if (auto field = FieldFor(member)) schema.push_back(std::move(*field));
    }
    return {};
  }));
  return schema;
}

Result<> ForEachLine(std::string_view lines, const VisitLine& visit) {
  for (size_t number = 1; !lines.empty(); ++number) {
    const size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) REEVE_TRY(visit(line, number));
  }
  return {};
}

}  // namespace reeve::legacy
