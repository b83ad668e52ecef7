// SharedRows: the rows of shared carriers (metadata.api_keys …), sorted out by the tenant they name.
//
// Their lines are spooled to one temporary file, because they are wanted tenant by tenant; memory holds 40 bytes a row. Gathered by one thread,
// then read only and safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "env/files.h"
#include "migrate/copy/central_rows.h"
#include "migrate/estate_map.h"

namespace reeve::migrate::copy {

class SharedRows {
 public:
  struct Entry {
    uint64_t offset = 0;
    uint32_t length = 0;
    uint32_t table = 0;
    uint32_t part = 0;
    uint64_t line = 0;
  };

  // Reads every shared table of `map`. Rows that name no tenant of it become dead letters of nobody. The spool is removed with the object.
  static Result<std::unique_ptr<SharedRows>> Gather(legacy::LegacyEstate& estate, const EstateMap& map, Files& files,
                                                    const std::string& spool_path);
  ~SharedRows();

  // Calls `visit` for each row of `tenant` in a recognised table, in order of table, part, line.
  using Visit = std::function<Result<>(size_t table, const RowOrigin& origin, const legacy::Line& line)>;
  [[nodiscard]] Result<> ForTenant(std::string_view tenant, const Visit& visit) const;
  [[nodiscard]] bool Has(std::string_view tenant) const { return by_tenant_.find(tenant) != by_tenant_.end(); }

  [[nodiscard]] const CarrierTable& table(size_t index) const { return map_->shared[index]; }
  // True when table `index` has an is_active column.
  [[nodiscard]] bool HasActiveColumn(size_t index) const { return has_active_[index]; }
  [[nodiscard]] const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }
  [[nodiscard]] const std::map<std::string, std::string>& shapes() const { return shapes_; }
  [[nodiscard]] uint64_t rows() const { return rows_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  SharedRows(const EstateMap& map, Files& files, std::string spool_path)
      : map_(&map), files_(&files), spool_path_(std::move(spool_path)) {}
  Result<> GatherTable(legacy::LegacyEstate& estate, size_t index, class RowDecoder* decoder, AppendFile* spool);
  Result<> FileLine(size_t index, size_t part, const legacy::Line& line, RowDecoder* decoder, AppendFile* spool);
  void DropTable(size_t index, const std::string& why, const RowDecoder& decoder);

  const EstateMap* const map_;
  Files* const files_;
  const std::string spool_path_;
  std::unique_ptr<RandomReader> spool_;
  uint64_t spool_size_ = 0;
  std::string pending_;  // not yet written to the spool
  std::map<std::string, std::vector<Entry>, std::less<>> by_tenant_;
  std::vector<DeadLetter> dead_letters_;
  std::vector<bool> has_active_;
  std::map<std::string, std::string> shapes_;
  uint64_t lines_ = 0;  // not blank
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

// A table's columns and row count in words, for the one dead letter of an unrecognised table.
[[nodiscard]] std::string DescribeUnknownShape(const std::string& why, const RowDecoder& decoder);

}  // namespace reeve::migrate::copy
