// LegacyRuns: the pipeline runs that the legacy tables hold of a tenant, read with the copier's own
// rules. For recounting usage; the one place here that leans on the copier. Not safe for concurrent
// use.
#pragma once

#include <memory>
#include <string>

#include "domain/run_set.h"
#include "migrate/engine.h"

namespace reeve::migrate::ops {

class LegacyRuns {
 public:
  virtual ~LegacyRuns() = default;
  // Adds the tenant's runs to `runs`; nothing if the estate does not have the tenant. kFailed if a
  // table cannot be read to its end: `runs` is then unspecified.
  [[nodiscard]] virtual Result<> AddRuns(const std::string& tenant, domain::RunSet* runs) = 0;
};

// Lists engine.estate and gathers the shared tables. Tenants that `reader` knows are tenants
// whatever their datasets look like.
[[nodiscard]] Result<std::unique_ptr<LegacyRuns>> OpenLegacyRuns(const Engine& engine, store::CentralReader& reader,
                                                                 const Options& options, Micros now);

// The tenants of customers and of reeve_tenants, sorted, each once.
[[nodiscard]] Result<std::vector<std::string>> KnownTenants(store::CentralReader& reader);

}  // namespace reeve::migrate::ops
