#include "cli/parse.h"

#include <gtest/gtest.h>

#include "cli/exit_code.h"

namespace reeve::cli {
namespace {

using Words = std::vector<std::string>;

Invocation Good(const Words& words) {
  auto result = Parse(words);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result.value_or(Invocation{});
}

Error Bad(const Words& words) {
  auto result = Parse(words);
  EXPECT_FALSE(result) << "parsed as " << (result ? result->command->path : "");
  return result ? Error{} : result.error();
}

TEST(Parse, ReadsCommandOptionsAndArguments) {
  const Invocation got = Good({"migrate", "--from", "export:./x", "--to=sqlite:y.db", "--only", "a", "--only", "b", "--limit", "7", "-y", "--stats"});
  EXPECT_EQ(got.command->path, "migrate");
  EXPECT_EQ(got.Text("from"), "export:./x");
  EXPECT_EQ(got.Text("to"), "sqlite:y.db");
  EXPECT_EQ(got.List("only"), (Words{"a", "b"}));
  EXPECT_EQ(got.Count("limit", 0), 7u);
  EXPECT_TRUE(got.Has("yes"));
  EXPECT_TRUE(got.Has("stats"));
  EXPECT_FALSE(got.Has("dry-run"));
}

TEST(Parse, GlobalOptionsMayStandBeforeTheCommandAndBetweenItsWords) {
  EXPECT_EQ(Good({"-o", "json", "status"}).Text("output"), "json");
  EXPECT_EQ(Good({"--output=json", "repair", "--quiet", "usage"}).command->path, "repair usage");
  EXPECT_EQ(Good({"--to", "sqlite:status", "status"}).command->path, "status");
}

TEST(Parse, AnAliasIsTheSameOption) {
  EXPECT_EQ(Good({"migrate", "--store", "sqlite:x"}).Text("to"), "sqlite:x");
  EXPECT_EQ(Good({"doctor", "--to", "sqlite:x"}).Text("store"), "sqlite:x");
}

TEST(Parse, ShortOptionsClusterAndTakeValues) {
  const Invocation got = Good({"status", "-qw", "-ojson"});
  EXPECT_TRUE(got.Has("quiet"));
  EXPECT_TRUE(got.Has("watch"));
  EXPECT_EQ(got.Text("output"), "json");
}

TEST(Parse, ATenantMayBeCalledLikeACommand) {
  EXPECT_EQ(Good({"rollback", "status", "plan"}).arguments, (Words{"status", "plan"}));
  EXPECT_EQ(Good({"migrate", "--only", "status"}).List("only"), (Words{"status"}));
}

TEST(Parse, AfterTwoDashesEverythingIsAnArgument) {
  EXPECT_EQ(Good({"rollback", "--yes", "--", "--all", "-x"}).arguments, (Words{"--all", "-x"}));
}

TEST(Parse, ASingleDashIsAnArgument) { EXPECT_EQ(Good({"explain", "key", "-"}).arguments, (Words{"-"})); }

TEST(Parse, BracketsAreNoList) { EXPECT_EQ(Good({"migrate", "--only", "[a,b]"}).List("only"), (Words{"[a,b]"})); }

TEST(Parse, HelpIsHelpOnTheCommandWhereverItStands) {
  EXPECT_EQ(Good({"migrate", "--help"}).command->path, "help");
  EXPECT_EQ(Good({"-h", "migrate"}).arguments, (Words{"migrate"}));
  EXPECT_EQ(Good({"repair", "usage", "-h"}).arguments, (Words{"repair", "usage"}));
  EXPECT_EQ(Good({"repair", "--help"}).arguments, (Words{"repair"}));
  EXPECT_EQ(Good({"export", "--help"}).arguments, (Words{"export"}));  // although --out is missing
  EXPECT_EQ(Good({"--help"}).command->path, "help");
  EXPECT_EQ(Good({}).command->path, "help");
  EXPECT_EQ(Good({"--version"}).command->path, "version");
  EXPECT_EQ(Good({"-V"}).command->path, "version");
}

struct Typo {
  Words words;
  const char* message;
  const char* hint;
};

TEST(Parse, TyposAreUsageErrorsWithASuggestion) {
  const std::vector<Typo> typos = {
      {{"migrat"}, "there is no command \"migrat\"", "did you mean \"migrate\"?"},
      {{"statsu"}, "there is no command \"statsu\"", "did you mean \"status\"?"},
      {{"xyzzy"}, "there is no command \"xyzzy\"", "see reeve help"},
      {{"repair", "usgae"}, "there is no command \"repair usgae\"", "did you mean \"usage\"?"},
      {{"repair"}, "reeve repair needs one more word: duplicates, usage", "see reeve repair duplicates --help"},
      {{"plan", "--form", "x"}, "reeve plan has no option --form", "did you mean \"--from\"?"},
      {{"plan", "--frmo=x"}, "reeve plan has no option --frmo", "did you mean \"--from\"?"},
      {{"plan", "-z"}, "reeve plan has no option -z", "see reeve plan --help"},
      {{"-o", "jsn", "status"}, "--output: \"jsn\" is not one of table, json", "did you mean \"json\"?"},
      {{"completion", "bahs"}, "SHELL: \"bahs\" is not one of bash, zsh, fish", "did you mean \"bash\"?"},
      {{"plan", "--from"}, "--from needs a value", "see reeve plan --help"},
      {{"plan", "--from=", "x"}, "--from needs a value", "see reeve plan --help"},
      {{"plan", "extra"}, "reeve plan does not expect extra", "see reeve plan --help"},
      {{"status", "--watch=5"}, "--watch takes no value", ""},
      {{"plan", "--limit", "many"}, "--limit: \"many\" is not a whole number", ""},
      {{"plan", "--usage-months", "0"}, "--usage-months: \"0\" is not a whole number from 1 to 120", ""},
      {{"plan", "--from", "a", "--from", "b"}, "--from is given 2 times", ""},
  };
  for (const Typo& typo : typos) {
    const Error error = Bad(typo.words);
    EXPECT_EQ(error.message, typo.message);
    EXPECT_EQ(error.hint, typo.hint) << typo.message;
    EXPECT_EQ(ExitCode(error.code), kExitUsage) << typo.message;
  }
}

TEST(Parse, AnOptionDoesNotSwallowTheNextOne) {
  EXPECT_EQ(Bad({"plan", "--from", "--limit", "5"}).message, "--from needs a value, and --limit is none");
}

TEST(Parse, MissingArgumentsAndOptionsAreNamed) {
  EXPECT_EQ(Bad({"completion"}).message, "reeve completion needs SHELL: bash, zsh or fish");
  EXPECT_EQ(Bad({"sample"}).message.substr(0, 29), "reeve sample needs --out DIR:");
}

TEST(Parse, AKeyIsNeverRepeatedInAMessage) {
  for (const Words& words : {Words{"explain", "sk_live_very_secret"}, Words{"explain", "key", "sk_live_very_secret", "sk_live_very_secret"}}) {
    const Error error = Bad(words);
    EXPECT_EQ((error.message + error.hint).find("secret"), std::string::npos) << error.message;
  }
}

TEST(Parse, WordsToCompleteAreNotParsed) {
  EXPECT_EQ(Good({"__complete", "plan", "--fr"}).arguments, (Words{"plan", "--fr"}));
  EXPECT_EQ(Good({"__complete"}).arguments, Words{});
  EXPECT_EQ(Good({"__complete", "--", "-x", ""}).arguments, (Words{"--", "-x", ""}));
}

TEST(Parse, FlagsAreSettingsByKey) {
  const auto flags = SettingFlags(Good({"migrate", "--store", "sqlite:x", "--json", "--no-color", "--workers", "3", "-q"}));
  EXPECT_EQ(flags.at("store"), "sqlite:x");
  EXPECT_EQ(flags.at("output"), "json");
  EXPECT_EQ(flags.at("color"), "never");
  EXPECT_EQ(flags.at("workers"), "3");
  EXPECT_EQ(flags.at("quiet"), "true");
  EXPECT_EQ(flags.size(), 5u);
}

TEST(Parse, TheEstateOfARestoreIsNotTheStore) {
  const auto flags = SettingFlags(Good({"restore", "--from", "./backup", "--to", "export:./x"}));
  EXPECT_TRUE(flags.empty());
}

TEST(ExitCodes, EveryErrorCodeHasOneThatIsDocumented) {
  for (int i = 0; i <= static_cast<int>(Code::kStaleAttempt); ++i) {
    const int exit = ExitCode(static_cast<Code>(i));
    bool documented = false;
    for (const ExitCodeRow& row : ExitCodes()) documented |= row.code == exit;
    EXPECT_TRUE(documented) << i;
    EXPECT_NE(exit, 0) << i;
    if (i != static_cast<int>(Code::kFailed)) {
      EXPECT_NE(CodeName(static_cast<Code>(i)), "failed") << i;
    }
  }
}

TEST(ExitCodes, AreTheFrozenNumbers) {
  EXPECT_EQ(ExitCode(Code::kFailed), 1);
  EXPECT_EQ(ExitCode(Code::kUsage), 2);
  EXPECT_EQ(ExitCode(Code::kIncomplete), 3);
  EXPECT_EQ(ExitCode(Code::kAuthNeeded), 4);
  EXPECT_EQ(ExitCode(Code::kNotFound), 5);
  EXPECT_EQ(ExitCode(Code::kRefused), 6);
  EXPECT_EQ(ExitCode(Code::kStoreMissing), 10);
  EXPECT_EQ(ExitCode(Code::kLocked), 11);
  EXPECT_EQ(ExitCode(Code::kWrongKey), 12);
  EXPECT_EQ(ExitCode(Code::kInterrupted), 130);
}

}  // namespace
}  // namespace reeve::cli
