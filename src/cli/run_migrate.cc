// plan, migrate, verify, status, rollback.
#include "cli/exit_code.h"
#include "cli/reports.h"
#include "cli/runners.h"
#include "cli/text.h"
#include "env/interrupt.h"

namespace reeve::cli {
namespace {

constexpr Micros kWatchEvery = 2 * kSecond;

// The error of a run that was stopped: what is kept, and the command that goes on.
Unexpected Stopped(const Session& session, std::string_view what) {
  return FailWithHint(Code::kInterrupted, fmt::format("interrupted; {}", what), fmt::format("go on with: {}", session.command_line));
}

// What went over the wire, where something does.
void AddWire(const Session& session, Json* result) {
  if (const auto used = session.ports.Used()) result->Set("wire", WireJson(*used));
}

int DoneOr(bool incomplete) { return incomplete ? kExitIncomplete : kExitDone; }

// An export of another store instead of a legacy estate: customers are merged as they are.
Result<int> ImportInstead(Session& session, const std::string& dir) {
  const bool dry_run = session.invocation.Has("dry-run");
  REEVE_TRY(session.ports.StatePath(StoreUrl(session)));
  if (!dry_run)
    REEVE_TRY(session.Confirm(fmt::format("Will merge the central export {} into {}.", Printable(dir), Printable(StoreUrl(session)))));
  auto sink = session.ports.OpenStore(StoreUrl(session), !dry_run, "migrate");
  if (!sink && dry_run && sink.error().code == Code::kStoreMissing) sink = session.ports.ScratchStore();
  if (!sink) return Unexpected(std::move(sink).error());
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, nullptr, sink->get()));
  REEVE_ASSIGN(const migrate::ImportReport report, migrate::ImportCentral(engine, dir, dry_run));
  session.EndProgress();
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("central_import", true);
    ImportJson(report, dry_run, &result);
    session.PrintJson(result);
  } else {
    session.Print(ImportText(report, dry_run, session.view()));
  }
  return DoneOr(!report.conflicts.empty());
}

// The question before a migration; true if the command ends there (a dry run).
Result<bool> AskToMigrate(Session& session, legacy::LegacyEstate* estate, const migrate::Options& options, const std::string& source) {
  const bool unseen = session.invocation.Has("yes") && (session.quiet() || session.json());
  if (unseen && !session.invocation.Has("dry-run")) return false;  // a listing of the estate that nobody would look at
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, estate, nullptr));
  REEVE_ASSIGN(const migrate::MigratePreview preview, migrate::PreviewMigration(engine, options));
  session.EndProgress();
  const std::string text = PreviewText(preview, source, StoreUrl(session));
  if (!session.invocation.Has("dry-run")) {
    REEVE_TRY(session.Confirm(text));
    return false;
  }
  if (session.json()) {
    Json result = session.NewResult();
    PreviewJson(preview, &result);
    session.PrintJson(result);
  } else {
    session.Print(text + "\n");
    session.Remark("Nothing was changed. reeve plan says what the rows would become.");
  }
  return true;
}

void PrintMigrated(Session& session, const migrate::MigrateReport& report) {
  if (session.json()) {
    Json result = session.NewResult();
    MigrateJson(report, &result);
    AddWire(session, &result);
    return session.PrintJson(result);
  }
  session.Print(MigrateText(report, session.invocation.Has("stats"), session.view()));
  if (report.interrupted) return;
  const std::string store = ShellLine(std::vector<std::string>{"--to", StoreUrl(session)});
  if (session.invocation.Has("no-verify"))
    session.Remark(fmt::format("\nNext: reeve verify {} {}", ShellLine(std::vector<std::string>{"--from", session.settings.Text("from")}), store));
  else
    session.Remark(fmt::format("\nNext: reeve status {0}, then reeve doctor {0}", store));
}

std::vector<std::string> WithoutUnknown(const std::vector<std::string>& wanted, const migrate::StatusReport& report) {
  std::vector<std::string> unknown;
  for (const std::string& name : wanted) {
    const bool known = std::any_of(report.tenants.begin(), report.tenants.end(), [&](const auto& tenant) { return tenant.tenant == name; });
    if (!known) unknown.push_back(name);
  }
  return unknown;
}

