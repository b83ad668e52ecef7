// plan and migrate.
#include <fmt/format.h>

#include "cli/reports.h"
#include "cli/table.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

using migrate::CopyStats;
using migrate::FailedTenant;
using migrate::MigratePreview;
using migrate::MigrateReport;
using migrate::PlanReport;
using migrate::Skipped;
using migrate::TenantPlan;
using Align = TextTable::Align;

Json SkippedJson(const std::vector<Skipped>& skipped) {
  Json array = Json::Array();
  for (const Skipped& dataset : skipped) {
    Json item = Json::Object();
    array.Add(std::move(item.Set("dataset", dataset.dataset).Set("reason", dataset.reason).Set("perhaps_a_tenant", dataset.incomplete_signature)));
  }
  return array;
}

// Those that may be tenants first: they deserve a look.
std::string SkippedText(const std::vector<Skipped>& skipped, const View& view) {
  if (skipped.empty()) return {};
  std::vector<Skipped> sorted;
  for (bool incomplete : {true, false})
    for (const Skipped& dataset : skipped)
      if (dataset.incomplete_signature == incomplete) sorted.push_back(dataset);
  TextTable table({{"DATASET"}, {"WHY"}, {""}});
  for (size_t i = 0; i < view.Shown(sorted.size()); ++i)
    table.Add({sorted[i].dataset, sorted[i].reason, sorted[i].incomplete_signature ? "perhaps a tenant: --tenants FILE" : ""});
  return fmt::format("\n{}\n", view.Painted(Paint::kStrong, fmt::format("Skipped datasets ({})", Grouped(sorted.size())))) + table.Text(view.width, 2) +
         view.More(sorted.size());
}

std::string FailuresText(std::string_view title, const std::vector<FailedTenant>& failed, const View& view) {
  if (failed.empty()) return {};
  TextTable table({{"TENANT"}, {"WHY", Align::kLeft, true}});
  for (size_t i = 0; i < view.Shown(failed.size()); ++i) table.Add({failed[i].tenant, failed[i].reason});
  return fmt::format("\n{}\n", view.Painted(Paint::kBad, fmt::format("{} ({})", title, Grouped(failed.size())))) + table.Text(view.width, 2) +
         view.More(failed.size());
}

Json FailedJson(const std::vector<FailedTenant>& failed) {
  Json array = Json::Array();
  for (const FailedTenant& tenant : failed) array.Add(std::move(Json::Object().Set("tenant", tenant.tenant).Set("reason", tenant.reason)));
  return array;
}

// What verification found, tenant by tenant; reeve verify --details lists everything.
std::string DifferencesText(const MigrateReport& report, const View& view) {
  if (report.differences.empty()) return {};
  TextTable table({{"TENANT"}, {"DIFFERENCES", Align::kRight}, {"THE FIRST", Align::kLeft, true}});
  for (size_t i = 0; i < view.Shown(report.differences.size()); ++i) {
    const migrate::VerifiedTenant& tenant = report.differences[i];
    table.Add({tenant.tenant, Grouped(tenant.difference_count), tenant.differences.empty() ? "" : tenant.differences.front()});
  }
  return fmt::format("\n{}\n", view.Painted(Paint::kBad, fmt::format("Tenants that differ ({})", Grouped(report.differing)))) + table.Text(view.width, 2) +
         view.More(report.differences.size());
}

Json DifferencesJson(const std::vector<migrate::VerifiedTenant>& tenants) {
  Json array = Json::Array();
  for (const migrate::VerifiedTenant& tenant : tenants) {
    Json item = Json::Object();
    item.Set("tenant", tenant.tenant).Set("difference_count", tenant.difference_count);
    array.Add(std::move(item.Set("differences", Json::Array(tenant.differences))));
  }
  return array;
}

// What rows come in.
std::string_view PartOf(std::string_view source) { return source.starts_with("export:") ? "file" : "table"; }

std::vector<FailedTenant> FailedOf(const PlanReport& report) {
  std::vector<FailedTenant> failed;
  for (const TenantPlan& tenant : report.tenants)
    if (!tenant.failure.empty()) failed.push_back({tenant.tenant, tenant.failure});
  return failed;
}

