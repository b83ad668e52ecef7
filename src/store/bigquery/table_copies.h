// Copies of the dataset's tables in local files, and what a reader sees of them.
//
// A table is read from BigQuery when somebody first asks for it, whole, and again only after it was written. By tabledata.list, which costs nothing; or,
// where tables have no etag, all of them by one query: an engine that leaves that out of its answers is not trusted to tell tables of one name in two
// datasets apart (the emulator v0.8.1 lists the rows of whichever came first). A Pin is what one reader sees: every table as of one commit. Before a
// write, tables that a living pin has not asked for yet are read for it.
// Safe from any thread; the connections made here belong to one thread at a time.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "drivers/bigquery/client.h"
#include "store/bigquery/dataset_tables.h"
#include "store/bigquery/spool.h"
#include "store/bigquery/table_copy.h"

namespace reeve::store {

class DatasetSchema;

class TableCopies {
 public:
  // What one reader sees.
  class Pin {
   public:
    // The copy of `table`, read now if it was not before.
    [[nodiscard]] Result<TableCopy> Get(const catalog::Table& table) { return copies_->GetFor(this, table); }

   private:
    friend class TableCopies;
    explicit Pin(TableCopies* copies) : copies_(copies) {}
    TableCopies* copies_;
    std::map<const catalog::Table*, TableCopy> seen_;  // guarded by copies_->mu_
  };

  // `client` outlives this. `read_job`: what the ids of reading jobs begin with; no other process may use it.
  TableCopies(bigquery::Client& client, std::shared_ptr<Spool> spool, DatasetName dataset, std::string read_job)
      : client_(client), spool_(std::move(spool)), dataset_(std::move(dataset)), read_job_(std::move(read_job)) {}

  // A pin on the last commit. The copies outlive it. Waits, if it must, for a write to end.
  [[nodiscard]] std::shared_ptr<Pin> MakePin();
  // The copy of what the dataset holds now.
  [[nodiscard]] Result<TableCopy> Current(const catalog::Table& table);
  // Which tables there are, and where. REQUIRES: before anything is read
  void UseListing(const DatasetSchema& schema, const std::string& location);
  // The table is there and has no rows: it need not be read. `info` saves a look.
  void Learn(const catalog::Table& table, const bigquery::TableInfo& info, bool empty);

  // A write of `tables` begins: what living pins have not read of them is read now. On error nothing has begun.
  [[nodiscard]] Result<> BeginWrite(std::span<const catalog::Table* const> tables);
  // It has ended, somehow: what these tables hold is read anew.
  void EndWrite();
  // Nothing that is known counts any more: somebody else may have written.
  void Forget();

  [[nodiscard]] Spool& spool() { return *spool_; }

 private:
  [[nodiscard]] Result<TableCopy> GetFor(Pin* pin, const catalog::Table& table);
  [[nodiscard]] Result<TableCopy> CurrentLocked(const catalog::Table& table);
  [[nodiscard]] Result<TableCopy> ReadByPages(const catalog::Table& table, const bigquery::TableInfo& info);
  [[nodiscard]] Result<> ReadAllByQuery();
  // nullptr: there is no such table.
  [[nodiscard]] Result<const bigquery::TableInfo*> InfoOf(const catalog::Table& table);
  [[nodiscard]] bool CanPin() const;

  // Constant after construction.
  bigquery::Client& client_;
  const std::shared_ptr<Spool> spool_;
  const DatasetName dataset_;
  const std::string read_job_;

  std::mutex mu_;  // guards all below, and is held while a table is read
  std::condition_variable written_;
  struct State {
    TableCopy current;
    std::optional<bigquery::TableInfo> info;
    bool empty = false;  // known without reading
  };
  std::map<const catalog::Table*, State> tables_;
  std::set<std::string, std::less<>> names_;                 // of what was listed
  std::string location_;                                     // of the dataset
  bool has_etags_ = true;                                    // false: an answer came without
  std::vector<std::weak_ptr<Pin>> pins_;
  std::vector<const catalog::Table*> writing_;
  int reads_ = 0;
};

}  // namespace reeve::store
