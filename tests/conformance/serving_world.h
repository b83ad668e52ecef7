// A small platform that is served, random histories of it, and its state as text, for the suites of the ServingStore port. Not safe for concurrent use.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "store/memory/memory.h"
#include "store/serving_store.h"
#include "tests/conformance/central_sink_world.h"

namespace reeve::store {

inline constexpr Days kServedMonth = 20'758;   // 2026-11-01
inline const Days kNextMonth = MonthStart(kServedMonth, 1);
inline constexpr int kServedTenants = 4;       // t0 … t3; the last one has no subscription
inline constexpr int kKeysOfATenant = 3;

[[nodiscard]] std::string ServedTenant(int number);
[[nodiscard]] KeyDigest DigestOf(int tenant, int key);

// Customers, subscriptions, keys, and for t0 and t1 a month with runs that came from legacy (t1's without a set that says so).
void SeedServed(CentralSink& sink);

// One place where a ServingStore lives, opened and opened again.
class ServingPlace {
 public:
  virtual ~ServingPlace() = default;
  // The store, opened if it is not.
  virtual ServingStore& store() = 0;
  // Ends the process that had it, in order or not.
  virtual void Close() = 0;
  virtual void Crash() = 0;
  // Everything in it.
  virtual std::unique_ptr<CentralReader> Reader() = 0;
  virtual std::unique_ptr<CentralSink> Sink() = 0;  // after Close
};
[[nodiscard]] std::unique_ptr<ServingPlace> MakeMemoryPlace();
[[nodiscard]] std::unique_ptr<ServingPlace> MakeSqlitePlace();

[[nodiscard]] CustomerChange ChangeOf(std::string customer, std::optional<std::string> status, std::optional<CustomerChange::Quotas> quotas = std::nullopt);

// What Load hands over, one line each, in its order; marks last.
[[nodiscard]] std::vector<std::string> LoadLines(ServingStore& store, Days from_month = kServedMonth);
// Without the customer, who follows from the tenant.
[[nodiscard]] std::string RunText(const std::optional<RunRow>& run);

// Writes as a gate would make them, in groups; it remembers what it has granted.
class ServedHistory {
 public:
  explicit ServedHistory(uint64_t seed) : random_(seed) {}
  [[nodiscard]] ServingWrites Next();
  // As Next, with something in it that cannot be stored.
  [[nodiscard]] ServingWrites NextBroken();
  // Ids that were asked for, and some that were not.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> RunNames() const;

 private:
  struct Counters {
    int64_t runs = 0, running = 0, compute = 0, requests = 0;
    std::optional<Micros> last;
  };
  [[nodiscard]] int Upto(int most) { return static_cast<int>(random_() % static_cast<uint64_t>(most + 1)); }
  [[nodiscard]] Counters& CountersOf(const std::string& tenant, Days month);
  void Ask(ServingWrites* writes);
  void Go(ServingWrites* writes);
  void AddRest(ServingWrites* writes);
  void NoteUsage(const RunRow& run, ServingWrites* writes);

  std::mt19937_64 random_;
  Micros now_ = StartOf(kServedMonth) + 1;
  int64_t fence_ = 0, event_ = 0;
  int runs_ = 0;
  std::vector<RunRow> open_;
  std::map<std::pair<std::string, Days>, Counters> counters_;
  std::vector<std::pair<std::string, std::string>> names_;
};

}  // namespace reeve::store
