#include "store/sqlite/sqlite_schema.h"

#include <set>

#include "catalog/ddl.h"
#include "store/sqlite/sqlite_rows.h"

namespace reeve::store {

using catalog::Column;
using catalog::IndexDecl;
using catalog::Table;

namespace {

constexpr int64_t kApplicationId = 0x72656576;  // "reev", in the file's header; frozen
constexpr int64_t kFormat = 2;                  // user_version; 2: with a ledger, of which an older reeve would know nothing
constexpr int kFindingsMax = 100;

std::vector<const Table*> AllTables() {
  std::vector<const Table*> all;
  for (const auto& tables : {catalog::CentralTables(), catalog::OwnTables()}) {
    for (const Table& table : tables) all.push_back(&table);
  }
  return all;
}

// The statement as stored in sqlite_schema: without IF NOT EXISTS.
std::string AsStored(std::string statement) {
  constexpr std::string_view kClause = "IF NOT EXISTS ";
  if (const size_t at = statement.find(kClause); at != std::string::npos) statement.erase(at, kClause.size());
  return statement;
}

Result<std::string> StoredSql(sqlite::Database& database, std::string_view type, std::string_view name) {
  REEVE_ASSIGN(sqlite::Statement find, database.Prepare("SELECT sql FROM sqlite_schema WHERE type = ?1 AND name = ?2"));
  find.BindText(1, type);
  find.BindText(2, name);
  REEVE_ASSIGN(const bool found, find.Step());
  return found ? std::string(find.Text(0)) : std::string();
}

Result<std::vector<std::string>> StoredColumns(sqlite::Database& database, std::string_view table) {
  REEVE_ASSIGN(sqlite::Statement list, database.Prepare("SELECT name FROM pragma_table_xinfo(?1) ORDER BY cid"));
  list.BindText(1, table);
  std::vector<std::string> names;
  while (true) {
    REEVE_ASSIGN(const bool row, list.Step());
    if (!row) return names;
    names.emplace_back(list.Text(0));
  }
}

// What a person wants to know before the definition's text: which columns differ.
std::vector<Drift> CompareColumns(const Table& table, const std::vector<std::string>& stored) {
  std::vector<Drift> drift;
  const std::set<std::string_view> have(stored.begin(), stored.end());
  for (const Column& column : table.columns) {
    if (!have.contains(column.name)) {
      drift.push_back({std::string(table.name), fmt::format("column {} is missing", column.name)});
    }
  }
  for (const std::string& name : stored) {
    if (table.Find(name) < 0) drift.push_back({std::string(table.name), fmt::format("column {} is not in the catalog", name)});
  }
  return drift;
}

Result<> CompareIndexes(sqlite::Database& database, const Table& table, std::vector<Drift>* drift) {
  const auto statements = catalog::CreateStatements(table, catalog::Engine::kSqlite, "");
  const auto indexes = catalog::Indexes(table);
  REEVE_ASSERT(statements.size() == indexes.size() + 1);
  for (size_t i = 0; i < indexes.size(); ++i) {
    REEVE_ASSIGN(const std::string sql, StoredSql(database, "index", indexes[i].name));
    if (sql.empty()) {
      drift->push_back({std::string(table.name), fmt::format("index {} is missing", indexes[i].name), true});
    } else if (sql != AsStored(statements[i + 1])) {
      drift->push_back({std::string(table.name), fmt::format("index {} differs", indexes[i].name)});
    }
  }
  const auto serving = catalog::ServingIndexes(table);
  const auto serving_statements = catalog::CreateServingIndexes(table, catalog::Engine::kSqlite, "");
  for (size_t i = 0; i < serving.size(); ++i) {
    REEVE_ASSIGN(const std::string sql, StoredSql(database, "index", serving[i].name));
    if (!sql.empty() && sql != AsStored(serving_statements[i])) drift->push_back({std::string(table.name), fmt::format("index {} differs", serving[i].name)});
  }
  return {};
}

Result<> CompareTable(sqlite::Database& database, const Table& table, std::vector<Drift>* drift) {
  REEVE_ASSIGN(const std::string sql, StoredSql(database, "table", table.name));
  if (sql.empty()) {
    drift->push_back({std::string(table.name), "the table is missing", true});
    return {};
  }
  REEVE_ASSIGN(const auto columns, StoredColumns(database, table.name));
  auto differing = CompareColumns(table, columns);
  const auto statements = catalog::CreateStatements(table, catalog::Engine::kSqlite, "");
  if (differing.empty() && sql != AsStored(statements.front())) {
    differing.push_back({std::string(table.name), "types, constraints, keys or the order of columns differ"});
  }
  drift->insert(drift->end(), differing.begin(), differing.end());
  return CompareIndexes(database, table, drift);
}

Result<> AppendRows(sqlite::Database& database, std::string_view sql, std::vector<std::string>* out) {
  REEVE_ASSIGN(sqlite::Statement check, database.Prepare(sql));
  while (true) {
    REEVE_ASSIGN(const bool row, check.Step());
    if (!row) return {};
    if (check.Text(0) != "ok") out->emplace_back(check.Text(0));
  }
}

}  // namespace

Unexpected MissingStore(const std::string& path) {
  return FailWithHint(Code::kStoreMissing, fmt::format("there is no reeve store at {}", path),
                      "check the path given with --to or --store; `reeve migrate` and `reeve schema apply` make a new one");
}

Result<StoreState> InspectStore(sqlite::Database& database) {
  auto id = database.QueryInt("PRAGMA application_id");
  if (!id && database.LastWasNoDatabase()) {
    return FailWithHint(Code::kStoreMissing, fmt::format("{} is no reeve store: no SQLite database", database.path()),
                        "name another file; this one was not touched");
  }
  if (!id) return Unexpected(std::move(id).error());
  REEVE_ASSIGN(const int64_t format, database.QueryInt("PRAGMA user_version"));
  REEVE_ASSIGN(const int64_t objects, database.QueryInt("SELECT count(*) FROM sqlite_schema"));
  if (*id == 0 && format == 0 && objects == 0) return StoreState::kEmpty;
  if (*id != kApplicationId) {
    return FailWithHint(Code::kStoreMissing, fmt::format("{} is a SQLite database, but no reeve store", database.path()),
                        "name another file; this one was not touched");
  }
  if (format > kFormat) {
    return FailWithHint(Code::kRefused, fmt::format("{} has format {}, this reeve knows {}", database.path(), format, kFormat),
                        "use the reeve that made it, or a newer one");
  }
  return StoreState::kReeve;
}

Result<> ApplySqliteSchema(sqlite::Database& database) {
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database));
  REEVE_ASSIGN(const auto drift, CheckSqliteSchema(database));
  for (const Drift& one : drift) {
    if (one.repairable) continue;
    return FailWithHint(Code::kRefused, fmt::format("{}: {}: {}", database.path(), one.table, one.what),
                        "`reeve export` it and migrate the export into a new store");
  }
  if (!drift.empty()) {
    for (const Table* table : AllTables()) {
      for (const std::string& statement : catalog::CreateStatements(*table, catalog::Engine::kSqlite, "")) {
        REEVE_TRY(database.Execute(statement));
      }
    }
  }
  REEVE_TRY(database.Execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={};"
                                         "INSERT INTO reeve_meta (key, value) VALUES ('format', '{}') ON CONFLICT DO UPDATE SET value = excluded.value",
                                         kApplicationId, kFormat, kFormat)));
  return transaction.Commit();
}

