// Credentials as docs/mapping.md §4 reads them: row rules, ciphertext and its mark, metadata, and rows with one id.
//
// Values and pure functions (JsonRow is only asked whether a text is JSON). Secrets pass through: print none of the fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/witness/row.h"

namespace reeve::migrate::witness {

enum class Mark : uint8_t { kAbsent, kPlaintextWithheld, kUnproven };

struct Credential {
  std::string id, provider, type, cipher, name;
  std::string scopes = "[]";
  std::string metadata;
  Mark mark = Mark::kAbsent;
  bool is_active = true;
  Micros created_at = 0, updated_at = 0;
  std::optional<Micros> expires_at, validated_at;
};

// Rules of a row whose tenant is settled, but for `missing_is_active`, which the table's columns decide.
[[nodiscard]] Reason JudgeCredential(const Row& row, Micros as_of);

[[nodiscard]] Credential CredentialOf(const Row& row, std::string_view tenant);

// One credential per id, in order of the ids.
struct MergedCredentials {
  std::vector<Credential> credentials;
  uint64_t conflicting = 0;         // rows that are left out
  std::optional<Micros> earliest;   // created_at of the others
};
[[nodiscard]] MergedCredentials MergeCredentials(std::vector<Credential> rows);

}  // namespace reeve::migrate::witness
