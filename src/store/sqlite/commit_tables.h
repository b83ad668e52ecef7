// CommitTables: brings committed groups into the tables of the embedded store, several in one transaction. It knows the marks as the tables have them and how far
// the commit log (commit_log.h) is in them; both are written with the rows, so a group is in the tables once or not at all.
//
// The store's one writing connection goes with it. Not safe for concurrent use.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "env/files.h"
#include "store/serving_store.h"
#include "store/sqlite/outbox_schema.h"
#include "store/sqlite/serving_writes.h"

namespace reeve::store {

// Rows of reeve_meta beside those of serving_rows.h. Persisted: frozen.
inline constexpr std::string_view kCommitLogMark = "commit_log";        // which log belongs to this store: 16 hex digits
inline constexpr std::string_view kCommitsAppliedMark = "commits_applied";  // number of the last group that is in the tables

struct NumberedCommit {
  uint64_t number = 0;
  std::string record;                  // commit_record.h
  size_t rows = 0, uses = 0;           // in it; uses: those that are about uses (UseLoad)
};
[[nodiscard]] uint64_t RunHash(std::string_view tenant_id, std::string_view run_id);

class CommitTables {
 public:
  // REQUIRES: `database` outlives this
  CommitTables(Files& files, sqlite::Database& database) : files_(files), database_(database), statements_(database) {}

  // Reads marks and state. What had to be settled is said in `notes`.
  [[nodiscard]] Result<> Begin(std::vector<std::string>* notes);
  [[nodiscard]] const ServingMarks& marks() const { return marks_; }
  [[nodiscard]] const std::string& log_id() const { return log_id_; }
  [[nodiscard]] uint64_t applied() const { return applied_; }

  // One transaction each. REQUIRES: numbers follow applied() without a gap
  [[nodiscard]] Result<> Apply(std::span<const NumberedCommit> commits);
  // What goes into the tables without the log.
  [[nodiscard]] Result<> Apply(const ServingWrites& writes);

  // Moves SQLite's own log into the file, if it has `pages_max` pages, and forgets what a mirror has taken. Between two transactions. REQUIRES: the connection
  // counts its log (CountLog)
  [[nodiscard]] Result<> MoveLog(int64_t pages_max);

 private:
  // Within a transaction; the marks that it leads to.
  [[nodiscard]] Result<ServingMarks> Write(std::span<const ServingWrites> commits);
  [[nodiscard]] Result<> Finish(sqlite::Transaction& transaction, const ServingMarks& after);
  [[nodiscard]] Result<> PruneMarks();

  Files& files_;
  sqlite::Database& database_;
  ServingStatements statements_;
  ServingMarks marks_;
  OutboxState outbox_;
  std::string log_id_;
  uint64_t applied_ = 0;
  int64_t log_pages_ = 0;
  int64_t move_at_ = 0;
};

// What a process that did not end in order has left in the commit log of the store at database.path() goes into its tables, and the log goes. Nothing if there is
// no log. Whoever opens a store for writing does this first. How many groups there were.
[[nodiscard]] Result<uint64_t> ReplayCommits(Files& files, sqlite::Database& database);

}  // namespace reeve::store
