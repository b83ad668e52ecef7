// Whether the ledger's audit events (ledger_chain.h) are one chain up to the store's mark.
//
// Events come in any order and are not kept: 3 MiB, whatever their number. An event is an edge, from the node (its number, the digest that it says the event
// before it has) to the node (its number + 1, its own digest). One whole chain is the only set of edges from (1, "") to (mark + 1, head) in which every other
// node is reached as often as it is left; so one pass adds up hashes of nodes, and only if they do not cancel out, further passes look for the first number
// where they do not. Not safe for concurrent use.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "store/ledger_chain.h"

namespace reeve::store {

enum class LedgerState : uint8_t {
  kWhole,         // one chain up to the mark; or neither events nor a mark
  kNoMark,        // one chain, and no mark that says where it ends: it came with an import, and nobody has served it since
  kTwoChains,     // two chains from number 1 on, each of them whole; the mark is at the end of one
  kUnreadable,    // an event without a number
  kManyChains,    // several chains begin, and they are not two whole ones
  kMissing,       // `at` to `until`
  kDoubled,       // `at`
  kChanged,       // `at`
  kMarkBehind,    // one chain, that goes on behind the mark
  kMarkAhead,     // one chain, that ends before the mark
  kMarkElsewhere, // one chain, whose last event is not the one that the mark names
};

struct LedgerVerdict {
  LedgerState state = LedgerState::kWhole;
  int64_t events = 0;
  int64_t last = 0;        // the largest number
  int64_t mark = 0;
  int64_t chains = 0;      // events that begin one
  int64_t at = 0, until = 0;
  std::string unreadable;  // log_id of one
};
// A sentence without a full stop: "event 7 is missing".
[[nodiscard]] std::string Describe(const LedgerVerdict& verdict);

// Calls its argument with every row of customer_audit_logs, the same ones each time, and stops at the first error.
using EventScan = std::function<Result<>(const std::function<Result<>(EventRow)>&)>;

// Scans once if the chain is whole, else up to six times. `salt`: a number that whoever wrote the events could not know then (the present time will do), so that
// nobody can have made events whose hashes cancel out. kFailed if two scans differ; else the errors of `scan`.
[[nodiscard]] Result<LedgerVerdict> CheckLedger(const EventScan& scan, const LedgerEnd& mark, uint64_t salt);

}  // namespace reeve::store
