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
inline constexpr int kManifestVersion = 1;
inline constexpr uint64_t kManifestBytesMax = 1024 * 1024;

struct CentralManifest {
  std::string tool_version;
  Micros created_at = 0;
  std::vector<ExportReport::Item> tables;  // in the order of TenantRows::Tables()
};

// The tables that an export holds: the seven and reeve_usage_runs.
[[nodiscard]] const std::vector<const catalog::Table*>& ExportedTables();

[[nodiscard]] std::string WriteManifest(const CentralManifest& manifest);
// kNotFound if `dir` has no manifest, kUsage if it is another kind of manifest or a newer version,
// kCorrupt if it is damaged.
[[nodiscard]] Result<CentralManifest> ReadManifest(Files& files, const std::string& dir);

}  // namespace reeve::migrate::ops
