// The texts of `reeve help TOPIC`.
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/finding_words.h"
#include "cli/help.h"
#include "cli/settings.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

std::string ExitCodesText() {
  std::string text = "How reeve ends, for scripts. A code that is not listed here is a failure too.\n\n";
  for (const ExitCodeRow& row : ExitCodes()) text += fmt::format("  {:>3}  {}", row.code, Wrap(row.meaning, 80, 7).substr(7));
  return text +
         "\nmigrate and verify end with 3 when rows are quarantined, tenants failed or differences were found; doctor when a check failed; schema check "
         "when the tables differ; rollback when some of several tenants were refused.\n";
}

std::string EnvironmentText() {
  std::string text =
      "Every setting has one name. It is a flag, a variable, and a line of reeve.toml; a flag beats the variable, the variable beats the "
      "file, the file beats the default. An empty variable counts as unset.\n\n"
      "The file is the one named by --config or REEVE_CONFIG, else the first of ./reeve.toml, $XDG_CONFIG_HOME/reeve/reeve.toml "
      "(~/.config/reeve/reeve.toml) and /etc/reeve/reeve.toml that exists. Paths in it are relative to the working directory. A key that is not "
      "listed here is an error that names its line.\n\n";
  text += fmt::format("  {:<26} {:<33} {}\n", "IN reeve.toml", "VARIABLE", "DEFAULT");
  for (const SettingSpec& spec : SettingSpecs()) {
    const std::string key = spec.secret ? fmt::format("{}_file", spec.key) : std::string(spec.key);
    const std::string variable = EnvironmentName(spec.key) + (spec.secret ? ", …_FILE" : "");
    const std::string row = fmt::format("  {:<26} {:<33} {}", key, variable, spec.value);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text +
         "\nSecrets are never written into the file: the file names a file (backup_key_file), and so does the variable that ends in _FILE. "
         "reeve config show --origin says where each value comes from.\n\n"
         "Also honoured: NO_COLOR and TERM=dumb (no colour), CLICOLOR_FORCE (colour even off a terminal), COLUMNS (width of tables), TMPDIR (spool), and for "
         "BigQuery BIGQUERY_EMULATOR_HOST and Google's own variables (reeve help credentials).\n";
}

constexpr std::string_view kFormattingText =
    "Results go to standard output; progress, remarks, questions and errors go to standard error.\n\n"
    "With -o json (--json) a command prints one JSON object on one line. Its first members are\n\n"
    "  \"reeve\": the version, \"format\": 1, \"command\": the command's name\n\n"
    "Members are added over time and never change their meaning within a format. Times are RFC 3339 in UTC, durations whole milliseconds (…_ms), "
    "counts numbers. An error is the last line of standard error:\n\n"
    "  {\"error\":{\"code\":\"store_missing\",\"exit\":10,\"message\":\"…\",\"hint\":\"…\"}}\n\n"
    "The codes are: failed usage incomplete auth_needed not_found refused store_missing locked wrong_key interrupted corrupt stale_attempt. "
    "With --watch there is one object per line and round.\n\n"
    "Progress: one redrawn line per stage on a terminal, a line every ten seconds elsewhere, JSON lines with --progress=json, nothing with "
    "--progress=none or --quiet. With -o json off a terminal there is none unless asked for. A progress line is\n\n"
    "  {\"type\":\"progress\",\"stage\":\"copy\",\"done\":10,\"total\":100,\"unit\":\"tenants\",\n"
    "   \"rows\":1234,\"bytes\":56789,\"elapsed_ms\":1500,\"rows_per_s\":822,\n"
    "   \"bytes_per_s\":37859,\"eta_ms\":13500}\n\n"
    "and a line worth keeping is {\"type\":\"note\",\"text\":\"…\"}.\n\n"
    "Colour only repeats what the words say. It is off when the output is no terminal, with NO_COLOR, TERM=dumb, --no-color or --color=never, "
    "and on with --color=always or CLICOLOR_FORCE.\n\n"
    "Questions are asked on a terminal only. Elsewhere a command that changes something ends with exit 6 unless --yes is given.\n";

constexpr std::string_view kPhasesText =
    "A phase is where a tenant stands between legacy and central.\n\n"
    "  legacy     the legacy tables are the only truth\n"
    "  planned    a plan with counts and findings was accepted\n"
    "  backed_up  a backup was made and read back\n"
    "  copied     all rows are in central or quarantined; nothing reads central yet\n"
    "  armed      every writer writes to both sides, or legacy writers are stopped\n"
    "  verified   proven equal; a certificate of this attempt exists\n"
    "  shadow     legacy answers, central is compared\n"
    "  central    central answers, legacy is kept in step and compared\n"
    "  final      central is the only truth\n\n"
    "migrate takes a tenant to copied and, when it is proven, to verified. rollback takes it back to legacy from any phase up to verified. "
    "The phases after verified are for a running service and are not in this build.\n";

constexpr std::string_view kEstatesText =
    "An estate is all tenants of one legacy source. --from names it:\n\n"
    "  export:DIR   newline-delimited JSON as bq extract writes it:\n"
    "               DIR/{dataset}/{table}[-SHARD].json[.gz]; beside it, if there\n"
    "               is one, {table}.schema.json as bq show --schema prints it\n"
    "  bigquery:PROJECT[?location=L][&instant=off]\n"
    "               all datasets of the project, everywhere or in one location; rows\n"
    "               of one instant where BigQuery can (instant=off: as they are)\n"
    "  sqlite:FILE  one file with tables named {dataset}.{table}: for tests and demos\n\n"
    "postgres://… is not in this build. BigQuery is read in sets: one job for hundreds of tables (reeve help credentials, docs/bigquery.md).\n\n"
    "A tenant is a dataset with the tables of keys, credentials and runs, or one that --tenants FILE declares. Every other dataset is listed as "
    "skipped with its reason. migrate --from export:DIR also reads what reeve export wrote.\n";

constexpr std::string_view kStoresText =
    "A store holds the central dataset: the seven tables and reeve's own. --to (or --store) names it:\n\n"
    "  sqlite:FILE  the embedded store, one file; default sqlite:./reeve.db\n"
    "  bigquery:PROJECT/DATASET\n"
    "               a dataset in BigQuery, made if it is absent (--bigquery-location)\n\n"
    "postgres://… is not in this build; reeve schema print --engine postgres prints its tables, and reeve export writes files that bq load reads.\n\n"
    "Beside FILE stand FILE.journal (how far every tenant is; keep it with the store) and FILE.deadletter.jsonl (rows that could not be moved, "
    "without their secrets); of a store in BigQuery they are DIR/reeve-PROJECT-DATASET.journal and so on, DIR being --state-dir or the working directory. One command writes at a time; a second one ends with exit 11 and names the first. Reading is always possible.\n";

constexpr std::string_view kCredentialsText =
    "bigquery:… uses Application Default Credentials, in Google's order:\n\n"
    "  1. the file GOOGLE_APPLICATION_CREDENTIALS names: a service account's key, or\n"
    "     workload identity federation (a token from a file or a URL)\n"
    "  2. what gcloud auth application-default login left in $CLOUDSDK_CONFIG or\n"
    "     ~/.config/gcloud\n"
    "  3. the metadata server of a machine in Google Cloud (GCE_METADATA_HOST;\n"
    "     NO_GCE_CHECK=true passes it over)\n\n"
    "GOOGLE_CLOUD_QUOTA_PROJECT is charged for quota. With BIGQUERY_EMULATOR_HOST (HOST:PORT, with or without http://) everything goes there and nobody asks for "
    "credentials. Tokens and keys are never printed; reeve doctor --from bigquery:PROJECT says which account is used and what it may do.\n\n"
    "Needed: roles/bigquery.jobUser where jobs run; to read an estate roles/bigquery.dataViewer and roles/bigquery.metadataViewer on it; to write a store, or an "
    "estate for rollback and restore, roles/bigquery.dataEditor, or roles/bigquery.user to make the dataset.\n";

constexpr std::string_view kPlansText =
    "--plans FILE says, as TOML, what plans there are and what a tenant has of them:\n\n"
    "  [plans.gold]\n"
    "  monthly_pipeline_quota = 20000\n"
    "  concurrent_pipeline_quota = 30\n"
    "  storage_quota_gb = \"unlimited\"\n"
    "  monthly_cost_usd = 900\n\n"
    "  [tenants.acme]\n"
    "  plan = \"gold\"\n"
    "  concurrent_pipeline_quota = 50\n\n"
    "A quota is a whole number or \"unlimited\"; 0 blocks. A new plan needs all three quotas; starter, professional and enterprise are there "
    "and keep what the file does not change. A tenant's entry beats its own record in legacy. A key that is not shown here is an error that names "
    "its line.\n";

std::string FindingsText() {
  std::string text = "Findings are about rows that were moved, reasons about rows that were quarantined.\n\nFINDINGS\n";
  for (const CodeWords& words : AllCodeWords())
    if (!words.quarantine) text += fmt::format("{}: {}. What to do: {}.\n", words.code, words.meaning, words.advice);
  text += "\nREASONS OF QUARANTINED ROWS\n";
  for (const CodeWords& words : AllCodeWords())
    if (words.quarantine) text += fmt::format("{}: {}. What to do: {}.\n", words.code, words.meaning, words.advice);
  return text;
}

}  // namespace

const std::vector<Topic>& Topics() {
  static const std::vector<Topic> topics = {
      {"exit-codes", "How reeve ends, for scripts", ExitCodesText()},
      {"environment", "Settings: flags, variables, reeve.toml", EnvironmentText()},
      {"formatting", "Tables, JSON, progress, colour", std::string(kFormattingText)},
      {"phases", "Where a tenant can stand", std::string(kPhasesText)},
      {"estates", "What --from can name", std::string(kEstatesText)},
      {"stores", "What --to and --store can name", std::string(kStoresText)},
      {"credentials", "How reeve gets into BigQuery", std::string(kCredentialsText)},
      {"plans", "The file that --plans reads", std::string(kPlansText)},
      {"findings", "Findings and reasons, and what to do", FindingsText()},
  };
  return topics;
}

}  // namespace reeve::cli
