// Everything legacy says about one tenant: its own carriers read from end to end, the shared rows that name it, merged.
//
// For one thread at a time; the TableReader and RunTable it is given are reused from tenant to tenant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/witness/carriers.h"
#include "migrate/witness/credentials.h"
#include "migrate/witness/keys.h"
#include "migrate/witness/record.h"
#include "migrate/witness/runs.h"
#include "migrate/witness/table_reader.h"

namespace reeve::migrate::witness {

struct LegacySide {
  std::string failed;  // why the tenant cannot be moved; the rest is then incomplete
  std::vector<Key> keys;
  std::vector<Credential> credentials;
  std::optional<Record> record;
  bool has_runs_table = false;      // a recognised one of its own
  std::optional<Micros> evidence;   // the earliest created_at or start of an accepted row
  bool keys_unread = false;         // a row or table of keys could not be read: a key that is not here need not be gone
  bool credentials_unread = false;  // the same of credentials
  uint64_t rows = 0;
  uint64_t rejected_rows = 0;
  uint64_t rejected_tables = 0;
};

// What is the same for all tenants, and whose tenant it is.
struct LegacyContext {
  std::string_view tenant;
  KeyRules key_rules;                             // as_of of this tenant
  const std::vector<Digest>* hashes_of_many = nullptr;  // in order: hashes in two tenants
};

// Reads `tables` and takes `shared_rows` (packed, see row.h). The distinct runs are left in `runs`.
[[nodiscard]] LegacySide ReadLegacySide(const LegacyContext& context, const std::vector<CarrierTable>& tables,
                                        std::string_view shared_rows, TableReader* reader, RunTable* runs);

// True if the row names a tenant that is not `tenant`.
[[nodiscard]] bool NamesAnother(const Row& row, Kind kind, std::string_view tenant);

}  // namespace reeve::migrate::witness
