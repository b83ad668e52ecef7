#include "store/bigquery/table_copy.h"

#include <algorithm>
#include <set>

#include "store/bigquery/exact_cells.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::Table;

namespace {

// Nothing here outlives the process, so nothing is synced.
constexpr std::string_view kCopySettings =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-4096; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF";

// One index for each way in which rows are looked up or put in order.
std::vector<std::string> LookupIndexes(const Table& table) {
  std::set<std::string> wanted;
  const auto add = [&](std::span<const std::string_view> columns, std::span<const std::string_view> then) {
    std::vector<std::string_view> all(columns.begin(), columns.end());
    for (std::string_view name : then)
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
    wanted.insert(JoinNames(all));
  };
  if (!table.owner_column.empty()) add({&table.owner_column, 1}, table.key);
  add(table.key, table.StoredKey());
  add(table.StoredKey(), {});
  add(table.merge_key, {});
  for (const catalog::Unique& unique : table.unique) add(unique.columns, {});
  std::vector<std::string> statements;
  for (const std::string& columns : wanted)
    statements.push_back(fmt::format("CREATE INDEX {0}_{1} ON {0} ({2})", table.name, statements.size(), columns));
  return statements;
}

std::string InsertAll(const Table& table) {
  std::string parameters = "?1";
  for (size_t i = 2; i <= table.columns.size(); ++i) parameters.append(fmt::format(", ?{}", i));
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, ColumnNames(table), parameters);
}

std::vector<const Column*> AllColumns(const Table& table) {
  std::vector<const Column*> columns;
  for (const Column& column : table.columns) columns.push_back(&column);
  return columns;
}

}  // namespace

std::string LooseTable(const Table& table) { return fmt::format("CREATE TABLE {} ({})", table.name, ColumnNames(table)); }

std::string QuotedPath(const std::string& path) {
  std::string quoted = "'";
  for (const char c : path) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

// ---- what reeve_exact_cells says of the cells of one table

Result<ExactTexts> ExactTexts::Open(const Table& table, TableCopy copy) {
  ExactTexts texts;
  REEVE_ASSIGN(texts.database_, sqlite::Database::Open(copy->path(), sqlite::Mode::kReadOnly, 0));
  texts.copy_ = std::move(copy);
  REEVE_ASSIGN(texts.find_, texts.database_->Prepare("SELECT text FROM reeve_exact_cells WHERE table_name = ?1 AND row_key = ?2 AND column_name = ?3"));
  REEVE_ASSIGN(sqlite::Statement any, texts.database_->Prepare("SELECT 1 FROM reeve_exact_cells WHERE table_name = ?1 LIMIT 1"));
  any.BindText(1, table.name);
  REEVE_ASSIGN(texts.any_, any.Step());
  return texts;
}

Result<bool> ExactTexts::Find(const Table& table, const std::string& row_key, const Column& column, std::optional<std::string>* text) {
  find_.BindText(1, table.name);
  find_.BindText(2, row_key);
  find_.BindText(3, column.name);
  auto found = find_.Step();
  if (found && *found) *text = find_.IsNull(0) ? std::nullopt : std::optional<std::string>(find_.Text(0));
  find_.Reset();
  return found;
}

Result<> ExactTexts::Restore(const Table& table, std::span<Cell> cells, std::vector<std::string>* texts) {
  const std::string row_key = any_ ? ExactRowKey(table, cells) : std::string();
  for (size_t i = 0; i < cells.size(); ++i) {
    const Column& column = table.columns[i];
    if (!HasForm(column)) continue;
    std::optional<std::string> noted;
    bool known = false;
    if (any_) {
      REEVE_ASSIGN(known, Find(table, row_key, column, &noted));
    }
    std::optional<std::string> stored;
    if (!cells[i].is_null) stored.emplace(cells[i].text);
    const auto restored = Restored(column, std::move(stored), known ? &noted : nullptr);
    (*texts)[i] = restored.value_or("");
    cells[i] = restored ? Cell::Text((*texts)[i]) : Cell::Null();
  }
  return {};
}

// ---- writing a copy

Result<std::unique_ptr<CopyWriter>> CopyWriter::Make(Spool& spool, const Table& table) {
  std::unique_ptr<CopyWriter> writer(new CopyWriter(table));
  REEVE_ASSIGN(writer->file_, spool.NewFile());
  REEVE_ASSIGN(writer->database_, sqlite::Database::Open(writer->file_->path(), sqlite::Mode::kReadWrite, 0));
  REEVE_TRY(writer->database_->Execute(std::string(kCopySettings)));
  REEVE_TRY(writer->database_->Execute(LooseTable(table)));
  REEVE_ASSIGN(writer->insert_, RowStatement::Prepare(*writer->database_, table, InsertAll(table), AllColumns(table)));
  REEVE_TRY(writer->database_->Execute("BEGIN"));
  return writer;
}

Result<> CopyWriter::RestoreTexts(TableCopy exact_cells) {
  REEVE_ASSIGN(exact_, ExactTexts::Open(*table_, std::move(exact_cells)));
  return {};
}

Result<> CopyWriter::Add(std::span<Cell> cells, std::vector<std::string>* texts) {
  if (exact_) REEVE_TRY(exact_->Restore(*table_, cells, texts));
  insert_.Bind(cells);
  return insert_.statement().Run();
}

Result<TableCopy> CopyWriter::Finish() {
  REEVE_TRY(database_->Execute("COMMIT"));
  for (const std::string& index : LookupIndexes(*table_)) REEVE_TRY(database_->Execute(index));
  insert_ = RowStatement();
  database_.reset();
  return TableCopy(std::move(file_));
}

}  // namespace reeve::store
