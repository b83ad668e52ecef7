// Reading catalog tables through one connection: the CentralReader of the embedded store, and the part its Store shares.
// Not safe for concurrent use.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "store/central_sink.h"
#include "store/sqlite/sqlite_rows.h"

namespace reeve::store {

// Prepared reads, kept for the life of the connection. Tables of ours that came with a newer format than the store's are read as empty.
class SqliteTables {
 public:
  explicit SqliteTables(sqlite::Database& database) : database_(&database) {}
  [[nodiscard]] Result<bool> Has(const catalog::Table& table);
  // As the methods of CentralReader.
  [[nodiscard]] Result<> Read(const catalog::Table& table, const Owner& owner, catalog::RowBatch* out);
  [[nodiscard]] Result<> Scan(const catalog::Table& table, const CentralReader::Visit& visit);
  [[nodiscard]] Result<uint64_t> Count(const catalog::Table& table);
  [[nodiscard]] Result<> Find(const catalog::Table& table, std::span<const std::string_view> columns,
                              std::span<const catalog::Cell> values, catalog::RowBatch* out);

 private:
  [[nodiscard]] Result<RowStatement*> Prepared(const catalog::Table& table, const std::string& sql,
                                               std::span<const std::string_view> parameters);
  sqlite::Database* database_;
  std::map<std::string, RowStatement> statements_;  // by text; as many as there are tables and ways to read them
  std::set<const catalog::Table*> seen_;            // tables that are there
};

// A CentralReader over a connection that others use too.
class SqliteReader final : public CentralReader {
 public:
  // REQUIRES: `database` outlives this.
  explicit SqliteReader(sqlite::Database& database) : tables_(database) {}
  Result<> Read(const catalog::Table& table, const Owner& owner, catalog::RowBatch* out) override {
    return tables_.Read(table, owner, out);
  }
  Result<> Scan(const catalog::Table& table, const Visit& visit) override { return tables_.Scan(table, visit); }
  Result<uint64_t> Count(const catalog::Table& table) override { return tables_.Count(table); }
  Result<> Find(const catalog::Table& table, std::span<const std::string_view> columns, std::span<const catalog::Cell> values,
                catalog::RowBatch* out) override {
    return tables_.Find(table, columns, values, out);
  }

 private:
  SqliteTables tables_;
};

// A CentralReader that owns its connection.
[[nodiscard]] std::unique_ptr<CentralReader> MakeReader(std::unique_ptr<sqlite::Database> database);

// What to add to a condition on `table.key` so that it finds its rows by the primary key; empty if it does, or needs a scan.
[[nodiscard]] std::string TenantOfKey(const catalog::Table& table);

// Which rows of `table` are the owner's; "" for a table whose rows have none.
[[nodiscard]] std::string_view OwnerValue(const catalog::Table& table, const Owner& owner);

}  // namespace reeve::store
