// backup, restore, repair, explain, doctor.
#include <algorithm>
#include <set>

#include "catalog/rows.h"
#include "catalog/table.h"
#include "cli/exit_code.h"
#include "cli/finding_words.h"
#include "cli/reports.h"
#include "cli/runners.h"
#include "cli/suggest.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

// The key of --key, REEVE_BACKUP_KEY or REEVE_BACKUP_KEY_FILE; nullopt: none was given.
Result<std::optional<Secret>> BackupKey(const Session& session) {
  const Setting& setting = session.settings.Get("backup_key");
  if (!setting.is_set) return std::optional<Secret>();
  if (!setting.value.empty()) {
    REEVE_ASSIGN(Secret key, session.ports.ReadKeyFile(setting.value));
    return std::optional<Secret>(std::move(key));
  }
  const auto variable = session.environment.find(EnvironmentName("backup_key"));
  REEVE_ASSERT(variable != session.environment.end());
  REEVE_ASSIGN(Secret key, session.ports.ParseKey(Secret(variable->second)));
  return std::optional<Secret>(std::move(key));
}

// Hashes of the keys that the central store has revoked. A store nobody named need not exist.
Result<std::set<std::string, std::less<>>> RevokedInCentral(Session& session) {
  std::set<std::string, std::less<>> revoked;
  auto reader = session.ports.OpenStoreReader(StoreUrl(session));
  if (!reader && reader.error().code == Code::kStoreMissing && session.settings.Get("store").origin == Origin::kDefault) {
    session.Remark(fmt::format("No central store at {}: revocations made there are not looked at.", StoreUrl(session)));
    return revoked;
  }
  if (!reader) return Unexpected(std::move(reader).error());
  const catalog::Table& keys = catalog::ApiKeys();
  const auto column = [&](std::string_view name) { return static_cast<size_t>(keys.Index(name)); };
  const size_t hash = column("api_key_hash"), active = column("is_active"), revoked_at = column("revoked_at");
  REEVE_TRY((*reader)->Scan(keys, [&](std::span<const catalog::Cell> row) -> Result<> {
    if (row[active].num == 0 || !row[revoked_at].is_null) revoked.emplace(row[hash].text);
    return {};
  }));
  return revoked;
}

void PrintRestore(const Session& session, const migrate::RestoreReport& report, bool dry_run) {
  if (!session.json()) return session.Print(RestoreText(report, dry_run, session.view()));
  Json result = session.NewResult();
  RestoreJson(report, dry_run, &result);
  session.PrintJson(result);
}

void PrintRepair(const Session& session, const migrate::RepairReport& report, std::string_view nothing) {
  if (!session.json()) return session.Print(RepairText(report, nothing, session.view()));
  Json result = session.NewResult();
  RepairJson(report, &result);
  session.PrintJson(result);
}

// `repair` is called with dry_run first; what it would do is the question.
template <typename Repair>
Result<int> PreviewAskRepair(Session& session, std::string_view nothing, const Repair& repair) {
  REEVE_ASSIGN(migrate::RepairReport report, repair(true));
  session.EndProgress();
  if (!session.invocation.Has("dry-run") && !report.items.empty()) {
    std::string question = RepairText(report, nothing, session.view());
    question.pop_back();
    REEVE_TRY(session.Confirm(question));
    REEVE_ASSIGN(report, repair(false));
    session.EndProgress();
  }
  PrintRepair(session, report, nothing);
  return kExitDone;
}

bool LooksLikeHash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

Result<Secret> KeyToExplain(Session& session) {
  std::string word = session.invocation.arguments.front();
  if (word != "-") {
    if (!LooksLikeHash(word))
      session.Remark("note: a key on the command line is visible in the process list and stays in the shell's history; reeve explain key - reads it from "
                     "standard input");
    return Secret(std::move(word));
  }
  if (session.console.InIsTerminal()) session.Remark("Type or paste the key, then Enter:");
  REEVE_ASSIGN(std::optional<std::string> line, session.console.ReadLine());
  std::string key = line ? *std::move(line) : std::string();
  while (!key.empty() && std::string_view(" \t\r\n").find(key.back()) != std::string_view::npos) key.pop_back();
  key.erase(0, std::min(key.find_first_not_of(" \t"), key.size()));
  if (key.empty()) return Fail(Code::kUsage, "standard input holds no key");
  return Secret(std::move(key));
}

