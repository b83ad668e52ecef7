#include "store/sqlite/sqlite_reader.h"

#include <algorithm>

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::RowBatch;
using catalog::Table;

namespace {

// Takes the rest of the statement's rows into `out`.
Result<> Collect(sqlite::Statement& statement, RowBatch* out) {
  const Table& table = out->table();
  while (true) {
    REEVE_ASSIGN(const bool row, statement.Step());
    if (!row) return {};
    const std::span<Cell> cells = out->AddRow();
    REEVE_TRY(ReadCells(statement, table, cells));
    for (size_t i = 0; i < cells.size(); ++i) {
      if (!cells[i].is_null && !catalog::IsNumeric(table.columns[i].type)) cells[i] = out->Own(cells[i].text);
    }
  }
}

Result<> Visited(sqlite::Statement& statement, const Table& table, const CentralReader::Visit& visit) {
  std::vector<Cell> cells(table.columns.size());
  while (true) {
    REEVE_ASSIGN(const bool row, statement.Step());
    if (!row) return {};
    REEVE_TRY(ReadCells(statement, table, cells));
    REEVE_TRY(visit(cells));
  }
}

// The condition that goes with a key or unique set; nullopt if `columns` is none of the table.
std::optional<std::string> SetCondition(const Table& table, std::span<const std::string_view> columns) {
  const auto same = [&](const std::vector<std::string_view>& set) {
    return std::equal(set.begin(), set.end(), columns.begin(), columns.end());
  };
  if (same(table.key)) return TenantOfKey(table);
  if (same(table.merge_key) || same(table.StoredKey())) return "";
  for (const catalog::Unique& unique : table.unique) {
    if (same(unique.columns)) return unique.where.empty() ? "" : fmt::format(" AND {}", unique.where);
  }
  return std::nullopt;
}

class OwningReader final : public CentralReader {
 public:
  explicit OwningReader(std::unique_ptr<sqlite::Database> database) : database_(std::move(database)), reader_(*database_) {}
  Result<> Read(const Table& table, const Owner& owner, RowBatch* out) override { return reader_.Read(table, owner, out); }
  Result<> Scan(const Table& table, const Visit& visit) override { return reader_.Scan(table, visit); }
  Result<uint64_t> Count(const Table& table) override { return reader_.Count(table); }
  Result<> Find(const Table& table, std::span<const std::string_view> columns, std::span<const Cell> values, RowBatch* out) override {
    return reader_.Find(table, columns, values, out);
  }

 private:
  std::unique_ptr<sqlite::Database> database_;
  SqliteReader reader_;  // its statements go before the connection
};

}  // namespace

std::unique_ptr<CentralReader> MakeReader(std::unique_ptr<sqlite::Database> database) {
  return std::make_unique<OwningReader>(std::move(database));
}

std::string TenantOfKey(const Table& table) {
  const auto in_key = [&](std::string_view name) { return std::find(table.key.begin(), table.key.end(), name) != table.key.end(); };
  if (table.StoredKey().front() != "tenant_id" || in_key("tenant_id") || !in_key("customer_id")) return "";
  REEVE_ASSERT(table.key.front() == "customer_id");
  return " AND tenant_id = (SELECT tenant_id FROM customers WHERE customer_id = ?1)";
}

std::string_view OwnerValue(const Table& table, const Owner& owner) {
  if (table.owner_column.empty()) return {};
  return table.owner_column == "customer_id" ? owner.customer_id : owner.tenant_id;
}

Result<RowStatement*> SqliteTables::Prepared(const Table& table, const std::string& sql, std::span<const std::string_view> parameters) {
  RowStatement& prepared = statements_[sql];
  if (!prepared) {
    std::vector<const Column*> columns;
    for (std::string_view name : parameters) columns.push_back(&table.columns[table.Index(name)]);
    REEVE_ASSIGN(prepared, RowStatement::Prepare(*database_, table, sql, std::move(columns)));
  }
  return &prepared;
}

Result<bool> SqliteTables::Has(const Table& table) {
  if (!table.own || seen_.contains(&table)) return true;
  REEVE_ASSIGN(sqlite::Statement find, database_->Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1"));
  find.BindText(1, table.name);
  REEVE_ASSIGN(const bool found, find.Step());
  if (found) seen_.insert(&table);
  return found;
}

Result<> SqliteTables::Read(const Table& table, const Owner& owner, RowBatch* out) {
  if (table.owner_column.empty()) return Fail(Code::kUsage, "rows of {} have no owner", table.name);
  REEVE_ASSIGN(const bool there, Has(table));
  if (!there) return {};
  const std::string sql = fmt::format("SELECT {} FROM {} WHERE {} = ?1 ORDER BY {}", ColumnNames(table), table.name,
                                      table.owner_column, JoinNames(table.key));
  REEVE_ASSIGN(RowStatement * read, Prepared(table, sql, {&table.owner_column, 1}));
  const Cell value = Cell::Text(OwnerValue(table, owner));
  read->Bind({&value, 1});
  auto collected = Collect(read->statement(), out);
  read->statement().Reset();
  return collected;
}

Result<> SqliteTables::Scan(const Table& table, const CentralReader::Visit& visit) {
  REEVE_ASSIGN(const bool there, Has(table));
  if (!there) return {};
  const std::string sql = fmt::format("SELECT {} FROM {} ORDER BY {}, {}", ColumnNames(table), table.name, JoinNames(table.key),
                                      JoinNames(table.StoredKey()));
  // Not a kept statement: `visit` may scan the same table.
  REEVE_ASSIGN(sqlite::Statement scan, database_->Prepare(sql));
  return Visited(scan, table, visit);
}

Result<uint64_t> SqliteTables::Count(const Table& table) {
  REEVE_ASSIGN(const bool there, Has(table));
  if (!there) return 0;
  REEVE_ASSIGN(const int64_t count, database_->QueryInt(fmt::format("SELECT count(*) FROM {}", table.name)));
  return static_cast<uint64_t>(count);
}

Result<> SqliteTables::Find(const Table& table, std::span<const std::string_view> columns, std::span<const Cell> values,
                            RowBatch* out) {
  const auto condition = SetCondition(table, columns);
  if (!condition || columns.size() != values.size()) {
    return Fail(Code::kUsage, "{} has no key ({})", table.name, JoinNames(columns));
  }
  REEVE_ASSIGN(const bool there, Has(table));
  if (!there) return {};
  std::string where;
  for (size_t i = 0; i < columns.size(); ++i) {
    where.append(fmt::format("{}{} = ?{}", i == 0 ? "" : " AND ", columns[i], i + 1));
  }
  const std::string sql = fmt::format("SELECT {} FROM {} WHERE {}{}", ColumnNames(table), table.name, where, *condition);
  REEVE_ASSIGN(RowStatement * find, Prepared(table, sql, columns));
  find->Bind(values);
  auto collected = Collect(find->statement(), out);
  find->statement().Reset();
  return collected;
}

}  // namespace reeve::store
