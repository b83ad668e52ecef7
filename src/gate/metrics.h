// Figures of a gate at one moment, in plain arrays, for whoever prints them. Counters only grow; none names a customer or a key.
#pragma once

#include <array>
#include <cstdint>

#include "domain/decision.h"

namespace reeve::gate {

// `count[i]` observations were at most `bounds[i]`, exclusive of smaller buckets; the last is for everything above the last bound.
template <size_t Bounds>
struct Histogram {
  std::array<int64_t, Bounds> bounds{};
  std::array<uint64_t, Bounds + 1> count{};
  double sum = 0;                     // of all observations, in the unit of the bounds
  [[nodiscard]] uint64_t total() const {
    uint64_t all = 0;
    for (const uint64_t n : count) all += n;
    return all;
  }
};

inline constexpr std::array<int64_t, 10> kDecisionBoundsNs = {250, 500, 1'000, 2'000, 4'000, 8'000, 16'000, 64'000, 256'000, 1'000'000};
inline constexpr std::array<int64_t, 12> kCommitBoundsUs = {100, 200, 500, 1'000, 2'000, 5'000, 10'000, 20'000, 50'000, 100'000, 500'000, 2'000'000};
inline constexpr std::array<int64_t, 9> kBatchBounds = {1, 2, 4, 8, 16, 32, 64, 128, 256};

struct MetricsSnapshot {
  std::array<uint64_t, domain::kOutcomes.size()> decisions{};      // Authorize and the door of SubmitRun, by OutcomeIndex
  std::array<uint64_t, domain::kOutcomes.size()> reservations{};   // decided by the writer, by OutcomeIndex; repetitions are not counted
  uint64_t replays = 0;               // run calls that had had their effect before
  uint64_t run_calls = 0;             // taken from the queue
  uint64_t runs_completed = 0, runs_cancelled = 0, leases_expired = 0;
  uint64_t queue_full = 0;            // calls not taken because the queue was full, or the gate draining
  uint64_t revocations = 0;
  uint64_t touches_written = 0;       // last_used_at of a key
  uint64_t commits = 0, commits_failed = 0;
  Histogram<kDecisionBoundsNs.size()> authentication;  // digest, look-up and ladder; one decision in kDecisionSampled is timed
  Histogram<kDecisionBoundsNs.size()> quota_check;     // rates and quotas of the same decisions
  Histogram<kCommitBoundsUs.size()> commit_time;
  Histogram<kBatchBounds.size()> batch_size;           // operations in one transaction
  // As it is now.
  uint64_t live_leases = 0;
  uint64_t queue_length = 0;
  uint64_t keys = 0, customers = 0;
  uint64_t key_bytes = 0;             // of the index with its keys' attributes, without the state of rates
  bool rollover_frozen = false;       // the wall clock leapt, and the month stays until that is confirmed
  Micros ledger_lag = 0;              // ledger time − wall time
};
inline constexpr uint64_t kDecisionSampled = 256;

}  // namespace reeve::gate
