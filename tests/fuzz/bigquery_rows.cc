#include "drivers/bigquery/rows.h"
#include "drivers/bigquery/values.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

using namespace bigquery;

const Schema& AllTypes() {
  static const Schema schema = [] {
    Schema made;
    for (int i = 0; i < static_cast<int>(FieldType::kStruct); ++i) {
      const auto type = static_cast<FieldType>(i);
      made.push_back({std::string(NameOf(type)), type});
    }
    const Schema inner = {{"x", FieldType::kInt64}, {"ys", FieldType::kString, Mode::kRepeated}};
    made.push_back({"list", FieldType::kTimestamp, Mode::kRepeated});
    made.push_back({"one", FieldType::kStruct, Mode::kNullable, inner});
    made.push_back({"many", FieldType::kStruct, Mode::kRepeated, inner});
    return made;
  }();
  return schema;
}

void CheckValue(const Value& value, const Field& field, bool element);

void CheckFields(const Value& value, const Field& field) {
  Promise(value.kind == Value::Kind::kStruct && value.items.size() == field.fields.size(), "a STRUCT has its fields");
  for (size_t i = 0; i < value.items.size(); ++i) CheckValue(value.items[i], field.fields[i], false);
}

// What is delivered is of its type, and bringing it into its form again changes nothing.
void CheckValue(const Value& value, const Field& field, bool element) {
  if (field.mode == Mode::kRepeated && !element) {
    Promise(value.kind == Value::Kind::kList, "REPEATED is a list");
    for (const Value& item : value.items) CheckValue(item, field, true);
    return;
  }
  if (value.is_null()) return;
  if (field.type == FieldType::kStruct) return CheckFields(value, field);
  Promise(value.kind == Value::Kind::kText && value.items.empty(), "a scalar is a text");
  std::string again = value.text;
  Promise(Normalise(field.type, &again) && again == value.text, "a value that was accepted is in its form");
  if (field.type == FieldType::kTimestamp) Promise(AsTime(value).has_value(), "a TIMESTAMP is a time");
  if (field.type == FieldType::kBytes) Promise(AsBytes(value).has_value(), "BYTES are bytes");
}

std::vector<Row> RowsOf(std::string_view body, const Columns* columns, bool* good) {
  PageReader reader("fuzz");
  std::vector<Row> rows;
  const Result<Page> page = reader.Open(std::string(body));
  *good = page.has_value();
  if (!page) return rows;
  const Columns own = columns != nullptr ? *columns : AllColumns(page->schema.value_or(Schema()));
  *good = reader.Visit(own, [&](const Row& row) -> Result<> {
    Promise(row.size() == own.fields.size(), "a row has its columns");
    for (size_t i = 0; i < row.size(); ++i) CheckValue(row[i], own.fields[i], false);
    rows.push_back(row);
    return {};
  }).has_value();
  return rows;
}

}  // namespace

// First byte: by the schema of the page itself, by one of every type, or by a selection of it.
void FuzzBigqueryRows(std::string_view input) {
  const unsigned how = TakeByte(&input) % 3;
  bool good = false;
  if (how == 0) {
    RowsOf(input, nullptr, &good);
    return;
  }
  const Columns all = AllColumns(AllTypes());
  const std::vector<Row> rows = RowsOf(input, &all, &good);
  if (how == 1 || !good) return;
  const std::vector<std::string> names = {"list", "STRING", "INT64"};
  const Columns some = *SelectColumns(AllTypes(), names);
  bool also = false;
  const std::vector<Row> selected = RowsOf(input, &some, &also);
  Promise(also && selected.size() == rows.size(), "a selection has the same rows");
  for (size_t i = 0; i < rows.size(); ++i)
    Promise(selected[i][1].text == rows[i][0].text && selected[i][0].items.size() == rows[i][all.fields.size() - 3].items.size(), "and the same values");
}

}  // namespace reeve::fuzz
