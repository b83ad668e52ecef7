// The whole command table as one document: a man page in roff, and docs/cli.md. Pure; safe from any thread.
#pragma once

#include <string>

namespace reeve::cli {

[[nodiscard]] std::string ManPage();
[[nodiscard]] std::string MarkdownPage();

}  // namespace reeve::cli
