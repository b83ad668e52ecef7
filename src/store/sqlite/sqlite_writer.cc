#include "store/sqlite/sqlite_writer.h"

#include <algorithm>

#include "catalog/ddl.h"
#include "store/describe.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::RowBatch;
using catalog::Table;

namespace {

// Two values of an identity column that should have been equal. The values themselves are not said: they may be personal.
void Same(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  const std::string message = fmt::format("{} would change, and it is part of what the row is", sqlite::Database::ArgumentText(values[0]));
  sqlite::Database::RaiseConstraint(context, message);
}

std::string Equals(std::span<const std::string_view> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) text.append(fmt::format("{}{} = ?{}", i == 0 ? "" : " AND ", names[i], i + 1));
  return text;
}

std::vector<const Column*> Pick(const Table& table, std::span<const std::string_view> names) {
  std::vector<const Column*> columns;
  for (std::string_view name : names) columns.push_back(&table.columns[table.Index(name)]);
  return columns;
}

std::vector<const Column*> All(const Table& table) {
  std::vector<const Column*> columns;
  for (const Column& column : table.columns) columns.push_back(&column);
  return columns;
}

}  // namespace

Result<> SqliteWriter::Register(sqlite::Database& database) { return database.Register("reeve_same", 3, &Same); }

Result<SqliteWriter::TableStatements*> SqliteWriter::Prepared(const Table& table) {
  const auto [found, fresh] = statements_.try_emplace(&table);
  TableStatements& prepared = found->second;
  if (!fresh && prepared.merge) return &prepared;
  REEVE_ASSIGN(prepared.merge, RowStatement::Prepare(*database_, table, catalog::MergeStatement(table), All(table)));
  REEVE_ASSIGN(prepared.remove,
               RowStatement::Prepare(*database_, table, fmt::format("DELETE FROM {} WHERE {}{}", table.name, Equals(table.key), TenantOfKey(table)),
                                     Pick(table, table.key)));
  if (table.owner_column.empty()) return &prepared;
  const std::vector<std::string_view> owner = {table.owner_column};
  REEVE_ASSIGN(prepared.remove_owner,
               RowStatement::Prepare(*database_, table, fmt::format("DELETE FROM {} WHERE {}", table.name, Equals(owner)),
                                     Pick(table, owner)));
  REEVE_ASSIGN(prepared.count_owner,
               RowStatement::Prepare(*database_, table, fmt::format("SELECT count(*) FROM {} WHERE {}", table.name, Equals(owner)),
                                     Pick(table, owner)));
  return &prepared;
}

Result<bool> SqliteWriter::IsStale(const TenantWrite& write) {
  const Table& table = catalog::ReeveTenants();
  if (!fence_) {
    const std::vector<std::string_view> key = {"tenant_id"};
    REEVE_ASSIGN(fence_, RowStatement::Prepare(*database_, table, "SELECT attempt FROM reeve_tenants WHERE tenant_id = ?1",
                                               Pick(table, key)));
  }
  const Cell tenant = Cell::Text(write.owner.tenant_id);
  fence_.Bind({&tenant, 1});
  REEVE_ASSIGN(const bool known, fence_.statement().Step());
  const bool stale = known && fence_.statement().Int(0) > write.attempt;
  fence_.statement().Reset();
  return stale;
}

Result<std::string> SqliteWriter::MergeBatch(const RowBatch& rows, uint64_t* changed) {
  if (rows.empty()) return std::string();
  REEVE_ASSIGN(TableStatements * prepared, Prepared(rows.table()));
  sqlite::Statement& statement = prepared->merge.statement();
  for (size_t i = 0; i < rows.size(); ++i) {
    prepared->merge.Bind(rows.Row(i));
    if (auto ran = statement.Run(); !ran) {
      if (!database_->LastWasConstraint()) return Unexpected(std::move(ran).error());
      return DescribeConflict(rows.table(), rows.Row(i), database_->LastMessage());
    }
    *changed += database_->Changes();
  }
  return std::string();
}

// What the tenant has stored beyond `rows`, which are merged already.
Result<> SqliteWriter::RemoveOthers(const RowBatch& rows, const Owner& owner, uint64_t* changed) {
  const Table& table = rows.table();
  REEVE_ASSIGN(TableStatements * prepared, Prepared(table));
  const KeySet kept(rows);
  const Cell value = Cell::Text(OwnerValue(table, owner));
  sqlite::Statement& count = prepared->count_owner.statement();
  prepared->count_owner.Bind({&value, 1});
  REEVE_ASSIGN(const bool counted, count.Step());
  const size_t stored = counted ? count.Int(0) : 0;
  count.Reset();
  if (stored == kept.size()) return {};
  RowBatch all(table);
  REEVE_TRY(tables_.Read(table, owner, &all));
  for (size_t i = 0; i < all.size(); ++i) {
    if (kept.Contains(all.Row(i))) continue;
    prepared->remove.Bind(KeyCells(table, all.Row(i)));
    REEVE_TRY(prepared->remove.statement().Run());
    *changed += database_->Changes();
  }
  return {};
}

