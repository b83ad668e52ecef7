// Reads the packed runs of reeve_usage_runs (docs/formats/run-set.md). The witness's own decoder: it trusts no byte, and a damaged
// set is a finding, never a crash. Writes nothing. For one thread at a time.
//
//   set    := u8 version = 1 ; record*            records in ascending order of kind and bytes of the ids, no id twice
//   record := u8 kind ; u8 status ; id ; zvarint start ; u8 flags ; [zvarint length] ; [varint duration]
//   id     := kind 0: varint size ; bytes.  kind 1: the 16 bytes of a UUID whose text is canonical lower case
//   status: 1 pending, 2 running, 3 terminal.  start: µs after the month's first instant, within the month.
//   flags:  bit 0 the end is known, length := end − start in µs follows; bit 1 the duration in ms is known and follows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "migrate/witness/text.h"

namespace reeve::migrate::witness {

enum class RunStatus : uint8_t { kPending = 1, kRunning = 2, kTerminal = 3 };

struct RunFacts {
  RunStatus status = RunStatus::kPending;
  Micros start = 0;
  std::optional<Micros> end;         // of terminal runs
  std::optional<int64_t> duration;   // ms, of terminal runs
  bool operator==(const RunFacts&) const = default;
};

class RunSetReader {
 public:
  RunSetReader(std::string_view bytes, Month month);

  // The next run; `id` is valid until the call after the next. False at the end and at damage.
  [[nodiscard]] bool Next(std::string_view* id, RunFacts* facts);
  // What is wrong, empty if nothing was so far.
  [[nodiscard]] std::string_view damage() const { return damage_; }

 private:
  [[nodiscard]] bool Damaged(std::string_view what);
  [[nodiscard]] bool Byte(uint8_t* value);
  [[nodiscard]] bool Varint(uint64_t* value);
  [[nodiscard]] bool Signed(int64_t* value);
  [[nodiscard]] bool Id(uint8_t kind, std::string_view* id);
  [[nodiscard]] bool Facts(RunFacts* facts);

  std::string_view bytes_;  // not yet read
  const Micros month_begin_;
  const Micros month_end_;
  std::string_view previous_;  // no data: there is none
  uint8_t previous_kind_ = 0;
  std::array<std::array<char, 36>, 2> uuids_;  // texts of the last two
  int turn_ = 0;
  std::string_view damage_;
};

// True for xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx of lower-case hex digits.
[[nodiscard]] bool IsCanonicalUuid(std::string_view text);

}  // namespace reeve::migrate::witness
