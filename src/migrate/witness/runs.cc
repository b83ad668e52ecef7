#include "migrate/witness/runs.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace reeve::migrate::witness {
namespace {

namespace f = run_field;

__extension__ using Wide = unsigned __int128;

constexpr size_t kSlotsMin = 256;
constexpr size_t kSlotsKeptMax = 64 * 1024;
constexpr size_t kIdBytesKeptMax = size_t{4} * 1024 * 1024;
constexpr Month kMonthMin = 12;  // 0001-01

std::optional<RunStatus> StatusOf(std::string_view text) {
  constexpr std::pair<std::string_view, RunStatus> kStatuses[] = {
      {"COMPLETED", RunStatus::kTerminal},   {"PENDING", RunStatus::kPending},
      {"FAILED", RunStatus::kTerminal},      {"RUNNING", RunStatus::kRunning},
      {"COMPLETE", RunStatus::kTerminal},    {"SUCCESS", RunStatus::kTerminal},
      {"CANCELLED", RunStatus::kTerminal},   {"TIMEOUT", RunStatus::kTerminal},
      {"INGESTING", RunStatus::kRunning},    {"VALIDATING", RunStatus::kRunning},
      {"TRANSFORMING", RunStatus::kRunning}, {"CANCELLING", RunStatus::kRunning},
  };
  for (const auto& [name, status] : kStatuses) {
    if (EqualsUpper(text, name)) return status;
  }
  return std::nullopt;
}

uint64_t Mix(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t HashOf(std::string_view text, uint64_t seed) {
  constexpr uint64_t kFactor = 0x9E3779B97F4A7C15U;
  uint64_t hash = seed ^ text.size();
  uint64_t word = 0;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::memcpy(&word, text.data(), 8);
    hash = Mix(hash ^ word, kFactor);
  }
  word = 0;
  std::memcpy(&word, text.data(), text.size());
  return Mix(hash ^ word, kFactor);
}

template <typename T>
std::optional<T> Larger(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

}  // namespace

Reason JudgeRun(const Row& row, Micros as_of, RunFacts* facts) {
  if (!row[f::kId].present) return Reason::kMissingRunId;
  if (!row[f::kStatus].present) return Reason::kMissingStatus;
  if (!row[f::kStart].present) return Reason::kMissingStartTime;
  const auto status = StatusOf(row.Text(f::kStatus));
  if (!status) return Reason::kUnknownStatus;
  if (row[f::kDuration].present && row[f::kDuration].number < 0) return Reason::kNegativeDuration;
  if (row[f::kStart].number > as_of + kFutureMax) return Reason::kFutureTime;
  *facts = {.status = *status, .start = row[f::kStart].number, .end = {}, .duration = {}};
  if (*status != RunStatus::kTerminal) return Reason::kNone;
  facts->end = row.Number(f::kEnd);
  facts->duration = row.Number(f::kDuration);
  return Reason::kNone;
}

RunFacts Unite(const RunFacts& a, const RunFacts& b) {
  RunFacts united;
  united.status = std::max(a.status, b.status);
  united.start = std::min(a.start, b.start);
  const RunFacts none;
  const RunFacts& x = a.status == RunStatus::kTerminal ? a : none;
  const RunFacts& y = b.status == RunStatus::kTerminal ? b : none;
  united.end = Larger(x.end, y.end);
  united.duration = Larger(x.duration, y.duration);
  return united;
}

// The seed differs from process to process, so that nobody can prepare ids that collide; no result depends on it.
RunTable::RunTable() : seed_(reinterpret_cast<uintptr_t>(this) * 0xD6E8FEB86659FD93U), slots_(kSlotsMin) {}

void RunTable::Clear() {
  if (slots_.size() > kSlotsKeptMax) {
    std::vector<uint32_t>(kSlotsMin).swap(slots_);
    std::vector<Run>().swap(runs_);
  } else {
    std::fill(slots_.begin(), slots_.end(), 0);
  }
  runs_.clear();
  if (ids_.capacity() > kIdBytesKeptMax) std::string().swap(ids_);
  ids_.clear();
}

void RunTable::Grow() {
  slots_.assign(slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < runs_.size(); ++i) {
    size_t at = runs_[i].hash & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = static_cast<uint32_t>(i + 1);
  }
}

RunTable::Run& RunTable::Get(std::string_view id, const RunFacts& facts, bool* is_new) {
  const uint64_t hash = HashOf(id, seed_);
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    Run& run = runs_[slots_[at] - 1];
    if (run.hash == hash && IdOf(run) == id) {
      *is_new = false;
      return run;
    }
  }
  *is_new = true;
  runs_.push_back({.facts = facts, .id_at = ids_.size(), .id_size = id.size(), .hash = hash});
  ids_ += id;
  slots_[at] = static_cast<uint32_t>(runs_.size());
  if (runs_.size() * 2 > slots_.size()) Grow();
  return runs_.back();
}

MonthWindow::MonthWindow(Micros as_of, int months)
    : first(std::max(MonthOf(as_of) - (months - 1), kMonthMin)), last(MonthOf(as_of) + 1),
      begin(FirstInstant(first)), end(FirstInstant(last + 1)) {}

void MonthUsage::Add(const RunFacts& run, Micros as_of, Micros abandoned_after) {
  ++runs;
  last_start = Larger<Micros>(last_start, run.start);
  if (run.status != RunStatus::kTerminal) {
    ++(as_of - run.start < abandoned_after ? running : abandoned);
    return;
  }
  int64_t ms = 0;
  if (run.duration) ms = *run.duration;
  else if (run.end && *run.end >= run.start) ms = (*run.end - run.start) / 1000;
  compute_ms += static_cast<uint64_t>(ms);
  if (compute_ms >> 63 != 0) {
    compute_ms &= INT64_MAX;
    ++compute_high;
  }
}

int64_t MonthUsage::ComputeHours() const {
  constexpr uint64_t kMsPerHundredth = 36'000;
  const Wide ms = (static_cast<Wide>(compute_high) << 63) + compute_ms;
  const Wide hundredths = (2 * ms + kMsPerHundredth) / (2 * kMsPerHundredth);
  return static_cast<int64_t>(std::min<Wide>(hundredths, INT64_MAX));
}

}  // namespace reeve::migrate::witness