// What stands behind the URLs of estate and store that are no files. Asks before staging tables are removed.
Result<std::vector<migrate::Check>> AccessChecks(Session& session, const std::string& store) {
  std::vector<std::string> urls = {store};
  if (session.settings.IsSet("from")) urls.insert(urls.begin(), session.settings.Text("from"));
  const bool remove = session.invocation.Has("remove-strays");
  if (remove) REEVE_TRY(session.Confirm("Will remove staging tables that dead runs left in BigQuery. A run that is at work now must end first."));
  std::vector<migrate::Check> checks;
  for (const std::string& url : urls) {
    REEVE_ASSIGN(std::vector<migrate::Check> found, session.ports.CheckAccess(url, remove));
    for (migrate::Check& check : found) {
      check.name = fmt::format("{}: {}", url, check.name);
      checks.push_back(std::move(check));
    }
  }
  return checks;
}

Result<> AddStoreChecks(Session& session, store::CentralSink& sink, const std::string& state_path, std::vector<migrate::Check>* checks) {
  REEVE_ASSIGN(const std::vector<store::Drift> drift, sink.CheckSchema());
  REEVE_ASSIGN(const std::vector<std::string> integrity, sink.CheckIntegrity());
  REEVE_ASSIGN(const auto reader, sink.OpenReader());
  REEVE_ASSIGN(const std::vector<migrate::Check> of_store,
               migrate::Doctor(*reader, session.ports.files(), state_path, session.ports.clock().Now(), drift, integrity));
  checks->insert(checks->end(), of_store.begin(), of_store.end());
  return {};
}

Json WordsJson(const CodeWords& words) {
  Json item = Json::Object();
  item.Set("code", words.code).Set("quarantine", words.quarantine).Set("meaning", words.meaning);
  return std::move(item.Set("advice", words.advice));
}

std::string WordsText(const CodeWords& words) {
  return fmt::format("{} ({})\n", words.code, words.quarantine ? "the row was quarantined" : "the rows were moved") +
         Wrap(fmt::format("{}.\nWhat to do: {}.", words.meaning, words.advice), 80, 2);
}

}  // namespace

Result<int> RunBackup(Session& session) {
  REEVE_ASSIGN(const std::string source, EstateUrl(session));
  REEVE_ASSIGN(const migrate::Options selection, MakeOptions(session));
  REEVE_ASSIGN(const std::optional<Secret> key, BackupKey(session));
  REEVE_ASSIGN(const auto estate, session.ports.OpenEstate(source));
  migrate::BackupOptions options;
  options.dir = DirOf(session.invocation.Text("out"));
  options.key = key ? &*key : nullptr;
  options.as_of = session.ports.clock().Now();
  options.only = selection.only;
  options.declared = selection.declared;
  options.dry_run = session.invocation.Has("dry-run");
  REEVE_ASSIGN(const migrate::BackupReport report,
               migrate::Backup(*estate, options, session.ports.files(), session.ports.entropy(), session.progress()));
  session.EndProgress();
  if (session.json()) {
    Json result = session.NewResult();
    BackupJson(report, options.dry_run, &result);
    session.PrintJson(result);
  } else {
    session.Print(BackupText(report, options.dir, options.dry_run, session.view()));
  }
  return report.manifest.failed.empty() ? kExitDone : kExitIncomplete;
}

Result<int> RunRestore(Session& session) {
  const std::string target = session.invocation.Text("to");
  REEVE_ASSIGN(const std::optional<Secret> key, BackupKey(session));
  REEVE_ASSIGN(const auto estate, session.ports.OpenEstate(target));
  REEVE_ASSIGN(const auto revoked, RevokedInCentral(session));
  migrate::RestoreOptions options;
  options.dir = DirOf(session.invocation.Text("from"));
  options.key = key ? &*key : nullptr;
  options.dry_run = true;
  options.revoked = [&revoked](const std::string& hash) { return revoked.find(hash) != revoked.end(); };
  REEVE_ASSIGN(migrate::RestoreReport report, migrate::Restore(*estate, options, session.ports.files(), session.progress()));
  session.EndProgress();
  const bool nothing = report.added == 0 && report.denied == 0;
  if (!session.invocation.Has("dry-run") && !nothing) {
    REEVE_TRY(session.Confirm(fmt::format("Will add {} to {} and mark {} revoked.", Counted(report.added, "row"), Printable(target),
                                          Counted(report.denied, "row"))));
    options.dry_run = false;
    REEVE_ASSIGN(report, migrate::Restore(*estate, options, session.ports.files(), session.progress()));
    session.EndProgress();
  }
  PrintRestore(session, report, options.dry_run && !nothing);
  return report.manifest.failed.empty() ? kExitDone : kExitIncomplete;
}

