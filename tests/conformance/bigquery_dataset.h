// A server with datasets of a test's own, and sinks over them. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "drivers/bigquery/client.h"
#include "net/http.h"
#include "store/bigquery/bigquery_sink.h"
#include "tests/conformance/central_sink_world.h"
#include "tests/fakes/bigquery_process.h"
#include "tests/fakes/fake_clock.h"

namespace reeve::store {

// The fake, one for the whole test program. nullptr, with `why`: no Python, skip.
inline testing::BigqueryProcess* SharedFake(std::string* why = nullptr) {
  static std::string reason;
  static const std::unique_ptr<testing::BigqueryProcess> fake = testing::BigqueryProcess::StartFake(&reason);
  if (why != nullptr) *why = reason;
  return fake.get();
}

// One dataset, and what is needed to open it. Each has a name of its own.
class TestDataset {
 public:
  explicit TestDataset(testing::BigqueryProcess& server) : server_(server) {
    static int number = 0;
    options_.project = server.project();
    options_.dataset = fmt::format("central{}", ++number);
    options_.location = "EU";
    options_.create = true;
    options_.holder = "reeve test, pid 17";
    options_.spool_dir = dir_.File("");
    bigquery::ClientOptions client;
    client.endpoint = server.endpoint();
    client.billing_project = server.project();
    client.patience = 60 * kSecond;
    clock_.Advance(wall_->Now() - clock_.Now());  // the server refuses what has expired before it is made
    client_ = bigquery::MakeClient(client, *http_, nullptr, *wall_, *entropy_);
  }

  Result<std::unique_ptr<BigQuerySink>> Open() { return Open(*client_); }
  Result<std::unique_ptr<BigQuerySink>> Open(bigquery::Client& client) { return OpenBigQuerySink(client, *files_, clock_, *entropy_, options_); }
  Result<std::unique_ptr<CentralReader>> OpenReader() { return OpenBigQueryReader(*client_, *files_, *entropy_, options_); }

  [[nodiscard]] BigQueryStoreOptions& options() { return options_; }
  [[nodiscard]] bigquery::Client& client() { return *client_; }
  [[nodiscard]] testing::BigqueryProcess& server() { return server_; }
  [[nodiscard]] testing::FakeClock& clock() { return clock_; }
  [[nodiscard]] Files& files() { return *files_; }
  [[nodiscard]] Entropy& entropy() { return *entropy_; }
  [[nodiscard]] std::string File(std::string_view name) const { return dir_.File(name); }
  [[nodiscard]] std::string Table(std::string_view name) const { return fmt::format("`{}.{}.{}`", options_.project, options_.dataset, name); }
  [[nodiscard]] std::vector<std::string> Tables() { return client_->ListTables(options_.project, options_.dataset, nullptr).value(); }

 private:
  testing::BigqueryProcess& server_;
  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Entropy> entropy_ = MakeSystemEntropy();
  std::unique_ptr<Clock> wall_ = MakeSystemClock();
  testing::FakeClock clock_;
  std::unique_ptr<net::HttpClient> http_ = net::MakeCurlClient();
  BigQueryStoreOptions options_;
  std::unique_ptr<bigquery::Client> client_;
};

}  // namespace reeve::store
