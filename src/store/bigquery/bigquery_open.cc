#include "store/bigquery/bigquery_open.h"

#include "base/encoding.h"
#include "store/bigquery/dataset_reader.h"
#include "store/bigquery/merge_script.h"

namespace reeve::store {
namespace {

constexpr uint64_t kSeatBytesMax = 100;

Unexpected MissingDataset(const DatasetName& name) {
  return FailWithHint(Code::kStoreMissing, fmt::format("there is no reeve store at {}", name.Url()),
                      "check the project and dataset given with --to or --store; `reeve migrate` and `reeve schema apply` make a new one");
}

Result<DatasetName> CheckName(const BigQueryStoreOptions& options) {
  if (!bigquery::IsProjectId(options.project) || !bigquery::IsIdentifier(options.dataset)) {
    return FailWithHint(Code::kUsage, fmt::format("bigquery:{}/{} names no dataset", options.project, options.dataset),
                        "write bigquery:PROJECT/DATASET; a dataset is named with letters, digits and underscores");
  }
  return DatasetName{options.project, options.dataset};
}

Result<bigquery::DatasetInfo> FindOrMake(bigquery::Client& client, const DatasetName& name, const BigQueryStoreOptions& options) {
  if (options.create) return client.EnsureDataset({name.project, name.dataset, options.location, {}});
  REEVE_ASSIGN(auto found, client.FindDataset(name.project, name.dataset));
  if (!found) return MissingDataset(name);
  if (!options.location.empty() && AsciiUpper(options.location) != AsciiUpper(found->location)) {
    return FailWithHint(Code::kRefused, fmt::format("{} lies in {}, not in {}", name.Url(), found->location, options.location),
                        "leave the location out, or name another dataset");
  }
  return std::move(*found);
}

// A random name of this place in the file system, made once: locks that carry it were taken by runs that held the same local lock.
Result<std::string> SeatOf(Files& files, Entropy& entropy, const std::string& path) {
  auto known = files.Read(path, kSeatBytesMax);
  if (known && HexDecode(*known) && !known->empty()) return known;
  if (!known && known.error().code != Code::kNotFound) return known;
  const std::string seat = HexEncode(entropy.Bytes(16));
  REEVE_TRY(files.WriteAtomic(path, seat));
  return seat;
}

}  // namespace

// Its errors are those of the dead run: what came of it is read back like all else. Only that it goes on must not be.
void SettleLeft(bigquery::Client& client, const DatasetName& dataset, const std::string& location, const std::optional<LockNote>& left) {
  if (!left) return;
  const auto script = ScriptFromDescription(dataset, left->script);
  if (!script) {
    (void)client.Cancel(left->job, location);
    return;
  }
  const auto ended = client.Execute({.job_id = left->job, .sql = *script, .location = location});
  if (!ended && ended.error().code == Code::kRefused) (void)client.Cancel(left->job, location);  // the script of another reeve
}

Result<OpenedDataset> OpenDatasetForWriting(bigquery::Client& client, Files& files, Clock& clock, Entropy& entropy, const BigQueryStoreOptions& options) {
  REEVE_ASSIGN(const DatasetName name, CheckName(options));
  OpenedDataset opened{name, {}, nullptr, nullptr, DatasetSchema(client, name), nullptr};
  std::string seat;
  if (!options.state_path.empty()) {
    REEVE_ASSIGN(opened.local_lock, files.Lock(options.state_path + ".lock", options.holder));
    REEVE_ASSIGN(seat, SeatOf(files, entropy, options.state_path + ".seat"));
  }
  REEVE_ASSIGN(const bigquery::DatasetInfo info, FindOrMake(client, name, options));
  opened.location = info.location;
  REEVE_TRY(opened.schema.List());
  REEVE_ASSIGN(const bool ours, opened.schema.IsOurs());
  if (!ours && !options.create) return MissingDataset(name);
  REEVE_ASSIGN(opened.lock, DatasetLock::Take(client, clock, entropy, name, options.holder, seat));
  SettleLeft(client, name, opened.location, opened.lock->TakeLeft());
  if (!options.keep_strays) {  // what is staged was so before the lock was ours: nobody waits for it
    REEVE_ASSIGN(const std::vector<Stray> left, opened.schema.Staged());
    for (const Stray& one : left) REEVE_TRY(opened.schema.DropStaging(one.table));
  }
  REEVE_ASSIGN(std::shared_ptr<Spool> spool, Spool::Open(files, entropy, options.spool_dir));
  opened.copies = std::make_shared<TableCopies>(client, std::move(spool), name, fmt::format("reeve-{}-read", opened.lock->token()));
  opened.copies->UseListing(opened.schema, opened.location);
  if (!ours) REEVE_TRY(opened.schema.Apply(*opened.copies));
  return opened;
}

Result<std::unique_ptr<CentralReader>> OpenBigQueryReader(bigquery::Client& client, Files& files, Entropy& entropy, const BigQueryStoreOptions& options) {
  REEVE_ASSIGN(const DatasetName name, CheckName(options));
  REEVE_ASSIGN(const auto info, client.FindDataset(name.project, name.dataset));
  if (!info) return MissingDataset(name);
  DatasetSchema schema(client, name);
  REEVE_TRY(schema.List());
  REEVE_ASSIGN(const bool ours, schema.IsOurs());
  if (!ours) return MissingDataset(name);
  REEVE_ASSIGN(std::shared_ptr<Spool> spool, Spool::Open(files, entropy, options.spool_dir));
  auto copies = std::make_shared<TableCopies>(client, std::move(spool), name, fmt::format("reeve-{}-read", HexEncode(entropy.Bytes(16))));
  copies->UseListing(schema, info->location);
  auto pin = copies->MakePin();
  return MakeDatasetReader(std::move(copies), std::move(pin));
}

Result<std::vector<Stray>> FindStagingTables(bigquery::Client& client, const DatasetName& dataset) {
  DatasetSchema schema(client, dataset);
  REEVE_TRY(schema.List());
  return schema.Staged();
}

Result<std::vector<Stray>> FindBigQueryStrays(bigquery::Client& client, const BigQueryStoreOptions& options) {
  REEVE_ASSIGN(const DatasetName name, CheckName(options));
  return FindStagingTables(client, name);
}

}  // namespace reeve::store
