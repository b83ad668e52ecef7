// LedgerEvents: audit events in one chain, as the gate makes them (gate/ledger_audit.h), for tests that run no gate. Not safe for concurrent use.
#pragma once

#include <string>
#include <string_view>

#include "catalog/rows.h"
#include "store/ledger_chain.h"

namespace reeve::testing {

class LedgerEvents {
 public:
  // `name`: two chains have different ids. `end`: what the first event follows.
  explicit LedgerEvents(std::string name = "a", store::LedgerEnd end = {}) : name_(std::move(name)), end_(std::move(end)) {}

  // Appends the next event to `out`, a batch of customer_audit_logs.
  void Add(catalog::RowBatch* out, std::string_view tenant = "acme", std::string_view customer = "cust_acme") {
    const catalog::Table& table = catalog::AuditLogs();
    const std::span<catalog::Cell> row = out->AddRow();
    const auto put = [&](std::string_view column, std::string_view text) { row[static_cast<size_t>(table.Index(column))] = out->Own(text); };
    std::string metadata;
    store::AppendLedgerMetadata(++end_.seq, end_.head, R"({"fence":1})", &metadata);
    put("log_id", Id(end_.seq));
    put("customer_id", customer), put("tenant_id", tenant);
    put("event_type", "run.reserved"), put("event_category", "run"), put("actor_type", "api_key"), put("action", "reserved"), put("result", "success");
    put("metadata", metadata);
    row[static_cast<size_t>(table.Index("created_at"))] = catalog::Cell::Int(1'700'000'000'000'000 + end_.seq % 1000);
    std::string line;
    end_.head = store::LedgerDigest(row, &line);
  }
  [[nodiscard]] std::string Id(int64_t seq) const { return "log_" + name_ + std::to_string(seq); }
  [[nodiscard]] const store::LedgerEnd& end() const { return end_; }

 private:
  std::string name_;
  store::LedgerEnd end_;
};

}  // namespace reeve::testing
