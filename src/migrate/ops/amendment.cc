#include "migrate/ops/amendment.h"

#include <map>

namespace reeve::migrate::ops {
namespace {

struct Stored {
  Row row;
  std::string line;
  int versions = 0;  // rows with this key: more than one where the engine enforces none
};

std::map<std::string, Stored> ByKey(const RowBatch& rows) {
  std::map<std::string, Stored> by_key;
  for (size_t i = 0; i < rows.size(); ++i) {
    Stored& stored = by_key[KeyOf(rows.table(), rows.Row(i))];
    stored.row = rows.Row(i);
    stored.line = LineOf(rows.table(), rows.Row(i));
    ++stored.versions;
  }
  return by_key;
}

}  // namespace

void Amendment::Replace(const RowBatch& before, const RowBatch& after) {
  const Table& table = before.table();
  const std::map<std::string, Stored> old_rows = ByKey(before);
  const std::map<std::string, Stored> new_rows = ByKey(after);
  const auto remove = [&](Row row) {
    store::CentralSink::Deletion deletion{&table, {}, true};
    for (const std::string_view column : table.StoredKey()) {
      Cell cell = At(table, row, column);
      if (!cell.text.empty()) cell.text = texts_.emplace_back(cell.text);
      deletion.key.push_back(cell);
    }
    deletions_.push_back(std::move(deletion));
  };
  for (const auto& [key, old_row] : old_rows)
    if (new_rows.count(key) == 0) remove(old_row.row);
  RowBatch upserts(table);
  for (const auto& [key, new_row] : new_rows) {
    const auto old_row = old_rows.find(key);
    const bool known = old_row != old_rows.end();
    if (known && old_row->second.versions == 1 && old_row->second.line == new_row.line) continue;
    if (known) remove(old_row->second.row);
    CopyRow(new_row.row, &upserts);
  }
  if (!upserts.empty()) upserts_.push_back(std::move(upserts));
}

}  // namespace reeve::migrate::ops
