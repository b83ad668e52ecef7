// TextCentral: a central dataset as lines of JSON, for tests of what reads it back.
//
// Imitates the reading contract of store/central_sink.h: rows of an owner in the order of the table's key, Find by equality, Scan over all.
// Rows are kept as the text that catalog::ParseRow reads, so that a test can damage them by name. Not safe for concurrent changes.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "catalog/ndjson.h"
#include "store/central_sink.h"

namespace reeve::fakes {

class TextCentral final : public store::CentralReader {
 public:
  // Adds the lines of `text`.
  void Put(const std::string& table, std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      if (end > 0) lines_[table].emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  // Replaces `from` by `to` in the rows of `table` that hold `where`; asserts that something changed.
  void Change(const std::string& table, std::string_view where, std::string_view from, std::string_view to) {
    bool changed = false;
    for (std::string& line : lines_[table]) {
      if (line.find(where) == std::string::npos) continue;
      const size_t at = line.find(from);
      if (at == std::string::npos) continue;
      line.replace(at, from.size(), to);
      changed = true;
    }
    REEVE_ASSERT(changed);
  }
  // Removes the rows of `table` that hold `where`; asserts that there was one.
  void Remove(const std::string& table, std::string_view where) {
    REEVE_ASSERT(std::erase_if(lines_[table], [&](const std::string& l) { return l.find(where) != std::string::npos; }) > 0);
  }
  [[nodiscard]] const std::vector<std::string>& Lines(const std::string& table) { return lines_[table]; }
  // Every call fails from now on.
  void FailAll() { failing_ = true; }

  Result<> Read(const catalog::Table& table, const store::Owner& owner, catalog::RowBatch* out) override {
    const auto column = static_cast<size_t>(table.Index(table.owner_column));
    const std::string& wanted = table.owner_column == "customer_id" ? owner.customer_id : owner.tenant_id;
    return Select(table, [&](std::span<const catalog::Cell> row) { return row[column].text == wanted; }, out);
  }
  Result<> Scan(const catalog::Table& table, const Visit& visit) override {
    catalog::RowBatch all(table);
    REEVE_TRY(Select(table, [](std::span<const catalog::Cell>) { return true; }, &all));
    for (size_t i = 0; i < all.size(); ++i) REEVE_TRY(visit(all.Row(i)));
    return {};
  }
  Result<uint64_t> Count(const catalog::Table& table) override { return lines_[std::string(table.name)].size(); }
  Result<> Find(const catalog::Table& table, std::span<const std::string_view> columns,
                std::span<const catalog::Cell> values, catalog::RowBatch* out) override {
    return Select(table, [&](std::span<const catalog::Cell> row) {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (!(row[static_cast<size_t>(table.Index(columns[i]))] == values[i])) return false;
      }
      return true;
    }, out);
  }

 private:
  template <typename Wanted>
  Result<> Select(const catalog::Table& table, Wanted wanted, catalog::RowBatch* out) {
    if (failing_) return Fail(Code::kFailed, "central cannot be read");
    std::vector<std::pair<std::vector<std::string>, std::string>> sorted;
    for (const std::string& line : lines_[std::string(table.name)]) {
      catalog::RowBatch one(table);
      REEVE_TRY(catalog::ParseRow(line, &one));
      if (!wanted(std::span<const catalog::Cell>(one.Row(0)))) continue;
      std::vector<std::string> key;
      for (const std::string_view name : table.key) {
        const catalog::Cell& cell = one.Row(0)[static_cast<size_t>(table.Index(name))];
        key.push_back(fmt::format("{:020}{}", cell.num, cell.text));
      }
      sorted.emplace_back(std::move(key), line);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [key, line] : sorted) REEVE_TRY(catalog::ParseRow(line, out));
    return {};
  }

  std::map<std::string, std::vector<std::string>> lines_;
  bool failing_ = false;
};

}  // namespace reeve::fakes
