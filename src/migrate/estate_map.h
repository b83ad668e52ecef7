// EstateMap: which dataset is whose (docs/mapping.md §1). Made once from a listing, then read only; safe from any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/legacy.h"
#include "legacy/estate.h"

namespace reeve::migrate {

struct CarrierTable {
  catalog::LegacyKind kind;
  legacy::LegacyTable table;
};

struct Tenant {
  std::string name;
  std::string dataset_id;
  std::vector<CarrierTable> tables;  // of its own carriers, by dataset and table name
  uint64_t bytes = 0;
};

struct Skipped {
  std::string dataset;
  std::string reason;
  bool incomplete_signature = false;  // perhaps a tenant: deserves a look
};

struct EstateFinding {
  std::string tenant;
  std::string code;
  std::string subject;
  std::string detail;
};

struct EstateMap {
  std::vector<Tenant> tenants;           // by name
  std::vector<CarrierTable> shared;      // tables of shared carriers that are read
  std::vector<Skipped> skipped;          // by dataset
  std::vector<std::string> not_read;     // "dataset.table" or file names, for the report
  std::vector<EstateFinding> findings;   // case_collision, tenant_id_out_of_range

  // The tenant called exactly `name`, or nullptr.
  [[nodiscard]] const Tenant* Find(std::string_view name) const;
};

// What a dataset, and so a tenant, may be called.
[[nodiscard]] bool IsDatasetName(std::string_view name);

// `declared`: names that are tenants whatever they look like.
[[nodiscard]] EstateMap MapEstate(std::vector<legacy::Dataset> datasets, const std::vector<std::string>& declared);

}  // namespace reeve::migrate
