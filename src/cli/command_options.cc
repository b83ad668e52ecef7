#include "cli/command_options.h"

namespace reeve::cli {

Option FromOption(bool required) {
  return {.name = "from", .value = "ESTATE", .kind = Kind::kEstate,
          .help = "the legacy estate: export:DIR, bigquery:PROJECT or sqlite:FILE (see reeve help estates)", .setting = "from",
          .required = required};
}

Option StoreOption(std::string_view name, std::string_view alias) {
  return {.name = name, .value = "STORE", .kind = Kind::kStore,
          .help = "the central store: sqlite:FILE or bigquery:PROJECT/DATASET (see reeve help stores)", .alias = alias, .setting = "store"};
}

Option DryRunOption() {
  return {.name = "dry-run", .help = "say what would be done and change nothing", .letter = 'n'};
}

Option DetailsOption(std::string_view help) { return {.name = "details", .help = help}; }

std::vector<Option> TenantOptions() {
  return {
      {.name = "tenants", .value = "FILE", .kind = Kind::kFile,
       .help = "names that are tenants whatever their datasets look like, one a line, # begins a comment",
       .setting = "tenants_file"},
      {.name = "only", .value = "TENANT", .kind = Kind::kTenant, .help = "this tenant only; may be repeated",
       .repeatable = true},
  };
}

std::vector<Option> SelectionOptions() {
  std::vector<Option> options = TenantOptions();
  options.push_back(
      {.name = "limit", .value = "N", .kind = Kind::kCount, .help = "at most N tenants, in order of their names; 0 is all"});
  return options;
}

std::vector<Option> MappingOptions() {
  return {
      {.name = "plans", .value = "FILE", .kind = Kind::kFile,
       .help = "plans and what each tenant has of them, as TOML (see reeve help plans)", .setting = "plans_file"},
      {.name = "default-plan", .value = "NAME", .kind = Kind::kText,
       .help = "the plan of a tenant that names none", .setting = "default_plan"},
      {.name = "usage-months", .value = "N", .kind = Kind::kCount,
       .help = "months of usage to keep, this month included", .setting = "usage_months", .min = 1, .max = 120},
      {.name = "abandoned-after", .value = "DURATION", .kind = Kind::kDuration,
       .help = "a run open for longer is abandoned, not running (24h, 90m, 2d)", .setting = "abandoned_after"},
      {.name = "as-of", .value = "TIME", .kind = Kind::kTime,
       .help = "the instant of the migration, UTC (2026-11-22T18:00:00Z, 2026-11-22); default: that of the unfinished "
               "run, else now"},
      {.name = "api-key-column-holds-hash",
       .help = "64 hex digits in a column api_key are a hash, not a key", .setting = "api_key_column_holds_hash"},
      {.name = "workers", .value = "N", .kind = Kind::kCount,
       .help = "threads that read and map; 0 is one per processor", .setting = "workers", .max = 256},
  };
}

std::vector<Option> BigQueryOptions() {
  return {
      {.name = "bigquery-location", .value = "LOCATION", .kind = Kind::kText, .help = "where datasets are made in BigQuery (EU, europe-west1)",
       .setting = "bigquery_location"},
      {.name = "billing-project", .value = "PROJECT", .kind = Kind::kText, .help = "the project that BigQuery's jobs run in; default: that of the URL",
       .setting = "billing_project"},
      {.name = "maximum-bytes-billed", .value = "BYTES", .kind = Kind::kCount, .help = "BigQuery refuses a query that would bill more; 0 is no limit",
       .setting = "maximum_bytes_billed"},
      {.name = "spool-dir", .value = "DIR", .kind = Kind::kDir, .help = "for rows on their way from BigQuery; default TMPDIR, else /var/tmp",
       .setting = "spool_dir"},
      {.name = "state-dir", .value = "DIR", .kind = Kind::kDir, .help = "for journal and dead letters of a store in BigQuery",
       .setting = "state_dir"},
  };
}

std::vector<Option> Join(std::initializer_list<std::vector<Option>> lists) {
  std::vector<Option> joined;
  for (const std::vector<Option>& list : lists) joined.insert(joined.end(), list.begin(), list.end());
  return joined;
}

}  // namespace reeve::cli
