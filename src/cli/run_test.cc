// Conventions of the whole command line, with a console and ports that are not real.
#include "cli/run.h"

#include <gtest/gtest.h>

#include <map>

#include "cli/runners.h"
#include "tests/fakes/fake_console.h"
#include "tests/fakes/no_files.h"

namespace reeve::cli {
namespace {

class NoPorts final : public Ports {
 public:
  testing::FewFiles few_files;
  testing::FakeClock fake_clock;
  std::unique_ptr<Entropy> seeded = MakeSeededEntropy(1);
  Error store_error{Code::kStoreMissing, "sqlite:./reeve.db: there is no store", "reeve migrate makes it"};

  Files& files() override { return few_files; }
  Clock& clock() override { return fake_clock; }
  Entropy& entropy() override { return *seeded; }
  Result<std::unique_ptr<legacy::LegacyEstate>> OpenEstate(const std::string& url) override { return Fail(Code::kNotFound, "{}: no such directory", url); }
  Result<std::unique_ptr<store::CentralSink>> OpenStore(const std::string&, bool, std::string_view) override { return Unexpected(store_error); }
  Result<std::unique_ptr<store::CentralSink>> ScratchStore() override { return Unexpected(store_error); }
  Result<std::unique_ptr<store::CentralReader>> OpenStoreReader(const std::string&) override { return Unexpected(store_error); }
  Result<std::string> StatePath(const std::string& url) override { return url.substr(url.find(':') + 1); }
  Result<domain::PlanBook> ReadPlans(const std::string&) override { return domain::BuiltInPlans(); }
  Result<FileSettings> ReadConfig(const std::string& path) override {
    REEVE_ASSIGN(const std::string text, few_files.Read(path, 1000));
    if (text == "broken") return Fail(Code::kUsage, "{}:1: broken", path);
    return FileSettings{path, {{"workers", {text, 1}}}};
  }
  Result<Secret> ReadKeyFile(const std::string& path) override { return Fail(Code::kNotFound, "{}: no such file", path); }
  Result<Secret> ParseKey(const Secret&) override { return Fail(Code::kWrongKey, "no key"); }
};

struct World {
  testing::FakeConsole console;
  NoPorts ports;
  Environment environment;
  int Do(const std::vector<std::string>& words) {
    console.out.clear();
    console.err.clear();
    return Run(words, environment, console, ports);
  }
};

TEST(Run, ResultsGoToOutAndErrorsToErr) {
  World world;
  EXPECT_EQ(world.Do({"version"}), 0);
  EXPECT_EQ(world.console.out, "reeve " REEVE_VERSION "\n");
  EXPECT_EQ(world.console.err, "");
  EXPECT_EQ(world.Do({"status"}), 10);
  EXPECT_EQ(world.console.out, "");
  EXPECT_EQ(world.console.err, "reeve: sqlite:./reeve.db: there is no store\n  hint: reeve migrate makes it\n");
}

TEST(Run, TheExitCodeIsThatOfTheError) {
  World world;
  for (const auto& [code, exit] : std::map<Code, int>{{Code::kFailed, 1}, {Code::kLocked, 11}, {Code::kWrongKey, 12}, {Code::kInterrupted, 130}}) {
    world.ports.store_error.code = code;
    EXPECT_EQ(world.Do({"status"}), exit);
  }
  EXPECT_EQ(world.Do({"nonsense"}), 2);
  EXPECT_EQ(world.Do({"plan", "--from", "export:./nowhere"}), 5);
  EXPECT_EQ(world.Do({"plan"}), 2);  // no --from anywhere
}

TEST(Run, NoCommandIsHelpButNoSuccess) {
  World world;
  EXPECT_EQ(world.Do({}), 2);
  EXPECT_EQ(world.console.out, "");
  EXPECT_NE(world.console.err.find("USAGE"), std::string::npos);
  EXPECT_EQ(world.Do({"help"}), 0);
  EXPECT_NE(world.console.out.find("USAGE"), std::string::npos);
  EXPECT_EQ(world.Do({"--help"}), 0);
  EXPECT_EQ(world.Do({"plan", "-h"}), 0);
  EXPECT_NE(world.console.out.find("EXAMPLES"), std::string::npos);
}

TEST(Run, ErrorsAreJsonWhenJsonIsAskedFor) {
  const std::string expected =
      "{\"error\":{\"code\":\"store_missing\",\"exit\":10,\"message\":\"sqlite:./reeve.db: there is no store\",\"hint\":\"reeve migrate makes it\"}}\n";
  World world;
  for (const auto& words : std::vector<std::vector<std::string>>{{"status", "-o", "json"}, {"--json", "status"}, {"status", "--output=json"}}) {
    EXPECT_EQ(world.Do(words), 10);
    EXPECT_EQ(world.console.err, expected);
    EXPECT_EQ(world.console.out, "");
  }
  EXPECT_EQ(world.Do({"--json", "statsu"}), 2);
  EXPECT_EQ(world.console.err,
            "{\"error\":{\"code\":\"usage\",\"exit\":2,\"message\":\"there is no command \\\"statsu\\\"\",\"hint\":\"did you mean \\\"status\\\"?\"}}\n");
  world.environment["REEVE_OUTPUT"] = "json";
  EXPECT_EQ(world.Do({"status"}), 10);
  EXPECT_EQ(world.console.err, expected);
}

TEST(Run, EveryJsonResultBeginsWithVersionFormatAndCommand) {
  World world;
  const std::string head = "{\"reeve\":\"" REEVE_VERSION "\",\"format\":1,\"command\":";
  for (const auto& words : std::vector<std::vector<std::string>>{{"version", "--json"}, {"config", "show", "--json"}, {"explain", "finding", "--json"},
                                                                 {"schema", "print", "--json"}}) {
    EXPECT_EQ(world.Do(words), 0);
    EXPECT_TRUE(world.console.out.starts_with(head)) << world.console.out.substr(0, 80);
    EXPECT_EQ(world.console.out.find('\n'), world.console.out.size() - 1);
    EXPECT_EQ(world.console.err, "");
  }
}

TEST(Run, ConfigShowSaysWhereEachValueComesFrom) {
  World world;
  world.ports.few_files.content["./reeve.toml"] = "4";
  world.environment = {{"REEVE_STORE", "sqlite:x.db"}, {"REEVE_BACKUP_KEY", "hush-hush"}, {"REEVE_STROE", "y"}};
  EXPECT_EQ(world.Do({"config", "show", "--origin", "--quiet"}), 0);
  EXPECT_NE(world.console.out.find("store                      sqlite:x.db     REEVE_STORE\n"), std::string::npos) << world.console.out;
  EXPECT_NE(world.console.out.find("workers                    4               ./reeve.toml:1\n"), std::string::npos);
  EXPECT_NE(world.console.out.find("quiet                      true            --quiet\n"), std::string::npos);
  EXPECT_NE(world.console.out.find("backup_key                 (secret)        REEVE_BACKUP_KEY\n"), std::string::npos);
  EXPECT_NE(world.console.out.find("usage_months               13              default\n"), std::string::npos);
  EXPECT_EQ(world.Do({"config", "show", "--origin"}), 0);
  EXPECT_NE(world.console.err.find("REEVE_STROE"), std::string::npos);
  EXPECT_EQ(world.Do({"config", "show", "--json"}), 0);
  EXPECT_NE(world.console.out.find(R"({"key":"store","value":"sqlite:x.db","origin":"environment","where":"REEVE_STORE"})"), std::string::npos);
  EXPECT_NE(world.console.out.find(R"({"key":"from","value":null,"origin":"default","where":"default"})"), std::string::npos);
  EXPECT_EQ((world.console.out + world.console.err).find("hush"), std::string::npos);
}

TEST(Run, TheFirstConfigurationFileThatExistsIsRead) {
  testing::FewFiles files;
  const Environment environment = {{"HOME", "/h"}};
  const Environment with_xdg = {{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/xdg"}};
  Invocation none;
  EXPECT_EQ(ConfigPath(none, environment, files), "");
  files.content["/etc/reeve/reeve.toml"] = "1";
  EXPECT_EQ(ConfigPath(none, environment, files), "/etc/reeve/reeve.toml");
  files.content["/h/.config/reeve/reeve.toml"] = "1";
  EXPECT_EQ(ConfigPath(none, environment, files), "/h/.config/reeve/reeve.toml");
  EXPECT_EQ(ConfigPath(none, with_xdg, files), "/etc/reeve/reeve.toml");
  files.content["/xdg/reeve/reeve.toml"] = "1";
  EXPECT_EQ(ConfigPath(none, with_xdg, files), "/xdg/reeve/reeve.toml");
  files.content["./reeve.toml"] = "1";
  EXPECT_EQ(ConfigPath(none, with_xdg, files), "./reeve.toml");
  EXPECT_EQ(ConfigPath(none, {{"REEVE_CONFIG", "c.toml"}}, files), "c.toml");
  none.values["config"] = {"d.toml"};
  EXPECT_EQ(ConfigPath(none, {{"REEVE_CONFIG", "c.toml"}}, files), "d.toml");
}

TEST(Run, AConfigurationFileThatIsNamedMustExist) {
  World world;
  EXPECT_EQ(world.Do({"config", "show", "--config", "none.toml"}), 5);
  EXPECT_EQ(world.console.err, "reeve: none.toml: no such file\n");
}

TEST(Run, HelpWorksWhenTheConfigurationIsBroken) {
  World world;
  world.ports.few_files.content["./reeve.toml"] = "broken";
  for (const auto& words : std::vector<std::vector<std::string>>{{"help"}, {"version"}, {"man"}, {"completion", "bash"}, {"plan", "--help"}})
    EXPECT_EQ(world.Do(words), 0);
  EXPECT_EQ(world.Do({"status"}), 2);
  EXPECT_EQ(world.console.err, "reeve: ./reeve.toml:1: broken\n");
}

TEST(Run, AFailedOutputIsAFailure) {
  World world;
  world.console.failure = "No space left on device";
  EXPECT_EQ(world.Do({"version"}), 1);
  EXPECT_EQ(world.console.err, "reeve: standard output: cannot write: No space left on device\n");
}

TEST(Run, ColourOnlyWhereItIsWanted) {
  EXPECT_TRUE(UseColor("auto", {}, true));
  EXPECT_FALSE(UseColor("auto", {}, false));
  EXPECT_FALSE(UseColor("auto", {{"NO_COLOR", "1"}}, true));
  EXPECT_TRUE(UseColor("auto", {{"NO_COLOR", ""}}, true));  // empty counts as unset
  EXPECT_FALSE(UseColor("auto", {{"TERM", "dumb"}}, true));
  EXPECT_TRUE(UseColor("auto", {{"CLICOLOR_FORCE", "1"}}, false));
  EXPECT_FALSE(UseColor("auto", {{"CLICOLOR_FORCE", "0"}}, false));
  EXPECT_FALSE(UseColor("auto", {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}, false));
  EXPECT_FALSE(UseColor("never", {{"CLICOLOR_FORCE", "1"}}, true));
  EXPECT_TRUE(UseColor("always", {{"NO_COLOR", "1"}}, false));
}

TEST(Run, ExplainFindingSuggestsForATypo) {
  World world;
  EXPECT_EQ(world.Do({"explain", "finding", "key_exposd"}), 5);
  EXPECT_NE(world.console.err.find("did you mean \"key_exposed\"?"), std::string::npos);
  EXPECT_EQ(world.Do({"explain", "finding", "key_exposed"}), 0);
  EXPECT_NE(world.console.out.find("What to do: rotate"), std::string::npos);
}

TEST(Run, RollbackNeedsTenantsOrAllAndNotBoth) {
  World world;
  EXPECT_EQ(world.Do({"rollback"}), 2);
  EXPECT_EQ(world.Do({"rollback", "--all", "acme"}), 2);
}

TEST(Run, SecretsDoNotReachTheErrorOrTheCommandThatIsPrinted) {
  World world;
  world.ports.store_error = {Code::kInterrupted, "interrupted", ""};
  EXPECT_EQ(world.Do({"explain", "key", "sk_live_secret"}), 130);
  EXPECT_EQ(world.console.err, "reeve: interrupted\n  hint: run again: reeve explain key -\n");
}

// ---- what several commands share ----

struct Asking {
  testing::FakeConsole console;
  NoPorts ports;
  Environment environment;
  Invocation invocation;
  Settings settings = *ResolveSettings({}, {}, nullptr);
  Result<> Confirm(std::string_view typed = {}) {
    invocation.command = FindCommand("migrate");
    Session session(invocation, settings, environment, console, ports, "reeve migrate");
    return session.Confirm("Will copy 3 tenants.", typed);
  }
};

TEST(Confirm, OffATerminalWithoutYesIsRefusedAndNeverHangs) {
  Asking asking;
  asking.console.typed = {"y"};
  const auto result = asking.Confirm();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kRefused);
  EXPECT_EQ(result.error().hint, "nothing was changed; add --yes to go ahead without being asked");
  EXPECT_EQ(asking.console.typed.size(), 1u);  // nothing was read
}

TEST(Confirm, YesSkipsTheQuestionButSaysWhatIsDone) {
  Asking asking;
  asking.invocation.values["yes"] = {"true"};
  EXPECT_TRUE(asking.Confirm());
  EXPECT_EQ(asking.console.err, "Will copy 3 tenants.\n");
}

TEST(Confirm, OnlyAClearYesGoesAhead) {
  for (const char* answer : {"y", "Y", "yes", "Yes"}) {
    Asking asking;
    asking.console.terminal = true;
    asking.console.typed = {answer};
    EXPECT_TRUE(asking.Confirm()) << answer;
    EXPECT_EQ(asking.console.err, "Will copy 3 tenants.\nGo ahead? [y/N] ");
  }
  for (const char* answer : {"", "n", "no", "yeah", " y", "sure"}) {
    Asking asking;
    asking.console.terminal = true;
    asking.console.typed = {answer};
    const auto result = asking.Confirm();
    ASSERT_FALSE(result) << answer;
    EXPECT_EQ(result.error().code, Code::kRefused);
  }
  Asking at_the_end;
  at_the_end.console.terminal = true;
  EXPECT_FALSE(at_the_end.Confirm());
}

TEST(Confirm, ATypedNameMustBeThatName) {
  Asking asking;
  asking.console.terminal = true;
  asking.console.typed = {"yes", "sqlite:./reeve.db"};
  EXPECT_FALSE(asking.Confirm("sqlite:./reeve.db"));
  EXPECT_TRUE(asking.Confirm("sqlite:./reeve.db"));
}

TEST(Tenants, OneALineWithComments) {
  EXPECT_EQ(*ParseTenants("acme\n# none\n\n  globex  # the other\r\nlast", "t"), (std::vector<std::string>{"acme", "globex", "last"}));
  EXPECT_EQ(ParseTenants("", "t")->size(), 0u);
  const auto bad = ParseTenants("acme\nbad-name\n", "tenants.txt");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "tenants.txt:2: \"bad-name\" cannot be a tenant");
}

}  // namespace
}  // namespace reeve::cli
