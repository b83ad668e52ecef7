// config show, completion, man, version, help.
#include "cli/complete.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "cli/runners.h"
#include "cli/table.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

std::string_view OriginName(Origin origin) {
  switch (origin) {
    case Origin::kDefault: return "default";
    case Origin::kFile: return "file";
    case Origin::kEnvironment: return "environment";
    case Origin::kFlag: return "flag";
  }
  return "default";
}

// A secret's value never shows; that there is one does.
Json ValueJson(const Setting& setting) {
  if (!setting.is_set) return Json();
  return setting.spec->secret ? Json("(secret)") : Json(setting.value);
}

}  // namespace

Result<int> RunConfigShow(Session& session) {
  const bool origin = session.invocation.Has("origin");
  const auto unknown = UnknownVariables(session.environment);
  if (session.json()) {
    Json values = Json::Array();
    for (const Setting& setting : session.settings.All()) {
      Json item = Json::Object();
      item.Set("key", setting.spec->key).Set("value", ValueJson(setting)).Set("origin", OriginName(setting.origin)).Set("where", setting.where);
      values.Add(std::move(item));
    }
    Json result = session.NewResult();
    result.Set("settings", std::move(values)).Set("unknown_variables", Json::Array(unknown));
    session.PrintJson(result);
    return kExitDone;
  }
  std::vector<TextTable::Column> columns = {{"SETTING"}, {"VALUE"}};
  if (origin) columns.push_back({"FROM"});
  TextTable table(std::move(columns));
  for (const Setting& setting : session.settings.All()) {
    std::vector<std::string> cells = {std::string(setting.spec->key), !setting.is_set        ? "-"
                                                                      : setting.spec->secret ? "(secret)"
                                                                                             : setting.value};
    if (origin) cells.push_back(setting.where);
    table.Add(std::move(cells));
  }
  session.Print(table.Text(session.table_width()));
  for (const std::string& name : unknown) session.Remark(fmt::format("note: the variable {} is no setting of reeve", Printable(name)));
  return kExitDone;
}

Result<int> RunCompletion(Session& session) {
  const auto script = CompletionScript(session.invocation.arguments.front());
  REEVE_ASSERT(script.has_value());
  session.Print(*script);
  return kExitDone;
}

Result<int> RunMan(Session& session) {
  session.Print(ManPage());
  return kExitDone;
}

Result<int> RunVersion(Session& session) {
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("compiler", __VERSION__).Set("estates", Json::Array(std::vector<std::string>{"export", "sqlite", "bigquery"}));
    result.Set("stores", Json::Array(std::vector<std::string>{"sqlite", "bigquery"}));
    session.PrintJson(result);
  } else {
    session.Print(fmt::format("reeve {}\n", REEVE_VERSION));
  }
  return kExitDone;
}

Result<int> RunHelp(Session& session) {
  REEVE_ASSIGN(const std::string text, HelpOn(session.invocation.arguments));
  session.Print(text);
  return kExitDone;
}

Result<int> RunComplete(Session& session) {
  session.Print(Complete(session.invocation.arguments));
  return kExitDone;
}

Result<int> RunDocs(Session& session) {
  session.Print(MarkdownPage());
  return kExitDone;
}

}  // namespace reeve::cli
