// Witness: the verifier of a migration. It reads both sides again by a path that shares no code with the copier, works out from
// docs/mapping.md what central must hold, and says tenant by tenant whether it does.
//
// Not for deciding what to do about a difference, and not for writing: it changes neither side. After Start, every method is safe from
// any thread, with one CentralReader per thread.
//
// Memory: about 250 bytes a tenant; a sorted 36 bytes per key of the estate during Start; at most two windows of 32 MiB (or one tenant's
// rows, if they are more) onto the shared carriers; per thread one tenant's keys, credentials and distinct runs.
// A window is filled by reading the shared tables again, so tenants should be verified in about the order of tenants().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "legacy/estate.h"
#include "migrate/witness/verdict.h"
#include "store/central_sink.h"

namespace reeve::migrate::witness {

// A plan of the catalogue. A quota without a value is unlimited, a price without one is by contract.
struct PlanDefinition {
  std::string name;
  std::optional<int64_t> monthly, concurrent, storage_gb;
  std::optional<int64_t> cost_usd_cents;
};

// A quota of --plans: counts only if `set`; without a value it is unlimited.
struct QuotaOverride {
  bool set = false;
  std::optional<int64_t> value;
};

struct PlanOverride {
  std::string plan;  // empty: as if there were no entry, for the plan
  QuotaOverride monthly, concurrent, storage_gb;
};

// What the migration was told. All of it decides what must arrive.
struct Assumptions {
  Micros as_of = 0;
  int usage_months = 13;
  Micros abandoned_after = 24 * kHour;
  std::string default_plan = "professional";
  bool api_key_column_holds_hash = false;
  std::vector<std::string> declared_tenants;
  std::vector<PlanDefinition> plans;
  std::map<std::string, PlanOverride> overrides;  // by tenant
};

// What the migration says about one tenant.
struct TenantFacts {
  Micros as_of = 0;            // of the attempt that wrote it last
  bool expect_failed = false;  // it wrote nothing but `customer.migration_failed`
  // An earlier attempt wrote the tenant too, perhaps from other legacy rows: what the store's merge keeps (the earlier created_at and
  // expiry, the later use, a revocation) may then go beyond legacy in that direction, and is declared. False: it may not, so
  // that damage in that direction is found as well.
  bool merged_before = false;
};

struct Skipped {
  std::string dataset;
  std::string reason;
};

class Witness {
 public:
  virtual ~Witness() = default;

  // Lists the estate, classifies it, and reads what ReadKeys reads. Fails if the listing is incomplete, or as the two below do.
  // REQUIRES: `estate` outlives the witness and does not change meanwhile.
  [[nodiscard]] static Result<std::unique_ptr<Witness>> Start(legacy::LegacyEstate& estate, Assumptions assumptions);
  // Classifies a listing of the estate that the caller has, and keeps nothing of it. kUsage if the assumptions make no sense (a plan that is
  // not in the catalogue, no months).
  [[nodiscard]] static Result<std::unique_ptr<Witness>> Open(legacy::LegacyEstate& estate, Assumptions assumptions,
                                                             const std::vector<legacy::Dataset>& listing);

  // Reads every key table once (to find hashes in two tenants) and the shared carriers. Fails if a shared carrier cannot be read; kInterrupted
  // when reeve was told to stop. REQUIRES: once, before Verify, and nothing else meanwhile.
  [[nodiscard]] virtual Result<> ReadKeys() = 0;

  // In byte order.
  [[nodiscard]] virtual const std::vector<std::string>& tenants() const = 0;
  [[nodiscard]] virtual const std::vector<Skipped>& skipped() const = 0;
  // The tables of the tenant's own carriers; empty for an unknown tenant.
  [[nodiscard]] virtual std::vector<legacy::LegacyTable> Carriers(std::string_view tenant) const = 0;
  // Rows of shared carriers that were rejected and belong to no tenant.
  [[nodiscard]] virtual uint64_t shared_quarantined() const = 0;

  // Compares one tenant. kNotFound for a name that is not in tenants(). A legacy table that cannot be read is not an error here but
  // a failed tenant (Verdict::failed); central that cannot be read is an error.
  [[nodiscard]] virtual Result<Verdict> Verify(std::string_view tenant, const TenantFacts& facts,
                                               store::CentralReader& central) = 0;

  // Tenants that have customers or keys in central and none in the estate, in byte order.
  [[nodiscard]] virtual Result<std::vector<std::string>> OnlyInCentral(store::CentralReader& central) const = 0;
};

}  // namespace reeve::migrate::witness
