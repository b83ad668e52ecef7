#include "gate/loader.h"

#include <vector>

namespace reeve::gate {
namespace {

int64_t Stored(const std::optional<int64_t>& quota) { return quota ? std::max<int64_t>(*quota, 0) : -1; }

class Loader {
 public:
  Loader(Clock* clock, GateState* state, RunBook* book)
      : clock_(*clock), state_(*state), book_(*book), known_before_(state->customers.size()), keys_(clock->Steady()) {}

  Result<> Run(store::ServingStore& store, std::optional<domain::LedgerClock>* ledger) {
    const bool first = !ledger->has_value();
    store::ServingVisitor visitor;
    visitor.customer = [this](const store::ServedCustomer& customer) { Customer(customer); };
    visitor.key = [this](const store::ServedKey& key) { Key(key); };
    visitor.usage = [this](const store::UsageRow& row) {
      if (IsFresh(row.customer_id)) book_.PutUsage(row);
    };
    visitor.run = [this](const store::RunRow& row) {
      if (IsFresh(row.customer_id)) runs_.push_back(row);
    };
    const Days wall_month = MonthStart(DateOf(clock_.Now()));
    REEVE_ASSIGN(const store::ServingMarks marks, store.Load(wall_month, visitor));
    if (failed_) return Unexpected(std::move(*failed_));
    REEVE_ASSIGN(std::shared_ptr<KeyIndex> keys, keys_.Build());
    if (first) {
      ledger->emplace(marks.ledger_time, clock_.Now(), clock_.Steady());
      book_.PutMarks(marks);
    }
    const domain::Instant now = (*ledger)->Tick(clock_.Now(), clock_.Steady());
    for (const store::RunRow& row : runs_) REEVE_TRY(book_.PutRun(row, now));
    for (uint32_t customer = 0; customer < state_.customers.size(); ++customer) {
      if (customer >= seen_.size() || !seen_[customer]) book_.Forget(customer);
      PublishCustomer(book_, customer, now.month, &state_);
    }
    state_.Publish(now);
    if (!first) keys->InheritRates(*state_.keys.Share());
    state_.keys.Swap(std::move(keys));
    return {};
  }

 private:
  void Customer(const store::ServedCustomer& customer) {
    if (failed_) return;
    const Result<uint32_t> number = state_.customers.Put(customer);
    if (!number) {
      failed_ = number.error();
      return;
    }
    const uint32_t in_book = book_.PutCustomer(customer);
    REEVE_ASSERT(in_book == *number);
    if (seen_.size() <= *number) seen_.resize(*number + 1);
    seen_[*number] = true;
  }

  void Key(const store::ServedKey& key) {
    if (failed_) return;
    if (key.customer_id != last_customer_id_) {
      last_customer_id_ = key.customer_id;
      last_customer_ = Find(key.customer_id).value_or(kNoCustomer);
    }
    if (Result<> added = keys_.Add(key, last_customer_); !added) failed_ = std::move(added).error();
  }

  // What was counted of a customer that was there before is newer in the book than in the store.
  bool IsFresh(const std::string& customer_id) {
    const std::optional<uint32_t> number = Find(customer_id);
    return number && *number >= known_before_;
  }

  // Rows of every table come in the order of customers, or nearly.
  std::optional<uint32_t> Find(std::string_view customer_id) {
    const std::optional<uint32_t> number = state_.customers.Find(customer_id, next_customer_);
    if (number) next_customer_ = *number + 1;
    return number;
  }

  Clock& clock_;
  GateState& state_;
  RunBook& book_;
  const uint32_t known_before_;
  KeyIndex::Builder keys_;
  std::vector<bool> seen_;
  uint32_t next_customer_ = 0;
  std::string last_customer_id_ = "\n";
  uint32_t last_customer_ = kNoCustomer;
  std::vector<store::RunRow> runs_;
  std::optional<Error> failed_;
};

}  // namespace

Result<> LoadAll(store::ServingStore& store, Clock& clock, GateState* state, RunBook* book, std::optional<domain::LedgerClock>* ledger) {
  return Loader(&clock, state, book).Run(store, ledger);
}

void PublishCustomer(const RunBook& book, uint32_t customer, Days month, GateState* state) {
  const RunBook::Account view = book.ViewOf(customer, month);
  CustomerState& out = state->customers.At(customer);
  out.monthly_runs.store(Stored(view.quotas.monthly_runs), std::memory_order_relaxed);
  out.concurrent_runs.store(Stored(view.quotas.concurrent_runs), std::memory_order_relaxed);
  out.storage_gb.store(Stored(view.quotas.storage_gb), std::memory_order_relaxed);
  out.storage_used_hundredths.store(view.storage_used_hundredths, std::memory_order_relaxed);
  out.month_runs.store(view.month_runs, std::memory_order_relaxed);
  out.month.store(view.month, std::memory_order_relaxed);
  out.live_runs.store(view.live_runs, std::memory_order_relaxed);
  out.first_lease_end.store(view.first_lease_end, std::memory_order_relaxed);
  uint32_t bits = 0;
  if (view.known) bits |= CustomerTable::kKnown;
  if (view.suspended) bits |= CustomerTable::kSuspended;
  if (view.cancelled) bits |= CustomerTable::kCancelled;
  if (view.subscribed) bits |= CustomerTable::kSubscribed;
  state->customers.SetStanding(customer, bits);
}

}  // namespace reeve::gate
