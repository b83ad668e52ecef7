#include "store/sqlite/serving_store.h"

#include "store/commit_record.h"
#include "store/serving_rows.h"
#include "store/sqlite/commit_applier.h"
#include "store/sqlite/commit_check.h"
#include "store/sqlite/commit_log.h"
#include "store/sqlite/commit_tables.h"
#include "store/sqlite/pending_runs.h"
#include "store/sqlite/serving_check.h"
#include "store/sqlite/serving_load.h"
#include "store/sqlite/serving_run.h"
#include "store/sqlite/sqlite_open.h"
#include "store/sqlite/sqlite_schema.h"

namespace reeve::store {

namespace {

// A batch of the applier changes so many pages; those that do not fit would be written twice.
const std::string kCacheSetting = "PRAGMA cache_size=-98304";

class SqliteServingStore final : public ServingStore {
 public:
  SqliteServingStore(Files& files, LockedDatabase opened, ServingLimits limits)
      : files_(files), limits_(limits), lock_(std::move(opened.lock)), database_(std::move(opened.database)), tables_(files, *database_) {}

  ~SqliteServingStore() override {
    if (applier_) applier_->Stop();
    // What a failed sync left in memory must not be taken for what is on the medium.
    if (!Sound())
      database_->KeepLogOnClose();
    else if (log_)
      (void)RemoveCommitLog(files_, database_->path());  // all of it is in the tables; whoever finds it again skips it
  }

  Result<> Begin(std::vector<std::string>* notes) {
    database_->CountLog();
    REEVE_TRY(database_->Execute(kCacheSetting));
    REEVE_TRY(tables_.Begin(notes));
    marks_ = tables_.marks();
    REEVE_ASSIGN(reading_, OpenForReading(database_->path()));
    REEVE_TRY(finder_.Prepare(*reading_));
    REEVE_TRY(check_.Prepare(*reading_));
    log_.emplace(files_, database_->path(), tables_.log_id(), tables_.applied(), limits_.commit_segment_bytes);
    applier_.emplace(tables_, *log_, limits_.clock, limits_.log_pages_max);
    applier_->Start();
    return {};
  }

  Result<ServingMarks> Load(Days from_month, const ServingVisitor& visitor) override {
    REEVE_TRY(Settle());
    REEVE_TRY(LoadServing(database_->path(), FirstServedMonth(from_month, marks_), visitor));
    return marks_;
  }

  Result<std::optional<RunRow>> FindRun(std::string_view tenant_id, std::string_view run_id) override {
    REEVE_TRY(Sound());
    if (pending_.MayHold(RunHash(tenant_id, run_id), log_->released())) REEVE_TRY(applier_->Settle());
    // Asked again: what has come into the tables since is seen.
    return finder_.Find(tenant_id, run_id, log_->released());
  }

  Result<> Commit(const ServingWrites& writes) override {
    REEVE_TRY(Sound());
    REEVE_TRY(finder_.Refresh());
    // Authority is rare, and whether it can be changed is for the tables to say.
    const bool authority = !writes.revocations.empty() || !writes.changes.empty();
    Result<> done = authority ? CommitAtOnce(writes) : CommitToLog(writes);
    if (!done) error_ = done.error();
    if (done) marks_ = MarksAfter(marks_, writes);
    return done;
  }

  UseLoad TakeUseLoad() override { return applier_->TakeUseLoad(); }

  Result<> Settle() override {
    REEVE_TRY(Sound());
    return applier_->Settle();
  }

  Result<> Probe() override {
    REEVE_TRY(Sound());
    REEVE_TRY(reading_->QueryInt("SELECT count(*) FROM reeve_meta"));
    return {};
  }

 private:
  [[nodiscard]] Result<> Sound() const {
    const std::optional<Error> behind = applier_ ? applier_->failure() : std::nullopt;
    if (!error_ && !behind) return {};
    return Unexpected(Error(error_ ? *error_ : *behind).Within("the store failed before"));
  }

