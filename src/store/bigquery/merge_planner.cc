#include "store/bigquery/merge_planner.h"

#include <algorithm>

#include "base/error.h"
#include "catalog/ddl.h"
#include "store/bigquery/exact_cells.h"
#include "store/describe.h"
#include "store/sqlite/sqlite_rows.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::RowBatch;
using catalog::Table;

namespace {

// The file is thrown away if anything goes wrong with it.
constexpr std::string_view kSettings =
    "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
    "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=OFF";

// "c.k IS t.k AND …", for whatever two names go before the columns of the natural key.
std::string SameKey(const Table& table, std::string_view one, std::string_view other) {
  std::string text;
  for (std::string_view name : table.merge_key) text.append(fmt::format("{}{}.{} IS {}.{}", text.empty() ? "" : " AND ", one, name, other, name));
  return text;
}

std::string Prefixed(std::span<const std::string_view> names, std::string_view prefix) {
  std::string text;
  for (std::string_view name : names) text.append(fmt::format("{}{}.{}", text.empty() ? "" : ", ", prefix, name));
  return text;
}

std::string OwnerOf(const Table& table, std::string_view version) {
  return table.owner_column.empty() ? "NULL" : fmt::format("{}.{}", version, table.owner_column);
}

// Notes the key of what a statement changes, once. The table is temporary and so are the triggers: they roll back with the plan and name no schema.
std::string Trigger(const Table& table, std::string_view event, std::string_view version) {
  return fmt::format(
      "CREATE TEMP TRIGGER reeve_{0}_{1} AFTER {0} ON main.{1} BEGIN "
      "INSERT INTO changed_{1} ({2}, reeve_owner) SELECT {3}, {4} WHERE NOT EXISTS (SELECT 1 FROM changed_{1} c WHERE {5}); END;",
      event, table.name, JoinNames(table.merge_key), Prefixed(table.merge_key, version), OwnerOf(table, version), SameKey(table, "c", version));
}

// The columns of the catalog, those beyond the key NULL.
std::string KeyColumnsOnly(const Table& table) {
  std::string text;
  for (const Column& column : table.columns) {
    const bool key = std::find(table.merge_key.begin(), table.merge_key.end(), column.name) != table.merge_key.end();
    text.append(fmt::format("{}{}{}", text.empty() ? "" : ", ", key ? "c." : "NULL", key ? column.name : ""));
  }
  return text;
}

// Which row BigQuery could not hold and why; empty if it can hold all.
std::string FindUnstorable(const RowBatch& rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string why = Unstorable(rows.table(), rows.Row(i));
    if (!why.empty()) return DescribeConflict(rows.table(), rows.Row(i), why);
  }
  return {};
}

std::string AllColumns(const Table& table, std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return Prefixed(names, prefix);
}

}  // namespace

Result<std::unique_ptr<MergePlanner>> MergePlanner::Make(TableCopies& copies) {
  REEVE_ASSIGN(std::unique_ptr<SpoolFile> file, copies.spool().NewFile());
  REEVE_ASSIGN(auto database, sqlite::Database::Open(file->path(), sqlite::Mode::kReadWrite, 0));
  REEVE_TRY(database->Execute(std::string(kSettings)));
  REEVE_TRY(SqliteWriter::Register(*database));
  for (const Table* table : DatasetTables()) {
    for (const std::string& statement : catalog::CreateStatements(*table, catalog::Engine::kSqlite, "")) REEVE_TRY(database->Execute(statement));
  }
  std::unique_ptr<MergePlanner> planner(new MergePlanner(copies, std::move(file), std::move(database)));
  sqlite::Database& opened = *planner->database_;
  REEVE_ASSIGN(planner->put_exact_, opened.Prepare(catalog::MergeStatement(ExactCells())));
  REEVE_ASSIGN(planner->remove_exact_, opened.Prepare("DELETE FROM reeve_exact_cells WHERE table_name = ?1 AND row_key = ?2 AND column_name = ?3"));
  REEVE_ASSIGN(planner->remove_exact_row_, opened.Prepare("DELETE FROM reeve_exact_cells WHERE table_name = ?1 AND row_key = ?2"));
  return planner;
}

// ---- the working copy

Result<> MergePlanner::Load(std::span<const Table* const> tables) {
  REEVE_ASSERT(!transaction_);
  for (const Table* table : tables) {
    if (loaded_.contains(table)) continue;
    REEVE_TRY(LoadTable(*table));
    loaded_.insert(table);
  }
  return {};
}

