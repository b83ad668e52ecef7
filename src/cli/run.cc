#include "cli/run.h"

#include <algorithm>

#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/reports.h"
#include "cli/runners.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

struct RunnerRow {
  std::string_view path;
  Runner runner;
};

constexpr RunnerRow kRunners[] = {
    {"sample", RunSample},
    {"plan", RunPlan},
    {"backup", RunBackup},
    {"migrate", RunMigrate},
    {"status", RunStatus},
    {"verify", RunVerify},
    {"rollback", RunRollback},
    {"restore", RunRestore},
    {"serve", RunServe},
    {"gateway config", RunGatewayConfig},
    {"mirror", RunMirror},
    {"doctor", RunDoctor},
    {"explain key", RunExplainKey},
    {"explain finding", RunExplainFinding},
    {"repair duplicates", RunRepairDuplicates},
    {"repair usage", RunRepairUsage},
    {"export", RunExport},
    {"schema print", RunSchemaPrint},
    {"schema apply", RunSchemaApply},
    {"schema check", RunSchemaCheck},
    {"config show", RunConfigShow},
    {"completion", RunCompletion},
    {"man", RunMan},
    {"version", RunVersion},
    {"help", RunHelp},
    {"__complete", RunComplete},
    {"__docs", RunDocs},
};

// Commands that must work even if the configuration is broken.
bool NeedsNoSettings(std::string_view path) {
  return path == "help" || path == "version" || path == "completion" || path == "man" || path == "__complete" || path == "__docs";
}

// Whether errors are wanted as JSON, before (or without) a successful parse.
bool WantsJson(const std::vector<std::string>& words, const Environment& environment) {
  if (!words.empty() && words.front() == "__complete") return false;
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == "--json" || words[i] == "--output=json" || words[i] == "-ojson") return true;
    if ((words[i] == "-o" || words[i] == "--output") && i + 1 < words.size()) return words[i + 1] == "json";
  }
  const auto variable = environment.find("REEVE_OUTPUT");
  return variable != environment.end() && variable->second == "json";
}

// The command as typed; a secret is replaced by "-", which reads it from standard input.
std::string TypedLine(const Invocation& invocation, const std::vector<std::string>& words) {
  std::vector<std::string> line = {"reeve"};
  for (const std::string& word : words) {
    const bool secret = invocation.command->positional.kind == Kind::kSecretText &&
                        std::find(invocation.arguments.begin(), invocation.arguments.end(), word) != invocation.arguments.end();
    line.push_back(secret ? "-" : word);
  }
  return ShellLine(line);
}

Result<Settings> LoadSettings(const Invocation& invocation, const Environment& environment, Ports& ports) {
  const std::string path = ConfigPath(invocation, environment, ports.files());
  if (path.empty()) return ResolveSettings(SettingFlags(invocation), environment, nullptr);
  REEVE_ASSIGN(const FileSettings file, ports.ReadConfig(path));
  return ResolveSettings(SettingFlags(invocation), environment, &file);
}

// `reeve` alone: help, but no success, so that a script that lost its command notices.
int NoCommand(Console& console) {
  console.Err(OverviewHelp());
  return kExitUsage;
}

int Finish(Console& console, bool json, int exit) {
  const std::string failure = console.OutFailure();
  if (failure.empty()) return exit;
  return PrintError(console, json, false, Error{Code::kFailed, "standard output: cannot write: " + failure, {}});
}

}  // namespace

Runner FindRunner(std::string_view path) {
  for (const RunnerRow& row : kRunners)
    if (row.path == path) return row.runner;
  return nullptr;
}

std::string ConfigPath(const Invocation& invocation, const Environment& environment, Files& files) {
  const auto variable = [&](std::string_view name) {
    const auto it = environment.find(name);
    return it == environment.end() ? std::string() : it->second;
  };
  if (invocation.Has("config")) return invocation.Text("config");
  if (!variable("REEVE_CONFIG").empty()) return variable("REEVE_CONFIG");
  std::vector<std::string> places = {"./reeve.toml"};
  if (!variable("XDG_CONFIG_HOME").empty())
    places.push_back(variable("XDG_CONFIG_HOME") + "/reeve/reeve.toml");
  else if (!variable("HOME").empty())
    places.push_back(variable("HOME") + "/.config/reeve/reeve.toml");
  places.emplace_back("/etc/reeve/reeve.toml");
  for (const std::string& place : places)
    if (files.Exists(place)) return place;
  return {};
}

int Run(const std::vector<std::string>& words, const Environment& environment, Console& console, Ports& ports) {
  bool json = WantsJson(words, environment);
  const auto fail = [&](const Error& error) { return PrintError(console, json, UseColor("auto", environment, console.ErrIsTerminal()), error); };
  auto invocation = Parse(words);
  if (!invocation) return fail(invocation.error());
  const bool asks_help = std::find(words.begin(), words.end(), "--help") != words.end() || std::find(words.begin(), words.end(), "-h") != words.end();
  if (invocation->command->path == "help" && invocation->arguments.empty() && !asks_help &&
      std::find(words.begin(), words.end(), "help") == words.end())
    return NoCommand(console);

  auto settings = LoadSettings(*invocation, environment, ports);
  if (!settings && NeedsNoSettings(invocation->command->path)) settings = ResolveSettings({}, {}, nullptr);
  if (!settings) return fail(settings.error());
  json = settings->Text("output") == "json";

  ports.Configure(*settings, environment, invocation->command->path);
  const Runner runner = FindRunner(invocation->command->path);
  REEVE_ASSERT(runner != nullptr);
  Result<int> exit = kExitDone;
  {
    Session session(*invocation, *settings, environment, console, ports, TypedLine(*invocation, words));
    exit = runner(session);
    if (const auto used = ports.Used()) session.Remark("\n" + WireText(*used));
    if (!exit && exit.error().code == Code::kInterrupted && exit.error().hint.empty()) exit.error().hint = "run again: " + session.command_line;
  }
  return exit ? Finish(console, json, *exit) : fail(exit.error());
}

}  // namespace reeve::cli
