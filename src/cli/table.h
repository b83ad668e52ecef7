// TextTable: aligned columns for people. Cells are made printable here; numbers are right-aligned. When a width is given, the widest columns that may shrink
// are cut. Not safe for concurrent use of one object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::cli {

class TextTable {
 public:
  enum class Align : uint8_t { kLeft, kRight };
  struct Column {
    std::string header;
    Align align = Align::kLeft;
    bool shrinks = false;  // may be cut to fit the terminal
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: one cell per column.
  void Add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // Header and rows, two spaces between columns, each line after `indent` spaces. `width` 0: nothing is cut.
  [[nodiscard]] std::string Text(size_t width, size_t indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace reeve::cli
