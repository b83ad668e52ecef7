// TableFetcher: hands out the rows of one table, and reads hundreds of neighbours of it at once. Callers ask table by table, roughly in listing order, from many
// threads; the first that asks for a table nobody has read yet reads it together with those that will be asked for next, the others wait for it.
//
// Rows stay in the spool, so that who reads a table twice (the survey reads key tables, the copy reads them again) reads BigQuery once; but each path reads it anew.
// When the spool is over its limit, batches whose tables were all asked for are forgotten: first those that are not keys, the longest unused first; then those
// of keys, the last used first, since keys are read from beginning to end twice. What nobody asked for yet is kept: the limit is passed by at most
// a batch per path and kind. Safe from any thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "legacy/bigquery/batch_reader.h"
#include "legacy/bigquery/estate_catalog.h"

namespace reeve::legacy {

// Batches that are read at the same time; each has a buffer of kSpoolBufferBytes and a page of rows in memory.
inline constexpr int kBatchesAtOnce = 4;
// How far before the table that is wanted a batch may begin: other threads are about to ask for those.
inline constexpr size_t kTablesBefore = 64;
// Tables that are known to be in the spool, each some 400 bytes of memory; beyond it batches are forgotten as if the spool were full.
inline constexpr size_t kTablesKnownMax = 200'000;

class TableFetcher {
 public:
  // All outlive it.
  TableFetcher(BatchReader& reader, SpoolDirectory& spool, std::string project, uint64_t spool_bytes_max)
      : reader_(reader), spool_(spool), project_(std::move(project)), spool_bytes_max_(spool_bytes_max) {}

  // The rows of the table at `place`. REQUIRES: it has columns, and its names are identifiers
  [[nodiscard]] Result<std::unique_ptr<SpoolReader>> Open(ReadPath path, const EstateCatalog& catalog, TablePlace place);
  // The next Open reads it anew.
  void Forget(const std::string& dataset, const std::string& table);

 private:
  struct Batch;
  struct Slot {
    bool done = false;
    ReadTable table;                // once done
    std::shared_ptr<Batch> batch;
    bool asked = false;
  };
  struct Batch {
    std::vector<std::string> keys;  // of its slots
    size_t not_asked = 0;           // of them
    bool holds_keys = false;
    uint64_t used = 0;              // when last, by uses_
  };
  struct Plan {
    ReadBatch batch;
    std::vector<std::shared_ptr<Slot>> slots;  // of its tables
    std::optional<Micros> instant;
  };

  [[nodiscard]] Plan MakePlan(ReadPath path, const EstateCatalog& catalog, TablePlace place);
  void Fetch(ReadPath path, const Plan& plan);
  void Use(Slot* slot);
  void MakeRoom();
  void Drop(const Batch& batch);

  BatchReader& reader_;
  SpoolDirectory& spool_;
  const std::string project_;
  const uint64_t spool_bytes_max_;

  std::mutex mu_;
  std::condition_variable changed_;
  // All guarded by mu_.
  std::unordered_map<std::string, std::shared_ptr<Slot>> slots_;
  std::vector<std::shared_ptr<Batch>> batches_;       // that are read
  std::unordered_set<std::string> dropped_;           // keys that were in the spool before: read again only when asked for
  int fetching_ = 0;
  uint64_t uses_ = 0;
};

}  // namespace reeve::legacy
