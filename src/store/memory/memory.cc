#include "store/memory/memory.h"

#include "store/describe.h"
#include "store/memory/memory_data.h"

namespace reeve::store {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;

namespace {

std::vector<Values> RowsOfOwner(const MemoryTables& tables, const Table& table, const Owner& owner) {
  const bool by_customer = table.owner_column == "customer_id";
  const Value wanted{false, 0, by_customer ? owner.customer_id : owner.tenant_id};
  std::vector<Values> rows;
  for (const Values* row : tables.InKeyOrder(table)) {
    if ((*row)[table.Index(table.owner_column)] == wanted) rows.push_back(*row);
  }
  return rows;
}

std::vector<Cell> Views(const Values& row) {
  std::vector<Cell> cells;
  for (const Value& value : row) cells.push_back(ViewOf(value));
  return cells;
}

void Append(const Values& row, RowBatch* out) {
  const std::span<Cell> cells = out->AddRow();
  for (size_t i = 0; i < row.size(); ++i) {
    cells[i] = ViewOf(row[i]);
    if (!row[i].is_null && !catalog::IsNumeric(out->table().columns[i].type)) cells[i] = out->Own(row[i].text);
  }
}

// Removes every row with these values of Table::key.
void RemoveByKey(const CentralSink::Deletion& deletion, MemoryTables* tables) {
  const Table& table = *deletion.table;
  const Values key = OwnCells(deletion.key);
  if (deletion.stored) {
    tables->Remove(table, key);
    return;
  }
  const auto& columns = deletion.merge ? table.merge_key : table.key;
  while (const Values* row = tables->Find(table, columns, key)) tables->Remove(table, Pick(table, *row, table.StoredKey()));
}

class MemoryReader final : public CentralReader {
 public:
  explicit MemoryReader(MemoryTables tables) : tables_(std::move(tables)) {}

  Result<> Read(const Table& table, const Owner& owner, RowBatch* out) override {
    if (table.owner_column.empty()) return Fail(Code::kUsage, "rows of {} have no owner", table.name);
    for (const Values& row : RowsOfOwner(tables_, table, owner)) Append(row, out);
    return {};
  }
  Result<> Scan(const Table& table, const Visit& visit) override {
    for (const Values* row : tables_.InKeyOrder(table)) REEVE_TRY(visit(Views(*row)));
    return {};
  }
  Result<uint64_t> Count(const Table& table) override { return tables_.RowsOf(table).size(); }
  Result<> Find(const Table& table, std::span<const std::string_view> columns, std::span<const Cell> values, RowBatch* out) override {
    if (const Values* row = tables_.Find(table, columns, OwnCells(values))) Append(*row, out);
    return {};
  }

 private:
  MemoryTables tables_;
};

class MemorySink final : public CentralSink {
 public:
  explicit MemorySink(std::shared_ptr<MemoryData> data) : data_(std::move(data)) {}

  std::string Url() const override { return "memory:"; }
  Result<> ApplySchema() override { return {}; }
  Result<std::vector<Drift>> CheckSchema() override { return std::vector<Drift>(); }
  Result<std::vector<std::string>> CheckIntegrity() override { return std::vector<std::string>(); }
  Result<> Checkpoint() override { return {}; }

  Result<std::vector<TenantResult>> Merge(std::span<const TenantWrite> batch) override {
    const std::lock_guard lock(data_->mu);
    std::vector<TenantResult> results;
    for (const TenantWrite& write : batch) {
      results.push_back(IsStale(write) ? TenantResult{Outcome::kStaleAttempt, {}, 0} : MergeTenant(write, 0));
    }
    data_->tables.Forget();
    return results;
  }

  Result<std::vector<TenantResult>> Erase(std::span<const TenantWrite> after) override {
    const std::lock_guard lock(data_->mu);
    std::vector<TenantResult> results;
    for (const TenantWrite& write : after) results.push_back(EraseTenant(write));
    data_->tables.Forget();
    return results;
  }

  Result<> Amend(std::span<const Deletion> deletions, std::span<const RowBatch> upserts) override {
    const std::lock_guard lock(data_->mu);
    const size_t mark = data_->tables.Mark();
    data_->tables.DeferReferences(true);
    for (const Deletion& deletion : deletions) RemoveByKey(deletion, &data_->tables);
    uint64_t changed = 0;
    std::string conflict;
    for (size_t i = 0; i < upserts.size() && conflict.empty(); ++i) conflict = MergeBatch(upserts[i], &changed);
    if (conflict.empty()) conflict = data_->tables.FindOrphan();
    data_->tables.DeferReferences(false);
    if (!conflict.empty()) data_->tables.Undo(mark);
    data_->tables.Forget();
    if (!conflict.empty()) return Fail(Code::kFailed, "{}", conflict);
    return {};
  }

  Result<std::unique_ptr<CentralReader>> OpenReader() override {
    const std::lock_guard lock(data_->mu);
    return std::make_unique<MemoryReader>(data_->tables);
  }

 private:
  bool IsStale(const TenantWrite& write) {
    const Table& table = catalog::ReeveTenants();
    const Values* row = data_->tables.Find(table, table.key, {Value{false, 0, write.owner.tenant_id}});
    return row != nullptr && (*row)[table.Index("attempt")].num > write.attempt;
  }

  std::string MergeBatch(const RowBatch& rows, uint64_t* changed) {
    for (size_t i = 0; i < rows.size(); ++i) {
      bool one = false;
      const std::string conflict = data_->tables.Merge(rows.table(), OwnCells(rows.Row(i)), &one);
      if (!conflict.empty()) return DescribeConflict(rows.table(), rows.Row(i), conflict);
      *changed += one ? 1 : 0;
    }
    return {};
  }

