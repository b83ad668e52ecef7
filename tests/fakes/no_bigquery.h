// A bigquery::Client without a server behind it: every call fails, and is counted. For code that must not need one. Not safe for concurrent use.
#pragma once

#include "drivers/bigquery/client.h"

namespace reeve {

class NoBigQuery final : public bigquery::Client {
 public:
  Result<std::vector<bigquery::DatasetInfo>> ListDatasets(const std::string&) override { return Refuse(); }
  Result<std::optional<bigquery::DatasetInfo>> FindDataset(const std::string&, const std::string&) override { return Refuse(); }
  Result<bigquery::DatasetInfo> EnsureDataset(const bigquery::DatasetInfo&) override { return Refuse(); }
  Result<std::vector<std::string>> ListTables(const std::string&, const std::string&, std::vector<std::string>*) override { return Refuse(); }
  Result<std::optional<bigquery::TableInfo>> FindTable(const bigquery::TableId&) override { return Refuse(); }
  Result<bigquery::TableInfo> InsertTable(const bigquery::TableSpec&) override { return Refuse(); }
  Result<bigquery::TableInfo> PatchTable(const bigquery::TableSpec&, const std::string&) override { return Refuse(); }
  Result<> DeleteTable(const bigquery::TableId&) override { return Refuse(); }
  Result<> ReadTable(const bigquery::TableInfo&, std::span<const std::string>, const bigquery::VisitRow&) override { return Refuse(); }
  Result<bigquery::JobResult> Query(const bigquery::QuerySpec&, bigquery::Schema*, const bigquery::VisitRow&) override { return Refuse(); }
  Result<bigquery::JobResult> Execute(const bigquery::QuerySpec&) override { return Refuse(); }
  Result<std::optional<uint64_t>> DryRun(const bigquery::QuerySpec&) override { return Refuse(); }
  Result<bigquery::JobResult> Load(const bigquery::LoadSpec&, const bigquery::UploadSource&) override { return Refuse(); }
  Result<> Cancel(const std::string&, const std::string&) override { return Refuse(); }
  bigquery::WireCounts counts() const override { return {.api_calls = calls_}; }
  const bigquery::ClientOptions& options() const override { return options_; }

 private:
  Unexpected Refuse() {
    ++calls_;
    return Fail(Code::kFailed, "no BigQuery here");
  }
  bigquery::ClientOptions options_;
  uint64_t calls_ = 0;
};

}  // namespace reeve
