// Which table of an estate belongs to which tenant: docs/mapping.md §1, read by the witness itself.
//
// Holds what it needs of the listing packed (about 100 bytes a table), so that a hundred thousand tenants fit. Opens nothing.
// Constant after Build; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "legacy/estate.h"
#include "migrate/witness/vocabulary.h"

namespace reeve::migrate::witness {

struct CarrierTable {
  Kind kind = Kind::kKeys;
  legacy::LegacyTable table;
};

struct SkippedDataset {
  std::string name;
  std::string reason;
};

class CarrierMap {
 public:
  CarrierMap() = default;
  CarrierMap(CarrierMap&&) = default;
  CarrierMap& operator=(CarrierMap&&) = default;
  // `declared`: the names of --tenants. Keeps nothing of `listing`.
  static CarrierMap Build(const std::vector<legacy::Dataset>& listing, const std::vector<std::string>& declared);

  // In byte order.
  [[nodiscard]] const std::vector<std::string>& tenants() const { return tenants_; }
  // Position of `tenant` or -1.
  [[nodiscard]] int64_t Find(std::string_view tenant) const;
  // The tables of its own carriers.
  [[nodiscard]] std::vector<CarrierTable> TablesOf(size_t tenant) const;
  [[nodiscard]] std::string DatasetId(size_t tenant) const;
  // Tables of the shared datasets whose rows go to the tenants they name.
  [[nodiscard]] const std::vector<CarrierTable>& shared() const { return shared_; }
  [[nodiscard]] const std::vector<SkippedDataset>& skipped() const { return skipped_; }

 private:
  void AddTenant(std::string name, const std::vector<const legacy::Dataset*>& datasets);

  std::vector<std::string> tenants_;
  std::unordered_map<std::string_view, size_t> index_;
  std::vector<size_t> starts_;  // of each tenant in packed_
  std::string packed_;
  std::vector<CarrierTable> shared_;
  std::vector<SkippedDataset> skipped_;
};

}  // namespace reeve::migrate::witness
