#include "store/sqlite/sqlite_store.h"

#include "store/sqlite/sqlite_open.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_writer.h"

namespace reeve::store {

using catalog::Cell;
using catalog::RowBatch;

namespace {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(LockedDatabase opened)
      : lock_(std::move(opened.lock)), database_(std::move(opened.database)), tables_(*database_), writer_(*database_),
        records_(MakeStoreReader(std::make_unique<SqliteReader>(*database_))) {}

  Result<std::optional<KeyRecord>> FindKey(std::string_view hash) override { return records_->FindKey(hash); }
  Result<std::optional<CustomerRecord>> FindCustomer(std::string_view id) override { return records_->FindCustomer(id); }
  Result<std::optional<CustomerRecord>> FindCustomerOfTenant(std::string_view tenant) override {
    return records_->FindCustomerOfTenant(tenant);
  }
  Result<std::optional<SubscriptionRecord>> CurrentSubscription(std::string_view id) override {
    return records_->CurrentSubscription(id);
  }
  Result<std::optional<UsageRecord>> UsageOf(std::string_view tenant, Days month) override { return records_->UsageOf(tenant, month); }

  Result<RevokeOutcome> RevokeKey(std::string_view hash, Micros at, std::string_view by, const RowBatch& audit) override {
    REEVE_ASSERT(&audit.table() == &catalog::AuditLogs());
    REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
    RowBatch key(catalog::ApiKeys());
    const Cell value = Cell::Text(hash);
    REEVE_TRY(tables_.Find(catalog::ApiKeys(), catalog::ApiKeys().merge_key, {&value, 1}, &key));
    if (key.empty()) return RevokeOutcome::kUnknownKey;
    MarkRevoked(&key, at, by);
    REEVE_ASSIGN(const uint64_t changed, writer_.MergeRows(key));
    if (changed == 0) return RevokeOutcome::kAlreadyRevoked;
    REEVE_TRY(writer_.MergeRows(audit));
    REEVE_TRY(transaction.Commit());
    return RevokeOutcome::kRevoked;
  }

 private:
  // Constant after construction; the lock goes last, statements before their connection.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<sqlite::Database> database_;
  SqliteTables tables_;
  SqliteWriter writer_;
  std::unique_ptr<StoreReader> records_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(Files& files, const std::string& path, const std::string& holder) {
  REEVE_ASSIGN(LockedDatabase opened, OpenForWriting(files, path, OpenMode::kExisting, holder, {}));
  return std::make_unique<SqliteStore>(std::move(opened));
}

Result<std::unique_ptr<StoreReader>> OpenSqliteStoreReader(const std::string& path) {
  REEVE_ASSIGN(std::unique_ptr<sqlite::Database> database, OpenForReading(path));
  return MakeStoreReader(MakeReader(std::move(database)));
}

}  // namespace reeve::store
