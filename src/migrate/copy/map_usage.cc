#include <algorithm>

#include "crypto/sha256.h"
#include "migrate/copy/central_rows.h"
#include "migrate/copy/row_writer.h"

namespace reeve::migrate::copy {
namespace {

void WriteUsage(const MappingContext& context, Days month, const domain::MonthUsage& usage, catalog::RowBatch* out) {
  RowWriter row(out);
  row.Text("usage_id", crypto::DeterministicId("usage_", "usage", {context.tenant, FormatMonth(month)}));
  row.Text("customer_id", context.customer_id).Text("tenant_id", context.tenant).Int("usage_month", month);
  row.Int("pipelines_run_count", usage.runs).Int("pipelines_running_count", usage.running);
  row.Int("storage_used_gb", int64_t{0}).Int("compute_hours", domain::HundredthsOfHours(usage.compute_ms));
  row.Int("api_requests_count", int64_t{0});
  if (usage.last_start != domain::Run::kNoEnd) row.Time("last_pipeline_run_at", usage.last_start);
  row.Time("quota_reset_at", StartOf(MonthStart(month, 1)));
  row.Time("created_at", context.as_of).Time("updated_at", context.as_of);
}

}  // namespace

UsageSummary MapUsage(const MappingContext& context, const domain::RunSet& runs, catalog::RowBatch* usage,
                      catalog::RowBatch* stored, MappingNotes* notes) {
  const Days current = MonthStart(DateOf(context.as_of));
  const Days first = MonthStart(current, 1 - context.usage_months);
  const Days last = MonthStart(current, 1);
  UsageSummary summary;
  std::vector<Days> months;
  for (const Days month : runs.Months())
    if (month >= first && month <= last) months.push_back(month);
  if (std::find(months.begin(), months.end(), current) == months.end()) months.push_back(current);
  int64_t abandoned = 0;
  for (const Days month : months) {
    const domain::MonthUsage counted = runs.Usage(month, context.as_of, context.abandoned_after);
    WriteUsage(context, month, counted, usage);
    if (counted.runs > 0) {
      RowWriter row(stored);
      row.Text("tenant_id", context.tenant).Int("usage_month", month).Text("runs", runs.Encode(month));
    }
    summary.runs += static_cast<uint64_t>(counted.runs);
    abandoned += counted.abandoned;
    if (month == current) summary.runs_this_month = counted.runs;
  }
  summary.out_of_window = runs.size() - summary.runs;
  if (abandoned > 0)
    notes->findings.push_back({"abandoned_runs", "", fmt::format("{} runs never ended and are too old to be running", abandoned)});
  return summary;
}

}  // namespace reeve::migrate::copy