Result<> MergePlanner::LoadTable(const Table& table) {
  REEVE_ASSIGN(const TableCopy copy, copies_.Current(table));
  REEVE_TRY(database_->Execute(fmt::format("PRAGMA foreign_keys=OFF; ATTACH {} AS copy", QuotedPath(copy->path()))));
  Result<> filled = database_->Execute(fmt::format("INSERT INTO main.{0} ({1}) SELECT {1} FROM copy.{0}", table.name, ColumnNames(table)));
  if (!filled && database_->LastWasConstraint()) filled = LoadBroken(table);
  REEVE_TRY(database_->Execute("DETACH copy"));
  REEVE_TRY(filled);
  return Track(table);
}

// The dataset breaks a rule that SQLite would enforce. Repairs must still be possible: of its keys the table gets those that hold.
Result<> MergePlanner::LoadBroken(const Table& table) {
  broken_.insert(&table);
  REEVE_TRY(database_->Execute(fmt::format("DROP TABLE main.{}", table.name)));
  std::string create = LooseTable(table);
  create.insert(std::string_view("CREATE TABLE ").size(), "main.");
  REEVE_TRY(database_->Execute(create));
  REEVE_TRY(database_->Execute(fmt::format("INSERT INTO main.{0} ({1}) SELECT {1} FROM copy.{0}", table.name, ColumnNames(table))));
  std::vector<std::string> sets = {JoinNames(table.StoredKey()), JoinNames(table.merge_key)};
  for (const catalog::Unique& unique : table.unique) sets.push_back(JoinNames(unique.columns) + (unique.where.empty() ? "" : ") WHERE (" + std::string(unique.where)));
  for (size_t i = 0; i < sets.size(); ++i)
    (void)database_->Execute(fmt::format("CREATE UNIQUE INDEX main.{0}_{1} ON {0} ({2})", table.name, i, sets[i]));
  return database_->Execute(fmt::format("CREATE INDEX main.{0}_key ON {0} ({1})", table.name, JoinNames(table.merge_key)));
}

Result<> MergePlanner::Track(const Table& table) {
  const std::string keys = JoinNames(table.merge_key);
  REEVE_TRY(database_->Execute(fmt::format("CREATE TEMP TABLE changed_{0} (number INTEGER PRIMARY KEY, {1}, reeve_owner);"
                                           "CREATE INDEX temp.changed_{0}_key ON changed_{0} ({1})",
                                           table.name, keys)));
  for (const auto& [event, version] : {std::pair("INSERT", "new"), std::pair("UPDATE", "new"), std::pair("DELETE", "old")})
    REEVE_TRY(database_->Execute(Trigger(table, event, version)));
  Tracked& tracked = tracked_[&table];
  REEVE_ASSIGN(tracked.puts, database_->Prepare(fmt::format("SELECT {}, c.number, c.reeve_owner FROM changed_{} c JOIN main.{} t ON {} WHERE c.number > ?1 "
                                                            "ORDER BY c.number LIMIT ?2",
                                                            AllColumns(table, "t"), table.name, table.name, SameKey(table, "t", "c"))));
  REEVE_ASSIGN(tracked.deletions,
               database_->Prepare(fmt::format("SELECT {}, c.number, c.reeve_owner FROM changed_{} c WHERE c.number > ?1 AND NOT EXISTS "
                                              "(SELECT 1 FROM main.{} t WHERE {}) ORDER BY c.number LIMIT ?2",
                                              KeyColumnsOnly(table), table.name, table.name, SameKey(table, "t", "c"))));
  return {};
}

// ---- plans

Result<> MergePlanner::Begin(std::span<const TenantWrite> batch, bool references) {
  REEVE_ASSERT(!transaction_);
  REEVE_TRY(database_->Execute(fmt::format("PRAGMA foreign_keys={}", references ? "ON" : "OFF")));
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
  transaction_.emplace(std::move(transaction));
  attempts_.clear();
  tenants_.clear();
  for (const TenantWrite& write : batch) {
    const auto [known, fresh] = attempts_.emplace(write.owner.tenant_id, write.attempt);
    if (!fresh) known->second = std::max(known->second, write.attempt);
    tenants_.emplace(write.owner.customer_id, write.owner.tenant_id);
  }
  return {};
}

