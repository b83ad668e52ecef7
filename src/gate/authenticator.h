// Authenticator: what the gate says to a key, from memory: the ladder from the key's text to the rates and quotas.
//
// Not for reserving: that is the run book's, on the writer's thread, which judges quotas again. Safe from any thread; takes no lock, allocates nothing
// after a thread's first call.
#pragma once

#include <span>
#include <string_view>

#include "env/clock.h"
#include "gate/gate.h"
#include "gate/gate_state.h"

namespace reeve::gate {

class Authenticator {
 public:
  Authenticator(GateState* state, Clock* clock) : state_(*state), clock_(*clock) {}

  // See Gate::Authorize. `digest`, if given, receives the digest of the key if it can be one.
  [[nodiscard]] Admission Decide(std::string_view key_text, const Need& need, crypto::Digest* digest = nullptr);
  // See Gate::AuthorizeMany.
  void DecideMany(std::span<const Ask> asks, std::span<Admission> admissions);

 private:
  // A key on its way down the ladder. Filled by Read.
  struct Shown {
    bool is_text;
    uint32_t key;                          // kNoKey until it is found
    crypto::Digest digest;
  };
  // What all decisions of one call have in common.
  struct Moment {
    KeyIndex* keys = nullptr;              // null: nothing can be decided
    DecisionStripe* stripe = nullptr;
    Micros steady = 0, ledger = 0;
    uint32_t use = 0;                      // KeyIndex::GrainOfUse
  };
  [[nodiscard]] Moment Now();
  static void Read(std::string_view key_text, Shown* shown);
  // Starts to fetch what a decision about a key that is known reads and writes outside its entry. Inlined always: see CustomerTable::Approach.
  [[gnu::always_inline]] void ApproachOwner(const Moment& now, uint32_t key) {
    const KeyIndex::Entry& entry = now.keys->At(key);
    // Only the first use since a flush goes there.
    if ((entry.standing.load(std::memory_order_relaxed) & KeyIndex::kTouched) == 0) now.keys->ApproachCold(key);
    const uint32_t customer = entry.customer;
    if (customer != kNoCustomer) state_.customers.Approach(customer);
  }
  void DecideAlone(const Moment& now, std::string_view key_text, const Need& need, bool timed, crypto::Digest* digest, Admission* admission);
  void DecideChunk(const Moment& now, std::span<const Ask> asks, std::span<Shown> shown, std::span<Admission> admissions);
  void DecideOne(const Moment& now, const Shown& shown, const Need& need, Admission* admission);
  void AdmitWithin(const Moment& now, KeyIndex::Entry* entry, const PlanRow& plan, const Need& need, Admission* admission) const;
  [[nodiscard]] domain::Decision JudgeQuotas(const Moment& now, const CustomerState& customer) const;
  [[nodiscard]] static Admission Unavailable(const Moment& now);
  // One decision in kDecisionSampled is timed.
  [[nodiscard]] static bool IsSampled(const Moment& now, size_t decisions);
  void Sample(const Moment& now, int64_t start, int64_t known);

  GateState& state_;
  Clock& clock_;
};

}  // namespace reeve::gate
