#include "drivers/bigquery/types.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::bigquery {
namespace {

constexpr size_t kNameBytesMax = 1024;
constexpr size_t kJobIdBytesMax = 1000;

bool ConsistsOf(std::string_view text, std::string_view others, size_t bytes_max) {
  const auto allowed = [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || others.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= bytes_max && std::all_of(text.begin(), text.end(), allowed);
}

struct TypeName {
  FieldType type;
  std::string_view name;
};
// The first name of a type is the one we write.
constexpr std::array kTypeNames = {
    TypeName{FieldType::kString, "STRING"},         TypeName{FieldType::kBytes, "BYTES"},
    TypeName{FieldType::kInt64, "INT64"},           TypeName{FieldType::kInt64, "INTEGER"},
    TypeName{FieldType::kFloat64, "FLOAT64"},       TypeName{FieldType::kFloat64, "FLOAT"},
    TypeName{FieldType::kBool, "BOOL"},             TypeName{FieldType::kBool, "BOOLEAN"},
    TypeName{FieldType::kTimestamp, "TIMESTAMP"},   TypeName{FieldType::kDate, "DATE"},
    TypeName{FieldType::kTime, "TIME"},             TypeName{FieldType::kDatetime, "DATETIME"},
    TypeName{FieldType::kNumeric, "NUMERIC"},       TypeName{FieldType::kNumeric, "DECIMAL"},
    TypeName{FieldType::kBignumeric, "BIGNUMERIC"}, TypeName{FieldType::kBignumeric, "BIGDECIMAL"},
    TypeName{FieldType::kJson, "JSON"},             TypeName{FieldType::kGeography, "GEOGRAPHY"},
    TypeName{FieldType::kInterval, "INTERVAL"},     TypeName{FieldType::kRange, "RANGE"},
    TypeName{FieldType::kStruct, "STRUCT"},         TypeName{FieldType::kStruct, "RECORD"},
};

}  // namespace

bool IsIdentifier(std::string_view text) { return ConsistsOf(text, "", kNameBytesMax); }
bool IsTableName(std::string_view text) { return ConsistsOf(text, "-", kNameBytesMax); }
bool IsProjectId(std::string_view text) { return ConsistsOf(text, "-:.", kNameBytesMax); }
bool IsJobId(std::string_view text) { return ConsistsOf(text, "-", kJobIdBytesMax); }

std::string TableId::Quoted() const {
  REEVE_ASSERT(IsProjectId(project) && IsIdentifier(dataset) && IsTableName(table));
  return '`' + Text() + '`';
}

std::string TableId::Text() const { return project + '.' + dataset + '.' + table; }

std::string_view NameOf(FieldType type) {
  const auto found = std::find_if(kTypeNames.begin(), kTypeNames.end(), [type](const TypeName& entry) { return entry.type == type; });
  REEVE_ASSERT(found != kTypeNames.end());
  return found->name;
}

std::string_view NameOf(Mode mode) {
  switch (mode) {
    case Mode::kNullable: return "NULLABLE";
    case Mode::kRequired: return "REQUIRED";
    case Mode::kRepeated: return "REPEATED";
  }
  return "";
}

std::optional<FieldType> ParseFieldType(std::string_view name) {
  const std::string upper = AsciiUpper(name);
  const auto found = std::find_if(kTypeNames.begin(), kTypeNames.end(), [&](const TypeName& entry) { return entry.name == upper; });
  if (found == kTypeNames.end()) return std::nullopt;
  return found->type;
}

}  // namespace reeve::bigquery