  Result<> CommitAtOnce(const ServingWrites& writes) {
    REEVE_TRY(applier_->Settle());
    REEVE_TRY(tables_.Apply(writes));
    // The commit stands whatever becomes of this; but nothing more is committed after a medium has failed.
    if (auto moved = tables_.MoveLog(limits_.log_pages_max); !moved) error_ = std::move(moved).error();
    return {};
  }

  Result<> CommitToLog(const ServingWrites& writes) {
    REEVE_TRY(check_.Check(writes, marks_.fence));
    NumberedCommit commit;
    AppendCommitRecord(writes, &commit.record);
    if (!log_->Fits(commit.record.size())) return CommitAtOnce(writes);
    if (const uint64_t number = log_->Needs(commit.record.size()); number > log_->released()) REEVE_TRY(applier_->SettleUpTo(number));
    commit.rows = writes.runs.size() + writes.usage.size() + writes.touches.size() + (writes.audit ? writes.audit->size() : 0);
    // A run moves one row of usage; the rest is counts of requests.
    commit.uses = writes.touches.size() + writes.usage.size() - std::min(writes.usage.size(), writes.runs.size());
    applier_->Pace(kCommitSegments * limits_.commit_segment_bytes);
    REEVE_TRY(log_->Append(commit.record));
    commit.number = log_->last();
    for (const RunRow& run : writes.runs) pending_.Note(RunHash(run.tenant_id, run.run_id), commit.number, log_->released());
    applier_->Push(std::move(commit));
    return {};
  }

  Files& files_;
  const ServingLimits limits_;
  // The lock goes last, statements before their connection, the thread before everything that it uses.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<sqlite::Database> database_, reading_;
  CommitTables tables_;          // the applier's while anything is pending
  RunFinder finder_;
  CommitCheck check_;
  ServingMarks marks_;           // of everything that was committed
  std::optional<Error> error_;   // the first one; nothing works after it
  std::optional<CommitLog> log_;
  PendingRuns pending_;
  std::optional<CommitApplier> applier_;
};

// Whether a log is left that nobody moved: the last process was killed, or another one still reads.
Result<bool> WasLeftOpen(Files& files, const std::string& path) {
  if (!files.Exists(path + "-wal")) return false;
  REEVE_ASSIGN(const std::unique_ptr<ByteReader> log, files.Open(path + "-wal"));
  char byte = 0;
  REEVE_ASSIGN(const size_t count, log->Read(&byte, 1));
  return count > 0;
}

Result<> MakeMissing(sqlite::Database& database, std::vector<std::string>* notes) {
  REEVE_ASSIGN(const std::vector<Drift> drift, CheckSqliteSchema(database));
  if (drift.empty()) return {};
  REEVE_TRY(ApplySqliteSchema(database));
  for (const Drift& one : drift) notes->push_back(fmt::format("{}: {}: made", one.table, one.what));
  return {};
}

}  // namespace

Result<std::unique_ptr<ServingStore>> OpenSqliteServingStore(Files& files, const std::string& path, const std::string& holder,
                                                             std::vector<std::string>* notes, ServingLimits limits) {
  std::vector<std::string> unread;
  if (notes == nullptr) notes = &unread;
  REEVE_ASSIGN(const bool left_open, WasLeftOpen(files, path));
  REEVE_ASSIGN(LockedDatabase opened, OpenForWriting(files, path, OpenMode::kExisting, holder, {}));
  REEVE_TRY(MakeMissing(*opened.database, notes));
  REEVE_TRY(ApplyServingIndexes(*opened.database));
  if (left_open) REEVE_TRY(CheckAfterCrash(*opened.database, notes));
  auto store = std::make_unique<SqliteServingStore>(files, std::move(opened), limits);
  REEVE_TRY(store->Begin(notes));
  return store;
}

}  // namespace reeve::store
