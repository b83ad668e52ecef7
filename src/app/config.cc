#include "app/config.h"

#include <vector>

#include "app/toml_text.h"
#include "cli/suggest.h"

namespace reeve::app {
namespace {

// The key that a setting has in the file.
std::string FileKey(const cli::SettingSpec& spec) { return std::string(spec.key) + (spec.secret ? "_file" : ""); }

const cli::SettingSpec* FindByFileKey(std::string_view key) {
  for (const cli::SettingSpec& spec : cli::SettingSpecs())
    if (FileKey(spec) == key) return &spec;
  return nullptr;
}

Unexpected UnknownKey(std::string_view key, const std::string& at) {
  const cli::SettingSpec* secret = cli::FindSetting(key);
  if (secret != nullptr && secret->secret)
    return FailWithHint(Code::kUsage, fmt::format("{}: a secret does not belong in this file", at),
                        fmt::format("put it into a file of its own and name that: {} = \"PATH\"", FileKey(*secret)));
  std::vector<std::string> keys;
  for (const cli::SettingSpec& spec : cli::SettingSpecs()) keys.push_back(FileKey(spec));
  const std::vector<std::string_view> candidates(keys.begin(), keys.end());
  return FailWithHint(Code::kUsage, fmt::format("{}: unknown key \"{}\"", at, cli::Printable(key.substr(0, 100))),
                      cli::DidYouMean(key, candidates, "reeve help environment lists the keys"));
}

Result<std::string> ValueText(const toml::node& node, std::string_view key, const std::string& at) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  return Fail(Code::kUsage, "{}: {} must be a text, a whole number, true or false", at, key);
}

}  // namespace

Result<cli::FileSettings> ParseConfig(std::string_view text, std::string_view name) {
  if (text.size() > kConfigBytesMax) return Fail(Code::kUsage, "{}: over {} bytes", name, kConfigBytesMax);
  REEVE_ASSIGN(const toml::table table, ParseToml(text, name));
  cli::FileSettings settings;
  settings.name = name;
  for (const auto& [key, node] : table) {
    const std::string at = At(name, key.source());
    if (FindByFileKey(key.str()) == nullptr) return UnknownKey(key.str(), at);
    REEVE_ASSIGN(std::string value, ValueText(node, key.str(), at));
    settings.values[std::string(key.str())] = {std::move(value), static_cast<int>(key.source().begin.line)};
  }
  return settings;
}

}  // namespace reeve::app
