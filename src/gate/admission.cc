#include "gate/admission.h"

#include "gate/customer_table.h"
#include "gate/key_index.h"

namespace reeve::gate {

Identity Admission::who() const {
  if (keys_ == nullptr) return {};
  const CustomerState& customer = customers_->At(customer_);
  return {customers_->Text(customer.customer_id), customers_->Text(customer.tenant_id), customers_->PlanOf(customer_).name, keys_->IdOf(key_),
          keys_->ScopesOf(keys_->At(key_)).text};
}

void Admission::Approach() const {
  if (keys_ == nullptr) return;
  __builtin_prefetch(&customers_->At(customer_));
  keys_->ApproachCold(key_);
}

std::optional<domain::RateFacts> Admission::rate() const {
  if (!rated_) return std::nullopt;
  constexpr int64_t kSecondNs = 1'000'000'000;
  const PlanRow& plan = customers_->PlanOf(customer_);
  const int64_t in_minute = plan.minute.Remaining(minute_, now_ns_), in_hour = plan.hour.Remaining(hour_, now_ns_);
  const bool hour = in_hour < in_minute;
  const domain::Gcra& limit = hour ? plan.hour : plan.minute;
  const int64_t reset_ns = limit.ResetNs(hour ? hour_ : minute_, now_ns_);
  return domain::RateFacts{limit.requests(), hour ? in_hour : in_minute, (reset_ns + kSecondNs - 1) / kSecondNs, limit.period() / kSecond};
}

}  // namespace reeve::gate
