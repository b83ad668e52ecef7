// Session: one invocation of reeve, with everything a command needs: what was asked, the settings, the console, the ports, and how to print.
//
// Remarks go to standard error and vanish with --quiet and -o json; results go to standard output. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "cli/console.h"
#include "cli/json.h"
#include "cli/parse.h"
#include "cli/serve.h"
#include "cli/settings.h"
#include "cli/view.h"
#include "env/clock.h"
#include "env/entropy.h"
#include "env/files.h"
#include "migrate/copy/plan.h"
#include "migrate/cost.h"
#include "migrate/engine.h"
#include "migrate/mirror/mirror.h"
#include "migrate/ops/ops.h"
#include "obs/progress.h"

namespace reeve::cli {

// What a command may reach outside; app/ makes the real one.
class Ports {
 public:
  virtual ~Ports() = default;
  virtual Files& files() = 0;
  virtual Clock& clock() = 0;
  virtual Entropy& entropy() = 0;
  // Opens what a URL names. kUsage for a URL of no kind that this build knows (the message says which it knows).
  [[nodiscard]] virtual Result<std::unique_ptr<legacy::LegacyEstate>> OpenEstate(const std::string& url) = 0;
  // For writing: takes the store's lock. `create`: make it if it is absent. `command`: what others are told while it is open.
  [[nodiscard]] virtual Result<std::unique_ptr<store::CentralSink>> OpenStore(const std::string& url, bool create, std::string_view command) = 0;
  // A store that vanishes with the object: to try something on.
  [[nodiscard]] virtual Result<std::unique_ptr<store::CentralSink>> ScratchStore() = 0;
  // For reading, also while another process writes.
  [[nodiscard]] virtual Result<std::unique_ptr<store::CentralReader>> OpenStoreReader(const std::string& url) = 0;
  // Where the store's journal stands: the part before ".journal". kUsage as above.
  [[nodiscard]] virtual Result<std::string> StatePath(const std::string& url) = 0;
  // The plans of --plans FILE over the built-in ones.
  [[nodiscard]] virtual Result<domain::PlanBook> ReadPlans(const std::string& path) = 0;
  // A configuration file.
  [[nodiscard]] virtual Result<FileSettings> ReadConfig(const std::string& path) = 0;
  // The encryption key of backups: in a file, or as text.
  [[nodiscard]] virtual Result<Secret> ReadKeyFile(const std::string& path) = 0;
  [[nodiscard]] virtual Result<Secret> ParseKey(const Secret& text) = 0;

  // Serves until reeve is told to stop; the exit code. `started` is called once, when requests are answered; `say` with what the operator should
  // know later.
  [[nodiscard]] virtual Result<int> Serve(const ServeRequest& request, const std::function<void(const ServeFacts&)>& started,
                                          const std::function<void(std::string_view)>& say);
  // The configuration of a gateway.
  [[nodiscard]] virtual Result<std::string> GatewayConfig(const GatewayRequest& request);

  // The outbox of a store for a mirror to `target`, made if there is none. `restart`: every row is marked anew. kUsage if such a store has none.
  [[nodiscard]] virtual Result<std::unique_ptr<store::Outbox>> OpenOutbox(const std::string& url, const std::string& target, bool restart);
  [[nodiscard]] virtual Result<store::OutboxPeek> PeekOutbox(const std::string& url);
  [[nodiscard]] virtual Result<> RemoveOutbox(const std::string& url);

  // What the operator chose, before anything is opened. `command`: of which command, for the labels of jobs.
  virtual void Configure(const Settings& settings, const Environment& environment, std::string_view command);
  // What a migration of this plan costs where an engine bills; nullopt: nothing.
  [[nodiscard]] virtual std::optional<migrate::CostEstimate> EstimateCost(const std::string& from, const std::string& to, const migrate::PlanReport& plan);
  // What went over the wire; nullopt: nothing does.
  [[nodiscard]] virtual std::optional<migrate::WireUse> Used();
  // For an estate or a store that is no file: which credentials are used, what they may do, and which staging tables dead runs left; `remove_strays`
  // removes those. Empty for files.
  [[nodiscard]] virtual Result<std::vector<migrate::Check>> CheckAccess(const std::string& url, bool remove_strays);
};

class Session {
 public:
  Session(const Invocation& invocation, const Settings& settings, const Environment& environment, Console& console, Ports& ports,
          std::string command_line);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Invocation& invocation;
  const Settings& settings;
  const Environment& environment;
  Console& console;
  Ports& ports;
  const std::string command_line;  // as it was typed, quoted for a shell, without secrets

  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] bool quiet() const { return quiet_; }
  // Columns that a table may take; 0: as many as it likes (standard output is no terminal).
  [[nodiscard]] size_t table_width() const;
  // Layout of results for people; `details` as asked for.
  [[nodiscard]] View view() const { return {table_width(), invocation.Has("details"), color_}; }

  // A line for people on standard error.
  void Remark(std::string_view line) const;
  // The result: `text` for people, or `json` completed with version, format and command.
  void Print(std::string_view text) const { console.Out(text); }
  void PrintJson(const Json& members) const;
  // An object with the members that every result begins with.
  [[nodiscard]] Json NewResult() const;

  // Asks before something is changed. `what`: what will be done, one line or several, without a question. OK when --yes is given or the answer
  // is yes; kRefused otherwise, and always when there is no terminal to ask on. With `typed`, the answer must be that word.
  [[nodiscard]] Result<> Confirm(std::string_view what, std::string_view typed = {}) const;

  // Progress as the settings say; made at the first call, lives as long as the session.
  [[nodiscard]] obs::Progress& progress();
  // Ends the line on the terminal, before results are printed.
  void EndProgress();

 private:
  bool json_ = false;
  bool quiet_ = false;
  bool color_ = false;
  struct Show;
  std::unique_ptr<Show> show_;
};

// Prints an error: for people, or as JSON; and returns its exit code.
int PrintError(Console& console, bool json, bool color, const Error& error);
// Whether colour goes to a stream (NO_COLOR, CLICOLOR_FORCE, TERM and the setting "color").
[[nodiscard]] bool UseColor(std::string_view setting, const Environment& environment, bool is_terminal);

}  // namespace reeve::cli
