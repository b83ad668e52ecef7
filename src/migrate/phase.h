// The phases of a tenant and the moves between them: a pure state machine (see docs/migration.md for the picture).
//
// Persisted by name in the journal and in reeve_tenants: names are frozen. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::migrate {

enum class Phase : uint8_t {
  kLegacy,    // the legacy tables are the only truth
  kPlanned,   // a plan with counts and findings was accepted
  kBackedUp,  // a backup was made and read back
  kCopied,    // all rows merged into central or dead-lettered; nothing reads central yet
  kArmed,     // every node writes to both sides (or legacy writers are stopped), then a full merge pass
  kVerified,  // proven equal; a certificate of this attempt exists
  kShadow,    // legacy answers, central is compared
  kCentral,   // central answers, legacy is kept in step and compared
  kFinal,     // central is the only truth
};

[[nodiscard]] std::string_view PhaseName(Phase phase);
[[nodiscard]] std::optional<Phase> ParsePhase(std::string_view name);

// What is known when a move is asked for.
struct Evidence {
  bool certificate_of_this_attempt = false;  // fresh, without differences
  bool outbox_empty = true;                  // no revocation waits to reach the other side
  bool all_nodes_acknowledged = true;        // or their leases are over; true when no node serves
  bool quarantine_accepted = true;           // no rows are dead-lettered, or the operator accepted them
};

enum class Move : uint8_t {
  kAllowed,
  kNotAdjacent,        // no such arrow
  kNoCertificate,      // verify first
  kOutboxNotEmpty,     // wait until the revocations have arrived
  kNodesNotReady,      // a node has not acknowledged the present phase
  kQuarantineOpen,     // dead-lettered rows must be accepted or mended
};

// Whether a tenant may go from `from` to `to`. Going forward follows the order of Phase (planned may be followed by copied: a backup is
// advised, not forced). Going back: any phase up to verified → legacy; verified → armed on drift; shadow → legacy once all nodes are in shadow and with an empty outbox; central → shadow
// always; final → nowhere.
[[nodiscard]] Move CheckMove(Phase from, Phase to, const Evidence& evidence);
// For people: what to do about a refusal.
[[nodiscard]] std::string_view Explain(Move move);

}  // namespace reeve::migrate
