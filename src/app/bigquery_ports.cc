#include "app/bigquery_ports.h"

#include <algorithm>

#include "app/bigquery_access.h"
#include "base/encoding.h"
#include "cli/text.h"
#include "legacy/bigquery/bigquery_estate.h"

namespace reeve::app {
namespace {

// Somebody waits before a terminal for a server on the same machine: what does not answer there will not.
constexpr Micros kLocalPatience = 20 * kSecond;

std::string Variable(const cli::Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::string EndpointOf(std::string_view host) {
  if (host.empty()) return {};
  std::string endpoint(host.find("://") == std::string_view::npos ? "http://" : "");
  endpoint += host;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

// Labels are lower-case letters, digits, '-' and '_'.
std::string LabelOf(std::string_view command) {
  std::string label = AsciiLower(command);
  std::replace_if(label.begin(), label.end(), [](char c) { return (c < 'a' || c > 'z') && (c < '0' || c > '9'); }, '-');
  return label;
}

}  // namespace

BigQueryChoices ChoicesOf(const cli::Settings& settings, const cli::Environment& environment, std::string_view command) {
  BigQueryChoices choices;
  choices.endpoint = EndpointOf(Variable(environment, "BIGQUERY_EMULATOR_HOST"));
  choices.credentials.application_credentials = Variable(environment, "GOOGLE_APPLICATION_CREDENTIALS");
  choices.credentials.cloudsdk_config = Variable(environment, "CLOUDSDK_CONFIG");
  choices.credentials.home = Variable(environment, "HOME");
  choices.credentials.metadata_host = Variable(environment, "GCE_METADATA_HOST");
  choices.credentials.no_gce_check = AsciiLower(Variable(environment, "NO_GCE_CHECK")) == "true";
  choices.credentials.quota_project = Variable(environment, "GOOGLE_CLOUD_QUOTA_PROJECT");
  choices.location = settings.Text("bigquery_location");
  choices.billing_project = settings.Text("billing_project");
  choices.maximum_bytes_billed = static_cast<uint64_t>(settings.Count("maximum_bytes_billed"));
  if (const std::string temporary = Variable(environment, "TMPDIR"); !temporary.empty()) choices.spool_dir = temporary;
  if (settings.IsSet("spool_dir")) choices.spool_dir = settings.Text("spool_dir");
  choices.state_dir = settings.Text("state_dir");
  choices.command = LabelOf(command);
  return choices;
}

Result<StoreName> ParseBigQueryStore(std::string_view text) {
  const size_t slash = text.find('/');
  const StoreName name{std::string(text.substr(0, slash)), std::string(slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1))};
  if (bigquery::IsProjectId(name.project) && bigquery::IsIdentifier(name.dataset)) return name;
  return FailWithHint(Code::kUsage, fmt::format("bigquery:{} names no store", cli::Printable(text)),
                      "bigquery:PROJECT/DATASET, for example bigquery:my-project/customers_metadata; see reeve help stores");
}

Result<std::shared_ptr<bigquery::Client>> BigQueryPorts::Connect(const std::string& project) {
  const std::string& billed = choices_.billing_project.empty() ? project : choices_.billing_project;
  if (const auto found = clients_.find(billed); found != clients_.end()) return found->second;
  if (http_ == nullptr) http_ = net::MakeCurlClient();
  bigquery::ClientOptions options;
  if (choices_.endpoint.empty()) {
    if (credentials_ == nullptr) {
      REEVE_ASSIGN(credentials_, bigquery::FindCredentials(choices_.credentials, files_, *http_, clock_));
    }
    options.quota_project = choices_.credentials.quota_project.empty() ? credentials_->QuotaProject() : choices_.credentials.quota_project;
  } else {
    options.endpoint = choices_.endpoint;
    options.patience = kLocalPatience;
  }
  options.billing_project = billed;
  options.maximum_bytes_billed = choices_.maximum_bytes_billed;
  if (!choices_.command.empty()) options.labels = {{"reeve", choices_.command}};
  std::shared_ptr<bigquery::Client> client = bigquery::MakeClient(options, *http_, credentials_.get(), clock_, entropy_);
  clients_[billed] = client;
  return client;
}

Result<std::unique_ptr<legacy::LegacyEstate>> BigQueryPorts::OpenEstate(std::string_view rest) {
  REEVE_ASSIGN(legacy::BigQueryEstateOptions options, legacy::ParseBigQueryEstate(rest));
  options.new_location = choices_.location;
  options.spool_dir = choices_.spool_dir;
  REEVE_ASSIGN(std::shared_ptr<bigquery::Client> client, Connect(options.project));
  return legacy::OpenBigQueryEstate(std::move(options), std::move(client), files_, clock_, entropy_);
}

store::BigQueryStoreOptions BigQueryPorts::StoreOptions(const StoreName& name) const {
  store::BigQueryStoreOptions options;
  options.project = name.project;
  options.dataset = name.dataset;
  options.location = choices_.location;
  options.spool_dir = choices_.spool_dir;
  return options;
}

Result<std::unique_ptr<store::CentralSink>> BigQueryPorts::OpenStore(std::string_view rest, bool create, std::string_view command, const std::string& holder) {
  REEVE_ASSIGN(const StoreName name, ParseBigQueryStore(rest));
  REEVE_ASSIGN(const std::shared_ptr<bigquery::Client> client, Connect(name.project));
  store::BigQueryStoreOptions options = StoreOptions(name);
  options.create = create;
  options.holder = holder;
  options.keep_strays = command == "doctor";
  REEVE_ASSIGN(options.state_path, StatePath(rest));
  if (create) REEVE_TRY(files_.MakeDirs(choices_.state_dir));
  return store::OpenBigQuerySink(*client, files_, clock_, entropy_, options);
}

Result<std::unique_ptr<store::CentralReader>> BigQueryPorts::OpenStoreReader(std::string_view rest) {
  REEVE_ASSIGN(const StoreName name, ParseBigQueryStore(rest));
  REEVE_ASSIGN(const std::shared_ptr<bigquery::Client> client, Connect(name.project));
  return store::OpenBigQueryReader(*client, files_, entropy_, StoreOptions(name));
}

Result<std::string> BigQueryPorts::StatePath(std::string_view rest) const {
  REEVE_ASSIGN(const StoreName name, ParseBigQueryStore(rest));
  std::string project = name.project;
  std::replace(project.begin(), project.end(), ':', '_');
  return fmt::format("{}/reeve-{}-{}", choices_.state_dir, project, name.dataset);
}

std::string BigQueryPorts::DescribeCredentials() const {
  if (credentials_ != nullptr) return credentials_->Describe();
  return fmt::format("none: BIGQUERY_EMULATOR_HOST names {}", choices_.endpoint);
}

Result<std::vector<migrate::Check>> BigQueryPorts::CheckEstate(std::string_view rest, bool remove_strays) {
  REEVE_ASSIGN(const legacy::BigQueryEstateOptions options, legacy::ParseBigQueryEstate(rest));
  REEVE_ASSIGN(const std::shared_ptr<bigquery::Client> client, Connect(options.project));
  return CheckEstateAccess(*client, options.project, DescribeCredentials(), remove_strays);
}

Result<std::vector<migrate::Check>> BigQueryPorts::CheckStore(std::string_view rest, bool remove_strays) {
  REEVE_ASSIGN(const StoreName name, ParseBigQueryStore(rest));
  REEVE_ASSIGN(const std::shared_ptr<bigquery::Client> client, Connect(name.project));
  Result<std::vector<store::Stray>> found = store::FindBigQueryStrays(*client, StoreOptions(name));
  if (!found && found.error().code != Code::kNotFound) return Unexpected(std::move(found).error());
  const std::vector<store::Stray> strays = found ? std::move(*found) : std::vector<store::Stray>();  // no dataset, no strays
  if (remove_strays && !strays.empty()) {  // the lock says that they belong to nobody, and opening removes them
    const std::string holder = fmt::format("reeve doctor, since {}", FormatRfc3339(clock_.Now()));
    REEVE_TRY(OpenStore(rest, false, "doctor --remove-strays", holder));
  }
  return CheckStoreAccess(*client, name.project, name.dataset, DescribeCredentials(), strays, remove_strays);
}

std::optional<migrate::WireUse> BigQueryPorts::Used() const {
  if (clients_.empty()) return std::nullopt;
  migrate::WireUse use{.engine = "BigQuery"};
  for (const auto& [project, client] : clients_) {
    const bigquery::WireCounts counts = client->counts();
    use.jobs += counts.query_jobs + counts.load_jobs;
    use.api_calls += counts.api_calls;
    use.retries += counts.retries;
    use.bytes_billed += counts.bytes_billed;
    use.bytes_sent += counts.bytes_sent;
    use.bytes_received += counts.bytes_received;
  }
  return use;
}

}  // namespace reeve::app
