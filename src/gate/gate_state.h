// GateState: what the deciding threads and the writer have in common. Every member says who may do what with it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "base/time_text.h"
#include "domain/decision.h"
#include "domain/ledger_clock.h"
#include "domain/rate_limit.h"
#include "gate/customer_table.h"
#include "gate/key_holder.h"
#include "gate/metrics.h"

namespace reeve::gate {

enum class Phase : uint8_t { kLoading, kServing, kDraining, kStopped, kPoisoned };

// Adds up an observation from any thread.
template <size_t Bounds>
struct AtomicHistogram {
  std::array<std::atomic<uint64_t>, Bounds + 1> count{};
  std::atomic<uint64_t> sum{0};
  void Add(const std::array<int64_t, Bounds>& bounds, int64_t value) {
    size_t i = 0;
    while (i < Bounds && value > bounds[i]) ++i;
    count[i].fetch_add(1, std::memory_order_relaxed);
    sum.fetch_add(static_cast<uint64_t>(value > 0 ? value : 0), std::memory_order_relaxed);
  }
  void AddTo(Histogram<Bounds>* out) const {
    for (size_t i = 0; i < count.size(); ++i) out->count[i] += count[i].load(std::memory_order_relaxed);
    out->sum += static_cast<double>(sum.load(std::memory_order_relaxed));
  }
};

// Counts on a line of its own: a thread that has the line for itself needs no locked instruction.
inline void CountOne(std::atomic<uint64_t>* counter, bool shared) {
  if (shared) {
    counter->fetch_add(1, std::memory_order_relaxed);
  } else {
    counter->store(counter->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

struct alignas(64) DecisionStripe {
  std::array<std::atomic<uint64_t>, domain::kOutcomes.size()> decisions{};
  std::atomic<uint64_t> asked{0};              // for sampling
  bool shared = false;
  AtomicHistogram<kDecisionBoundsNs.size()> authentication, quota_check;
};

// Counters of the deciding threads: the first ones that ever decide in this process have one each, the others share the last.
class DecisionCounters {
 public:
  static constexpr size_t kStripes = 64;
  DecisionCounters() { stripes_.back().shared = true; }
  // The calling thread's.
  [[nodiscard]] DecisionStripe& Mine() {
    static std::atomic<size_t> threads{0};
    thread_local const size_t mine = std::min(threads.fetch_add(1, std::memory_order_relaxed), kStripes - 1);
    return stripes_[mine];
  }
  void AddTo(MetricsSnapshot* out) const {
    for (const DecisionStripe& stripe : stripes_) {
      for (size_t i = 0; i < stripe.decisions.size(); ++i) out->decisions[i] += stripe.decisions[i].load(std::memory_order_relaxed);
      stripe.authentication.AddTo(&out->authentication);
      stripe.quota_check.AddTo(&out->quota_check);
    }
  }

 private:
  std::array<DecisionStripe, kStripes> stripes_;
};

struct GateState {
  explicit GateState(const domain::RateBook& rates) : customers(rates) {}

  KeyHolder keys;                              // the writer swaps, everybody pins
  CustomerTable customers;                     // the writer publishes after commits, everybody reads
  DecisionCounters counters;                   // everybody
  std::atomic<Phase> phase{Phase::kLoading};   // the writer and Drain
  std::atomic<bool> store_answers{true};       // the writer
  // Ledger time = steady clock + this, to within a tick of the writer; the month that the ledger is in.
  std::atomic<Micros> ledger_offset{0};
  std::atomic<Days> month{0};

  void Publish(const domain::Instant& now) {
    ledger_offset.store(now.ledger - now.steady, std::memory_order_relaxed);
    month.store(now.month, std::memory_order_relaxed);
  }
};

}  // namespace reeve::gate
