#include "migrate/mirror/displaced.h"

namespace reeve::migrate::mirror {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;
using store::CentralSink;

namespace {

using Row = std::span<const Cell>;

std::vector<Cell> Pick(const Table& table, Row row, std::span<const std::string_view> columns) {
  std::vector<Cell> cells;
  for (const std::string_view name : columns) cells.push_back(row[static_cast<size_t>(table.Index(name))]);
  return cells;
}

// Whether a unique set with this condition, which is always "column IS NULL", applies to the row.
bool Applies(const Table& table, Row row, std::string_view where) {
  constexpr std::string_view kIsNull = " IS NULL";
  if (where.empty()) return true;
  REEVE_ASSERT(where.ends_with(kIsNull));
  where.remove_suffix(kIsNull.size());
  return row[static_cast<size_t>(table.Index(where))].is_null;
}

class Finder {
 public:
  Finder(store::CentralReader& target, std::list<RowBatch>* kept) : target_(target), kept_(*kept) {}

  Result<> Look(const Table& table, Row row) {
    for (const catalog::Unique& unique : table.unique)
      if (Applies(table, row, unique.where)) REEVE_TRY(LookFor(table, row, unique.columns));
    if (table.merge_key != table.StoredKey()) return LookFor(table, row, table.merge_key);
    return {};
  }
  std::vector<CentralSink::Deletion> TakeDeletions() { return std::exchange(deletions_, {}); }

  // A row of the target that goes. Its texts need not outlive the call.
  Result<> Remove(const Table& table, Row row) {
    RowBatch& keys = kept_.emplace_back(table);
    CentralSink::Deletion deletion{&table, {}, true, false};
    for (const std::string_view name : table.StoredKey()) {
      const auto column = static_cast<size_t>(table.Index(name));
      deletion.key.push_back(catalog::IsNumeric(table.columns[column].type) ? row[column] : keys.Own(row[column].text));
    }
    if (&table == &catalog::Customers()) REEVE_TRY(AddChildren(row));
    deletions_.push_back(std::move(deletion));
    return {};
  }
  [[nodiscard]] size_t size() const { return deletions_.size(); }

 private:
  Result<> LookFor(const Table& table, Row row, const std::vector<std::string_view>& columns) {
    RowBatch& found = kept_.emplace_back(table);
    REEVE_TRY(target_.Find(table, columns, Pick(table, row, columns), &found));
    for (size_t i = 0; i < found.size(); ++i) {
      std::vector<Cell> key = Pick(table, std::as_const(found).Row(i), table.StoredKey());
      if (key == Pick(table, row, table.StoredKey())) continue;
      if (&table == &catalog::Customers()) REEVE_TRY(AddChildren(std::as_const(found).Row(i)));
      deletions_.push_back({&table, std::move(key), true, false});
    }
    return {};
  }

  // A customer goes with everything that names it.
  Result<> AddChildren(Row customer) {
    const Table& customers = catalog::Customers();
    const std::string_view id = customer[static_cast<size_t>(customers.Index("customer_id"))].text;
    const store::Owner owner{std::string(customer[static_cast<size_t>(customers.Index("tenant_id"))].text), std::string(id)};
    for (const Table& table : catalog::CentralTables()) {
      if (table.references_customer.empty()) continue;
      RowBatch& rows = kept_.emplace_back(table);
      REEVE_TRY(target_.Read(table, owner, &rows));
      for (size_t i = 0; i < rows.size(); ++i) {
        const Row row = std::as_const(rows).Row(i);
        if (row[static_cast<size_t>(table.Index(table.references_customer))].text == id) deletions_.push_back({&table, Pick(table, row, table.StoredKey()), true, false});
      }
    }
    return {};
  }

  store::CentralReader& target_;
  std::list<RowBatch>& kept_;
  std::vector<CentralSink::Deletion> deletions_;
};

constexpr size_t kSweptAtOnce = 10'000;

Result<bool> Has(store::CentralReader& source, const Table& table, Row row) {
  RowBatch found(table);
  REEVE_TRY(source.Find(table, table.StoredKey(), Pick(table, row, table.StoredKey()), &found));
  return !found.empty();
}

}  // namespace

Result<std::vector<CentralSink::Deletion>> FindDisplaced(store::CentralReader& target, std::span<const RowBatch> upserts, std::list<RowBatch>* kept) {
  Finder finder(target, kept);
  for (const RowBatch& rows : upserts)
    for (size_t i = 0; i < rows.size(); ++i) REEVE_TRY(finder.Look(rows.table(), rows.Row(i)));
  return finder.TakeDeletions();
}

Result<uint64_t> SweepTarget(store::CentralReader& source, CentralSink& target) {
  REEVE_ASSIGN(const auto reader, target.OpenReader());
  std::list<RowBatch> kept;
  Finder finder(*reader, &kept);
  uint64_t swept = 0;
  const auto flush = [&]() -> Result<> {
    REEVE_TRY(target.Amend(finder.TakeDeletions(), {}));
    kept.clear();
    return {};
  };
  const auto tables = catalog::CentralTables();
  for (auto table = tables.rbegin(); table != tables.rend(); ++table) {  // customers come last
    REEVE_TRY(reader->Scan(*table, [&](Row row) -> Result<> {
      REEVE_ASSIGN(const bool known, Has(source, *table, row));
      if (known) return {};
      REEVE_TRY(finder.Remove(*table, row));
      ++swept;
      return finder.size() < kSweptAtOnce ? Result<>() : flush();
    }));
  }
  REEVE_TRY(flush());
  return swept;
}

}  // namespace reeve::migrate::mirror
