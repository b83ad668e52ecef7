// Writing catalog rows through the one connection that may: prepared merges, replacements and deletions.
//
// It neither begins nor ends transactions. A broken constraint or identity is a Conflict, told apart from the world's
// faults, so that the caller can isolate it. Not safe for concurrent use.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "store/central_sink.h"
#include "store/sqlite/sqlite_reader.h"

namespace reeve::store {

class SqliteWriter {
 public:
  // REQUIRES: `database` outlives this.
  explicit SqliteWriter(sqlite::Database& database) : database_(&database), tables_(database) {}

  // Registers what the merges call.
  [[nodiscard]] static Result<> Register(sqlite::Database& database);

  // Merges one tenant: fence, rows, replacements. On kConflict some of its rows may be written: roll back to where it began.
  [[nodiscard]] Result<TenantResult> MergeTenant(const TenantWrite& write);
  // Removes the owner's rows, then merges (CentralSink::Erase).
  [[nodiscard]] Result<TenantResult> EraseTenant(const TenantWrite& after);
  // Deletes by key; counts what was there.
  [[nodiscard]] Result<uint64_t> Delete(const CentralSink::Deletion& deletion);
  // Merges all rows, or inserts them if the table cannot merge; a conflict is an error with its detail.
  [[nodiscard]] Result<uint64_t> MergeRows(const catalog::RowBatch& rows);

 private:
  struct TableStatements {
    RowStatement merge;
    RowStatement remove;        // by key
    RowStatement remove_stored; // by stored key; prepared when wanted
    RowStatement remove_merge;  // by merge key; prepared when wanted
    RowStatement insert;        // where the unique set of the merge is missing; prepared when wanted
    RowStatement remove_owner;  // all of an owner
    RowStatement count_owner;
  };
  [[nodiscard]] Result<TableStatements*> Prepared(const catalog::Table& table);
  [[nodiscard]] Result<uint64_t> InsertRows(const catalog::RowBatch& rows);
  [[nodiscard]] Result<bool> IsStale(const TenantWrite& write);
  // Empty detail: merged. Adds to `changed`.
  [[nodiscard]] Result<std::string> MergeBatch(const catalog::RowBatch& rows, uint64_t* changed);
  [[nodiscard]] Result<> RemoveOthers(const catalog::RowBatch& rows, const Owner& owner, uint64_t* changed);
  [[nodiscard]] Result<std::string> RemoveOwner(const catalog::Table& table, const Owner& owner, uint64_t* changed);

  sqlite::Database* database_;
  SqliteTables tables_;
  std::map<const catalog::Table*, TableStatements> statements_;
  RowStatement fence_;
};

// Calls `change` for each of `batch` in the transaction that is open, and collects what comes of it. `isolated`: each in a savepoint, which stays only if
// the outcome is kMerged. Otherwise the first conflict ends it: false, and the caller rolls back. (A savepoint copies every page its tenant touches, so
// it is for batches that need it.)
[[nodiscard]] Result<bool> ChangeEach(sqlite::Database& database, std::span<const TenantWrite> batch, bool isolated,
                                      const std::function<Result<TenantResult>(const TenantWrite&)>& change, std::vector<TenantResult>* results);

}  // namespace reeve::store
