// The manifest of a backup: what is in it, with digests. Without one a directory is no backup. The grammar is
// docs/formats/backup-manifest.md. Values and pure functions; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "base/time_text.h"
#include "catalog/legacy.h"

namespace reeve::migrate {

inline constexpr int kManifestVersion = 1;
inline constexpr uint64_t kManifestBytesMax = uint64_t{1} << 30;
inline constexpr std::string_view kManifestName = "manifest.json";

// What a stored file holds and how it is stored. For a file that is not sealed both are the same bytes.
struct Digests {
  uint64_t rows = 0;         // lines that are not blank
  uint64_t bytes = 0;
  std::string sha256;        // of the content, 64 hex digits
  uint64_t file_bytes = 0;
  std::string file_sha256;   // of the file as it lies there

  bool operator==(const Digests&) const = default;
};

struct TableEntry {
  std::string dataset;
  std::string table;
  catalog::LegacyKind kind = catalog::LegacyKind::kKeys;
  bool shared = false;              // a shared carrier: rows of several tenants
  Digests rows;
  std::optional<Digests> schema;    // of its schema file, where it has one
};

struct FailedTable {
  std::string dataset;
  std::string table;
  std::string reason;
};

struct Manifest {
  std::string tool;                 // version that made it
  std::string source;               // URL of the estate
  Micros as_of = 0;
  std::string sealed_with;          // key id; empty if the files are not sealed
  std::vector<std::string> only;    // tenants it was limited to; empty: all
  std::vector<TableEntry> tables;   // by (dataset, table)
  std::vector<FailedTable> failed;  // could not be read and are missing
};

// How the name of such a file ends.
[[nodiscard]] std::string StoredSuffix(bool schema, bool sealed);
// Path of a table's rows or schema below the backup directory; `sealed` adds ".sealed".
[[nodiscard]] std::string StoredName(std::string_view dataset, std::string_view table, bool schema, bool sealed);

// `key` null: only the digest; else also a MAC under it.
[[nodiscard]] std::string FormatManifest(const Manifest& manifest, const Secret* key);
// kCorrupt for anything that FormatManifest does not write, kWrongKey if sealed and `key` is missing or another, and if a key is
// given for a backup that is not sealed.
[[nodiscard]] Result<Manifest> ParseManifest(std::string_view path, std::string_view text, const Secret* key);

}  // namespace reeve::migrate
