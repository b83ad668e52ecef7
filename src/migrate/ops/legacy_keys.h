// Legacy key rows read leniently, and denied in place.
//
// For rollback and explain, which ask what the legacy platform itself would do: it looks at a hash
// and at is_active and at nothing else, so a row that the copier would refuse counts here too. A
// denied line keeps every other byte. Plain functions; safe from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "legacy/estate.h"

namespace reeve::migrate::ops {

// A table that is rewritten is held in memory once.
inline constexpr uint64_t kRewriteBytesMax = 512ull * 1024 * 1024;

struct LegacyKey {
  // 64 lower-case hex digits; two if a key column may hold a key or a hash
  std::vector<std::string> hashes;
  std::string tenant, id;           // as the row says; empty: not said
  bool active = false;              // what the legacy platform looks at
  std::optional<Micros> created_at, expires_at, revoked_at, last_used_at;
  std::string revoked_by;
  std::vector<std::string> scopes;
};

// nullopt: no JSON object, or nothing in it that could be a key.
[[nodiscard]] std::optional<LegacyKey> ParseLegacyKey(std::string_view line);

struct Denial {
  std::optional<Micros> at;  // unknown: no time is written
  std::string by;            // empty: unknown
};
// The names of the columns that say when and by whom a key was withdrawn, as far as the table has them.
struct DenialColumns {
  std::string at, by;
  // Notes the columns of one more row.
  void Look(std::string_view line);
  void LookAt(std::string_view column);
};

// `line` with is_active false and, where the columns exist and the row says nothing else, the time
// and the person. Everything else stays byte for byte. REQUIRES: ParseLegacyKey(line) is active
[[nodiscard]] std::string DenyInLine(std::string_view line, const Denial& denial, const DenialColumns& columns);

// Every line of every part as raw bytes without its line break, however long, in order.
[[nodiscard]] Result<> ForEachRawLine(legacy::LegacyEstate& estate, const legacy::LegacyTable& table,
                                      const std::function<Result<>(std::string_view line)>& visit);

}  // namespace reeve::migrate::ops