std::map<std::string, uint64_t> FindingCounts(const PlanReport& report) {
  std::map<std::string, uint64_t> counts;
  for (const auto& finding : report.findings) ++counts[finding.code];
  return counts;
}

uint64_t Of(const std::map<std::string, uint64_t>& counts, const std::string& name) {
  const auto it = counts.find(name);
  return it == counts.end() ? 0 : it->second;
}

std::string TenantsTable(const PlanReport& report, const View& view) {
  TextTable table({{"TENANT", Align::kLeft, true}, {"KEYS", Align::kRight}, {"CREDENTIALS", Align::kRight}, {"RUNS", Align::kRight},
                   {"SIZE", Align::kRight}, {"QUARANTINED", Align::kRight}, {"PLAN"}, {"SHAPES", Align::kLeft, true}});
  for (const TenantPlan& tenant : report.tenants) {
    std::string shapes;
    for (const auto& [name, shape] : tenant.shapes)
      if (shapes.find(shape) == std::string::npos) shapes += (shapes.empty() ? "" : " ") + shape;
    table.Add({tenant.tenant, Grouped(Of(tenant.legacy_rows, "keys")), Grouped(Of(tenant.legacy_rows, "credentials")),
               Grouped(Of(tenant.legacy_rows, "runs")), Bytes(tenant.bytes), Grouped(tenant.dead_letters),
               tenant.failure.empty() ? tenant.plan : "FAILS", shapes});
  }
  return fmt::format("\n{}\n", view.Painted(Paint::kStrong, "Tenants")) + table.Text(view.width, 2);
}

std::string FindingsTable(const PlanReport& report, const View& view) {
  TextTable table({{"TENANT"}, {"FINDING"}, {"ABOUT", Align::kLeft, true}, {"DETAIL", Align::kLeft, true}});
  for (const auto& finding : report.findings) table.Add({finding.tenant, finding.code, finding.subject, finding.detail});
  return table.empty() ? std::string() : fmt::format("\n{}\n", view.Painted(Paint::kStrong, "Every finding")) + table.Text(view.width, 2);
}

Json TenantJson(const TenantPlan& tenant) {
  Json item = Json::Object();
  item.Set("tenant", tenant.tenant).Set("dataset", tenant.dataset_id).Set("files", tenant.files).Set("bytes", tenant.bytes);
  item.Set("legacy_rows", Json::Object(tenant.legacy_rows)).Set("central_rows", Json::Object(tenant.central_rows));
  item.Set("shapes", Json::Object(tenant.shapes)).Set("quarantined", tenant.dead_letters).Set("plan", tenant.plan);
  item.Set("failure", tenant.failure.empty() ? Json() : Json(tenant.failure));
  return item;
}

std::string StatsText(const MigrateReport& report, const View& view) {
  const CopyStats& stats = report.stats;
  TextTable table({{""}, {"", Align::kRight}, {""}});
  const auto add = [&](std::string_view name, double seconds, std::string_view what) {
    table.Add({std::string(name), fmt::format("{:.2f} s", seconds), std::string(what)});
  };
  add("list", stats.list, "finding datasets and tables");
  add("scan keys", stats.scan_keys, "looking for keys in two tenants");
  add("read", stats.read, "files, decompression");
  add("parse", stats.parse, "JSON to values");
  add("map", stats.map, "values to central rows");
  add("write", stats.write, "merging into the store");
  add("journal", stats.journal, "making progress durable");
  add("verify", stats.verify, "proving both sides equal");
  add("wall", stats.wall, "from start to end; the others are summed over threads");
  const double seconds = stats.wall > 0 ? stats.wall : 1;
  return fmt::format("\n{}\n", view.Painted(Paint::kStrong, "Where the time went")) + table.Text(view.width, 2) +
         fmt::format("  {} rows/s, {:.1f} MB/s, peak memory {}\n", Grouped(static_cast<uint64_t>(static_cast<double>(report.legacy_rows) / seconds)),
                     static_cast<double>(report.legacy_bytes) / 1e6 / seconds, Bytes(stats.peak_rss_bytes));
}

