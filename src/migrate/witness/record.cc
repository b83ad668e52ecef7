#include "migrate/witness/record.h"

#include <algorithm>

#include "migrate/witness/text.h"

namespace reeve::migrate::witness {
namespace {

namespace f = record_field;

CustomerStatus StatusOf(const Row& row) {
  const std::string_view status = row.Text(f::kStatus);
  if (EqualsUpper(status, "CANCELLED")) return CustomerStatus::kCancelled;
  const bool inactive = row[f::kIsActive].present && row[f::kIsActive].number == 0;
  const bool suspended = inactive || row[f::kSuspendedAt].present || EqualsUpper(status, "SUSPENDED");
  return suspended ? CustomerStatus::kSuspended : CustomerStatus::kActive;
}

bool Has(const std::string& text) { return !text.empty(); }
bool Has(const std::optional<int64_t>& number) { return number.has_value(); }

// The value of the newest row that has it; among equally new ones the smallest. `get` yields a reference to it.
template <typename Get>
auto Newest(const std::vector<Record>& rows, Get get) {
  const Record* best = nullptr;
  for (const Record& row : rows) {
    if (!Has(get(row))) continue;
    const bool better = best == nullptr || row.time > best->time || (row.time == best->time && get(row) < get(*best));
    if (better) best = &row;
  }
  using Value = std::decay_t<decltype(get(rows[0]))>;
  return best == nullptr ? Value() : Value(get(*best));
}

void TakeEarliest(const std::optional<Micros>& from, std::optional<Micros>* into) {
  if (from && (!*into || *from < **into)) *into = from;
}

}  // namespace

Record RecordOf(const Row& row) {
  Record record;
  record.created_at = row.Number(f::kCreatedAt);
  record.time = row.Number(f::kUpdatedAt).value_or(record.created_at.value_or(kTimeMin));
  record.company = row.Text(f::kCompany);
  record.email = row.Text(f::kEmail);
  record.tier = row.Text(f::kTier);
  record.suspended_reason = row.Text(f::kSuspendedReason);
  record.quotas = {row.Number(f::kMonthly), row.Number(f::kConcurrent), row.Number(f::kStorage)};
  record.runs_this_month = row.Number(f::kRunsThisMonth);
  record.suspended_at = row.Number(f::kSuspendedAt);
  record.status = StatusOf(row);
  return record;
}

Record MergeRecords(const std::vector<Record>& rows) {
  Record merged;
  merged.company = Newest(rows, [](const Record& r) -> const auto& { return r.company; });
  merged.email = Newest(rows, [](const Record& r) -> const auto& { return r.email; });
  merged.tier = Newest(rows, [](const Record& r) -> const auto& { return r.tier; });
  merged.suspended_reason = Newest(rows, [](const Record& r) -> const auto& { return r.suspended_reason; });
  merged.runs_this_month = Newest(rows, [](const Record& r) -> const auto& { return r.runs_this_month; });
  for (size_t i = 0; i < merged.quotas.size(); ++i) {
    merged.quotas[i] = Newest(rows, [i](const Record& r) -> const auto& { return r.quotas[i]; });
  }
  for (const Record& row : rows) {
    merged.time = std::max(merged.time, row.time);
    TakeEarliest(row.created_at, &merged.created_at);
    TakeEarliest(row.suspended_at, &merged.suspended_at);
    merged.status = std::max(merged.status, row.status);
  }
  return merged;
}

}  // namespace reeve::migrate::witness
