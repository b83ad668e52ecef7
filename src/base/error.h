// Errors and results.
//
// Error says what went wrong in words for an operator and, by its code alone, what a caller may do
// about it. It is for the world's faults; a business refusal is an enum of its own, and a bug of ours
// is an assertion (REEVE_ASSERT). Values; safe from any thread.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace reeve {

// What a caller may do. Each code has one process exit code (see ExitCode in cli/exit_code.h).
enum class Code {
  kFailed,         // the operation did not happen; the message says which part did
  kUsage,          // the request makes no sense as given; repeat it corrected
  kIncomplete,     // done, but rows or tenants were left out, or differences were found
  kAuthNeeded,     // credentials missing or refused
  kNotFound,       // what was named does not exist
  kRefused,        // a gate is not met or a confirmation is missing
  kStoreMissing,   // the store does not exist or is no reeve store
  kLocked,         // another run holds the lock; the message names it
  kWrongKey,       // an encrypted input cannot be opened with this key
  kInterrupted,    // stopped on request; everything acknowledged is kept, resumable
  kCorrupt,        // a file of ours fails its own checks; never repaired silently
  kStaleAttempt,   // a newer attempt has taken over; do not retry
};

struct Error {
  Code code = Code::kFailed;
  std::string message;  // one or more sentences, names the object; never holds a secret
  std::string hint;     // what to do next; may be empty

  // The same error with "<what>: " before its message.
  Error Within(std::string_view what) && {
    message = std::string(what) + ": " + message;
    return std::move(*this);
  }
};

template <typename T = void>
using Result = tl::expected<T, Error>;
using Unexpected = tl::unexpected<Error>;

// A failed result: Fail(Code::kNotFound, "no tenant {}", name).
template <typename... Args>
[[nodiscard]] Unexpected Fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...), {}});
}

[[nodiscard]] inline Unexpected FailWithHint(Code code, std::string message, std::string hint) {
  return Unexpected(Error{code, std::move(message), std::move(hint)});
}

// Ends the process with file, line and expression: a broken promise of our own code.
[[noreturn]] void AssertionFailed(const char* expression, const char* file, int line);

}  // namespace reeve

// Stays on in release builds.
#define REEVE_ASSERT(expression) \
  ((expression) ? (void)0 : ::reeve::AssertionFailed(#expression, __FILE__, __LINE__))

// Returns the error of a Result from the enclosing function, or goes on.
#define REEVE_TRY(expression)                                             \
  do {                                                                    \
    if (auto reeve_result = (expression); !reeve_result)                  \
      return ::reeve::Unexpected(std::move(reeve_result).error());        \
  } while (false)

#define REEVE_CONCAT_(a, b) a##b
#define REEVE_CONCAT(a, b) REEVE_CONCAT_(a, b)
// REEVE_ASSIGN(auto x, Call()): x is the value, or the enclosing function returns the error.
#define REEVE_ASSIGN(target, expression) REEVE_ASSIGN_(REEVE_CONCAT(reeve_r_, __LINE__), target, expression)
#define REEVE_ASSIGN_(name, target, expression)                       \
  auto name = (expression);                                           \
  if (!name) return ::reeve::Unexpected(std::move(name).error());     \
  target = std::move(*name)
