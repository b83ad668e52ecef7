// The dead-letter file: reeve_dead_letters as newline-delimited JSON for people and tools (docs/formats/dead-letter.md).
#pragma once

#include <string>

#include "base/error.h"
#include "env/files.h"
#include "store/central_sink.h"

namespace reeve::migrate::copy {

// Replaces the file at `path` by the dead letters of the store, in order of tenant, table and line; removes it when there are none.
// Until it is complete the old file stays.
[[nodiscard]] Result<> WriteDeadLetterFile(store::CentralReader& reader, Files& files, const std::string& path);

}  // namespace reeve::migrate::copy