Result<> ApplyServingIndexes(sqlite::Database& database) {
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database));
  for (const Table* table : AllTables()) {
    for (const std::string& statement : catalog::CreateServingIndexes(*table, catalog::Engine::kSqlite, "")) REEVE_TRY(database.Execute(statement));
  }
  return transaction.Commit();
}

Result<std::vector<Drift>> CheckSqliteSchema(sqlite::Database& database) {
  std::vector<Drift> drift;
  for (const Table* table : AllTables()) REEVE_TRY(CompareTable(database, *table, &drift));
  return drift;
}

Result<std::vector<std::string>> CheckSqliteIntegrity(sqlite::Database& database) {
  std::vector<std::string> findings;
  REEVE_TRY(AppendRows(database, fmt::format("SELECT integrity_check FROM pragma_integrity_check({})", kFindingsMax), &findings));
  REEVE_TRY(AppendRows(database,
                       fmt::format("SELECT \"table\" || ': row ' || coalesce(rowid, '?') || ' names a ' || parent || ' row that "
                                   "does not exist' FROM pragma_foreign_key_check LIMIT {}",
                                   kFindingsMax),
                       &findings));
  // Ids of which the primary key does not say that they are unique overall: two equal ones would be a collision of digests.
  for (const Table* table : AllTables()) {
    if (table->key.size() != 1 || table->stored_key.empty()) continue;
    REEVE_TRY(AppendRows(database,
                         fmt::format("SELECT '{0}: {1} ' || {1} || ' occurs ' || count(*) || ' times' FROM {0} GROUP BY {1} "
                                     "HAVING count(*) > 1 LIMIT {2}",
                                     table->name, table->key.front(), kFindingsMax),
                         &findings));
  }
  return findings;
}

}  // namespace reeve::store
