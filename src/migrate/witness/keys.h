// API keys as docs/mapping.md §3 reads them: row rules, ciphertext, and the merge of rows with one hash.
//
// Values and pure functions; whose row it is and whether its table counts is decided by the caller. Safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/witness/row.h"
#include "migrate/witness/text.h"

namespace reeve::migrate::witness {

// A row, or the key that several rows are. Empty texts are absent.
struct Key {
  Digest hash{};
  Micros created_at = 0;
  bool is_active = false;
  std::optional<Micros> expires_at, last_used_at, revoked_at;
  std::string id, cipher, name, created_by, revoked_by;
  std::string scopes;  // JSON text of the array
};

struct KeyRules {
  Micros as_of = 0;
  bool api_key_column_holds_hash = false;
};

// Rules 3 to 6 of a row whose tenant is settled: kNone and its hash, or why it is not moved.
[[nodiscard]] Reason JudgeKey(const Row& row, const KeyRules& rules, Digest* hash);

// The accepted row as a key of its own.
[[nodiscard]] Key KeyOf(const Row& row, const Digest& hash);

// One key per hash, in order of the hashes, with their final ids and scopes.
[[nodiscard]] std::vector<Key> MergeKeys(std::vector<Key> rows, std::string_view tenant);

}  // namespace reeve::migrate::witness
