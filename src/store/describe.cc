#include "store/describe.h"

#include <algorithm>

#include "base/error.h"
#include "base/time_text.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::RowBatch;
using catalog::Table;

namespace {

std::string Shown(const Column& column, const Cell& cell) {
  constexpr size_t kShownMax = 80;
  constexpr size_t kVerifierShown = 12;
  if (cell.is_null) return "NULL";
  if (column.type == catalog::Type::kDate) return FormatDate(static_cast<Days>(cell.num));
  if (column.type == catalog::Type::kTimestamp) return FormatTime(cell.num);
  if (catalog::IsNumeric(column.type)) return fmt::format("{}", cell.num);
  const size_t shown = column.secrecy == catalog::Secrecy::kVerifier ? kVerifierShown : kShownMax;
  if (cell.text.size() <= shown) return std::string(cell.text);
  return fmt::format("{}…", cell.text.substr(0, shown));
}

bool Differs(const Cell& cell, std::string_view expected) { return cell.is_null || cell.text != expected; }

}  // namespace

std::vector<const RowBatch*> InFillOrder(std::span<const RowBatch> batches) {
  std::vector<const RowBatch*> ordered;
  ordered.reserve(batches.size());
  for (const auto& tables : {catalog::CentralTables(), catalog::OwnTables()}) {
    for (const Table& table : tables) {
      for (const RowBatch& batch : batches) {
        if (&batch.table() == &table) ordered.push_back(&batch);
      }
    }
  }
  REEVE_ASSERT(ordered.size() == batches.size());
  return ordered;
}

std::vector<const Table*> ErasedTables() {
  return {&catalog::ReeveRunTotals(), &catalog::ReeveRuns(), &catalog::ReeveFindings(), &catalog::ReeveDeadLetters(),
          &catalog::ReeveUsageRuns(), &catalog::Invitations(), &catalog::Usage(), &catalog::Credentials(), &catalog::ApiKeys(), &catalog::Subscriptions(), &catalog::Customers()};
}

std::string FindForeignRow(const RowBatch& rows, const Owner& owner) {
  const int tenant = rows.table().Find("tenant_id");
  const int customer = rows.table().Find("customer_id");
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.Row(i);
    if (tenant >= 0 && Differs(row[tenant], owner.tenant_id)) {
      return DescribeConflict(rows.table(), row, fmt::format("belongs to another tenant than {}", owner.tenant_id));
    }
    if (customer >= 0 && Differs(row[customer], owner.customer_id)) {
      return DescribeConflict(rows.table(), row, fmt::format("belongs to another customer than {}", owner.customer_id));
    }
  }
  return {};
}

std::vector<Cell> KeyCells(const Table& table, std::span<const Cell> row) {
  std::vector<Cell> key;
  key.reserve(table.key.size());
  for (std::string_view name : table.key) key.push_back(row[table.Index(name)]);
  return key;
}

std::string DescribeConflict(const Table& table, std::span<const Cell> row, std::string_view what) {
  std::string text(table.name);
  for (std::string_view name : table.key) {
    const int index = table.Index(name);
    text.append(" ").append(Shown(table.columns[index], row[index]));
  }
  return text.append(": ").append(what);
}

KeySet::KeySet(const RowBatch& rows) : table_(&rows.table()) {
  for (size_t i = 0; i < rows.size(); ++i) keys_.insert(KeyCells(*table_, rows.Row(i)));
}

bool KeySet::Contains(std::span<const Cell> row) const { return keys_.contains(KeyCells(*table_, row)); }

bool KeySet::Less::operator()(const std::vector<Cell>& a, const std::vector<Cell>& b) const {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].num != b[i].num) return a[i].num < b[i].num;
    if (const int order = a[i].text.compare(b[i].text); order != 0) return order < 0;
  }
  return false;
}

}  // namespace reeve::store
