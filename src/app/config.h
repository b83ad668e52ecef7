// The configuration file, reeve.toml: from text to settings, and from plans file to plans. Pure; safe from any thread.
//
//   file   := { key "=" value }     TOML; key: a setting (cli/settings.h), for secrets key "_file"; value: string, whole number or boolean
// No tables, no arrays: every setting has one name. Unknown keys are errors that name file and line.
#pragma once

#include <string_view>

#include "base/error.h"
#include "cli/settings.h"
#include "domain/plan.h"

namespace reeve::app {

inline constexpr size_t kConfigBytesMax = 1 << 20;
inline constexpr size_t kPlansBytesMax = 64 << 20;

// `name` is for messages. kUsage: no TOML, an unknown key, a value of the wrong type, a secret that should be in a file of its own.
// The values themselves are checked when settings are resolved.
[[nodiscard]] Result<cli::FileSettings> ParseConfig(std::string_view text, std::string_view name);

// The file that --plans reads (reeve help plans), over the built-in plans. kUsage, naming file and line, for anything else.
[[nodiscard]] Result<domain::PlanBook> ParsePlans(std::string_view text, std::string_view name);

}  // namespace reeve::app
