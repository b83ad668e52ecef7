// DDL of the three engines, generated from the catalog. Golden files in tests/golden hold its text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/table.h"

namespace reeve::catalog {

enum class Engine { kSqlite, kPostgres, kBigQuery };

[[nodiscard]] std::optional<Engine> ParseEngine(std::string_view name);

// An index of `table` as SQLite and PostgreSQL have it, beside the primary key's.
struct IndexDecl {
  std::string name;
  std::vector<std::string_view> columns;
  bool unique = false;
  std::string_view where = {};  // empty: all rows
};
[[nodiscard]] std::vector<IndexDecl> Indexes(const Table& table);
// Those that a store has once it was served, beside the others.
[[nodiscard]] std::vector<IndexDecl> ServingIndexes(const Table& table);

// CREATE TABLE and a statement for each of Indexes(table), each without a trailing semicolon, all idempotent.
// `dataset` qualifies BigQuery names (`project.dataset` or `dataset`), is the schema in PostgreSQL and is ignored by SQLite.
[[nodiscard]] std::vector<std::string> CreateStatements(const Table& table, Engine engine,
                                                        std::string_view dataset);
// The same for ServingIndexes(table).
[[nodiscard]] std::vector<std::string> CreateServingIndexes(const Table& table, Engine engine, std::string_view dataset);

// The whole schema as one script. `own`: reeve's own tables too. `policies`: row access policies (BigQuery: one lookup
// policy; PostgreSQL: row-level security).
[[nodiscard]] std::string SchemaScript(Engine engine, std::string_view dataset, bool own, bool policies);

// The merge of an arriving row into a stored one for SQLite and PostgreSQL: INSERT … ON CONFLICT (merge_key) DO UPDATE with the columns'
// Merge rules, which changes a row only if a column other than bookkeeping changes. Parameters ?1…?n in column order (SQLite).
// Identity columns that differ are passed to reeve_same(column, stored, arriving), a function the adapter registers, which raises.
[[nodiscard]] std::string MergeStatement(const Table& table);

// The page docs/tables.md.
[[nodiscard]] std::string ReferencePage();

}  // namespace reeve::catalog
