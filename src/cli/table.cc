#include "cli/table.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "cli/text.h"

namespace reeve::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 8;  // a column is not cut below this

// Takes columns from the widest shrinking one until the line fits or nothing is left to take.
void Shrink(const std::vector<TextTable::Column>& columns, size_t available, std::vector<size_t>* widths) {
  const auto total = [&] { return std::accumulate(widths->begin(), widths->end(), size_t{0}) + kGap * (widths->size() - 1); };
  while (total() > available) {
    size_t widest = widths->size();
    for (size_t i = 0; i < widths->size(); ++i)
      if (columns[i].shrinks && (*widths)[i] > kNarrowest && (widest == widths->size() || (*widths)[i] > (*widths)[widest])) widest = i;
    if (widest == widths->size()) return;
    --(*widths)[widest];
  }
}

}  // namespace

void TextTable::Add(std::vector<std::string> cells) {
  REEVE_ASSERT(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text(size_t width, size_t indent) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t widest = DisplayWidth(columns_[i].header);
    for (const auto& row : rows_) widest = std::max(widest, DisplayWidth(row[i]));
    widths.push_back(widest);
  }
  if (width > indent) Shrink(columns_, width - indent, &widths);
  std::string out;
  const auto line = [&](const auto& cell_of) {
    std::string text(indent, ' ');
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = CutToWidth(cell_of(i), widths[i]);
      const std::string fill(widths[i] - DisplayWidth(cell), ' ');
      text += columns_[i].align == Align::kRight ? fill + cell : cell + fill;
      if (i + 1 < columns_.size()) text += std::string(kGap, ' ');
    }
    const size_t end = text.find_last_not_of(' ');
    out += (end == std::string::npos ? std::string() : text.substr(0, end + 1)) + "\n";
  };
  const bool headed = std::any_of(columns_.begin(), columns_.end(), [](const Column& column) { return !column.header.empty(); });
  if (headed) line([&](size_t i) { return columns_[i].header; });
  for (const auto& row : rows_) line([&](size_t i) { return row[i]; });
  return out;
}

}  // namespace reeve::cli
