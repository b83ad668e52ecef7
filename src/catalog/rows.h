// Rows of a catalog table in memory.
//
// A RowBatch holds rows of one table back to back; texts live in its arena or, where the caller says so, outside. It is
// what travels between copier, store and export. Movable, not copyable; not safe for concurrent use.
#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/table.h"

namespace reeve::catalog {

// One value. kBool, kInt64, kTimestamp (µs), kDate (days), kNumeric (scaled) are in `num`; the others in `text`.
struct Cell {
  bool is_null = true;
  int64_t num = 0;
  std::string_view text;

  static Cell Null() { return {}; }
  static Cell Int(int64_t value) { return {false, value, {}}; }
  static Cell Text(std::string_view value) { return {false, 0, value}; }
  bool operator==(const Cell&) const = default;
};

// True for types whose value is Cell::num.
[[nodiscard]] constexpr bool IsNumeric(Type type) {
  return type == Type::kInt64 || type == Type::kBool || type == Type::kTimestamp ||
         type == Type::kDate || type == Type::kNumeric;
}

// Memory for texts, freed together. Addresses stay valid until it is destroyed or moved from.
class Arena {
 public:
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {"", 0};
    if (text.size() > kBlockBytes / 4) {
      large_.emplace_back(text);
      return large_.back();
    }
    if (left_ < text.size()) {
      blocks_.push_back(std::make_unique<char[]>(kBlockBytes));
      next_ = blocks_.back().get();
      left_ = kBlockBytes;
    }
    std::memcpy(next_, text.data(), text.size());
    std::string_view copy(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    return copy;
  }

 private:
  static constexpr size_t kBlockBytes = 16 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::deque<std::string> large_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

class RowBatch {
 public:
  explicit RowBatch(const Table& table) : table_(&table) {}
  RowBatch(RowBatch&&) = default;
  RowBatch& operator=(RowBatch&&) = default;

  [[nodiscard]] const Table& table() const { return *table_; }
  [[nodiscard]] size_t size() const { return cells_.size() / table_->columns.size(); }
  [[nodiscard]] bool empty() const { return cells_.empty(); }

  // Appends a row of NULLs and returns its cells, valid until the next AddRow.
  std::span<Cell> AddRow() {
    cells_.resize(cells_.size() + table_->columns.size());
    return Row(size() - 1);
  }
  [[nodiscard]] std::span<Cell> Row(size_t i) {
    return {cells_.data() + i * table_->columns.size(), table_->columns.size()};
  }
  [[nodiscard]] std::span<const Cell> Row(size_t i) const {
    return {cells_.data() + i * table_->columns.size(), table_->columns.size()};
  }
  // A text cell whose bytes are copied into the batch.
  Cell Own(std::string_view text) { return Cell::Text(arena_.Copy(text)); }
  void Clear() {
    cells_.clear();
    arena_ = Arena();
  }

 private:
  const Table* table_;
  std::vector<Cell> cells_;
  Arena arena_;
};

}  // namespace reeve::catalog
