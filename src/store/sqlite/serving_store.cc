#include "store/sqlite/serving_store.h"

#include "store/serving_rows.h"
#include "store/sqlite/serving_check.h"
#include "store/sqlite/serving_load.h"
#include "store/sqlite/outbox_cursor.h"
#include "store/sqlite/outbox_schema.h"
#include "store/sqlite/serving_writes.h"
#include "store/sqlite/sqlite_open.h"
#include "store/sqlite/sqlite_schema.h"

namespace reeve::store {

namespace {

constexpr int64_t kPrunedAtOnce = 8'000;  // marks of an outbox, each time the log is moved: more than come in meanwhile

class SqliteServingStore final : public ServingStore {
 public:
  SqliteServingStore(Files& files, LockedDatabase opened, ServingLimits limits)
      : files_(files), limits_(limits), lock_(std::move(opened.lock)), database_(std::move(opened.database)), statements_(*database_), move_at_(limits.log_pages_max) {}
  ~SqliteServingStore() override {
    // What a failed sync left in memory must not be taken for what is on the medium.
    if (!error_.message.empty()) database_->KeepLogOnClose();
  }

  Result<> Begin(std::vector<std::string>* notes) {
    database_->CountLog();
    REEVE_ASSIGN(marks_, SettleMarks(*database_, notes));
    REEVE_ASSIGN(outbox_, InspectOutbox(*database_));
    return statements_.Prepare();
  }

  Result<ServingMarks> Load(Days from_month, const ServingVisitor& visitor) override {
    REEVE_TRY(Sound());
    REEVE_TRY(LoadServing(database_->path(), FirstServedMonth(from_month, marks_), visitor));
    return marks_;
  }

  Result<std::optional<RunRow>> FindRun(std::string_view customer_id, std::string_view run_id) override {
    REEVE_TRY(Sound());
    return statements_.FindRun(customer_id, run_id);
  }

  Result<> Commit(const ServingWrites& writes) override {
    REEVE_TRY(Sound());
    if (auto done = TryCommit(writes); !done) {
      error_ = done.error();
      return done;
    }
    // The commit stands whatever becomes of this; but nothing more is committed after a medium has failed.
    if (auto moved = MoveLog(); !moved) error_ = std::move(moved).error();
    return {};
  }

  Result<> Probe() override {
    REEVE_TRY(Sound());
    REEVE_TRY(database_->QueryInt("SELECT count(*) FROM reeve_meta"));
    return {};
  }

 private:
  [[nodiscard]] Result<> Sound() const {
    if (error_.message.empty()) return {};
    return Unexpected(Error(error_).Within("the store failed before"));
  }

  Result<> TryCommit(const ServingWrites& writes) {
    const ServingMarks after = MarksAfter(marks_, writes);
    REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
    REEVE_TRY(statements_.Write(writes));
    REEVE_TRY(statements_.WriteMarks(marks_, after));
    REEVE_TRY(transaction.Commit());
    marks_ = after;
    return {};
  }

  // In small pieces, between two commits: each delays one commit (16 MiB take 10 to 25 ms on a virtual disk), larger ones save writes.
  // A reader may keep the log from beginning anew: then it is moved again when as much has been added, not after each commit.
  Result<> MoveLog() {
    const int64_t pages = database_->LogPages();
    if (pages < log_pages_) move_at_ = limits_.log_pages_max;
    log_pages_ = pages;
    if (pages < move_at_) return {};
    move_at_ = pages + limits_.log_pages_max;
    REEVE_TRY(database_->Execute("PRAGMA wal_checkpoint(PASSIVE)"));
    return outbox_.on ? PruneMarks() : Result<>();
  }

  // What a mirror has taken elsewhere. It cannot do that itself while this process has the store.
  Result<> PruneMarks() {
    const auto cursor = ReadCursor(files_, database_->path());
    if (!cursor || !*cursor || (*cursor)->epoch != outbox_.epoch) return {};  // the mirror says what is wrong with it
    REEVE_TRY(PruneOutbox(*database_, (*cursor)->done, kPrunedAtOnce));
    return {};
  }

  Files& files_;
  const ServingLimits limits_;
  // The lock goes last, statements before their connection.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<sqlite::Database> database_;
  ServingStatements statements_;
  ServingMarks marks_;
  OutboxState outbox_;
  Error error_{Code::kFailed, {}, {}};  // the first one; nothing works after it
  int64_t log_pages_ = 0;
  int64_t move_at_;
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
  if (left_open) REEVE_TRY(CheckAfterCrash(*opened.database, notes));
  auto store = std::make_unique<SqliteServingStore>(files, std::move(opened), limits);
  REEVE_TRY(store->Begin(notes));
  return store;
}

}  // namespace reeve::store
