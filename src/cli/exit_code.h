// What the process says at its end: one exit code per error code, and their words for documentation and JSON. Frozen numbers: scripts depend
// on them. Pure; safe from any thread.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"

namespace reeve::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitIncomplete = 3;
inline constexpr int kExitNotFound = 5;
inline constexpr int kExitRefused = 6;
inline constexpr int kExitCommitFailed = 74;
inline constexpr int kExitInterrupted = 130;

struct ExitCodeRow {
  int code;
  std::string_view meaning;
};

// Every code reeve ends with, in order.
[[nodiscard]] std::span<const ExitCodeRow> ExitCodes();

[[nodiscard]] int ExitCode(Code code);

// The word for a code in JSON: "store_missing".
[[nodiscard]] std::string_view CodeName(Code code);

}  // namespace reeve::cli
