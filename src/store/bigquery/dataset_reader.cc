#include "store/bigquery/dataset_reader.h"

#include "store/sqlite/sqlite_reader.h"

namespace reeve::store {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;

namespace {

// A reader touches a dozen tables, and there may be one for every processor.
constexpr std::string_view kReaderSettings = "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA cache_size=-1024";

class DatasetReader final : public CentralReader {
 public:
  DatasetReader(std::shared_ptr<TableCopies> copies, std::shared_ptr<TableCopies::Pin> pin) : copies_(std::move(copies)), pin_(std::move(pin)) {}

  Result<> Read(const Table& table, const Owner& owner, RowBatch* out) override {
    REEVE_ASSIGN(SqliteTables * tables, Open(table));
    return tables->Read(table, owner, out);
  }
  Result<> Scan(const Table& table, const Visit& visit) override {
    REEVE_ASSIGN(SqliteTables * tables, Open(table));
    return tables->Scan(table, visit);
  }
  Result<uint64_t> Count(const Table& table) override {
    REEVE_ASSIGN(SqliteTables * tables, Open(table));
    return tables->Count(table);
  }
  Result<> Find(const Table& table, std::span<const std::string_view> columns, std::span<const Cell> values, RowBatch* out) override {
    REEVE_ASSIGN(SqliteTables * tables, Open(table));
    return tables->Find(table, columns, values, out);
  }

 private:
  // In order of destruction: last the files.
  struct Opened {
    TableCopy copy, customers;
    std::unique_ptr<sqlite::Database> database;
    std::unique_ptr<SqliteTables> tables;
  };

  Result<SqliteTables*> Open(const Table& table) {
    Opened& opened = opened_[&table];
    if (opened.tables != nullptr) return opened.tables.get();
    REEVE_ASSIGN(opened.copy, pin_->Get(table));
    REEVE_ASSIGN(opened.database, sqlite::Database::Open(opened.copy->path(), sqlite::Mode::kReadOnly, 0));
    REEVE_TRY(opened.database->Execute(std::string(kReaderSettings)));
    if (!TenantOfKey(table).empty()) {  // finding by key looks at the customers too
      REEVE_ASSIGN(opened.customers, pin_->Get(catalog::Customers()));
      REEVE_TRY(opened.database->Execute(fmt::format("ATTACH {} AS owners", QuotedPath(opened.customers->path()))));
    }
    opened.tables = std::make_unique<SqliteTables>(*opened.database);
    return opened.tables.get();
  }

  std::shared_ptr<TableCopies> copies_;
  std::shared_ptr<TableCopies::Pin> pin_;
  std::map<const Table*, Opened> opened_;
};

}  // namespace

std::unique_ptr<CentralReader> MakeDatasetReader(std::shared_ptr<TableCopies> copies, std::shared_ptr<TableCopies::Pin> pin) {
  return std::make_unique<DatasetReader>(std::move(copies), std::move(pin));
}

}  // namespace reeve::store
