// rollback, repair, explain, export and import, backup, restore, sample.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/reports.h"
#include "cli/table.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

using migrate::BackupReport;
using migrate::ExplainReport;
using migrate::ExportReport;
using migrate::ImportReport;
using migrate::KeySide;
using migrate::KeyVerdict;
using migrate::RepairReport;
using migrate::RestoreReport;
using migrate::RollbackReport;
using sample::SampleReport;
using Align = TextTable::Align;

// The code of a verdict that cannot be given without the other side.
constexpr std::string_view kUnknownVerdict = "UNKNOWN";

Json TimeOrNull(const std::optional<Micros>& time) { return time ? Json(FormatRfc3339(*time)) : Json(); }
Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }
std::string TimeText(const std::optional<Micros>& time) { return time ? FormatTime(*time) : std::string(); }

std::string SideText(const KeySide& side, const View& view) {
  const Paint paint = side.state == "active" ? Paint::kGood : Paint::kBad;
  return fmt::format("\n{}: {}\n", Printable(side.where), view.Painted(paint, Printable(side.state))) +
         Facts({{"tenant", Printable(side.tenant)},
                {"customer", Printable(side.customer_id)},
                {"key id", Printable(side.api_key_id)},
                {"created", TimeText(side.created_at)},
                {"expires", TimeText(side.expires_at)},
                {"revoked", TimeText(side.revoked_at)},
                {"revoked by", Printable(side.revoked_by)},
                {"last used", TimeText(side.last_used_at)},
                {"scopes", Printable(fmt::format("{}", fmt::join(side.scopes, ", ")))}});
}

Json SideJson(const KeySide& side) {
  Json item = Json::Object();
  item.Set("where", side.where).Set("tenant", side.tenant).Set("customer_id", TextOrNull(side.customer_id));
  item.Set("api_key_id", TextOrNull(side.api_key_id)).Set("state", side.state).Set("created_at", TimeOrNull(side.created_at));
  item.Set("expires_at", TimeOrNull(side.expires_at)).Set("revoked_at", TimeOrNull(side.revoked_at));
  item.Set("revoked_by", TextOrNull(side.revoked_by)).Set("last_used_at", TimeOrNull(side.last_used_at));
  return std::move(item.Set("scopes", Json::Array(side.scopes)));
}

}  // namespace

void RollbackJson(const RollbackReport& report, bool dry_run, Json* out) {
  Json items = Json::Array();
  uint64_t refused = 0;
  for (const RollbackReport::Item& item : report.items) {
    if (!item.refused.empty()) ++refused;
    Json json = Json::Object();
    json.Set("tenant", item.tenant).Set("from_phase", item.from_phase).Set("rows_removed", item.rows_removed);
    json.Set("revocations_carried_back", item.revocations_carried_back);
    items.Add(std::move(json.Set("refused", TextOrNull(item.refused))));
  }
  out->Set("dry_run", dry_run).Set("rolled_back", uint64_t{report.items.size()} - refused).Set("refused", refused).Set("tenants", std::move(items));
}

std::string RollbackText(const RollbackReport& report, bool dry_run, const View& view) {
  if (report.items.empty()) return "No tenant is there to take back.\n";
  uint64_t rows = 0, carried = 0, refused = 0;
  TextTable table({{"TENANT", Align::kLeft, true}, {"FROM PHASE"}, {"ROWS REMOVED", Align::kRight}, {"REVOCATIONS CARRIED BACK", Align::kRight},
                   {"REFUSED", Align::kLeft, true}});
  for (size_t i = 0; i < report.items.size(); ++i) {
    const RollbackReport::Item& item = report.items[i];
    rows += item.rows_removed;
    carried += item.revocations_carried_back;
    if (!item.refused.empty()) ++refused;
    if (i < view.Shown(report.items.size()))
      table.Add({item.tenant, item.from_phase, Grouped(item.rows_removed), Grouped(item.revocations_carried_back), item.refused});
  }
  std::string out = fmt::format("{} {} back to legacy: {} removed, {} carried back", dry_run ? "Would take" : "Took",
                                Counted(report.items.size() - refused, "tenant"), Counted(rows, "central row"), Counted(carried, "revocation"));
  if (refused > 0) out += view.Painted(Paint::kBad, fmt::format("; {} REFUSED", Grouped(refused)));
  return out + "\n" + table.Text(view.width, 2) + view.More(report.items.size());
}

