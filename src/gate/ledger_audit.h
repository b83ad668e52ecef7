// The ledger's audit events: rows of customer_audit_logs for what the gate did, in one chain over the whole store (store/ledger_chain.h).
//
// Not safe for concurrent use of one chain.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time_text.h"
#include "catalog/rows.h"

namespace reeve::gate {

struct LedgerEvent {
  std::string_view customer_id, tenant_id;
  std::string_view event_type;       // run.reserved, run.refused, run.completed, run.cancelled, run.expired, api_key.revoked, customer.suspended, …
  std::string_view category;         // run, admin
  std::string_view actor_type, actor_id;  // api_key with its id, operator, system
  std::string_view resource_type, resource_id;
  std::string_view action;
  bool success = true;
  std::string_view facts;            // JSON object without secrets
  Micros at = 0;                     // ledger time
};

class LedgerChain {
 public:
  LedgerChain() = default;
  LedgerChain(int64_t seq, std::string head) : seq_(seq), head_(std::move(head)) {}
  // Appends the event's row to `out`, a batch of AuditLogs().
  void Append(const LedgerEvent& event, catalog::RowBatch* out);
  [[nodiscard]] int64_t seq() const { return seq_; }
  [[nodiscard]] const std::string& head() const { return head_; }

 private:
  int64_t seq_ = 0;
  std::string head_;                 // 64 hex digits; empty before the first
  std::string line_;
};

}  // namespace reeve::gate
