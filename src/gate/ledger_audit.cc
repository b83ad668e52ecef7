#include "gate/ledger_audit.h"

#include "crypto/sha256.h"
#include "store/ledger_chain.h"

namespace reeve::gate {
namespace {

using catalog::AuditLogs;
using catalog::Cell;

// Positions of the columns, looked up once.
struct Columns {
  size_t log_id, customer_id, tenant_id, event_type, event_category, actor_type, actor_id, resource_type, resource_id, action, result, metadata, created_at;
};
const Columns& Col() {
  static const auto at = [](std::string_view name) { return static_cast<size_t>(AuditLogs().Index(name)); };
  static const Columns columns{at("log_id"),        at("customer_id"), at("tenant_id"), at("event_type"), at("event_category"), at("actor_type"), at("actor_id"),
                               at("resource_type"), at("resource_id"), at("action"),    at("result"),     at("metadata"),       at("created_at")};
  return columns;
}

}  // namespace

void LedgerChain::Append(const LedgerEvent& event, catalog::RowBatch* out) {
  ++seq_;
  const std::string seq = std::to_string(seq_);
  const std::span<Cell> row = out->AddRow();
  const auto put = [&](size_t column, std::string_view text) { row[column] = out->Own(text); };
  put(Col().log_id, crypto::DeterministicId("log_", "ledger", {event.tenant_id, event.event_type, event.resource_id, seq}));
  put(Col().customer_id, event.customer_id);
  put(Col().tenant_id, event.tenant_id);
  put(Col().event_type, event.event_type);
  put(Col().event_category, event.category);
  put(Col().actor_type, event.actor_type);
  put(Col().actor_id, event.actor_id);
  put(Col().resource_type, event.resource_type);
  put(Col().resource_id, event.resource_id);
  put(Col().action, event.action);
  put(Col().result, event.success ? "success" : "failure");
  line_.clear();
  store::AppendLedgerMetadata(seq_, head_, event.facts, &line_);
  put(Col().metadata, line_);
  row[Col().created_at] = Cell::Int(event.at);
  head_ = store::LedgerDigest(row, &line_);
}

}  // namespace reeve::gate
