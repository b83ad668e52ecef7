// BatchReader: reads the tables of a batch from BigQuery into a spool file, whatever it takes: halves what is too large for one query, sets tables aside that cannot
// be read, reads a table by tabledata.list where no query can. One table's fault costs that table only.
//
// Safe from any thread; a batch is read by the thread that asks.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "drivers/bigquery/client.h"
#include "legacy/bigquery/read_batch.h"
#include "legacy/bigquery/row_text.h"
#include "legacy/bigquery/spool.h"

namespace reeve::legacy {

// For whom rows are read. Each reads BigQuery by jobs of its own and makes its text by code of its own.
enum class ReadPath : uint8_t { kCopier, kVerifier };
[[nodiscard]] std::string_view NameOf(ReadPath path);

// What came of one table.
struct ReadTable {
  std::optional<Error> error;
  std::shared_ptr<SpoolFile> file;
  std::vector<SpoolRun> runs;
};

class BatchReader {
 public:
  struct Settings {
    std::string project;  // of the estate
    std::string run;      // makes the names of jobs differ from those of other runs, where rows are read as they are
    bool use_instant = true;
  };
  // All outlive it.
  BatchReader(bigquery::Client& client, SpoolDirectory& spool, Settings settings)
      : client_(client), spool_(spool), settings_(std::move(settings)), instant_known_(settings_.use_instant) {}

  // One outcome per table of the batch. `instant`: of which the rows are to be, if the engine can; nullopt: as they are.
  [[nodiscard]] std::vector<ReadTable> Read(ReadPath path, const ReadBatch& batch, std::optional<Micros> instant);
  // How many tables the next batch may have.
  [[nodiscard]] size_t TablesAtOnce();
  // False once the engine said that it cannot read rows of an instant.
  [[nodiscard]] bool reads_at_instant() const { return instant_known_; }

 private:
  struct Work;
  void ReadTables(Work* work, std::vector<size_t> tables);
  // After a query of `tables` failed: which of them to try again. The others have their outcome.
  [[nodiscard]] std::vector<size_t> Settle(Work* work, std::vector<size_t> tables, const Error& error);
  [[nodiscard]] Result<> RunQuery(Work* work, const std::vector<size_t>& tables);
  [[nodiscard]] Result<> ReadByPages(Work* work, size_t table);
  [[nodiscard]] std::string JobId(ReadPath path, std::optional<Micros> instant, std::string_view sql);

  bigquery::Client& client_;
  SpoolDirectory& spool_;
  const Settings settings_;
  std::atomic<bool> instant_known_;
  std::atomic<uint64_t> jobs_ = 0;  // of rows as they are: each is a new one

  std::mutex mu_;
  BatchSize size_;  // guarded by mu_
};

}  // namespace reeve::legacy