// What BigQuery could not hold is a conflict, as what breaks a constraint is.
Result<TenantResult> MergePlanner::MergeTenant(const TenantWrite& write) {
  for (const RowBatch* rows : InFillOrder(write.tables)) {
    std::string why = FindUnstorable(*rows);
    if (why.empty()) continue;
    REEVE_ASSIGN(TenantResult result, writer_.MergeTenant({write.owner, write.attempt, {}}));
    if (result.outcome == Outcome::kStaleAttempt) return result;
    return TenantResult{Outcome::kConflict, std::move(why), 0};
  }
  return writer_.MergeTenant(write);
}

Result<bool> MergePlanner::TryMerge(std::span<const TenantWrite> batch, bool isolated, std::vector<TenantResult>* results) {
  REEVE_ASSIGN(auto savepoint, sqlite::Transaction::Savepoint(*database_));
  REEVE_ASSIGN(const bool whole, ChangeEach(*database_, batch, isolated, [this](const TenantWrite& write) { return MergeTenant(write); }, results));
  if (whole) REEVE_TRY(savepoint.Commit());
  return whole;
}

Result<std::vector<TenantResult>> MergePlanner::Merge(std::span<const TenantWrite> batch) {
  REEVE_TRY(Begin(batch, true));
  std::vector<TenantResult> results;
  REEVE_ASSIGN(const bool merged, TryMerge(batch, false, &results));
  if (!merged) REEVE_TRY(TryMerge(batch, true, &results));
  return results;
}

Result<TenantResult> MergePlanner::EraseTenant(const TenantWrite& after) {
  REEVE_ASSIGN(TenantResult result, writer_.EraseTenant(after));
  for (const RowBatch& rows : after.tables) {
    std::string why = FindUnstorable(rows);
    if (!why.empty() && result.outcome == Outcome::kMerged) result = {Outcome::kConflict, std::move(why), 0};
  }
  return result;
}

Result<std::vector<TenantResult>> MergePlanner::Erase(std::span<const TenantWrite> after) {
  REEVE_TRY(Begin(after, true));
  std::vector<TenantResult> results;
  REEVE_TRY(ChangeEach(*database_, after, true, [this](const TenantWrite& write) { return EraseTenant(write); }, &results));
  return results;
}

// Rows that name a customer who does not exist, by table and row number.
Result<std::set<std::pair<const Table*, int64_t>>> MergePlanner::FindOrphans() {
  std::set<std::pair<const Table*, int64_t>> orphans;
  for (const Table* table : DatasetTables()) {
    if (table->references_customer.empty() || !loaded_.contains(table)) continue;
    const std::string_view tenant = table->Find("tenant_id") >= 0 ? " AND o.tenant_id = t.tenant_id" : "";
    REEVE_ASSIGN(sqlite::Statement find,
                 database_->Prepare(fmt::format("SELECT t.rowid FROM main.{} t WHERE NOT EXISTS (SELECT 1 FROM main.customers o WHERE o.customer_id = t.{}{})",
                                                table->name, table->references_customer, tenant)));
    while (true) {
      REEVE_ASSIGN(const bool row, find.Step());
      if (!row) break;
      orphans.emplace(table, find.Int(0));
    }
  }
  return orphans;
}

Result<> MergePlanner::Amend(std::span<const CentralSink::Deletion> deletions, std::span<const RowBatch> upserts) {
  REEVE_TRY(Begin({}, false));
  REEVE_ASSIGN(const auto before, FindOrphans());
  // Customers last: the keys of their children are found through them.
  for (const bool customers : {false, true}) {
    for (const CentralSink::Deletion& deletion : deletions) {
      if ((deletion.table == &catalog::Customers()) == customers) REEVE_TRY(writer_.Delete(deletion));
    }
  }
  for (const RowBatch& rows : upserts) {
    const std::string why = FindUnstorable(rows);
    if (!why.empty()) return Fail(Code::kFailed, "{}", why);
    REEVE_TRY(writer_.MergeRows(rows));
  }
  REEVE_ASSIGN(const auto after, FindOrphans());
  for (const auto& orphan : after) {
    if (!before.contains(orphan)) return Fail(Code::kFailed, "{}: a row would name a customer who does not exist", orphan.first->name);
  }
  return {};
}

// ---- what an open plan changes

Result<bool> MergePlanner::HasChanges(const Table& table) {
  REEVE_ASSIGN(const int64_t any, database_->QueryInt(fmt::format("SELECT EXISTS (SELECT 1 FROM changed_{})", table.name)));
  return any != 0;
}

