#include "store/sqlite/serving_load.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "catalog/ndjson.h"
#include "store/sqlite/serving_keys.h"
#include "store/sqlite/serving_run.h"
#include "store/sqlite/sqlite_open.h"

namespace reeve::store {

namespace {

constexpr int kStorageScale = 2;  // customer_usage.storage_used_gb

struct Subscription {
  std::optional<int64_t> monthly, concurrent, storage;
};

// Values by customer or tenant. They are asked for in nearly the order in which they were added: only where the two orders part is anything hashed.
template <typename Value>
class InOrder {
 public:
  void Add(std::string_view name, Value value) {
    entries_.push_back({texts_.size(), name.size(), std::move(value)});
    texts_.append(name);
  }
  // Replaces what was added last, if it has this name.
  void AddOrReplace(std::string_view name, Value value) {
    if (!entries_.empty() && NameOf(entries_.back()) == name) entries_.back().value = std::move(value);
    else Add(name, std::move(value));
  }
  // nullptr: there is none. Nothing is added any more.
  [[nodiscard]] const Value* Find(std::string_view name) {
    if (next_ < entries_.size() && NameOf(entries_[next_]) == name) return &entries_[next_++].value;
    if (entries_.empty()) return nullptr;
    if (by_name_.empty())
      for (size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(NameOf(entries_[i]), i);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return nullptr;
    next_ = found->second + 1;
    return &entries_[found->second].value;
  }

 private:
  struct Entry {
    size_t at, size;  // of the name in texts_
    Value value;
  };
  [[nodiscard]] std::string_view NameOf(const Entry& entry) const { return std::string_view(texts_).substr(entry.at, entry.size); }

  std::string texts_;
  std::vector<Entry> entries_;
  size_t next_ = 0;
  std::unordered_map<std::string_view, size_t> by_name_;
};

// Calls `visit` with each row.
template <typename Visit>
Result<> ForEachRow(sqlite::Statement& statement, const Visit& visit) {
  while (true) {
    REEVE_ASSIGN(const bool row, statement.Step());
    if (!row) return {};
    REEVE_TRY(visit(statement));
  }
}

class Loader {
 public:
  Loader(sqlite::Database& database, const ServingVisitor& visitor) : database_(database), visitor_(visitor) {}

  Result<> Customers();
  Result<> UsageAndRuns(Days from_month);

 private:
  Result<> ReadSubscriptions();
  Result<> ReadStorage();
  Result<> ReadOpenRuns();
  Result<> VisitUsage(std::string_view condition, Days month);

