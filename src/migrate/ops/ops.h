// The commands around a migration: status, rollback, repair, explain, doctor, export and import of a central dataset.
// Each is one function over ports; what they return is data for the CLI to print.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "migrate/engine.h"
#include "migrate/phase.h"
#include "store/central_sink.h"

namespace reeve::migrate {

// ---- status -------------------------------------------------------------------------------------------------------------
struct TenantStatus {
  std::string tenant, customer_id, phase, reason;  // reason: why it is stuck, empty if it is not
  int64_t attempt = 0;
  Micros as_of = 0, updated_at = 0;
  int64_t quarantined = 0, findings = 0;
  std::string counts;        // JSON object of row counts
  std::string next_action;   // for people
};
struct StatusReport {
  std::string store;
  std::map<std::string, uint64_t> by_phase;
  std::vector<TenantStatus> tenants;
  std::map<std::string, uint64_t> dead_letters, findings;  // by reason, by code
  std::string journal;       // "ok, 12034 records", "missing", or what is wrong with it
};
[[nodiscard]] Result<StatusReport> ReadStatus(store::CentralReader& reader, Files& files, const std::string& state_path);

// ---- rollback -----------------------------------------------------------------------------------------------------------
struct RollbackOptions {
  std::vector<std::string> tenants;  // empty: all
  bool dry_run = false;
  bool forget_runs = false;          // also tenants that were served from the store, whose ledger then goes
};
struct RollbackReport {
  struct Item {
    std::string tenant, from_phase;
    uint64_t rows_removed = 0;
    uint64_t revocations_carried_back = 0;  // keys revoked in central and now in legacy too
    std::string refused;                    // not empty: left as it was, why
  };
  std::vector<Item> items;
};
// Back to legacy for tenants up to phase verified that were not served, or whose runs may be forgotten and have all ended: first every revocation that only central knows is written back to engine.estate (needed
// only if there is one), then the tenant's central rows go, in one transaction with the phase and an audit event.
[[nodiscard]] Result<RollbackReport> Rollback(const Engine& engine, const RollbackOptions& options);

// ---- repair -------------------------------------------------------------------------------------------------------------
struct RepairReport {
  struct Item {
    std::string tenant, what;   // "customer cust_b merged into cust_a: 3 keys, 1 subscription, …"
  };
  std::vector<Item> items;
  std::vector<Item> left_alone;  // what was seen and not touched, and why
  bool dry_run = false;
};
// Merges customers that share a tenant_id into one, with all their children; deletes by row, never by a shared id.
[[nodiscard]] Result<RepairReport> RepairDuplicates(const Engine& engine, bool dry_run);
// Recounts customer_usage from the stored run sets (as of now) and the ledger; engine.estate, if given, is read too and united with the sets, but for runs
// that the ledger has.
[[nodiscard]] Result<RepairReport> RepairUsage(const Engine& engine, const Options& options, bool dry_run);

// ---- explain ------------------------------------------------------------------------------------------------------------
struct KeySide {
  std::string where;        // "central", or "legacy acme.x_meta_api_keys, x_meta_api_keys-000000000000.json line 3"
  std::string tenant, customer_id, api_key_id, state;   // state: active, revoked, expired
  std::optional<Micros> created_at, expires_at, revoked_at, last_used_at;
  std::string revoked_by;
  std::vector<std::string> scopes;
};
struct KeyVerdict {
  std::string phase;        // legacy, shadow, central, final
  bool accepted = false;
  std::string code, why;    // INVALID_API_KEY, CUSTOMER_SUSPENDED, … and a sentence
};
struct ExplainReport {
  std::string hash;         // 64 hex; never the key
  std::vector<KeySide> sides;
  std::string customer_status, subscription, current_phase;
  std::vector<KeyVerdict> verdicts;   // one per phase, deny wins
  std::vector<std::string> notes;     // findings and dead letters about it
};
// `key_or_hash`: 64 hex digits are taken as a hash, anything else as a key. `estate` may be null: then only the central side is known.
[[nodiscard]] Result<ExplainReport> ExplainKey(store::CentralReader& reader, legacy::LegacyEstate* estate, const Secret& key_or_hash,
                                               const Options& options, Micros now);

// ---- doctor -------------------------------------------------------------------------------------------------------------
struct Check {
  enum class State { kOk, kWarning, kFailed, kUnknown };
  std::string name;        // "All tenants migrated"
  State state = State::kUnknown;
  std::string evidence;    // what was counted
  std::string advice;      // what to do, empty if ok
};
[[nodiscard]] Result<std::vector<Check>> Doctor(store::CentralReader& reader, Files& files, const std::string& state_path, Micros now,
                                                const std::vector<store::Drift>& drift, const std::vector<std::string>& integrity);

// ---- export / import ----------------------------------------------------------------------------------------------------
struct ExportReport {
  struct Item {
    std::string table;
    uint64_t rows = 0, bytes = 0;
    std::string sha256;
  };
  std::vector<Item> tables;
};
// Writes DIR/{table}.json (sorted by key bytes) for the seven tables, reeve_usage_runs and the ledger, then manifest.json last. REQUIRES: DIR is absent or empty.
[[nodiscard]] Result<ExportReport> ExportCentral(store::CentralReader& reader, Files& files, const std::string& dir,
                                                 obs::Progress& progress, Micros now);
// True when DIR holds such an export.
[[nodiscard]] bool IsCentralExport(Files& files, const std::string& dir);
struct ImportReport {
  std::map<std::string, uint64_t> rows;  // read, by table
  uint64_t rows_changed = 0, customers = 0;
  std::vector<std::string> conflicts;
};
// Merges an export into engine.sink, customer by customer, digests checked first. An export of a store imports into an equal store.
[[nodiscard]] Result<ImportReport> ImportCentral(const Engine& engine, const std::string& dir, bool dry_run);

}  // namespace reeve::migrate
