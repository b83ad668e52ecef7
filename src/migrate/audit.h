// Audit events of a migration: rows of customer_audit_logs that say what was done and by what evidence.
//
// Every event's metadata holds `seq`, `prev` (SHA-256 of the tenant's previous event as an export line) and the facts, so that a tenant's events
// form a chain. The id is a digest of (tenant, event type, facts): repeating a step adds nothing. Not safe for concurrent use of one batch.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "catalog/rows.h"
#include "store/central_sink.h"

namespace reeve::migrate {

struct AuditEvent {
  std::string event_type;   // customer.migrated, customer.migration_failed, customer.verified, customer.verification_failed, customer.rolled_back, …
  std::string action;       // migrate, verify, rollback, repair, revoke
  std::string result;       // success, partial, failure
  std::string facts;        // JSON object: counts and digests; no secrets, no wall times
  std::string resource_type = "customer";
  std::string resource_id;  // empty: the customer's id
  Micros created_at = 0;    // the migration's as_of
};

// Appends `event` to `out` (a batch of customer_audit_logs) unless the owner has an event with the same id, in `existing` or in `out`.
// `existing`: null for an owner that the store does not know yet.
[[nodiscard]] Result<> AddAuditEvent(store::CentralReader* existing, const store::Owner& owner, const AuditEvent& event,
                                     catalog::RowBatch* out);

// Checks chains in one pass over events of any tenants, in any order. 56 bytes for each event of a chain; others, the ledger's too, cost nothing. Not safe for
// concurrent use.
class AuditChains {
 public:
  // A row of customer_audit_logs.
  void Add(std::span<const catalog::Cell> row);
  // The first break in the tenant's chain in words, empty if sound. Add first, then Check.
  [[nodiscard]] std::string Check(std::string_view tenant);

 private:
  using Name = std::array<uint64_t, 2>;  // half of a SHA-256: what has the same one is the same
  struct Event {
    Name tenant{};
    int64_t seq = 0;
    Name prev{}, digest{};
  };
  static Name NameOf(std::string_view text);

  std::vector<Event> events_;
  bool sorted_ = true;  // by tenant and number
};

// Checks one owner's chain; the first break in words, empty if sound.
[[nodiscard]] Result<std::string> CheckAuditChain(store::CentralReader& reader, const store::Owner& owner);

// customer_id of a tenant (docs/mapping.md §7).
[[nodiscard]] std::string CustomerIdOf(std::string_view tenant);

}  // namespace reeve::migrate
