#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/suggest.h"
#include "cli/text.h"
#include "cli/value.h"

namespace reeve::cli {
namespace {

constexpr size_t kWordsMax = 100'000;

std::string HelpHint(const Command* command) {
  return command == nullptr ? std::string("see reeve help") : fmt::format("see reeve {} --help", command->path);
}

// Position of the first word at or after `from` that is neither an option nor an option's value; words.size() if none.
// Options of commands count too, so that `reeve --to x status` finds status.
size_t NextPlainWord(std::span<const std::string> words, size_t from) {
  for (size_t i = from; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") return words.size();
    if (word.size() < 2 || word[0] != '-') return i;
    if (word.find('=') != std::string::npos) continue;
    const Option* option = nullptr;
    if (word.starts_with("--")) {
      option = FindOption(nullptr, std::string_view(word).substr(2));
      for (const Command& command : Commands())
        if (option == nullptr) option = FindOption(&command, std::string_view(word).substr(2));
    } else if (word.size() == 2) {
      for (const Option& global : GlobalOptions())
        if (global.letter == word[1]) option = &global;
    }
    if (option != nullptr && option->kind != Kind::kFlag) ++i;
  }
  return words.size();
}

Unexpected UnknownCommand(std::string_view word) {
  const auto words = FirstWords();
  return FailWithHint(Code::kUsage, fmt::format("there is no command \"{}\"", Printable(word)), DidYouMean(word, words, "see reeve help"));
}

// Finds the command and removes its words from `words`.
Result<const Command*> TakeCommand(std::vector<std::string>* words) {
  const size_t first = NextPlainWord(*words, 0);
  if (first == words->size()) return nullptr;
  const std::string name = (*words)[first];
  words->erase(words->begin() + static_cast<ptrdiff_t>(first));
  if (const Command* command = FindCommand(name)) return command;
  const auto seconds = SecondWords(name);
  if (seconds.empty()) return UnknownCommand(name);
  const size_t second = NextPlainWord(*words, first);
  if (second == words->size())
    return FailWithHint(Code::kUsage, fmt::format("reeve {} needs one more word: {}", name, fmt::join(seconds, ", ")),
                        fmt::format("see reeve {} {} --help", name, seconds.front()));
  const std::string path = fmt::format("{} {}", name, (*words)[second]);
  const Command* command = FindCommand(path);
  if (command == nullptr) {
    const std::string known = fmt::format("reeve {} knows: {}", name, fmt::join(seconds, ", "));
    if (!Nearest((*words)[second], seconds))  // perhaps a key, for which `key` was forgotten: not repeated
      return FailWithHint(Code::kUsage, fmt::format("the word after reeve {} is not known", name), known);
    return FailWithHint(Code::kUsage, fmt::format("there is no command \"{}\"", Printable(path)), DidYouMean((*words)[second], seconds, known));
  }
  words->erase(words->begin() + static_cast<ptrdiff_t>(second));
  return command;
}

Unexpected UnknownOption(const Command* command, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const Option& option : GlobalOptions()) known.push_back("--" + std::string(option.name));
  if (command != nullptr)
    for (const Option& option : command->options) {
      known.push_back("--" + std::string(option.name));
      if (!option.alias.empty()) known.push_back("--" + std::string(option.alias));
    }
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const std::string whose = command == nullptr ? "reeve" : fmt::format("reeve {}", command->path);
  return FailWithHint(Code::kUsage, fmt::format("{} has no option {}", whose, Printable(name)),
                      name.size() > 2 ? DidYouMean(name, candidates, HelpHint(command)) : HelpHint(command));
}

// CLI11's view of the options; results by option.
struct Splitter {
  CLI::App app;
  std::vector<std::pair<const Option*, CLI::Option*>> options;

