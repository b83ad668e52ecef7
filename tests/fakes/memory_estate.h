// MemoryEstate: a LegacyEstate in memory, for tests of what reads estates.
//
// Imitates the contract of legacy/estate.h: complete listings sorted by name, lines with padding, replacement as a whole. Faults are set from
// outside (FailAt). Safe for concurrent reading while nothing is changed.
#pragma once

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "legacy/estate.h"

namespace reeve::fakes {

class MemoryEstate final : public legacy::LegacyEstate {
 public:
  // Sets the rows of a table (newline-delimited JSON).
  void Put(const std::string& dataset, const std::string& table, std::string rows) {
    tables_[dataset][table] = std::move(rows);
  }
  void PutSchema(const std::string& dataset, const std::string& table, std::vector<std::string> columns) {
    schemas_[dataset + "." + table] = std::move(columns);
  }
  void Remove(const std::string& dataset) { tables_.erase(dataset); }
  // Reading this table fails, as a damaged file would.
  void FailAt(const std::string& dataset, const std::string& table) { failing_.insert(dataset + "." + table); }
  void Mend() { failing_.clear(); }
  [[nodiscard]] const std::string& Rows(const std::string& dataset, const std::string& table) { return tables_[dataset][table]; }

  std::string Url() const override { return "memory:"; }

  Result<std::vector<legacy::Dataset>> List() override {
    std::vector<legacy::Dataset> datasets;
    for (const auto& [name, tables] : tables_) {
      legacy::Dataset dataset;
      dataset.name = name;
      for (const auto& [table, rows] : tables) {
        legacy::LegacyTable entry;
        entry.dataset = name;
        entry.name = table;
        entry.parts = {{table, rows.size()}};
        entry.bytes = rows.size();
        if (const auto schema = schemas_.find(name + "." + table); schema != schemas_.end()) entry.schema = schema->second;
        dataset.tables.push_back(std::move(entry));
      }
      datasets.push_back(std::move(dataset));
    }
    return datasets;
  }

  Result<std::unique_ptr<legacy::LineReader>> OpenLines(const legacy::LegacyTable& table, size_t) override {
    if (failing_.count(table.dataset + "." + table.name) != 0) return Fail(Code::kFailed, "{}.{}: damaged", table.dataset, table.name);
    return std::make_unique<Lines>(tables_.at(table.dataset).at(table.name));
  }

  Result<std::unique_ptr<legacy::RawReader>> OpenRaw(const legacy::LegacyTable& table, size_t) override {
    if (failing_.count(table.dataset + "." + table.name) != 0) return Fail(Code::kFailed, "{}.{}: damaged", table.dataset, table.name);
    return std::make_unique<Raw>(tables_.at(table.dataset).at(table.name));
  }

  Result<> Replace(const std::string& dataset, const std::string& table, std::string_view lines) override {
    tables_[dataset][table] = lines;
    return {};
  }

 private:
  class Lines final : public legacy::LineReader {
   public:
    explicit Lines(const std::string& rows) : rows_(rows), size_(rows.size()) { rows_.append(legacy::kLinePadding, '\0'); }
    Result<bool> Next(legacy::Line* line) override {
      if (at_ >= size_) return false;
      const void* newline = std::memchr(rows_.data() + at_, '\n', size_ - at_);
      const size_t end = newline != nullptr ? static_cast<size_t>(static_cast<const char*>(newline) - rows_.data()) : size_;
      line->number = ++number_;
      line->too_large = end - at_ > legacy::kLineBytesMax;
      line->text = line->too_large ? std::string_view() : std::string_view(rows_).substr(at_, end - at_);
      at_ = end + 1;
      return true;
    }

   private:
    std::string rows_;
    const size_t size_;
    size_t at_ = 0;
    uint64_t number_ = 0;
  };

  class Raw final : public legacy::RawReader {
   public:
    explicit Raw(const std::string& rows) : rows_(rows) {}
    Result<size_t> Read(char* buffer, size_t size) override {
      const size_t count = std::min(size, rows_.size() - at_);
      std::memcpy(buffer, rows_.data() + at_, count);
      at_ += count;
      return count;
    }

   private:
    const std::string rows_;
    size_t at_ = 0;
  };

  std::map<std::string, std::map<std::string, std::string>> tables_;
  std::map<std::string, std::vector<std::string>> schemas_;
  std::set<std::string> failing_;
};

}  // namespace reeve::fakes
