#include "drivers/bigquery/rows.h"

#include <simdjson.h>

#include <algorithm>
#include <numeric>

#include "base/encoding.h"
#include "drivers/bigquery/resources.h"
#include "drivers/bigquery/values.h"

namespace reeve::bigquery {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Every level of STRUCT is an object, a list and a cell, and as much again where it is REPEATED.
constexpr size_t kJsonDepthMax = 8 + 6 * kRecordDepthMax;

std::optional<element> Member(const element& from, std::string_view name) {
  element found;
  if (from.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<uint64_t> UnsignedMember(const element& from, std::string_view name) {
  const std::optional<element> found = Member(from, name);
  if (!found) return std::nullopt;
  uint64_t number = 0;
  if (found->get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (found->get(text) != simdjson::SUCCESS) return std::nullopt;
  Value value{Value::Kind::kText, std::string(text)};
  const std::optional<int64_t> parsed = AsInt64(value);
  return parsed && *parsed >= 0 ? std::optional<uint64_t>(static_cast<uint64_t>(*parsed)) : std::nullopt;
}

// Decodes values of one row. Keeps what is wrong, as a sentence without values.
class RowDecoder {
 public:
  // The cells of {"f": […]}.
  bool Cells(const element& row, simdjson::dom::array* cells) {
    const std::optional<element> list = Member(row, "f");
    if (list && list->get(*cells) == simdjson::SUCCESS) return true;
    return Wrong("it is no object with a list \"f\"");
  }

  bool Cell(const element& cell, const Field& field, Value* out) {
    const std::optional<element> value = Member(cell, "v");
    if (!value) return Wrong(field, "has no \"v\"");
    return field.mode == Mode::kRepeated ? List(*value, field, out) : One(*value, field, out);
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool Wrong(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool Wrong(const Field& field, std::string_view problem) { return Wrong(fmt::format("its column {} {}", field.name, problem)); }

  bool List(const element& value, const Field& field, Value* out) {
    out->kind = Value::Kind::kList;
    out->text.clear();
    if (value.is_null()) {
      out->items.clear();
      return true;
    }
    simdjson::dom::array cells;
    if (value.get(cells) != simdjson::SUCCESS) return Wrong(field, "is REPEATED and holds no list");
    size_t count = 0;
    for (const element cell : cells) {
      const std::optional<element> item = Member(cell, "v");
      if (!item) return Wrong(field, "has an element without \"v\"");
      if (out->items.size() == count) out->items.emplace_back();
      if (!One(*item, field, &out->items[count++])) return false;
    }
    out->items.resize(count);
    return true;
  }

  bool One(const element& value, const Field& field, Value* out) {
    if (value.is_null()) {
      *out = Value{};
      return true;
    }
    return field.type == FieldType::kStruct ? Struct(value, field, out) : Scalar(value, field, out);
  }

  bool Struct(const element& value, const Field& field, Value* out) {
    simdjson::dom::array cells;
    if (!Cells(value, &cells)) return Wrong(field, "is a STRUCT and holds no object with a list \"f\"");
    if (cells.size() != field.fields.size()) return Wrong(field, "has another number of fields than its schema");
    out->kind = Value::Kind::kStruct;
    out->text.clear();
    out->items.resize(field.fields.size());
    size_t at = 0;
    for (const element cell : cells) {
      if (!Cell(cell, field.fields[at], &out->items[at])) return false;
      ++at;
    }
    return true;
  }

  bool Scalar(const element& value, const Field& field, Value* out) {
    out->kind = Value::Kind::kText;
    out->items.clear();
    if (!TextOf(value, field.type, &out->text)) return Wrong(field, "holds no scalar value");
    if (!Normalise(field.type, &out->text)) return Wrong(field, fmt::format("holds no {}", NameOf(field.type)));
    return true;
  }

  static bool TextOf(const element& value, FieldType type, std::string* text) {
    switch (value.type()) {
      case element_type::STRING: text->assign(std::string_view(value)); return true;
      case element_type::INT64: *text = std::to_string(int64_t(value)); return true;
      case element_type::UINT64: *text = std::to_string(uint64_t(value)); return true;
      case element_type::BOOL: *text = bool(value) ? "true" : "false"; return true;
      case element_type::DOUBLE: *text = fmt::format("{}", double(value)); return type == FieldType::kFloat64;
      case element_type::ARRAY:
      case element_type::OBJECT:
      case element_type::NULL_VALUE: break;
    }
    return false;
  }

  std::string problem_;
};

void ReadJobReference(const element& root, Page* page) {
  const std::optional<element> reference = Member(root, "jobReference");
  if (!reference) return;
  std::string_view text;
  if (const auto id = Member(*reference, "jobId"); id && id->get(text) == simdjson::SUCCESS) page->job_id = text;
  if (const auto location = Member(*reference, "location"); location && location->get(text) == simdjson::SUCCESS) page->location = text;
}

}  // namespace

Columns AllColumns(Schema schema) {
  Columns columns;
  columns.width = columns.width_of_all = schema.size();
  columns.cells.resize(schema.size());
  std::iota(columns.cells.begin(), columns.cells.end(), 0);
  columns.cells_of_all = columns.cells;
  columns.fields = std::move(schema);
  return columns;
}

Result<Columns> SelectColumns(const Schema& schema, std::span<const std::string> names) {
  Columns columns;
  for (const std::string& name : names) {
    const std::string lower = AsciiLower(name);
    const auto found = std::find_if(schema.begin(), schema.end(), [&](const Field& field) { return AsciiLower(field.name) == lower; });
    if (found == schema.end()) return Fail(Code::kUsage, "there is no column {}", name);
    const auto index = static_cast<size_t>(found - schema.begin());
    if (std::find(columns.cells_of_all.begin(), columns.cells_of_all.end(), index) != columns.cells_of_all.end())
      return Fail(Code::kUsage, "column {} is named twice", name);
    columns.fields.push_back(*found);
    columns.cells_of_all.push_back(index);
  }
  columns.width = names.size();
  columns.width_of_all = schema.size();
  for (const size_t index : columns.cells_of_all)
    columns.cells.push_back(static_cast<size_t>(
        std::count_if(columns.cells_of_all.begin(), columns.cells_of_all.end(), [index](size_t other) { return other < index; })));
  return columns;
}

struct PageReader::Impl {
  std::string what;
  simdjson::dom::parser parser;
  std::string body;
  element root;
  bool open = false;

  template <typename... Args>
  Unexpected Wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return Fail(Code::kFailed, "{}: {}", what, fmt::format(format, std::forward<Args>(args)...));
  }
};

PageReader::PageReader(std::string what) : impl_(std::make_unique<Impl>()) { impl_->what = std::move(what); }
PageReader::~PageReader() = default;

Result<Page> PageReader::Open(std::string body) {
  impl_->open = false;
  impl_->body = std::move(body);
  const size_t size = impl_->body.size();
  if (size > kPageBytesMax) return impl_->Wrong("a page of rows is larger than {} bytes", kPageBytesMax);
  impl_->body.reserve(size + simdjson::SIMDJSON_PADDING);
  const auto* const bytes = reinterpret_cast<const uint8_t*>(impl_->body.data());
  if (impl_->parser.capacity() < size || impl_->parser.max_depth() != kJsonDepthMax)
    if (impl_->parser.allocate(size + size / 4, kJsonDepthMax) != simdjson::SUCCESS) return impl_->Wrong("out of memory for a page of rows");
  const auto error = impl_->parser.parse(bytes, size, false).get(impl_->root);
  if (error != simdjson::SUCCESS) return impl_->Wrong("a page of rows is no JSON that we can read ({})", simdjson::error_message(error));
  if (!impl_->root.is_object()) return impl_->Wrong("a page of rows is no JSON object");

  Page page;
  bool complete = true;
  if (const auto member = Member(impl_->root, "jobComplete"); member && member->get(complete) == simdjson::SUCCESS) page.complete = complete;
  std::string_view token;
  if (const auto member = Member(impl_->root, "pageToken"); member && member->get(token) == simdjson::SUCCESS) page.token = token;
  page.total_rows = UnsignedMember(impl_->root, "totalRows");
  page.affected_rows = UnsignedMember(impl_->root, "numDmlAffectedRows");
  page.bytes_processed = UnsignedMember(impl_->root, "totalBytesProcessed");
  page.bytes_billed = UnsignedMember(impl_->root, "totalBytesBilled");
  if (const auto rows = Member(impl_->root, "rows")) page.has_rows = !rows->is_null();
  ReadJobReference(impl_->root, &page);
  if (const auto member = Member(impl_->root, "schema"); member && member->is_object()) {
    REEVE_ASSIGN(const json::object schema, json::ParseObject(simdjson::minify(*member), impl_->what));
    REEVE_ASSIGN(page.schema, DecodeSchema(schema, impl_->what));
  }
  impl_->open = true;
  return page;
}

Result<> PageReader::Visit(const Columns& columns, const VisitRow& visit) const {
  REEVE_ASSERT(impl_->open);
  const std::optional<element> rows = Member(impl_->root, "rows");
  if (!rows || rows->is_null()) return {};
  simdjson::dom::array list;
  if (rows->get(list) != simdjson::SUCCESS) return impl_->Wrong("a page of rows holds no list of rows");
  RowDecoder decoder;
  Row row(columns.fields.size());
  std::vector<element> cells;
  uint64_t number = 0;
  const auto wrong = [&](std::string_view problem) { return impl_->Wrong("row {} of a page makes no sense: {}", number, problem); };
  for (const element entry : list) {
    ++number;
    simdjson::dom::array array;
    if (!decoder.Cells(entry, &array)) return wrong(decoder.problem());
    cells.assign(array.begin(), array.end());
    const bool as_asked = cells.size() == columns.width;
    if (!as_asked && cells.size() != columns.width_of_all)
      return wrong(fmt::format("it has {} columns, and {} were to come", cells.size(), columns.width));
    const std::vector<size_t>& places = as_asked ? columns.cells : columns.cells_of_all;
    for (size_t i = 0; i < row.size(); ++i)
      if (!decoder.Cell(cells[places[i]], columns.fields[i], &row[i])) return wrong(decoder.problem());
    REEVE_TRY(visit(row));
  }
  return {};
}

}  // namespace reeve::bigquery
