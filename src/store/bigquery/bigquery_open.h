// Opening a central dataset: is it there, is it ours, who else writes it. Errors are those of bigquery_sink.h. Not safe for concurrent use.
#pragma once

#include <memory>
#include <string>

#include "store/bigquery/bigquery_sink.h"
#include "store/bigquery/dataset_lock.h"
#include "store/bigquery/dataset_schema.h"
#include "store/bigquery/table_copies.h"

namespace reeve::store {

// What a sink is made of. The local lock goes last, after that of the dataset.
struct OpenedDataset {
  DatasetName name;
  std::string location;
  std::unique_ptr<FileLock> local_lock;
  std::unique_ptr<DatasetLock> lock;
  DatasetSchema schema;
  std::shared_ptr<TableCopies> copies;
};

[[nodiscard]] Result<OpenedDataset> OpenDatasetForWriting(bigquery::Client& client, Files& files, Clock& clock, Entropy& entropy,
                                                          const BigQueryStoreOptions& options);

// Brings what a dead run had at work to its end: waits for its script, or runs it again, which changes nothing the second time. For right after its lock
// was taken over.
void SettleLeft(bigquery::Client& client, const DatasetName& dataset, const std::string& location, const std::optional<LockNote>& left);

[[nodiscard]] Result<std::vector<Stray>> FindStagingTables(bigquery::Client& client, const DatasetName& dataset);

}  // namespace reeve::store
