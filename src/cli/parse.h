// From words to a command and its values. CLI11 splits the words; what they mean, and every message, is ours. Pure; safe from any thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/command.h"

namespace reeve::cli {

struct Invocation {
  const Command* command = nullptr;
  std::map<std::string, std::vector<std::string>, std::less<>> values;  // by option name (not alias); flags: "true"
  std::vector<std::string> arguments;                                   // positionals

  [[nodiscard]] bool Has(std::string_view option) const { return values.find(option) != values.end(); }
  // The option's value, or `otherwise`.
  [[nodiscard]] std::string Text(std::string_view option, std::string_view otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> List(std::string_view option) const;
  // REQUIRES: a kCount option.
  [[nodiscard]] uint64_t Count(std::string_view option, uint64_t otherwise) const;
};

// The options that override settings, by setting key.
[[nodiscard]] std::map<std::string, std::string> SettingFlags(const Invocation& invocation);

// Parses the words after the program's name. `-h`, `--help` and `--version` become invocations of help and version; so does no word at all
// (help, with no argument). Fails with kUsage: unknown command, option or value (with "did you mean"), missing or repeated values, missing
// arguments. Required options that have a setting are left to the caller, who knows the settings.
[[nodiscard]] Result<Invocation> Parse(std::span<const std::string> words);

}  // namespace reeve::cli
