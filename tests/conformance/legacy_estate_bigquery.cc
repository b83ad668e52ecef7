#include "tests/conformance/legacy_estate_bigquery.h"

#include "legacy/bigquery/bigquery_estate.h"
#include "tests/fakes/bigquery_process.h"

namespace reeve::testing {
namespace {

class ServedEstate final : public legacy::LegacyEstate {
 public:
  ServedEstate(std::unique_ptr<BigqueryProcess> process, Files& files, const std::string& directory) : process_(std::move(process)) {
    bigquery::ClientOptions client;
    client.endpoint = process_->endpoint();
    client.billing_project = process_->project();
    client.patience = 3 * kSecond;  // what fails here fails for good
    legacy::BigQueryEstateOptions options;
    options.project = process_->project();
    options.new_location = "EU";
    options.spool_dir = directory;
    estate_ = legacy::OpenBigQueryEstate(options, bigquery::MakeClient(client, *http_, nullptr, *clock_, *entropy_), files, *clock_, *entropy_);
  }

  std::string Url() const override { return estate_->Url(); }
  Result<std::vector<legacy::Dataset>> List() override { return estate_->List(); }
  Result<std::unique_ptr<legacy::LineReader>> OpenLines(const legacy::LegacyTable& table, size_t part) override { return estate_->OpenLines(table, part); }
  Result<std::unique_ptr<legacy::RawReader>> OpenRaw(const legacy::LegacyTable& table, size_t part) override { return estate_->OpenRaw(table, part); }
  Result<> Replace(const std::string& dataset, const std::string& table, std::string_view lines) override { return estate_->Replace(dataset, table, lines); }
  Result<std::string> SchemaText(const legacy::LegacyTable& table) override { return estate_->SchemaText(table); }
  Result<> DeclareSchema(const std::string& dataset, const std::string& table, std::string_view json) override {
    return estate_->DeclareSchema(dataset, table, json);
  }

 private:
  const std::unique_ptr<BigqueryProcess> process_;
  const std::unique_ptr<net::HttpClient> http_ = net::MakeCurlClient();
  const std::unique_ptr<Clock> clock_ = MakeSystemClock();
  const std::unique_ptr<Entropy> entropy_ = MakeSystemEntropy();
  std::unique_ptr<legacy::LegacyEstate> estate_;
};

}  // namespace

std::unique_ptr<legacy::LegacyEstate> OpenBigQueryServer(BigQueryServer server, Files& files, const std::string& directory, std::string* why) {
  auto process = server == BigQueryServer::kFake ? BigqueryProcess::StartFake(why) : BigqueryProcess::StartEmulator(why);
  if (process == nullptr || !files.MakeDirs(directory)) return nullptr;
  return std::make_unique<ServedEstate>(std::move(process), files, directory);
}

}  // namespace reeve::testing
