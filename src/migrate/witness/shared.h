// The shared carriers: tables in which each row names its tenant.
//
// They are read once to learn how much of them is whose, and then again for every window of tenants, so that memory is bounded however
// large they are: a window holds the packed used fields of consecutive tenants, up to kWindowBytes or one tenant if that
// has more. At most two windows are kept, and those that callers still hold.
// Safe from any thread after Scan.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "legacy/estate.h"
#include "migrate/witness/carriers.h"
#include "migrate/witness/table_reader.h"

namespace reeve::migrate::witness {

class SharedCarriers {
 public:
  static constexpr uint64_t kWindowBytes = uint64_t{32} * 1024 * 1024;

  // Consecutive tenants with their packed rows.
  struct Window {
    size_t begin = 0, end = 0;
    std::vector<std::string> rows;
    [[nodiscard]] std::string_view Of(size_t tenant) const { return rows[tenant - begin]; }
  };

  SharedCarriers(legacy::LegacyEstate& estate, const CarrierMap& carriers, uint64_t window_bytes = kWindowBytes)
      : estate_(estate), carriers_(carriers), window_bytes_(window_bytes) {}

  // Reads all shared tables. `key` is called for every row of a key table with its tenant; `table_done` after each table, with
  // whether its rows count. Fails if one cannot be read.
  [[nodiscard]] Result<> Scan(const std::function<void(size_t tenant, const Row& row)>& key,
                              const std::function<void(bool recognised)>& table_done);

  // Rows that belong to no tenant.
  [[nodiscard]] uint64_t rejected() const { return rejected_; }

  // The window that holds `tenant`, or nullptr if no shared row names it.
  [[nodiscard]] Result<std::shared_ptr<const Window>> WindowOf(size_t tenant);

 private:
  struct SharedTable {
    CarrierTable carrier;
    bool has_is_active = false;
  };

  static void Pack(const SharedTable& table, const Row& row, Reason reason, std::string* out);
  [[nodiscard]] Result<std::shared_ptr<const Window>> Load(size_t tenant);

  legacy::LegacyEstate& estate_;
  const CarrierMap& carriers_;
  const uint64_t window_bytes_;
  // Constant after Scan.
  std::vector<SharedTable> tables_;  // of recognised shape
  std::vector<uint64_t> sizes_;      // packed bytes of each tenant
  uint64_t rejected_ = 0;

  std::mutex mu_;
  std::vector<std::shared_ptr<const Window>> windows_;  // guarded by mu_; the newest last
};

}  // namespace reeve::migrate::witness
