// By what a legacy row is known again: hash, credential id, run and status, tenant; the whole line where a row has none of it.
// Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "catalog/legacy.h"
#include "migrate/backup/row_text.h"

namespace reeve::migrate {

// The text of `field` in the row by the rule "the first named column that is present counts"; nullopt if that is absent,
// empty or no text.
[[nodiscard]] std::optional<std::string> FieldText(catalog::LegacyKind kind, const RowText& row, catalog::Field field);

// The identity of `line` within its table; two rows with the same are the same row. `shared`: the table carries several
// tenants, whose rows are never each other's.
[[nodiscard]] std::string NaturalKey(catalog::LegacyKind kind, bool shared, std::string_view line);

// What a row of a key table says about its key.
struct KeyFacts {
  std::string hash;                   // 64 lower-case hex digits (docs/mapping.md §3, the api_key column holding a key)
  std::string other_hash;             // the same if that column may hold a hash instead: its 64 hex digits; else empty
  bool denied = false;                // not active, or revoked at some time
  std::optional<Micros> denied_at;    // when, if it says so
};
// nullopt if the row names no key.
[[nodiscard]] std::optional<KeyFacts> ReadKey(const RowText& row);

// The value is absent or null.
[[nodiscard]] inline bool IsNull(std::string_view value) { return value == "null"; }

}  // namespace reeve::migrate
