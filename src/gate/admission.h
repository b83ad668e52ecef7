// Admission: what the gate said to one request, and, for whoever wants to know, whose key it was and how its rates stand. Those are worked out when they
// are asked for: they lie in other memory than what decides.
#pragma once

#include <optional>
#include <string_view>

#include "domain/decision.h"
#include "domain/rate_limit.h"

namespace reeve::gate {

class KeyIndex;
class CustomerTable;

// Whose key it was. The texts are valid until the calling thread's next call of Authorize… or SubmitRun on any gate.
struct Identity {
  std::string_view customer_id, tenant_id, plan, api_key_id;
  std::string_view scopes;      // with single spaces between them; may be empty
};

class Admission {
 public:
  domain::Decision decision;

  // Known from kCustomerSuspended on; before that all texts are empty: who shows a key that is not accepted learns nothing. As long as the texts are valid.
  [[nodiscard]] Identity who() const;
  // Starts to fetch what who() reads, for whoever names several people together.
  void Approach() const;
  // The tighter of the two rates after this request: for the RateLimit fields. Unset before kRateLimited, and with Need::cost 0. As long as who().
  [[nodiscard]] std::optional<domain::RateFacts> rate() const;

 private:
  friend class Authenticator;
  const KeyIndex* keys_ = nullptr;             // null: nobody is to be named
  const CustomerTable* customers_ = nullptr;
  uint32_t key_ = 0, customer_ = 0;
  bool rated_ = false;
  domain::Arrival minute_ = 0, hour_ = 0;
  int64_t now_ns_ = 0;
};

}  // namespace reeve::gate
