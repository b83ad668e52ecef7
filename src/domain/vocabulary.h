// Words of the legacy platform and what they mean here (docs/mapping.md §4, §5). Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/run_set.h"

namespace reeve::domain {

// The state behind a status word, in any case; nullopt for an unknown word.
[[nodiscard]] std::optional<RunState> ParseRunState(std::string_view text);
// The provider's canonical name: ASCII lower case, aliases resolved.
[[nodiscard]] std::string CanonicalProvider(std::string_view text);

}  // namespace reeve::domain
