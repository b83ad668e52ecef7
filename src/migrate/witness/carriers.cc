#include "migrate/witness/carriers.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"

namespace reeve::migrate::witness {
namespace {

using legacy::Dataset;
using legacy::LegacyTable;

bool IsName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 1024 && std::all_of(name.begin(), name.end(), allowed);
}

// The kind of a table in the shared dataset `shared`, or in an own carrier if that is empty.
std::optional<Kind> KindOf(std::string_view table, std::string_view shared) {
  if (table.starts_with("x_meta_")) table.remove_prefix(7);
  static const std::map<std::string_view, Kind> kAnywhere = {
      {"api_keys", Kind::kKeys},
      {"cloud_credentials", Kind::kCredentials},
      {"customer_cloud_credentials", Kind::kCredentials},
      {"tenant_cloud_credentials", Kind::kCredentials},
      {"org_cloud_credentials", Kind::kCredentials},
      {"org_integration_credentials", Kind::kCredentials},
      {"pipeline_runs", Kind::kRuns},
      {"tenant_pipeline_runs", Kind::kRuns},
      {"org_meta_pipeline_runs", Kind::kRuns}};
  if (const auto found = kAnywhere.find(table); found != kAnywhere.end()) return found->second;
  if (shared.empty()) return table == "tenants" ? std::optional(Kind::kRecord) : std::nullopt;
  if ((shared == "customers" && table == "customer_api_keys") || (shared == "tenants" && table == "tenant_api_keys") ||
      (shared == "organizations" && table == "org_api_keys")) {
    return Kind::kKeys;
  }
  return std::nullopt;
}

bool IsShared(std::string_view dataset) {
  return dataset == "metadata" || dataset == "customers" || dataset == "tenants" || dataset == "organizations";
}

// The name without `suffix`, or "" if it does not end so or is nothing else.
std::string_view Without(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : std::string_view();
}

// Whose own carrier an undeclared dataset would be.
std::string_view OwnerOf(std::string_view dataset) {
  for (const std::string_view suffix : {"_metadata", "_prod"}) {
    if (const auto owner = Without(dataset, suffix); !owner.empty()) return owner;
  }
  return dataset;
}

// Keeps the tables that are some kind's.
std::vector<CarrierTable> KindTables(const std::vector<LegacyTable>& tables, std::string_view shared) {
  std::vector<CarrierTable> kept;
  for (const LegacyTable& table : tables) {
    if (const auto kind = KindOf(table.name, shared)) kept.push_back({*kind, table});
  }
  return kept;
}

// What keeps the datasets of one owner from being a tenant; empty if nothing does.
std::string MissingSignature(const std::vector<const Dataset*>& datasets) {
  std::set<Kind> kinds;
  std::string there;
  for (const Dataset* dataset : datasets) {
    for (const LegacyTable& table : dataset->tables) {
      if (const auto kind = KindOf(table.name, "")) kinds.insert(*kind);
      if (there.size() < 200) there += (there.empty() ? "" : ", ") + table.name;
    }
  }
  std::string missing;
  const std::pair<Kind, const char*> wanted[] = {
      {Kind::kKeys, "keys"}, {Kind::kCredentials, "credentials"}, {Kind::kRuns, "runs"}};
  int found = 0;
  for (const auto& [kind, name] : wanted) {
    if (kinds.count(kind) > 0) ++found;
    else missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  if (missing.empty()) return {};
  return found > 0 ? "missing tables: " + missing : "no signature tables" + (there.empty() ? "" : ": " + there);
}

void PutNumber(uint64_t number, std::string* out) {
  for (; number >= 128; number >>= 7) out->push_back(static_cast<char>(number | 128));
  out->push_back(static_cast<char>(number));
}

void PutText(std::string_view text, std::string* out) {
  PutNumber(text.size(), out);
  out->append(text);
}

uint64_t TakeNumber(std::string_view* bytes) {
  uint64_t number = 0;
  for (int shift = 0;; shift += 7) {
    REEVE_ASSERT(!bytes->empty() && shift < 64);
    const auto byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    number |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return number;
  }
}

std::string TakeText(std::string_view* bytes) {
  const uint64_t size = TakeNumber(bytes);
  REEVE_ASSERT(size <= bytes->size());
  std::string text(bytes->substr(0, size));
  bytes->remove_prefix(size);
  return text;
}

void PutTable(const CarrierTable& carrier, std::string* out) {
  PutNumber(static_cast<uint64_t>(carrier.kind), out);
  PutText(carrier.table.dataset, out);
  PutText(carrier.table.name, out);
  PutNumber(carrier.table.bytes, out);
  PutNumber(carrier.table.parts.size(), out);
  for (const auto& part : carrier.table.parts) {
    PutText(part.name, out);
    PutNumber(part.bytes, out);
  }
  PutNumber(carrier.table.schema ? carrier.table.schema->size() + 1 : 0, out);
  if (!carrier.table.schema) return;
  for (const std::string& column : *carrier.table.schema) PutText(column, out);
}

CarrierTable TakeTable(std::string_view* bytes) {
  CarrierTable carrier;
  carrier.kind = static_cast<Kind>(TakeNumber(bytes));
  carrier.table.dataset = TakeText(bytes);
  carrier.table.name = TakeText(bytes);
  carrier.table.bytes = TakeNumber(bytes);
  carrier.table.parts.resize(TakeNumber(bytes));
  for (auto& part : carrier.table.parts) {
    part.name = TakeText(bytes);
    part.bytes = TakeNumber(bytes);
  }
  const uint64_t columns = TakeNumber(bytes);
  if (columns == 0) return carrier;
  carrier.table.schema.emplace(columns - 1);
  for (std::string& column : *carrier.table.schema) column = TakeText(bytes);
  return carrier;
}

}  // namespace

void CarrierMap::AddTenant(std::string name, const std::vector<const Dataset*>& datasets) {
  const auto exists = [&](std::string_view suffix) {
    return std::any_of(datasets.begin(), datasets.end(),
                       [&](const Dataset* dataset) { return dataset->name == name + std::string(suffix); });
  };
  starts_.push_back(packed_.size());
  std::string dataset_id = name;
  if (!exists("") && exists("_metadata")) dataset_id += "_metadata";
  else if (!exists("") && exists("_prod")) dataset_id += "_prod";
  PutText(dataset_id, &packed_);
  for (const Dataset* dataset : datasets) {
    for (const CarrierTable& table : KindTables(dataset->tables, "")) PutTable(table, &packed_);
  }
  tenants_.push_back(std::move(name));
}

CarrierMap CarrierMap::Build(const std::vector<Dataset>& listing, const std::vector<std::string>& declared) {
  CarrierMap carriers;
  const std::set<std::string, std::less<>> names(declared.begin(), declared.end());
  std::map<std::string, std::vector<const Dataset*>, std::less<>> owned;
  std::deque<Dataset> bare;  // by name only
  for (const std::string& name : names) {
    if (IsName(name)) owned.try_emplace(name);
    else carriers.skipped_.push_back({name, "invalid name"});
  }
  for (const Dataset& dataset : listing) {
    const std::string& name = dataset.name;
    const auto skip = [&](std::string reason) { carriers.skipped_.push_back({name, std::move(reason)}); };
    if (!IsName(name)) {
      skip("invalid name");
    } else if (IsShared(name)) {
      // A tenant declared under a shared name has no carrier there: its rows are those that name it.
      for (CarrierTable& table : KindTables(dataset.tables, name)) carriers.shared_.push_back(std::move(table));
      if (names.count(name) > 0) owned[name].push_back(&bare.emplace_back(Dataset{name, {}, {}}));
    } else if (name == "customers_metadata") {
      skip("central dataset");
    } else if (names.count(name) > 0) {
      owned[name].push_back(&dataset);
    } else if (!Without(name, "_local").empty() || !Without(name, "_stage").empty()) {
      skip("environment copy");
    } else {
      owned[std::string(OwnerOf(name))].push_back(&dataset);
    }
  }
  for (auto& [name, datasets] : owned) {
    const std::string missing = names.count(name) > 0 ? "" : MissingSignature(datasets);
    if (missing.empty()) carriers.AddTenant(name, datasets);
    for (const Dataset* dataset : datasets) {
      if (!missing.empty()) carriers.skipped_.push_back({dataset->name, missing});
    }
  }
  for (size_t i = 0; i < carriers.tenants_.size(); ++i) carriers.index_.emplace(carriers.tenants_[i], i);
  return carriers;
}

int64_t CarrierMap::Find(std::string_view tenant) const {
  const auto found = index_.find(tenant);
  return found == index_.end() ? -1 : static_cast<int64_t>(found->second);
}

std::vector<CarrierTable> CarrierMap::TablesOf(size_t tenant) const {
  const size_t end = tenant + 1 < starts_.size() ? starts_[tenant + 1] : packed_.size();
  std::string_view bytes(packed_.data() + starts_[tenant], end - starts_[tenant]);
  TakeText(&bytes);
  std::vector<CarrierTable> tables;
  while (!bytes.empty()) tables.push_back(TakeTable(&bytes));
  return tables;
}

std::string CarrierMap::DatasetId(size_t tenant) const {
  std::string_view bytes = std::string_view(packed_).substr(starts_[tenant]);
  return TakeText(&bytes);
}

}  // namespace reeve::migrate::witness
