#include "gate/authenticator.h"

#include <algorithm>

#include "domain/decision.h"

namespace reeve::gate {
namespace {

using domain::Decision;
using domain::Gcra;
using domain::Outcome;

constexpr int64_t kNanosInSecond = 1'000'000'000;

std::optional<int64_t> Limit(const std::atomic<int64_t>& stored) {
  const int64_t limit = stored.load(std::memory_order_relaxed);
  return limit < 0 ? std::nullopt : std::optional<int64_t>(limit);
}

domain::RateFacts FactsOf(const Gcra& limit, domain::Arrival state, int64_t now_ns) {
  return {limit.requests(), limit.Remaining(state, now_ns), (limit.ResetNs(state, now_ns) + kNanosInSecond - 1) / kNanosInSecond,
          limit.period() / kSecond};
}

domain::RateFacts Tighter(const Gcra& minute, domain::Arrival minute_state, const Gcra& hour, domain::Arrival hour_state, int64_t now_ns) {
  const domain::RateFacts a = FactsOf(minute, minute_state, now_ns), b = FactsOf(hour, hour_state, now_ns);
  return b.remaining < a.remaining ? b : a;
}

Decision Refusal(const Gcra& limit, const Gcra::Step& step, int64_t now_ns) {
  const int64_t free = limit.Remaining(step.next, now_ns);
  const int64_t wait = step.wait_ns < 0 ? 0 : std::max<int64_t>((step.wait_ns + kNanosInSecond - 1) / kNanosInSecond, 1);
  return {Outcome::kRateLimited, limit.requests() - free, limit.requests(), wait};
}

bool HasScope(const ScopeSet& held, const Need& need) {
  return held.Covers(need.scope) || (!need.or_scope.empty() && held.Covers(need.or_scope));
}

}  // namespace

struct Authenticator::Found {
  KeyIndex* keys = nullptr;
  KeyIndex::Entry* entry = nullptr;
  CustomerState* customer = nullptr;
  const PlanRow* plan = nullptr;
  uint32_t key = kNoKey;
  Micros steady = 0;
};

Outcome Authenticator::Authenticate(std::string_view key_text, const Need& need, Found* found, crypto::Digest* digest) {
  const Phase phase = state_.phase.load(std::memory_order_acquire);
  if (phase != Phase::kServing && phase != Phase::kDraining) return Outcome::kStoreUnavailable;
  if (!domain::IsKeyText(key_text)) return Outcome::kMalformedKey;
  const crypto::Digest presented = crypto::Sha256Digest(key_text);
  if (digest != nullptr) *digest = presented;
  found->keys = &state_.keys.Pin();
  found->key = found->keys->Find(presented);
  if (found->key == kNoKey) return Outcome::kUnknownKey;
  found->entry = &found->keys->At(found->key);
  if (found->entry->customer == kNoCustomer) return Outcome::kUnknownKey;
  found->customer = &state_.customers.At(found->entry->customer);
  found->steady = clock_.Steady();
  const uint32_t standing = found->customer->standing.load(std::memory_order_acquire);
  domain::KeyStanding facts;
  facts.known = (standing & CustomerTable::kKnown) != 0;
  facts.revoked = (found->entry->standing.load(std::memory_order_acquire) & KeyIndex::kRevoked) != 0;
  facts.expires_at = found->entry->expires_at;
  facts.suspended = (standing & CustomerTable::kSuspended) != 0;
  facts.cancelled = (standing & CustomerTable::kCancelled) != 0;
  facts.subscribed = (standing & CustomerTable::kSubscribed) != 0;
  facts.has_scope = need.scope.empty() || HasScope(found->keys->ScopesOf(*found->entry), need);
  return domain::JudgeStanding(facts, found->steady + state_.ledger_offset.load(std::memory_order_relaxed));
}

Decision Authenticator::JudgeQuotas(const Found& found) const {
  const CustomerState& customer = *found.customer;
  domain::RunStanding standing;
  standing.storage_used_hundredths = customer.storage_used_hundredths.load(std::memory_order_relaxed);
  standing.storage_gb = Limit(customer.storage_gb);
  standing.monthly_runs = Limit(customer.monthly_runs);
  standing.concurrent_runs = Limit(customer.concurrent_runs);
  const Days month = state_.month.load(std::memory_order_relaxed);
  if (customer.month.load(std::memory_order_relaxed) == month) standing.month_runs = customer.month_runs.load(std::memory_order_relaxed);
  standing.live_runs = customer.live_runs.load(std::memory_order_relaxed);
  standing.now = found.steady + state_.ledger_offset.load(std::memory_order_relaxed);
  standing.month_ends = StartOf(MonthStart(month, 1));
  standing.next_lease_end = customer.first_lease_end.load(std::memory_order_relaxed) - found.steady;
  if (standing.live_runs > 0 && standing.next_lease_end <= 0) --standing.live_runs;  // one at least is over, and would be ended before refusing
  return domain::JudgeRun(standing);
}

// Both rates are looked at, then the quotas, and only then anything is taken. If another thread was quicker, all of it is done again; what was taken
// from the minute is given back if the hour refuses after all.
Decision Authenticator::AdmitWithin(const Found& found, const Need& need, std::optional<domain::RateFacts>* rate) {
  const Gcra &minute = found.plan->minute, &hour = found.plan->hour;
  const int64_t cost = std::clamp<int64_t>(need.cost, 0, kCostMax), now_ns = found.steady * 1'000;
  std::atomic<domain::Arrival>&minute_state = found.entry->minute, &hour_state = found.entry->hour;
  Decision decision;
  while (true) {
    domain::Arrival minute_now = minute_state.load(std::memory_order_relaxed), hour_now = hour_state.load(std::memory_order_relaxed);
    const Gcra::Step in_minute = minute.Try(minute_now, now_ns, cost), in_hour = hour.Try(hour_now, now_ns, cost);
    if (cost > 0 && !(in_minute.allowed && in_hour.allowed)) {
      *rate = Tighter(minute, minute_now, hour, hour_now, now_ns);
      const bool hour_is_longer = !in_hour.allowed && (in_minute.allowed || in_hour.wait_ns < 0 || in_hour.wait_ns > in_minute.wait_ns);
      return hour_is_longer ? Refusal(hour, in_hour, now_ns) : Refusal(minute, in_minute, now_ns);
    }
    if (need.run) decision = JudgeQuotas(found);
    if (cost == 0) return decision;
    if (!decision.allowed()) {
      *rate = Tighter(minute, minute_now, hour, hour_now, now_ns);
      return decision;
    }
    if (!minute_state.compare_exchange_strong(minute_now, in_minute.next, std::memory_order_relaxed)) continue;
    if (!hour_state.compare_exchange_strong(hour_now, in_hour.next, std::memory_order_relaxed)) {
      minute_state.fetch_sub(minute.interval_ns() * cost, std::memory_order_relaxed);
      continue;
    }
    *rate = Tighter(minute, in_minute.next, hour, in_hour.next, now_ns);
    return decision;
  }
}

Admission Authenticator::Decide(std::string_view key_text, const Need& need, crypto::Digest* digest) {
  DecisionStripe& stripe = state_.counters.Mine();
  const bool timed = stripe.until_sample.fetch_add(1, std::memory_order_relaxed) % kDecisionSampled == 0;
  const int64_t start = timed ? clock_.SteadyNanos() : 0;
  Admission admission;
  Found found;
  admission.decision.outcome = Authenticate(key_text, need, &found, digest);
  const int64_t known = timed ? clock_.SteadyNanos() : 0;
  const Outcome standing = admission.decision.outcome;
  if (standing == Outcome::kStoreUnavailable) admission.decision.retry_after_s = 1;
  if (standing == Outcome::kAllowed || standing >= Outcome::kCustomerSuspended) {
    found.plan = &state_.customers.PlanOf(*found.customer);
    admission.who = {state_.customers.Text(found.customer->customer_id), state_.customers.Text(found.customer->tenant_id), found.plan->name,
                     found.keys->IdOf(found.key), found.keys->ScopesOf(*found.entry).text};
  }
  if (standing == Outcome::kAllowed) admission.decision = AdmitWithin(found, need, &admission.rate);
  if (admission.decision.allowed() && need.cost > 0) {
    found.keys->Touch(found.key, found.steady);
    state_.customers.Count(found.entry->customer, 1);
  }
  stripe.decisions[domain::OutcomeIndex(admission.decision.outcome)].fetch_add(1, std::memory_order_relaxed);
  if (timed) {
    stripe.authentication.Add(kDecisionBoundsNs, known - start);
    stripe.quota_check.Add(kDecisionBoundsNs, clock_.SteadyNanos() - known);
  }
  return admission;
}

}  // namespace reeve::gate