Result<migrate::StatusReport> StatusNow(Session& session) {
  const std::string url = StoreUrl(session);
  REEVE_ASSIGN(const std::string state_path, session.ports.StatePath(url));
  REEVE_ASSIGN(const auto reader, session.ports.OpenStoreReader(url));
  REEVE_ASSIGN(migrate::StatusReport report, migrate::ReadStatus(*reader, session.ports.files(), state_path));
  report.store = url;
  const auto only = session.invocation.List("only");
  if (only.empty()) return report;
  const auto unknown = WithoutUnknown(only, report);
  if (!unknown.empty()) return Fail(Code::kNotFound, "{} knows no tenant {}", url, Printable(unknown.front()));
  std::erase_if(report.tenants, [&](const auto& tenant) { return std::find(only.begin(), only.end(), tenant.tenant) == only.end(); });
  return report;
}

void PrintStatus(const Session& session, const migrate::StatusReport& report, bool watch) {
  if (session.json()) {
    Json result = session.NewResult();
    StatusJson(report, &result);
    return session.PrintJson(result);
  }
  const std::string text = StatusText(report, session.view());
  if (watch && session.console.OutIsTerminal())
    session.Print("\x1b[H\x1b[2J" + text + fmt::format("\n{}, again in 2 s; Ctrl-C ends\n", FormatTime(session.ports.clock().Now())));
  else
    session.Print(watch ? fmt::format("{}\n{}\n", FormatTime(session.ports.clock().Now()), text) : text);
}

Result<migrate::RollbackOptions> RollbackChoice(const Session& session) {
  migrate::RollbackOptions options;
  options.tenants = session.invocation.arguments;
  options.forget_runs = session.invocation.Has("forget-runs");
  const bool all = session.invocation.Has("all");
  if (all && !options.tenants.empty()) return Fail(Code::kUsage, "--all and names of tenants exclude each other");
  if (!all && options.tenants.empty()) return FailWithHint(Code::kUsage, "reeve rollback needs names of tenants, or --all", "reeve status lists them");
  return options;
}

void PrintRollback(const Session& session, const migrate::RollbackReport& report, bool dry_run) {
  if (!session.json()) return session.Print(RollbackText(report, dry_run, session.view()));
  Json result = session.NewResult();
  RollbackJson(report, dry_run, &result);
  session.PrintJson(result);
}

// 6 when every tenant was refused, 3 when some were.
int RollbackExit(const migrate::RollbackReport& report) {
  const auto refused = std::count_if(report.items.begin(), report.items.end(), [](const auto& item) { return !item.refused.empty(); });
  if (refused == 0) return kExitDone;
  return static_cast<size_t>(refused) == report.items.size() ? kExitRefused : kExitIncomplete;
}

}  // namespace

Result<int> RunPlan(Session& session) {
  REEVE_ASSIGN(const std::string source, EstateUrl(session));
  REEVE_ASSIGN(const migrate::Options options, MakeOptions(session));
  REEVE_ASSIGN(const auto estate, session.ports.OpenEstate(source));
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, estate.get(), nullptr));
  REEVE_ASSIGN(const migrate::PlanReport report, migrate::MakePlan(engine, options));
  session.EndProgress();
  const std::optional<migrate::CostEstimate> cost = session.ports.EstimateCost(source, StoreUrl(session), report);
  if (session.json()) {
    Json result = session.NewResult();
    PlanJson(report, cost, session.invocation.Has("details"), &result);
    AddWire(session, &result);
    session.PrintJson(result);
    return kExitDone;
  }
  session.Print(PlanText(report, cost, session.view()));
  session.Remark(fmt::format("\nNothing was written. Next: reeve migrate {}",
                             ShellLine(std::vector<std::string>{"--from", source, "--to", StoreUrl(session)})));
  return kExitDone;
}

