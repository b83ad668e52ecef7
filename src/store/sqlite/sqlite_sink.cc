#include "store/sqlite/sqlite_sink.h"

#include "store/sqlite/sqlite_open.h"
#include "store/sqlite/sqlite_schema.h"
#include "store/sqlite/sqlite_writer.h"

namespace reeve::store {

namespace {

// Digests lie anywhere in their indexes, so a batch writes about one page for each: in a large store as many pages as the rows themselves fill. Larger batches write fewer.
constexpr BatchHint kBatch = {.tenants_max = 512};

class SqliteSink final : public CentralSink {
 public:
  explicit SqliteSink(LockedDatabase opened)
      : lock_(std::move(opened.lock)), database_(std::move(opened.database)), writer_(*database_) {}

  std::string Url() const override { return "sqlite:" + database_->path(); }
  BatchHint batch() const override { return kBatch; }
  Result<> ApplySchema() override { return ApplySqliteSchema(*database_); }
  Result<std::vector<Drift>> CheckSchema() override { return CheckSqliteSchema(*database_); }
  Result<std::vector<TenantResult>> Merge(std::span<const TenantWrite> batch) override;
  Result<std::vector<TenantResult>> Erase(std::span<const TenantWrite> after) override;
  Result<> Amend(std::span<const Deletion> deletions, std::span<const catalog::RowBatch> upserts) override;
  Result<std::unique_ptr<CentralReader>> OpenReader() override { return OpenSqliteReader(database_->path()); }
  Result<std::vector<std::string>> CheckIntegrity() override { return CheckSqliteIntegrity(*database_); }
  Result<> Checkpoint() override { return CheckpointStore(*database_); }

 private:
  [[nodiscard]] Result<bool> TryMerge(std::span<const TenantWrite> batch, bool isolated, std::vector<TenantResult>* results);

  // Constant after construction; the lock goes last.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<sqlite::Database> database_;
  SqliteWriter writer_;
};

// One transaction; of a batch that is not isolated, a conflict leaves nothing: false.
Result<bool> SqliteSink::TryMerge(std::span<const TenantWrite> batch, bool isolated, std::vector<TenantResult>* results) {
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
  const auto merge = [this](const TenantWrite& write) { return writer_.MergeTenant(write); };
  REEVE_ASSIGN(const bool whole, ChangeEach(*database_, batch, isolated, merge, results));
  if (whole) REEVE_TRY(transaction.Commit());
  return whole;
}

Result<std::vector<TenantResult>> SqliteSink::Merge(std::span<const TenantWrite> batch) {
  std::vector<TenantResult> results;
  REEVE_ASSIGN(const bool merged, TryMerge(batch, false, &results));
  if (!merged) REEVE_TRY(TryMerge(batch, true, &results));
  return results;
}

Result<std::vector<TenantResult>> SqliteSink::Erase(std::span<const TenantWrite> after) {
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
  std::vector<TenantResult> results;
  REEVE_TRY(ChangeEach(*database_, after, true, [this](const TenantWrite& write) { return writer_.EraseTenant(write); }, &results));
  REEVE_TRY(transaction.Commit());
  return results;
}

Result<> SqliteSink::Amend(std::span<const Deletion> deletions, std::span<const catalog::RowBatch> upserts) {
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
  // A repair may remove a customer before its children have moved: what counts is the end.
  REEVE_TRY(database_->Execute("PRAGMA defer_foreign_keys=ON"));
  // Customers last: the keys of their children are found through them.
  for (const bool customers : {false, true}) {
    for (const Deletion& deletion : deletions) {
      if ((deletion.table == &catalog::Customers()) == customers) REEVE_TRY(writer_.Delete(deletion));
    }
  }
  for (const catalog::RowBatch& rows : upserts) REEVE_TRY(writer_.MergeRows(rows));
  return transaction.Commit();
}

}  // namespace

Result<std::unique_ptr<CentralSink>> OpenSqliteSink(Files& files, const std::string& path, OpenMode mode, const std::string& holder,
                                                    SqliteLimits limits) {
  REEVE_ASSIGN(LockedDatabase opened, OpenForWriting(files, path, mode, holder, limits));
  return std::make_unique<SqliteSink>(std::move(opened));
}

}  // namespace reeve::store
