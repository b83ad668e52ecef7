// Rows of a catalog table in memory.
//
// A RowBatch holds rows of one table back to back; texts live in its arena or, where the caller says so, outside. It is
// what travels between copier, store and export. Movable, not copyable; not safe for concurrent use.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

// Memory for texts, freed together. Addresses stay valid until it (or what it was moved to) is destroyed.
class Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept { *this = std::move(other); }
  Arena& operator=(Arena&& other) noexcept {
    blocks_ = std::exchange(other.blocks_, {});
    large_ = std::exchange(other.large_, {});
    next_ = std::exchange(other.next_, nullptr);
    left_ = std::exchange(other.left_, 0);
    block_bytes_ = std::exchange(other.block_bytes_, kFirstBlockBytes);
    return *this;
  }

  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {"", 0};
    if (text.size() > kBlockBytes / 4) {  // too long for a string's inner buffer: its bytes never move
      large_.emplace_back(text);
      return large_.back();
    }
    if (left_ < text.size()) {
      while (block_bytes_ < text.size()) block_bytes_ *= 2;
      blocks_.emplace_back(new char[block_bytes_]);
      next_ = blocks_.back().get();
      left_ = block_bytes_;
      if (block_bytes_ < kBlockBytes) block_bytes_ *= 2;
    }
    std::memcpy(next_, text.data(), text.size());
    std::string_view copy(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    return copy;
  }

 private:
  static constexpr size_t kFirstBlockBytes = 512;  // most batches hold a few short rows
  static constexpr size_t kBlockBytes = 16 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::string> large_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t block_bytes_ = kFirstBlockBytes;
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
  // Removes the last row. REQUIRES: !empty()
  void DropRow() { cells_.resize(cells_.size() - table_->columns.size()); }
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
