// The built program, used as a user does.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "env/files.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/e2e/program.h"

namespace reeve::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kAsOf = "2026-11-15T12:00:00Z";

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteAll(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// Every file below `folder` with its bytes.
std::map<std::string, std::string> Snapshot(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    files[entry.path().string()] = entry.is_regular_file() ? ReadAll(entry.path()) : "";
  return files;
}

boost::json::object OneJson(const std::string& text) {
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text.find('\n'), text.size() - 1) << "one object on one line: " << text.substr(0, 200);
  boost::json::error_code error;
  const auto value = boost::json::parse(text, error);
  EXPECT_FALSE(error) << text.substr(0, 200);
  return value.is_object() ? value.get_object() : boost::json::object();
}

// A small estate with some broken rows and a store it was migrated into; made once, never changed.
struct Made {
  fs::path folder;
  std::string active_key, revoked_key, tenant;
};

fs::path NewFolder(const std::string& name) {
  static const fs::path root = [] {
    std::string pattern = ::testing::TempDir() + "reeve_cli_XXXXXX";
    return fs::path(mkdtemp(pattern.data()));
  }();
  fs::create_directories(root / name);
  return root / name;
}

std::string KeyWith(const fs::path& keys, const std::string& verdict) {
  std::istringstream lines(ReadAll(keys));
  for (std::string line; std::getline(lines, line);) {
    const auto row = boost::json::parse(line).as_object();
    const std::string key(row.at("key").as_string());
    if (row.at("verdict").as_string() == verdict && key.size() != 64) return key;
  }
  return {};
}

const Made& Estate() {
  static const Made made = [] {
    Made fresh;
    fresh.folder = NewFolder("made");
    const Surroundings around{.directory = fresh.folder};
    EXPECT_EQ(RunReeve({"sample", "--tenants", "25", "--seed", "7", "--poison", "0.01", "--as-of", kAsOf, "--out", "export:./estate"}, around).exit, 0);
    const Ran migrated = RunReeve({"migrate", "--from", "export:./estate", "--as-of", kAsOf, "--yes", "-o", "json"}, around);
    EXPECT_TRUE(migrated.exit == 0 || migrated.exit == 3) << migrated.err;
    fresh.active_key = KeyWith(fresh.folder / "estate.expected/keys.json", "active");
    fresh.revoked_key = KeyWith(fresh.folder / "estate.expected/keys.json", "revoked");
    const auto status = OneJson(RunReeve({"status", "-o", "json"}, around).out);
    for (const auto& tenant : status.at("tenants").as_array())
      if (tenant.at("phase").as_string() == "verified" && fresh.tenant.empty()) fresh.tenant = tenant.at("tenant").as_string();
    return fresh;
  }();
  return made;
}

Surroundings Here() { return {.directory = Estate().folder}; }

