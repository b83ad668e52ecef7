#include "store/sqlite/outbox_schema.h"

#include "catalog/table.h"
#include "store/serving_rows.h"

namespace reeve::store {

using catalog::Table;

namespace {

constexpr std::string_view kEpoch = "outbox_epoch", kState = "outbox", kOn = "on", kFilling = "filling";
constexpr std::string_view kActions[] = {"insert", "update", "rename", "delete"};

// "NEW.tenant_id, NEW.api_key_id" or "NEW.customer_id, ''".
std::string KeyOf(const Table& table, std::string_view prefix) {
  const auto& key = table.StoredKey();
  REEVE_ASSERT(!key.empty() && key.size() <= 2);
  return fmt::format("{0}{1}, {2}", prefix, key[0], key.size() == 2 ? fmt::format("{}{}", prefix, key[1]) : "''");
}

// A mark for the row `side` (NEW or OLD), in the place of one it may have.
std::string Mark(const Table& table, std::string_view side) {
  const std::string key = KeyOf(table, fmt::format("{}.", side));
  return fmt::format("DELETE FROM reeve_outbox WHERE table_name = '{0}' AND (key1, key2) = ({1}); "
                     "INSERT INTO reeve_outbox (table_name, key1, key2) VALUES ('{0}', {1});",
                     table.name, key);
}

std::string TriggerName(const Table& table, std::string_view action) { return fmt::format("reeve_outbox_{}_{}", table.name, action); }

std::string Trigger(const Table& table, std::string_view action, std::string_view when, std::string_view side) {
  return fmt::format("CREATE TRIGGER {} AFTER {} ON {} {}BEGIN {} END", TriggerName(table, action), action == "rename" ? "update" : action, table.name, when,
                     Mark(table, side));
}

Result<> PutMeta(sqlite::Database& database, std::string_view key, std::string_view value) {
  return database.Execute(fmt::format("INSERT INTO reeve_meta (key, value) VALUES ('{}', '{}') ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value));
}

Result<> DropAll(sqlite::Database& database) {
  for (const Table& table : catalog::CentralTables())
    for (const std::string_view action : kActions) REEVE_TRY(database.Execute(fmt::format("DROP TRIGGER IF EXISTS {}", TriggerName(table, action))));
  REEVE_TRY(database.Execute("DROP TABLE IF EXISTS reeve_outbox"));
  return database.Execute(fmt::format("DELETE FROM reeve_meta WHERE key = '{}'", kState));
}

Result<> CreateAll(sqlite::Database& database, int64_t epoch) {
  REEVE_TRY(DropAll(database));
  REEVE_TRY(database.Execute("CREATE TABLE reeve_outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT NOT NULL, key1 TEXT NOT NULL, "
                             "key2 TEXT NOT NULL, UNIQUE (table_name, key1, key2)) STRICT"));
  for (const Table& table : catalog::CentralTables()) {
    const std::string renamed = fmt::format("WHEN ({}) IS NOT ({}) ", KeyOf(table, "OLD."), KeyOf(table, "NEW."));
    REEVE_TRY(database.Execute(Trigger(table, "insert", "", "NEW")));
    REEVE_TRY(database.Execute(Trigger(table, "rename", renamed, "OLD")));
    REEVE_TRY(database.Execute(Trigger(table, "update", "", "NEW")));
    REEVE_TRY(database.Execute(Trigger(table, "delete", "", "OLD")));
  }
  REEVE_TRY(PutMeta(database, kEpoch, std::to_string(epoch)));
  return PutMeta(database, kState, kFilling);
}

}  // namespace

Result<OutboxState> InspectOutbox(sqlite::Database& database) {
  REEVE_ASSIGN(sqlite::Statement read, database.Prepare("SELECT key, value FROM reeve_meta WHERE key IN ('outbox_epoch', 'outbox')"));
  OutboxState state;
  while (true) {
    REEVE_ASSIGN(const bool row, read.Step());
    if (!row) return state;
    if (read.Text(0) == kState) state.on = read.Text(1) == kOn;
    if (read.Text(0) == kEpoch) state.epoch = ParseMark(read.Text(1)).value_or(0);
  }
}

Result<> MakeOutbox(sqlite::Database& database) {
  REEVE_ASSIGN(const OutboxState before, InspectOutbox(database));
  {
    REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database));
    REEVE_TRY(CreateAll(database, before.epoch + 1));
    REEVE_TRY(transaction.Commit());
  }
  for (const Table& table : catalog::CentralTables())
    REEVE_TRY(database.Execute(fmt::format("INSERT OR IGNORE INTO reeve_outbox (table_name, key1, key2) SELECT '{}', {} FROM {}", table.name, KeyOf(table, ""), table.name)));
  return PutMeta(database, kState, kOn);
}

Result<> DropOutbox(sqlite::Database& database) {
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database));
  REEVE_TRY(DropAll(database));
  return transaction.Commit();
}

Result<int64_t> PruneOutbox(sqlite::Database& database, int64_t done, int64_t marks_max) {
  REEVE_TRY(database.Execute(fmt::format("DELETE FROM reeve_outbox WHERE seq IN (SELECT seq FROM reeve_outbox WHERE seq <= {} ORDER BY seq LIMIT {})", done, marks_max)));
  return database.Changes();
}

}  // namespace reeve::store
