// CommitCheck: what the tables would refuse, asked before a group is promised. A group in the commit log that cannot go into the tables would be found when its callers
// have been told, and would keep the store from being opened. Not safe for concurrent use.
#pragma once

#include <span>
#include <unordered_set>
#include <vector>

#include "drivers/sqlite/sqlite.h"
#include "store/serving_store.h"

namespace reeve::store {

class CommitCheck {
 public:
  // REQUIRES: `database` outlives this; nobody but this process takes customers away
  [[nodiscard]] Result<> Prepare(sqlite::Database& database);
  // kFailed: two grants of one number, behind `fence`, the highest before it; or usage of a customer who is not in the store.
  [[nodiscard]] Result<> Check(const ServingWrites& writes, int64_t fence);

 private:
  [[nodiscard]] Result<> CheckGrants(std::span<const RunRow> runs, int64_t fence);
  [[nodiscard]] Result<> CheckCustomer(const UsageRow& usage);

  sqlite::Statement find_customer_;
  std::unordered_set<uint64_t> customers_;                     // hashes of those that are there
  std::vector<const RunRow*> grants_;                          // of the group
};

}  // namespace reeve::store