Json StatsJson(const CopyStats& stats) {
  const auto ms = [](double seconds) { return static_cast<int64_t>(seconds * 1000 + 0.5); };
  Json object = Json::Object();
  object.Set("wall_ms", ms(stats.wall)).Set("list_ms", ms(stats.list)).Set("scan_keys_ms", ms(stats.scan_keys)).Set("read_ms", ms(stats.read));
  object.Set("parse_ms", ms(stats.parse)).Set("map_ms", ms(stats.map)).Set("write_ms", ms(stats.write)).Set("journal_ms", ms(stats.journal));
  return std::move(object.Set("verify_ms", ms(stats.verify)).Set("peak_rss_bytes", stats.peak_rss_bytes));
}

}  // namespace

void PlanJson(const PlanReport& report, const std::optional<migrate::CostEstimate>& cost, bool details, Json* out) {
  out->Set("as_of", FormatRfc3339(report.as_of)).Set("source", report.source).Set("digest", report.digest);
  out->Set("tenants", uint64_t{report.tenants.size()}).Set("failed_tenants", report.failed_tenants).Set("files", report.files);
  out->Set("bytes", report.bytes).Set("legacy_rows", report.legacy_rows).Set("central_rows", report.central_rows);
  out->Set("billed_calls", cost ? cost->total.jobs : 0).Set("dead_letters", CodeCountsJson(report.dead_letters)).Set("findings", CodeCountsJson(FindingCounts(report)));
  out->Set("failed", FailedJson(FailedOf(report))).Set("skipped", SkippedJson(report.skipped)).Set("not_read", Json::Array(report.not_read));
  if (report.rows_as_of) out->Set("rows_as_of", FormatRfc3339(*report.rows_as_of));
  if (cost) out->Set("cost", CostJson(*cost));
  if (!details) return;
  Json tenants = Json::Array();
  for (const TenantPlan& tenant : report.tenants) tenants.Add(TenantJson(tenant));
  Json findings = Json::Array();
  for (const auto& finding : report.findings) {
    Json item = Json::Object();
    findings.Add(std::move(item.Set("tenant", finding.tenant).Set("code", finding.code).Set("subject", finding.subject).Set("detail", finding.detail)));
  }
  out->Set("tenant_details", std::move(tenants)).Set("finding_details", std::move(findings));
}

std::string PlanText(const PlanReport& report, const std::optional<migrate::CostEstimate>& cost, const View& view) {
  std::string out = fmt::format("Plan for {}, as of {}\n\n", Printable(report.source), FormatTime(report.as_of));
  const uint64_t good = report.tenants.size() - report.failed_tenants;
  out += Facts({{"tenants", fmt::format("{} can be migrated{}", Grouped(good),
                                        report.failed_tenants == 0 ? "" : view.Painted(Paint::kBad, fmt::format(", {} CANNOT", Grouped(report.failed_tenants))))},
                {"input", fmt::format("{} in {}, {}", Counted(report.legacy_rows, "row"), Counted(report.files, PartOf(report.source)), Bytes(report.bytes))},
                {"rows of", report.rows_as_of ? FormatTime(*report.rows_as_of) + ", all of them" : std::string()},
                {"central rows", Grouped(report.central_rows)},
                {"quarantined", Counted(Sum(report.dead_letters), "row")},
                {"cost", cost ? fmt::format("{} in BigQuery, {}", Counted(cost->total.jobs, "job"), Dollars(cost->total.micro_usd))
                                     : std::string("no billed calls: files and an embedded store")},
                {"plan digest", report.digest}});
  if (cost) out += CostText(*cost, view);
  out += FailuresText("Tenants that cannot be migrated", FailedOf(report), view);
  out += CodeCounts("Rows that would be quarantined", report.dead_letters, view);
  out += CodeCounts("Findings", FindingCounts(report), view);
  if (!report.dead_letters.empty() || !report.findings.empty()) out += "\nreeve explain finding CODE says more.\n";
  out += SkippedText(report.skipped, view);
  if (!report.not_read.empty()) {
    out += fmt::format("\n{}\n", view.Painted(Paint::kStrong, fmt::format("Tables and files that are not read ({})", Grouped(report.not_read.size()))));
    for (size_t i = 0; i < view.Shown(report.not_read.size()); ++i) out += fmt::format("  {}\n", Printable(report.not_read[i]));
    out += view.More(report.not_read.size());
  }
  if (view.details) out += TenantsTable(report, view) + FindingsTable(report, view);
  return out;
}

