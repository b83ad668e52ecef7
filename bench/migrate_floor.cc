// The floor under `reeve migrate`: parsing the same files with simdjson alone, then inserting the same central rows with one prepared
// statement per table in one transaction per 1,000 rows, into the same schema with the same durability. Nothing is mapped, merged, checked or journalled.
//
//   migrate_floor ESTATE_DIR MIGRATED_STORE SCRATCH_DB
//
// prints one JSON object: seconds of parsing (whole and split), seconds of inserting, rows and bytes.

#include <simdjson.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/time_text.h"
#include "catalog/ddl.h"
#include "catalog/ndjson.h"
#include "catalog/rows.h"
#include "store/sqlite/sqlite_sink.h"

namespace {

using reeve::catalog::Cell;
using reeve::catalog::RowBatch;
using reeve::catalog::Type;

constexpr size_t kRowsPerTransaction = 1000;

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "migrate_floor: %s\n", what);
  std::exit(1);
}

struct Parsed {
  uint64_t files = 0, rows = 0, bytes = 0, text_bytes = 0;
};

// Reads and parses every file, touching every field of every row as a reader must.
Parsed ParseEstate(const std::string& dir) {
  Parsed parsed;
  simdjson::dom::parser parser;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
    simdjson::padded_string content;
    Check(simdjson::padded_string::load(entry.path().string()).get(content) == simdjson::SUCCESS, "cannot read a file");
    ++parsed.files;
    parsed.bytes += content.size();
    simdjson::dom::document_stream rows;
    Check(parser.parse_many(content).get(rows) == simdjson::SUCCESS, "cannot parse a file");
    for (auto row : rows) {
      simdjson::dom::object object;
      Check(row.get(object) == simdjson::SUCCESS, "a row is no object");
      ++parsed.rows;
      for (const auto field : object) {
        std::string_view text;
        if (field.value.get(text) == simdjson::SUCCESS) parsed.text_bytes += text.size();
      }
    }
  }
  return parsed;
}

std::vector<RowBatch> LoadCentral(const std::string& store) {
  auto reader = reeve::store::OpenSqliteReader(store);
  Check(reader.has_value(), "cannot open the migrated store");
  std::vector<RowBatch> tables;
  for (const auto& table : reeve::catalog::CentralTables()) {
    RowBatch batch(table);
    const auto scanned = (*reader)->Scan(table, [&batch](std::span<const Cell> row) -> reeve::Result<> {
      const std::span<Cell> copy = batch.AddRow();
      for (size_t i = 0; i < copy.size(); ++i) {
        copy[i] = row[i];
        if (!row[i].text.empty()) copy[i].text = batch.Own(row[i].text).text;
      }
      return {};
    });
    Check(scanned.has_value(), "cannot read the migrated store");
    tables.push_back(std::move(batch));
  }
  return tables;
}

void Execute(sqlite3* db, const std::string& sql) {
  Check(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(db));
}

void Bind(sqlite3_stmt* statement, int at, const reeve::catalog::Column& column, const Cell& cell) {
  if (cell.is_null) {
    sqlite3_bind_null(statement, at);
  } else if (column.type == Type::kDate) {
    const std::string text = reeve::FormatDate(static_cast<reeve::Days>(cell.num));
    sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  } else if (column.type == Type::kNumeric) {
    const std::string text = reeve::catalog::FormatNumeric(cell.num, column.scale);
    sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  } else if (reeve::catalog::IsNumeric(column.type)) {
    sqlite3_bind_int64(statement, at, cell.num);
  } else if (column.type == Type::kBytes) {
    sqlite3_bind_blob(statement, at, cell.text.data() ? cell.text.data() : "", static_cast<int>(cell.text.size()), SQLITE_STATIC);
  } else {
    sqlite3_bind_text(statement, at, cell.text.data() ? cell.text.data() : "", static_cast<int>(cell.text.size()), SQLITE_STATIC);
  }
}

uint64_t InsertTable(sqlite3* db, const RowBatch& batch) {
  std::string sql = "INSERT INTO " + std::string(batch.table().name) + " VALUES (";
  for (size_t i = 0; i < batch.table().columns.size(); ++i) sql += i == 0 ? "?" : ",?";
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v2(db, (sql + ")").c_str(), -1, &statement, nullptr) == SQLITE_OK, sqlite3_errmsg(db));
  for (size_t row = 0; row < batch.size(); ++row) {
    if (row % kRowsPerTransaction == 0) Execute(db, row == 0 ? "BEGIN" : "COMMIT; BEGIN");
    for (size_t c = 0; c < batch.table().columns.size(); ++c)
      Bind(statement, static_cast<int>(c + 1), batch.table().columns[c], batch.Row(row)[c]);
    Check(sqlite3_step(statement) == SQLITE_DONE, sqlite3_errmsg(db));
    sqlite3_reset(statement);
  }
  if (!batch.empty()) Execute(db, "COMMIT");
  sqlite3_finalize(statement);
  return batch.size();
}

}  // namespace

int main(int argc, char** argv) {
  Check(argc == 4, "usage: migrate_floor ESTATE_DIR MIGRATED_STORE SCRATCH_DB");
  const std::vector<RowBatch> tables = LoadCentral(argv[2]);
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((std::string(argv[3]) + suffix).c_str());
  const double parse_start = Now();
  const Parsed parsed = ParseEstate(argv[1]);
  const double parse = Now() - parse_start;
  const double insert_start = Now();
  sqlite3* db = nullptr;
  Check(sqlite3_open(argv[3], &db) == SQLITE_OK, "cannot open the scratch database");
  Execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
  for (const auto& table : reeve::catalog::CentralTables())
    for (const std::string& sql : reeve::catalog::CreateStatements(table, reeve::catalog::Engine::kSqlite, "")) Execute(db, sql);
  uint64_t inserted = 0;
  for (const RowBatch& batch : tables) inserted += InsertTable(db, batch);
  sqlite3_close(db);
  const double insert = Now() - insert_start;
  std::printf("{\"parse_s\":%.3f,\"insert_s\":%.3f,\"floor_s\":%.3f,\"files\":%llu,\"rows\":%llu,\"bytes\":%llu,\"central_rows\":%llu,\"text_bytes\":%llu}\n",
              parse, insert, parse + insert, static_cast<unsigned long long>(parsed.files), static_cast<unsigned long long>(parsed.rows),
              static_cast<unsigned long long>(parsed.bytes), static_cast<unsigned long long>(inserted),
              static_cast<unsigned long long>(parsed.text_bytes));
  return 0;
}
