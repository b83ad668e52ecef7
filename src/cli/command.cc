#include "cli/command.h"

#include <algorithm>

namespace reeve::cli {

const Command* FindCommand(std::string_view path) {
  for (const Command& command : Commands())
    if (command.path == path) return &command;
  return nullptr;
}

const Option* FindOption(const Command* command, std::string_view name) {
  const auto find = [&](std::span<const Option> options) -> const Option* {
    for (const Option& option : options)
      if (option.name == name || (!option.alias.empty() && option.alias == name)) return &option;
    return nullptr;
  };
  if (command != nullptr)
    if (const Option* option = find(command->options)) return option;
  return find(GlobalOptions());
}

std::vector<std::string_view> FirstWords() {
  std::vector<std::string_view> words;
  for (const Command& command : Commands()) {
    const std::string_view word = command.path.substr(0, command.path.find(' '));
    if (!command.hidden && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

std::vector<std::string_view> SecondWords(std::string_view first) {
  std::vector<std::string_view> words;
  for (const Command& command : Commands()) {
    const size_t space = command.path.find(' ');
    if (command.hidden || space == std::string_view::npos || command.path.substr(0, space) != first) continue;
    words.push_back(command.path.substr(space + 1));
  }
  return words;
}

}  // namespace reeve::cli
