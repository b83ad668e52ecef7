// Works out what a merge does to the dataset, before anything is sent: a working copy of its tables in a local file, merged by the same statements as the
// embedded store's, with the keys of all rows that change noted by triggers.
//
// So outcomes, counts and the words of conflicts are those of the embedded store. The working copy stays right for as long as nobody else writes the
// dataset, which the lock sees to; after any failure the planner is thrown away. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "drivers/sqlite/sqlite.h"
#include "store/bigquery/merge_script.h"
#include "store/bigquery/table_copies.h"
#include "store/central_sink.h"
#include "store/sqlite/sqlite_writer.h"

namespace reeve::store {

class MergePlanner {
 public:
  // `copies` outlives this.
  [[nodiscard]] static Result<std::unique_ptr<MergePlanner>> Make(TableCopies& copies);

  // Takes these tables into the working copy, if they are not there. REQUIRES: no plan is open
  [[nodiscard]] Result<> Load(std::span<const catalog::Table* const> tables);
  // The loaded tables that break a rule by which rows are told apart: nothing can be merged into them.
  [[nodiscard]] const std::set<const catalog::Table*>& broken() const { return broken_; }

  // Each opens a plan: as the methods of CentralSink. REQUIRES: what they touch is loaded, no plan is open
  [[nodiscard]] Result<std::vector<TenantResult>> Merge(std::span<const TenantWrite> batch);
  [[nodiscard]] Result<std::vector<TenantResult>> Erase(std::span<const TenantWrite> after);
  [[nodiscard]] Result<> Amend(std::span<const CentralSink::Deletion> deletions, std::span<const catalog::RowBatch> upserts);

  // ---- of the open plan

  // The tables that it changes, with reeve_exact_cells brought in step; call once.
  [[nodiscard]] Result<std::vector<ScriptTable>> Changes();
  // Calls `visit` with what is to be staged, in the same order each time; cells are valid during the call. Begins at Place{}, goes on where the last call
  // ended, at most `rows_max` rows at a time, until the place says that it is the end.
  using VisitStaged = std::function<void(const StagedRow& row)>;
  struct Place {
    size_t table = 0;
    bool deletions = false;
    int64_t after = 0;  // number of the last change that was visited
    bool end = false;
  };
  [[nodiscard]] Result<Place> VisitChanges(Place from, int rows_max, const VisitStaged& visit);
  // The dataset has it: the working copy keeps it too.
  [[nodiscard]] Result<> Commit();

 private:
  // Changed keys of one table, for the open plan, and how its rows are found again.
  struct Tracked {
    sqlite::Statement puts;       // rows that are there, of the keys after ?1, at most ?2
    sqlite::Statement deletions;  // keys without a row
  };
  MergePlanner(TableCopies& copies, std::unique_ptr<SpoolFile> file, std::unique_ptr<sqlite::Database> database)
      : copies_(copies), file_(std::move(file)), database_(std::move(database)), writer_(*database_) {}

  // `references`: rows that name a customer are checked one by one, as they come.
  [[nodiscard]] Result<> Begin(std::span<const TenantWrite> batch, bool references);
  [[nodiscard]] Result<std::set<std::pair<const catalog::Table*, int64_t>>> FindOrphans();
  [[nodiscard]] Result<bool> TryMerge(std::span<const TenantWrite> batch, bool isolated, std::vector<TenantResult>* results);
  [[nodiscard]] Result<TenantResult> MergeTenant(const TenantWrite& write);
  [[nodiscard]] Result<TenantResult> EraseTenant(const TenantWrite& after);
  [[nodiscard]] Result<> LoadTable(const catalog::Table& table);
  [[nodiscard]] Result<> LoadBroken(const catalog::Table& table);
  [[nodiscard]] Result<> Track(const catalog::Table& table);
  [[nodiscard]] Result<bool> HasChanges(const catalog::Table& table);
  [[nodiscard]] Result<> SettleExactCells(const catalog::Table& table);
  [[nodiscard]] Result<> SettleExactCell(const catalog::Table& table, const std::string& row_key, const catalog::Column& column,
                                         const catalog::Cell& cell, std::string_view tenant);
  [[nodiscard]] Result<> ForgetChanges();
  // How many it visited.
  [[nodiscard]] Result<int> VisitSome(sqlite::Statement& statement, const catalog::Table& table, bool put, int rows_max, Place* place,
                                       const VisitStaged& visit);
  // The tenant to whom a changed row belongs, by the value of its owner column.
  [[nodiscard]] std::string_view TenantOf(const catalog::Table& table, std::string_view owner) const;

  TableCopies& copies_;
  std::unique_ptr<SpoolFile> file_;
  std::unique_ptr<sqlite::Database> database_;  // goes before its file, after what follows
  SqliteWriter writer_;
  std::set<const catalog::Table*> loaded_, broken_;
  std::map<const catalog::Table*, Tracked> tracked_;
  sqlite::Statement put_exact_, remove_exact_, remove_exact_row_;

  // The open plan.
  std::optional<sqlite::Transaction> transaction_;
  std::vector<const catalog::Table*> changed_;
  std::map<std::string, int64_t, std::less<>> attempts_;         // by tenant
  std::map<std::string, std::string, std::less<>> tenants_;      // by customer
};

}  // namespace reeve::store
