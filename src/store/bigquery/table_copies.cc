#include "store/bigquery/table_copies.h"

#include <algorithm>

#include "store/bigquery/cell_values.h"
#include "store/bigquery/dataset_schema.h"
#include "store/bigquery/exact_cells.h"
#include "store/bigquery/whole_read.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Table;

// ---- pins

bool TableCopies::CanPin() const {
  return std::ranges::all_of(writing_, [&](const Table* table) {
    const auto state = tables_.find(table);
    return state != tables_.end() && state->second.current != nullptr;
  });
}

std::shared_ptr<TableCopies::Pin> TableCopies::MakePin() {
  std::unique_lock lock(mu_);
  written_.wait(lock, [&] { return CanPin(); });
  std::erase_if(pins_, [](const std::weak_ptr<Pin>& pin) { return pin.expired(); });
  std::shared_ptr<Pin> pin(new Pin(this));
  for (const Table* table : writing_) pin->seen_[table] = tables_[table].current;  // as it was before
  pins_.push_back(pin);
  return pin;
}

Result<TableCopy> TableCopies::GetFor(Pin* pin, const Table& table) {
  const std::lock_guard lock(mu_);
  TableCopy& seen = pin->seen_[&table];
  if (seen == nullptr) {
    REEVE_ASSIGN(seen, CurrentLocked(table));
  }
  return seen;
}

Result<TableCopy> TableCopies::Current(const Table& table) {
  const std::lock_guard lock(mu_);
  return CurrentLocked(table);
}

void TableCopies::UseListing(const DatasetSchema& schema, const std::string& location) {
  const std::lock_guard lock(mu_);
  names_ = schema.names();
  location_ = location;
  if (const bigquery::TableInfo* const meta = schema.KnownMeta()) has_etags_ = !meta->etag.empty();
}

void TableCopies::Learn(const Table& table, const bigquery::TableInfo& info, bool empty) {
  const std::lock_guard lock(mu_);
  names_.emplace(table.name);
  State& state = tables_[&table];
  state.info = info;
  state.empty = empty;
}

Result<> TableCopies::BeginWrite(std::span<const Table* const> tables) {
  const std::lock_guard lock(mu_);
  for (const std::weak_ptr<Pin>& weak : pins_) {
    const std::shared_ptr<Pin> pin = weak.lock();
    if (pin == nullptr) continue;
    for (const Table* table : tables) {
      TableCopy& seen = pin->seen_[table];
      if (seen != nullptr) continue;
      REEVE_ASSIGN(seen, CurrentLocked(*table));
    }
  }
  writing_.assign(tables.begin(), tables.end());
  return {};
}

void TableCopies::EndWrite() {
  const std::lock_guard lock(mu_);
  for (const Table* table : writing_) {
    tables_[table].current = nullptr;
    tables_[table].empty = false;
  }
  writing_.clear();
  written_.notify_all();
}

void TableCopies::Forget() {
  const std::lock_guard lock(mu_);
  tables_.clear();
}

// ---- reading from BigQuery

Result<TableCopy> TableCopies::CurrentLocked(const Table& table) {
  State& state = tables_[&table];
  if (state.current != nullptr) return state.current;
  if (state.empty) {
    REEVE_ASSIGN(const auto writer, CopyWriter::Make(*spool_, table));
    REEVE_ASSIGN(state.current, writer->Finish());
    return state.current;
  }
  if (has_etags_) {
    REEVE_ASSIGN(const bigquery::TableInfo* info, InfoOf(table));
    has_etags_ = info == nullptr || !info->etag.empty();
    if (info != nullptr && has_etags_) {
      REEVE_ASSIGN(state.current, ReadByPages(table, *info));
      return state.current;
    }
  }
  if (!names_.contains(table.name)) {
    return FailWithHint(Code::kStoreMissing, fmt::format("{} has no table {}", dataset_.Url(), table.name), "`reeve schema apply` makes what is missing");
  }
  REEVE_TRY(ReadAllByQuery());
  return state.current;
}

Result<const bigquery::TableInfo*> TableCopies::InfoOf(const Table& table) {
  State& state = tables_[&table];
  if (!state.info) {
    REEVE_ASSIGN(state.info, client_.FindTable(dataset_.Table(table.name)));
  }
  return state.info ? &*state.info : nullptr;
}

Result<TableCopy> TableCopies::ReadByPages(const Table& table, const bigquery::TableInfo& info) {
  REEVE_ASSIGN(const auto writer, CopyWriter::Make(*spool_, table));
  if (HasForm(table)) {
    REEVE_ASSIGN(TableCopy exact, CurrentLocked(ExactCells()));
    REEVE_TRY(writer->RestoreTexts(std::move(exact)));
  }
  REEVE_ASSIGN(const RowDecoder decoder, RowDecoder::Make(table, info.schema));
  std::vector<Cell> cells(table.columns.size());
  std::vector<std::string> texts(table.columns.size());
  REEVE_TRY(client_.ReadTable(info, decoder.columns(), [&](const bigquery::Row& row) -> Result<> {
    REEVE_TRY(decoder.Decode(row, cells, &texts));
    return writer->Add(cells, &texts);
  }));
  return writer->Finish();
}

// Every table that is not known, whatever was asked for: it is one job.
Result<> TableCopies::ReadAllByQuery() {
  std::vector<const Table*> wanted;
  for (const Table* table : DatasetTables()) {
    const State& state = tables_[table];
    if (state.current != nullptr || state.empty) continue;
    if (names_.contains(table->name)) wanted.push_back(table);
  }
  WholeRead read(*spool_, wanted);
  if (const State& exact = tables_[&ExactCells()]; exact.current != nullptr || exact.empty) {
    REEVE_ASSIGN(TableCopy texts, CurrentLocked(ExactCells()));
    read.UseExactCells(std::move(texts));
  }
  const std::string job = fmt::format("{}-{}", read_job_, ++reads_);
  REEVE_TRY(client_.Query({.job_id = job, .sql = WholeReadQuery(dataset_, wanted), .location = location_}, nullptr,
                          [&](const bigquery::Row& row) { return read.Add(row); }));
  REEVE_ASSIGN(auto copies, read.Finish());
  for (size_t i = 0; i < wanted.size(); ++i) tables_[wanted[i]].current = std::move(copies[i]);
  return {};
}

}  // namespace reeve::store