void RepairJson(const RepairReport& report, Json* out) {
  Json items = Json::Array();
  for (const RepairReport::Item& item : report.items) items.Add(std::move(Json::Object().Set("tenant", item.tenant).Set("what", item.what)));
  Json left = Json::Array();
  for (const RepairReport::Item& item : report.left_alone) left.Add(std::move(Json::Object().Set("tenant", item.tenant).Set("why", item.what)));
  out->Set("dry_run", report.dry_run).Set("repairs", std::move(items)).Set("left_alone", std::move(left));
}

std::string RepairText(const RepairReport& report, std::string_view nothing, const View& view) {
  const auto list = [&view](const std::vector<RepairReport::Item>& items, std::string_view heading) {
    TextTable table({{"TENANT"}, {std::string(heading), Align::kLeft, true}});
    for (size_t i = 0; i < view.Shown(items.size()); ++i) table.Add({items[i].tenant, items[i].what});
    return table.Text(view.width, 2) + view.More(items.size());
  };
  std::string out = fmt::format("{}\n", nothing);
  if (!report.items.empty()) {
    out = fmt::format("{} {}\n", Counted(report.items.size(), "repair"), report.dry_run ? "would be made" : "made") + list(report.items, "REPAIR");
  }
  if (!report.left_alone.empty()) out += fmt::format("\nLeft alone ({})\n", Grouped(report.left_alone.size())) + list(report.left_alone, "WHY");
  return out;
}

void ExplainJson(const ExplainReport& report, Json* out) {
  out->Set("hash", report.hash).Set("known", !report.sides.empty()).Set("current_phase", TextOrNull(report.current_phase));
  out->Set("customer_status", TextOrNull(report.customer_status)).Set("subscription", TextOrNull(report.subscription));
  Json sides = Json::Array();
  for (const KeySide& side : report.sides) sides.Add(SideJson(side));
  Json verdicts = Json::Array();
  for (const KeyVerdict& verdict : report.verdicts) {
    Json item = Json::Object();
    const bool unknown = verdict.code == kUnknownVerdict;
    item.Set("phase", verdict.phase).Set("accepted", unknown ? Json() : Json(verdict.accepted));
    verdicts.Add(std::move(item.Set("code", TextOrNull(verdict.code)).Set("why", verdict.why)));
  }
  out->Set("sides", std::move(sides)).Set("verdicts", std::move(verdicts)).Set("notes", Json::Array(report.notes));
}

std::string ExplainText(const ExplainReport& report, const View& view) {
  std::string out = fmt::format("Key with hash {}…\n", report.hash.substr(0, 12));
  if (report.sides.empty()) out += "\nNeither side knows it.\n";
  for (const KeySide& side : report.sides) out += SideText(side, view);
  const std::string facts = Facts({{"customer is", Printable(report.customer_status)},
                                   {"subscription", Printable(report.subscription)},
                                   {"present phase", Printable(report.current_phase)}});
  if (!facts.empty()) out += "\n" + facts;
  TextTable table({{"IN PHASE"}, {"KEY IS"}, {"CODE"}, {"WHY", Align::kLeft, true}});
  for (const KeyVerdict& verdict : report.verdicts) {
    const bool unknown = verdict.code == kUnknownVerdict;
    table.Add({verdict.phase, unknown ? "unknown" : verdict.accepted ? "accepted" : "REFUSED", unknown ? "" : verdict.code, verdict.why});
  }
  if (!table.empty()) out += "\n" + table.Text(view.width, 2);
  for (const std::string& note : report.notes) out += fmt::format("  note: {}\n", Printable(note));
  return out;
}

