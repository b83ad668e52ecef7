// The chain of the ledger's audit events, as it is stored. Not for making events (gate/ledger_audit.h), nor for judging a chain (ledger_check.h).
//
// An event is a row of customer_audit_logs whose metadata is
//
//   {"ledger_seq":N,"ledger_prev":"HEX","facts":{…}}
//
// with N = 1, 2, 3 … over all customers and HEX the SHA-256 of the event before it as an export line (catalog/ndjson.h, with its newline), empty for the
// first. Where the chain ends is among the store's marks (serving_rows.h): N and digest of its newest event, written in the transaction that adds it. The
// chains that a migration makes per tenant ("seq", "prev": migrate/audit.h) are others. Persisted: frozen.
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "catalog/rows.h"

namespace reeve::store {

// A row of customer_audit_logs.
using EventRow = std::span<const catalog::Cell>;

struct LedgerLink {
  int64_t seq = 0;
  std::string_view prev;             // valid as long as the row
};
// nullopt: no event of the ledger. A row that begins like one and goes on otherwise is number 0, which no chain has.
[[nodiscard]] std::optional<LedgerLink> LinkOf(EventRow row);

// The metadata of an event. `facts`: a JSON object, or empty for {}.
void AppendLedgerMetadata(int64_t seq, std::string_view prev, std::string_view facts, std::string* out);

// What the next event says of this one: 64 hex digits. `line` is scratch.
[[nodiscard]] std::string LedgerDigest(EventRow row, std::string* line);

// Where a chain ends: number and digest of its newest event; 0 and empty before the first.
struct LedgerEnd {
  int64_t seq = 0;
  std::string head;
  bool operator==(const LedgerEnd&) const = default;
};

// Finds that end in rows of any order, where no mark says it.
class LedgerEndFinder {
 public:
  void Add(EventRow row);
  // Of the event with the largest number; the first such that was added, if there are several.
  [[nodiscard]] LedgerEnd end() const;
  // Events seen. As many as end().seq if none is missing or there twice.
  [[nodiscard]] int64_t events() const { return events_; }

 private:
  int64_t seq_ = 0, events_ = 0;
  std::string line_;                 // of the event with number seq_
};

}  // namespace reeve::store