Result<TenantResult> SqliteWriter::MergeTenant(const TenantWrite& write) {
  TenantResult result;
  REEVE_ASSIGN(const bool stale, IsStale(write));
  if (stale) return TenantResult{Outcome::kStaleAttempt, {}, 0};
  for (const RowBatch* rows : InFillOrder(write.tables)) {
    result.detail = FindForeignRow(*rows, write.owner);
    if (result.detail.empty()) {
      REEVE_ASSIGN(result.detail, MergeBatch(*rows, &result.rows_changed));
    }
    if (!result.detail.empty()) return TenantResult{Outcome::kConflict, std::move(result.detail), 0};
    if (rows->table().replaced_per_tenant) REEVE_TRY(RemoveOthers(*rows, write.owner, &result.rows_changed));
  }
  return result;
}

Result<std::string> SqliteWriter::RemoveOwner(const Table& table, const Owner& owner, uint64_t* changed) {
  REEVE_ASSIGN(const bool there, tables_.Has(table));
  if (!there) return std::string();
  REEVE_ASSIGN(TableStatements * prepared, Prepared(table));
  const Cell value = Cell::Text(OwnerValue(table, owner));
  prepared->remove_owner.Bind({&value, 1});
  if (auto ran = prepared->remove_owner.statement().Run(); !ran) {
    if (!database_->LastWasConstraint()) return Unexpected(std::move(ran).error());
    return fmt::format("{}: rows of another tenant name this customer", table.name);
  }
  *changed += database_->Changes();
  return std::string();
}

Result<TenantResult> SqliteWriter::EraseTenant(const TenantWrite& after) {
  REEVE_ASSIGN(const bool stale, IsStale(after));
  if (stale) return TenantResult{Outcome::kStaleAttempt, {}, 0};
  uint64_t removed = 0;
  for (const Table* table : ErasedTables()) {
    REEVE_ASSIGN(std::string detail, RemoveOwner(*table, after.owner, &removed));
    if (!detail.empty()) return TenantResult{Outcome::kConflict, std::move(detail), 0};
  }
  REEVE_ASSIGN(TenantResult result, MergeTenant(after));
  if (result.outcome == Outcome::kMerged) result.rows_changed += removed;
  return result;
}

Result<uint64_t> SqliteWriter::Delete(const CentralSink::Deletion& deletion) {
  const Table& table = *deletion.table;
  TableStatements& prepared = statements_[&table];
  RowStatement* remove = deletion.merge ? &prepared.remove_merge : &prepared.remove_stored;
  const auto& columns = deletion.merge ? table.merge_key : table.StoredKey();
  if (!deletion.stored && !deletion.merge) {
    REEVE_ASSIGN(TableStatements * all, Prepared(table));
    remove = &all->remove;
  } else if (!*remove) {
    REEVE_ASSIGN(*remove, RowStatement::Prepare(*database_, table, fmt::format("DELETE FROM {} WHERE {}", table.name, Equals(columns)), Pick(table, columns)));
  }
  remove->Bind(deletion.key);
  REEVE_TRY(remove->statement().Run());
  return database_->Changes();
}

// A store from elsewhere may lack the unique set by which versions of a row are found: repairs write there what they have merged.
Result<uint64_t> SqliteWriter::InsertRows(const RowBatch& rows) {
  const Table& table = rows.table();
  RowStatement& insert = statements_[&table].insert;
  if (!insert) {
    const std::vector<const Column*> columns = All(table);
    std::string parameters = "?1";
    for (size_t i = 2; i <= columns.size(); ++i) parameters.append(fmt::format(", ?{}", i));
    REEVE_ASSIGN(insert, RowStatement::Prepare(*database_, table, fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, ColumnNames(table), parameters),
                                               columns));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    insert.Bind(rows.Row(i));
    if (auto ran = insert.statement().Run(); !ran) {
      if (!database_->LastWasConstraint()) return Unexpected(std::move(ran).error());
      return Fail(Code::kFailed, "{}", DescribeConflict(table, rows.Row(i), database_->LastMessage()));
    }
  }
  return rows.size();
}

Result<uint64_t> SqliteWriter::MergeRows(const RowBatch& rows) {
  if (!rows.empty() && !Prepared(rows.table())) return InsertRows(rows);
  uint64_t changed = 0;
  REEVE_ASSIGN(const std::string detail, MergeBatch(rows, &changed));
  if (!detail.empty()) return Fail(Code::kFailed, "{}", detail);
  return changed;
}

Result<bool> ChangeEach(sqlite::Database& database, std::span<const TenantWrite> batch, bool isolated,
                        const std::function<Result<TenantResult>(const TenantWrite&)>& change, std::vector<TenantResult>* results) {
  results->clear();
  results->reserve(batch.size());
  for (const TenantWrite& write : batch) {
    std::optional<sqlite::Transaction> savepoint;
    if (isolated) {
      REEVE_ASSIGN(auto begun, sqlite::Transaction::Savepoint(database));
      savepoint.emplace(std::move(begun));
    }
    REEVE_ASSIGN(TenantResult result, change(write));
    if (result.outcome == Outcome::kConflict && !isolated) return false;
    if (savepoint && result.outcome == Outcome::kMerged) REEVE_TRY(savepoint->Commit());
    results->push_back(std::move(result));
  }
  return true;
}

}  // namespace reeve::store
