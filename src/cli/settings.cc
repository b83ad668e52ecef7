#include "cli/settings.h"

#include <algorithm>

#include "base/encoding.h"
#include "cli/value.h"

namespace reeve::cli {
namespace {

Setting FromDefault(const SettingSpec& spec) {
  return {.spec = &spec, .value = std::string(spec.value), .is_set = !spec.value.empty(), .origin = Origin::kDefault, .where = "default"};
}

// The variable's value, if it is there and not empty.
std::optional<std::string> Variable(const Environment& environment, const std::string& name) {
  const auto it = environment.find(name);
  if (it == environment.end() || it->second.empty()) return std::nullopt;
  return it->second;
}

Result<Setting> FromEnvironment(Setting setting, const Environment& environment) {
  const std::string name = EnvironmentName(setting.spec->key);
  const auto plain = Variable(environment, name);
  if (!setting.spec->secret) {
    if (plain) setting.value = *plain, setting.is_set = true, setting.origin = Origin::kEnvironment, setting.where = name;
    return setting;
  }
  const auto file = Variable(environment, name + "_FILE");
  if (plain && file) return Fail(Code::kUsage, "{0} and {0}_FILE are both set", name);
  if (!plain && !file) return setting;
  setting.value = file.value_or("");
  setting.is_set = true;
  setting.origin = Origin::kEnvironment;
  setting.where = file ? name + "_FILE" : name;
  return setting;
}

Result<> Check(const Setting& setting) {
  if (!setting.is_set || setting.spec->secret) return {};
  const SettingSpec& spec = *setting.spec;
  return CheckValue(setting.origin == Origin::kFile ? fmt::format("{}: {}", setting.where, spec.key) : setting.where, setting.value,
                    {.kind = spec.kind, .choices = spec.choices, .min = spec.min, .max = spec.max});
}

}  // namespace

std::span<const SettingSpec> SettingSpecs() {
  static const std::vector<SettingSpec> specs = {
      {.key = "store", .flag = "--to, --store", .kind = Kind::kStore, .value = "sqlite:./reeve.db", .help = "the central store"},
      {.key = "from", .flag = "--from", .kind = Kind::kEstate, .help = "the legacy estate"},
      {.key = "output", .flag = "--output", .kind = Kind::kChoice, .value = "table", .help = "table or json", .choices = {"table", "json"}},
      {.key = "progress", .flag = "--progress", .kind = Kind::kChoice, .value = "auto", .help = "auto, plain, json or none",
       .choices = {"auto", "plain", "json", "none"}},
      {.key = "color", .flag = "--color", .kind = Kind::kChoice, .value = "auto", .help = "auto, always or never",
       .choices = {"auto", "always", "never"}},
      {.key = "quiet", .flag = "--quiet", .kind = Kind::kFlag, .value = "false", .help = "no progress and no remarks"},
      {.key = "tenants_file", .flag = "--tenants", .kind = Kind::kFile, .help = "names that are tenants whatever they look like"},
      {.key = "plans_file", .flag = "--plans", .kind = Kind::kFile, .help = "plans and what each tenant has of them"},
      {.key = "default_plan", .flag = "--default-plan", .kind = Kind::kText, .value = "professional", .help = "the plan of a tenant that names none"},
      {.key = "usage_months", .flag = "--usage-months", .kind = Kind::kCount, .value = "13", .help = "months of usage to keep", .min = 1, .max = 120},
      {.key = "abandoned_after", .flag = "--abandoned-after", .kind = Kind::kDuration, .value = "24h",
       .help = "a run open for longer is abandoned"},
      {.key = "api_key_column_holds_hash", .flag = "--api-key-column-holds-hash", .kind = Kind::kFlag, .value = "false",
       .help = "64 hex digits in a column api_key are a hash"},
      {.key = "workers", .flag = "--workers", .kind = Kind::kCount, .value = "0", .help = "threads that read; 0 is one per processor", .max = 256},
      {.key = "certificates", .flag = "--certificates", .kind = Kind::kDir, .help = "verify writes one certificate per tenant here"},
      {.key = "bigquery_location", .flag = "--bigquery-location", .kind = Kind::kText, .help = "where datasets are made in BigQuery: EU, US, europe-west1 …"},
      {.key = "billing_project", .flag = "--billing-project", .kind = Kind::kText, .help = "the project that BigQuery's jobs run in; default: that of the URL"},
      {.key = "maximum_bytes_billed", .flag = "--maximum-bytes-billed", .kind = Kind::kCount, .value = "0",
       .help = "a query that would bill more is refused by BigQuery; 0 is no limit"},
      {.key = "spool_dir", .flag = "--spool-dir", .kind = Kind::kDir, .help = "for rows on their way from BigQuery; default: TMPDIR, else /var/tmp"},
      {.key = "state_dir", .flag = "--state-dir", .kind = Kind::kDir, .value = ".", .help = "for journal and dead letters of a store in BigQuery"},
      {.key = "listen", .flag = "--listen", .kind = Kind::kText, .value = "127.0.0.1:8080", .help = "where serve answers"},
      {.key = "admin_listen", .flag = "--admin-listen", .kind = Kind::kText, .help = "where serve answers administrators, if elsewhere"},
      {.key = "admin_token_file", .flag = "--admin-token-file", .kind = Kind::kFile, .help = "digests of the admin tokens"},
      {.key = "tls_cert", .flag = "--tls-cert", .kind = Kind::kFile, .help = "certificate chain of serve, PEM"},
      {.key = "tls_key", .flag = "--tls-key", .kind = Kind::kFile, .help = "its private key, PEM"},
      {.key = "public_url", .flag = "--public-url", .kind = Kind::kText, .help = "how clients reach serve, for links in answers"},
      {.key = "threads", .flag = "--threads", .kind = Kind::kCount, .value = "1", .help = "event loops of serve", .min = 1, .max = 64},
      {.key = "backup_key", .flag = "--key", .kind = Kind::kFile, .help = "encryption key of backups", .secret = true},
  };
  return specs;
}

const SettingSpec* FindSetting(std::string_view key) {
  for (const SettingSpec& spec : SettingSpecs())
    if (spec.key == key) return &spec;
  return nullptr;
}

std::string EnvironmentName(std::string_view key) { return "REEVE_" + AsciiUpper(key); }

const Setting& Settings::Get(std::string_view key) const {
  const auto it = std::find_if(all_.begin(), all_.end(), [&](const Setting& setting) { return setting.spec->key == key; });
  REEVE_ASSERT(it != all_.end());
  return *it;
}

int64_t Settings::Count(std::string_view key) const {
  const auto number = ParseCount(Get(key).value);
  REEVE_ASSERT(number.has_value());
  return *number;
}

Micros Settings::Duration(std::string_view key) const {
  const auto duration = ParseDuration(Get(key).value);
  REEVE_ASSERT(duration.has_value());
  return *duration;
}

Result<Settings> ResolveSettings(const std::map<std::string, std::string>& flags, const Environment& environment,
                                 const FileSettings* file) {
  Settings settings;
  for (const SettingSpec& spec : SettingSpecs()) {
    Setting setting = FromDefault(spec);
    if (file != nullptr) {
      const auto it = file->values.find(spec.secret ? fmt::format("{}_file", spec.key) : std::string(spec.key));
      if (it != file->values.end()) {
        setting.value = it->second.text;
        setting.is_set = true;
        setting.origin = Origin::kFile;
        setting.where = fmt::format("{}:{}", file->name, it->second.line);
        REEVE_TRY(Check(setting));  // also when something else wins: a wrong file is mended sooner
      }
    }
    REEVE_ASSIGN(setting, FromEnvironment(std::move(setting), environment));
    if (const auto it = flags.find(std::string(spec.key)); it != flags.end()) {
      setting.value = it->second;
      setting.is_set = true;
      setting.origin = Origin::kFlag;
      setting.where = spec.flag;
    }
    REEVE_TRY(Check(setting));
    settings.all_.push_back(std::move(setting));
  }
  return settings;
}

std::vector<std::string> UnknownVariables(const Environment& environment) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("REEVE_") || name == "REEVE_CONFIG") continue;
    const std::string& variable = name;  // lambdas cannot capture a structured binding in clang 14
    const bool known = std::any_of(SettingSpecs().begin(), SettingSpecs().end(), [&](const SettingSpec& spec) {
      const std::string own = EnvironmentName(spec.key);
      return variable == own || (spec.secret && variable == own + "_FILE");
    });
    if (!known) unknown.push_back(name);
  }
  return unknown;
}

}  // namespace reeve::cli
