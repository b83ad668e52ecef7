// CentralSink: where a migration writes, and reads back.
//
// Writes are merges by the rules of the catalog: repeating one changes nothing, order does not matter beyond the attempt fence. All of
// a tenant arrives or nothing. One CentralSink per store and process (it holds the store's lock); Merge and Erase from one
// thread. Readers see the last commit before they were opened; one per thread, any number of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/rows.h"

namespace reeve::store {

// Whose rows. `tenant_id` is "" for what belongs to no tenant (dead letters of shared carriers).
struct Owner {
  std::string tenant_id;
  std::string customer_id;  // empty if `tenant_id` is
};

struct TenantWrite {
  Owner owner;
  int64_t attempt = 0;                     // rejected if the store knows a newer one for this tenant
  std::vector<catalog::RowBatch> tables;   // at most one per table, in any order; a table with replaced_per_tenant that is
                                           // present replaces the tenant's rows, even when empty
};

enum class Outcome : uint8_t {
  kMerged = 0,        // everything is in the transaction
  kStaleAttempt = 1,  // nothing of this tenant: a newer attempt wrote before
  kConflict = 2,      // nothing of this tenant: a row would change its identity or break a constraint; see detail
};

struct TenantResult {
  Outcome outcome = Outcome::kMerged;
  std::string detail;         // which row and rule, for kConflict
  uint64_t rows_changed = 0;  // inserted or changed rows of all tables
};

struct Drift {
  std::string table;
  std::string what;      // "column key_name is missing", "index … differs"
  bool repairable = false;  // schema apply would mend it
};

class CentralReader {
 public:
  virtual ~CentralReader() = default;
  // Appends the owner's rows of `table` to `out`, in order of the table's key.
  [[nodiscard]] virtual Result<> Read(const catalog::Table& table, const Owner& owner, catalog::RowBatch* out) = 0;
  // Calls `visit` with each row in order of the table's key (bytes); cells are valid during the call. Stops at the first error.
  using Visit = std::function<Result<>(std::span<const catalog::Cell> row)>;
  [[nodiscard]] virtual Result<> Scan(const catalog::Table& table, const Visit& visit) = 0;
  [[nodiscard]] virtual Result<uint64_t> Count(const catalog::Table& table) = 0;
  // The row whose `columns` equal `values` (all of a key or unique set), appended to `out`; nothing if there is none. A key that
  // is no unique set of the engine (Table::stored_key) is looked up by a scan, and more than one row may have it.
  [[nodiscard]] virtual Result<> Find(const catalog::Table& table, std::span<const std::string_view> columns,
                                      std::span<const catalog::Cell> values, catalog::RowBatch* out) = 0;
};

// How much one Merge should take, for whoever has more than that. Small estates get small batches, so that a crash repeats little of the work.
struct BatchHint {
  size_t tenants_min = 4, tenants_max = 256;
  uint64_t rows_max = 40'000;
  size_t tenants_per_reader = 512;  // a reader that stays open keeps a store's log from being emptied; a new one may have to fetch tables anew
};

class CentralSink {
 public:
  virtual ~CentralSink() = default;
  // "sqlite:reeve.db".
  [[nodiscard]] virtual std::string Url() const = 0;
  // Where every transaction costs seconds, a batch is as large as memory allows.
  [[nodiscard]] virtual BatchHint batch() const { return {}; }
  // Makes what is missing (tables, indexes); idempotent. kRefused if a table exists with other columns.
  [[nodiscard]] virtual Result<> ApplySchema() = 0;
  [[nodiscard]] virtual Result<std::vector<Drift>> CheckSchema() = 0;
  // Merges all tenants in one durable transaction, one result each. An error means that nothing of the batch was stored,
  // or (after a failed commit) that it is unknown: repeat it.
  [[nodiscard]] virtual Result<std::vector<TenantResult>> Merge(std::span<const TenantWrite> batch) = 0;
  // For each tenant: removes the owner's rows from all central tables and reeve_usage_runs, reeve_dead_letters, reeve_findings, reeve_runs,
  // reeve_run_totals, then merges what comes after (its reeve_tenants row, its audit event). Audit events stay. All tenants in one durable transaction,
  // one result each, errors and outcomes as in Merge. REQUIRES: no tenant twice
  [[nodiscard]] virtual Result<std::vector<TenantResult>> Erase(std::span<const TenantWrite> after) = 0;
  // Deletes single rows by key and merges others, in one transaction: for repairs. Where the unique set that a merge needs is missing (a
  // store from elsewhere), the others are inserted.
  struct Deletion {
    const catalog::Table* table;
    std::vector<catalog::Cell> key;  // values of Table::key or, with `stored`, of Table::StoredKey(): found without a scan
    bool stored = false;
    bool merge = false;              // values of Table::merge_key: whatever an arriving row would be merged into
  };
  [[nodiscard]] virtual Result<> Amend(std::span<const Deletion> deletions, std::span<const catalog::RowBatch> upserts) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<CentralReader>> OpenReader() = 0;
  // Engine's own consistency check; the findings, empty if sound.
  [[nodiscard]] virtual Result<std::vector<std::string>> CheckIntegrity() = 0;
  // Moves the log into the database file; called at the end of long writes.
  [[nodiscard]] virtual Result<> Checkpoint() = 0;
};

}  // namespace reeve::store