// A copy of that folder which a test may change.
Surroundings Copy(const std::string& name) {
  const fs::path folder = NewFolder(name);
  fs::copy(Estate().folder, folder, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return {.directory = folder};
}

TEST(Cli, TheWholeWayFromASampleToARollback) {
  const Surroundings around{.directory = NewFolder("way")};
  const auto run = [&](const Words& words, std::set<int> allowed) {
    const Ran ran = RunReeve(words, around);
    EXPECT_TRUE(allowed.count(ran.exit)) << words[0] << " ended with " << ran.exit << ": " << ran.err;
    return ran;
  };
  run({"sample", "--tenants", "12", "--seed", "3", "--as-of", kAsOf, "--out", "export:./estate"}, {0});
  const Ran plan = run({"plan", "--from", "export:./estate", "--as-of", kAsOf}, {0});
  EXPECT_NE(plan.out.find("12 can be migrated"), std::string::npos) << plan.out;
  EXPECT_FALSE(fs::exists(around.directory + "/reeve.db"));
  const Ran migrated = run({"migrate", "--from", "export:./estate", "--as-of", kAsOf, "--yes", "--stats"}, {0, 3});
  EXPECT_NE(migrated.out.find("12 copied, 0 unchanged"), std::string::npos) << migrated.out;
  EXPECT_NE(migrated.out.find("12 equal"), std::string::npos);
  EXPECT_NE(migrated.out.find("peak memory"), std::string::npos);
  const Ran again = run({"migrate", "--from", "export:./estate", "--yes"}, {0, 3});
  EXPECT_NE(again.out.find("0 copied, 12 unchanged"), std::string::npos) << again.out;
  run({"verify", "--from", "export:./estate", "--certificates", "./certificates"}, {0, 3});
  EXPECT_EQ(std::distance(fs::directory_iterator(around.directory + "/certificates"), fs::directory_iterator()), 12);
  EXPECT_NE(run({"status"}, {0}).out.find("verified"), std::string::npos);
  run({"doctor"}, {0, 3});
  run({"export", "--out", "./central"}, {0});
  EXPECT_TRUE(fs::exists(around.directory + "/central/manifest.json"));
  WriteAll(around.directory + "/key", std::string(64, 'a'));
  run({"backup", "--from", "export:./estate", "--out", "./backup", "--key", "./key"}, {0});
  run({"restore", "--from", "./backup", "--to", "export:./restored", "--key", "./key", "--yes"}, {0});
  const Ran rolled = run({"rollback", "--all", "--from", "export:./estate", "--yes"}, {0});
  EXPECT_NE(rolled.out.find("Took 12 tenants back to legacy"), std::string::npos) << rolled.out;
  EXPECT_EQ(OneJson(run({"status", "-o", "json"}, {0}).out).at("by_phase").as_object().count("verified"), 0u);
}

TEST(Cli, ADryRunChangesNothing) {
  const Surroundings around = Copy("dry");
  WriteAll(around.directory + "/key", std::string(64, 'a'));
  ASSERT_EQ(RunReeve({"export", "--out", "./central"}, around).exit, 0);
  ASSERT_NE(RunReeve({"backup", "--from", "export:./estate", "--out", "./backup", "--key", "./key"}, around).exit, 1);
  const auto before = Snapshot(around.directory);
  const Words commands[] = {
      {"migrate", "--from", "export:./estate", "--to", "sqlite:./new.db"},
      {"migrate", "--from", "export:./central", "--to", "sqlite:./new.db"},
      {"backup", "--from", "export:./estate", "--out", "./other"},
      {"rollback", "--all", "--from", "export:./estate"},
      {"restore", "--from", "./backup", "--to", "export:./estate2", "--key", "./key"},
      {"export", "--out", "./other"},
      {"repair", "duplicates"},
      {"repair", "usage"},
      {"schema", "apply", "--to", "sqlite:./new.db"},
  };
  for (Words words : commands) {
    words.push_back("--dry-run");
    const Ran ran = RunReeve(words, around);
    EXPECT_TRUE(ran.exit == 0 || ran.exit == 3) << words[0] << " ended with " << ran.exit << ": " << ran.err;
    EXPECT_FALSE(ran.out.empty()) << words[0];
    auto after = Snapshot(around.directory);
    for (const char* scratch : {"reeve.db-wal", "reeve.db-shm", "reeve.db.lock"}) after.erase(around.directory + "/" + scratch);
    auto expected = before;
    for (const char* scratch : {"reeve.db-wal", "reeve.db-shm", "reeve.db.lock"}) expected.erase(around.directory + "/" + scratch);
    EXPECT_TRUE(after == expected) << words[0] << " changed something";
  }
}

TEST(Cli, OffATerminalNothingIsChangedWithoutYes) {
  const Surroundings around = Copy("unasked");
  const Words commands[] = {{"migrate", "--from", "export:./estate", "--to", "sqlite:./new.db"},
                            {"rollback", "--all"},
                            {"rollback", Estate().tenant},
                            {"schema", "apply", "--to", "sqlite:./new.db"}};
  for (const Words& words : commands) {
    const Ran ran = RunReeve(words, around);
    EXPECT_EQ(ran.exit, 6) << words[0] << ran.err;
    EXPECT_NE(ran.err.find("--yes"), std::string::npos);
    EXPECT_FALSE(fs::exists(around.directory + "/new.db"));
  }
}

TEST(Cli, OnATerminalItAsksAndTakesNoForAnAnswer) {
  const Surroundings around = Copy("asked");
  const Words migrate = {"migrate", "--from", "export:./estate", "--to", "sqlite:./new.db"};
  const Ran refused = RunReeveOnTerminal(migrate, around, "[y/N]", "n\n");
  EXPECT_EQ(refused.exit, 6) << refused.out;
  EXPECT_FALSE(fs::exists(around.directory + "/new.db"));
  const Ran agreed = RunReeveOnTerminal(migrate, around, "[y/N]", "y\n");
  EXPECT_TRUE(agreed.exit == 0 || agreed.exit == 3) << agreed.out;
  EXPECT_TRUE(fs::exists(around.directory + "/new.db"));
  EXPECT_NE(agreed.out.find("\r\x1b[K"), std::string::npos) << "progress is one redrawn line";
}

TEST(Cli, RollbackOfEverythingWantsTheStoresName) {
  const Surroundings around = Copy("typed");
  EXPECT_EQ(RunReeveOnTerminal({"rollback", "--all"}, around, "Type sqlite:./reeve.db", "yes\n").exit, 6);
  EXPECT_EQ(OneJson(RunReeve({"status", "-o", "json"}, around).out).at("by_phase").as_object().count("verified"), 1u);
  const Ran done = RunReeveOnTerminal({"rollback", "--all"}, around, "Type sqlite:./reeve.db", "sqlite:./reeve.db\n");
  EXPECT_TRUE(done.exit == 0 || done.exit == 3) << done.out;
  EXPECT_EQ(OneJson(RunReeve({"status", "-o", "json"}, around).out).at("by_phase").as_object().count("verified"), 0u);
}

TEST(Cli, ControlCAtTheQuestionIsInterrupted) {
  const Surroundings around = Copy("interrupted");
  const Ran ran = RunReeveOnTerminal({"migrate", "--from", "export:./estate", "--to", "sqlite:./new.db"}, around, "[y/N]", "\x03");
  EXPECT_EQ(ran.exit, 130) << ran.out;
  EXPECT_NE(ran.out.find("nothing was changed"), std::string::npos);
  EXPECT_FALSE(fs::exists(around.directory + "/new.db"));
}

TEST(Cli, JsonIsOneObjectOnOutAndNothingElse) {
  const Words commands[] = {{"plan", "--from", "export:./estate"}, {"status"}, {"doctor"}, {"schema", "check"}, {"config", "show"}, {"version"},
                            {"explain", "finding"}, {"explain", "key", Estate().active_key}, {"repair", "duplicates", "--dry-run"}};
  for (Words words : commands) {
    words.push_back("--json");
    const Ran ran = RunReeve(words, Here());
    const auto object = OneJson(ran.out);
    EXPECT_EQ(object.begin()->key(), "reeve") << words[0];
    EXPECT_EQ(object.at("format").as_int64(), 1) << words[0];
    EXPECT_TRUE(object.at("command").as_string().starts_with(words[0])) << words[0];
    EXPECT_EQ(ran.err, "") << words[0];
  }
  const Ran failed = RunReeve({"status", "--to", "sqlite:./none.db", "-o", "json"}, Here());
  EXPECT_EQ(failed.exit, 10);
  EXPECT_EQ(failed.out, "");
  EXPECT_EQ(OneJson(failed.err).at("error").at("code").as_string(), "store_missing");
}

TEST(Cli, ProgressIsPlainOffATerminalAndAsAskedFor) {
  const Ran piped = RunReeve({"plan", "--from", "export:./estate", "--as-of", kAsOf}, Here());
  EXPECT_NE(piped.err.find("plan     25/25 tenants"), std::string::npos) << piped.err;
  EXPECT_EQ((piped.err + piped.out).find('\x1b'), std::string::npos);
  const Ran silent = RunReeve({"plan", "--from", "export:./estate", "--as-of", kAsOf, "--quiet"}, Here());
  EXPECT_EQ(silent.err, "");
  EXPECT_EQ(silent.out, piped.out);
  const Ran none = RunReeve({"plan", "--from", "export:./estate", "--as-of", kAsOf, "--progress=none"}, Here());
  EXPECT_EQ(none.err.find("tenants in"), std::string::npos);
  const Ran json = RunReeve({"plan", "--from", "export:./estate", "--as-of", kAsOf, "--progress", "json", "-o", "json"}, Here());
  std::istringstream lines(json.err);
  size_t ends = 0;
  for (std::string line; std::getline(lines, line);)
    if (OneJson(line + "\n").at("type").as_string() == "stage_end") ++ends;
  EXPECT_GE(ends, 1u) << json.err;
}

TEST(Cli, ColourOnlyOnATerminalThatWantsIt) {
  const Words doctor = {"doctor"};
  EXPECT_NE(RunReeveOnTerminal(doctor, Here(), "", "").out.find("\x1b[32m"), std::string::npos);
  Surroundings no_color = Here();
  no_color.environment["NO_COLOR"] = "1";
  EXPECT_EQ(RunReeveOnTerminal(doctor, no_color, "", "").out.find("\x1b["), std::string::npos);
  EXPECT_EQ(RunReeveOnTerminal({"doctor", "--no-color"}, Here(), "", "").out.find("\x1b["), std::string::npos);
  Surroundings dumb = Here();
  dumb.environment["TERM"] = "dumb";
  EXPECT_EQ(RunReeveOnTerminal({"plan", "--from", "export:./estate"}, dumb, "", "").out.find('\x1b'), std::string::npos);
  EXPECT_EQ(RunReeve(doctor, Here()).out.find('\x1b'), std::string::npos);
  Surroundings forced = Here();
  forced.environment["CLICOLOR_FORCE"] = "1";
  EXPECT_NE(RunReeve(doctor, forced).out.find("\x1b[32m"), std::string::npos);
}

TEST(Cli, TablesFitTheTerminal) {
  const Ran ran = RunReeveOnTerminal({"status", "--details", "--no-color"}, Here(), "", "");
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    size_t glyphs = 0;
    for (char c : line) glyphs += (static_cast<unsigned char>(c) & 0xC0) != 0x80 && c != '\r' ? 1 : 0;
    EXPECT_LE(glyphs, 100u) << line;
  }
}

