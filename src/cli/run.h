// From words to an exit code: parses, settles the settings, runs the command, prints what went wrong. Everything outside comes through Console and Ports, so a
// test can run every command.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"
#include "cli/session.h"
#include "cli/settings.h"

namespace reeve::cli {

// What a command does: prints its result and returns the exit code, or an error.
using Runner = Result<int> (*)(Session&);

// The runner of a command; every command in the table has one.
[[nodiscard]] Runner FindRunner(std::string_view path);

// Runs `reeve WORDS…` and returns its exit code.
[[nodiscard]] int Run(const std::vector<std::string>& words, const Environment& environment, Console& console, Ports& ports);

// The configuration file to read: --config, REEVE_CONFIG, else the first of the usual places that exists; empty if there is none.
[[nodiscard]] std::string ConfigPath(const Invocation& invocation, const Environment& environment, Files& files);

}  // namespace reeve::cli