Result<std::vector<ScriptTable>> MergePlanner::Changes() {
  changed_.clear();
  std::vector<ScriptTable> tables;
  for (const Table* table : DatasetTables()) {  // reeve_exact_cells is the last
    if (!loaded_.contains(table)) continue;
    REEVE_ASSIGN(const bool changes, HasChanges(*table));
    if (!changes) continue;
    changed_.push_back(table);
    tables.push_back({table, broken_.contains(table)});
    if (HasForm(*table)) REEVE_TRY(SettleExactCells(*table));
  }
  return tables;
}

std::string_view MergePlanner::TenantOf(const Table& table, std::string_view owner) const {
  if (table.owner_column != "customer_id") return owner;
  const auto tenant = tenants_.find(owner);
  return tenant == tenants_.end() ? std::string_view() : tenant->second;
}

Result<int> MergePlanner::VisitSome(sqlite::Statement& statement, const Table& table, bool put, int rows_max, Place* place, const VisitStaged& visit) {
  const int columns = static_cast<int>(table.columns.size());
  std::vector<Cell> cells(table.columns.size());
  statement.BindInt(1, place->after);
  statement.BindInt(2, rows_max);
  Result<int> rows = 0;
  while (true) {
    auto stepped = statement.Step();
    auto read = stepped && *stepped ? ReadCells(statement, table, cells) : Result<>();
    if (!stepped) rows = Unexpected(stepped.error());
    if (!read) rows = Unexpected(read.error());
    if (!rows || !*stepped) break;
    place->after = statement.Int(columns);
    StagedRow row{&table, put, TenantOf(table, statement.Text(columns + 1)), 0, cells};
    const auto attempt = attempts_.find(row.tenant);
    if (attempt == attempts_.end()) {
      row.tenant = {};
    } else {
      row.attempt = attempt->second;
    }
    visit(row);
    ++*rows;
  }
  statement.Reset();
  return rows;
}

Result<MergePlanner::Place> MergePlanner::VisitChanges(Place from, int rows_max, const VisitStaged& visit) {
  while (from.table < changed_.size()) {
    const Table& table = *changed_[from.table];
    Tracked& tracked = tracked_[&table];
    REEVE_ASSIGN(const int rows, VisitSome(from.deletions ? tracked.deletions : tracked.puts, table, !from.deletions, rows_max, &from, visit));
    if (rows == rows_max) return from;
    from = from.deletions ? Place{from.table + 1, false, 0, false} : Place{from.table, true, 0, false};
    if (rows > 0) return from;
  }
  from.end = true;
  return from;
}

Result<> MergePlanner::SettleExactCell(const Table& table, const std::string& row_key, const Column& column, const Cell& cell, std::string_view tenant) {
  const bool exact = NeedsExactText(column, cell);
  sqlite::Statement& statement = exact ? put_exact_ : remove_exact_;
  statement.BindText(1, table.name);
  statement.BindText(2, row_key);
  statement.BindText(3, column.name);
  if (exact) {
    statement.BindText(4, tenant);
    if (cell.is_null) {
      statement.BindNull(5);
    } else {
      statement.BindText(5, cell.text);
    }
  }
  return statement.Run();
}

Result<> MergePlanner::SettleExactCells(const Table& table) {
  Result<> settled;
  const auto settle = [&](const StagedRow& row) {
    if (!settled) return;
    const std::string row_key = ExactRowKey(table, row.cells);
    if (!row.put) {
      remove_exact_row_.BindText(1, table.name);
      remove_exact_row_.BindText(2, row_key);
      settled = remove_exact_row_.Run();
      return;
    }
    const int tenant = table.Index("tenant_id");
    for (size_t i = 0; i < row.cells.size() && settled; ++i) {
      if (HasForm(table.columns[i])) settled = SettleExactCell(table, row_key, table.columns[i], row.cells[i], row.cells[tenant].text);
    }
  };
  constexpr int kAll = -1;  // no LIMIT
  Tracked& tracked = tracked_[&table];
  for (const bool put : {true, false}) {
    Place place;
    REEVE_TRY(VisitSome(put ? tracked.puts : tracked.deletions, table, put, kAll, &place, settle));
  }
  return settled;
}

Result<> MergePlanner::ForgetChanges() {
  for (const auto& [table, tracked] : tracked_) REEVE_TRY(database_->Execute(fmt::format("DELETE FROM changed_{}", table->name)));
  return {};
}

Result<> MergePlanner::Commit() {
  REEVE_ASSERT(transaction_.has_value());
  REEVE_TRY(ForgetChanges());
  auto committed = transaction_->Commit();
  transaction_.reset();
  return committed;
}

}  // namespace reeve::store
