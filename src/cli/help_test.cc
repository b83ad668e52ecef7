#include "cli/help.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/complete.h"
#include "cli/finding_words.h"
#include "cli/manual.h"
#include "cli/parse.h"
#include "cli/run.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

std::string ReadSource(const std::string& path) {
  const char* root = std::getenv("REEVE_SOURCE_DIR");
  std::ifstream file(std::string(root == nullptr ? "." : root) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The words of an example line, as far as they are reeve's: up to the first redirection or pipe.
std::vector<std::string> ExampleWords(std::string_view line) {
  std::vector<std::string> words;
  std::istringstream stream{std::string(line)};
  std::string word;
  while (stream >> word && word != "<" && word != ">" && word != "|" && word != "&&") words.push_back(word);
  return words;
}

TEST(Help, EveryCommandHasARunnerASummaryAndAnExampleThatParses) {
  for (const Command& command : Commands()) {
    EXPECT_NE(FindRunner(command.path), nullptr) << command.path;
    if (command.hidden) continue;
    EXPECT_FALSE(command.summary.empty()) << command.path;
    ASSERT_FALSE(command.examples.empty()) << command.path;
    for (const Example& example : command.examples) {
      if (example.line.starts_with("source ")) continue;
      std::vector<std::string> words = ExampleWords(example.line);
      ASSERT_EQ(words.front(), "reeve") << example.line;
      words.erase(words.begin());
      const auto parsed = Parse(words);
      ASSERT_TRUE(parsed) << example.line << ": " << (parsed ? "" : parsed.error().message);
      EXPECT_EQ(parsed->command, &command) << example.line;
    }
  }
}

TEST(Help, ShowsExamplesBeforeUsageAndOptions) {
  for (const Command& command : Commands()) {
    if (command.hidden) continue;
    const std::string help = CommandHelp(command);
    const size_t examples = help.find("EXAMPLES"), usage = help.find("USAGE"), everywhere = help.find("EVERYWHERE");
    EXPECT_LT(examples, usage) << command.path;
    EXPECT_LT(usage, everywhere) << command.path;
    for (const Option& option : command.options) EXPECT_NE(help.find("--" + std::string(option.name)), std::string::npos) << command.path;
  }
}

TEST(Help, FitsEightyColumnsExceptForExamples) {
  std::vector<std::string> texts = {OverviewHelp()};
  for (const Command& command : Commands())
    if (!command.hidden) texts.push_back(CommandHelp(command));
  for (const Topic& topic : Topics()) texts.push_back(*HelpOn(std::vector<std::string>{std::string(topic.name)}));
  for (const std::string& text : texts) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      if (!line.starts_with("  reeve ")) {
        EXPECT_LE(DisplayWidth(line), 80u) << line;
      }
  }
}

TEST(Help, KnowsCommandsGroupsAndTopicsAndSuggestsForTypos) {
  EXPECT_NE(HelpOn(std::vector<std::string>{"repair", "usage"})->find("Recount usage"), std::string::npos);
  EXPECT_NE(HelpOn(std::vector<std::string>{"repair"})->find("repair duplicates"), std::string::npos);
  for (const char* topic : {"exit-codes", "environment", "formatting", "phases", "estates", "stores", "credentials"})
    EXPECT_TRUE(HelpOn(std::vector<std::string>{topic})) << topic;
  EXPECT_EQ(HelpOn(std::vector<std::string>{"exitcodes"}).error().hint, "did you mean \"exit-codes\"?");
  EXPECT_EQ(HelpOn(std::vector<std::string>{"__docs"}).error().code, Code::kUsage);
}

TEST(Help, OverviewNamesEveryCommand) {
  const std::string overview = OverviewHelp();
  for (const Command& command : Commands())
    EXPECT_EQ(overview.find("\n  " + std::string(command.path) + " ") != std::string::npos, !command.hidden) << command.path;
}

TEST(Help, GoldenHelpOfOneCommand) {
  EXPECT_EQ(CommandHelp(*FindCommand("schema check")),
            "Compare the store's tables with the declared ones.\n"
            "\n"
            "EXAMPLES\n"
            "  reeve schema check && echo equal\n"
            "      exit 3 when they differ\n"
            "\n"
            "USAGE\n"
            "  reeve schema check [--to STORE] [options]\n"
            "\n"
            "  Changes nothing.\n"
            "\n"
            "OPTIONS\n"
            "      --to, --store STORE     the central store: sqlite:FILE or\n"
            "                              bigquery:PROJECT/DATASET (see reeve help stores);\n"
            "                              default sqlite:./reeve.db [REEVE_STORE]\n"
            "      --bigquery-location LOCATION\n"
            "                              where datasets are made in BigQuery (EU,\n"
            "                              europe-west1) [REEVE_BIGQUERY_LOCATION]\n"
            "      --billing-project PROJECT\n"
            "                              the project that BigQuery's jobs run in; default:\n"
            "                              that of the URL [REEVE_BILLING_PROJECT]\n"
            "      --maximum-bytes-billed BYTES\n"
            "                              BigQuery refuses a query that would bill more; 0\n"
            "                              is no limit; default 0\n"
            "                              [REEVE_MAXIMUM_BYTES_BILLED]\n"
            "      --spool-dir DIR         for rows on their way from BigQuery; default\n"
            "                              TMPDIR, else /var/tmp [REEVE_SPOOL_DIR]\n"
            "      --state-dir DIR         for journal and dead letters of a store in\n"
            "                              BigQuery; default . [REEVE_STATE_DIR]\n"
            "\n"
            "EVERYWHERE\n"
            "  -o, --output FORMAT         table for people, json for programs; default table\n"
            "                              [REEVE_OUTPUT]\n"
            "      --json                  the same as --output json\n"
            "  -q, --quiet                 no progress and no remarks; results and errors\n"
            "                              stay [REEVE_QUIET]\n"
            "  -y, --yes                   go ahead without asking\n"
            "      --progress HOW          auto, plain (a line every ten seconds), json (JSON\n"
            "                              lines) or none; default auto [REEVE_PROGRESS]\n"
            "      --color WHEN            auto, always or never; default auto [REEVE_COLOR]\n"
            "      --no-color              the same as --color never\n"
            "      --config FILE           read settings from this file (see reeve help\n"
            "                              environment)\n"
            "  -h, --help                  explain the command\n"
            "  -V, --version               print the version\n"
            "\n"
            "See also: reeve help exit-codes, reeve help environment, reeve help formatting\n");
}

TEST(Manual, DocsCliMdIsTheGeneratedPage) {
  EXPECT_TRUE(ReadSource("docs/cli.md") == MarkdownPage()) << "docs/cli.md is out of date; run: reeve __docs > docs/cli.md";
}

TEST(Manual, ManPageIsRoffThatNeedsNoEscapes) {
  const std::string page = ManPage();
  EXPECT_EQ(page.find(".TH REEVE 1"), 0u);
  for (const char* section : {".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH COMMANDS", ".SH EXIT STATUS", ".SH ENVIRONMENT", ".SH FILES"})
    EXPECT_NE(page.find(section), std::string::npos) << section;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('.')) continue;
    const std::string macro = line.substr(0, line.find(' '));
    EXPECT_TRUE((std::set<std::string>{".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi", ".RS", ".RE", ".B"}.count(macro))) << line;
  }
}

