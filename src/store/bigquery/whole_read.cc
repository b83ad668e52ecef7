#include "store/bigquery/whole_read.h"

#include <algorithm>
#include <charconv>

#include "store/bigquery/cell_values.h"
#include "store/bigquery/exact_cells.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::Table;
using catalog::Type;

namespace {

// What other tables are read with comes before them.
std::vector<const Table*> InOrder(std::span<const Table* const> tables) {
  std::vector<const Table*> ordered(tables.begin(), tables.end());
  std::stable_partition(ordered.begin(), ordered.end(), [](const Table* table) { return table == &ExactCells(); });
  return ordered;
}

std::string AsText(const Column& column) {
  switch (column.type) {
    case Type::kString: return std::string(column.name);
    case Type::kInt64:
    case Type::kBool:
    case Type::kDate:
    case Type::kNumeric: return fmt::format("CAST({} AS STRING)", column.name);
    case Type::kTimestamp: return fmt::format("CAST(UNIX_MICROS({}) AS STRING)", column.name);
    case Type::kBytes: return fmt::format("TO_BASE64({})", column.name);
    case Type::kJson: return fmt::format("IF({0} IS NULL, NULL, TO_JSON_STRING({0}))", column.name);
    case Type::kStrings: return fmt::format("IF({0} IS NULL, '[]', TO_JSON_STRING({0}))", column.name);
  }
  return {};
}

}  // namespace

std::string WholeReadQuery(const DatasetName& dataset, std::span<const Table* const> tables) {
  size_t width = 0;
  for (const Table* table : tables) width = std::max(width, table->columns.size());
  std::string query;
  size_t number = 0;
  for (const Table* table : InOrder(tables)) {
    query.append(fmt::format("{}SELECT {} AS reeve_number", number == 0 ? "" : "\nUNION ALL ", number));
    for (size_t i = 0; i < width; ++i)
      query.append(fmt::format(", {} AS c{}", i < table->columns.size() ? AsText(table->columns[i]) : "CAST(NULL AS STRING)", i));
    query.append(fmt::format(" FROM {}", dataset.Table(table->name).Quoted()));
    ++number;
  }
  return number == 1 ? query : query.append("\nORDER BY reeve_number");
}

WholeRead::WholeRead(Spool& spool, std::span<const Table* const> tables) : spool_(spool), given_(tables.begin(), tables.end()), tables_(InOrder(tables)) {}

Result<> WholeRead::GoOn(size_t next) {
  while (copies_.size() < next || writer_ == nullptr) {
    if (writer_ != nullptr) {
      REEVE_ASSIGN(copies_.emplace_back(), writer_->Finish());
      if (tables_[copies_.size() - 1] == &ExactCells()) exact_cells_ = copies_.back();
      writer_.reset();
    }
    if (copies_.size() == tables_.size()) return {};
    const Table& table = *tables_[copies_.size()];
    REEVE_ASSIGN(writer_, CopyWriter::Make(spool_, table));
    if (HasForm(table)) {
      if (exact_cells_ == nullptr) return Fail(Code::kStoreMissing, "the dataset has no table {}", ExactCells().name);
      REEVE_TRY(writer_->RestoreTexts(exact_cells_));
    }
  }
  return {};
}

Result<> WholeRead::Add(const bigquery::Row& row) {
  const std::string number = row.empty() ? std::string() : row.front().text;
  size_t place = tables_.size();
  std::from_chars(number.data(), number.data() + number.size(), place);
  if (place >= tables_.size() || place < copies_.size() || row.size() <= tables_[place]->columns.size()) {
    return Fail(Code::kCorrupt, "a query answered with a row that it was not asked for");
  }
  REEVE_TRY(GoOn(place));
  const Table& table = *tables_[place];
  std::vector<Cell> cells(table.columns.size());
  std::vector<std::string> texts(table.columns.size());
  REEVE_TRY(DecodeValues(table, std::span(row).subspan(1, cells.size()), cells, &texts));
  return writer_->Add(cells, &texts);
}

Result<std::vector<TableCopy>> WholeRead::Finish() {
  REEVE_TRY(GoOn(tables_.size()));
  std::vector<TableCopy> copies;
  for (const Table* table : given_) copies.push_back(copies_[std::find(tables_.begin(), tables_.end(), table) - tables_.begin()]);
  return copies;
}

}  // namespace reeve::store
