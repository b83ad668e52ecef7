// The column names of legacy tables, looked up once per field of a row. Part of JsonRow; for one thread at a time.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "migrate/witness/json_row.h"
#include "migrate/witness/vocabulary.h"

namespace reeve::migrate::witness {

// A column name that occurred, with what the row at hand says under it.
struct Column {
  std::string name;
  bool in_vocabulary = false;
  bool used = false;
  FieldType type = FieldType::kText;
  uint64_t row = 0;    // the last row that has it
  uint64_t table = 0;  // the last table that has it
  Column* next = nullptr;  // what followed it in the last row: rows of a table are usually alike
  RawValue value;
};

// The columns of one kind of table, kept from table to table.
struct ColumnBook {
  static constexpr size_t kForeignMax = 4096;  // remembered beyond the vocabulary

  explicit ColumnBook(Kind k) : kind(k) { Reset(); }

  void StartTable() {
    seen.clear();
    if (columns.size() > VocabularyOf(kind).size() + kForeignMax) Reset();
  }

  // The column of this name, made if it is new. Stays where it is until StartTable.
  Column* Get(std::string_view name) {
    if (const auto found = index.find(name); found != index.end()) return found->second;
    Column& column = columns.emplace_back();
    column.name = name;
    column.in_vocabulary = InVocabulary(kind, name);
    index.emplace(column.name, &column);
    return &column;
  }

  void Reset() {
    index.clear();
    columns.clear();
    first = Column();
    for (const std::string_view name : VocabularyOf(kind)) Get(name);
    const auto fields = FieldsOf(kind);
    for (size_t field = 0; field < fields.size(); ++field) {
      for (size_t rank = 0; rank < 3; ++rank) {
        const std::string_view name = fields[field].columns[rank];
        if (name.empty()) continue;
        Column* column = slots[field][rank] = Get(name);
        column->used = true;
        column->type = fields[field].type;
      }
    }
  }

  const Kind kind;
  std::deque<Column> columns;  // addresses stay
  std::unordered_map<std::string_view, Column*> index;
  std::array<std::array<Column*, 3>, kFieldsMax> slots{};
  std::vector<Column*> seen;  // of the table at hand
  Column first;               // its `next` is the column that begins a row
};

}  // namespace reeve::migrate::witness
