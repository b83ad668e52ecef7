#include "migrate/estate_map.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/encoding.h"

namespace reeve::migrate {
namespace {

using catalog::LegacyKind;

// `name` without `suffix`, or empty when it does not end so (or is nothing but the suffix).
std::string_view Stem(std::string_view name, std::string_view suffix) {
  return name.size() > suffix.size() && name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size())
                                                               : std::string_view();
}

class Mapper {
 public:
  Mapper(std::vector<legacy::Dataset> datasets, const std::vector<std::string>& declared)
      : declared_(declared.begin(), declared.end()) {
    for (legacy::Dataset& dataset : datasets) {
      const std::string name = dataset.name;
      datasets_.emplace(name, std::move(dataset));
    }
  }

  EstateMap Map() {
    for (auto& [name, dataset] : datasets_) Place(dataset);
    for (const std::string& name : declared_) owners_[name];
    for (auto& [name, carriers] : owners_) Decide(name, carriers);
    FindCollisions();
    std::sort(map_.skipped.begin(), map_.skipped.end(),
              [](const Skipped& a, const Skipped& b) { return a.dataset < b.dataset; });
    return std::move(map_);
  }

 private:
  // Puts a dataset with its owner's carriers, with the shared ones, or with the skipped.
  void Place(legacy::Dataset& dataset) {
    for (const std::string& file : dataset.unread) map_.not_read.push_back(dataset.name + "/" + file);
    const bool declared = declared_.count(dataset.name) != 0;
    if (!IsDatasetName(dataset.name)) {
      Skip(dataset.name, "invalid name");
    } else if (declared) {
      owners_[dataset.name].push_back(&dataset);
    } else if (dataset.name == "customers_metadata") {
      Skip(dataset.name, "central dataset");
    } else if (catalog::IsSharedCarrier(dataset.name)) {
      PlaceShared(dataset);
    } else if (const std::string_view owner = EnvironmentOwner(dataset.name); !owner.empty()) {
      Skip(dataset.name, "environment copy");
    } else {
      owners_[std::string(OwnerOf(dataset.name))].push_back(&dataset);
    }
  }

  void PlaceShared(legacy::Dataset& dataset) {
    for (legacy::LegacyTable& table : dataset.tables) {
      if (const auto kind = catalog::KindOfTable(dataset.name, table.name, true)) {
        map_.shared.push_back({*kind, std::move(table)});
      } else {
        map_.not_read.push_back(dataset.name + "." + table.name);
      }
    }
  }

  std::string_view OwnerOf(std::string_view name) const {
    for (const std::string_view suffix : {"_metadata", "_prod"})
      if (const std::string_view stem = Stem(name, suffix); !stem.empty()) return stem;
    return name;
  }

  std::string_view EnvironmentOwner(std::string_view name) const {
    for (const std::string_view suffix : {"_local", "_stage"})
      if (const std::string_view stem = Stem(name, suffix); !stem.empty()) return stem;
    return {};
  }

  void Decide(const std::string& name, const std::vector<legacy::Dataset*>& carriers) {
    std::array<bool, catalog::kLegacyKinds> has{};
    for (const legacy::Dataset* dataset : carriers)
      for (const legacy::LegacyTable& table : dataset->tables)
        if (const auto kind = catalog::KindOfTable(dataset->name, table.name, false))
          has[static_cast<size_t>(*kind)] = true;
    if (declared_.count(name) != 0 || (has[0] && has[1] && has[2])) {
      AddTenant(name, carriers);
      return;
    }
    std::string missing;
    for (int kind = 0; kind < 3; ++kind)
      if (!has[kind]) missing += (missing.empty() ? "" : ", ") + std::string(catalog::LegacyKindName(LegacyKind(kind)));
    const bool some = has[0] || has[1] || has[2];
    for (const legacy::Dataset* dataset : carriers) {
      if (some) {
        Skip(dataset->name, "incomplete signature: lacks " + missing, true);
      } else {
        Skip(dataset->name, "no signature tables (" + Contents(*dataset) + ")");
      }
    }
  }

  static std::string Contents(const legacy::Dataset& dataset) {
    std::string names;
    size_t shown = 0;
    for (const legacy::LegacyTable& table : dataset.tables) {
      if (++shown > 5) return names + ", …";
      names += (names.empty() ? "" : ", ") + table.name;
    }
    return names.empty() ? "no tables" : names;
  }

  void AddTenant(const std::string& name, const std::vector<legacy::Dataset*>& carriers) {
    Tenant tenant;
    tenant.name = name;
    tenant.dataset_id = name;
    std::set<std::string_view> present;
    for (legacy::Dataset* dataset : carriers) {
      present.insert(dataset->name);
      for (legacy::LegacyTable& table : dataset->tables) {
        const auto kind = catalog::KindOfTable(dataset->name, table.name, false);
        if (!kind) {
          map_.not_read.push_back(dataset->name + "." + table.name);
          continue;
        }
        tenant.bytes += table.bytes;
        tenant.tables.push_back({*kind, std::move(table)});
      }
    }
    for (const char* suffix : {"", "_metadata", "_prod"}) {
      if (present.count(name + suffix) == 0) continue;
      tenant.dataset_id = name + suffix;
      break;
    }
    if (name.size() < 3 || name.size() > 50)
      map_.findings.push_back({name, "tenant_id_out_of_range", "", "names of 3 to 50 characters can be used in the API"});
    map_.tenants.push_back(std::move(tenant));
  }

  void FindCollisions() {
    std::map<std::string, std::vector<std::string>> by_lower;
    for (const Tenant& tenant : map_.tenants) by_lower[AsciiLower(tenant.name)].push_back(tenant.name);
    for (const auto& [lower, names] : by_lower) {
      if (names.size() < 2) continue;
      for (const std::string& name : names)
        for (const std::string& other : names)
          if (name != other) map_.findings.push_back({name, "case_collision", other, "names differ only in case"});
    }
  }

  void Skip(const std::string& dataset, std::string reason, bool incomplete = false) {
    map_.skipped.push_back({dataset, std::move(reason), incomplete});
  }

  const std::set<std::string> declared_;
  std::map<std::string, legacy::Dataset> datasets_;
  std::map<std::string, std::vector<legacy::Dataset*>> owners_;
  EstateMap map_;
};

}  // namespace

bool IsDatasetName(std::string_view name) {
  if (name.empty() || name.size() > 1024) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

const Tenant* EstateMap::Find(std::string_view name) const {
  const auto at = std::lower_bound(tenants.begin(), tenants.end(), name,
                                   [](const Tenant& tenant, std::string_view key) { return tenant.name < key; });
  return at != tenants.end() && at->name == name ? &*at : nullptr;
}

EstateMap MapEstate(std::vector<legacy::Dataset> datasets, const std::vector<std::string>& declared) {
  return Mapper(std::move(datasets), declared).Map();
}

}  // namespace reeve::migrate