Result<int> RunMigrate(Session& session) {
  REEVE_ASSIGN(const std::string source, EstateUrl(session));
  if (source.starts_with("export:") && migrate::IsCentralExport(session.ports.files(), DirOf(source))) return ImportInstead(session, DirOf(source));
  REEVE_ASSIGN(const migrate::Options options, MakeOptions(session));
  REEVE_ASSIGN(const auto estate, session.ports.OpenEstate(source));
  REEVE_ASSIGN(const bool ends_here, AskToMigrate(session, estate.get(), options, source));
  if (ends_here) return kExitDone;
  REEVE_ASSIGN(const auto sink, session.ports.OpenStore(StoreUrl(session), true, "migrate"));
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, estate.get(), sink.get()));
  REEVE_ASSIGN(const migrate::MigrateReport report, migrate::Migrate(engine, options));
  session.EndProgress();
  PrintMigrated(session, report);
  if (report.interrupted) return Stopped(session, fmt::format("{} are in the store", Counted(report.copied + report.unchanged, "tenant")));
  return DoneOr(!report.failed.empty() || report.differing > 0 || Sum(report.dead_letters) > 0);
}

Result<int> RunVerify(Session& session) {
  REEVE_ASSIGN(const std::string source, EstateUrl(session));
  migrate::VerifyOptions options;
  REEVE_ASSIGN(options.options, MakeOptions(session));
  options.all_details = session.invocation.Has("details");
  options.certificates_dir = session.settings.Text("certificates");
  REEVE_ASSIGN(const auto estate, session.ports.OpenEstate(source));
  REEVE_ASSIGN(const auto sink, session.ports.OpenStore(StoreUrl(session), false, "verify"));
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, estate.get(), sink.get()));
  REEVE_ASSIGN(const migrate::VerifyReport report, migrate::Verify(engine, options));
  session.EndProgress();
  if (session.json()) {
    Json result = session.NewResult();
    VerifyJson(report, &result);
    AddWire(session, &result);
    session.PrintJson(result);
  } else {
    session.Print(VerifyText(report, options.certificates_dir, session.view()));
  }
  if (report.interrupted) return Stopped(session, fmt::format("{} proven", Counted(report.equal, "tenant is", "tenants are")));
  return DoneOr(report.differing > 0 || report.not_copied > 0 || report.quarantined_rows > 0);
}

Result<int> RunStatus(Session& session) {
  const bool watch = session.invocation.Has("watch");
  do {
    REEVE_ASSIGN(const migrate::StatusReport report, StatusNow(session));
    PrintStatus(session, report, watch);
    if (watch) session.ports.clock().Sleep(kWatchEvery);
  } while (watch && !Interrupted() && session.console.OutFailure().empty());
  return kExitDone;
}

Result<int> RunRollback(Session& session) {
  REEVE_ASSIGN(migrate::RollbackOptions options, RollbackChoice(session));
  std::unique_ptr<legacy::LegacyEstate> estate;
  if (session.settings.IsSet("from")) {
    REEVE_ASSIGN(estate, session.ports.OpenEstate(session.settings.Text("from")));
  }
  REEVE_ASSIGN(const auto sink, session.ports.OpenStore(StoreUrl(session), false, "rollback"));
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, estate.get(), sink.get()));
  options.dry_run = true;
  REEVE_ASSIGN(const migrate::RollbackReport preview, migrate::Rollback(engine, options));
  session.EndProgress();
  if (session.invocation.Has("dry-run") || preview.items.empty()) {
    PrintRollback(session, preview, true);
    return RollbackExit(preview);
  }
  std::string question = RollbackText(preview, true, session.view());
  question.pop_back();
  REEVE_TRY(session.Confirm(question, session.invocation.Has("all") ? StoreUrl(session) : std::string()));
  options.dry_run = false;
  REEVE_ASSIGN(const migrate::RollbackReport report, migrate::Rollback(engine, options));
  session.EndProgress();
  PrintRollback(session, report, false);
  return RollbackExit(report);
}

}  // namespace reeve::cli
