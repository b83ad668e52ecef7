// Text for terminals: display width, cutting, wrapping, numbers and sizes for people, quoting for a shell. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "obs/figures.h"

namespace reeve::cli {

// Columns that `text` takes on a terminal: wide characters two, combining ones none.
[[nodiscard]] size_t DisplayWidth(std::string_view text);
// `text` cut to at most `width` columns, the last one an ellipsis when something was cut.
[[nodiscard]] std::string CutToWidth(std::string_view text, size_t width);
// `text` with everything that could steer a terminal (control characters, invalid UTF-8) replaced by visible escapes. Everything that
// comes from an estate, a store or a file goes through this before it is printed for people.
[[nodiscard]] std::string Printable(std::string_view text);
// Breaks `text` at spaces into lines of at most `width` columns, each after `indent` spaces; an existing line break stays, and a line
// that begins with a space is kept as it is. Ends with a line break unless empty.
[[nodiscard]] std::string Wrap(std::string_view text, size_t width, size_t indent);

using obs::Grouped;
// "1 tenant", "2,000 tenants"; `plural` where an s will not do.
[[nodiscard]] std::string Counted(uint64_t number, std::string_view noun, std::string_view plural = {});
// "512 B", "3.4 MB" (powers of 1000).
[[nodiscard]] std::string Bytes(uint64_t bytes);
// "0.8 s", "12 s", "3 min 20 s", "2 h 05 min".
[[nodiscard]] std::string Lasting(Micros duration);

// `words` as one command line for a POSIX shell.
[[nodiscard]] std::string ShellLine(std::span<const std::string> words);

}  // namespace reeve::cli
