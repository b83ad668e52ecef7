// Restore: merges a backup into a legacy estate. It never overwrites, never duplicates and never revives a revoked key.
//
// Not a rollback (which gives up the central side) and not a copy: rows that only the target has stay, rows that both have stay as
// the target has them, rows that only the backup has are added. A key that the backup, the target or the central store calls
// revoked ends up inactive in all of its rows, since the earliest known time. Repeating a restore changes nothing.
// Calls block; one thread; nobody else may write to the target meanwhile.
#pragma once

#include <string>
#include <vector>

#include "env/files.h"
#include "legacy/estate.h"
#include "migrate/backup/key_book.h"
#include "migrate/backup/manifest.h"
#include "obs/progress.h"

namespace reeve::migrate {

struct RestoreOptions {
  std::string dir;              // of the backup
  const Secret* key = nullptr;  // if it is sealed
  bool dry_run = false;         // reads, checks and counts; writes nothing
  RevokedHash revoked;          // what the central store has revoked; may be empty
};

struct RestoredTable {
  std::string dataset;
  std::string table;
  uint64_t added = 0;   // rows that the target did not have
  uint64_t kept = 0;    // rows of the backup that it had
  uint64_t denied = 0;  // rows that now say that their key is revoked, and did not
  bool created = false; // the table was not there
  bool written = false; // false if nothing was to be changed
};

struct RestoreReport {
  Manifest manifest;                  // of the backup; see manifest.failed for what it does not hold
  std::vector<RestoredTable> tables;  // by (dataset, table): those of the backup, and key tables of the target that were changed
  uint64_t added = 0;
  uint64_t kept = 0;
  uint64_t denied = 0;
};

// Checks the digests of the whole backup before anything is written. Tables are replaced one by one, each atomically;
// stopped in between, run it again.
// kCorrupt, kWrongKey, kNotFound, kRefused: as ReadManifest, and nothing was written. kInterrupted. A target that does not exist yet
// is made. kRefused also for a table over 2 GiB.
[[nodiscard]] Result<RestoreReport> Restore(legacy::LegacyEstate& target, const RestoreOptions& options, Files& files,
                                            obs::Progress& progress);

}  // namespace reeve::migrate
