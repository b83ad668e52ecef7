// `reeve migrate`: copies an estate into a central store, tenant by tenant, and (through a hook) has each proven.
//
// Resumable at any point: the journal says which tenants are done, every write is a merge. Workers read and map in parallel, one thread writes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "migrate/engine.h"
#include "migrate/estate_map.h"
#include "migrate/verify/verify.h"

namespace reeve::migrate {

// Where the time went, in seconds of work summed over threads, except `wall`.
struct CopyStats {
  double wall = 0, list = 0, scan_keys = 0, read = 0, parse = 0, map = 0, write = 0, journal = 0, verify = 0;
  uint64_t peak_rss_bytes = 0;
};

struct FailedTenant {
  std::string tenant;
  std::string reason;
};

struct MigrateReport {
  Micros as_of = 0;
  int64_t attempt = 0;
  std::string source, target;
  uint64_t tenants = 0;              // in the estate (after --only, --limit)
  uint64_t copied = 0;               // by this run
  uint64_t unchanged = 0;            // already there, source digest equal: nothing written
  uint64_t verified = 0;             // proven by this run
  uint64_t differing = 0;            // verification found differences
  std::vector<VerifiedTenant> differences;  // of these tenants
  std::vector<FailedTenant> failed;
  uint64_t legacy_rows = 0, legacy_bytes = 0, rows_changed = 0;
  std::map<std::string, uint64_t> dead_letters;  // by reason, of the whole store
  std::map<std::string, uint64_t> findings;      // by code, of the whole store
  std::vector<Skipped> skipped;
  std::string dead_letter_file;      // empty if there are none
  bool interrupted = false;
  CopyStats stats;
};

// What would be done, before asking for confirmation: a listing, no rows read.
struct MigratePreview {
  uint64_t tenants = 0, files = 0, bytes = 0, already_copied = 0;
  std::vector<Skipped> skipped;
  std::optional<Micros> resumed_as_of;  // set when the journal has an unfinished run
};
[[nodiscard]] Result<MigratePreview> PreviewMigration(const Engine& engine, const Options& options);

// kInterrupted is no error: the report says so. kLocked, kFailed, … as Result.
[[nodiscard]] Result<MigrateReport> Migrate(const Engine& engine, const Options& options);

}  // namespace reeve::migrate
