// Rows of one dataset in maps, with the catalog's constraints and an undo list. Not safe for concurrent use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/rows.h"

namespace reeve::store {

// A cell that owns its text.
struct Value {
  bool is_null = true;
  int64_t num = 0;
  std::string text;
  auto operator<=>(const Value&) const = default;
};
using Values = std::vector<Value>;

[[nodiscard]] Values OwnCells(std::span<const catalog::Cell> cells);
[[nodiscard]] catalog::Cell ViewOf(const Value& value);
[[nodiscard]] Values Pick(const catalog::Table& table, const Values& row, std::span<const std::string_view> columns);

// How an arriving row changes a stored one: the row after the merge, or nullopt if it stays. `conflict` is set, and nothing
// else matters, if the two are not versions of one row.
[[nodiscard]] std::optional<Values> MergeRow(const catalog::Table& table, const Values& stored, const Values& arriving,
                                             std::string* conflict);

class MemoryTables {
 public:
  using Rows = std::map<Values, Values>;  // by stored key

  [[nodiscard]] const Rows& RowsOf(const catalog::Table& table) const;
  // A row whose `columns` (a key or unique set) equal `values`, or nullptr.
  [[nodiscard]] const Values* Find(const catalog::Table& table, std::span<const std::string_view> columns, const Values& values) const;

  // Merges one row. The conflict's words, empty if none; true in `changed` if something was written.
  [[nodiscard]] std::string Merge(const catalog::Table& table, const Values& arriving, bool* changed);
  // Removes the row with this stored key. False if there is none.
  bool Remove(const catalog::Table& table, const Values& stored_key);
  // The rows in order of the table's key.
  [[nodiscard]] std::vector<const Values*> InKeyOrder(const catalog::Table& table) const;
  // Says which row names a customer that does not exist; empty if none does.
  [[nodiscard]] std::string FindOrphan() const;
  // True if a row of another table names this customer.
  [[nodiscard]] bool IsNamed(const Value& customer_id) const;

  // Marks where a later Undo goes back to.
  [[nodiscard]] size_t Mark() const { return undo_.size(); }
  void Undo(size_t mark);
  void Forget() { undo_.clear(); }
  // While set, rows may name customers that do not exist (yet); look with FindOrphan afterwards.
  void DeferReferences(bool defer) { defer_references_ = defer; }

 private:
  struct Before {
    const catalog::Table* table;
    Values key;
    std::optional<Values> row;
  };
  struct Stored {
    Rows rows;
    std::map<std::string, std::map<Values, Values>> sets;  // unique set → its values → stored key
  };
  void Put(const catalog::Table& table, const Values& key, std::optional<Values> row);
  [[nodiscard]] bool HasCustomer(const catalog::Table& table, const Values& row) const;
  [[nodiscard]] std::string Violation(const catalog::Table& table, const Values& row, const Values* replaced) const;
  Stored& Of(const catalog::Table& table) { return tables_[&table]; }

  std::map<const catalog::Table*, Stored> tables_;
  std::vector<Before> undo_;
  bool defer_references_ = false;
};

}  // namespace reeve::store