TEST(Cli, EachKindOfFailureHasItsExitCode) {
  Surroundings around = Copy("codes");
  EXPECT_EQ(RunReeve({"statsu"}, around).exit, 2);
  EXPECT_NE(RunReeve({"statsu"}, around).err.find("did you mean \"status\"?"), std::string::npos);
  EXPECT_EQ(RunReeve({"plan", "--from", "postgres://h/d"}, around).exit, 2);
  Surroundings nobody = around;  // no credentials anywhere, and nobody is asked for them
  nobody.environment["NO_GCE_CHECK"] = "true";
  EXPECT_EQ(RunReeve({"plan", "--from", "bigquery:project"}, nobody).exit, 4);
  EXPECT_EQ(RunReeve({"status", "--to", "postgres://h/d"}, around).exit, 2);
  EXPECT_EQ(RunReeve({"plan", "--from", "export:./none"}, around).exit, 5);
  EXPECT_EQ(RunReeve({"explain", "key", std::string(64, '0')}, around).exit, 5);
  EXPECT_EQ(RunReeve({"export", "--out", "./estate"}, around).exit, 6);
  EXPECT_EQ(RunReeve({"doctor", "--store", "sqlite:./none.db"}, around).exit, 10);
  WriteAll(around.directory + "/key", std::string(64, 'a'));
  WriteAll(around.directory + "/other", std::string(64, 'b'));
  EXPECT_NE(RunReeve({"backup", "--from", "export:./estate", "--out", "./backup", "--key", "./key"}, around).exit, 1);
  EXPECT_EQ(RunReeve({"restore", "--from", "./backup", "--to", "export:./x", "--key", "./other", "--yes"}, around).exit, 12);
  around.environment["REEVE_BACKUP_KEY"] = std::string(64, 'a');
  EXPECT_NE(RunReeve({"restore", "--from", "./backup", "--to", "export:./x", "--yes"}, around).exit, 12);
  around.out_file = "/dev/full";
  EXPECT_EQ(RunReeve({"version"}, around).exit, 1);
}

