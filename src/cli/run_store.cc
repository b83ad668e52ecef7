// sample, export, schema.
#include "catalog/ddl.h"
#include "catalog/table.h"
#include "cli/exit_code.h"
#include "cli/reports.h"
#include "cli/runners.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/value.h"

namespace reeve::cli {
namespace {

sample::SampleOptions SampleChoice(const Session& session) {
  const Invocation& given = session.invocation;
  sample::SampleOptions options;
  options.tenants = given.Count("tenants", options.tenants);
  options.seed = given.Count("seed", options.seed);
  if (given.Text("profile") == "standard") options.profile = sample::Profile::kStandard;
  options.all_variants = given.Text("variants") != "guide";
  options.poison_rate = ParseRate(given.Text("poison", "0")).value_or(0);
  options.out_dir = DirOf(given.Text("out"));
  options.expected_dir = given.Has("expected") ? DirOf(given.Text("expected")) : options.out_dir + ".expected";
  options.as_of = ParseInstant(given.Text("as-of")).value_or(options.as_of);
  options.gzip_some = given.Has("gzip");
  options.usage_months = static_cast<int>(session.settings.Count("usage_months"));
  options.abandoned_after = session.settings.Duration("abandoned_after");
  return options;
}

// What export would write: rows by table, nothing read but counts.
Result<int> CountOnly(Session& session, store::CentralReader& reader, const std::string& dir) {
  std::map<std::string, uint64_t> rows;
  for (const catalog::Table& table : catalog::CentralTables()) {
    REEVE_ASSIGN(rows[std::string(table.name)], reader.Count(table));
  }
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("dry_run", true).Set("rows", Json::Object(rows));
    session.PrintJson(result);
    return kExitDone;
  }
  TextTable table({{"TABLE"}, {"ROWS", TextTable::Align::kRight}});
  for (const auto& [name, count] : rows) table.Add({name, Grouped(count)});
  session.Print(fmt::format("Would export {} to {}\n", Counted(Sum(rows), "row"), Printable(dir)) + table.Text(session.table_width(), 2));
  return kExitDone;
}

void PrintDrift(const Session& session, const std::vector<store::Drift>& drift) {
  if (!session.json()) return session.Print(DriftText(drift, session.view()));
  Json result = session.NewResult();
  result.Set("store", StoreUrl(session));
  DriftJson(drift, &result);
  session.PrintJson(result);
}

}  // namespace

Result<int> RunSample(Session& session) {
  const sample::SampleOptions options = SampleChoice(session);
  obs::Progress& progress = session.progress();
  progress.Begin("sample", options.tenants, "tenants");
  uint64_t shown = 0;
  const auto tell = [&](uint64_t done, uint64_t) {
    progress.Add(done - shown, 0, 0);
    shown = done;
  };
  REEVE_ASSIGN(const sample::SampleReport report, sample::WriteSample(options, session.ports.files(), tell));
  session.EndProgress();
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("out", options.out_dir).Set("expected_dir", options.expected_dir).Set("as_of", FormatRfc3339(options.as_of));
    SampleJson(report, &result);
    session.PrintJson(result);
    return kExitDone;
  }
  session.Print(SampleText(report, options.out_dir, options.expected_dir, session.view()));
  session.Remark(fmt::format("\nNext: reeve plan {}",
                             ShellLine(std::vector<std::string>{"--from", "export:" + options.out_dir, "--as-of", FormatRfc3339(options.as_of)})));
  return kExitDone;
}

Result<int> RunExport(Session& session) {
  const std::string dir = DirOf(session.invocation.Text("out"));
  REEVE_ASSIGN(const auto reader, session.ports.OpenStoreReader(StoreUrl(session)));
  if (session.invocation.Has("dry-run")) return CountOnly(session, *reader, dir);
  REEVE_ASSIGN(const migrate::ExportReport report,
               migrate::ExportCentral(*reader, session.ports.files(), dir, session.progress(), session.ports.clock().Now()));
  session.EndProgress();
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("out", dir);
    ExportJson(report, &result);
    session.PrintJson(result);
  } else {
    session.Print(ExportText(report, dir, session.view()));
  }
  return kExitDone;
}

Result<int> RunSchemaPrint(Session& session) {
  const std::string name = session.invocation.Text("engine", "sqlite");
  const auto engine = catalog::ParseEngine(name);
  REEVE_ASSERT(engine.has_value());
  const std::string script = catalog::SchemaScript(*engine, session.invocation.Text("dataset", "customers_metadata"), session.invocation.Has("with-own"),
                                                   session.invocation.Has("with-policies"));
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("engine", name).Set("script", script);
    session.PrintJson(result);
  } else {
    session.Print(script);
  }
  return kExitDone;
}

Result<int> RunSchemaApply(Session& session) {
  const std::string url = StoreUrl(session);
  REEVE_ASSIGN(const std::string path, session.ports.StatePath(url));
  auto sink = session.ports.OpenStore(url, false, "schema apply");
  std::vector<store::Drift> drift;
  if (sink) {
    REEVE_ASSIGN(drift, (*sink)->CheckSchema());
  } else if (sink.error().code == Code::kStoreMissing && !session.ports.files().Exists(path)) {
    drift.push_back({"(all)", "the store does not exist yet", true});
  } else {
    return Unexpected(std::move(sink).error());
  }
  if (session.invocation.Has("dry-run") || drift.empty()) {
    PrintDrift(session, drift);
    return kExitDone;
  }
  std::string question = fmt::format("Will make what is missing in {}.\n{}", Printable(url), DriftText(drift, session.view()));
  question.pop_back();
  REEVE_TRY(session.Confirm(question));
  if (!sink) sink = session.ports.OpenStore(url, true, "schema apply");
  if (!sink) return Unexpected(std::move(sink).error());
  REEVE_TRY((*sink)->ApplySchema());
  REEVE_ASSIGN(drift, (*sink)->CheckSchema());
  PrintDrift(session, drift);
  return drift.empty() ? kExitDone : kExitIncomplete;
}

Result<int> RunSchemaCheck(Session& session) {
  REEVE_ASSIGN(const auto sink, session.ports.OpenStore(StoreUrl(session), false, "schema check"));
  REEVE_ASSIGN(const std::vector<store::Drift> drift, sink->CheckSchema());
  PrintDrift(session, drift);
  return drift.empty() ? kExitDone : kExitIncomplete;
}

}  // namespace reeve::cli
