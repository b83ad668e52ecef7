#include "store/bigquery/dataset_schema.h"

#include <algorithm>
#include <charconv>

#include "store/bigquery/merge_script.h"

namespace reeve::store {

using catalog::Table;

Result<> DatasetSchema::List() {
  std::vector<std::string> views;
  REEVE_ASSIGN(const std::vector<std::string> tables, client_.ListTables(dataset_.project, dataset_.dataset, &views));
  names_ = {tables.begin(), tables.end()};
  for (const std::string& view : views) names_.insert(view.substr(0, view.find(' ')));  // "name (VIEW)"
  known_.clear();
  return {};
}

Result<bool> DatasetSchema::IsOurs() {
  REEVE_ASSIGN(const bigquery::TableInfo* meta, Find(catalog::ReeveMeta()));
  if (meta == nullptr) return false;
  const auto label = meta->labels.find(std::string(kFormatLabel));
  int format = 1;
  if (label != meta->labels.end()) std::from_chars(label->second.data(), label->second.data() + label->second.size(), format);
  if (format > kDatasetFormat) {
    return FailWithHint(Code::kRefused, fmt::format("{} has format {}, this reeve knows {}", dataset_.Url(), format, kDatasetFormat),
                        "use the reeve that made it, or a newer one");
  }
  return true;
}

Result<const bigquery::TableInfo*> DatasetSchema::Find(const Table& table) {
  if (const auto known = known_.find(&table); known != known_.end()) return &known->second;
  if (!names_.contains(table.name)) return nullptr;
  REEVE_ASSIGN(auto found, client_.FindTable(dataset_.Table(table.name)));
  if (!found) return nullptr;
  return &known_.emplace(&table, std::move(*found)).first->second;
}

Result<> DatasetSchema::Apply(TableCopies& copies) {
  std::vector<const Table*> missing;
  for (const Table* table : DatasetTables()) {
    REEVE_ASSIGN(const bigquery::TableInfo* found, Find(*table));
    if (found == nullptr) {
      missing.push_back(table);
      continue;
    }
    const TableDrift drift = CompareTable(*table, *found);
    if (drift.columns.empty()) continue;
    return FailWithHint(Code::kRefused, fmt::format("{}: {}: {}", dataset_.Url(), drift.columns.front().table, drift.columns.front().what),
                        "`reeve export` it and migrate the export into a new dataset");
  }
  // reeve_meta last: it says that the others are there.
  std::stable_partition(missing.begin(), missing.end(), [](const Table* table) { return table != &catalog::ReeveMeta(); });
  for (const Table* table : missing) {
    auto made = client_.InsertTable(SpecOf(*table, dataset_));
    if (!made) return Unexpected(std::move(made).error().Within(fmt::format("cannot make table {}", table->name)));
    names_.emplace(table->name);
    copies.Learn(*table, *made, true);
    known_[table] = std::move(*made);
  }
  return {};
}

Result<std::vector<Drift>> DatasetSchema::Check() {
  REEVE_TRY(List());
  std::vector<Drift> drift;
  for (const Table* table : DatasetTables()) {
    REEVE_ASSIGN(const bigquery::TableInfo* found, Find(*table));
    if (found == nullptr) {
      drift.push_back({std::string(table->name), "the table is missing", true});
      continue;
    }
    const TableDrift one = CompareTable(*table, *found);
    drift.insert(drift.end(), one.columns.begin(), one.columns.end());
    drift.insert(drift.end(), one.layout.begin(), one.layout.end());
  }
  return drift;
}

const bigquery::TableInfo* DatasetSchema::KnownMeta() const {
  const auto known = known_.find(&catalog::ReeveMeta());
  return known == known_.end() ? nullptr : &known->second;
}

Result<> DatasetSchema::EnsureStaging(const std::string& name) {
  if (names_.contains(name)) return {};
  bigquery::TableSpec spec;
  spec.id = dataset_.Table(name);
  spec.schema = StagingSchema();
  spec.description = "Rows on their way into the tables beside it. Empty, if no reeve is writing.";
  const auto made = client_.InsertTable(spec);
  if (!made && made.error().code != Code::kRefused) return Unexpected(made.error());  // refused: it is there by now
  names_.emplace(name);
  return {};
}

Result<std::vector<Stray>> DatasetSchema::Staged() {
  std::vector<Stray> staged;
  for (const std::string& name : names_) {
    if (!IsStagingTable(name)) continue;
    REEVE_ASSIGN(const auto found, client_.FindTable(dataset_.Table(name)));
    if (found && found->rows > 0) staged.push_back({name, found->rows});
  }
  return staged;
}

Result<> DatasetSchema::DropStaging(const std::string& name) {
  REEVE_TRY(client_.DeleteTable(dataset_.Table(name)));
  names_.erase(name);
  return {};
}

}  // namespace reeve::store
