#include "legacy/bigquery/read_batch.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/error.h"
#include "drivers/bigquery/types.h"

namespace reeve::legacy {
namespace {

constexpr std::string_view kUnion = "\nUNION ALL\n";

std::string Quoted(std::string_view column) { return fmt::format("`{}`", column); }

// No less than what the column takes in a branch, whichever form it has there.
size_t SqlBytes(const BqColumn& column) { return 2 * column.name.size() + column.type.size() + 40; }

// BigQuery takes microseconds, and UTC when a zone says so.
std::string TimestampLiteral(Micros instant) {
  std::string text = FormatTime(instant);
  text.replace(text.size() - 4, 4, "+00");
  return fmt::format("TIMESTAMP '{}'", text);
}

}  // namespace

bool ReadBatch::Add(const std::string& dataset, const CatalogTable& table) {
  REEVE_ASSERT(table.columns != nullptr && !table.columns->empty());
  BatchTable added{dataset, table.name, {}};
  ColumnSet fresh;
  size_t fresh_bytes = 0;
  for (const BqColumn& column : *table.columns) {
    const auto known = position_.find(AsciiLower(column.name));
    if (known == position_.end()) {
      added.columns.push_back(static_cast<uint16_t>(columns_.size() + fresh.size()));
      fresh_bytes += SqlBytes(column);
      fresh.push_back(column);
      continue;
    }
    if (!(columns_[known->second] == column)) return false;
    added.columns.push_back(known->second);
  }
  // A new column makes the branches before longer too.
  size_t branch_bytes = 200 + project_.size() + dataset.size() + table.name.size() + fresh_bytes;
  for (const BqColumn& column : columns_) branch_bytes += SqlBytes(column);
  const size_t sql_bytes = sql_bytes_ + branch_bytes + fresh_bytes * tables_.size();
  const bool too_large = columns_.size() + fresh.size() > kBatchColumnsMax || sql_bytes > kBatchSqlBytesMax ||
                         bytes_ + table.bytes > kBatchBytesMax || tables_.size() >= kBatchTablesMax;
  if (too_large && !tables_.empty()) return false;
  for (BqColumn& column : fresh) {
    position_.emplace(AsciiLower(column.name), static_cast<uint16_t>(columns_.size()));
    columns_.push_back(std::move(column));
  }
  sql_bytes_ = sql_bytes;
  bytes_ += table.bytes;
  tables_.push_back(std::move(added));
  return true;
}

ReadBatch ReadBatch::Only(const std::vector<size_t>& positions) const {
  ReadBatch some(project_, location_);
  some.columns_ = columns_;
  for (const size_t position : positions) some.tables_.push_back(tables_[position]);
  return some;
}

std::string ReadBatch::OrdinalName() const {
  std::string name = "reeve_table";
  const auto taken = [&] {
    return std::any_of(columns_.begin(), columns_.end(), [&](const BqColumn& column) { return AsciiLower(column.name) == name; });
  };
  while (taken()) name += '_';
  return name;
}

std::string ReadBatch::Sql(std::optional<Micros> instant) const {
  const std::string ordinal = OrdinalName();
  const std::string as_of = instant ? " FOR SYSTEM_TIME AS OF " + TimestampLiteral(*instant) : std::string();
  std::string sql;
  for (size_t i = 0; i < tables_.size(); ++i) {
    const BatchTable& table = tables_[i];
    std::vector<bool> has(columns_.size());
    for (const uint16_t column : table.columns) has[column] = true;
    if (i > 0) sql += kUnion;
    sql += fmt::format("SELECT '{}' AS {}", i, ordinal);
    for (size_t c = 0; c < columns_.size(); ++c) {
      sql += ", ";
      if (!has[c]) sql += fmt::format("CAST(NULL AS {}) AS ", columns_[c].type);
      sql += Quoted(columns_[c].name);
    }
    sql += " FROM " + bigquery::TableId{project_, table.dataset, table.name}.Quoted() + as_of;
  }
  return sql;
}

void BatchSize::Worked(size_t tables) {
  if (tables >= now_) now_ = std::min(2 * now_, ceiling_);
}

void BatchSize::WasTooLarge(size_t tables) {
  ceiling_ = std::min(ceiling_, std::max<size_t>(1, tables / 2));
  now_ = std::min(now_, ceiling_);
}

}  // namespace reeve::legacy
