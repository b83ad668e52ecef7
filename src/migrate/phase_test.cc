#include "migrate/phase.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <vector>

namespace reeve::migrate {
namespace {

constexpr std::array kPhases = {Phase::kLegacy,   Phase::kPlanned, Phase::kBackedUp, Phase::kCopied, Phase::kArmed,
                                Phase::kVerified, Phase::kShadow,  Phase::kCentral,  Phase::kFinal};

Evidence All(bool value) { return {value, value, value, value}; }
const Evidence kFull = All(true);
const Evidence kNone = All(false);

// All sixteen states of knowledge.
std::vector<Evidence> EveryEvidence() {
  std::vector<Evidence> all;
  for (int bits = 0; bits < 16; ++bits) all.push_back({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0});
  return all;
}

TEST(PhaseNames, AreFrozenAndUnique) {
  const std::array<std::string_view, 9> names = {"legacy", "planned", "backed_up", "copied", "armed", "verified", "shadow", "central", "final"};
  for (size_t i = 0; i < kPhases.size(); ++i) {
    EXPECT_EQ(PhaseName(kPhases[i]), names[i]);
    EXPECT_EQ(ParsePhase(names[i]), kPhases[i]);
  }
  for (const char* name : {"", "Legacy", "shadow ", "finalised"}) EXPECT_EQ(ParsePhase(name), std::nullopt) << name;
}

// The arrows as a picture, row = from, column = to, in the order of Phase. f: forward, b: back, s: stays (a new attempt), .: none.
TEST(PhaseMachine, HasExactlyTheseArrows) {
  constexpr std::array<std::string_view, 9> kPicture = {
      // l p b c a v s c f
      ". f . . . . . . .",  // legacy
      "b . f f . . . . .",  // planned
      "b b . f . . . . .",  // backed_up
      "b . . s f . . . .",  // copied
      "b . . b . f . . .",  // armed
      "b . . b b . f . .",  // verified
      "b . . . . . . f .",  // shadow
      ". . . . . . b . f",  // central
      ". . . . . . . . .",  // final
  };
  for (size_t from = 0; from < 9; ++from)
    for (size_t to = 0; to < 9; ++to) {
      const bool arrow = kPicture[from][2 * to] != '.';
      EXPECT_EQ(CheckMove(kPhases[from], kPhases[to], kFull), arrow ? Move::kAllowed : Move::kNotAdjacent)
          << PhaseName(kPhases[from]) << " → " << PhaseName(kPhases[to]);
      // what is no arrow is none whatever is known
      for (const Evidence& evidence : EveryEvidence()) {
        if (!arrow) {
          EXPECT_EQ(CheckMove(kPhases[from], kPhases[to], evidence), Move::kNotAdjacent);
        }
      }
    }
}

TEST(PhaseMachine, MoreEvidenceNeverForbids) {
  const auto covers = [](const Evidence& more, const Evidence& less) {
    return (more.certificate_of_this_attempt || !less.certificate_of_this_attempt) && (more.outbox_empty || !less.outbox_empty) &&
           (more.all_nodes_acknowledged || !less.all_nodes_acknowledged) && (more.quarantine_accepted || !less.quarantine_accepted);
  };
  for (const Phase from : kPhases)
    for (const Phase to : kPhases)
      for (const Evidence& less : EveryEvidence())
        for (const Evidence& more : EveryEvidence())
          if (covers(more, less) && CheckMove(from, to, less) == Move::kAllowed) {
            EXPECT_EQ(CheckMove(from, to, more), Move::kAllowed);
          }
}

TEST(PhaseMachine, AskingForAMissingGateNamesIt) {
  struct Case {
    Phase from, to;
    Evidence evidence;
    Move expected;
  };
  const Case cases[] = {
      {Phase::kCopied, Phase::kArmed, {false, false, false, false}, Move::kNodesNotReady},
      {Phase::kCopied, Phase::kArmed, {false, false, true, false}, Move::kAllowed},
      {Phase::kArmed, Phase::kVerified, {false, true, true, true}, Move::kNoCertificate},
      {Phase::kArmed, Phase::kVerified, {true, false, true, false}, Move::kAllowed},
      {Phase::kVerified, Phase::kShadow, {false, true, true, true}, Move::kNoCertificate},
      {Phase::kVerified, Phase::kShadow, {true, true, false, true}, Move::kNodesNotReady},
      {Phase::kVerified, Phase::kShadow, {true, true, true, false}, Move::kQuarantineOpen},
      {Phase::kVerified, Phase::kShadow, {true, false, true, true}, Move::kAllowed},
      {Phase::kShadow, Phase::kCentral, {false, true, true, true}, Move::kNoCertificate},
      {Phase::kShadow, Phase::kCentral, {true, false, true, true}, Move::kAllowed},
      {Phase::kCentral, Phase::kFinal, {true, false, true, true}, Move::kOutboxNotEmpty},
      {Phase::kCentral, Phase::kFinal, {false, true, true, true}, Move::kNoCertificate},
      {Phase::kCentral, Phase::kFinal, {true, true, false, true}, Move::kNodesNotReady},
      {Phase::kShadow, Phase::kLegacy, {true, false, true, true}, Move::kOutboxNotEmpty},
      {Phase::kShadow, Phase::kLegacy, {false, true, true, false}, Move::kAllowed},
      {Phase::kShadow, Phase::kLegacy, {true, true, false, true}, Move::kNodesNotReady},  // a node may still be in central
  };
  for (const Case& c : cases)
    EXPECT_EQ(CheckMove(c.from, c.to, c.evidence), c.expected) << PhaseName(c.from) << " → " << PhaseName(c.to);
}

TEST(PhaseMachine, CentralToShadowIsAlwaysAllowed) {
  for (const Evidence& evidence : EveryEvidence()) EXPECT_EQ(CheckMove(Phase::kCentral, Phase::kShadow, evidence), Move::kAllowed);
}

TEST(PhaseMachine, BeforeShadowTheWayBackNeedsNothing) {
  for (const Phase from : {Phase::kPlanned, Phase::kBackedUp, Phase::kCopied, Phase::kArmed, Phase::kVerified})
    EXPECT_EQ(CheckMove(from, Phase::kLegacy, kNone), Move::kAllowed) << PhaseName(from);
}

TEST(PhaseMachine, FinalIsTheEnd) {
  for (const Phase to : kPhases) EXPECT_EQ(CheckMove(Phase::kFinal, to, kFull), Move::kNotAdjacent);
}

TEST(PhaseMachine, FromEveryPhaseFinalCanBeReachedAndFromAllButFinalLegacy) {
  const auto reachable = [](Phase from) {
    std::set<Phase> seen{from};
    std::vector<Phase> todo{from};
    while (!todo.empty()) {
      const Phase at = todo.back();
      todo.pop_back();
      for (const Phase to : kPhases)
        if (CheckMove(at, to, kFull) == Move::kAllowed && seen.insert(to).second) todo.push_back(to);
    }
    return seen;
  };
  for (const Phase from : kPhases) {
    EXPECT_EQ(reachable(from).count(Phase::kFinal), 1u) << PhaseName(from);
    EXPECT_EQ(reachable(from).count(Phase::kLegacy), from == Phase::kFinal ? 0u : 1u) << PhaseName(from);
  }
}

// No way from legacy into the phases that answer from central without having held a certificate on the way.
TEST(PhaseMachine, NothingServesWithoutACertificate) {
  Evidence without = kFull;
  without.certificate_of_this_attempt = false;
  for (const Phase from : kPhases)
    for (const Phase to : {Phase::kVerified, Phase::kShadow, Phase::kCentral, Phase::kFinal})
      if (to > from) {
        EXPECT_NE(CheckMove(from, to, without), Move::kAllowed) << PhaseName(from) << " → " << PhaseName(to);
      }
}

TEST(PhaseMachine, EveryRefusalIsExplained) {
  std::set<std::string_view> texts;
  for (const Move move : {Move::kAllowed, Move::kNotAdjacent, Move::kNoCertificate, Move::kOutboxNotEmpty, Move::kNodesNotReady, Move::kQuarantineOpen})
    texts.insert(Explain(move));
  EXPECT_EQ(texts.size(), 6u);
  EXPECT_EQ(texts.count(""), 0u);
}

}  // namespace
}  // namespace reeve::migrate
