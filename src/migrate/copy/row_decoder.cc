#include "migrate/copy/row_decoder.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::migrate::copy {
namespace {

using catalog::Field;
using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr size_t kColumnsMax = 10'000;  // BigQuery's own limit of columns in a table
constexpr size_t kKeptColumnsMax = 64;     // from one table to the next
constexpr size_t kRowKeyBytesMax = 80;
constexpr uint32_t kNone = UINT32_MAX;

bool IsBlank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

// Levels of nesting of a value that is an object or array, itself included; stops counting above `limit`.
int Depth(const element& value, int limit) {
  if (limit <= 0) return 1;
  int deepest = 0;
  simdjson::dom::array array;
  simdjson::dom::object object;
  if (value.get(array) == simdjson::SUCCESS) {
    for (const element child : array)
      if (child.is_array() || child.is_object()) deepest = std::max(deepest, Depth(child, limit - 1));
  } else if (value.get(object) == simdjson::SUCCESS) {
    for (const auto field : object)
      if (field.value.is_array() || field.value.is_object()) deepest = std::max(deepest, Depth(field.value, limit - 1));
  }
  return deepest + 1;
}

struct Column {
  std::string name;
  Field field = Field::kIgnored;
  int rank = 0;
  bool in_schema = false;
  bool in_valid_row = false;
  uint64_t stamp = 0;  // the last line it occurred in
  // The columns that followed this one lately: rows of a table differ only in the NULLs they leave out.
  std::array<uint32_t, 2> followers{kNone, kNone};
};

}  // namespace

struct RowDecoder::Impl {
  // One more than the limit: simdjson counts a container only when it has content, RowDecoder counts the rest itself.
  simdjson::dom::parser parser;
  simdjson::ondemand::parser raw_parser;
  catalog::LegacyKind kind = catalog::LegacyKind::kKeys;
  bool has_schema = false;
  std::vector<Column> columns;
  std::map<std::string, uint32_t, std::less<>> by_name;
  std::array<uint32_t, 2> first_columns{kNone, kNone};
  std::vector<uint32_t> touched;   // columns of the current line
  size_t columns_not_valid = 0;
  uint64_t line_stamp = 0;

  std::string_view text;           // of the current line
  std::array<element, catalog::kFields> values;
  std::array<uint32_t, catalog::kFields> chosen_column{};
  std::array<int8_t, catalog::kFields> chosen_rank{};  // -1: absent

  Impl() { REEVE_ASSERT(parser.allocate(64 * 1024, kDepthMax + 1) == simdjson::SUCCESS); }

  uint32_t AddColumn(std::string name) {
    Column column;
    if (const auto known = catalog::FindLegacyColumn(kind, name)) {
      column.field = known->field;
      column.rank = known->rank;
    }
    column.name = name;
    columns.push_back(std::move(column));
    ++columns_not_valid;
    const auto index = static_cast<uint32_t>(columns.size() - 1);
    by_name.emplace(std::move(name), index);
    return index;
  }

  // The column called `name` that follows column `before`; kNone when there are too many columns.
  uint32_t ColumnAfter(uint32_t before, std::string_view name) {
    auto& followers = before == kNone ? first_columns : columns[before].followers;
    for (const uint32_t guess : followers)
      if (guess != kNone && columns[guess].name == name) return guess;
    const auto found = by_name.find(name);
    if (found == by_name.end() && columns.size() >= kColumnsMax) return kNone;
    const uint32_t index = found != by_name.end() ? found->second : AddColumn(std::string(name));
    auto& places = before == kNone ? first_columns : columns[before].followers;  // AddColumn may have moved them
    places = {index, places[0]};
    return index;
  }

  bool Parse(std::string_view line, element* root) {
    if (parser.capacity() < line.size() &&
        parser.allocate(line.size() + line.size() / 2, kDepthMax + 1) != simdjson::SUCCESS)
      return false;
    return parser.parse(reinterpret_cast<const uint8_t*>(line.data()), line.size(), false).get(*root) == simdjson::SUCCESS;
  }