  void RemoveOthers(const RowBatch& rows, const Owner& owner, uint64_t* changed) {
    const Table& table = rows.table();
    const KeySet kept(rows);
    for (const Values& row : RowsOfOwner(data_->tables, table, owner)) {
      if (kept.Contains(Views(row))) continue;
      data_->tables.Remove(table, Pick(table, row, table.StoredKey()));
      ++*changed;
    }
  }

  TenantResult EraseTenant(const TenantWrite& after) {
    if (IsStale(after)) return TenantResult{Outcome::kStaleAttempt, {}, 0};
    const size_t mark = data_->tables.Mark();
    uint64_t removed = 0;
    for (const Table* table : ErasedTables()) {
      for (const Values& row : RowsOfOwner(data_->tables, *table, after.owner)) {
        const bool customer = table == &catalog::Customers();
        if (customer && data_->tables.IsNamed(row[table->Index("customer_id")])) {
          data_->tables.Undo(mark);
          return TenantResult{Outcome::kConflict, "customers: rows of another tenant name this customer", 0};
        }
        removed += data_->tables.Remove(*table, Pick(*table, row, table->StoredKey())) ? 1 : 0;
      }
    }
    TenantResult result = MergeTenant(after, removed);
    if (result.outcome != Outcome::kMerged) data_->tables.Undo(mark);
    return result;
  }

  TenantResult MergeTenant(const TenantWrite& write, uint64_t changed) {
    const size_t mark = data_->tables.Mark();
    for (const RowBatch* rows : InFillOrder(write.tables)) {
      std::string detail = FindForeignRow(*rows, write.owner);
      if (detail.empty()) detail = MergeBatch(*rows, &changed);
      if (!detail.empty()) {
        data_->tables.Undo(mark);
        return {Outcome::kConflict, std::move(detail), 0};
      }
      if (rows->table().replaced_per_tenant) RemoveOthers(*rows, write.owner, &changed);
    }
    return {Outcome::kMerged, {}, changed};
  }

  std::shared_ptr<MemoryData> data_;
};

// A reader of the present instead of a copy.
class LiveReader final : public CentralReader {
 public:
  explicit LiveReader(std::shared_ptr<MemoryData> data) : data_(std::move(data)) {}
  Result<> Read(const Table& table, const Owner& owner, RowBatch* out) override { return Copy()->Read(table, owner, out); }
  Result<> Scan(const Table& table, const Visit& visit) override { return Copy()->Scan(table, visit); }
  Result<uint64_t> Count(const Table& table) override { return Copy()->Count(table); }
  Result<> Find(const Table& table, std::span<const std::string_view> columns, std::span<const Cell> values, RowBatch* out) override {
    const std::lock_guard lock(data_->mu);
    if (const Values* row = data_->tables.Find(table, columns, OwnCells(values))) Append(*row, out);
    return {};
  }

 private:
  std::unique_ptr<CentralReader> Copy() {
    const std::lock_guard lock(data_->mu);
    return std::make_unique<MemoryReader>(data_->tables);
  }
  std::shared_ptr<MemoryData> data_;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryData> data)
      : data_(data), records_(MakeStoreReader(std::make_unique<LiveReader>(data))) {}

  Result<std::optional<KeyRecord>> FindKey(std::string_view hash) override { return records_->FindKey(hash); }
  Result<std::optional<CustomerRecord>> FindCustomer(std::string_view id) override { return records_->FindCustomer(id); }
  Result<std::optional<CustomerRecord>> FindCustomerOfTenant(std::string_view tenant) override { return records_->FindCustomerOfTenant(tenant); }
  Result<std::optional<SubscriptionRecord>> CurrentSubscription(std::string_view id) override { return records_->CurrentSubscription(id); }
  Result<std::optional<UsageRecord>> UsageOf(std::string_view tenant, Days month) override { return records_->UsageOf(tenant, month); }

  Result<RevokeOutcome> RevokeKey(std::string_view hash, Micros at, std::string_view by, const RowBatch& audit) override {
    REEVE_ASSERT(&audit.table() == &catalog::AuditLogs());
    const std::lock_guard lock(data_->mu);
    const Table& table = catalog::ApiKeys();
    const Values* row = data_->tables.Find(table, table.merge_key, {Value{false, 0, std::string(hash)}});
    if (row == nullptr) return RevokeOutcome::kUnknownKey;
    RowBatch key(table);
    Append(*row, &key);
    MarkRevoked(&key, at, by);
    const size_t mark = data_->tables.Mark();
    bool changed = false;
    std::string conflict = data_->tables.Merge(table, OwnCells(std::as_const(key).Row(0)), &changed);
    for (size_t i = 0; i < audit.size() && changed && conflict.empty(); ++i) {
      bool added = false;
      conflict = data_->tables.Merge(audit.table(), OwnCells(audit.Row(i)), &added);
    }
    if (!conflict.empty()) data_->tables.Undo(mark);
    data_->tables.Forget();
    if (!conflict.empty()) return Fail(Code::kFailed, "{}", conflict);
    return changed ? RevokeOutcome::kRevoked : RevokeOutcome::kAlreadyRevoked;
  }

 private:
  std::shared_ptr<MemoryData> data_;
  std::unique_ptr<StoreReader> records_;
};

}  // namespace

std::shared_ptr<MemoryData> MakeMemoryData() { return std::make_shared<MemoryData>(); }

std::unique_ptr<CentralSink> MakeMemorySink(std::shared_ptr<MemoryData> data) {
  return std::make_unique<MemorySink>(std::move(data));
}

std::unique_ptr<Store> MakeMemoryStore(std::shared_ptr<MemoryData> data) { return std::make_unique<MemoryStore>(std::move(data)); }

}  // namespace reeve::store
