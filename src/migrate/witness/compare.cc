#include "migrate/witness/compare.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

namespace reeve::migrate::witness {
namespace {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;

void AppendCell(catalog::Type type, const Cell& cell, std::string* out) {
  std::array<char, 9> head = {0};
  if (cell.is_null) {
    out->push_back(0);
    return;
  }
  const bool numeric = catalog::IsNumeric(type);
  head[0] = numeric ? 1 : 2;
  PutBigEndian(numeric ? static_cast<uint64_t>(cell.num) : cell.text.size(), 8, head.data() + 1);
  out->append(head.data(), head.size());
  if (!numeric) out->append(cell.text);
}

// Positions of the rows in order of the table's key.
std::vector<size_t> KeyOrder(const RowBatch& rows) {
  std::vector<size_t> key;
  for (const std::string_view name : rows.table().key) key.push_back(static_cast<size_t>(rows.table().Index(name)));
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto before = [&](size_t a, size_t b) {
    for (const size_t column : key) {
      const Cell& x = rows.Row(a)[column];
      const Cell& y = rows.Row(b)[column];
      if (x.num != y.num) return x.num < y.num;
      if (x.text != y.text) return x.text < y.text;
    }
    return false;
  };
  if (!std::is_sorted(order.begin(), order.end(), before)) std::stable_sort(order.begin(), order.end(), before);
  return order;
}

// Whether each column counts.
std::vector<bool> Counted(const Table& table, std::span<const std::string_view> bookkeeping) {
  std::vector<bool> counted;
  for (const auto& column : table.columns) {
    counted.push_back(std::find(bookkeeping.begin(), bookkeeping.end(), column.name) == bookkeeping.end());
  }
  return counted;
}

std::string Canonical(const RowBatch& rows, const std::vector<bool>& counted) {
  std::string bytes;
  bytes.reserve(rows.size() * 256);
  for (const size_t i : KeyOrder(rows)) {
    const auto row = rows.Row(i);
    for (size_t c = 0; c < row.size(); ++c) {
      if (counted[c]) AppendCell(rows.table().columns[c].type, row[c], &bytes);
    }
  }
  return bytes;
}

bool Same(catalog::Type type, const Cell& a, const Cell& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  return catalog::IsNumeric(type) ? a.num == b.num : a.text == b.text;
}

void CompareRow(const Table& table, const std::vector<bool>& counted, std::span<const Cell> expected,
                std::span<const Cell> found, const std::string& name, Verdict* verdict) {
  for (size_t c = 0; c < expected.size(); ++c) {
    if (!counted[c] || Same(table.columns[c].type, expected[c], found[c])) continue;
    Report(verdict, DifferenceKind::kValueDiffers, table.name, name, std::string(table.columns[c].name));
  }
}

}  // namespace

std::string_view NameOf(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kMissingInCentral: return "missing_in_central";
    case DifferenceKind::kExtraInCentral: return "extra_in_central";
    case DifferenceKind::kValueDiffers: return "value_differs";
    case DifferenceKind::kDecisionDiffers: return "decision_differs";
    case DifferenceKind::kUsageDiffers: return "usage_differs";
    case DifferenceKind::kTenantFailed: return "tenant_failed";
  }
  return "";
}

void Report(Verdict* verdict, DifferenceKind kind, std::string_view table, std::string row, std::string column) {
  ++verdict->differences_total;
  if (verdict->differences.size() >= kDifferencesMax) return;
  verdict->differences.push_back({kind, std::string(table), std::move(row), std::move(column)});
}

std::string RowName(std::string_view join, const Cell& cell) {
  if (cell.is_null) return "NULL";
  return std::string(cell.text.substr(0, join == "api_key_hash" ? 12 : 200));
}

std::string DigestRows(const RowBatch& rows, std::span<const std::string_view> bookkeeping) {
  return HexOf(BytesOf(DigestOf(Canonical(rows, Counted(rows.table(), bookkeeping)))));
}

void CompareTable(const RowBatch& expected, const RowBatch& found, std::string_view join,
                  std::span<const std::string_view> bookkeeping, Verdict* verdict) {
  const Table& table = expected.table();
  const std::vector<bool> counted = Counted(table, bookkeeping);
  const std::string wanted = Canonical(expected, counted);
  const std::string held = Canonical(found, counted);
  TableProof& proof = verdict->tables[std::string(table.name)];
  proof.rows_expected = expected.size();
  proof.rows_found = found.size();
  proof.digest_expected = HexOf(BytesOf(DigestOf(wanted)));
  proof.digest_found = wanted == held ? proof.digest_expected : HexOf(BytesOf(DigestOf(held)));
  if (wanted == held) return;

  const auto column = static_cast<size_t>(table.Index(join));
  std::unordered_map<std::string_view, size_t> unmatched;
  for (size_t i = 0; i < found.size(); ++i) {
    const Cell& cell = found.Row(i)[column];
    const bool first = unmatched.emplace(cell.text, i).second;
    if (!first) Report(verdict, DifferenceKind::kExtraInCentral, table.name, RowName(join, cell), "");
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const Cell& cell = expected.Row(i)[column];
    const auto match = unmatched.find(cell.text);
    if (match == unmatched.end()) {
      Report(verdict, DifferenceKind::kMissingInCentral, table.name, RowName(join, cell), "");
      continue;
    }
    CompareRow(table, counted, expected.Row(i), found.Row(match->second), RowName(join, cell), verdict);
    unmatched.erase(match);
  }
  std::map<std::string_view, size_t> extra(unmatched.begin(), unmatched.end());
  for (const auto& [text, i] : extra) {
    Report(verdict, DifferenceKind::kExtraInCentral, table.name, RowName(join, found.Row(i)[column]), "");
  }
}

}  // namespace reeve::migrate::witness
