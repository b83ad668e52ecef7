#include "gate/customer_table.h"

namespace reeve::gate {
Result<uint32_t> CustomerTable::PlanNumber(const std::string& name) {
  if (const auto found = plan_numbers_.find(name); found != plan_numbers_.end()) return found->second;
  if (plans_.size() == kPlansMax) return Fail(Code::kCorrupt, "more than {} different plans", kPlansMax);
  const auto number = static_cast<uint32_t>(plans_.size());
  PlanRow& plan = plans_.Grow();
  const domain::PlanRates& rates = rates_.Find(name);
  plan.name = name;
  plan.minute = domain::Gcra(rates.minute);
  plan.hour = domain::Gcra(rates.hour);
  plan_numbers_.emplace(plan.name, number);
  return number;
}

Result<uint32_t> CustomerTable::Put(const store::ServedCustomer& customer) {
  REEVE_ASSIGN(const uint32_t plan, PlanNumber(customer.plan));
  const std::optional<uint32_t> known = Find(customer.customer_id);
  const uint32_t number = known.value_or(size());
  if (!known) {
    if (states_.size() == kCustomersMax) return Fail(Code::kCorrupt, "more than {} customers", kCustomersMax);
    heads_.Grow();
    CustomerState& state = states_.Grow();
    taken_.push_back(0);
    if (!texts_.Add(customer.customer_id, &state.customer_id) || !texts_.Add(customer.tenant_id, &state.tenant_id))
      return Fail(Code::kCorrupt, "the names of a customer have {} bytes", customer.customer_id.size() + customer.tenant_id.size());
    numbers_.Add(customer.customer_id, number);
  }
  SetBits(number, ~0u << kPlanShift, plan << kPlanShift);
  return number;
}

void CustomerTable::SetBits(uint32_t number, uint32_t mask, uint32_t bits) {
  std::atomic<uint32_t>& standing = HeadOf(number).standing;
  uint32_t old = standing.load(std::memory_order_relaxed);
  while (!standing.compare_exchange_weak(old, (old & ~mask) | bits, std::memory_order_acq_rel)) {
  }
}

void CustomerTable::SetStanding(uint32_t number, uint32_t bits) { SetBits(number, kKnown | kSuspended | kCancelled | kSubscribed, bits); }

std::optional<uint32_t> CustomerTable::Find(std::string_view customer_id, uint32_t guess) const {
  const auto is = [&](uint32_t number) { return Text(At(number).customer_id) == customer_id; };
  if (guess < size() && is(guess)) return guess;
  return numbers_.Find(customer_id, is);
}

void CustomerTable::PushTouched(uint32_t number) {
  CustomerHead& head_of = HeadOf(number);
  if (head_of.standing.fetch_or(kTouched) & kTouched) return;  // another thread was first
  uint32_t head = touched_.load(std::memory_order_relaxed);
  do {
    head_of.next.store(head, std::memory_order_relaxed);
  } while (!touched_.compare_exchange_weak(head, number + 1, std::memory_order_release, std::memory_order_relaxed));
}

}  // namespace reeve::gate
