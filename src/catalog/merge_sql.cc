// The merge rules as SQL. Every expression is written so that SQLite and PostgreSQL read it alike; store/memory states
// the same rules in C++, and the conformance suite compares the two.
#include "base/error.h"
#include "catalog/ddl.h"

namespace reeve::catalog {
namespace {

// `s` is the stored value, `a` the arriving one.
struct Sides {
  std::string s;
  std::string a;
};

// PostgreSQL has no equality for json; in both engines a JSON value is its text.
Sides SidesOf(const Table& table, const Column& column) {
  Sides sides{fmt::format("{}.{}", table.name, column.name), fmt::format("excluded.{}", column.name)};
  if (column.type != Type::kJson) return sides;
  return {fmt::format("CAST({} AS TEXT)", sides.s), fmt::format("CAST({} AS TEXT)", sides.a)};
}

// The smaller (`less` is "<") or larger of the known ones.
std::string Extreme(const Sides& v, std::string_view less) {
  return fmt::format("CASE WHEN {0} IS NULL OR {1} {2} {0} THEN {1} ELSE {0} END", v.s, v.a, less);
}

std::string WithEarliest(const Table& table, const Column& column) {
  const Sides time = SidesOf(table, table.columns[table.Index("revoked_at")]);
  const Sides v = SidesOf(table, column);
  return fmt::format(
      "CASE WHEN {1} < {0} OR ({0} IS NULL AND {1} IS NOT NULL) THEN {3} "
      "WHEN {0} < {1} OR ({1} IS NULL AND {0} IS NOT NULL) THEN {2} ELSE {4} END",
      time.s, time.a, v.s, v.a, Extreme(v, "<"));
}

// The value after the merge.
std::string Merged(const Table& table, const Column& column) {
  const Sides v = SidesOf(table, column);
  switch (column.merge) {
    case Merge::kIdentity: return v.s;
    case Merge::kLatest:
    case Merge::kBookkeeping: return fmt::format("excluded.{}", column.name);
    case Merge::kMin:
    case Merge::kFirstSeen: return Extreme(v, "<");
    case Merge::kMax: return Extreme(v, ">");
    case Merge::kAnd: return fmt::format("{} AND {}", v.s, v.a);
    case Merge::kWithEarliest: return WithEarliest(table, column);
  }
  return {};
}

// True if the merge would change the stored value.
std::string Changes(const Table& table, const Column& column) {
  const Sides v = SidesOf(table, column);
  switch (column.merge) {
    case Merge::kIdentity:
    case Merge::kBookkeeping: return {};
    case Merge::kLatest: return fmt::format("{} IS DISTINCT FROM {}", v.s, v.a);
    case Merge::kMin:
    case Merge::kFirstSeen: return fmt::format("{1} < {0} OR ({0} IS NULL AND {1} IS NOT NULL)", v.s, v.a);
    case Merge::kMax: return fmt::format("{1} > {0} OR ({0} IS NULL AND {1} IS NOT NULL)", v.s, v.a);
    case Merge::kAnd: return fmt::format("({} AND NOT {})", v.s, v.a);
    case Merge::kWithEarliest: return fmt::format("{} IS DISTINCT FROM ({})", v.s, WithEarliest(table, column));
  }
  return {};
}

bool InMergeKey(const Table& table, const Column& column) {
  for (std::string_view name : table.merge_key) {
    if (name == column.name) return true;
  }
  return false;
}

std::string InsertPart(const Table& table) {
  std::string names, parameters;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (i > 0) names.append(", "), parameters.append(", ");
    names.append(table.columns[i].name);
    parameters.append(fmt::format("?{}", i + 1));
  }
  return fmt::format("INSERT INTO {} ({})\nVALUES ({})\n", table.name, names, parameters);
}

// CASE takes its branches in order, so a differing identity is always seen before anything is changed.
std::string Condition(const Table& table) {
  std::string identity, changed;
  for (const Column& column : table.columns) {
    const Sides v = SidesOf(table, column);
    if (column.merge == Merge::kIdentity && !InMergeKey(table, column)) {
      identity.append(fmt::format("  WHEN {0} IS DISTINCT FROM {1} THEN reeve_same('{2}', {0}, {1})\n", v.s, v.a, column.name));
    }
    if (const std::string changes = Changes(table, column); !changes.empty()) {
      changed.append(changed.empty() ? "" : "\n    OR ").append(changes);
    }
  }
  if (changed.empty()) changed = "FALSE";
  if (identity.empty()) return changed;
  return fmt::format("CASE\n{}  ELSE {} END", identity, changed);
}

}  // namespace

std::string MergeStatement(const Table& table) {
  std::string keys, set;
  for (std::string_view name : table.merge_key) keys.append(keys.empty() ? "" : ", ").append(name);
  for (const Column& column : table.columns) {
    if (column.merge == Merge::kIdentity) continue;
    set.append(set.empty() ? "" : ",\n  ").append(fmt::format("{} = {}", column.name, Merged(table, column)));
  }
  // A row of identities alone still needs an assignment, so that its condition is looked at; it never takes effect.
  if (set.empty()) set = fmt::format("{0} = {1}.{0}", table.columns.back().name, table.name);
  return fmt::format("{}ON CONFLICT ({}) DO UPDATE SET\n  {}\nWHERE {}", InsertPart(table), keys, set, Condition(table));
}

}  // namespace reeve::catalog