  // Files the fields of a row; the reason it is dead, or empty.
  std::string_view FileFields(const simdjson::dom::object& object) {
    ++line_stamp;
    touched.clear();
    chosen_rank.fill(-1);
    bool duplicate = false;
    bool unlisted = false;
    uint32_t index = kNone;
    for (const auto field : object) {
      const bool nested = field.value.is_array() || field.value.is_object();
      if (nested && Depth(field.value, kDepthMax) + 1 > kDepthMax) return "invalid_json";
      index = ColumnAfter(index, field.key);
      if (index == kNone) return "too_many_columns";
      Column& column = columns[index];
      duplicate |= column.stamp == line_stamp;
      column.stamp = line_stamp;
      unlisted |= has_schema && !column.in_schema;
      touched.push_back(index);
      if (column.field != Field::kIgnored && !field.value.is_null()) Choose(column, index, field.value);
    }
    if (duplicate) return "duplicate_field";
    if (unlisted) return "unknown_column";
    if (columns_not_valid > 0) MarkValid();
    return {};
  }

  void Choose(const Column& column, uint32_t index, const element& value) {
    const auto field = static_cast<size_t>(column.field);
    if (chosen_rank[field] >= 0 && chosen_rank[field] <= column.rank) return;
    chosen_rank[field] = static_cast<int8_t>(column.rank);
    chosen_column[field] = index;
    values[field] = value;
  }

  void MarkValid() {
    for (const uint32_t index : touched) {
      if (columns[index].in_valid_row) continue;
      columns[index].in_valid_row = true;
      --columns_not_valid;
    }
  }

  const element* Value(Field field) const {
    const auto index = static_cast<size_t>(field);
    return chosen_rank[index] >= 0 ? &values[index] : nullptr;
  }

  // The source text of a nested value, white space outside strings removed.
  std::string SourceOf(Field field) {
    simdjson::ondemand::document document;
    simdjson::ondemand::value value;
    const std::string& name = columns[chosen_column[static_cast<size_t>(field)]].name;
    const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + legacy::kLinePadding);
    if (raw_parser.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.find_field_unordered(name).get(value) != simdjson::SUCCESS)
      return {};
    std::string_view raw;
    simdjson::ondemand::object object;
    simdjson::ondemand::array array;
    const bool ok = value.get_object().get(object) == simdjson::SUCCESS
                        ? object.raw_json().get(raw) == simdjson::SUCCESS
                        : value.get_array().get(array) == simdjson::SUCCESS &&
                              array.raw_json().get(raw) == simdjson::SUCCESS;
    if (!ok) return {};
    std::string minified(raw.size(), '\0');
    size_t size = 0;
    if (simdjson::minify(raw.data(), raw.size(), minified.data(), size) != simdjson::SUCCESS) return {};
    minified.resize(size);
    return minified;
  }
};

RowDecoder::RowDecoder() : impl_(std::make_unique<Impl>()) {}
RowDecoder::~RowDecoder() = default;

void RowDecoder::StartTable(catalog::LegacyKind kind, const std::optional<std::vector<std::string>>& schema) {
  Impl& d = *impl_;
  const bool same = d.kind == kind && !d.has_schema && !schema && !d.columns.empty();
  rows_ = 0;
  d.line_stamp = 0;
  if (same) {  // most tables of a kind look alike: keep the columns known, forget where they were seen
    for (Column& column : d.columns) {
      column.stamp = 0;
      column.in_valid_row = false;
    }
    d.columns_not_valid = d.columns.size();
    if (d.columns.size() <= kKeptColumnsMax) return;
  }
  d.kind = kind;
  d.has_schema = schema.has_value();
  d.columns.clear();
  d.by_name.clear();
  d.first_columns = {kNone, kNone};
  d.columns_not_valid = 0;
  if (!schema) return;
  for (const std::string& name : *schema)
    if (d.by_name.count(name) == 0) d.columns[d.AddColumn(name)].in_schema = true;
}

Verdict RowDecoder::Decode(const legacy::Line& line) {
  Impl& d = *impl_;
  reason_ = {};
  d.chosen_rank.fill(-1);
  if (line.too_large) {
    reason_ = "row_too_large";
    return Verdict::kDead;
  }
  if (line.text.empty() || IsBlank(line.text)) return Verdict::kBlank;
  d.text = line.text;
  element root;
  simdjson::dom::object object;
  if (!d.Parse(line.text, &root)) {
    reason_ = "invalid_json";
  } else if (root.get(object) != simdjson::SUCCESS) {
    reason_ = root.is_array() && Depth(root, kDepthMax) > kDepthMax ? "invalid_json" : "not_an_object";
  } else {
    reason_ = d.FileFields(object);
  }
  if (!reason_.empty()) return Verdict::kDead;
  ++rows_;
  return Verdict::kRow;
}

