// Settings: what can be said on the command line, in the environment or in reeve.toml, declared once, and who wins.
//
// One name gives all three: the setting usage_months is --usage-months, REEVE_USAGE_MONTHS and `usage_months = 13`. A flag beats the
// environment, the environment beats the file, the file beats the default. An empty variable counts as unset. Values are checked where they
// are resolved, and an error names where the value came from. Pure: the environment and the file come as arguments. Values; safe to share.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "cli/command.h"

namespace reeve::cli {

using Environment = std::map<std::string, std::string, std::less<>>;

struct SettingSpec {
  std::string_view key;
  std::string_view flag;           // "--usage-months", for people
  Kind kind = Kind::kText;         // kFlag: true or false
  std::string_view value = {};     // the default; empty: none
  std::string_view help = {};
  std::vector<std::string_view> choices = {};
  int64_t min = 0;
  int64_t max = INT64_MAX;
  bool secret = false;             // given by the flag as a file, by NAME or NAME_FILE in the environment, by key_file in reeve.toml
};

[[nodiscard]] std::span<const SettingSpec> SettingSpecs();
[[nodiscard]] const SettingSpec* FindSetting(std::string_view key);
// REEVE_USAGE_MONTHS.
[[nodiscard]] std::string EnvironmentName(std::string_view key);

// What a configuration file says: values as text, each with its line.
struct FileSettings {
  struct Value {
    std::string text;
    int line = 0;
  };
  std::string name;                                    // for messages: "./reeve.toml"
  std::map<std::string, Value, std::less<>> values;    // by key; secrets under key + "_file"
};

enum class Origin : uint8_t { kDefault, kFile, kEnvironment, kFlag };

struct Setting {
  const SettingSpec* spec = nullptr;
  std::string value;    // of a secret: the path of its file, or empty if the environment holds it
  bool is_set = false;  // false: no value anywhere, no default
  Origin origin = Origin::kDefault;
  std::string where;    // "default", "./reeve.toml:3", "REEVE_STORE", "--to"
};

class Settings {
 public:
  // All of these: REQUIRES a declared key.
  [[nodiscard]] const Setting& Get(std::string_view key) const;
  [[nodiscard]] std::string Text(std::string_view key) const { return Get(key).value; }
  [[nodiscard]] bool IsSet(std::string_view key) const { return Get(key).is_set; }
  [[nodiscard]] bool Flag(std::string_view key) const { return Get(key).value == "true"; }
  [[nodiscard]] int64_t Count(std::string_view key) const;     // kCount
  [[nodiscard]] Micros Duration(std::string_view key) const;   // kDuration
  [[nodiscard]] const std::vector<Setting>& All() const { return all_; }

 private:
  friend Result<Settings> ResolveSettings(const std::map<std::string, std::string>&, const Environment&, const FileSettings*);
  std::vector<Setting> all_;  // in the order of SettingSpecs
};

// `flags`: values of the options given, by setting key. `file` may be null. kUsage names the origin of a bad value.
[[nodiscard]] Result<Settings> ResolveSettings(const std::map<std::string, std::string>& flags, const Environment& environment,
                                               const FileSettings* file);

// Variables that begin with REEVE_ and mean nothing: mistyped, probably.
[[nodiscard]] std::vector<std::string> UnknownVariables(const Environment& environment);

}  // namespace reeve::cli