TEST(Cli, ASecondWriterIsToldWhoHoldsTheStore) {
  const Surroundings around = Copy("locked");
  const auto files = MakeSystemFiles();
  const auto sink = store::OpenSqliteSink(*files, around.directory + "/reeve.db", store::OpenMode::kExisting, "reeve migrate, pid 17");
  ASSERT_TRUE(sink) << sink.error().message;
  const Ran refused = RunReeve({"migrate", "--from", "export:./estate", "--yes"}, around);
  EXPECT_EQ(refused.exit, 11) << refused.err;
  EXPECT_NE(refused.err.find("reeve migrate, pid 17"), std::string::npos) << refused.err;
  EXPECT_EQ(RunReeve({"status"}, around).exit, 0) << "reading is always possible";
}

TEST(Cli, AKeyIsExplainedAndNeverPrinted) {
  const Made& made = Estate();
  const Words explain = {"explain", "key", "-", "--from", "export:./estate"};
  Surroundings around = Here();
  around.input = made.active_key + "\n";
  const Ran active = RunReeve(explain, around);
  EXPECT_EQ(active.exit, 0) << active.err;
  EXPECT_NE(active.out.find("accepted"), std::string::npos);
  around.input = made.revoked_key;  // without a line break
  const Ran revoked = RunReeve(explain, around);
  EXPECT_NE(revoked.out.find("REFUSED"), std::string::npos) << revoked.out;
  EXPECT_EQ(revoked.out.find("accepted"), std::string::npos) << revoked.out;
  const Ran shown = RunReeve({"explain", "key", made.active_key}, around);
  EXPECT_NE(shown.err.find("visible in the process list"), std::string::npos);
  for (const Ran* ran : {&active, &revoked, &shown}) {
    EXPECT_EQ((ran->out + ran->err).find(made.active_key), std::string::npos);
    EXPECT_EQ((ran->out + ran->err).find(made.revoked_key), std::string::npos);
  }
  around.input.clear();
  EXPECT_EQ(RunReeve(explain, around).exit, 2);
}