bool RowDecoder::TakeText(Field field, std::optional<std::string_view>* out) {
  out->reset();
  const element* value = impl_->Value(field);
  if (value == nullptr) return true;
  std::string_view text;
  if (value->get(text) != simdjson::SUCCESS) return Dead("bad_text");
  if (text.size() > kTextBytesMax) return Dead("value_too_large");
  if (text.find('\0') != std::string_view::npos) return Dead("nul_in_text");
  *out = text;
  return true;
}

bool RowDecoder::TakeTime(Field field, std::optional<Micros>* out) {
  out->reset();
  const element* value = impl_->Value(field);
  if (value == nullptr) return true;
  std::string_view text;
  if (value->get(text) != simdjson::SUCCESS) return Dead("bad_time");
  *out = ParseTime(text);
  return out->has_value() || Dead("bad_time");
}

bool RowDecoder::TakeInt(Field field, std::optional<int64_t>* out) {
  out->reset();
  const element* value = impl_->Value(field);
  if (value == nullptr) return true;
  int64_t number = 0;
  if (value->type() == element_type::INT64) {
    *out = value->get_int64().value_unsafe();
    return true;
  }
  std::string_view text;
  if (value->get(text) != simdjson::SUCCESS || text.empty()) return Dead("bad_int");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return Dead("bad_int");
  *out = number;
  return true;
}

bool RowDecoder::TakeBool(Field field, std::optional<bool>* out) {
  out->reset();
  const element* value = impl_->Value(field);
  if (value == nullptr) return true;
  bool truth = false;
  std::string_view text;
  if (value->get(truth) == simdjson::SUCCESS) {
    *out = truth;
  } else if (value->get(text) == simdjson::SUCCESS && (text == "true" || text == "false")) {
    *out = text == "true";
  } else {
    return Dead("bad_bool");
  }
  return true;
}

bool RowDecoder::TakeTexts(Field field, std::optional<std::string>* out) {
  out->reset();
  const element* value = impl_->Value(field);
  if (value == nullptr) return true;
  simdjson::dom::array array;
  if (value->get(array) != simdjson::SUCCESS) return Dead("bad_texts");
  std::string json = "[";
  for (const element item : array) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) return Dead("bad_texts");
    if (text.size() > kTextBytesMax) return Dead("value_too_large");
    if (text.find('\0') != std::string_view::npos) return Dead("nul_in_text");
    if (json.size() > 1) json += ',';
    AppendJsonString(text, &json);
  }
  json += ']';
  if (json.size() > 2) *out = std::move(json);
  return true;
}

bool RowDecoder::TakeTextOrJson(Field field, std::optional<std::string>* out) {
  out->reset();
  const element* value = impl_->Value(field);
  if (value == nullptr) return true;
  if (value->is_object() || value->is_array()) {
    std::string source = impl_->SourceOf(field);
    if (source.size() > kTextBytesMax) return Dead("value_too_large");
    *out = std::move(source);
    return true;
  }
  std::optional<std::string_view> text;
  if (!TakeText(field, &text)) return false;
  if (text) out->emplace(*text);
  return true;
}

std::string RowDecoder::RowKey() const {
  const element* value = impl_->Value(Field::kId);
  std::string_view text;
  if (value == nullptr || value->get(text) != simdjson::SUCCESS) return {};
  std::string key(text.substr(0, kRowKeyBytesMax));
  while (!key.empty() && !IsUtf8(key)) key.pop_back();
  for (char& c : key)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return key;
}

std::vector<std::string> RowDecoder::Columns() const {
  std::vector<std::string> names;
  for (const Column& column : impl_->columns)
    if (impl_->has_schema ? column.in_schema : column.in_valid_row) names.push_back(column.name);
  std::sort(names.begin(), names.end());  // not in the order in which this decoder happened to meet them
  return names;
}

bool RowDecoder::HasColumn(Field field) const {
  for (const Column& column : impl_->columns)
    if (column.field == field && (impl_->has_schema ? column.in_schema : column.in_valid_row)) return true;
  return false;
}

}  // namespace reeve::migrate::copy
