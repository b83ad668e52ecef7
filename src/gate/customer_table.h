// CustomerTable: what a decision needs to know of each customer, as of the last commit, where every thread can read it.
//
// The run book (run_book.h) is the authority while a group of operations is decided; after the commit the writer publishes its figures here. Customers
// have numbers that never change; none is ever removed, one that is gone from the store becomes unknown.
//
// Threads: Put, Publish, Take… belong to the writer's thread; the rest to any, without waiting. A number that a thread learned from a published KeyIndex
// may be looked up by it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "domain/decision.h"
#include "domain/rate_limit.h"
#include "gate/blocks.h"
#include "gate/name_table.h"
#include "store/serving_store.h"

namespace reeve::gate {

inline constexpr uint32_t kNoCustomer = 0xffff'ffff;
inline constexpr uint32_t kCustomersMax = 1u << 24;
inline constexpr uint32_t kPlansMax = 1u << 12;       // different names of plans

struct PlanRow {
  std::string name;
  domain::Gcra minute, hour;
};

// What every decision looks at, apart and small: of a hundred thousand customers it stays in the processor's cache.
struct alignas(16) CustomerHead {
  std::atomic<uint32_t> standing{0};                  // the bits below, and the number of the plan above them
  std::atomic<uint32_t> next{0};                      // of the list of customers with requests that were not taken yet
  std::atomic<uint64_t> admitted{0};                  // requests since the start
};

struct alignas(64) CustomerState {
  TextRef customer_id, tenant_id;
  // Quotas, −1: unlimited; usage of `month`.
  std::atomic<int64_t> monthly_runs{-1}, concurrent_runs{-1}, storage_gb{-1};
  std::atomic<int64_t> storage_used_hundredths{0}, month_runs{0}, live_runs{0};
  std::atomic<Micros> first_lease_end{0};             // steady clock
  std::atomic<Days> month{0};
};

class CustomerTable {
 public:
  static constexpr uint32_t kKnown = 1, kSuspended = 2, kCancelled = 4, kSubscribed = 8, kTouched = 16;
  static constexpr int kPlanShift = 8;

  explicit CustomerTable(const domain::RateBook& rates) : rates_(rates) {}

  // Adds the customer, unknown to everybody until its figures are published (loader.h), or brings its plan up to date; its number. kCorrupt if there are
  // too many of them, or of plans.
  [[nodiscard]] Result<uint32_t> Put(const store::ServedCustomer& customer);
  void SetStanding(uint32_t number, uint32_t bits);
  // The number of a customer, or nullopt. `guess`: looked at first, which is cheaper than to look among all.
  [[nodiscard]] std::optional<uint32_t> Find(std::string_view customer_id, uint32_t guess = kNoCustomer) const;
  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(states_.size()); }

  [[nodiscard]] CustomerHead& HeadOf(uint32_t number) const { return heads_[number]; }
  [[nodiscard]] CustomerState& At(uint32_t number) const { return states_[number]; }
  // Starts to fetch a customer's head. Inlined always: the compiler takes a function that only fetches for one without effect.
  [[gnu::always_inline]] void Approach(uint32_t number) const { __builtin_prefetch(&heads_[number], 1); }
  [[nodiscard]] const PlanRow& Plan(uint32_t number) const { return plans_[number]; }
  [[nodiscard]] const PlanRow& PlanOf(uint32_t customer) const { return Plan(HeadOf(customer).standing.load(std::memory_order_acquire) >> kPlanShift); }
  [[nodiscard]] std::string_view Text(TextRef ref) const { return texts_.At(ref); }

  // Counts `cost` admitted requests. In the one order of all that happens here, either TakeCounted sees the count or this sees that it has passed.
  void Count(uint32_t number, uint64_t cost) {
    CustomerHead& head = HeadOf(number);
    head.admitted.fetch_add(cost);
    if ((head.standing.load() & kTouched) == 0) PushTouched(number);
  }
  // Calls `take` with each customer that had requests since the last call, and how many they were.
  template <typename Take>
  void TakeCounted(Take take) {
    uint32_t number = touched_.exchange(0, std::memory_order_acquire);
    while (number != 0) {
      const uint32_t customer = number - 1;
      CustomerHead& head = HeadOf(customer);
      number = head.next.load(std::memory_order_relaxed);
      head.standing.fetch_and(~kTouched);
      const uint64_t all = head.admitted.load();
      if (all != taken_[customer]) take(customer, all - taken_[customer]);
      taken_[customer] = all;
    }
  }

 private:
  [[nodiscard]] Result<uint32_t> PlanNumber(const std::string& name);
  void PushTouched(uint32_t number);
  void SetBits(uint32_t number, uint32_t mask, uint32_t bits);

  const domain::RateBook rates_;
  Blocks<CustomerHead> heads_{kCustomersMax};
  Blocks<CustomerState> states_{kCustomersMax};
  Blocks<PlanRow> plans_{kPlansMax};
  TextBlocks texts_;
  std::atomic<uint32_t> touched_{0};
  // The writer's.
  std::vector<uint64_t> taken_;
  NameTable numbers_;                                 // by customer_id
  std::unordered_map<std::string_view, uint32_t> plan_numbers_;
};

}  // namespace reeve::gate