  sqlite::Database& database_;
  const ServingVisitor& visitor_;
  InOrder<Subscription> subscriptions_;   // current ones by customer
  InOrder<int64_t> storage_;              // hundredths of a GB by tenant, where it is not zero
  std::vector<RunRow> open_;
};

Result<> Loader::ReadSubscriptions() {
  REEVE_ASSIGN(sqlite::Statement read,
               database_.Prepare("SELECT visit_row(customer_id, monthly_pipeline_quota, concurrent_pipeline_quota, storage_quota_gb) "
                                 "FROM customer_subscriptions NOT INDEXED WHERE billing_cycle_end IS NULL"));
  return database_.VisitRows(read, [&](const sqlite::RowValues& row) -> Result<> {
    subscriptions_.Add(row.Text(0), {row.MaybeInt(1), row.MaybeInt(2), row.MaybeInt(3)});
    return {};
  });
}

// In order of the month: the newest that says something stays.
Result<> Loader::ReadStorage() {
  REEVE_ASSIGN(sqlite::Statement read,
               database_.Prepare("SELECT tenant_id, storage_used_gb FROM customer_usage WHERE storage_used_gb NOT IN ('0', '0.00') ORDER BY tenant_id, usage_month"));
  return ForEachRow(read, [&](const sqlite::Statement& row) -> Result<> {
    const auto used = catalog::ParseNumeric(row.Text(1), kStorageScale);
    if (!used) return Fail(Code::kCorrupt, "customer_usage of {}: storage_used_gb is no number", row.Text(0));
    storage_.AddOrReplace(row.Text(0), *used);
    return {};
  });
}

Result<> Loader::Customers() {
  REEVE_TRY(ReadSubscriptions());
  REEVE_TRY(ReadStorage());
  REEVE_ASSIGN(sqlite::Statement read, database_.Prepare("SELECT visit_row(customer_id, tenant_id, status, subscription_plan) FROM customers NOT INDEXED"));
  ServedCustomer customer;
  return database_.VisitRows(read, [&](const sqlite::RowValues& row) -> Result<> {
    customer.customer_id = row.Text(0);
    customer.tenant_id = row.Text(1);
    customer.status = row.Text(2);
    customer.plan = row.Text(3);
    const Subscription* const subscription = subscriptions_.Find(customer.customer_id);
    customer.has_subscription = subscription != nullptr;
    const Subscription quotas = subscription == nullptr ? Subscription{} : *subscription;
    customer.monthly_runs = quotas.monthly;
    customer.concurrent_runs = quotas.concurrent;
    customer.storage_gb = quotas.storage;
    const int64_t* const storage = storage_.Find(customer.tenant_id);
    customer.storage_used_hundredths = storage == nullptr ? 0 : *storage;
    visitor_.customer(customer);
    return {};
  });
}

Result<> Loader::ReadOpenRuns() {
  REEVE_ASSIGN(sqlite::Statement read,
               database_.Prepare(fmt::format("SELECT {} FROM reeve_runs WHERE ended_at IS NULL ORDER BY fence", kRunColumns)));
  REEVE_ASSIGN(sqlite::Statement find, database_.Prepare("SELECT customer_id FROM customers WHERE tenant_id = ?1"));
  return ForEachRow(read, [&](const sqlite::Statement& row) -> Result<> {
    REEVE_ASSIGN(RunRow run, ReadRun(row));
    find.BindText(1, run.tenant_id);
    REEVE_ASSIGN(const bool known, find.Step());
    if (!known) return Fail(Code::kCorrupt, "reeve_runs: run {} is of tenant {}, which has no customer", run.run_id, run.tenant_id);
    run.customer_id = find.Text(0);
    find.Reset();
    open_.push_back(std::move(run));
    return {};
  });
}

Result<> Loader::VisitUsage(std::string_view condition, Days month) {
  REEVE_ASSIGN(sqlite::Statement read,
               database_.Prepare(fmt::format("SELECT visit_row(u.customer_id, u.tenant_id, u.usage_month, u.pipelines_run_count, u.pipelines_running_count, "
                                             "t.compute_ms, u.api_requests_count, u.last_pipeline_run_at) FROM customer_usage u LEFT JOIN reeve_run_totals t "
                                             "ON t.tenant_id = u.tenant_id AND t.usage_month = u.usage_month WHERE u.usage_month {} ?1",
                                             condition)));
  const std::string text = FormatDate(month);
  read.BindText(1, text);
  UsageRow usage;
  return database_.VisitRows(read, [&](const sqlite::RowValues& row) -> Result<> {
    usage.customer_id = row.Text(0);
    usage.tenant_id = row.Text(1);
    const std::optional<Days> of = row.Text(2) == text ? std::optional(month) : ParseDate(row.Text(2));
    if (!of) return Fail(Code::kCorrupt, "customer_usage of {}: usage_month is no date", usage.tenant_id);
    usage.month = *of;
    usage.run_count = row.Int(3);
    usage.running_count = row.Int(4);
    usage.compute_ms = row.Int(5);
    usage.api_requests = row.Int(6);
    usage.last_run_at = row.MaybeInt(7);
    visitor_.usage(usage);
    return {};
  });
}

Result<> Loader::UsageAndRuns(Days from_month) {
  REEVE_TRY(ReadOpenRuns());
  std::set<Days> earlier;
  for (const RunRow& run : open_)
    if (run.month < from_month) earlier.insert(run.month);
  for (const Days month : earlier) REEVE_TRY(VisitUsage("=", month));
  REEVE_TRY(VisitUsage(">=", from_month));
  for (const RunRow& run : open_) visitor_.run(run);
  return {};
}

}  // namespace

Result<> LoadServing(const std::string& path, Days from_month, const ServingVisitor& visitor) {
  REEVE_ASSIGN(const std::unique_ptr<sqlite::Database> database, OpenForReading(path));
  KeyLoad keys(path);
  REEVE_TRY(keys.Start(*database));
  Loader loader(*database, visitor);
  REEVE_TRY(loader.Customers());
  REEVE_TRY(keys.Visit(visitor.key));
  return loader.UsageAndRuns(from_month);
}

}  // namespace reeve::store
