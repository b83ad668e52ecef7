#include "migrate/ops/ledger_count.h"

#include <algorithm>

#include "store/serving_store.h"

namespace reeve::migrate::ops {

namespace {

void CountRun(Row run, LedgerMonth* month) {
  const Table& table = catalog::ReeveRuns();
  if (NumAt(table, run, "state") == static_cast<int64_t>(store::RunState::kRefused)) return;
  ++month->runs;
  if (At(table, run, "ended_at").is_null) ++month->open;
  month->compute_ms += NumAt(table, run, "compute_ms");
  month->last_start = std::max(month->last_start, NumAt(table, run, "reserved_at"));
}

}  // namespace

std::map<Days, LedgerMonth> CountLedger(const RowBatch& totals, const RowBatch& runs) {
  std::map<Days, LedgerMonth> months;
  for (size_t i = 0; i < totals.size(); ++i) {
    const Row row = totals.Row(i);
    LedgerMonth& month = months[static_cast<Days>(NumAt(totals.table(), row, "usage_month"))];
    month.legacy = {NumAt(totals.table(), row, "legacy_runs"), NumAt(totals.table(), row, "legacy_running"),
                    NumAt(totals.table(), row, "legacy_compute_ms")};
    month.stored_compute_ms = NumAt(totals.table(), row, "compute_ms");
  }
  for (size_t i = 0; i < runs.size(); ++i) CountRun(runs.Row(i), &months[static_cast<Days>(NumAt(runs.table(), runs.Row(i), "usage_month"))]);
  return months;
}

Result<TenantLedger> ReadLedger(store::CentralReader& reader, const store::Owner& owner, const std::function<void(Row)>& visit) {
  RowBatch totals(catalog::ReeveRunTotals()), runs(catalog::ReeveRuns());
  REEVE_TRY(reader.Read(totals.table(), owner, &totals));
  REEVE_TRY(reader.Read(runs.table(), owner, &runs));
  TenantLedger ledger;
  ledger.months = CountLedger(totals, runs);
  for (size_t i = 0; i < runs.size(); ++i) {
    if (visit) visit(runs.Row(i));
    ledger.run_ids.emplace_back(TextAt(runs.table(), runs.Row(i), "run_id"));
  }
  return ledger;
}

std::string FindRunAhead(const RowBatch& stored, const RowBatch& other) {
  const Table& table = catalog::ReeveRuns();
  std::map<std::string_view, Row> known;
  for (size_t i = 0; i < other.size(); ++i) known[TextAt(table, other.Row(i), "run_id")] = other.Row(i);
  for (size_t i = 0; i < stored.size(); ++i) {
    const Row row = stored.Row(i);
    const std::string_view id = TextAt(table, row, "run_id");
    const auto found = known.find(id);
    const bool ended = !At(table, row, "ended_at").is_null;
    if (found == known.end() || (ended && LineOf(table, row) != LineOf(table, found->second))) return std::string(id);
  }
  return {};
}

domain::MonthUsage United(const std::optional<domain::MonthUsage>& legacy, const LedgerMonth& month) {
  domain::MonthUsage usage;
  if (legacy) {
    usage = *legacy;
  } else if (month.legacy) {
    usage.runs = month.legacy->runs;
    usage.running = month.legacy->running;
    usage.compute_ms = month.legacy->compute_ms;
  }
  usage.runs += month.runs;
  usage.running += month.open;
  usage.compute_ms += month.compute_ms;
  usage.last_start = std::max(usage.last_start, month.last_start);
  return usage;
}

void AddTotals(const std::string& tenant, Days month, const std::optional<domain::MonthUsage>& legacy, const LedgerMonth& ledger, RowBatch* out) {
  LedgerMonth::Legacy part = ledger.legacy.value_or(LedgerMonth::Legacy());
  if (legacy) part = {legacy->runs, legacy->running, legacy->compute_ms};
  const bool same = ledger.legacy && ledger.legacy->runs == part.runs && ledger.legacy->running == part.running &&
                    ledger.legacy->compute_ms == part.compute_ms && ledger.stored_compute_ms == ledger.compute_ms;
  if (same) return;
  const std::span<Cell> row = out->AddRow();
  Put(out, row, "tenant_id", tenant);
  Put(out, row, "usage_month", month);
  Put(out, row, "compute_ms", ledger.compute_ms);
  Put(out, row, "legacy_runs", part.runs);
  Put(out, row, "legacy_running", part.running);
  Put(out, row, "legacy_compute_ms", part.compute_ms);
}

}  // namespace reeve::migrate::ops
