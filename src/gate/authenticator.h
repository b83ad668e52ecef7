// Authenticator: what the gate says to a key, from memory: the ladder from the key's text to the rates and quotas.
//
// Not for reserving: that is the run book's, on the writer's thread, which judges quotas again. Safe from any thread; takes no lock, allocates nothing
// after a thread's first call.
#pragma once

#include <string_view>

#include "env/clock.h"
#include "gate/gate.h"
#include "gate/gate_state.h"

namespace reeve::gate {

class Authenticator {
 public:
  Authenticator(GateState* state, Clock* clock) : state_(*state), clock_(*clock) {}

  // See Gate::Authorize. `digest`, if given, receives the digest of the key when it was looked up.
  [[nodiscard]] Admission Decide(std::string_view key_text, const Need& need, crypto::Digest* digest = nullptr);

 private:
  struct Found;
  // Fills what it finds out; the outcome of the ladder up to the scope.
  [[nodiscard]] domain::Outcome Authenticate(std::string_view key_text, const Need& need, Found* found, crypto::Digest* digest);
  [[nodiscard]] domain::Decision AdmitWithin(const Found& found, const Need& need, std::optional<domain::RateFacts>* rate);
  [[nodiscard]] domain::Decision JudgeQuotas(const Found& found) const;

  GateState& state_;
  Clock& clock_;
};

}  // namespace reeve::gate
