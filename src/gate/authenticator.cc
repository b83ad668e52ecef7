#include "gate/authenticator.h"

#include <algorithm>
#include <memory>

#include "domain/decision.h"

namespace reeve::gate {
namespace {

using domain::Decision;
using domain::Gcra;
using domain::Outcome;

constexpr int64_t kNanosInMicro = 1'000, kNanosInSecond = 1'000'000'000;

std::optional<int64_t> Limit(const std::atomic<int64_t>& stored) {
  const int64_t limit = stored.load(std::memory_order_relaxed);
  return limit < 0 ? std::nullopt : std::optional<int64_t>(limit);
}

void FillRefusal(const Gcra& limit, const Gcra::Step& step, int64_t now_ns, Decision* decision) {
  const int64_t wait = step.wait_ns < 0 ? 0 : std::max<int64_t>((step.wait_ns + kNanosInSecond - 1) / kNanosInSecond, 1);
  *decision = {Outcome::kRateLimited, limit.requests() - limit.Remaining(step.next, now_ns), limit.requests(), wait};
}

// Most requests of a thread ask for the scope that the last one asked for, and most keys have the same scopes.
bool HasScope(const ScopeSet& held, const Need& need) {
  struct Last {
    const ScopeSet* held = nullptr;
    std::string scope;
    bool covers = false;
  };
  thread_local Last last;
  if (last.held != &held || last.scope != need.scope) last = {&held, std::string(need.scope), held.Covers(need.scope)};
  return last.covers || (!need.or_scope.empty() && held.Covers(need.or_scope));
}

bool IsNamed(Outcome outcome) { return outcome == Outcome::kAllowed || outcome >= Outcome::kCustomerSuspended; }

}  // namespace

Authenticator::Moment Authenticator::Now() {
  Moment now;
  now.stripe = &state_.counters.Mine();
  const Phase phase = state_.phase.load(std::memory_order_acquire);
  if (phase == Phase::kServing || phase == Phase::kDraining) now.keys = &state_.keys.Pin();
  now.steady = clock_.Steady();
  now.ledger = now.steady + state_.ledger_offset.load(std::memory_order_relaxed);
  if (now.keys != nullptr) now.use = now.keys->GrainOfUse(now.steady);
  return now;
}

void Authenticator::Read(std::string_view key_text, Shown* shown) {
  shown->key = kNoKey;
  shown->is_text = domain::IsKeyText(key_text);
  if (shown->is_text) shown->digest = crypto::Sha256Digest(key_text);
}

// Fills in what is not as it was made, member by member: copies of small aggregates stall on their own stores, which costs more than the ladder.
void Authenticator::DecideOne(const Moment& now, const Shown& shown, const Need& need, Admission* admission) {
  Outcome outcome = !shown.is_text ? Outcome::kMalformedKey : Outcome::kUnknownKey;
  KeyIndex::Entry* const entry = shown.key != kNoKey ? &now.keys->At(shown.key) : nullptr;
  if (entry != nullptr && entry->customer != kNoCustomer) {
    const uint32_t of_customer = state_.customers.HeadOf(entry->customer).standing.load(std::memory_order_acquire);
    const uint32_t of_key = entry->standing.load(std::memory_order_acquire);
    domain::KeyStanding facts;
    facts.known = (of_customer & CustomerTable::kKnown) != 0;
    facts.revoked = (of_key & KeyIndex::kRevoked) != 0;
    facts.expired = now.keys->IsExpired(shown.key, now.ledger);
    facts.suspended = (of_customer & CustomerTable::kSuspended) != 0;
    facts.cancelled = (of_customer & CustomerTable::kCancelled) != 0;
    facts.subscribed = (of_customer & CustomerTable::kSubscribed) != 0;
    facts.has_scope = need.scope.empty() || HasScope(now.keys->ScopesOf(*entry), need);
    outcome = domain::JudgeStanding(facts);
    if (IsNamed(outcome)) {
      admission->keys_ = now.keys;
      admission->customers_ = &state_.customers;
      admission->key_ = shown.key;
      admission->customer_ = entry->customer;
    }
    if (outcome == Outcome::kAllowed) {
      AdmitWithin(now, entry, state_.customers.Plan(of_customer >> CustomerTable::kPlanShift), need, admission);
      outcome = admission->decision.outcome;
    }
    if (outcome == Outcome::kAllowed && need.cost > 0) {
      now.keys->Touch(shown.key, now.use);
      state_.customers.Count(entry->customer, 1);
    }
  }
  admission->decision.outcome = outcome;
  CountOne(&now.stripe->decisions[domain::OutcomeIndex(outcome)], now.stripe->shared);
}

Decision Authenticator::JudgeQuotas(const Moment& now, const CustomerState& customer) const {
  domain::RunStanding standing;
  standing.storage_used_hundredths = customer.storage_used_hundredths.load(std::memory_order_relaxed);
  standing.storage_gb = Limit(customer.storage_gb);
  standing.monthly_runs = Limit(customer.monthly_runs);
  standing.concurrent_runs = Limit(customer.concurrent_runs);
  const Days month = state_.month.load(std::memory_order_relaxed);
  if (customer.month.load(std::memory_order_relaxed) == month) standing.month_runs = customer.month_runs.load(std::memory_order_relaxed);
  standing.live_runs = customer.live_runs.load(std::memory_order_relaxed);
  standing.now = now.ledger;
  standing.month_ends = StartOf(MonthStart(month, 1));
  standing.next_lease_end = customer.first_lease_end.load(std::memory_order_relaxed) - now.steady;
  if (standing.live_runs > 0 && standing.next_lease_end <= 0) --standing.live_runs;  // one at least is over, and would be ended before refusing
  return domain::JudgeRun(standing);
}

// Both rates are looked at, then the quotas, and only then anything is taken. If another thread was quicker, all of it is done again; what was taken
// from the minute is given back if the hour refuses after all.
void Authenticator::AdmitWithin(const Moment& now, KeyIndex::Entry* entry, const PlanRow& plan, const Need& need, Admission* admission) const {
  const int64_t cost = std::clamp<int64_t>(need.cost, 0, kCostMax), now_ns = now.steady * kNanosInMicro;
  admission->rated_ = cost > 0;
  admission->now_ns_ = now_ns;
  while (true) {
    domain::Arrival minute_now = entry->minute.load(std::memory_order_relaxed), hour_now = entry->hour.load(std::memory_order_relaxed);
    admission->minute_ = minute_now;
    admission->hour_ = hour_now;
    const Gcra::Step in_minute = plan.minute.Try(minute_now, now_ns, cost), in_hour = plan.hour.Try(hour_now, now_ns, cost);
    if (cost > 0 && !(in_minute.allowed && in_hour.allowed)) {
      const bool hour_is_longer = !in_hour.allowed && (in_minute.allowed || in_hour.wait_ns < 0 || (in_minute.wait_ns >= 0 && in_hour.wait_ns > in_minute.wait_ns));
      return FillRefusal(hour_is_longer ? plan.hour : plan.minute, hour_is_longer ? in_hour : in_minute, now_ns, &admission->decision);
    }
    if (need.run) admission->decision = JudgeQuotas(now, state_.customers.At(entry->customer));
    if (cost == 0 || !admission->decision.allowed()) return;
    if (!entry->minute.compare_exchange_strong(minute_now, in_minute.next, std::memory_order_relaxed)) continue;
    if (!entry->hour.compare_exchange_strong(hour_now, in_hour.next, std::memory_order_relaxed)) {
      entry->minute.fetch_sub(plan.minute.interval_ns() * cost, std::memory_order_relaxed);
      continue;
    }
    admission->minute_ = in_minute.next;
    admission->hour_ = in_hour.next;
    return;
  }
}

bool Authenticator::IsSampled(const Moment& now, size_t decisions) {
  std::atomic<uint64_t>& asked = now.stripe->asked;
  const uint64_t before = asked.load(std::memory_order_relaxed);
  asked.store(before + decisions, std::memory_order_relaxed);  // a count that shared stripes may lose is of no account
  const auto samples = [](uint64_t decided) { return (decided + kDecisionSampled - 1) / kDecisionSampled; };
  return samples(before) != samples(before + decisions);
}

void Authenticator::Sample(const Moment& now, int64_t start, int64_t known) {
  now.stripe->authentication.Add(kDecisionBoundsNs, known - start);
  now.stripe->quota_check.Add(kDecisionBoundsNs, clock_.SteadyNanos() - known);
}

Admission Authenticator::Unavailable(const Moment& now) {
  Admission admission;
  admission.decision = {Outcome::kStoreUnavailable, 0, std::nullopt, 1};
  CountOne(&now.stripe->decisions[domain::OutcomeIndex(Outcome::kStoreUnavailable)], now.stripe->shared);
  return admission;
}

void Authenticator::DecideAlone(const Moment& now, std::string_view key_text, const Need& need, bool timed, crypto::Digest* digest, Admission* admission) {
  const int64_t start = timed ? clock_.SteadyNanos() : 0;
  Shown shown;
  Read(key_text, &shown);
  if (shown.is_text) shown.key = now.keys->Find(shown.digest);
  if (shown.key != kNoKey) ApproachOwner(now, shown.key);
  const int64_t known = timed ? clock_.SteadyNanos() : 0;
  DecideOne(now, shown, need, admission);
  if (timed) Sample(now, start, known);
  if (digest != nullptr) *digest = shown.digest;
}

Admission Authenticator::Decide(std::string_view key_text, const Need& need, crypto::Digest* digest) {
  const Moment now = Now();
  if (now.keys == nullptr) return Unavailable(now);
  Admission admission;
  DecideAlone(now, key_text, need, IsSampled(now, 1), digest, &admission);
  return admission;
}

// Step by step, each for all of a chunk: a step asks for the memory that the next one reads, and what a step waits for, it waits for together. Looking up addresses
// is most of the waiting, and processors look up several at a time only if they are asked for close together.
void Authenticator::DecideMany(std::span<const Ask> asks, std::span<Admission> admissions) {
  REEVE_ASSERT(asks.size() == admissions.size() && asks.size() <= kAsksMax);
  const Moment now = Now();
  if (now.keys == nullptr) {
    for (Admission& admission : admissions) admission = Unavailable(now);
    return;
  }
  // Nobody can say how long one of them took: the one to be timed goes first, by itself.
  if (IsSampled(now, asks.size())) {
    admissions[0] = Admission();
    DecideAlone(now, asks[0].key_text, asks[0].need, true, nullptr, &admissions[0]);
    asks = asks.subspan(1);
    admissions = admissions.subspan(1);
  }
  constexpr size_t kChunk = 64;
  std::array<Shown, kChunk> shown;
  while (!asks.empty()) {
    const size_t count = std::min(kChunk, asks.size());
    DecideChunk(now, asks.first(count), {shown.data(), count}, admissions.first(count));
    asks = asks.subspan(count);
    admissions = admissions.subspan(count);
  }
}

void Authenticator::DecideChunk(const Moment& now, std::span<const Ask> asks, std::span<Shown> shown, std::span<Admission> admissions) {
  for (size_t i = 0; i < asks.size(); ++i) {
    Read(asks[i].key_text, &shown[i]);
    if (shown[i].is_text) now.keys->Approach(shown[i].digest);
  }
  for (Shown& one : shown)
    if (one.is_text) one.key = now.keys->Glimpse(one.digest);
  for (Shown& one : shown) {
    if (one.key != kNoKey && !now.keys->Is(one.key, one.digest)) one.key = now.keys->Find(one.digest);
    if (one.key != kNoKey) ApproachOwner(now, one.key);
  }
  for (size_t i = 0; i < asks.size(); ++i) {
    std::construct_at(&admissions[i]);
    DecideOne(now, shown[i], asks[i].need, &admissions[i]);
  }
}

}  // namespace reeve::gate
