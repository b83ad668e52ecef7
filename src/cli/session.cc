#include "cli/session.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/exit_code.h"
#include "cli/text.h"
#include "obs/console_progress.h"

namespace reeve::cli {
namespace {

std::string_view Variable(const Environment& environment, std::string_view name) {
  const auto it = environment.find(name);
  return it == environment.end() ? std::string_view() : std::string_view(it->second);
}

// How to show progress; nullopt: not at all.
std::optional<obs::ProgressStyle> StyleFor(std::string_view setting, bool quiet, bool json, bool terminal) {
  if (quiet || setting == "none") return std::nullopt;
  if (setting == "plain") return obs::ProgressStyle::kPlain;
  if (setting == "json") return obs::ProgressStyle::kJson;
  if (terminal) return obs::ProgressStyle::kLine;
  if (json) return std::nullopt;
  return obs::ProgressStyle::kPlain;
}

}  // namespace

void Ports::Configure(const Settings&, const Environment&, std::string_view) {}
std::optional<migrate::CostEstimate> Ports::EstimateCost(const std::string&, const std::string&, const migrate::PlanReport&) { return std::nullopt; }
std::optional<migrate::WireUse> Ports::Used() { return std::nullopt; }
Result<std::vector<migrate::Check>> Ports::CheckAccess(const std::string&, bool) { return std::vector<migrate::Check>(); }

struct Session::Show {
  obs::SilentProgress silent;
  std::unique_ptr<obs::TickingProgress> progress;
  std::unique_ptr<obs::ProgressTicker> ticker;  // ends before `progress` goes
};

Session::Session(const Invocation& invocation_in, const Settings& settings_in, const Environment& environment_in, Console& console_in,
                 Ports& ports_in, std::string command_line_in)
    : invocation(invocation_in),
      settings(settings_in),
      environment(environment_in),
      console(console_in),
      ports(ports_in),
      command_line(std::move(command_line_in)),
      json_(settings.Text("output") == "json"),
      quiet_(settings.Flag("quiet")),
      color_(!json_ && UseColor(settings.Text("color"), environment, console.OutIsTerminal())) {}

Session::~Session() = default;

size_t Session::table_width() const {
  if (!console.OutIsTerminal()) return 0;
  const std::string_view columns = Variable(environment, "COLUMNS");
  int width = 0;
  const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (error == std::errc() && end == columns.data() + columns.size() && width >= 20) return static_cast<size_t>(width);
  return static_cast<size_t>(console.Width());
}

void Session::Remark(std::string_view line) const {
  if (!quiet_ && !json_) console.Err(fmt::format("{}\n", line));
}

Json Session::NewResult() const {
  Json object = Json::Object();
  object.Set("reeve", REEVE_VERSION).Set("format", 1).Set("command", invocation.command->path);
  return object;
}

void Session::PrintJson(const Json& members) const { console.Out(members.Text() + "\n"); }

Result<> Session::Confirm(std::string_view what, std::string_view typed) const {
  if (invocation.Has("yes")) {
    Remark(what);
    return {};
  }
  if (!console.InIsTerminal() || !console.ErrIsTerminal())
    return FailWithHint(Code::kRefused, fmt::format("not confirmed: {}", what), "nothing was changed; add --yes to go ahead without being asked");
  console.Err(fmt::format("{}\n", what));
  console.Err(typed.empty() ? std::string("Go ahead? [y/N] ") : fmt::format("Type {} to go ahead: ", typed));
  REEVE_ASSIGN(const std::optional<std::string> answer, console.ReadLine());
  const std::string_view given = answer ? std::string_view(*answer) : std::string_view();
  const bool yes = typed.empty() ? given == "y" || given == "Y" || given == "yes" || given == "Yes" : given == typed;
  if (!yes) return Fail(Code::kRefused, "not confirmed; nothing was changed");
  return {};
}

obs::Progress& Session::progress() {
  if (show_ == nullptr) {
    show_ = std::make_unique<Show>();
    const bool smart = console.ErrIsTerminal() && Variable(environment, "TERM") != "dumb";
    const auto style = StyleFor(settings.Text("progress"), quiet_, json_, smart);
    if (style) {
      show_->progress = obs::MakeConsoleProgress(*style, console.Width(), ports.clock(), [this](std::string_view text) { console.Err(text); });
      show_->ticker = std::make_unique<obs::ProgressTicker>(*show_->progress);
    }
  }
  if (show_->progress == nullptr) return show_->silent;
  return *show_->progress;
}

void Session::EndProgress() {
  if (show_ != nullptr && show_->progress != nullptr) show_->progress->End();
}

int PrintError(Console& console, bool json, bool color, const Error& error) {
  const int exit = ExitCode(error.code);
  if (json) {
    Json inner = Json::Object();
    inner.Set("code", CodeName(error.code)).Set("exit", exit).Set("message", error.message).Set("hint", error.hint);
    console.Err(Json::Object().Set("error", std::move(inner)).Text() + "\n");
    return exit;
  }
  // The message may span lines; everything in it that came from data was made printable where it was put in, except file names.
  std::string text = color ? "\x1b[31mreeve:\x1b[0m " : "reeve: ";
  std::string_view message = error.message;
  while (true) {
    const size_t end = message.find('\n');
    text += Printable(message.substr(0, end)) + "\n";
    if (end == std::string_view::npos) break;
    message.remove_prefix(end + 1);
  }
  if (!error.hint.empty()) text += fmt::format("  hint: {}\n", Printable(error.hint));
  console.Err(text);
  return exit;
}

bool UseColor(std::string_view setting, const Environment& environment, bool is_terminal) {
  if (setting == "never") return false;
  if (setting == "always") return true;
  if (!Variable(environment, "NO_COLOR").empty() || Variable(environment, "TERM") == "dumb") return false;
  const std::string_view force = Variable(environment, "CLICOLOR_FORCE");
  return is_terminal || (!force.empty() && force != "0");
}

}  // namespace reeve::cli
