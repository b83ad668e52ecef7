// The ledger's chain as tests check it: over rows in memory. For tests only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "catalog/rows.h"
#include "store/ledger_check.h"

namespace reeve::gate {

// Checks that the ledger's events among `rows` (of AuditLogs(), in any order) are all there and unchanged up to `seq` and `head`, as store/ledger_check.h
// does. What is wrong in words, empty if nothing is.
[[nodiscard]] inline std::string CheckLedgerChain(const catalog::RowBatch& rows, int64_t seq, std::string_view head) {
  const store::EventScan scan = [&rows](const std::function<Result<>(store::EventRow)>& visit) -> Result<> {
    for (size_t i = 0; i < rows.size(); ++i) REEVE_TRY(visit(rows.Row(i)));
    return {};
  };
  const auto verdict = store::CheckLedger(scan, {seq, std::string(head)}, 0);
  REEVE_ASSERT(verdict.has_value());
  return verdict->state == store::LedgerState::kWhole ? std::string() : store::Describe(*verdict);
}

}  // namespace reeve::gate
