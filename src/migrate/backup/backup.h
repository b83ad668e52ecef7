// Backup: a copy of every input table of an estate, with digests, that restore (restore.h) can merge back.
//
// It copies bytes and judges no row: what the migration would dead-letter is in the backup too. A backup directory is at the
// same time an export estate (if it is not sealed). One backup per directory at a time; calls block; one thread.
//
//   DIR/manifest.json                            written last; without it the directory is no backup
//   DIR/backup.incomplete                        there until then: source and key of what is being made
//   DIR/{dataset}/{table}-000000000000.json      all shards of a table in order, uncompressed, mode 0600
//   DIR/{dataset}/{table}.schema.json            where the table has one
//   …both with ".sealed" when encrypted (crypto/sealed_file.h)
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "env/entropy.h"
#include "env/files.h"
#include "legacy/estate.h"
#include "migrate/backup/manifest.h"
#include "obs/progress.h"

namespace reeve::migrate {

struct BackupOptions {
  std::string dir;
  const Secret* key = nullptr;        // 32 bytes (crypto::ReadSealKey); null: not encrypted
  Micros as_of = 0;
  std::vector<std::string> only;      // these tenants and the shared carriers; empty: everything
  std::vector<std::string> declared;  // names that are tenants whatever they look like
  bool dry_run = false;               // reads everything, writes nothing
};

struct BackupReport {
  Manifest manifest;
  uint64_t tables_reused = 0;    // lay there already, whole and equal to the source
  uint64_t datasets_skipped = 0; // no tenants
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// Makes or completes the backup in options.dir, then reads every file of it back and compares digests.
//
// A table that cannot be read from the estate to its end is listed in manifest.failed and left out; the caller must say so.
// Running it again after a crash goes on where it stopped. Running it on a complete backup of the same source succeeds and changes
// nothing if the source is still equal.
// kRefused: the directory holds something else (other files, another source, another key, a backup of an older state of
// the source). kNotFound: no dataset, or a tenant of options.only is not there. kLocked. kInterrupted.
// kCorrupt: what was read back is not what was written.
[[nodiscard]] Result<BackupReport> Backup(legacy::LegacyEstate& estate, const BackupOptions& options, Files& files,
                                          Entropy& entropy, obs::Progress& progress);

// Reads the manifest of `dir`: kNotFound if there is none, kRefused if the backup is incomplete; else as ParseManifest.
[[nodiscard]] Result<Manifest> ReadManifest(Files& files, const std::string& dir, const Secret* key);
// Reads every file of the backup and compares digests.
[[nodiscard]] Result<> CheckBackup(Files& files, const std::string& dir, const Manifest& manifest, const Secret* key,
                                   obs::Progress& progress);

}  // namespace reeve::migrate
