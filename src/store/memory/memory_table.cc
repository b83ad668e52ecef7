#include "store/memory/memory_table.h"

#include <algorithm>

#include "base/error.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::Merge;
using catalog::Table;

namespace {

// NULL is unknown: the other one then.
Value Smaller(const Value& a, const Value& b) {
  if (a.is_null) return b;
  if (b.is_null) return a;
  return std::min(a, b);
}

Value Larger(const Value& a, const Value& b) {
  if (a.is_null) return b;
  if (b.is_null) return a;
  return std::max(a, b);
}

Value WithEarliest(const Table& table, const Values& a, const Values& b, size_t column) {
  const size_t time = table.Index("revoked_at");
  const Value& first = Smaller(a[time], b[time]);
  if (a[time] == b[time]) return Smaller(a[column], b[column]);
  return a[time] == first ? a[column] : b[column];
}

Value MergeValue(const Table& table, const Values& stored, const Values& arriving, size_t column) {
  const Value& s = stored[column];
  const Value& a = arriving[column];
  switch (table.columns[column].merge) {
    case Merge::kIdentity: return s;
    case Merge::kLatest:
    case Merge::kBookkeeping: return a;
    case Merge::kMin:
    case Merge::kFirstSeen: return Smaller(s, a);
    case Merge::kMax: return Larger(s, a);
    case Merge::kAnd: return s.num != 0 && a.num != 0 ? s : Value{false, 0, {}};
    case Merge::kWithEarliest: return WithEarliest(table, stored, arriving, column);
  }
  return s;
}

// The sets that tell rows apart beside the primary key. A condition is always "column IS NULL".
struct Set {
  std::string name;
  std::vector<std::string_view> columns;
  std::string_view where_null = {};
};

std::vector<Set> SetsOf(const Table& table) {
  std::vector<Set> sets = {{"merge key", table.merge_key}};
  for (const catalog::Unique& unique : table.unique) {
    constexpr std::string_view kIsNull = " IS NULL";
    std::string_view where = unique.where;
    REEVE_ASSERT(where.empty() || where.ends_with(kIsNull));
    if (!where.empty()) where.remove_suffix(kIsNull.size());
    sets.push_back({std::string(unique.name), unique.columns, where});
  }
  return sets;
}

bool Applies(const Set& set, const Table& table, const Values& row) {
  return set.where_null.empty() || row[table.Index(set.where_null)].is_null;
}

// What is wrong with the row by itself.
std::string Malformed(const Table& table, const Values& row) {
  for (size_t i = 0; i < row.size(); ++i) {
    const Column& column = table.columns[i];
    if (column.required && row[i].is_null) return fmt::format("NOT NULL constraint failed: {}.{}", table.name, column.name);
    if (column.type == catalog::Type::kBool && !row[i].is_null && row[i].num != 0 && row[i].num != 1) {
      return fmt::format("CHECK constraint failed: {} IN (0,1)", column.name);
    }
  }
  return {};
}

}  // namespace

Values OwnCells(std::span<const Cell> cells) {
  Values values;
  for (const Cell& cell : cells) {
    values.push_back(cell.is_null ? Value{} : Value{false, cell.num, std::string(cell.text)});
  }
  return values;
}

Values Pick(const Table& table, const Values& row, std::span<const std::string_view> columns) {
  Values picked;
  for (std::string_view name : columns) picked.push_back(row[table.Index(name)]);
  return picked;
}

Cell ViewOf(const Value& value) { return {value.is_null, value.num, value.text}; }

std::optional<Values> MergeRow(const Table& table, const Values& stored, const Values& arriving, std::string* conflict) {
  Values merged = stored;
  bool changed = false;
  for (size_t i = 0; i < stored.size(); ++i) {
    const Column& column = table.columns[i];
    if (column.merge == Merge::kIdentity && stored[i] != arriving[i]) {
      *conflict = fmt::format("{} would change, and it is part of what the row is", column.name);
      return std::nullopt;
    }
    merged[i] = MergeValue(table, stored, arriving, i);
    if (column.merge != Merge::kBookkeeping && merged[i] != stored[i]) changed = true;
  }
  if (!changed) return std::nullopt;
  return merged;
}

const MemoryTables::Rows& MemoryTables::RowsOf(const Table& table) const {
  static const Rows none;
  const auto found = tables_.find(&table);
  return found == tables_.end() ? none : found->second.rows;
}

