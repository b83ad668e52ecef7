// The tenants and other datasets of an estate, by profile. Not safe for concurrent use of one Workshop.
#pragma once

#include <string>

#include "sample/tenant_out.h"

namespace reeve::sample {

// The benchmark's tenant: 5 keys, 2 credentials, 60 runs of two rows.
[[nodiscard]] Result<> WriteStandardTenant(Workshop* shop, uint64_t index);
[[nodiscard]] Result<> WriteRealisticTenant(Workshop* shop, uint64_t index);
// Datasets that are no tenants, after the tenants.
[[nodiscard]] Result<> WriteOutsiders(Workshop* shop);

// ---- parts of a realistic tenant

// Faults of a whole tenant, in poisoned estates.
enum class Special : uint8_t {
  kNone,
  kUnknownKeys,    // a keys table of unknown shape
  kUnknownRuns,
  kTruncatedGzip,  // a file that cannot be read to its end
  kBrokenRecord,   // a record row that is dead-lettered
  kRowTooLarge,    // one line over 16 MiB
  kHugeValue,      // one value over 1 MiB
};
[[nodiscard]] Special SpecialOf(const SampleOptions& options, uint64_t index);

// Where the rows of a tenant go.
struct Layout {
  const KeyShape* key = nullptr;  // main shapes; may live in a shared dataset
  const CredentialShape* credential = nullptr;
  const RunShape* run = nullptr;
  const KeyShape* own_key = nullptr;  // of the tenant's own tables, which always exist
  const CredentialShape* own_credential = nullptr;
  const RunShape* own_run = nullptr;
  TableOut* keys = nullptr;  // own tables
  TableOut* credentials = nullptr;
  TableOut* runs = nullptr;
  std::string home;  // dataset for everything else
  Special special = Special::kNone;
};
[[nodiscard]] Layout MakeLayout(TenantOut* tenant);

[[nodiscard]] Result<> WriteKeys(TenantOut* tenant, const Layout& layout);
[[nodiscard]] Result<> WriteCredentials(TenantOut* tenant, const Layout& layout);
[[nodiscard]] Result<> WriteRuns(TenantOut* tenant, const Layout& layout);
[[nodiscard]] Result<> WriteRecord(TenantOut* tenant, const Layout& layout);

// A random instant of the last `days` before as_of; every second one without fraction.
[[nodiscard]] Micros PastTime(const SampleOptions& options, Prng* rng, int64_t days);
// A key's plain text as one of the platform's programs made it.
[[nodiscard]] std::string MakeKeyText(const std::string& tenant, Prng* rng);

}  // namespace reeve::sample