  explicit Splitter(const Command* command) {
    app.set_help_flag("");
    app.allow_extras(true);
    const auto add = [this](const Option& option) {
      std::string names = "--" + std::string(option.name);
      if (!option.alias.empty()) names += ",--" + std::string(option.alias);
      if (option.letter != 0) names += std::string(",-") + option.letter;
      CLI::Option* split = option.kind == Kind::kFlag
                               ? app.add_flag(names)
                               : app.add_option(names, CLI::callback_t([](const CLI::results_t&) { return true; }));
      if (option.kind != Kind::kFlag) split->type_size(1)->expected(1)->allow_extra_args(false);
      split->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      options.emplace_back(&option, split);
    };
    if (command != nullptr)
      for (const Option& option : command->options) add(option);
    for (const Option& option : GlobalOptions()) add(option);
  }
};

Result<> CheckOption(const Option& option, const std::vector<std::string>& results) {
  const std::string what = "--" + std::string(option.name);
  if (option.kind == Kind::kFlag) {
    for (const std::string& result : results)
      if (result != "true") return Fail(Code::kUsage, "{} takes no value", what);
    return {};
  }
  if (results.size() > 1 && !option.repeatable) return Fail(Code::kUsage, "{} is given {} times", what, results.size());
  for (const std::string& result : results) {
    if (result.size() > 1 && result[0] == '-')
      return FailWithHint(Code::kUsage, fmt::format("{} needs a value, and {} is none", what, Printable(result)),
                          "a file whose name begins with a dash can be written ./-name");
    REEVE_TRY(CheckValue(what, result, {.kind = option.kind, .choices = option.choices, .min = option.min, .max = option.max}));
  }
  return {};
}

Result<> CheckArguments(const Invocation& invocation) {
  const Command& command = *invocation.command;
  const Positional& positional = command.positional;
  const auto& arguments = invocation.arguments;
  const size_t allowed = positional.name.empty() ? 0 : positional.repeatable ? kWordsMax : 1;
  if (arguments.size() > allowed) {
    const std::string_view extra = positional.kind == Kind::kSecretText ? std::string_view("a second word") : std::string_view(arguments[allowed]);
    return FailWithHint(Code::kUsage, fmt::format("reeve {} does not expect {}", command.path, Printable(extra)), HelpHint(&command));
  }
  if (arguments.empty() && positional.required && !positional.name.empty())
    return FailWithHint(Code::kUsage, fmt::format("reeve {} needs {}: {}", command.path, positional.name, positional.help), HelpHint(&command));
  for (const std::string& argument : arguments)
    if (!command.hidden)
      REEVE_TRY(CheckValue(positional.name, argument, {.kind = positional.kind, .choices = positional.choices}));
  return {};
}

Result<> CheckRequired(const Invocation& invocation) {
  for (const Option& option : invocation.command->options)
    if (option.required && option.setting.empty() && !invocation.Has(option.name))
      return FailWithHint(Code::kUsage, fmt::format("reeve {} needs --{} {}: {}", invocation.command->path, option.name, option.value, option.help),
                          HelpHint(invocation.command));
  return {};
}

// Words of `reeve __complete …` are someone's half-written line: nothing in them is ours to parse.
bool IsCompletion(std::span<const std::string> words) { return !words.empty() && words[0] == "__complete"; }

Invocation HelpOf(const Command* command) {
  Invocation help;
  help.command = FindCommand("help");
  if (command != nullptr && command->path != "help") {
    const std::string_view path = command->path;
    const size_t space = path.find(' ');
    help.arguments.emplace_back(path.substr(0, space));
    if (space != std::string_view::npos) help.arguments.emplace_back(path.substr(space + 1));
  }
  return help;
}

// `reeve repair --help`: the words after the group are options only.
std::optional<Invocation> HelpOfGroup(std::span<const std::string> words) {
  const bool asks = std::any_of(words.begin(), words.end(), [](const std::string& word) { return word == "--help" || word == "-h"; });
  const size_t first = NextPlainWord(words, 0);
  if (!asks || first == words.size() || SecondWords(words[first]).empty()) return std::nullopt;
  if (NextPlainWord(words, first + 1) != words.size()) return std::nullopt;
  Invocation help = HelpOf(nullptr);
  help.arguments.push_back(words[first]);
  return help;
}

}  // namespace

std::string Invocation::Text(std::string_view option, std::string_view otherwise) const {
  const auto it = values.find(option);
  return it == values.end() ? std::string(otherwise) : it->second.front();
}

std::vector<std::string> Invocation::List(std::string_view option) const {
  const auto it = values.find(option);
  return it == values.end() ? std::vector<std::string>() : it->second;
}

uint64_t Invocation::Count(std::string_view option, uint64_t otherwise) const {
  const auto it = values.find(option);
  if (it == values.end()) return otherwise;
  const auto number = ParseCount(it->second.front());
  REEVE_ASSERT(number.has_value());
  return static_cast<uint64_t>(*number);
}

std::map<std::string, std::string> SettingFlags(const Invocation& invocation) {
  std::map<std::string, std::string> flags;
  for (const auto& [name, values] : invocation.values) {
    const Option* option = FindOption(invocation.command, name);
    if (option != nullptr && !option->setting.empty()) flags[std::string(option->setting)] = values.front();
  }
  if (invocation.Has("json")) flags["output"] = "json";
  if (invocation.Has("no-color")) flags["color"] = "never";
  return flags;
}

Result<Invocation> Parse(std::span<const std::string> words) {
  if (words.size() > kWordsMax) return Fail(Code::kUsage, "too many words ({})", words.size());
  Invocation invocation;
  if (IsCompletion(words)) {
    invocation.command = FindCommand("__complete");
    invocation.arguments.assign(words.begin() + 1, words.end());
    return invocation;
  }
  const auto dashes = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> front(words.begin(), dashes);
  if (auto help = HelpOfGroup(front)) return std::move(*help);
  REEVE_ASSIGN(const Command* command, TakeCommand(&front));

  for (const std::string& word : front)  // CLI11 would take the next word as the value
    if (word.size() > 3 && word.starts_with("--") && word.back() == '=' && word.find('=') == word.size() - 1)
      return FailWithHint(Code::kUsage, fmt::format("{} needs a value", Printable(word.substr(0, word.size() - 1))), HelpHint(command));

  Splitter splitter(command);
  try {
    splitter.app.parse(std::vector<std::string>(front.rbegin(), front.rend()));
  } catch (const CLI::ParseError&) {  // the one cause left: the last word is an option that wants a value
    return FailWithHint(Code::kUsage, fmt::format("{} needs a value", Printable(front.back())), HelpHint(command));
  }
  for (const std::string& rest : splitter.app.remaining())
    if (rest.size() > 1 && rest[0] == '-') return UnknownOption(command, rest);

  for (const auto& [option, split] : splitter.options) {
    if (split->count() == 0) continue;
    const std::vector<std::string> results(split->results().begin(), split->results().end());
    REEVE_TRY(CheckOption(*option, results));
    invocation.values[std::string(option->name)] = results;
  }
  if (invocation.Has("help") || (command == nullptr && !invocation.Has("version"))) {
    Invocation help = HelpOf(command);
    help.values = std::move(invocation.values);
    return help;
  }
  invocation.command = invocation.Has("version") ? FindCommand("version") : command;
  if (invocation.Has("version")) return invocation;
  invocation.arguments = splitter.app.remaining();
  if (dashes != words.end()) invocation.arguments.insert(invocation.arguments.end(), dashes + 1, words.end());
  REEVE_TRY(CheckArguments(invocation));
  REEVE_TRY(CheckRequired(invocation));
  return invocation;
}

}  // namespace reeve::cli
