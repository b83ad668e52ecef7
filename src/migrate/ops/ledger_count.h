// The ledger of one tenant (reeve_runs, reeve_run_totals), counted by month: what customer_usage must say of it beside legacy's part.
// Plain functions; safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/run_set.h"
#include "migrate/ops/row_tools.h"

namespace reeve::migrate::ops {

// A month of the ledger.
struct LedgerMonth {
  int64_t runs = 0;            // granted
  int64_t open = 0;
  int64_t compute_ms = 0;
  Micros last_start = domain::Run::kNoEnd;
  // What reeve_run_totals remembers of the time before; nullopt: the month has no row there.
  struct Legacy {
    int64_t runs = 0, running = 0, compute_ms = 0;
  };
  std::optional<Legacy> legacy;
  int64_t stored_compute_ms = 0;  // as in reeve_run_totals
};

struct TenantLedger {
  std::map<Days, LedgerMonth> months;
  std::vector<std::string> run_ids;  // of every run, granted or refused
};

// The owner's ledger; empty if it was never served. `visit`, if given, is called with each of its rows.
[[nodiscard]] Result<TenantLedger> ReadLedger(store::CentralReader& reader, const store::Owner& owner, const std::function<void(Row)>& visit = {});
// The months of one tenant's rows of reeve_run_totals and reeve_runs.
[[nodiscard]] std::map<Days, LedgerMonth> CountLedger(const RowBatch& totals, const RowBatch& runs);
// Which run of `stored` an older copy of the ledger does not know, or not as far: `other` has no such run, or one that is not the same and that has not ended
// while the stored one has. Empty: none.
[[nodiscard]] std::string FindRunAhead(const RowBatch& stored, const RowBatch& other);

// What the month's row must say: `legacy`, counted from the set of runs, or else as remembered, and the ledger's runs.
[[nodiscard]] domain::MonthUsage United(const std::optional<domain::MonthUsage>& legacy, const LedgerMonth& month);

// The month's row of reeve_run_totals as it shall be, appended to `out`, if it is not so already.
void AddTotals(const std::string& tenant, Days month, const std::optional<domain::MonthUsage>& legacy, const LedgerMonth& ledger, RowBatch* out);

}  // namespace reeve::migrate::ops
