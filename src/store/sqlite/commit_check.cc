#include "store/sqlite/commit_check.h"

#include <algorithm>

#include "store/sqlite/commit_tables.h"

namespace reeve::store {

Result<> CommitCheck::Prepare(sqlite::Database& database) {
  REEVE_ASSIGN(find_customer_, database.Prepare("SELECT 1 FROM customers WHERE customer_id = ?1 AND tenant_id = ?2"));
  return {};
}

Result<> CommitCheck::Check(const ServingWrites& writes, int64_t fence) {
  REEVE_TRY(CheckGrants(writes.runs, fence));
  for (const UsageRow& usage : writes.usage) REEVE_TRY(CheckCustomer(usage));
  return {};
}

Result<> CommitCheck::CheckGrants(std::span<const RunRow> runs, int64_t fence) {
  grants_.clear();
  for (const RunRow& run : runs)
    if (run.state == RunState::kReserved && run.fence > fence) grants_.push_back(&run);
  const auto by_fence = [](const RunRow* a, const RunRow* b) { return a->fence < b->fence; };
  std::sort(grants_.begin(), grants_.end(), by_fence);  // they are, mostly
  for (size_t i = 1; i < grants_.size(); ++i) {
    const RunRow &first = *grants_[i - 1], &run = *grants_[i];
    if (first.fence == run.fence && (first.run_id != run.run_id || first.customer_id != run.customer_id))
      return Fail(Code::kFailed, "run {}: its fence {} was given to run {}", run.run_id, run.fence, first.run_id);
  }
  return {};
}

Result<> CommitCheck::CheckCustomer(const UsageRow& usage) {
  const uint64_t hash = RunHash(usage.tenant_id, usage.customer_id);
  if (customers_.count(hash) != 0) return {};
  find_customer_.BindText(1, usage.customer_id);
  find_customer_.BindText(2, usage.tenant_id);
  auto there = find_customer_.Step();
  find_customer_.Reset();
  if (!there) return Unexpected(std::move(there).error());
  if (!*there) return Fail(Code::kFailed, "customer {} of tenant {}, whose usage is to be counted, is not in the store", usage.customer_id, usage.tenant_id);
  customers_.insert(hash);
  return {};
}

}  // namespace reeve::store
