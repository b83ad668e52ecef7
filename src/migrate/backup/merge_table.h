// The merge of one table's rows: the target's stay, the backup's missing ones are added, denied keys are denied.
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "catalog/legacy.h"
#include "migrate/backup/key_book.h"

namespace reeve::migrate {

struct MergeInput {
  catalog::LegacyKind kind = catalog::LegacyKind::kKeys;
  bool shared = false;       // the table carries several tenants
  std::string_view backup;   // newline-delimited rows
  std::string_view target;
  const std::vector<std::string>* schema = nullptr;  // the target's columns, if it declares them
};

struct MergeOutput {
  std::string rows;     // what the target must hold
  bool changed = false; // rows differ from the target's
  uint64_t added = 0;   // rows of the backup that the target did not have
  uint64_t kept = 0;    // rows of the backup that it had
  uint64_t denied = 0;  // rows whose key is revoked somewhere and that now say so
};

// Merging the output with the same backup again changes nothing. Rows of the target keep order and bytes, but for denied ones.
[[nodiscard]] MergeOutput MergeTable(const MergeInput& input, const KeyBook& book);

// Feeds `visit` with what each row says about a key.
void ForEachKey(std::string_view rows, const std::function<void(const KeyFacts&)>& visit);

}  // namespace reeve::migrate
