// Names of the files in a dataset directory of an export (grammar in export_estate.h). Pure; safe from any thread.
#pragma once

#include <optional>
#include <string_view>

namespace reeve::legacy {

enum class FileKind { kData, kSchema };

struct FileName {
  FileKind kind = FileKind::kData;
  std::string_view table;
  std::string_view shard;  // digits without leading zeros; empty if the name has no shard or its shard is zero
  bool sharded = false;
  bool compressed = false;
};

// True for 1 to 1024 of A-Z a-z 0-9 _.
[[nodiscard]] bool IsTableName(std::string_view name);
// nullopt if `name` is none of the grammar. The views point into `name`.
[[nodiscard]] std::optional<FileName> ParseFileName(std::string_view name);
// Order of shards: unsharded first, then by number of any length. Equal numbers: false both ways.
[[nodiscard]] bool ShardLess(const FileName& a, const FileName& b);

}  // namespace reeve::legacy
