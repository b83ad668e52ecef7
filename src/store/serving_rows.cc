#include "store/serving_rows.h"

#include <algorithm>
#include <charconv>

#include "crypto/sha256.h"
#include "domain/run_set.h"

namespace reeve::store {

std::optional<int64_t> ParseMark(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

ServingMarks MarksAfter(const ServingMarks& before, const ServingWrites& writes) {
  ServingMarks after = before;
  after.ledger_time = std::max(before.ledger_time, writes.ledger_time);
  after.fence = std::max(before.fence, writes.fence);
  if (writes.audit_seq > before.audit_seq) {
    after.audit_seq = writes.audit_seq;
    after.audit_head = writes.audit_head;
  }
  return after;
}

Days FirstServedMonth(Days from_month, const ServingMarks& marks) {
  return marks.ledger_time == 0 ? from_month : std::min(from_month, MonthStart(DateOf(marks.ledger_time)));
}

std::string UsageIdOf(std::string_view tenant_id, Days month) {
  return crypto::DeterministicId("usage_", "usage", {tenant_id, FormatMonth(month)});
}

Micros EndOf(const RunRow& run) {
  if (run.state == RunState::kReserved) return 0;
  return run.ended_at != 0 ? run.ended_at : run.reserved_at;
}

LegacyPart LegacyPartOf(int64_t runs, int64_t running, int64_t compute_hundredths, std::optional<std::string_view> set, Days month) {
  constexpr int64_t kMsPerHundredth = 36'000;
  LegacyPart part{runs, running, compute_hundredths * kMsPerHundredth};
  domain::RunSet runs_of_month;
  if (set && runs_of_month.Decode(*set, month)) part.compute_ms = runs_of_month.Usage(month, 0, 0).compute_ms;
  return part;
}

}  // namespace reeve::store
