// RunSet: the pipeline runs of one tenant, merged by run id; usage is a pure function of it.
//
// A set union is idempotent, commutative and associative, so rows may come twice, in any order, from several carriers and from a
// set stored before. Format of a stored set: docs/formats/run-set.md. Not safe for concurrent use.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"

namespace reeve::domain {

enum class RunState : uint8_t { kPending = 1, kRunning = 2, kTerminal = 3 };  // persisted: frozen

struct Run {
  static constexpr Micros kNoEnd = std::numeric_limits<Micros>::min();
  std::string_view id;           // packed: '\1' + 16 bytes of a canonical lower-case UUID, or '\0' + text; in the set's memory
  Micros start = 0;              // earliest of all rows
  Micros end = kNoEnd;           // latest of the terminal rows
  int64_t duration_ms = -1;      // largest of the terminal rows; -1: none
  RunState state = RunState::kPending;

  // Milliseconds of compute: the duration if known, else end − start, else 0.
  [[nodiscard]] int64_t ComputeMs() const;
};

// One row of the legacy table about a run.
struct RunRow {
  std::string_view id;  // text, not empty
  RunState state = RunState::kPending;
  Micros start = 0;
  std::optional<Micros> end;
  std::optional<int64_t> duration_ms;  // >= 0
};

struct MonthUsage {
  int64_t runs = 0;
  int64_t running = 0;           // not terminal and younger than the age limit
  int64_t abandoned = 0;         // not terminal and older
  int64_t compute_ms = 0;
  Micros last_start = Run::kNoEnd;
};

// Hundredths of an hour, half away from zero: 3,600,000 ms are 100. REQUIRES: milliseconds >= 0
[[nodiscard]] int64_t HundredthsOfHours(int64_t milliseconds);

class RunSet {
 public:
  RunSet();
  RunSet(RunSet&&) = default;
  RunSet& operator=(RunSet&&) = default;

  void Add(const RunRow& row);
  void Merge(const RunSet& other);
  // Takes out the runs with these ids (texts); how many were there.
  size_t Remove(std::span<const std::string> ids);
  void Clear();
  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
  [[nodiscard]] size_t size() const { return runs_.size(); }

  // The months in which runs started, ascending.
  [[nodiscard]] std::vector<Days> Months() const;
  // The stored form of the runs that started in the month beginning at `month`.
  [[nodiscard]] std::string Encode(Days month) const;
  // Adds the runs of a stored month. kCorrupt with the offset if the form is broken; runs before it are added then.
  [[nodiscard]] Result<> Decode(std::string_view blob, Days month);
  // `as_of` and `abandoned_after` decide which open runs still count as running.
  [[nodiscard]] MonthUsage Usage(Days month, Micros as_of, Micros abandoned_after) const;

 private:
  Run& Slot(std::string_view packed_id, bool* fresh);
  void Rehash(size_t slots);
  std::string_view Keep(std::string_view packed_id);

  std::vector<Run> runs_;
  std::vector<uint32_t> slots_;  // open addressing: index + 1 into runs_, 0 is free
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_left_ = 0;
  char* block_next_ = nullptr;
};

}  // namespace reeve::domain
