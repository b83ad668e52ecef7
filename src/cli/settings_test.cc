#include "cli/settings.h"

#include <gtest/gtest.h>

#include <set>

namespace reeve::cli {
namespace {

Settings Resolved(const std::map<std::string, std::string>& flags, const Environment& environment, const FileSettings* file) {
  auto settings = ResolveSettings(flags, environment, file);
  EXPECT_TRUE(settings) << (settings ? "" : settings.error().message);
  return settings.value_or(Settings());
}

FileSettings File(const std::string& key, const std::string& value) { return {"./reeve.toml", {{key, {value, 3}}}}; }

TEST(Settings, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const FileSettings file = File("usage_months", "6");
  const Environment environment = {{"REEVE_USAGE_MONTHS", "7"}};
  struct Row {
    Settings settings;
    int64_t value;
    Origin origin;
    const char* where;
  };
  const Row rows[] = {
      {Resolved({}, {}, nullptr), 13, Origin::kDefault, "default"},
      {Resolved({}, {}, &file), 6, Origin::kFile, "./reeve.toml:3"},
      {Resolved({}, environment, &file), 7, Origin::kEnvironment, "REEVE_USAGE_MONTHS"},
      {Resolved({{"usage_months", "8"}}, environment, &file), 8, Origin::kFlag, "--usage-months"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.settings.Count("usage_months"), row.value);
    EXPECT_EQ(row.settings.Get("usage_months").origin, row.origin);
    EXPECT_EQ(row.settings.Get("usage_months").where, row.where);
  }
}

TEST(Settings, AnEmptyVariableCountsAsUnset) {
  EXPECT_EQ(Resolved({}, {{"REEVE_STORE", ""}}, nullptr).Text("store"), "sqlite:./reeve.db");
}

TEST(Settings, ABadValueNamesWhereItCameFrom) {
  const FileSettings file = File("workers", "many");
  EXPECT_EQ(ResolveSettings({}, {}, &file).error().message, "./reeve.toml:3: workers: \"many\" is not a whole number from 0 to 256");
  EXPECT_EQ(ResolveSettings({}, {{"REEVE_OUTPUT", "xml"}}, nullptr).error().message, "REEVE_OUTPUT: \"xml\" is not one of table, json");
  EXPECT_EQ(ResolveSettings({}, {{"REEVE_QUIET", "yes"}}, nullptr).error().message, "REEVE_QUIET: \"yes\" is not true or false");
}

TEST(Settings, AWrongLineInTheFileIsAnErrorEvenIfSomethingElseWins) {
  const FileSettings file = File("workers", "many");
  EXPECT_FALSE(ResolveSettings({{"workers", "2"}}, {}, &file));
}

TEST(Settings, ASecretComesFromAFileOrTheEnvironmentAndNotFromBoth) {
  EXPECT_FALSE(Resolved({}, {}, nullptr).IsSet("backup_key"));
  const Settings by_file = Resolved({}, {{"REEVE_BACKUP_KEY_FILE", "/run/secrets/key"}}, nullptr);
  EXPECT_EQ(by_file.Text("backup_key"), "/run/secrets/key");
  EXPECT_EQ(by_file.Get("backup_key").where, "REEVE_BACKUP_KEY_FILE");
  const Settings by_value = Resolved({}, {{"REEVE_BACKUP_KEY", "0123"}}, nullptr);
  EXPECT_TRUE(by_value.IsSet("backup_key"));
  EXPECT_EQ(by_value.Text("backup_key"), "");  // the value itself is not among the settings
  const auto both = ResolveSettings({}, {{"REEVE_BACKUP_KEY", "0123"}, {"REEVE_BACKUP_KEY_FILE", "x"}}, nullptr);
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().message, "REEVE_BACKUP_KEY and REEVE_BACKUP_KEY_FILE are both set");
  const FileSettings file = File("backup_key_file", "/etc/key");
  EXPECT_EQ(Resolved({}, {}, &file).Text("backup_key"), "/etc/key");
}

TEST(Settings, MistypedVariablesAreFound) {
  EXPECT_EQ(UnknownVariables({{"REEVE_STROE", "x"}, {"REEVE_STORE", "y"}, {"REEVE_CONFIG", "z"}, {"REEVE_BACKUP_KEY_FILE", "k"}, {"PATH", "p"}}),
            (std::vector<std::string>{"REEVE_STROE"}));
}

TEST(Settings, EveryDeclarationIsConsistent) {
  std::set<std::string> keys;
  for (const SettingSpec& spec : SettingSpecs()) {
    EXPECT_TRUE(keys.insert(std::string(spec.key)).second) << spec.key;
    EXPECT_EQ(FindSetting(spec.key), &spec);
    EXPECT_FALSE(spec.help.empty()) << spec.key;
  }
  EXPECT_TRUE(ResolveSettings({}, {}, nullptr));  // every default is valid
  for (const Command& command : Commands())
    for (const Option& option : command.options)
      if (!option.setting.empty()) {
        EXPECT_NE(FindSetting(option.setting), nullptr) << command.path << " --" << option.name;
      }
}

}  // namespace
}  // namespace reeve::cli