TEST(Cli, ACentralExportMigratesIntoAnEqualStore) {
  const Surroundings around = Copy("import");
  ASSERT_EQ(RunReeve({"export", "--out", "./central"}, around).exit, 0);
  const Ran preview = RunReeve({"migrate", "--from", "export:./central", "--to", "sqlite:./two.db", "--dry-run", "--json"}, around);
  EXPECT_EQ(preview.exit, 0) << preview.err;
  EXPECT_TRUE(OneJson(preview.out).at("central_import").as_bool());
  EXPECT_FALSE(fs::exists(around.directory + "/two.db"));
  EXPECT_EQ(RunReeve({"migrate", "--from", "export:./central", "--to", "sqlite:./two.db"}, around).exit, 6);
  ASSERT_EQ(RunReeve({"migrate", "--from", "export:./central", "--to", "sqlite:./two.db", "--yes"}, around).exit, 0);
  ASSERT_EQ(RunReeve({"export", "--store", "sqlite:./two.db", "--out", "./central2"}, around).exit, 0);
  for (const char* table : {"customers", "customer_subscriptions", "customer_api_keys", "customer_credentials", "customer_usage"})
    EXPECT_EQ(ReadAll(around.directory + "/central/" + table + ".json"), ReadAll(around.directory + "/central2/" + table + ".json")) << table;
}

TEST(Cli, SettingsComeFromFlagEnvironmentAndFileInThisOrder) {
  Surroundings around{.directory = NewFolder("settings")};
  WriteAll(around.directory + "/reeve.toml", "usage_months = 6\nstore = \"sqlite:file.db\"\n");
  const auto origin = [&](const Words& flags) {
    Words words = {"config", "show", "--origin"};
    words.insert(words.end(), flags.begin(), flags.end());
    return RunReeve(words, around).out;
  };
  EXPECT_TRUE(std::regex_search(origin({}), std::regex(R"(usage_months\s+6\s+\./reeve\.toml:1)")));
  around.environment["REEVE_USAGE_MONTHS"] = "7";
  EXPECT_TRUE(std::regex_search(origin({}), std::regex(R"(usage_months\s+7\s+REEVE_USAGE_MONTHS)")));
  EXPECT_TRUE(std::regex_search(origin({"--quiet"}), std::regex(R"(quiet\s+true\s+--quiet)")));
  EXPECT_NE(RunReeve({"status"}, around).err.find("file.db"), std::string::npos);
  WriteAll(around.directory + "/other.toml", "# mine\nusage_mnths = 6\n");
  const Ran wrong = RunReeve({"config", "show", "--config", "other.toml"}, around);
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_EQ(wrong.err, "reeve: other.toml:2: unknown key \"usage_mnths\"\n  hint: did you mean \"usage_months\"?\n");
}