const Values* MemoryTables::Find(const Table& table, std::span<const std::string_view> columns, const Values& values) const {
  const auto found = tables_.find(&table);
  if (found == tables_.end()) return nullptr;
  const Rows& rows = found->second.rows;
  const auto at = [&](const Values& key) -> const Values* {
    const auto row = rows.find(key);
    return row == rows.end() ? nullptr : &row->second;
  };
  if (std::ranges::equal(columns, table.StoredKey())) return at(values);
  for (const Set& set : SetsOf(table)) {
    if (!std::ranges::equal(columns, set.columns)) continue;
    const auto& keys = found->second.sets.find(set.name)->second;
    const auto key = keys.find(values);
    return key == keys.end() ? nullptr : at(key->second);
  }
  for (const auto& [key, row] : rows) {
    if (Pick(table, row, columns) == values) return &row;
  }
  return nullptr;
}

std::string MemoryTables::Violation(const Table& table, const Values& row, const Values* replaced) const {
  const Values* same = Find(table, table.StoredKey(), Pick(table, row, table.StoredKey()));
  if (same != nullptr && same != replaced) return fmt::format("UNIQUE constraint failed: {}", table.name);
  for (const Set& set : SetsOf(table)) {
    if (!Applies(set, table, row)) continue;
    same = Find(table, set.columns, Pick(table, row, set.columns));
    if (same != nullptr && same != replaced) return fmt::format("UNIQUE constraint failed: {}", set.name);
  }
  return {};
}

std::string MemoryTables::Merge(const Table& table, const Values& arriving, bool* changed) {
  *changed = false;
  std::string conflict;
  const Values* stored = Find(table, table.merge_key, Pick(table, arriving, table.merge_key));
  std::optional<Values> row = arriving;
  // What could not be stored may not arrive either.
  conflict = Malformed(table, arriving);
  if (conflict.empty() && stored != nullptr) row = MergeRow(table, *stored, arriving, &conflict);
  if (!conflict.empty() || !row) return conflict;
  conflict = Violation(table, *row, stored);
  if (!conflict.empty()) return conflict;
  if (!table.references_customer.empty()) {
    if (!defer_references_ && !HasCustomer(table, *row)) return "FOREIGN KEY constraint failed";
  }
  if (stored != nullptr) Put(table, Pick(table, *stored, table.StoredKey()), std::nullopt);
  const Values key = Pick(table, *row, table.StoredKey());
  Put(table, key, std::move(row));
  *changed = true;
  return {};
}

bool MemoryTables::Remove(const Table& table, const Values& stored_key) {
  if (!RowsOf(table).contains(stored_key)) return false;
  Put(table, stored_key, std::nullopt);
  return true;
}

std::vector<const Values*> MemoryTables::InKeyOrder(const Table& table) const {
  std::vector<const Values*> rows;
  for (const auto& [key, row] : RowsOf(table)) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [&](const Values* a, const Values* b) {
    return Pick(table, *a, table.key) < Pick(table, *b, table.key);
  });
  return rows;
}

bool MemoryTables::HasCustomer(const Table& table, const Values& row) const {
  const auto& customers = RowsOf(catalog::Customers());
  const auto found = customers.find({row[table.Index(table.references_customer)]});
  if (found == customers.end()) return false;
  const int tenant = table.Find("tenant_id");
  return tenant < 0 || found->second[catalog::Customers().Index("tenant_id")] == row[tenant];
}

std::string MemoryTables::FindOrphan() const {
  for (const Table& table : catalog::CentralTables()) {
    if (table.references_customer.empty()) continue;
    for (const auto& [key, row] : RowsOf(table)) {
      if (!HasCustomer(table, row)) return fmt::format("{}: FOREIGN KEY constraint failed", table.name);
    }
  }
  return {};
}

bool MemoryTables::IsNamed(const Value& customer_id) const {
  for (const Table& table : catalog::CentralTables()) {
    if (table.references_customer.empty()) continue;
    for (const auto& [key, row] : RowsOf(table)) {
      if (row[table.Index(table.references_customer)] == customer_id) return true;
    }
  }
  return false;
}

void MemoryTables::Put(const Table& table, const Values& key, std::optional<Values> row) {
  Stored& stored = Of(table);
  const auto found = stored.rows.find(key);
  std::optional<Values> before;
  if (found != stored.rows.end()) before = found->second;
  for (const Set& set : SetsOf(table)) {
    auto& keys = stored.sets[set.name];
    if (before && Applies(set, table, *before)) keys.erase(Pick(table, *before, set.columns));
    if (row && Applies(set, table, *row)) keys[Pick(table, *row, set.columns)] = key;
  }
  if (row) {
    stored.rows[key] = std::move(*row);
  } else {
    stored.rows.erase(key);
  }
  undo_.push_back({&table, key, std::move(before)});
}

void MemoryTables::Undo(size_t mark) {
  while (undo_.size() > mark) {
    Before before = std::move(undo_.back());
    undo_.pop_back();
    Put(*before.table, before.key, std::move(before.row));
    undo_.pop_back();  // what Put has noted
  }
}

}  // namespace reeve::store
