#include "store/sqlite/commit_check.h"

#include "store/sqlite/commit_tables.h"

namespace reeve::store {

Result<> CommitCheck::Prepare(sqlite::Database& database) {
  REEVE_ASSIGN(find_customer_, database.Prepare("SELECT 1 FROM customers WHERE customer_id = ?1 AND tenant_id = ?2"));
  return {};
}

Result<> CommitCheck::Check(const ServingWrites& writes, int64_t fence) {
  grants_.clear();
  for (const RunRow& run : writes.runs) {
    if (run.state != RunState::kReserved || run.fence <= fence) continue;
    const RunRow* const first = grants_.try_emplace(run.fence, &run).first->second;
    if (first->run_id != run.run_id || first->customer_id != run.customer_id)
      return Fail(Code::kFailed, "run {}: its fence {} was given to run {}", run.run_id, run.fence, first->run_id);
  }
  for (const UsageRow& usage : writes.usage) REEVE_TRY(CheckCustomer(usage));
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