void PreviewJson(const MigratePreview& preview, Json* out) {
  out->Set("dry_run", true).Set("tenants", preview.tenants).Set("files", preview.files).Set("bytes", preview.bytes);
  out->Set("already_copied", preview.already_copied);
  out->Set("resumed_as_of", preview.resumed_as_of ? Json(FormatRfc3339(*preview.resumed_as_of)) : Json());
  out->Set("skipped", SkippedJson(preview.skipped));
}

std::string PreviewText(const MigratePreview& preview, std::string_view source, std::string_view target) {
  std::string out = fmt::format("Will copy {} ({} in {}) from {} to {}", Counted(preview.tenants, "tenant"), Bytes(preview.bytes),
                                Counted(preview.files, PartOf(source)), Printable(source), Printable(target));
  if (preview.already_copied > 0)
    out += fmt::format("; {} already there, of which only what changed is written", Grouped(preview.already_copied));
  if (preview.resumed_as_of) out += fmt::format(".\nGoes on with the run of {} that was not finished", FormatTime(*preview.resumed_as_of));
  return out + fmt::format(". {} skipped.", Counted(preview.skipped.size(), "dataset"));
}

void MigrateJson(const MigrateReport& report, Json* out) {
  out->Set("as_of", FormatRfc3339(report.as_of)).Set("attempt", report.attempt).Set("source", report.source).Set("target", report.target);
  out->Set("interrupted", report.interrupted).Set("tenants", report.tenants).Set("copied", report.copied).Set("unchanged", report.unchanged);
  out->Set("verified", report.verified).Set("differing", report.differing).Set("differences", DifferencesJson(report.differences));
  out->Set("failed", FailedJson(report.failed));
  out->Set("legacy_rows", report.legacy_rows).Set("legacy_bytes", report.legacy_bytes).Set("rows_changed", report.rows_changed);
  out->Set("dead_letters", CodeCountsJson(report.dead_letters)).Set("findings", CodeCountsJson(report.findings));
  out->Set("dead_letter_file", report.dead_letter_file.empty() ? Json() : Json(report.dead_letter_file));
  out->Set("skipped", SkippedJson(report.skipped)).Set("stats", StatsJson(report.stats));
}

std::string MigrateText(const MigrateReport& report, bool stats, const View& view) {
  std::string out = fmt::format("{} {} to {}, as of {}, attempt {}\n\n", report.interrupted ? "Interrupted: migrating" : "Migrated", Printable(report.source),
                                Printable(report.target), FormatTime(report.as_of), report.attempt);
  const uint64_t quarantined = Sum(report.dead_letters);
  out += Facts({{"tenants", fmt::format("{}: {} copied, {} unchanged{}", Grouped(report.tenants), Grouped(report.copied), Grouped(report.unchanged),
                                        report.failed.empty() ? "" : view.Painted(Paint::kBad, fmt::format(", {} FAILED", Grouped(report.failed.size()))))},
                {"proven", fmt::format("{} equal{}", Grouped(report.verified),
                                       report.differing == 0 ? "" : view.Painted(Paint::kBad, fmt::format(", {} DIFFERENT", Grouped(report.differing))))},
                {"rows", fmt::format("{} read, {} central rows changed", Grouped(report.legacy_rows), Grouped(report.rows_changed))},
                {"quarantined", quarantined == 0 ? std::string("none")
                                                 : fmt::format("{}, listed in {}", Counted(quarantined, "row"), Printable(report.dead_letter_file))},
                {"time", Lasting(static_cast<Micros>(report.stats.wall * kSecond))}});
  out += FailuresText("Failed tenants", report.failed, view) + DifferencesText(report, view);
  out += CodeCounts("Quarantined rows", report.dead_letters, view);
  out += CodeCounts("Findings", report.findings, view);
  if (view.details) out += SkippedText(report.skipped, view);
  if (!view.details && !report.skipped.empty()) out += fmt::format("\n{} skipped (--details shows why)\n", Counted(report.skipped.size(), "dataset"));
  if (stats) out += StatsText(report, view);
  return out;
}

}  // namespace reeve::cli
