// Runs as docs/mapping.md §5 reads them: row rules, one run per id, the union with the stored set, and what a month comes to.
//
// RunTable is a flat hash table made to be cleared and filled again for every tenant. For one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/witness/row.h"
#include "migrate/witness/run_set.h"

namespace reeve::migrate::witness {

// Rules of a row whose tenant is settled.
[[nodiscard]] Reason JudgeRun(const Row& row, Micros as_of, RunFacts* facts);

// Two accounts of one run, as one.
[[nodiscard]] RunFacts Unite(const RunFacts& a, const RunFacts& b);

class RunTable {
 public:
  struct Run {
    RunFacts facts;
    size_t id_at = 0;
    size_t id_size = 0;
    uint64_t hash = 0;
    bool in_legacy = false;
    bool in_central = false;
  };

  RunTable();
  void Clear();
  // The run of this id, made with `facts` if it is new (`*is_new`). Valid until the next call.
  Run& Get(std::string_view id, const RunFacts& facts, bool* is_new);

  [[nodiscard]] std::string_view IdOf(const Run& run) const { return {ids_.data() + run.id_at, run.id_size}; }
  [[nodiscard]] std::vector<Run>& runs() { return runs_; }
  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }

 private:
  void Grow();

  const uint64_t seed_;
  std::vector<uint32_t> slots_;  // position in runs_ + 1, or 0; the size is a power of two
  std::vector<Run> runs_;
  std::string ids_;
};

// The months that are counted: that of as_of, `months` − 1 before it and one after it.
struct MonthWindow {
  Month first = 0, last = 0;
  Micros begin = 0, end = 0;
  MonthWindow(Micros as_of, int months);
  [[nodiscard]] bool Holds(Micros instant) const { return instant >= begin && instant < end; }
};

// What the runs of a month come to.
struct MonthUsage {
  int64_t runs = 0, running = 0, abandoned = 0;
  uint64_t compute_ms = 0;    // modulo 2^63
  uint64_t compute_high = 0;  // multiples of 2^63
  std::optional<Micros> last_start;

  void Add(const RunFacts& run, Micros as_of, Micros abandoned_after);
  // Hundredths of an hour, half away from zero.
  [[nodiscard]] int64_t ComputeHours() const;
};

}  // namespace reeve::migrate::witness