void ExportJson(const ExportReport& report, Json* out) {
  Json tables = Json::Array();
  for (const ExportReport::Item& item : report.tables) {
    Json json = Json::Object();
    tables.Add(std::move(json.Set("table", item.table).Set("rows", item.rows).Set("bytes", item.bytes).Set("sha256", item.sha256)));
  }
  out->Set("tables", std::move(tables));
}

std::string ExportText(const ExportReport& report, std::string_view dir, const View& view) {
  TextTable table({{"TABLE"}, {"ROWS", Align::kRight}, {"SIZE", Align::kRight}, {"SHA-256", Align::kLeft, true}});
  uint64_t rows = 0;
  for (const ExportReport::Item& item : report.tables) {
    rows += item.rows;
    table.Add({item.table, Grouped(item.rows), Bytes(item.bytes), item.sha256});
  }
  return fmt::format("Exported {} to {}\n", Counted(rows, "row"), Printable(dir)) + table.Text(view.width, 2);
}

void ImportJson(const ImportReport& report, bool dry_run, Json* out) {
  out->Set("dry_run", dry_run).Set("customers", report.customers).Set("rows", Json::Object(report.rows)).Set("rows_changed", report.rows_changed);
  out->Set("conflicts", Json::Array(report.conflicts));
}

std::string ImportText(const ImportReport& report, bool dry_run, const View& view) {
  std::string out = fmt::format("{} {} from a central export: {} read, {}\n", dry_run ? "Would merge" : "Merged", Counted(report.customers, "customer"),
                                Counted(Sum(report.rows), "row"),
                                dry_run ? std::string("nothing written") : Counted(report.rows_changed, "row changed", "rows changed"));
  TextTable table({{"TABLE"}, {"ROWS", Align::kRight}});
  for (const auto& [name, rows] : report.rows) table.Add({name, Grouped(rows)});
  out += table.Text(view.width, 2);
  if (report.conflicts.empty()) return out;
  out += fmt::format("\n{}\n", view.Painted(Paint::kBad, fmt::format("Conflicts ({}): merged or left out, as each line says", Grouped(report.conflicts.size()))));
  for (size_t i = 0; i < view.Shown(report.conflicts.size()); ++i) out += fmt::format("  {}\n", Printable(report.conflicts[i]));
  return out + view.More(report.conflicts.size());
}

void BackupJson(const BackupReport& report, bool dry_run, Json* out) {
  const migrate::Manifest& manifest = report.manifest;
  out->Set("dry_run", dry_run).Set("source", manifest.source).Set("as_of", FormatRfc3339(manifest.as_of));
  out->Set("encrypted_with", TextOrNull(manifest.sealed_with)).Set("tables", uint64_t{manifest.tables.size()}).Set("rows", report.rows);
  out->Set("bytes", report.bytes).Set("tables_reused", report.tables_reused).Set("datasets_skipped", report.datasets_skipped);
  Json failed = Json::Array();
  for (const migrate::FailedTable& table : manifest.failed) {
    Json item = Json::Object();
    failed.Add(std::move(item.Set("dataset", table.dataset).Set("table", table.table).Set("reason", table.reason)));
  }
  out->Set("failed", std::move(failed));
}

std::string BackupText(const BackupReport& report, std::string_view dir, bool dry_run, const View& view) {
  const migrate::Manifest& manifest = report.manifest;
  std::string out = fmt::format("{} {} to {}\n\n", dry_run ? "Would back up" : "Backed up", Printable(manifest.source), Printable(dir));
  out += Facts({{"tables", fmt::format("{}{}", Grouped(manifest.tables.size()),
                                       report.tables_reused == 0 ? "" : fmt::format(", {} of them lay there already", Grouped(report.tables_reused)))},
                {"rows", Grouped(report.rows)},
                {"size", Bytes(report.bytes)},
                {"encrypted", manifest.sealed_with.empty() ? std::string("NO: it may hold keys in plain text") : "with key " + manifest.sealed_with},
                {"read back", dry_run ? std::string() : std::string("every file, digests equal")}});
  if (manifest.failed.empty()) return out;
  out += fmt::format("\n{}\n", view.Painted(Paint::kBad, fmt::format("Tables that could not be read and are MISSING ({})", Grouped(manifest.failed.size()))));
  TextTable table({{"TABLE"}, {"WHY", Align::kLeft, true}});
  for (size_t i = 0; i < view.Shown(manifest.failed.size()); ++i)
    table.Add({manifest.failed[i].dataset + "." + manifest.failed[i].table, manifest.failed[i].reason});
  return out + table.Text(view.width, 2) + view.More(manifest.failed.size());
}

