// Help as text: overview, a group, a command, a topic. Laid out for 80 columns whatever the terminal, so that it can be compared and piped. Pure; safe
// from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/command.h"

namespace reeve::cli {

struct Topic {
  std::string_view name;
  std::string_view summary;
  std::string text;  // lines that begin with a space are kept as they are, others are wrapped
};

// exit-codes, environment, formatting, phases, estates, stores, plans, findings.
[[nodiscard]] const std::vector<Topic>& Topics();

[[nodiscard]] std::string OverviewHelp();
[[nodiscard]] std::string CommandHelp(const Command& command);

// What `reeve help WORDS…` prints. kUsage, with a suggestion, for what is neither a command nor a topic.
[[nodiscard]] Result<std::string> HelpOn(std::span<const std::string> words);

// "reeve migrate --from ESTATE [--to STORE] [options]".
[[nodiscard]] std::string UsageLine(const Command& command);
// "-o, --output FORMAT".
[[nodiscard]] std::string OptionNames(const Option& option);
// The option's help with its choices, default and names elsewhere.
[[nodiscard]] std::string OptionText(const Option& option);

}  // namespace reeve::cli
