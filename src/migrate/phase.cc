#include "migrate/phase.h"

#include <array>

namespace reeve::migrate {
namespace {

constexpr std::array<std::string_view, 9> kNames = {"legacy", "planned",  "backed_up", "copied", "armed",
                                                    "verified", "shadow", "central",   "final"};

bool IsArrow(Phase from, Phase to) {
  switch (from) {
    case Phase::kLegacy: return to == Phase::kPlanned;
    case Phase::kPlanned: return to == Phase::kBackedUp || to == Phase::kCopied || to == Phase::kLegacy;
    case Phase::kBackedUp: return to == Phase::kCopied || to == Phase::kPlanned || to == Phase::kLegacy;
    case Phase::kCopied: return to == Phase::kArmed || to == Phase::kCopied || to == Phase::kLegacy;
    case Phase::kArmed: return to == Phase::kVerified || to == Phase::kCopied || to == Phase::kLegacy;
    case Phase::kVerified:
      return to == Phase::kShadow || to == Phase::kArmed || to == Phase::kCopied || to == Phase::kLegacy;
    case Phase::kShadow: return to == Phase::kCentral || to == Phase::kLegacy;
    case Phase::kCentral: return to == Phase::kFinal || to == Phase::kShadow;
    case Phase::kFinal: return false;
  }
  return false;
}

}  // namespace

std::string_view PhaseName(Phase phase) { return kNames[static_cast<size_t>(phase)]; }

std::optional<Phase> ParsePhase(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Phase>(i);
  return std::nullopt;
}

Move CheckMove(Phase from, Phase to, const Evidence& evidence) {
  if (!IsArrow(from, to)) return Move::kNotAdjacent;
  const bool forward = to > from;
  if (from == Phase::kCentral && to == Phase::kShadow) return Move::kAllowed;
  if (forward && to >= Phase::kArmed && !evidence.all_nodes_acknowledged) return Move::kNodesNotReady;
  if (forward && to >= Phase::kVerified && !evidence.certificate_of_this_attempt) return Move::kNoCertificate;
  if (forward && to >= Phase::kShadow && !evidence.quarantine_accepted) return Move::kQuarantineOpen;
  const bool leaves_deny_override = to == Phase::kFinal || (from == Phase::kShadow && to == Phase::kLegacy);
  // Nodes of two phases apart must never meet: one that still answers from central would not see what is then written to legacy only.
  if (leaves_deny_override && !evidence.all_nodes_acknowledged) return Move::kNodesNotReady;
  if (leaves_deny_override && !evidence.outbox_empty) return Move::kOutboxNotEmpty;
  return Move::kAllowed;
}

std::string_view Explain(Move move) {
  switch (move) {
    case Move::kAllowed: return "allowed";
    case Move::kNotAdjacent: return "there is no such step; see 'reeve help phases'";
    case Move::kNoCertificate: return "the tenant has no fresh certificate: run 'reeve verify'";
    case Move::kOutboxNotEmpty: return "a revocation has not reached the other side yet: wait and try again";
    case Move::kNodesNotReady: return "a serving node has not taken up the present phase yet";
    case Move::kQuarantineOpen: return "rows of the tenant are dead-lettered: mend them or accept them";
  }
  return "";
}

}  // namespace reeve::migrate
