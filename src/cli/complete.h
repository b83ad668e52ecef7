// Shell completion: the scripts, and the answers they ask for with `reeve __complete WORDS…`.
//
//   answer    = { candidate [ TAB description ] LF } ":" directive LF
//   directive = "none" | "files" | "dirs" | "nospace"     what else the shell may offer, or that no space follows
// The last word is the one being completed. Pure; safe from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reeve::cli {

[[nodiscard]] std::string Complete(std::span<const std::string> words);

// The script for bash, zsh or fish; nullopt for another shell.
[[nodiscard]] std::optional<std::string_view> CompletionScript(std::string_view shell);

}  // namespace reeve::cli
