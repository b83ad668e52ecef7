// A sample estate: legacy exports of invented tenants, and what a migration of them must yield.
//
// WriteSample writes DIR/{dataset}/{table}-000000000000.json[.gz] as `bq extract` prints it, and into a second directory the central
// rows, dead letters, findings and skipped datasets that docs/mapping.md demands for it. The expectation is computed from the
// generator's own model, never by reading the estate, and shares no code with the importer: it is the oracle of the tests.
// The same options give the same bytes. Not for real data. One call at a time per directory; calls share nothing.
//
// Files of the expectation, one JSON object per line, sorted by key:
//   customers.json, customer_subscriptions.json, customer_api_keys.json, customer_credentials.json, customer_usage.json
//                        rows in the format of the export (columns in table order, NULLs left out)
//   dead_letters.json    tenant_id ("" for what belongs to none), dataset, table_name, part ("dataset/file", "" for a whole
//                        table), line (as text; "0" for a whole table), reason
//   skipped.json         dataset, reason
//   failed.json          tenant_id, reason: tenants of which nothing may arrive
//   findings.json        tenant_id, code, subject (id of the key or credential, where there is one)
//   keys.json            key (the plain text: these keys open nothing), verdict (active, revoked, expired, unknown), tenant_id, and where
//                        the key is known api_key_id and customer_status
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/error.h"
#include "base/time_text.h"
#include "env/files.h"

namespace reeve::sample {

enum class Profile {
  kRealistic,  // Zipf-sized tenants, legacy shapes, suspended tenants, odd datasets
  kStandard,   // the benchmark's: 5 keys, 2 credentials, 60 runs of 2 rows per tenant, plain files
};

struct SampleOptions {
  uint64_t tenants = 100;  // at most kTenantsMax
  uint64_t seed = 1;
  Profile profile = Profile::kRealistic;
  bool all_variants = true;    // every legacy shape; false: those of tenants' own datasets which the guide describes
  double poison_rate = 0;      // probability 0…1 that a row is broken
  std::string out_dir;         // must not exist or be empty
  std::string expected_dir;    // empty: out_dir + ".expected"; must not exist or be empty
  Micros as_of = 1'794'744'000 * kSecond;  // 2026-11-15 12:00:00 UTC
  bool gzip_some = false;      // compress the files of some tables (realistic only)
  int usage_months = 13;       // as --usage-months
  Micros abandoned_after = 24 * kHour;
};

inline constexpr uint64_t kTenantsMax = 1'000'000;

using Counts = std::map<std::string, uint64_t, std::less<>>;

struct SampleReport {
  uint64_t tenants = 0;  // with failed ones
  uint64_t failed_tenants = 0;
  uint64_t skipped_datasets = 0;
  uint64_t files = 0;
  uint64_t bytes = 0;    // of the estate, as stored
  uint64_t rows = 0;     // lines that are not blank, in tables that are read
  Counts rows_by_kind;   // keys, credentials, runs, record
  Counts rows_by_shape;  // A0 … R7, by the names of the legacy shapes
  Counts faults;         // broken rows by what was done: bad_utf8, nul, …
  Counts dead_letters;   // expected entries by reason
  Counts expected;       // expected rows by central table
};

// Called after each tenant.
using Progress = std::function<void(uint64_t done, uint64_t total)>;

// Writes estate and expectation. kUsage for options out of range, kRefused if a directory is not empty; on any error what was
// written so far stays.
[[nodiscard]] Result<SampleReport> WriteSample(const SampleOptions& options, Files& files,
                                               const Progress& progress);

}  // namespace reeve::sample
