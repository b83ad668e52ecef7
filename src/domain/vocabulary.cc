#include "domain/vocabulary.h"

#include "base/encoding.h"

namespace reeve::domain {

std::optional<RunState> ParseRunState(std::string_view text) {
  static constexpr std::pair<std::string_view, RunState> kNames[] = {
      {"COMPLETED", RunState::kTerminal},    {"PENDING", RunState::kPending},
      {"FAILED", RunState::kTerminal},       {"RUNNING", RunState::kRunning},
      {"COMPLETE", RunState::kTerminal},     {"SUCCESS", RunState::kTerminal},
      {"CANCELLED", RunState::kTerminal},    {"TIMEOUT", RunState::kTerminal},
      {"INGESTING", RunState::kRunning},     {"VALIDATING", RunState::kRunning},
      {"TRANSFORMING", RunState::kRunning},  {"CANCELLING", RunState::kRunning},
  };
  for (const auto& [name, status] : kNames) {
    if (text.size() != name.size()) continue;
    size_t i = 0;
    while (i < text.size() && (text[i] == name[i] || (text[i] == (name[i] | 0x20)))) ++i;
    if (i == text.size()) return status;
  }
  return std::nullopt;
}

std::string CanonicalProvider(std::string_view text) {
  std::string name = AsciiLower(text);
  if (name == "gcp_sa" || name == "google" || name == "google_cloud") return "gcp";
  if (name == "amazon") return "aws";
  if (name == "claude") return "anthropic";
  return name;
}

}  // namespace reeve::domain
