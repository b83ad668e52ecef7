// The BigQuery side of the ports: URLs, credentials, clients, prices. One client per billing project serves estate and store together, so that its limits and
// counts are of the whole command. Not safe for concurrent use; what it hands out is as safe as its port says, and must not outlive it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/session.h"
#include "drivers/bigquery/client.h"
#include "drivers/bigquery/credentials.h"
#include "store/bigquery/bigquery_sink.h"

namespace reeve::app {

struct BigQueryChoices {
  std::string endpoint;            // "http://127.0.0.1:9050" of BIGQUERY_EMULATOR_HOST, where nobody asks for credentials; empty: Google's
  bigquery::CredentialEnvironment credentials;
  std::string location, billing_project;
  uint64_t maximum_bytes_billed = 0;
  std::string spool_dir = "/var/tmp", state_dir = ".";
  std::string command;             // label of every job
};
// From settings and Google's own variables.
[[nodiscard]] BigQueryChoices ChoicesOf(const cli::Settings& settings, const cli::Environment& environment, std::string_view command);

struct StoreName {
  std::string project, dataset;
};
// "PROJECT/DATASET", the part of a URL after "bigquery:". kUsage says what is wrong.
[[nodiscard]] Result<StoreName> ParseBigQueryStore(std::string_view text);

class BigQueryPorts {
 public:
  // All outlive it.
  BigQueryPorts(Files& files, Clock& clock, Entropy& entropy) : files_(files), clock_(clock), entropy_(entropy) {}

  void Configure(BigQueryChoices choices) { choices_ = std::move(choices); }

  // `rest`: the URL after "bigquery:".
  [[nodiscard]] Result<std::unique_ptr<legacy::LegacyEstate>> OpenEstate(std::string_view rest);
  [[nodiscard]] Result<std::unique_ptr<store::CentralSink>> OpenStore(std::string_view rest, bool create, std::string_view command, const std::string& holder);
  [[nodiscard]] Result<std::unique_ptr<store::CentralReader>> OpenStoreReader(std::string_view rest);
  // DIR/reeve-PROJECT-DATASET.
  [[nodiscard]] Result<std::string> StatePath(std::string_view rest) const;
  [[nodiscard]] Result<std::vector<migrate::Check>> CheckEstate(std::string_view rest, bool remove_strays);
  [[nodiscard]] Result<std::vector<migrate::Check>> CheckStore(std::string_view rest, bool remove_strays);
  // Of all clients; nullopt while there is none.
  [[nodiscard]] std::optional<migrate::WireUse> Used() const;

 private:
  // The client whose jobs run in the billing project, or else in `project`.
  [[nodiscard]] Result<std::shared_ptr<bigquery::Client>> Connect(const std::string& project);
  [[nodiscard]] store::BigQueryStoreOptions StoreOptions(const StoreName& name) const;
  [[nodiscard]] std::string DescribeCredentials() const;

  Files& files_;
  Clock& clock_;
  Entropy& entropy_;
  BigQueryChoices choices_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<bigquery::Credentials> credentials_;  // null: none are needed
  std::map<std::string, std::shared_ptr<bigquery::Client>> clients_;  // by billing project
};

}  // namespace reeve::app
