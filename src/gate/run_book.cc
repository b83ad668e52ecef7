// The book's loading, its writes and its bookkeeping. What is decided about a call is in run_book_calls.cc.
#include "gate/run_book.h"

#include <algorithm>
#include <cstring>

#include "base/encoding.h"

namespace reeve::gate {
namespace {

using domain::Instant;
using store::RunState;

void SetStatus(std::string_view status, RunBook::Account* account) {
  account->suspended = status == "suspended";
  account->cancelled = status != "active" && status != "suspended";  // what nobody knows is closed
}

domain::Quotas QuotasOf(const std::optional<int64_t>& monthly, const std::optional<int64_t>& concurrent, const std::optional<int64_t>& storage) {
  return {monthly, concurrent, storage};
}

std::string ReasonFacts(const store::CustomerChange& change) {
  std::string facts = "{";
  for (const auto& [name, text] : {std::pair("reason", std::string_view(change.reason)), std::pair("note", std::string_view(change.note))}) {
    if (text.empty()) continue;
    facts += fmt::format("{}\"{}\":", facts.size() > 1 ? "," : "", name);
    AppendJsonString(text, &facts);
  }
  return facts + "}";
}

std::string QuotaText(const std::optional<int64_t>& quota) { return quota ? std::to_string(*quota) : "null"; }

}  // namespace

std::string RunBook::NameOf(uint32_t customer, std::string_view run_id) {
  std::string name(sizeof(customer) + run_id.size(), '\0');
  std::memcpy(name.data(), &customer, sizeof(customer));
  std::memcpy(name.data() + sizeof(customer), run_id.data(), run_id.size());
  return name;
}

uint32_t RunBook::PutCustomer(const store::ServedCustomer& customer) {
  const auto [found, fresh] = numbers_.try_emplace(customer.customer_id, static_cast<uint32_t>(accounts_.size()));
  if (fresh) accounts_.emplace_back();
  Ledger& account = accounts_[found->second];
  account.customer_id = customer.customer_id;
  account.tenant_id = customer.tenant_id;
  account.known = true;
  account.subscribed = customer.has_subscription;
  account.quotas = QuotasOf(customer.monthly_runs, customer.concurrent_runs, customer.storage_gb);
  account.storage_used_hundredths = customer.storage_used_hundredths;
  SetStatus(customer.status, &account);
  return found->second;
}

void RunBook::Forget(uint32_t customer) { accounts_[customer].known = false; }

void RunBook::PutUsage(const store::UsageRow& row) {
  const auto found = numbers_.find(row.customer_id);
  if (found == numbers_.end()) return;
  MonthCount& month = MonthOf(found->second, row.month);
  month.runs = row.run_count;
  month.legacy_running = row.running_count;  // PutRun takes ours away
  month.compute_ms = row.compute_ms;
  month.api_requests = row.api_requests;
  month.last_run_at = row.last_run_at;
}

Result<> RunBook::PutRun(const store::RunRow& row, const Instant& now) {
  const auto found = numbers_.find(row.customer_id);
  if (found == numbers_.end()) return {};
  if (row.state != RunState::kReserved) return Fail(Code::kCorrupt, "run {} of {} is not open", row.run_id, row.customer_id);
  Run* const run = Keep(found->second, NameOf(found->second, row.run_id), row);
  run->reserved_steady = now.steady - (now.ledger - row.reserved_at);
  Open(*run, now.steady + std::clamp<Micros>(row.expires_at - now.ledger, 0, kLeaseMsMax * 1'000));
  MonthCount& month = MonthOf(run->customer, row.month);
  month.legacy_running = std::max<int64_t>(month.legacy_running - 1, 0);
  fence_ = std::max(fence_, row.fence);
  return {};
}

void RunBook::PutMarks(const store::ServingMarks& marks) {
  fence_ = std::max(fence_, marks.fence);
  chain_ = LedgerChain(marks.audit_seq, marks.audit_head);
}

RunBook::Run* RunBook::Keep(uint32_t customer, std::string name, store::RunRow row) {
  auto run = std::make_unique<Run>();
  run->customer = customer;
  run->row = std::move(row);
  run->row.customer_id.clear();
  run->row.tenant_id.clear();
  Run* const kept = run.get();
  const bool fresh = runs_.emplace(std::move(name), std::move(run)).second;
  REEVE_ASSERT(fresh);
  return kept;
}

Result<RunBook::Run*> RunBook::Find(uint32_t customer, std::string_view run_id, const std::string& name) {
  if (const auto found = runs_.find(name); found != runs_.end()) return found->second.get();
  REEVE_ASSIGN(std::optional<store::RunRow> row, finder_(accounts_[customer].tenant_id, run_id));
  if (!row) return nullptr;
  if (row->state == RunState::kReserved) return Fail(Code::kCorrupt, "run {} is open in the store and not in memory", run_id);
  Run* const run = Keep(customer, name, std::move(*row));
  ended_.push_back(run);
  return run;
}

RunBook::MonthCount& RunBook::MonthOf(uint32_t customer, Days month) {
  std::vector<MonthCount>& months = accounts_[customer].months;
  for (MonthCount& count : months)
    if (count.month == month) return count;
  MonthCount& count = months.emplace_back();
  count.month = month;
  return count;
}

const RunBook::MonthCount* RunBook::FindMonth(const Ledger& ledger, Days month) const {
  for (const MonthCount& count : ledger.months)
    if (count.month == month) return &count;
  return nullptr;
}

RunBook::Account RunBook::ViewOf(uint32_t customer, Days month) const {
  const Ledger& ledger = accounts_[customer];
  Account view = ledger;
  const MonthCount* const count = FindMonth(ledger, month);
  view.month = month;
  view.month_runs = count != nullptr ? count->runs : 0;
  view.live_runs = static_cast<int64_t>(ledger.open.size());
  if (!ledger.open.empty()) view.first_lease_end = ledger.open.begin()->end;
  return view;
}

void RunBook::Stand(uint32_t customer, domain::KeyStanding* standing) const {
  const Ledger& ledger = accounts_[customer];
  standing->known = standing->known && ledger.known;
  standing->suspended = ledger.suspended;
  standing->cancelled = ledger.cancelled;
  standing->subscribed = ledger.subscribed;
}

void RunBook::MarkDirty(Run& run) {
  if (run.dirty) return;
  run.dirty = run.pinned = true;
  dirty_runs_.push_back(&run);
}

void RunBook::MarkDirty(uint32_t customer) {
  if (accounts_[customer].dirty) return;
  accounts_[customer].dirty = true;
  dirty_customers_.push_back(customer);
}

void RunBook::MarkDirty(uint32_t customer, MonthCount& month) {
  month.dirty = true;
  MarkDirty(customer);
}

void RunBook::Open(Run& run, Micros lease_end) {
  run.lease_end = lease_end;
  EnterLease(run);
  ++MonthOf(run.customer, run.row.month).live;
}

// Mostly the latest to end: then its place is found at once.
void RunBook::EnterLease(Run& run) {
  const Lease lease{run.lease_end, run.row.fence, &run};
  Leases& open = accounts_[run.customer].open;
  open.insert(open.end(), lease);
  due_.insert(due_.end(), lease);
}

void RunBook::LeaveLease(Run& run) {
  const Lease lease{run.lease_end, run.row.fence, &run};
  due_.erase(lease);
  accounts_[run.customer].open.erase(lease);
}

void RunBook::End(Run& run, RunState state, const Instant& now) {
  LeaveLease(run);
  MonthCount& month = MonthOf(run.customer, run.row.month);
  --month.live;
  REEVE_ASSERT(month.live >= 0);
  MarkDirty(run.customer, month);
  run.row.state = state;
  run.row.ended_at = now.ledger;
  MarkDirty(run);
  ended_.push_back(&run);
}

bool RunBook::Change(uint32_t customer, const store::CustomerChange& change, std::string_view by, const Instant& now) {
  Ledger& account = accounts_[customer];
  store::CustomerChange made;
  made.customer_id = account.customer_id;
  if (change.status) {
    const Account before = account;
    SetStatus(*change.status, &account);
    if (before.suspended != account.suspended || before.cancelled != account.cancelled) {
      made.status = change.status;
      const std::string event = "customer." + (*change.status == "active" ? std::string("activated") : *change.status);
      RecordChange(customer, event, "customer", account.customer_id, "change", by, ReasonFacts(change), now);
    }
  }
  if (change.quotas) {
    domain::Quotas quotas = QuotasOf(change.quotas->monthly_runs, change.quotas->concurrent_runs, change.quotas->storage_gb);
    if (change.quotas->keep_monthly_runs) quotas.monthly_runs = account.quotas.monthly_runs;
    if (change.quotas->keep_concurrent_runs) quotas.concurrent_runs = account.quotas.concurrent_runs;
    if (change.quotas->keep_storage_gb) quotas.storage_gb = account.quotas.storage_gb;
    if (!(quotas == account.quotas)) {
      account.quotas = quotas;
      made.quotas = {quotas.monthly_runs, quotas.concurrent_runs, quotas.storage_gb};
      const std::string facts = fmt::format(R"({{"monthly_runs":{},"concurrent_runs":{},"storage_gb":{}}})", QuotaText(quotas.monthly_runs),
                                            QuotaText(quotas.concurrent_runs), QuotaText(quotas.storage_gb));
      RecordChange(customer, "subscription.quotas_changed", "subscription", account.customer_id, "change", by, facts, now);
    }
  }
  if (!made.status && !made.quotas) return false;
  changes_.push_back(std::move(made));
  MarkDirty(customer);
  return true;
}

void RunBook::RevokeKey(uint32_t customer, const store::KeyDigest& digest, std::string_view api_key_id, std::string_view by, const Instant& now) {
  revocations_.push_back({digest, now.ledger, std::string(by)});
  const std::string hash = HexEncode({reinterpret_cast<const char*>(digest.data()), 6});
  RecordChange(customer, "api_key.revoked", "api_key", api_key_id, "revoke", by, fmt::format(R"({{"hash":"{}"}})", hash), now);
}

void RunBook::CountRequests(uint32_t customer, uint64_t requests, const Instant& now) {
  MonthCount& month = MonthOf(customer, now.month);
  month.api_requests += static_cast<int64_t>(requests);
  MarkDirty(customer, month);
}

store::RunRow RunBook::RowOf(const Run& run) const {
  store::RunRow row = run.row;
  row.customer_id = accounts_[run.customer].customer_id;
  row.tenant_id = accounts_[run.customer].tenant_id;
  return row;
}

std::optional<store::ServingWrites> RunBook::TakeWrites(const Instant& now) {
  if (dirty_runs_.empty() && dirty_customers_.empty() && !audit_ && touches_.empty() && revocations_.empty() && changes_.empty()) return std::nullopt;
  store::ServingWrites writes;
  for (Run* run : dirty_runs_) {
    run->dirty = false;
    writes.runs.push_back(RowOf(*run));
  }
  for (const uint32_t customer : dirty_customers_) {
    Ledger& ledger = accounts_[customer];
    ledger.dirty = false;
    for (MonthCount& month : ledger.months) {
      if (!month.dirty) continue;
      month.dirty = false;
      writes.usage.push_back({ledger.customer_id, ledger.tenant_id, month.month, month.runs, month.legacy_running + month.live, month.compute_ms,
                              month.api_requests, month.last_run_at});
    }
  }
  writes.touches = std::exchange(touches_, {});
  writes.revocations = std::exchange(revocations_, {});
  writes.changes = std::exchange(changes_, {});
  writes.audit = std::exchange(audit_, std::nullopt);
  writes.ledger_time = now.ledger;
  writes.fence = fence_;
  writes.audit_seq = chain_.seq();
  writes.audit_head = chain_.head();
  written_runs_ = std::exchange(dirty_runs_, {});
  written_customers_ = std::exchange(dirty_customers_, {});
  return writes;
}

void RunBook::Committed(const Instant& now, std::vector<uint32_t>* changed) {
  for (Run* run : written_runs_) run->pinned = run->dirty;
  for (const uint32_t customer : written_customers_) {
    std::vector<MonthCount>& months = accounts_[customer].months;
    std::erase_if(months, [&](const MonthCount& month) { return month.month < now.month && month.live == 0 && !month.dirty; });
  }
  changed->insert(changed->end(), written_customers_.begin(), written_customers_.end());
  written_runs_.clear();
  written_customers_.clear();
  ForgetOldEnded();
}

void RunBook::ForgetOldEnded() {
  while (ended_.size() > kEndedRunsKept && !ended_.front()->pinned) {
    const Run* const run = ended_.front();
    ended_.pop_front();
    runs_.erase(NameOf(run->customer, run->row.run_id));
  }
}

}  // namespace reeve::gate
