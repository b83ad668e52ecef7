// RowWriter: fills one new row of a batch by column names. Texts are copied into the batch. For one row, then thrown away.
#pragma once

#include <optional>
#include <string_view>

#include "base/time_text.h"
#include "catalog/rows.h"

namespace reeve::migrate::copy {

class RowWriter {
 public:
  explicit RowWriter(catalog::RowBatch* batch) : batch_(batch), cells_(batch->AddRow()) {}

  RowWriter& Text(std::string_view column, std::string_view text) { return Put(column, batch_->Own(text)); }
  // Empty text is NULL.
  RowWriter& TextOrNull(std::string_view column, std::string_view text) {
    return text.empty() ? *this : Text(column, text);
  }
  RowWriter& Int(std::string_view column, int64_t value) { return Put(column, catalog::Cell::Int(value)); }
  RowWriter& Int(std::string_view column, std::optional<int64_t> value) { return value ? Int(column, *value) : *this; }
  RowWriter& Bool(std::string_view column, bool value) { return Int(column, int64_t{value}); }
  RowWriter& Time(std::string_view column, Micros value) { return Int(column, value); }
  RowWriter& Time(std::string_view column, std::optional<Micros> value) { return Int(column, value); }

 private:
  // Rows are filled in column order, so the next column is nearly always the wanted one.
  RowWriter& Put(std::string_view column, catalog::Cell cell) {
    const auto& columns = batch_->table().columns;
    if (next_ >= columns.size() || columns[next_].name != column)
      next_ = static_cast<size_t>(batch_->table().Index(column));
    cells_[next_++] = cell;
    return *this;
  }

  catalog::RowBatch* const batch_;
  const std::span<catalog::Cell> cells_;
  size_t next_ = 0;
};

}  // namespace reeve::migrate::copy
