#include "store/bigquery/cell_values.h"

#include <charconv>

#include "base/encoding.h"
#include "base/time_text.h"
#include "catalog/ndjson.h"

namespace reeve::store {

using bigquery::Value;
using catalog::Cell;
using catalog::Column;
using catalog::Type;

namespace {

std::optional<int64_t> ParseInt(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> ParseNumber(const Column& column, const std::string& text) {
  switch (column.type) {
    case Type::kBool:
      if (text == "true") return 1;
      if (text == "false") return 0;
      return std::nullopt;
    case Type::kDate:
      if (const auto days = ParseDate(text)) return *days;
      return std::nullopt;
    case Type::kNumeric: return catalog::ParseNumeric(text, column.scale);
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kString:
    case Type::kBytes:
    case Type::kJson:
    case Type::kStrings: return ParseInt(text);
  }
  return std::nullopt;
}

// False if the value is none of the column's.
bool DecodeCell(const Column& column, const Value& value, Cell* cell, std::string* text) {
  *cell = Cell::Null();
  if (value.is_null()) return true;
  if (column.type == Type::kStrings && value.kind != Value::Kind::kText) {
    if (value.kind != Value::Kind::kList) return false;
    std::vector<std::string> elements;
    for (const Value& element : value.items) elements.push_back(element.text);
    *text = catalog::StringsToJson(elements);
    *cell = Cell::Text(*text);
    return true;
  }
  if (value.kind != Value::Kind::kText) return false;
  if (catalog::IsNumeric(column.type)) {
    const auto number = ParseNumber(column, value.text);
    if (number) *cell = Cell::Int(*number);
    return number.has_value();
  }
  if (column.type == Type::kBytes) {
    if (!Base64Decode(value.text, text)) return false;
    *cell = Cell::Text(*text);
    return true;
  }
  *cell = Cell::Text(value.text);
  return true;
}

Result<> DecodeInto(const catalog::Table& table, size_t column, const Value& value, Cell* cell, std::string* text) {
  if (DecodeCell(table.columns[column], value, cell, text)) return {};
  return Fail(Code::kCorrupt, "{}.{} holds a value that is no {}", table.name, table.columns[column].name, catalog::TypeName(table.columns[column].type));
}

}  // namespace

Result<> DecodeValues(const catalog::Table& table, std::span<const Value> values, std::span<Cell> cells, std::vector<std::string>* texts) {
  for (size_t i = 0; i < values.size(); ++i) REEVE_TRY(DecodeInto(table, i, values[i], &cells[i], &(*texts)[i]));
  return {};
}

Result<RowDecoder> RowDecoder::Make(const catalog::Table& table, const bigquery::Schema& schema) {
  RowDecoder decoder;
  decoder.table_ = &table;
  for (const bigquery::Field& field : schema) {
    const int index = table.Find(field.name);
    if (index < 0) continue;
    decoder.columns_.push_back(field.name);
    decoder.cells_.push_back(static_cast<size_t>(index));
  }
  for (const Column& column : table.columns) {
    bool found = false;
    for (const std::string& name : decoder.columns_) found = found || name == column.name;
    if (!found) {
      return FailWithHint(Code::kRefused, fmt::format("table {} has no column {}", table.name, column.name), "`reeve schema check` says how it differs");
    }
  }
  return decoder;
}

Result<> RowDecoder::Decode(const bigquery::Row& row, std::span<Cell> cells, std::vector<std::string>* texts) const {
  if (row.size() != cells_.size()) return Fail(Code::kCorrupt, "{}: a row of {} values where {} were asked for", table_->name, row.size(), cells_.size());
  for (size_t i = 0; i < row.size(); ++i) REEVE_TRY(DecodeInto(*table_, cells_[i], row[i], &cells[cells_[i]], &(*texts)[cells_[i]]));
  return {};
}

}  // namespace reeve::store
