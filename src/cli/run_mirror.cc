// mirror.
#include "cli/exit_code.h"
#include "cli/runners.h"
#include "cli/text.h"
#include "cli/value.h"
#include "env/interrupt.h"

namespace reeve::cli {
namespace {

void PrintMirror(const Session& session, const std::string& target, const migrate::MirrorReport& report) {
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("store", StoreUrl(session)).Set("target", target).Set("steps", report.steps).Set("rows_written", report.rows_written);
    result.Set("rows_deleted", report.rows_deleted).Set("waiting", report.waiting);
    return session.PrintJson(result);
  }
  session.Print(fmt::format("{} written and {} deleted in {}; {}\n", Counted(report.rows_written, "row"), Grouped(report.rows_deleted), Printable(target),
                            report.waiting == 0 ? "nothing waits" : fmt::format("{} still to come", Counted(report.waiting, "row"))));
}

int PrintPeek(const Session& session, const std::string& target, const store::OutboxPeek& peek) {
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("store", StoreUrl(session)).Set("target", target).Set("dry_run", true).Set("outbox", peek.on).Set("waiting", peek.waiting);
    session.PrintJson(result);
    return kExitDone;
  }
  session.Print(peek.on ? fmt::format("{} would go to {}\n", Counted(peek.waiting, "row"), Printable(target))
                        : fmt::format("Every row would be marked and go to {}: {}\n", Printable(target), Counted(peek.waiting, "row")));
  return kExitDone;
}

Result<int> StopMirror(Session& session) {
  const std::string url = StoreUrl(session);
  REEVE_ASSIGN(const store::OutboxPeek peek, session.ports.PeekOutbox(url));
  if (!peek.on && peek.target.empty()) {
    session.Remark(fmt::format("{} is not mirrored.", Printable(url)));
    return kExitDone;
  }
  if (session.invocation.Has("dry-run")) return PrintPeek(session, peek.target, peek);
  REEVE_TRY(session.Confirm(fmt::format("Will end the mirroring of {} to {}; {} not arrived there.", Printable(url), Printable(peek.target),
                                        peek.waiting == 1 ? "1 change has" : fmt::format("{} changes have", Grouped(peek.waiting)))));
  REEVE_TRY(session.ports.RemoveOutbox(url));
  return kExitDone;
}

}  // namespace

Result<std::unique_ptr<store::Outbox>> Ports::OpenOutbox(const std::string&, const std::string&, bool) { return Fail(Code::kUsage, "mirrors are not possible here"); }
Result<store::OutboxPeek> Ports::PeekOutbox(const std::string&) { return Fail(Code::kUsage, "mirrors are not possible here"); }
Result<> Ports::RemoveOutbox(const std::string&) { return Fail(Code::kUsage, "mirrors are not possible here"); }

Result<int> RunMirror(Session& session) {
  const Invocation& given = session.invocation;
  const std::string url = StoreUrl(session), target = given.Text("to");
  if (given.Has("stop")) return StopMirror(session);
  if (target.empty()) return FailWithHint(Code::kUsage, "reeve mirror needs --to STORE", "for example --to bigquery:my-project/customers_metadata");
  if (target == url) return Fail(Code::kUsage, "{} cannot be its own mirror", Printable(url));
  REEVE_ASSIGN(const store::OutboxPeek peek, session.ports.PeekOutbox(url));
  if (given.Has("dry-run")) return PrintPeek(session, target, peek);
  REEVE_TRY(session.Confirm(fmt::format("Will make the seven tables of {} those of {}{}.", Printable(target), Printable(url),
                                        given.Has("once") ? ", as they are now" : ", and keep them so until it is stopped")));
  REEVE_ASSIGN(const auto outbox, session.ports.OpenOutbox(url, target, given.Has("restart")));
  REEVE_ASSIGN(const auto sink, session.ports.OpenStore(target, true, "mirror"));
  REEVE_TRY(sink->ApplySchema());
  migrate::MirrorOptions options;
  options.once = given.Has("once");
  options.interval = ParseDuration(given.Text("interval")).value_or(options.interval);
  options.marks_max = static_cast<size_t>(given.Count("batch", 0));
  REEVE_ASSIGN(const migrate::MirrorReport report, migrate::RunMirror(*outbox, *sink, options, session.ports.clock(), session.progress()));
  session.EndProgress();
  PrintMirror(session, target, report);
  if (report.interrupted) return Fail(Code::kInterrupted, "stopped; {} still to come: run it again", Counted(report.waiting, "row"));
  return kExitDone;
}

}  // namespace reeve::cli
