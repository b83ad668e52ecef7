// The manifest of an export of the central dataset (docs/formats/central-export.md). Values; safe
// from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time_text.h"
#include "migrate/ops/ops.h"

namespace reeve::migrate::ops {

inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kManifestFormat = "reeve/central-export";
inline constexpr int kManifestVersion = 2;
inline constexpr size_t kTablesOfVersion1 = 8;  // without the ledger
inline constexpr uint64_t kManifestBytesMax = 1024 * 1024;

struct CentralManifest {
  std::string tool_version;
  Micros created_at = 0;
  // In the order of TenantRows::Tables(); those that an older version does not have are without a digest, and have no file.
  std::vector<ExportReport::Item> tables;
};

// The tables that an export holds: the seven, reeve_usage_runs, reeve_runs, reeve_run_totals.
[[nodiscard]] const std::vector<const catalog::Table*>& ExportedTables();

[[nodiscard]] std::string WriteManifest(const CentralManifest& manifest);
// kNotFound if `dir` has no manifest, kUsage if it is another kind of manifest or a newer version,
// kCorrupt if it is damaged.
[[nodiscard]] Result<CentralManifest> ReadManifest(Files& files, const std::string& dir);

}  // namespace reeve::migrate::ops
