// What the adapters of CentralSink share: order of tables, ownership of rows, keys of rows, words for conflicts.
// Nothing here knows how rows merge; each adapter does that on its own. Pure; safe from any thread.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "catalog/rows.h"
#include "store/central_sink.h"

namespace reeve::store {

// The batches in the order of the catalog, so that a customer comes before what names it. At most one per table.
[[nodiscard]] std::vector<const catalog::RowBatch*> InFillOrder(std::span<const catalog::RowBatch> batches);

// The tables that Erase empties, children first.
[[nodiscard]] std::vector<const catalog::Table*> ErasedTables();

// Says which row is not the owner's; empty if all are.
[[nodiscard]] std::string FindForeignRow(const catalog::RowBatch& rows, const Owner& owner);

// The values of the row's primary key.
[[nodiscard]] std::vector<catalog::Cell> KeyCells(const catalog::Table& table, std::span<const catalog::Cell> row);

// "customer_api_keys key_1: <what>", verifiers shortened, long keys cut.
[[nodiscard]] std::string DescribeConflict(const catalog::Table& table, std::span<const catalog::Cell> row, std::string_view what);

// The primary keys of a batch, which must outlive this.
class KeySet {
 public:
  explicit KeySet(const catalog::RowBatch& rows);
  [[nodiscard]] size_t size() const { return keys_.size(); }
  [[nodiscard]] bool Contains(std::span<const catalog::Cell> row) const;

 private:
  struct Less {
    bool operator()(const std::vector<catalog::Cell>& a, const std::vector<catalog::Cell>& b) const;
  };
  const catalog::Table* table_;
  std::set<std::vector<catalog::Cell>, Less> keys_;
};

}  // namespace reeve::store
