// The embedded store's schema: is this file a store of ours, make what is missing, compare with the catalog.
// Not safe for concurrent use of one connection.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "drivers/sqlite/sqlite.h"
#include "store/central_sink.h"

namespace reeve::store {

enum class StoreState {
  kEmpty,  // a database without anything in it
  kReeve,
};

// Whether the open database is a store of ours. kStoreMissing if it is something else, kRefused if a newer reeve made it,
// kCorrupt if it cannot be read.
[[nodiscard]] Result<StoreState> InspectStore(sqlite::Database& database);
[[nodiscard]] Unexpected MissingStore(const std::string& path);

// Creates missing tables and indexes and marks the file as ours, in one transaction. kRefused, and nothing changed, if a table
// exists with other columns. Not the indexes that only a served store has: each would make a migration longer.
[[nodiscard]] Result<> ApplySqliteSchema(sqlite::Database& database);

// Creates those, where they are missing, in one transaction. For a store whose schema is applied; sorts a table where it makes an index (a second or two for a
// million rows).
[[nodiscard]] Result<> ApplyServingIndexes(sqlite::Database& database);

// What differs from the catalog. An index that only a served store has may be missing, but not differ.
[[nodiscard]] Result<std::vector<Drift>> CheckSqliteSchema(sqlite::Database& database);

// PRAGMA integrity_check, foreign_key_check, and ids that occur twice: at most 100 findings each.
[[nodiscard]] Result<std::vector<std::string>> CheckSqliteIntegrity(sqlite::Database& database);

}  // namespace reeve::store
