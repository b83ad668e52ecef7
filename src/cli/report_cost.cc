// What BigQuery costs, and what was used of it.
#include <fmt/format.h>

#include "cli/reports.h"
#include "cli/table.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

using migrate::CostEstimate;
using migrate::CostStep;
using Align = TextTable::Align;

void AddStep(const CostStep& step, TextTable* table) {
  table->Add({step.step, Grouped(step.jobs), Grouped(step.api_calls), Bytes(step.bytes_billed), Dollars(step.micro_usd), Lasting(step.seconds * kSecond)});
}

Json StepJson(const CostStep& step) {
  Json item = Json::Object();
  item.Set("step", step.step).Set("jobs", step.jobs).Set("api_calls", step.api_calls).Set("bytes_billed", step.bytes_billed);
  return std::move(item.Set("micro_usd", step.micro_usd).Set("one_after_the_other_ms", step.seconds * 1'000));
}

}  // namespace

std::string Dollars(int64_t micro_usd) {
  if (micro_usd == 0) return "$0";
  const int64_t cents = (micro_usd + 5'000) / 10'000;
  if (cents == 0) return "< $0.01";
  return fmt::format("${}.{:02}", Grouped(static_cast<uint64_t>(cents / 100)), cents % 100);
}

Json CostJson(const CostEstimate& cost) {
  Json steps = Json::Array();
  for (const CostStep& step : cost.steps) steps.Add(StepJson(step));
  Json object = Json::Object();
  object.Set("prices", cost.prices).Set("steps", std::move(steps)).Set("total", StepJson(cost.total));
  object.Set("per_thousand_tenants", StepJson(cost.per_thousand_tenants)).Set("row_at_a_time", StepJson(cost.row_at_a_time));
  return std::move(object.Set("assumptions", Json::Array(cost.assumptions)));
}

std::string CostText(const CostEstimate& cost, const View& view) {
  TextTable table({{"STEP", Align::kLeft, true}, {"JOBS", Align::kRight}, {"CALLS", Align::kRight}, {"BILLED", Align::kRight}, {"PRICE", Align::kRight}, {"TIME", Align::kRight}});
  for (const CostStep& step : cost.steps) AddStep(step, &table);
  AddStep(cost.total, &table);
  AddStep(cost.per_thousand_tenants, &table);
  AddStep(cost.row_at_a_time, &table);
  std::string out = fmt::format("\n{}\n", view.Painted(Paint::kStrong, "What BigQuery will do and bill")) + table.Text(view.width, 2);
  out += fmt::format("  Prices: {}.\n", Printable(cost.prices));
  for (const std::string& assumption : cost.assumptions) out += fmt::format("  Assumed: {}.\n", assumption);
  return out;
}

Json WireJson(const migrate::WireUse& use) {
  Json object = Json::Object();
  object.Set("engine", use.engine).Set("jobs", use.jobs).Set("api_calls", use.api_calls).Set("retries", use.retries);
  return std::move(object.Set("bytes_billed", use.bytes_billed).Set("bytes_sent", use.bytes_sent).Set("bytes_received", use.bytes_received));
}

std::string WireText(const migrate::WireUse& use) {
  return fmt::format("{}: {}, {}, {} repeated; {} billed, {} sent, {} received", use.engine, Counted(use.jobs, "job"), Counted(use.api_calls, "call"),
                     Grouped(use.retries), Bytes(use.bytes_billed), Bytes(use.bytes_sent), Bytes(use.bytes_received));
}

}  // namespace reeve::cli
