#include "legacy/bigquery/estate_catalog.h"

#include <algorithm>

#include "base/error.h"
#include "drivers/bigquery/types.h"

namespace reeve::legacy {
namespace {

std::string TextOf(const ColumnSet& columns) {
  std::string text;
  for (const BqColumn& column : columns) text += column.name + '\n' + column.type + '\n';
  return text;
}

bool ByName(const CatalogDataset& dataset, std::string_view name) { return dataset.name < name; }

// The copies of an environment: never a tenant's own tables unless somebody asks for them by name.
bool IsEnvironmentCopy(std::string_view dataset) { return dataset.ends_with("_local") || dataset.ends_with("_stage"); }

}  // namespace

EstateCatalog::EstateCatalog(const EstateCatalog& other) : instant(other.instant) {
  for (const CatalogDataset& dataset : other.datasets_) {
    CatalogDataset copy = dataset;
    for (CatalogTable& table : copy.tables)
      if (table.columns != nullptr) table.columns = Intern(*table.columns);
    datasets_.push_back(std::move(copy));
  }
}

const ColumnSet* EstateCatalog::Intern(ColumnSet columns) {
  std::string text = TextOf(columns);
  return &sets_.try_emplace(std::move(text), std::move(columns)).first->second;
}

void EstateCatalog::Add(CatalogDataset dataset) { datasets_.push_back(std::move(dataset)); }

void EstateCatalog::Remove(std::string_view dataset) {
  std::erase_if(datasets_, [&](const CatalogDataset& each) { return each.name == dataset; });
}

void EstateCatalog::MarkWritten(std::string_view dataset, std::string_view table) {
  if (const auto place = Find(dataset, table)) datasets_[place->dataset].tables[place->table].written = true;
}

void EstateCatalog::Seal() {
  std::sort(datasets_.begin(), datasets_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  groups_.clear();
  for (uint32_t d = 0; d < datasets_.size(); ++d) {
    CatalogDataset& dataset = datasets_[d];
    std::sort(dataset.tables.begin(), dataset.tables.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::sort(dataset.unread.begin(), dataset.unread.end());
    for (uint32_t t = 0; t < dataset.tables.size(); ++t) {
      const CatalogTable& table = dataset.tables[t];
      if (!ReadAlone(dataset, table)) groups_[{dataset.location, *table.kind}].push_back({d, t});
    }
  }
}

const CatalogDataset* EstateCatalog::FindDataset(std::string_view dataset) const {
  const auto found = std::lower_bound(datasets_.begin(), datasets_.end(), dataset, ByName);
  return found != datasets_.end() && found->name == dataset ? &*found : nullptr;
}

std::optional<TablePlace> EstateCatalog::Find(std::string_view dataset, std::string_view table) const {
  const CatalogDataset* const in = FindDataset(dataset);
  if (in == nullptr) return std::nullopt;
  const auto found = std::lower_bound(in->tables.begin(), in->tables.end(), table,
                                      [](const CatalogTable& each, std::string_view name) { return each.name < name; });
  if (found == in->tables.end() || found->name != table) return std::nullopt;
  return TablePlace{static_cast<uint32_t>(in - datasets_.data()), static_cast<uint32_t>(found - in->tables.begin())};
}

bool EstateCatalog::ReadAlone(const CatalogDataset& dataset, const CatalogTable& table) const {
  if (!table.kind || table.columns == nullptr || table.columns->empty() || table.written) return true;
  return !bigquery::IsIdentifier(dataset.name) || IsEnvironmentCopy(dataset.name);
}

std::pair<const std::vector<TablePlace>*, size_t> EstateCatalog::GroupOf(TablePlace place) const {
  const CatalogDataset& in = dataset(place);
  const CatalogTable& of = table(place);
  if (ReadAlone(in, of)) return {nullptr, 0};
  const std::vector<TablePlace>& members = groups_.at({in.location, *of.kind});
  const auto found = std::lower_bound(members.begin(), members.end(), place);
  REEVE_ASSERT(found != members.end() && *found == place);
  return {&members, static_cast<size_t>(found - members.begin())};
}

std::vector<Dataset> EstateCatalog::Listing() const {
  std::vector<Dataset> listing;
  for (const CatalogDataset& dataset : datasets_) {
    Dataset& made = listing.emplace_back();
    made.name = dataset.name;
    made.unread = dataset.unread;
    for (const CatalogTable& table : dataset.tables) {
      LegacyTable& entry = made.tables.emplace_back();
      entry.dataset = dataset.name;
      entry.name = table.name;
      entry.bytes = table.bytes;
      entry.parts.push_back({dataset.name + "." + table.name, table.bytes});
      if (table.columns == nullptr || table.columns->empty()) continue;
      entry.schema.emplace();
      for (const BqColumn& column : *table.columns) entry.schema->push_back(column.name);
    }
  }
  return listing;
}

bool IsQuotable(std::string_view column) {
  return !column.empty() && std::all_of(column.begin(), column.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '`' && c != '\\';
  });
}

std::string WithoutParameters(std::string_view type) {
  std::string plain;
  int depth = 0;
  for (const char c : type) {
    depth += c == '(' ? 1 : 0;
    if (depth == 0) plain += c;
    depth -= c == ')' ? 1 : 0;
  }
  return plain;
}

}  // namespace reeve::legacy
