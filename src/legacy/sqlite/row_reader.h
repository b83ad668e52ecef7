// The two ways to read a SQLite table as newline-delimited JSON: lines for the copier, where this code decides what a value
// becomes, and bytes for the verifier, where SQLite's own expressions do. One thread each.
#pragma once

#include <memory>
#include <string>

#include "legacy/estate.h"
#include "legacy/sqlite/columns.h"

namespace reeve::legacy {

[[nodiscard]] Result<std::unique_ptr<LineReader>> OpenRowLines(const std::string& path, const std::string& table);
[[nodiscard]] Result<std::unique_ptr<RawReader>> OpenRowBytes(const std::string& path, const std::string& table);

}  // namespace reeve::legacy
