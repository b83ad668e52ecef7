// Plain bytes of an export file for the verifier. On purpose it shares nothing with the copier's path (line_splitter.h,
// gzip_source.h) but the tap for files, so that one mistake cannot hide in both. One thread.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "env/files.h"
#include "legacy/estate.h"

namespace reeve::legacy {

// Decompresses if `gzip`. The same inputs are refused as by the copier's path.
[[nodiscard]] Result<std::unique_ptr<RawReader>> OpenRawFile(Files& files, const std::string& path, bool gzip);

}  // namespace reeve::legacy
