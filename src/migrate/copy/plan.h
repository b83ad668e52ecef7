// `reeve plan`: reads the whole estate and says what a migration would do. Writes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "migrate/engine.h"
#include "migrate/estate_map.h"

namespace reeve::migrate {

struct PlanFinding {
  std::string tenant;
  std::string code;     // as in docs/mapping.md
  std::string subject;
  std::string detail;
};

struct TenantPlan {
  std::string tenant;
  std::string dataset_id;
  uint64_t files = 0, bytes = 0;
  std::map<std::string, uint64_t> legacy_rows;   // by kind: keys, credentials, runs, record
  std::map<std::string, uint64_t> central_rows;  // by table: what would be merged
  std::map<std::string, std::string> shapes;     // by "dataset.table": shape id
  uint64_t dead_letters = 0;
  std::string plan;                              // subscription plan it would get
  std::string failure;                           // not empty: the tenant cannot be migrated, why
};

struct PlanReport {
  Micros as_of = 0;
  std::string source;
  std::optional<Micros> rows_as_of;              // the instant of which all rows are, where the source can say so
  std::vector<TenantPlan> tenants;
  std::vector<Skipped> skipped;
  std::vector<std::string> not_read;
  std::vector<PlanFinding> findings;
  std::map<std::string, uint64_t> dead_letters;  // by reason
  uint64_t files = 0, bytes = 0, legacy_rows = 0, central_rows = 0, failed_tenants = 0;
  uint64_t datasets = 0;                         // of the estate, those of no tenant too
  std::map<std::string, std::vector<uint64_t>> table_bytes;  // by kind: the size of every table that is read
  std::string digest;                            // SHA-256 over what the plan rests on (sources and options)
};

[[nodiscard]] Result<PlanReport> MakePlan(const Engine& engine, const Options& options);

}  // namespace reeve::migrate