void RestoreJson(const RestoreReport& report, bool dry_run, Json* out) {
  out->Set("dry_run", dry_run).Set("added", report.added).Set("kept", report.kept).Set("revoked", report.denied);
  Json tables = Json::Array();
  for (const migrate::RestoredTable& table : report.tables) {
    Json item = Json::Object();
    item.Set("dataset", table.dataset).Set("table", table.table).Set("added", table.added).Set("kept", table.kept).Set("revoked", table.denied);
    tables.Add(std::move(item.Set("created", table.created).Set("written", table.written)));
  }
  out->Set("tables", std::move(tables)).Set("missing_from_backup", uint64_t{report.manifest.failed.size()});
}

std::string RestoreText(const RestoreReport& report, bool dry_run, const View& view) {
  std::string out = fmt::format("{} {}: {} already there, {} because a side revoked their key\n", dry_run ? "Would add" : "Added",
                                Counted(report.added, "row"), Grouped(report.kept), Counted(report.denied, "row marked", "rows marked"));
  TextTable table({{"TABLE", Align::kLeft, true}, {"ADDED", Align::kRight}, {"KEPT", Align::kRight}, {"REVOKED", Align::kRight}, {""}});
  std::vector<const migrate::RestoredTable*> changed;
  for (const migrate::RestoredTable& item : report.tables)
    if (view.details || item.added > 0 || item.denied > 0 || item.created) changed.push_back(&item);
  for (size_t i = 0; i < view.Shown(changed.size()); ++i)
    table.Add({changed[i]->dataset + "." + changed[i]->table, Grouped(changed[i]->added), Grouped(changed[i]->kept), Grouped(changed[i]->denied),
               changed[i]->created ? "new" : ""});
  if (!table.empty()) out += table.Text(view.width, 2) + view.More(changed.size());
  if (!report.manifest.failed.empty())
    out += view.Painted(Paint::kBad, fmt::format("{} MISSING from the backup: could not be read when it was made\n",
                                                 Counted(report.manifest.failed.size(), "table is", "tables are")));
  return out;
}

void SampleJson(const SampleReport& report, Json* out) {
  out->Set("tenants", report.tenants).Set("failed_tenants", report.failed_tenants).Set("skipped_datasets", report.skipped_datasets);
  out->Set("files", report.files).Set("bytes", report.bytes).Set("rows", report.rows).Set("rows_by_kind", Json::Object(report.rows_by_kind));
  out->Set("rows_by_shape", Json::Object(report.rows_by_shape)).Set("dead_letters", Json::Object(report.dead_letters));
  out->Set("expected", Json::Object(report.expected));
}

std::string SampleText(const SampleReport& report, std::string_view dir, std::string_view expected, const View& view) {
  std::string out = fmt::format("Made an estate of {} in {}\n\n", Counted(report.tenants, "tenant"), Printable(dir));
  out += Facts({{"rows", fmt::format("{} in {}, {}", Grouped(report.rows), Counted(report.files, "file"), Bytes(report.bytes))},
                {"other datasets", Grouped(report.skipped_datasets)},
                {"poisoned", fmt::format("{} to be quarantined, {} to fail", Counted(Sum(report.dead_letters), "row"), Counted(report.failed_tenants, "tenant"))},
                {"expectation", Printable(expected)}});
  TextTable table({{"ROWS OF"}, {"", Align::kRight}});
  for (const auto& [kind, rows] : report.rows_by_kind) table.Add({kind, Grouped(rows)});
  return table.empty() ? out : out + "\n" + table.Text(view.width, 2);
}

}  // namespace reeve::cli
