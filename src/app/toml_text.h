// What config and plans share: TOML text to a table, errors with file and line. Pure; safe from any thread.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <toml++/toml.h>

#include "base/error.h"
#include "cli/text.h"

namespace reeve::app {

// kUsage "<name>:<line>: …" if `text` is no TOML. No exception leaves.
[[nodiscard]] Result<toml::table> ParseToml(std::string_view text, std::string_view name);

[[nodiscard]] inline std::string At(std::string_view name, const toml::source_region& source) {
  return fmt::format("{}:{}", name, source.begin.line);
}

}  // namespace reeve::app
