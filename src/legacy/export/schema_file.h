// Column names out of a schema as `bq show --schema` prints it. Pure; safe from any thread.
//
//   schema := "[" field* "]"  |  { "fields": "[" field* "]", … }     field := { "name": text, … }
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace reeve::legacy {

inline constexpr size_t kSchemaBytesMax = 4 * 1024 * 1024;

// The top-level column names of `json`, in order; at least one. An error says what was expected instead; `path` is for messages.
[[nodiscard]] Result<std::vector<std::string>> ParseSchema(std::string_view path, std::string_view json);

}  // namespace reeve::legacy
