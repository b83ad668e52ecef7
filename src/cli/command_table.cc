// The table itself: the words here are the help, the man page and docs/cli.md. After a change: reeve __docs > docs/cli.md.
#include "cli/command.h"
#include "cli/command_options.h"

namespace reeve::cli {
namespace {

constexpr std::string_view kMigration = "MIGRATION";
constexpr std::string_view kCare = "CARE OF A STORE";
constexpr std::string_view kAbout = "REEVE ITSELF";

Command Sample() {
  return {
      .path = "sample",
      .group = kMigration,
      .summary = "Make a realistic estate of invented tenants to try everything on",
      .examples = {{"reeve sample --tenants 1000 --out export:./estate", "1,000 tenants in every legacy shape"},
                   {"reeve sample --tenants 50 --poison 0.02 --seed 7 --out export:./poisoned",
                    "every fiftieth row broken in some way"}},
      .text =
          "Writes an estate as BigQuery exports it, and beside it (DIR.expected) what a migration of it must yield: rows, "
          "quarantined rows, findings, skipped datasets, and the plain keys with the verdict that is due to each.\n"
          "The expectation is computed without reading the estate. The same options give the same bytes.",
      .options = {{.name = "tenants", .value = "N", .kind = Kind::kCount, .help = "how many tenants; default 100", .min = 1, .max = 1'000'000},
                  {.name = "out", .value = "DIR", .kind = Kind::kDir, .help = "where to: export:DIR or DIR, absent or empty", .required = true},
                  {.name = "expected", .value = "DIR", .kind = Kind::kDir, .help = "where the expectation goes; default: DIR.expected"},
                  {.name = "seed", .value = "S", .kind = Kind::kCount, .help = "which invention; default 1"},
                  {.name = "profile", .value = "NAME", .kind = Kind::kChoice,
                   .help = "realistic (sizes differ, odd datasets) or standard (the benchmark's)", .choices = {"realistic", "standard"}},
                  {.name = "variants", .value = "WHICH", .kind = Kind::kChoice,
                   .help = "all legacy shapes, or only those the platform's guide describes", .choices = {"all", "guide"}},
                  {.name = "poison", .value = "RATE", .kind = Kind::kRate, .help = "share of rows that are broken, 0 to 1"},
                  {.name = "gzip", .help = "compress some of the files"},
                  {.name = "as-of", .value = "TIME", .kind = Kind::kTime,
                   .help = "the instant the expectation is made for; default 2026-11-15T12:00:00Z"},
                  {.name = "usage-months", .value = "N", .kind = Kind::kCount, .help = "months of usage that are expected to arrive",
                   .setting = "usage_months", .min = 1, .max = 120},
                  {.name = "abandoned-after", .value = "DURATION", .kind = Kind::kDuration,
                   .help = "a run open for longer is expected to be abandoned", .setting = "abandoned_after"}},
  };
}

Command Plan() {
  return {
      .path = "plan",
      .group = kMigration,
      .summary = "Read a whole estate and say what a migration would do",
      .examples = {{"reeve plan --from export:./estate", "tenants, rows, findings and what to do about them"},
                   {"reeve plan --from export:./estate --details", "the same, tenant by tenant"},
                   {"reeve plan --from export:./estate -o json > plan.json", "everything, for a program"}},
      .text =
          "Reads every row as migrate would and writes nothing. The result lists tenants, rows and bytes, rows that would be "
          "quarantined by reason, findings by code, datasets that are no tenants and why, and tenants that cannot be migrated. Where BigQuery is involved it "
          "also says what the migration costs: jobs, calls, bytes billed and money.",
      .options = Join({{FromOption(true), StoreOption("to", "store")}, SelectionOptions(), MappingOptions(),
                       BigQueryOptions(), {DetailsOption("every tenant, finding and skipped dataset")}}),
  };
}

Command Backup() {
  return {
      .path = "backup",
      .group = kMigration,
      .summary = "Copy every input table of every tenant, with digests and a manifest",
      .examples = {{"reeve backup --from export:./estate --out ./backup-1 --key ./backup.key", "encrypted; the key file is your own"},
                   {"reeve backup --from export:./estate --out ./backup-1 --dry-run", "how much it would be"}},
      .text =
          "The backup holds what legacy holds, ciphertexts and exposed keys included: keep it encrypted (--key) and away from "
          "others. The key file holds 32 random bytes, raw, as hex or as base64 (openssl rand -hex 32 > backup.key). The backup is read "
          "back and compared before the command ends; running it again completes a backup that was stopped. A backup without a key is an "
          "export estate that --from can name. restore merges it into an estate. Exit 3 when a table could not be read.",
      .options = Join({{FromOption(true),
                        {.name = "out", .value = "DIR", .kind = Kind::kDir, .help = "where to; absent or empty", .required = true},
                        {.name = "key", .value = "FILE", .kind = Kind::kFile, .help = "file with the encryption key",
                         .setting = "backup_key"},
                        DryRunOption()},
                       TenantOptions(), BigQueryOptions()}),
  };
}

Command Migrate() {
  return {
      .path = "migrate",
      .group = kMigration,
      .summary = "Copy an estate into a central store, tenant by tenant, and prove each one",
      .examples = {{"reeve migrate --from export:./estate", "into sqlite:./reeve.db, after asking"},
                   {"reeve migrate --from export:./estate --to sqlite:./central.db --yes", "without asking; also resumes a stopped run"},
                   {"reeve migrate --from export:./estate --only acme --only globex --yes", "two tenants first"},
                   {"reeve migrate --from bigquery:my-project --to bigquery:my-project/customers_metadata --bigquery-location EU", "all in BigQuery"},
                   {"reeve migrate --from export:./central-export --to sqlite:./new.db --yes",
                    "an export that reeve export wrote, into another store"}},
      .text =
          "Every write is a merge: running it again changes nothing, and an interrupted run goes on where it stopped. All of a "
          "tenant arrives or nothing of it; rows that cannot be read are quarantined with a reason and the others go on (exit 3).\n"
          "After copying, each tenant is read again on both sides by another path and gets a certificate; --no-verify leaves that "
          "to reeve verify.",
      .options = Join({{FromOption(true), StoreOption("to", "store"), DryRunOption()}, SelectionOptions(), MappingOptions(),
                       {{.name = "no-verify", .help = "copy only; prove later with reeve verify"},
                        {.name = "stats", .help = "print where the time went"},
                        DetailsOption("every failed tenant and skipped dataset")},
                       BigQueryOptions()}),
  };
}

Command Status() {
  return {
      .path = "status",
      .group = kMigration,
      .summary = "Show where every tenant stands, and why one is stuck",
      .examples = {{"reeve status", "counts by phase, and the tenants that need you"},
                   {"reeve status --watch", "again every two seconds"},
                   {"reeve status -o json | jq .by_phase", "for a program"}},
      .text = "Reads only; also while a migration runs.",
      .options = Join({{StoreOption("to", "store"),
                        {.name = "watch", .help = "show it again every two seconds until interrupted", .letter = 'w'},
                        {.name = "only", .value = "TENANT", .kind = Kind::kTenant, .help = "this tenant only; may be repeated", .repeatable = true},
                        DetailsOption("every tenant")},
                       BigQueryOptions()}),
  };
}

Command Verify() {
  return {
      .path = "verify",
      .group = kMigration,
      .summary = "Read both sides again by a second path and certify each tenant",
      .examples = {{"reeve verify --from export:./estate", "against sqlite:./reeve.db"},
                   {"reeve verify --from export:./estate --certificates ./certificates", "and one JSON certificate per tenant"}},
      .text =
          "Shares no code with the copier. Compares row digests per table, the decision for every key on either side now and at "
          "every future expiry, and the set of runs. Differences end with exit 3, and the tenant gets no certificate.\n"
          "Use the options (plans, usage months …) of the migration; reeve.toml is the place to keep them.",
      .options = Join({{FromOption(true), StoreOption("to", "store")}, SelectionOptions(), MappingOptions(),
                       {{.name = "certificates", .value = "DIR", .kind = Kind::kDir, .help = "write one certificate per tenant here",
                         .setting = "certificates"},
                        DetailsOption("equal tenants too")},
                       BigQueryOptions()}),
  };
}

Command Rollback() {
  return {
      .path = "rollback",
      .group = kMigration,
      .summary = "Take tenants back to legacy without losing a revocation",
      .examples = {{"reeve rollback acme --from export:./estate", "one tenant"},
                   {"reeve rollback --all --dry-run", "what going back would mean"}},
      .text =
          "Writes revocations that only central knows back to the estate first, then removes the tenant's central rows in one "
          "transaction; its audit events stay. Tenants beyond the phase verified are refused, and so are tenants that were served from the "
          "store, unless their runs may be forgotten; with a run that has not ended in any case.",
      .positional = {.name = "TENANT", .help = "the tenants to take back", .kind = Kind::kTenant, .required = false, .repeatable = true},
      .options = {{.name = "all", .help = "every tenant; asks for the store's name to be typed"},
                  {.name = "forget-runs", .help = "also tenants that were served from the store: their ledger goes (export it first)"}, FromOption(false),
                  StoreOption("to", "store"), DryRunOption()},
  };
}

Command Restore() {
  return {
      .path = "restore",
      .group = kMigration,
      .summary = "Merge a backup into an estate; never revives a revoked key",
      .examples = {{"reeve restore --from ./backup-1 --to export:./estate --key ./backup.key", "missing rows come back"},
                   {"reeve restore --from ./backup-1 --to export:./estate --key ./backup.key --dry-run", "which rows that would be"}},
      .text = "A merge, not a reload: rows that the estate has stay as they are, rows that only the backup has are added. A key that the backup, the estate or "
              "the central store calls revoked ends up revoked. The digests of the whole backup are checked first. Exit 3 when tables are missing from the backup.",
      .options = Join({{{.name = "from", .value = "DIR", .kind = Kind::kDir, .help = "the backup", .required = true},
                        {.name = "to", .value = "ESTATE", .kind = Kind::kEstate, .help = "the estate to mend: export:DIR or bigquery:PROJECT", .required = true},
                        {.name = "key", .value = "FILE", .kind = Kind::kFile, .help = "file with the encryption key",
                         .setting = "backup_key"},
                        {.name = "store", .value = "STORE", .kind = Kind::kStore,
                         .help = "the central store: what it has revoked stays revoked; used if it exists", .setting = "store"},
                        DryRunOption()},
                       BigQueryOptions()}),
  };
}

std::vector<Command> RepairCommands() {
  return {
      {.path = "repair duplicates",
       .group = kCare,
       .summary = "Merge customers that share a tenant, with all their children",
       .examples = {{"reeve repair duplicates --dry-run", "which customers would be merged"}},
       .text = "Keys, credentials, usage and audit events of the customers that go are handed to the one that stays. Rows are deleted one by "
               "one, never by an id that two of them share.",
       .options = Join({{StoreOption("store", "to"), DryRunOption()}, BigQueryOptions()})},
      {.path = "repair usage",
       .group = kCare,
       .summary = "Recount usage from the sets of runs",
       .examples = {{"reeve repair usage --dry-run", "which months would change"},
                    {"reeve repair usage --from export:./estate --yes", "uniting with the runs legacy has now"}},
       .text = "The stored sets of runs are the truth, customer_usage is counted from them. With --from, the estate's runs are read and united "
               "with them first.",
       .options = Join({{StoreOption("store", "to"), FromOption(false), DryRunOption()}, SelectionOptions(), MappingOptions(), BigQueryOptions()})},
  };
}

std::vector<Command> ExplainCommands() {
  return {
      {.path = "explain key",
       .group = kCare,
       .summary = "Say why a key is accepted or refused, in every phase and on both sides",
       .examples = {{"reeve explain key - < key.txt", "the key is read from standard input and appears nowhere"},
                    {"reeve explain key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "by its hash"},
                    {"reeve explain key - --from export:./estate < key.txt", "with the legacy side"}},
       .text = "64 hex digits are taken as a hash, anything else as a key. A key on the command line can be seen in the process list and "
               "stays in the shell's history: prefer -. Exit 5 when neither side knows the key.",
       .positional = {.name = "KEY|HASH|-", .help = "the key, its SHA-256 as hex, or - to read it from standard input",
                      .kind = Kind::kSecretText},
       .options = Join({{StoreOption("store", "to"), FromOption(false)}, SelectionOptions(), MappingOptions(), BigQueryOptions()})},
      {.path = "explain finding",
       .group = kCare,
       .summary = "Explain the code of a finding or the reason of a quarantined row",
       .examples = {{"reeve explain finding key_exposed", "what it means and what to do"}, {"reeve explain finding", "all of them"}},
       .text = "",
       .positional = {.name = "CODE", .help = "the code or reason; none: all", .required = false}},
  };
}

Command Export() {
  return {
      .path = "export",
      .group = kCare,
      .summary = "Write the seven tables as BigQuery-loadable files",
      .examples = {{"reeve export --out ./central", "one DIR/{table}.json each, sorted, and manifest.json"}},
      .text = "Newline-delimited JSON in the order of the keys: two equal stores give equal bytes. reeve migrate --from export:DIR "
              "reads it into another store.",
      .options = Join({{StoreOption("store", "to"),
                        {.name = "out", .value = "DIR", .kind = Kind::kDir, .help = "where to: DIR or export:DIR, absent or empty", .required = true},
                        DryRunOption()},
                       BigQueryOptions()}),
  };
}

Command Doctor() {
  return {
      .path = "doctor",
      .group = kCare,
      .summary = "Run the post-migration checklist, each line with its evidence",
      .examples = {{"reeve doctor", "sqlite:./reeve.db"},
                   {"reeve doctor --store sqlite:./central.db -o json", "for a program"},
                   {"reeve doctor --from bigquery:my-project --store bigquery:my-project/customers_metadata", "and whether the credentials will do"}},
      .text = "Changes nothing, unless --remove-strays is given. Exit 3 when a check failed; warnings and what cannot be known alone give 0.\n"
              "Of BigQuery it also says which credentials are used and what they may do, and finds staging tables that a run left when it died. With --from, "
              "the estate is looked at too.",
      .options = Join({{StoreOption("store", "to"), FromOption(false),
                        {.name = "remove-strays", .help = "remove staging tables that dead runs left in BigQuery"}},
                       BigQueryOptions()}),
  };
}

std::vector<Command> SchemaCommands() {
  return {
      {.path = "schema print",
       .group = kCare,
       .summary = "Print the statements that make the central dataset",
       .examples = {{"reeve schema print --engine bigquery --dataset my-project.customers_metadata", "for bq query"},
                    {"reeve schema print --engine postgres --with-policies", "with row-level security"}},
       .text = "The statements are idempotent.",
       .options = {{.name = "engine", .value = "ENGINE", .kind = Kind::kChoice, .help = "default sqlite", .choices = {"sqlite", "postgres", "bigquery"}},
                   {.name = "dataset", .value = "NAME", .kind = Kind::kText,
                    .help = "dataset (BigQuery) or schema (PostgreSQL); default customers_metadata"},
                   {.name = "with-policies", .help = "row access policies too"},
                   {.name = "with-own", .help = "the tables of reeve itself too"}}},
      {.path = "schema apply",
       .group = kCare,
       .summary = "Make the tables and indexes that are missing",
       .examples = {{"reeve schema apply --to sqlite:./central.db", "makes the store if there is none"}},
       .text = "Idempotent. A table with other columns than declared is refused, never altered.",
       .options = Join({{StoreOption("to", "store"), DryRunOption()}, BigQueryOptions()})},
      {.path = "schema check",
       .group = kCare,
       .summary = "Compare the store's tables with the declared ones",
       .examples = {{"reeve schema check && echo equal", "exit 3 when they differ"}},
       .text = "Changes nothing.",
       .options = Join({{StoreOption("to", "store")}, BigQueryOptions()})},
  };
}

std::vector<Command> AboutCommands() {
  return {
      {.path = "config show",
       .group = kAbout,
       .summary = "Show every setting",
       .examples = {{"reeve config show --origin", "and where each value comes from"}},
       .text = "Secrets are never shown, only whether they are set.",
       .options = {{.name = "origin", .help = "where each value comes from"}}},
      {.path = "completion",
       .group = kAbout,
       .summary = "Print the completion script of a shell",
       .examples = {{"source <(reeve completion bash)", "this shell only"},
                    {"reeve completion bash > /etc/bash_completion.d/reeve", "for everybody"},
                    {"reeve completion fish > ~/.config/fish/completions/reeve.fish", "fish"}},
       .text = "",
       .positional = {.name = "SHELL", .help = "bash, zsh or fish", .kind = Kind::kChoice, .choices = {"bash", "zsh", "fish"}}},
      {.path = "man",
       .group = kAbout,
       .summary = "Print the manual page",
       .examples = {{"reeve man | man -l -", "read it"}, {"reeve man > /usr/local/share/man/man1/reeve.1", "install it"}},
       .text = ""},
      {.path = "version",
       .group = kAbout,
       .summary = "Print the version",
       .examples = {{"reeve version -o json", "for a program"}},
       .text = ""},
      {.path = "help",
       .group = kAbout,
       .summary = "Explain a command or a topic",
       .examples = {{"reeve help migrate", "a command"}, {"reeve help exit-codes", "a topic"}},
       .text = "",
       .positional = {.name = "TOPIC", .help = "a command or a topic", .required = false, .repeatable = true}},
      {.path = "__complete", .group = kAbout, .summary = "Print completions of the words given", .examples = {}, .text = "",
       .positional = {.name = "WORD", .required = false, .repeatable = true}, .hidden = true},
      {.path = "__docs", .group = kAbout, .summary = "Print docs/cli.md", .examples = {}, .text = "", .hidden = true},
  };
}

std::vector<Command> MakeCommands() {
  std::vector<Command> commands = {Sample(), Plan(), Backup(), Migrate(), Status(), Verify(), Rollback(), Restore()};
  const auto add = [&](std::vector<Command> more) { commands.insert(commands.end(), more.begin(), more.end()); };
  add(ServingCommands());
  add({Doctor()});
  add(ExplainCommands());
  add(RepairCommands());
  add({Export()});
  add(SchemaCommands());
  add(AboutCommands());
  return commands;
}

}  // namespace

std::span<const Command> Commands() {
  static const std::vector<Command> commands = MakeCommands();
  return commands;
}

std::span<const Option> GlobalOptions() {
  static const std::vector<Option> options = {
      {.name = "output", .value = "FORMAT", .kind = Kind::kChoice, .help = "table for people, json for programs", .letter = 'o',
       .setting = "output", .choices = {"table", "json"}},
      {.name = "json", .help = "the same as --output json"},
      {.name = "quiet", .help = "no progress and no remarks; results and errors stay", .letter = 'q', .setting = "quiet"},
      {.name = "yes", .help = "go ahead without asking", .letter = 'y'},
      {.name = "progress", .value = "HOW", .kind = Kind::kChoice,
       .help = "auto, plain (a line every ten seconds), json (JSON lines) or none", .setting = "progress",
       .choices = {"auto", "plain", "json", "none"}},
      {.name = "color", .value = "WHEN", .kind = Kind::kChoice, .help = "auto, always or never", .setting = "color",
       .choices = {"auto", "always", "never"}},
      {.name = "no-color", .help = "the same as --color never"},
      {.name = "config", .value = "FILE", .kind = Kind::kFile, .help = "read settings from this file (see reeve help environment)"},
      {.name = "help", .help = "explain the command", .letter = 'h'},
      {.name = "version", .help = "print the version", .letter = 'V'},
  };
  return options;
}

}  // namespace reeve::cli
