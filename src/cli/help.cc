#include "cli/help.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "cli/settings.h"
#include "cli/suggest.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

constexpr size_t kWidth = 80;

// Two columns: names, then wrapped text; names that are too long get a line of their own.
std::string Row(std::string_view names, std::string_view text, size_t column) {
  std::string body = Wrap(text, kWidth, column);
  const std::string head = "  " + std::string(names);
  if (body.empty()) return head + "\n";
  if (head.size() + 2 > column) return head + "\n" + body;
  return head + std::string(column - head.size(), ' ') + body.substr(column);
}

std::string OptionRows(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) out += Row(OptionNames(option), OptionText(option), 30);
  return out;
}

std::string CommandRows(std::string_view group) {
  std::string out;
  for (const Command& command : Commands())
    if (!command.hidden && command.group == group) out += Row(command.path, command.summary, 22);
  return out;
}

std::string GroupHelp(std::string_view first) {
  std::string out = fmt::format("The commands of reeve {}:\n\n", first);
  for (const Command& command : Commands())
    if (!command.hidden && command.path.starts_with(fmt::format("{} ", first))) out += Row(command.path, command.summary, 22);
  return out + fmt::format("\nMore: reeve {} {} --help\n", first, SecondWords(first).front());
}

}  // namespace

std::string UsageLine(const Command& command) {
  std::string line = fmt::format("reeve {}", command.path);
  if (!command.positional.name.empty()) {
    const Positional& positional = command.positional;
    std::string name = std::string(positional.name) + (positional.repeatable ? "..." : "");
    line += positional.required ? " " + name : " [" + name + "]";
  }
  for (const Option& option : command.options)
    if (option.required) line += fmt::format(" --{} {}", option.name, option.value);
  for (const Option& option : command.options)
    if (!option.required && option.kind == Kind::kStore) line += fmt::format(" [--{} {}]", option.name, option.value);
  return line + " [options]";
}

std::string OptionNames(const Option& option) {
  std::string names = option.letter != 0 ? fmt::format("-{}, ", option.letter) : std::string("    ");
  names += "--" + std::string(option.name);
  if (!option.alias.empty()) names += ", --" + std::string(option.alias);
  if (!option.value.empty()) names += " " + std::string(option.value);
  return names;
}

std::string OptionText(const Option& option) {
  std::string text(option.help);
  if (option.setting.empty()) return text;
  const SettingSpec* spec = FindSetting(option.setting);
  if (spec->kind != Kind::kFlag && !spec->value.empty()) text += fmt::format("; default {}", spec->value);
  return text + fmt::format(" [{}{}]", EnvironmentName(option.setting), spec->secret ? "_FILE" : "");
}

std::string CommandHelp(const Command& command) {
  std::string out = fmt::format("{}.\n\nEXAMPLES\n", command.summary);
  for (const Example& example : command.examples) out += fmt::format("  {}\n{}", example.line, Wrap(example.what, kWidth, 6));
  out += fmt::format("\nUSAGE\n  {}\n", UsageLine(command));
  if (!command.text.empty()) out += "\n" + Wrap(command.text, kWidth, 2);
  if (!command.positional.name.empty())
    out += "\nARGUMENTS\n" + Row(command.positional.name, command.positional.help, 30);
  if (!command.options.empty()) out += "\nOPTIONS\n" + OptionRows(command.options);
  out += "\nEVERYWHERE\n" + OptionRows(GlobalOptions());
  return out + "\nSee also: reeve help exit-codes, reeve help environment, reeve help formatting\n";
}

std::string OverviewHelp() {
  std::string out =
      "reeve moves a data platform's customers from one legacy dataset per tenant into\none central dataset, and proves it row by row.\n\n"
      "EXAMPLES\n"
      "  reeve sample --tenants 100 --out export:./estate    make something to try it on\n"
      "  reeve plan --from export:./estate                   what would happen\n"
      "  reeve migrate --from export:./estate                copy and prove\n"
      "  reeve status                                        where every tenant stands\n\n"
      "USAGE\n  reeve COMMAND [options]\n";
  std::vector<std::string_view> groups;
  for (const Command& command : Commands())
    if (std::find(groups.begin(), groups.end(), command.group) == groups.end()) groups.push_back(command.group);
  for (std::string_view group : groups) out += fmt::format("\n{}\n", group) + CommandRows(group);
  out += "\nTOPICS\n";
  for (const Topic& topic : Topics()) out += Row(fmt::format("help {}", topic.name), topic.summary, 22);
  out += "\nEVERYWHERE\n" + OptionRows(GlobalOptions());
  return out;
}

Result<std::string> HelpOn(std::span<const std::string> words) {
  if (words.empty()) return OverviewHelp();
  const std::string name = fmt::format("{}", fmt::join(words, " "));
  if (const Command* command = FindCommand(name); command != nullptr && !command->hidden) return CommandHelp(*command);
  for (const Topic& topic : Topics())
    if (topic.name == name) return Wrap(topic.text, kWidth, 0);
  if (words.size() == 1 && !SecondWords(name).empty()) return GroupHelp(name);
  std::vector<std::string_view> candidates = FirstWords();
  for (const Topic& topic : Topics()) candidates.push_back(topic.name);
  for (const Command& command : Commands())
    if (!command.hidden) candidates.push_back(command.path);
  return FailWithHint(Code::kUsage, fmt::format("there is no help on \"{}\"", Printable(name)),
                      DidYouMean(name, candidates, "reeve help lists commands and topics"));
}

}  // namespace reeve::cli