Result<int> RunRepairDuplicates(Session& session) {
  REEVE_ASSIGN(const auto sink, session.ports.OpenStore(StoreUrl(session), false, "repair duplicates"));
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, nullptr, sink.get()));
  return PreviewAskRepair(session, "No two customers share a tenant.",
                          [&](bool dry_run) { return migrate::RepairDuplicates(engine, dry_run); });
}

Result<int> RunRepairUsage(Session& session) {
  REEVE_ASSIGN(const migrate::Options options, MakeOptions(session));
  std::unique_ptr<legacy::LegacyEstate> estate;
  if (session.settings.IsSet("from")) {
    REEVE_ASSIGN(estate, session.ports.OpenEstate(session.settings.Text("from")));
  }
  REEVE_ASSIGN(const auto sink, session.ports.OpenStore(StoreUrl(session), false, "repair usage"));
  REEVE_ASSIGN(const migrate::Engine engine, MakeEngine(session, estate.get(), sink.get()));
  return PreviewAskRepair(session, "Every month is counted right.", [&](bool dry_run) { return migrate::RepairUsage(engine, options, dry_run); });
}

Result<int> RunExplainKey(Session& session) {
  REEVE_ASSIGN(const migrate::Options options, MakeOptions(session));
  REEVE_ASSIGN(const auto reader, session.ports.OpenStoreReader(StoreUrl(session)));
  std::unique_ptr<legacy::LegacyEstate> estate;
  if (session.settings.IsSet("from")) {
    REEVE_ASSIGN(estate, session.ports.OpenEstate(session.settings.Text("from")));
  }
  REEVE_ASSIGN(const Secret key, KeyToExplain(session));
  REEVE_ASSIGN(const migrate::ExplainReport report,
               migrate::ExplainKey(*reader, estate.get(), key, options, options.as_of.value_or(session.ports.clock().Now())));
  session.EndProgress();
  if (session.json()) {
    Json result = session.NewResult();
    ExplainJson(report, &result);
    session.PrintJson(result);
  } else {
    session.Print(ExplainText(report, session.view()));
    if (estate == nullptr) session.Remark("\nOnly the central side was looked at; --from ESTATE adds the legacy side.");
  }
  return report.sides.empty() ? kExitNotFound : kExitDone;
}

Result<int> RunExplainFinding(Session& session) {
  Json all = Json::Array();
  std::string text;
  std::vector<std::string_view> codes;
  for (const CodeWords& words : AllCodeWords()) {
    codes.push_back(words.code);
    if (!session.invocation.arguments.empty() && session.invocation.arguments.front() != words.code) continue;
    all.Add(WordsJson(words));
    text += (text.empty() ? "" : "\n") + WordsText(words);
  }
  if (text.empty()) {
    const std::string& code = session.invocation.arguments.front();
    return FailWithHint(Code::kNotFound, fmt::format("there is no finding or reason \"{}\"", Printable(code)),
                        DidYouMean(code, codes, "reeve explain finding lists all"));
  }
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("codes", std::move(all));
    session.PrintJson(result);
  } else {
    session.Print(text);
  }
  return kExitDone;
}

Result<int> RunDoctor(Session& session) {
  const std::string url = StoreUrl(session);
  REEVE_ASSIGN(const std::string state_path, session.ports.StatePath(url));
  REEVE_ASSIGN(std::vector<migrate::Check> checks, AccessChecks(session, url));
  const auto sink = session.ports.OpenStore(url, false, "doctor");
  // Before a migration there is no store yet, and what was asked is whether the credentials will do.
  const bool none_yet = !sink && sink.error().code == Code::kStoreMissing && !checks.empty();
  if (!sink && !none_yet) return Unexpected(sink.error());
  if (none_yet) {
    session.Remark(fmt::format("No central store at {} yet: its checklist was left out.", Printable(url)));
  } else {
    REEVE_TRY(AddStoreChecks(session, **sink, state_path, &checks));
  }
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("store", url).Set("store_exists", !none_yet);
    DoctorJson(checks, &result);
    session.PrintJson(result);
  } else {
    session.Print(DoctorText(checks, session.view()));
  }
  const bool failed = std::any_of(checks.begin(), checks.end(), [](const auto& check) { return check.state == migrate::Check::State::kFailed; });
  return failed ? kExitIncomplete : kExitDone;
}

}  // namespace reeve::cli
