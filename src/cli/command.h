// The commands of reeve, declared once: names, options, help, examples.
//
// Parsing, help, shell completion, the man page and docs/cli.md are loops over this table; what a command does is in run.h. Constant data;
// safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::cli {

// What a value is; it decides how it is checked and how the shell completes it.
enum class Kind : uint8_t {
  kFlag,      // no value
  kText,
  kCount,     // whole number between min and max
  kRate,      // number between 0 and 1
  kChoice,    // one of choices
  kTime,      // instant or date
  kDuration,  // 24h, 90m, 2d, 30s
  kFile,
  kDir,
  kEstate,    // export:DIR, sqlite:FILE, bigquery:PROJECT
  kStore,     // sqlite:FILE, bigquery:PROJECT/DATASET
  kTenant,
  kSecretText,  // never repeated in a message
};

struct Option {
  std::string_view name;          // without dashes
  std::string_view value = {};    // placeholder; empty for flags
  Kind kind = Kind::kFlag;
  std::string_view help = {};     // one sentence, no full stop
  char letter = 0;
  std::string_view alias = {};    // a second long name
  std::string_view setting = {};  // the setting that this option overrides (settings.h)
  std::vector<std::string_view> choices = {};
  int64_t min = 0;
  int64_t max = INT64_MAX;
  bool repeatable = false;
  bool required = false;
};

struct Positional {
  std::string_view name = {};     // empty: the command takes none
  std::string_view help = {};
  Kind kind = Kind::kText;
  std::vector<std::string_view> choices = {};
  bool required = true;
  bool repeatable = false;
};

struct Example {
  std::string_view line;
  std::string_view what;
};

struct Command {
  std::string_view path;     // "plan", "repair usage"
  std::string_view group;    // heading in the overview
  std::string_view summary;  // one line, imperative, no full stop
  std::vector<Example> examples;
  std::string_view text;     // paragraphs
  Positional positional = {};
  std::vector<Option> options = {};
  bool hidden = false;
};

[[nodiscard]] std::span<const Command> Commands();
// Options that every command has.
[[nodiscard]] std::span<const Option> GlobalOptions();
// The command called `path`, or nullptr.
[[nodiscard]] const Command* FindCommand(std::string_view path);
// The option of `command` (or a global one) with this long name or alias, or nullptr. `command` may be null.
[[nodiscard]] const Option* FindOption(const Command* command, std::string_view name);

// First words of the commands that are shown, each once, in table order: plan, …, repair, ….
[[nodiscard]] std::vector<std::string_view> FirstWords();
// Second words of the shown commands that begin with `first`: duplicates, usage.
[[nodiscard]] std::vector<std::string_view> SecondWords(std::string_view first);

}  // namespace reeve::cli
