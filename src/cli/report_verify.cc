// verify, status, doctor, schema check.
#include <fmt/format.h>

#include <algorithm>

#include "cli/reports.h"
#include "cli/table.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

using migrate::Check;
using migrate::StatusReport;
using migrate::TenantStatus;
using migrate::VerifiedTenant;
using migrate::VerifyReport;
using Align = TextTable::Align;

constexpr size_t kDifferencesShown = 5;

// Tenants that differ, and tenants that could not be compared because they were not copied.
std::string NotProvenText(const VerifyReport& report, const View& view) {
  std::vector<const VerifiedTenant*> tenants;
  for (const VerifiedTenant& tenant : report.details)
    if (!tenant.equal) tenants.push_back(&tenant);
  if (tenants.empty()) return {};
  std::string out = fmt::format("\n{}\n", view.Painted(Paint::kBad, fmt::format("Tenants that are not proven ({})", Grouped(tenants.size()))));
  for (size_t i = 0; i < view.Shown(tenants.size()); ++i) {
    const VerifiedTenant& tenant = *tenants[i];
    out += tenant.difference_count == 0 ? fmt::format("  {}\n", Printable(tenant.tenant))
                                        : fmt::format("  {}: {}\n", Printable(tenant.tenant), Counted(tenant.difference_count, "difference"));
    const size_t shown = view.details ? tenant.differences.size() : std::min(tenant.differences.size(), kDifferencesShown);
    for (size_t d = 0; d < shown; ++d) out += fmt::format("    {}\n", Printable(tenant.differences[d]));
    if (tenant.difference_count > shown) out += fmt::format("    … and {} more\n", Grouped(tenant.difference_count - shown));
  }
  return out + view.More(tenants.size());
}

std::string_view CheckWord(Check::State state) {
  switch (state) {
    case Check::State::kOk: return "ok";
    case Check::State::kWarning: return "warning";
    case Check::State::kFailed: return "FAILED";
    case Check::State::kUnknown: return "unknown";
  }
  return "unknown";
}

std::string_view CheckJsonWord(Check::State state) { return state == Check::State::kFailed ? "failed" : CheckWord(state); }

std::string CheckMark(Check::State state, const View& view) {
  const std::string word = fmt::format("{:<7}", CheckWord(state));
  switch (state) {
    case Check::State::kOk: return view.Painted(Paint::kGood, "✓ " + word);
    case Check::State::kWarning: return view.Painted(Paint::kWarn, "! " + word);
    case Check::State::kFailed: return view.Painted(Paint::kBad, "✗ " + word);
    case Check::State::kUnknown: return "? " + word;
  }
  return word;
}

std::string TenantTable(const std::vector<const TenantStatus*>& tenants, bool reasons, const View& view) {
  std::vector<TextTable::Column> columns = {{"TENANT", Align::kLeft, true}, {"PHASE"}, {"QUARANTINED", Align::kRight}, {"FINDINGS", Align::kRight}};
  if (reasons) columns.push_back({"WHY", Align::kLeft, true});
  columns.push_back({"NEXT", Align::kLeft, true});
  TextTable table(std::move(columns));
  for (size_t i = 0; i < view.Shown(tenants.size()); ++i) {
    const TenantStatus& tenant = *tenants[i];
    std::vector<std::string> cells = {tenant.tenant, tenant.phase, Grouped(static_cast<uint64_t>(std::max<int64_t>(tenant.quarantined, 0))),
                                      Grouped(static_cast<uint64_t>(std::max<int64_t>(tenant.findings, 0)))};
    if (reasons) cells.push_back(tenant.reason);
    cells.push_back(tenant.next_action);
    table.Add(std::move(cells));
  }
  return table.Text(view.width, 2) + view.More(tenants.size());
}

}  // namespace

void VerifyJson(const VerifyReport& report, Json* out) {
  out->Set("as_of", FormatRfc3339(report.as_of)).Set("interrupted", report.interrupted).Set("tenants", report.tenants).Set("equal", report.equal);
  out->Set("differing", report.differing).Set("not_copied", report.not_copied).Set("legacy_rows", report.legacy_rows);
  out->Set("legacy_bytes", report.legacy_bytes).Set("quarantined_rows", report.quarantined_rows);
  out->Set("wall_ms", static_cast<int64_t>(report.wall_seconds * 1000 + 0.5));
  Json details = Json::Array();
  for (const VerifiedTenant& tenant : report.details) {
    Json item = Json::Object();
    item.Set("tenant", tenant.tenant).Set("equal", tenant.equal);
    item.Set("certificate", tenant.certificate_digest.empty() ? Json() : Json(tenant.certificate_digest));
    item.Set("difference_count", tenant.difference_count).Set("differences", Json::Array(tenant.differences));
    details.Add(std::move(item.Set("quarantined_rows", tenant.quarantined_rows)));
  }
  out->Set("details", std::move(details));
}

