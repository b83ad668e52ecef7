#include "store/bigquery/dataset_tables.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::store {

using bigquery::Field;
using bigquery::FieldType;
using bigquery::Mode;
using catalog::Column;
using catalog::Merge;
using catalog::Table;
using catalog::Type;

namespace {

FieldType FieldTypeOf(Type type) {
  switch (type) {
    case Type::kString:
    case Type::kStrings: return FieldType::kString;
    case Type::kInt64: return FieldType::kInt64;
    case Type::kBool: return FieldType::kBool;
    case Type::kTimestamp: return FieldType::kTimestamp;
    case Type::kDate: return FieldType::kDate;
    case Type::kNumeric: return FieldType::kNumeric;
    case Type::kBytes: return FieldType::kBytes;
    case Type::kJson: return FieldType::kJson;
  }
  return FieldType::kString;
}

// BigQuery knows no NULL arrays, so none can be required.
Mode ModeOf(const Column& column) {
  if (column.type == Type::kStrings) return Mode::kRepeated;
  return column.required ? Mode::kRequired : Mode::kNullable;
}

Field FieldOf(const Column& column) {
  Field field;
  field.name = column.name;
  field.type = FieldTypeOf(column.type);
  field.mode = ModeOf(column);
  if (column.type == Type::kNumeric) field.precision = column.precision, field.scale = column.scale;
  field.default_expression = column.default_value;
  field.description = column.doc;
  return field;
}

// "true" and "TRUE" are one default; texts in quotes have no letters of their own here.
std::string Plain(std::string_view expression) {
  std::string text = AsciiLower(expression);
  std::erase(text, ' ');
  return text;
}

void CompareField(const Table& table, const Column& column, const Field& found, TableDrift* drift) {
  const Field wanted = FieldOf(column);
  const std::string name(table.name);
  if (found.type != wanted.type || found.precision != wanted.precision || found.scale != wanted.scale || !found.fields.empty()) {
    drift->columns.push_back({name, fmt::format("column {} is of another type than {}", column.name, catalog::TypeName(column.type))});
  } else if (found.mode != wanted.mode) {
    drift->columns.push_back({name, fmt::format("column {} is {} and not {}", column.name, bigquery::NameOf(found.mode), bigquery::NameOf(wanted.mode))});
  } else if (Plain(found.default_expression) != Plain(wanted.default_expression)) {
    drift->layout.push_back({name, fmt::format("column {} has another default", column.name)});
  }
}

}  // namespace

std::string StagingTableOf(uint64_t number) {
  const uint64_t turn = number / kStagingLoadsMax;
  return turn == 0 ? std::string(kStagingTable) : fmt::format("{}_{}", kStagingTable, turn);
}

bool IsStagingTable(std::string_view name) {
  if (!name.starts_with(kStagingTable)) return false;
  name.remove_prefix(kStagingTable.size());
  return name.empty() || (name.size() > 1 && name.front() == '_' && name.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

const Table& ExactCells() {
  static const Table table = {
      .name = "reeve_exact_cells",
      .doc = "Values that BigQuery does not keep as they arrived: JSON texts of another form than its own, arrays that are NULL.",
      .columns = {
          {.name = "table_name", .required = true, .merge = Merge::kIdentity, .doc = "The table of the value."},
          {.name = "row_key", .required = true, .merge = Merge::kIdentity, .doc = "The row, by its natural key, as a JSON array of texts."},
          {.name = "column_name", .required = true, .merge = Merge::kIdentity, .doc = "The column of the value."},
          {.name = "tenant_id", .required = true, .doc = "Whose row it is."},
          {.name = "text", .doc = "The value byte for byte; NULL where the column is NULL."},
      },
      .key = {"table_name", "row_key", "column_name"},
      .merge_key = {"table_name", "row_key", "column_name"},
      .owner_column = "tenant_id",
      .own = true,
  };
  return table;
}

const std::vector<const Table*>& DatasetTables() {
  static const std::vector<const Table*> all = [] {
    std::vector<const Table*> tables;
    for (const auto& some : {catalog::CentralTables(), catalog::OwnTables()}) {
      for (const Table& table : some) tables.push_back(&table);
    }
    tables.push_back(&ExactCells());
    return tables;
  }();
  return all;
}

bigquery::TableSpec SpecOf(const Table& table, const DatasetName& dataset) {
  bigquery::TableSpec spec;
  spec.id = dataset.Table(table.name);
  for (const Column& column : table.columns) spec.schema.push_back(FieldOf(column));
  spec.partition_field = table.partition_by;
  for (std::string_view name : table.cluster_by) spec.clustering.emplace_back(name);
  spec.description = table.doc;
  if (&table == &catalog::ReeveMeta()) spec.labels[std::string(kFormatLabel)] = std::to_string(kDatasetFormat);
  return spec;
}

TableDrift CompareTable(const Table& table, const bigquery::TableInfo& found) {
  TableDrift drift;
  const std::string name(table.name);
  for (const Column& column : table.columns) {
    const auto field = std::find_if(found.schema.begin(), found.schema.end(), [&](const Field& f) { return f.name == column.name; });
    if (field == found.schema.end()) {
      drift.columns.push_back({name, fmt::format("column {} is missing", column.name)});
    } else {
      CompareField(table, column, *field, &drift);
    }
  }
  for (const Field& field : found.schema) {
    if (table.Find(field.name) < 0) drift.columns.push_back({name, fmt::format("column {} is not in the catalog", field.name)});
  }
  if (found.kind != "TABLE" && !found.kind.empty()) drift.columns.push_back({name, fmt::format("it is a {} and no table", found.kind)});
  if (found.partition_field != table.partition_by) drift.layout.push_back({name, "it is partitioned otherwise"});
  if (!std::ranges::equal(found.clustering, table.cluster_by)) drift.layout.push_back({name, "it is clustered otherwise"});
  return drift;
}

}  // namespace reeve::store
