#include "migrate/ops/usage_count.h"

#include "crypto/sha256.h"

namespace reeve::migrate::ops {

bool SetCounts(const domain::MonthUsage& usage, std::span<Cell> row) {
  const Table& table = catalog::Usage();
  bool changed = false;
  const auto set = [&](std::string_view column, Cell value) {
    Cell& cell = row[static_cast<size_t>(table.Index(column))];
    if (cell == value) return;
    cell = value;
    changed = true;
  };
  set("pipelines_run_count", Cell::Int(usage.runs));
  set("pipelines_running_count", Cell::Int(usage.running));
  set("compute_hours", Cell::Int(domain::HundredthsOfHours(usage.compute_ms)));
  set("last_pipeline_run_at", usage.last_start == domain::Run::kNoEnd ? Cell::Null() : Cell::Int(usage.last_start));
  return changed;
}

Result<domain::MonthUsage> CountStored(std::string_view blob, Days month, Micros now, Micros abandoned_after) {
  domain::RunSet set;
  REEVE_TRY(set.Decode(blob, month));
  return set.Usage(month, now, abandoned_after);
}

void AddEmptyUsage(std::string_view customer_id, std::string_view tenant, Days month, Micros now, RowBatch* out) {
  const std::span<Cell> row = out->AddRow();
  Put(out, row, "usage_id", crypto::DeterministicId("usage_", "usage", {tenant, FormatMonth(month)}));
  Put(out, row, "customer_id", customer_id);
  Put(out, row, "tenant_id", tenant);
  Put(out, row, "usage_month", month);
  for (const char* column : {"pipelines_run_count", "pipelines_running_count", "storage_used_gb", "compute_hours", "api_requests_count"})
    Put(out, row, column, int64_t{0});
  Put(out, row, "quota_reset_at", StartOf(MonthStart(month, 1)));
  Put(out, row, "created_at", now);
  Put(out, row, "updated_at", now);
}

}  // namespace reeve::migrate::ops
