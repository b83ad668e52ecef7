// The ledger as the doctor sees it, tenant by tenant. Memory is that of the largest ledger of a tenant and 8 bytes for each open run. Not safe for
// concurrent use of one reader.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "migrate/ops/doctor_facts.h"

namespace reeve::migrate::ops {

// Tenant and month in compact memory.
[[nodiscard]] uint64_t MonthName(std::string_view tenant, int64_t month);

// A row of customer_usage, as far as runs are concerned.
struct CountedMonth {
  uint64_t name = 0;
  int64_t runs = 0, running = 0, compute_hundredths = 0;
};

// Months whose stored set of runs has another size than customer_usage says.
struct OddSet {
  int64_t runs = 0;
  std::string text;  // for people
};
using OddSets = std::map<uint64_t, OddSet>;  // by name

// Looks through every ledger. `usage`: sorted by name. Months that a ledger counts are taken out of `odd`: what is left is wrong.
[[nodiscard]] Result<LedgerFacts> GatherLedger(store::CentralReader& reader, Micros now, const std::vector<CountedMonth>& usage, OddSets* odd);

}  // namespace reeve::migrate::ops