TEST(Complete, OffersCommandsOptionsChoicesAndFiles) {
  const auto complete = [](std::vector<std::string> words) { return Complete(words); };
  EXPECT_NE(complete({"mig"}).find("migrate\tCopy an estate"), std::string::npos);
  EXPECT_EQ(complete({"mig"}).find("plan"), std::string::npos);
  EXPECT_EQ(complete({"__"}), ":none\n");
  EXPECT_NE(complete({"repair", ""}).find("usage\t"), std::string::npos);
  EXPECT_NE(complete({"plan", "--fr"}).find("--from\t"), std::string::npos);
  EXPECT_EQ(complete({"plan", "-o", "j"}), "json\n:none\n");
  EXPECT_EQ(complete({"plan", "--output=j"}), "--output=json\n:none\n");
  EXPECT_EQ(complete({"migrate", "--from", ""}), "export:\nsqlite:\nbigquery:\n:nospace\n");
  EXPECT_EQ(complete({"migrate", "--from", "export:./d"}), ":dirs\n");
  EXPECT_EQ(complete({"migrate", "--from=sqlite:./d"}), ":files\n");
  EXPECT_EQ(complete({"plan", "--plans", "x"}), ":files\n");
  EXPECT_EQ(complete({"completion", ""}), "bash\nzsh\nfish\n:none\n");
  EXPECT_NE(complete({"help", "exi"}).find("exit-codes\t"), std::string::npos);
  EXPECT_NE(complete({"explain", "finding", "key_ex"}).find("key_exposed\n"), std::string::npos);
  EXPECT_EQ(complete({"plan", "--", "--fr"}), ":none\n");
  EXPECT_NE(complete({}).find("plan\t"), std::string::npos);
}

TEST(Complete, ThereIsAScriptForEachShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    ASSERT_TRUE(CompletionScript(shell)) << shell;
    EXPECT_NE(CompletionScript(shell)->find("__complete"), std::string_view::npos);
  }
  EXPECT_FALSE(CompletionScript("tcsh"));
}

// The codes that docs/mapping.md calls findings, and its table of reasons.
TEST(FindingWords, EveryCodeOfTheMappingIsExplained) {
  const std::string mapping = ReadSource("docs/mapping.md");
  ASSERT_FALSE(mapping.empty());
  constexpr std::string_view kMark = "finding `";
  for (size_t at = mapping.find(kMark); at != std::string::npos; at = mapping.find(kMark, at + 1)) {
    const size_t start = at + kMark.size();
    const std::string code = mapping.substr(start, mapping.find('`', start) - start);
    const CodeWords* words = FindCodeWords(code);
    ASSERT_NE(words, nullptr) << code;
    EXPECT_FALSE(words->quarantine) << code;
  }
  std::istringstream lines(mapping);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `") || line.find("|", 3) == std::string::npos) continue;
    const std::string code = line.substr(3, line.find('`', 3) - 3);
    if (code.find('_') != std::string::npos) {
      EXPECT_NE(FindCodeWords(code), nullptr) << code;
    }
  }
}

TEST(FindingWords, AreUniqueAndComplete) {
  std::set<std::string_view> codes;
  for (const CodeWords& words : AllCodeWords()) {
    EXPECT_TRUE(codes.insert(words.code).second) << words.code;
    EXPECT_FALSE(words.meaning.empty() || words.advice.empty()) << words.code;
    EXPECT_FALSE(words.meaning.ends_with('.') || words.advice.ends_with('.')) << words.code;
  }
}

}  // namespace
}  // namespace reeve::cli
