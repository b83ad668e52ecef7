// docs/mapping.md §5.
#include <algorithm>
#include <unordered_map>

#include "sample/expect.h"
#include "sample/expect_text.h"

namespace reeve::sample {
namespace {

struct MergedRun {
  RunState state = RunState::kPending;
  Micros start = kNoEvidence;
  OptTime end;                          // of terminal rows
  std::optional<int64_t> duration_ms;   // of terminal rows
};

struct Month {
  uint64_t runs = 0;
  uint64_t running = 0;
  int64_t compute_ms = 0;
  OptTime last_start;
};

int64_t ComputeMs(const MergedRun& run) {
  if (run.duration_ms) return *run.duration_ms;
  if (run.end && *run.end >= run.start) return (*run.end - run.start) / 1000;
  return 0;
}

std::vector<MergedRun> MergeRuns(const std::vector<RunRow>& rows) {
  std::unordered_map<std::string_view, size_t> index;
  std::vector<MergedRun> runs;
  for (const RunRow& row : rows) {
    const auto [it, fresh] = index.try_emplace(row.id, runs.size());
    if (fresh) runs.emplace_back();
    MergedRun& run = runs[it->second];
    run.state = std::max(run.state, row.state);
    run.start = std::min(run.start, row.start);
    if (row.state != RunState::kTerminal) continue;
    if (row.end && (!run.end || *row.end > *run.end)) run.end = row.end;
    if (row.duration_ms && (!run.duration_ms || *row.duration_ms > *run.duration_ms))
      run.duration_ms = row.duration_ms;
  }
  return runs;
}

// Hundredths of an hour, half away from zero, as "1.25".
std::string HoursText(int64_t ms) {
  const int64_t hundredths = (ms + 18'000) / 36'000;
  const std::string rest = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + (rest.size() == 1 ? ".0" : ".") + rest;
}

ExpectedRow UsageLine(const std::string& tenant, Days first_day, const Month& month, Micros as_of) {
  const std::string name = FormatMonth(first_day);
  const std::string id = "usage_" + IdHash("usage", {tenant, name});
  Line line;
  line.Text("usage_id", std::string_view(id));
  line.Text("customer_id", std::string_view("cust_" + IdHash("customer", {tenant})));
  line.Text("tenant_id", std::string_view(tenant)).Date("usage_month", first_day);
  line.Int("pipelines_run_count", static_cast<int64_t>(month.runs));
  line.Int("pipelines_running_count", static_cast<int64_t>(month.running));
  line.Text("storage_used_gb", std::string_view("0.00"));
  line.Text("compute_hours", std::string_view(HoursText(month.compute_ms)));
  line.Int("api_requests_count", int64_t{0}).Time("last_pipeline_run_at", month.last_start);
  line.Time("quota_reset_at", StartOf(MonthStart(first_day, 1)));
  line.Time("created_at", as_of).Time("updated_at", as_of);
  return {id, line.Finish()};
}

}  // namespace

uint64_t ExpectUsage(const TenantModel& tenant, const ExpectOptions& options, ExpectedTenant* out,
                     Micros* evidence) {
  const Days this_month = MonthStart(DateOf(options.as_of));
  const Days first = MonthStart(this_month, -(options.usage_months - 1));
  const Days last = MonthStart(this_month, 1);
  std::map<Days, Month> months;
  if (tenant.runs_recognised) months[this_month] = {};
  bool abandoned = false;
  for (const MergedRun& run : MergeRuns(tenant.runs)) {
    *evidence = std::min(*evidence, run.start);
    const Days start_month = MonthStart(DateOf(run.start));
    if (start_month < first || start_month > last) continue;
    Month& month = months[start_month];
    ++month.runs;
    month.last_start = std::max(month.last_start.value_or(run.start), run.start);
    if (run.state == RunState::kTerminal) {
      month.compute_ms += ComputeMs(run);
    } else if (options.as_of - run.start < options.abandoned_after) {
      ++month.running;
    } else {
      abandoned = true;
    }
  }
  for (const auto& [day, month] : months) out->usage.push_back(UsageLine(tenant.name, day, month, options.as_of));
  if (abandoned) out->findings.push_back({"abandoned_runs", ""});
  if (!tenant.runs_recognised) out->findings.push_back({"usage_unknown", ""});
  const auto now = months.find(this_month);
  return now == months.end() ? 0 : now->second.runs;
}

}  // namespace reeve::sample
