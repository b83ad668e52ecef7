// The central dataset in BigQuery: `bigquery:PROJECT/DATASET`.
//
// Merges are planned on this side, over a copy of what the dataset holds, and carried out by one load into a staging table and one script: see
// docs/adr/0011. BigQuery enforces no key: what the catalog says is unique is checked before it is staged, and CheckIntegrity looks for the rest.
// Readers see copies that they read from BigQuery when they first touch a table, in files of `spool_dir` that go with their owner.
// Thread rules are those of CentralSink. Not for serving.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "drivers/bigquery/client.h"
#include "env/clock.h"
#include "env/entropy.h"
#include "env/files.h"
#include "store/bigquery/dataset_tables.h"
#include "store/central_sink.h"

namespace reeve::store {

struct BigQueryStoreOptions {
  std::string project;
  std::string dataset;         // [A-Za-z0-9_]+
  std::string location;        // where a new dataset is made; empty: the server's default. An existing one keeps its own
  bool create = false;         // the dataset and its tables are made if they are absent; otherwise kStoreMissing
  std::string holder;          // what others are told while this one writes: "reeve migrate, pid 17 on host, since …"
  std::string spool_dir;       // an existing directory of this user's for the copies; must have room for the dataset
  // Of the run's own files. PATH.lock is held while the sink lives, and PATH.seat tells a run that died here, whose lock on the dataset is taken over at
  // once, from one that may be alive elsewhere. Empty: neither; then the lock of a dead run ends by itself, after kLease.
  std::string state_path;
  bool keep_strays = false;    // opening for writing does not remove the rows that dead runs left staged: for who wants to see them first
};

class BigQuerySink : public CentralSink {
 public:
  // Staged rows: between two merges of the run that has the lock they belong to nobody.
  [[nodiscard]] virtual Result<std::vector<Stray>> FindStrays() = 0;
  // Removes them; from how many tables.
  [[nodiscard]] virtual Result<uint64_t> RemoveStrays() = 0;
};

// Opens the dataset for writing. kLocked, naming the holder, while another process writes; kStoreMissing if the dataset is absent or holds none of
// our tables (without `create`); kRefused if it lies in another location or a newer reeve made it; kAuthNeeded, kFailed as the client. Rows
// that dead runs left staged are removed. All arguments but `options` outlive the sink and its readers.
[[nodiscard]] Result<std::unique_ptr<BigQuerySink>> OpenBigQuerySink(bigquery::Client& client, Files& files, Clock& clock, Entropy& entropy,
                                                                     const BigQueryStoreOptions& options);

// Opens it for reading, without the lock: also while another process writes. Each table is as it was when it was first touched. Errors as above,
// without kLocked. `client`, `files` and `entropy` outlive the reader.
[[nodiscard]] Result<std::unique_ptr<CentralReader>> OpenBigQueryReader(bigquery::Client& client, Files& files, Entropy& entropy,
                                                                        const BigQueryStoreOptions& options);

// FindStrays without the lock, for doctor: those of a run that is at work are among them.
[[nodiscard]] Result<std::vector<Stray>> FindBigQueryStrays(bigquery::Client& client, const BigQueryStoreOptions& options);

}  // namespace reeve::store
