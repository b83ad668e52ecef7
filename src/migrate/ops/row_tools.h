// Small helpers over catalog rows that every command here uses. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "catalog/rows.h"
#include "store/central_sink.h"

namespace reeve::migrate::ops {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;
using Row = std::span<const Cell>;

// The cell of `column`. REQUIRES: `table` has it.
[[nodiscard]] inline const Cell& At(const Table& table, Row row, std::string_view column) {
  return row[static_cast<size_t>(table.Index(column))];
}
[[nodiscard]] inline std::string_view TextAt(const Table& table, Row row, std::string_view column) {
  return At(table, row, column).text;
}
[[nodiscard]] inline int64_t NumAt(const Table& table, Row row, std::string_view column) {
  return At(table, row, column).num;
}

// Writes one cell of a row that belongs to `batch`.
inline void Put(RowBatch* batch, std::span<Cell> row, std::string_view column, std::string_view text) {
  row[static_cast<size_t>(batch->table().Index(column))] = batch->Own(text);
}
inline void Put(RowBatch* batch, std::span<Cell> row, std::string_view column, int64_t value) {
  row[static_cast<size_t>(batch->table().Index(column))] = Cell::Int(value);
}
inline void PutNull(RowBatch* batch, std::span<Cell> row, std::string_view column) {
  row[static_cast<size_t>(batch->table().Index(column))] = Cell::Null();
}

// Appends a copy of `row`, texts included, and returns its cells. REQUIRES: `row` is none of `out`
std::span<Cell> CopyRow(Row row, RowBatch* out);

// The row as a line of an export: equal lines are equal rows.
[[nodiscard]] std::string LineOf(const Table& table, Row row);
// The cells of the table's primary key (StoredKey) as bytes without ambiguity: equal texts are
// equal keys.
[[nodiscard]] std::string KeyOf(const Table& table, Row row);

// The first 64 bits of the SHA-256 of `text`: names of rows in compact memory, where 2^-64 counts
// as never.
[[nodiscard]] uint64_t Hash64(std::string_view text);

// "1 key", "3 keys".
[[nodiscard]] std::string Counted(uint64_t count, std::string_view noun);

// What people see of a key hash: enough to find it, too little to look it up elsewhere.
[[nodiscard]] std::string ShortHash(std::string_view hash);

// The phase, attempt … of one tenant, or an empty batch.
[[nodiscard]] Result<RowBatch> ReadTenantRow(store::CentralReader& reader, std::string_view tenant);

}  // namespace reeve::migrate::ops