TEST(Cli, PlansAndTenantsFilesAreCheckedBeforeAnythingIsRead) {
  Surroundings around = Copy("plans");
  WriteAll(around.directory + "/plans.toml", "[plans.gold]\nmonthly_pipeline_quota = \"lots\"\n");
  const Ran plans = RunReeve({"plan", "--from", "export:./estate", "--plans", "plans.toml"}, around);
  EXPECT_EQ(plans.exit, 2);
  EXPECT_NE(plans.err.find("plans.toml:2:"), std::string::npos) << plans.err;
  WriteAll(around.directory + "/tenants", "acme\nbad name\n");
  EXPECT_NE(RunReeve({"plan", "--from", "export:./estate", "--tenants", "tenants"}, around).err.find("tenants:2:"), std::string::npos);
  const Ran fallback = RunReeve({"plan", "--from", "export:./estate", "--default-plan", "startr"}, around);
  EXPECT_EQ(fallback.exit, 2);
  EXPECT_NE(fallback.err.find("did you mean \"starter\"?"), std::string::npos);
}

TEST(Cli, EveryCommandHasHelpWithExamples) {
  const Ran overview = RunReeve({"help"}, Here());
  EXPECT_EQ(overview.exit, 0);
  for (const Words& words : std::vector<Words>{{"sample"}, {"plan"}, {"backup"}, {"migrate"}, {"status"}, {"verify"}, {"rollback"}, {"restore"},
                                               {"repair", "duplicates"}, {"repair", "usage"}, {"explain", "key"}, {"export"}, {"doctor"},
                                               {"schema", "print"}, {"schema", "apply"}, {"schema", "check"}, {"config", "show"}, {"completion"}, {"man"},
                                               {"version"}, {"help"}}) {
    Words asking = words;
    asking.push_back("--help");
    const Ran ran = RunReeve(asking, Here());
    EXPECT_EQ(ran.exit, 0) << words[0];
    EXPECT_NE(ran.out.find("EXAMPLES\n  "), std::string::npos) << words[0];
    EXPECT_EQ(ran.err, "") << words[0];
  }
}

// What bash would offer for `line`, one candidate a line.
std::string BashOffers(const std::string& line, const Surroundings& around) {
  const std::string script =
      "PATH=" + fs::path(ReevePath()).parent_path().string() + ":$PATH; source <(reeve completion bash); compopt() { :; }; COMP_LINE='" + line +
      "'; COMP_POINT=${#COMP_LINE}; COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'; _reeve; printf '%s\\n' \"${COMPREPLY[@]}\"";
  return RunProgram("/bin/bash", {"-c", script}, around).out;
}

TEST(Cli, BashCompletesCommandsOptionsValuesAndFolders) {
  EXPECT_EQ(BashOffers("reeve mig", Here()), "migrate\n");
  EXPECT_EQ(BashOffers("reeve repair us", Here()), "usage\n");
  EXPECT_EQ(BashOffers("reeve migrate --no-ver", Here()), "--no-verify\n");
  EXPECT_EQ(BashOffers("reeve status -o ", Here()), "table\njson\n");
  EXPECT_EQ(BashOffers("reeve status --output=j", Here()), "json\n");
  EXPECT_EQ(BashOffers("reeve migrate --from ex", Here()), "export:\n");
  EXPECT_EQ(BashOffers("reeve migrate --from export:./esta", Here()), "./estate\n./estate.expected\n");
  EXPECT_EQ(BashOffers("reeve status --to sqlite:./reeve.db.j", Here()), "./reeve.db.journal\n");
  EXPECT_EQ(BashOffers("reeve help exit", Here()), "exit-codes\n");
}

TEST(Cli, TheManPageIsFlawlessRoff) {
  if (!fs::exists("/usr/bin/groff")) GTEST_SKIP() << "groff is not installed";
  Surroundings around = Here();
  const Ran page = RunReeve({"man"}, around);
  ASSERT_EQ(page.exit, 0);
  around.input = "";
  WriteAll(around.directory + "/reeve.1", page.out);
  const Ran checked = RunProgram("/usr/bin/groff", {"-ww", "-man", "-Tutf8", "-z", "reeve.1"}, around);
  EXPECT_EQ(checked.exit, 0);
  EXPECT_EQ(checked.err, "");
  fs::remove(around.directory + "/reeve.1");
}

}  // namespace
}  // namespace reeve::testing
