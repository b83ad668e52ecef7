// A tenant's own record as docs/mapping.md §6 reads it. Values and pure functions; safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrate/witness/row.h"

namespace reeve::migrate::witness {

enum class CustomerStatus : uint8_t { kActive, kSuspended, kCancelled };  // by severity

// One row, or what several rows say together. Empty texts are absent.
struct Record {
  Micros time = kTimeMin;  // updated_at, else created_at
  std::string company, email, tier, suspended_reason;
  std::array<std::optional<int64_t>, 3> quotas;  // monthly, concurrent, storage
  std::optional<int64_t> runs_this_month;
  std::optional<Micros> created_at, suspended_at;
  CustomerStatus status = CustomerStatus::kActive;
};

[[nodiscard]] Record RecordOf(const Row& row);

[[nodiscard]] Record MergeRecords(const std::vector<Record>& rows);

}  // namespace reeve::migrate::witness
