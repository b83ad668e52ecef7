// What is looked at before a store is served from. Not a full check (that is `reeve doctor`): bounded, so that a server is back soon after a crash.
// Not safe for concurrent use.
#pragma once

#include <string>
#include <vector>

#include "drivers/sqlite/sqlite.h"
#include "store/serving_store.h"

namespace reeve::store {

// The marks as stored. Where the newest rows of the ledger are ahead of them (an import brings rows and no marks), they are raised to the rows, and a note says so.
// Where there are audit events of the ledger and no mark of their chain, the one with the largest number is taken for its end; a scan of them all looks for it each time
// until there is a mark.
[[nodiscard]] Result<ServingMarks> SettleMarks(sqlite::Database& database, std::vector<std::string>* notes);

// After a process that did not end in order: the pages of a database of up to kCheckedPagesMax, else a note; then the counters of the tenants that wrote last
// against the ledger, which is right: counters that differ are set to it, with a note each. Tenants with more than kCheckedRunsMax runs are left to the doctor.
// kCorrupt if pages are damaged.
inline constexpr int64_t kCheckedPagesMax = 32'768;  // 128 MiB
inline constexpr int kCheckedMonthsMax = 64;
inline constexpr int kCheckedRunsMax = 5'000;
[[nodiscard]] Result<> CheckAfterCrash(sqlite::Database& database, std::vector<std::string>* notes);

}  // namespace reeve::store