std::string VerifyText(const VerifyReport& report, std::string_view certificates_dir, const View& view) {
  std::string out = fmt::format("{}, as of {}\n\n", report.interrupted ? "Interrupted: verifying" : "Verified", FormatTime(report.as_of));
  out += Facts({{"tenants", fmt::format("{}: {} equal{}{}", Grouped(report.tenants), view.Painted(Paint::kGood, Grouped(report.equal)),
                                        report.differing == 0 ? "" : view.Painted(Paint::kBad, fmt::format(", {} DIFFERENT", Grouped(report.differing))),
                                        report.not_copied == 0 ? "" : view.Painted(Paint::kBad, fmt::format(", {} NOT COPIED", Grouped(report.not_copied))))},
                {"rows", fmt::format("{} read again in legacy", Grouped(report.legacy_rows))},
                {"quarantined", report.quarantined_rows == 0 ? std::string("none") : Counted(report.quarantined_rows, "row")},
                {"certificates", certificates_dir.empty() ? std::string() : Printable(certificates_dir)},
                {"time", Lasting(static_cast<Micros>(report.wall_seconds * kSecond))}});
  out += NotProvenText(report, view);
  if (!view.details) return out;
  TextTable table({{"TENANT", Align::kLeft, true}, {"EQUAL"}, {"QUARANTINED", Align::kRight}, {"CERTIFICATE", Align::kLeft, true}});
  for (const VerifiedTenant& tenant : report.details)
    table.Add({tenant.tenant, tenant.equal ? "yes" : "NO", Grouped(tenant.quarantined_rows), tenant.certificate_digest});
  return out + "\n" + table.Text(view.width, 2);
}

void StatusJson(const StatusReport& report, Json* out) {
  out->Set("store", report.store).Set("journal", report.journal).Set("by_phase", Json::Object(report.by_phase));
  out->Set("dead_letters", CodeCountsJson(report.dead_letters)).Set("findings", CodeCountsJson(report.findings));
  Json tenants = Json::Array();
  for (const TenantStatus& tenant : report.tenants) {
    Json item = Json::Object();
    item.Set("tenant", tenant.tenant).Set("customer_id", tenant.customer_id).Set("phase", tenant.phase);
    item.Set("reason", tenant.reason.empty() ? Json() : Json(tenant.reason)).Set("attempt", tenant.attempt);
    item.Set("as_of", FormatRfc3339(tenant.as_of)).Set("updated_at", FormatRfc3339(tenant.updated_at));
    item.Set("quarantined", tenant.quarantined).Set("findings", tenant.findings).Set("counts", Json::Raw(tenant.counts));
    tenants.Add(std::move(item.Set("next_action", tenant.next_action)));
  }
  out->Set("tenants", std::move(tenants));
}

std::string StatusText(const StatusReport& report, const View& view) {
  std::string out = fmt::format("Store {}\n\n", Printable(report.store));
  out += Facts({{"tenants", Grouped(report.tenants.size())}, {"journal", Printable(report.journal)}});
  if (report.tenants.empty()) return out + "\nNothing was migrated into it yet.\n";
  TextTable phases({{"PHASE"}, {"TENANTS", Align::kRight}});
  for (const auto& [phase, count] : report.by_phase) phases.Add({phase, Grouped(count)});
  out += "\n" + phases.Text(view.width, 2);
  std::vector<const TenantStatus*> stuck, all;
  for (const TenantStatus& tenant : report.tenants) {
    all.push_back(&tenant);
    if (!tenant.reason.empty() && tenant.reason != "imported") stuck.push_back(&tenant);
  }
  if (!stuck.empty())
    out += fmt::format("\n{}\n", view.Painted(Paint::kBad, fmt::format("Stuck ({})", Grouped(stuck.size())))) + TenantTable(stuck, true, view);
  out += CodeCounts("Quarantined rows", report.dead_letters, view);
  out += CodeCounts("Findings", report.findings, view);
  if (!report.dead_letters.empty() || !report.findings.empty()) out += "\nreeve explain finding CODE says more.\n";
  if (view.details) out += fmt::format("\n{}\n", view.Painted(Paint::kStrong, "Every tenant")) + TenantTable(all, false, view);
  return out;
}

void DoctorJson(const std::vector<Check>& checks, Json* out) {
  Json array = Json::Array();
  uint64_t failed = 0;
  for (const Check& check : checks) {
    if (check.state == Check::State::kFailed) ++failed;
    Json item = Json::Object();
    item.Set("name", check.name).Set("state", CheckJsonWord(check.state)).Set("evidence", check.evidence);
    array.Add(std::move(item.Set("advice", check.advice.empty() ? Json() : Json(check.advice))));
  }
  out->Set("failed", failed).Set("checks", std::move(array));
}

std::string DoctorText(const std::vector<Check>& checks, const View& view) {
  std::string out;
  uint64_t counts[4] = {};
  for (const Check& check : checks) {
    ++counts[static_cast<size_t>(check.state)];
    out += fmt::format("{}  {}\n", CheckMark(check.state, view), Printable(check.name));
    const size_t width = view.width == 0 ? 100 : std::max<size_t>(view.width, 40);
    if (!check.evidence.empty()) out += Wrap(Printable(check.evidence), width, 11);
    if (!check.advice.empty()) out += Wrap("→ " + Printable(check.advice), width, 11);
  }
  return out + fmt::format("\n{} ok, {}, {} failed, {} unknown\n", counts[0], Counted(counts[1], "warning"), counts[2], counts[3]);
}

void DriftJson(const std::vector<store::Drift>& drift, Json* out) {
  Json array = Json::Array();
  for (const store::Drift& item : drift)
    array.Add(std::move(Json::Object().Set("table", item.table).Set("what", item.what).Set("repairable", item.repairable)));
  out->Set("equal", drift.empty()).Set("drift", std::move(array));
}

std::string DriftText(const std::vector<store::Drift>& drift, const View& view) {
  if (drift.empty()) return "The store's tables are as declared.\n";
  TextTable table({{"TABLE"}, {"DIFFERENCE", Align::kLeft, true}, {"MENDED BY"}});
  for (const store::Drift& item : drift) table.Add({item.table, item.what, item.repairable ? "reeve schema apply" : "hand"});
  return view.Painted(Paint::kBad, Counted(drift.size(), "difference")) + "\n" + table.Text(view.width, 2);
}

}  // namespace reeve::cli
