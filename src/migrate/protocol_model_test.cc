// An explicit-state model of the protocol by which one tenant moves from legacy (L) to central (C) and back: two nodes, each with its own
// view of the phase, two keys, a copier, an outbox; requests and copiers may die at any step. Every reachable state is visited.
//
// The gates of the phase machine are asked of CheckMove, so that the model holds for our rules and not for a drawing of them.
// Bounded evidence, not a proof; not modelled: lease clocks, caches, usage, credentials, two stores read non-atomically in one decision.
// The comparison of both sides (verify) is left out on purpose: safety must not rest on it.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "migrate/phase.h"

namespace reeve::migrate {
namespace {

constexpr size_t kNodes = 2;
constexpr size_t kKeys = 2;

// A key's state in one store: a lattice, merged by maximum.
enum : uint8_t { kAbsent = 0, kActive = 1, kRevoked = 2 };

// How a node works, by the phase it has taken up.
enum Mode : uint8_t {
  kLegacyOnly = 0,   // mutates and reads L
  kLegacyFirst = 1,  // mutates L, then C; reads L, denies what C says is revoked
  kCentralFirst = 2, // mutates C, then L; reads C, denies what L says is revoked
  kCentralOnly = 3,
};

Mode ModeOf(Phase phase) {
  if (phase < Phase::kArmed) return kLegacyOnly;
  if (phase < Phase::kCentral) return kLegacyFirst;
  return phase == Phase::kCentral ? kCentralFirst : kCentralOnly;
}

// The protocol (all true), or a mutant of it.
struct Rules {
  bool deny_override = true;         // a revocation known to either side denies
  bool copier_merges = true;         // else it overwrites
  bool attempt_fence = true;         // else what a copier of an older attempt says still counts
  bool final_waits_for_outbox = true;
  bool legacy_waits_for_outbox = true;
  bool moves_wait_for_nodes = true;  // else the next phase may come before all nodes have taken up this one
  bool way_back_waits_too = true;    // else only moves forward wait for them
  bool pass_after_barrier = true;    // else a copy begun before every node writes to both sides counts
  bool requests_drain = true;        // else a node may take up a phase in the middle of a request
  bool central_needs_pass = true;
  bool create_waits_for_both = true; // else it is acknowledged after the first store
  bool rollback_keeps_writes = true; // else going back to legacy puts back a backup of L
};

enum Operation : uint8_t { kNone, kCreate, kRevoke };

struct Key {
  uint8_t l = kAbsent, c = kAbsent;
  bool create_begun = false, create_acked = false, revoke_begun = false, revoke_acked = false;
  bool outbox_l = false, outbox_c = false;  // a revocation on its way to that store
  uint8_t operation = kNone;                // between its first and its second step
  uint8_t node = 0, mode = 0;               // whose, and in which mode it was begun
  uint8_t backup = kAbsent;                 // of L, when nodes were first told to write to both sides (only in the mutant that reads it)
};

// A copying pass over the keys in order: reads key position / 2 when even, writes what it read when odd.
struct Pass {
  bool alive = false;
  bool after_barrier = false;
  uint8_t position = 0;
  uint8_t held = kAbsent;
};

struct State {
  std::array<Key, kKeys> keys;
  std::array<uint8_t, kNodes> nodes{};  // modes
  Phase phase = Phase::kCopied;         // what the coordinator has announced
  bool certificate = false;             // a pass of this attempt is complete
  Pass pass, zombie;                    // of this attempt; of an older one

  [[nodiscard]] bool NodesReady() const {
    return std::all_of(nodes.begin(), nodes.end(), [this](uint8_t mode) { return mode == ModeOf(phase); });
  }
  [[nodiscard]] bool OutboxEmpty() const {
    return std::none_of(keys.begin(), keys.end(), [](const Key& key) { return key.outbox_l || key.outbox_c; });
  }
  [[nodiscard]] uint64_t Packed() const {
    uint64_t bits = 0;
    const auto put = [&bits](uint64_t value, int width) { bits = bits << width | value; };
    for (const Key& k : keys) {
      put(k.l, 2), put(k.c, 2), put(k.create_begun, 1), put(k.create_acked, 1), put(k.revoke_begun, 1), put(k.revoke_acked, 1);
      put(k.outbox_l, 1), put(k.outbox_c, 1), put(k.operation, 2), put(k.node, 1), put(k.mode, 2), put(k.backup, 2);
    }
    for (const uint8_t mode : nodes) put(mode, 2);
    put(static_cast<uint64_t>(phase), 4), put(certificate, 1);
    for (const Pass& p : {pass, zombie}) put(p.alive, 1), put(p.after_barrier, 1), put(p.position, 3), put(p.held, 2);
    return bits;
  }
};
static_assert(kKeys * 17 + kNodes * 2 + 5 + 2 * 7 <= 64);

void Raise(uint8_t* store, uint8_t to) { *store = std::max(*store, to); }

bool Accepts(const Rules& rules, uint8_t mode, const Key& key) {
  switch (mode) {
    case kLegacyOnly: return key.l == kActive;
    case kLegacyFirst: return key.l == kActive && !(rules.deny_override && key.c == kRevoked);
    case kCentralFirst: return key.c == kActive && !(rules.deny_override && key.l == kRevoked);
    default: return key.c == kActive;
  }
}

// Empty, or the promise that is broken.
std::string Broken(const Rules& rules, const State& state) {
  for (const Key& key : state.keys)
    for (const uint8_t mode : state.nodes) {
      if (key.revoke_acked && Accepts(rules, mode, key)) return "R: a revoked key is accepted";
      if (key.create_acked && !key.revoke_begun && !Accepts(rules, mode, key)) return "K: a created key is rejected";
    }
  return {};
}

class Model {
 public:
  explicit Model(Rules rules) : rules_(rules) {}

  // Visits every reachable state. Empty, or the shortest way into a broken promise.
  std::string Explore() {
    const State start;
    index_[start.Packed()] = 0;
    states_.push_back(start);
    came_.push_back({0, "start"});
    edges_.emplace_back();
    for (size_t at = 0; at < states_.size(); ++at) {
      if (const std::string broken = Broken(rules_, states_[at]); !broken.empty()) return broken + " after" + Way(at);
      Step(states_[at], [&](const State& next, const char* what) { Visit(at, next, what); });
    }
    return {};
  }

  size_t size() const { return states_.size(); }

  // How many visited states that `from` selects cannot reach one that `to` selects.
  size_t Stuck(const std::function<bool(const State&)>& from, const std::function<bool(const State&)>& to) const {
    std::vector<std::vector<uint32_t>> backward(states_.size());
    for (size_t at = 0; at < states_.size(); ++at)
      for (const uint32_t next : edges_[at]) backward[next].push_back(static_cast<uint32_t>(at));
    std::vector<bool> reaches(states_.size());
    std::deque<uint32_t> todo;
    for (uint32_t at = 0; at < states_.size(); ++at)
      if (to(states_[at])) reaches[at] = true, todo.push_back(at);
    for (; !todo.empty(); todo.pop_front())
      for (const uint32_t before : backward[todo.front()])
        if (!reaches[before]) reaches[before] = true, todo.push_back(before);
    size_t stuck = 0;
    for (size_t at = 0; at < states_.size(); ++at) stuck += from(states_[at]) && !reaches[at];
    return stuck;
  }

 private:
  using Emit = std::function<void(const State&, const char*)>;

  // Nodes are alike: of two states that differ in their names, one is enough.
  static State Canonical(State state) {
    bool swap = state.nodes[0] > state.nodes[1];
    if (state.nodes[0] == state.nodes[1]) {
      const auto busy = std::find_if(state.keys.begin(), state.keys.end(), [](const Key& key) { return key.operation != kNone; });
      swap = busy != state.keys.end() && busy->node == 1;
    }
    if (!swap) return state;
    std::swap(state.nodes[0], state.nodes[1]);
    for (Key& key : state.keys)
      if (key.operation != kNone) key.node = 1 - key.node;
    return state;
  }

  void Visit(size_t from, const State& reached, const char* what) {
    const State next = Canonical(reached);
    const auto [found, fresh] = index_.try_emplace(next.Packed(), static_cast<uint32_t>(states_.size()));
    edges_[from].push_back(found->second);
    if (!fresh) return;
    states_.push_back(next);
    came_.push_back({from, what});
    edges_.emplace_back();
  }

  std::string Way(size_t at) const {
    std::string way;
    size_t steps = 0;
    for (; at != 0; at = came_[at].first, ++steps) way = std::string(" → ") + came_[at].second + way;
    return " " + std::to_string(steps) + " steps:" + way;
  }

  void Step(State state, const Emit& emit) const {
    for (size_t k = 0; k < kKeys; ++k) {
      for (uint8_t node = 0; node < kNodes; ++node) Begin(state, k, node, emit);
      Continue(state, k, emit);
    }
    for (size_t node = 0; node < kNodes; ++node) Adopt(state, node, emit);
    Copy(state, emit);
    Move(state, emit);
  }

  // A request's first step: one store is written.
  void Begin(const State& state, size_t k, uint8_t node, const Emit& emit) const {
    const Key& key = state.keys[k];
    if (key.operation != kNone) return;
    const uint8_t mode = state.nodes[node];
    const bool legacy_first = mode == kLegacyOnly || mode == kLegacyFirst;
    const bool one_store = mode == kLegacyOnly || mode == kCentralOnly;
    if (!key.create_begun) {
      State next = state;
      Key& made = next.keys[k];
      made.create_begun = true;
      Raise(legacy_first ? &made.l : &made.c, kActive);
      made.create_acked = one_store || !rules_.create_waits_for_both;
      if (!one_store) made.operation = kCreate, made.node = node, made.mode = mode;
      emit(next, "create");
    } else if (!key.revoke_acked) {
      State next = state;
      Key& revoked = next.keys[k];
      revoked.revoke_begun = true;
      Raise(legacy_first ? &revoked.l : &revoked.c, kRevoked);
      revoked.revoke_acked = one_store;
      if (!one_store) revoked.operation = kRevoke, revoked.node = node, revoked.mode = mode;
      emit(next, "revoke");
    }
  }

  // Its second step and acknowledgement, or its death; the outbox.
  void Continue(const State& state, size_t k, const Emit& emit) const {
    const Key& key = state.keys[k];
    if (key.operation != kNone) {
      State died = state;
      died.keys[k].operation = kNone, died.keys[k].node = 0, died.keys[k].mode = 0;
      State done = died;
      Key& now = done.keys[k];
      if (key.operation == kCreate) {
        Raise(key.mode == kLegacyFirst ? &now.c : &now.l, kActive);
        now.create_acked = true;
      } else {
        (key.mode == kLegacyFirst ? now.outbox_c : now.outbox_l) = true;
        now.revoke_acked = true;
      }
      emit(died, "the request dies");
      emit(done, key.operation == kCreate ? "create acknowledged" : "revoke acknowledged");
    }
    if (key.outbox_l) {
      State next = state;
      Raise(&next.keys[k].l, kRevoked);
      next.keys[k].outbox_l = false;
      emit(next, "outbox to L");
    }
    if (key.outbox_c) {
      State next = state;
      Raise(&next.keys[k].c, kRevoked);
      next.keys[k].outbox_c = false;
      emit(next, "outbox to C");
    }
  }

  // A node takes up the announced phase.
  void Adopt(const State& state, size_t node, const Emit& emit) const {
    if (state.nodes[node] == ModeOf(state.phase)) return;
    const bool busy = std::any_of(state.keys.begin(), state.keys.end(),
                                  [&](const Key& key) { return key.operation != kNone && key.node == node; });
    if (busy && rules_.requests_drain) return;
    State next = state;
    next.nodes[node] = ModeOf(state.phase);
    emit(next, node == 0 ? "a node follows" : "the other node follows");
  }

  void Copy(const State& state, const Emit& emit) const {
    if (state.phase < Phase::kShadow && !state.pass.alive) {
      State next = state;
      next.pass = {true, state.phase == Phase::kArmed && state.NodesReady(), 0, kAbsent};
      emit(next, "a pass begins");
    }
    if (state.pass.alive) Advance(state, true, emit);
    if (state.zombie.alive) Advance(state, false, emit);
  }

  void Advance(const State& state, bool current, const Emit& emit) const {
    State next = state;
    Pass& pass = current ? next.pass : next.zombie;
    if (pass.position == 2 * kKeys) {
      const bool complete = (pass.after_barrier || !rules_.pass_after_barrier) && state.phase >= Phase::kArmed;
      next.certificate = next.certificate || complete;
      pass = {};
      emit(next, current ? "the pass ends" : "an old pass ends");
      return;
    }
    Key& key = next.keys[pass.position / 2];
    if (pass.position % 2 == 0) {
      pass.held = key.l;
    } else {
      if (pass.held != kAbsent) key.c = rules_.copier_merges ? std::max(key.c, pass.held) : pass.held;
      pass.held = kAbsent;
    }
    ++pass.position;
    emit(next, current ? "the pass goes on" : "an old pass goes on");
    State died = state;
    (current ? died.pass : died.zombie) = {};
    emit(died, "a copier dies");
  }

  void Move(const State& state, const Emit& emit) const {
    constexpr std::array kPhases = {Phase::kCopied, Phase::kArmed, Phase::kVerified, Phase::kShadow, Phase::kCentral, Phase::kFinal};
    for (const Phase to : kPhases) {
      // Legacy and copied are one here: nothing but L answers. Going back to it is the move to legacy.
      const Phase asked = to == Phase::kCopied ? Phase::kLegacy : to;
      if (to == state.phase) continue;
      Evidence evidence;
      evidence.certificate_of_this_attempt = state.certificate || !rules_.central_needs_pass;
      evidence.all_nodes_acknowledged = state.NodesReady() || !rules_.moves_wait_for_nodes ||
                                        (!rules_.way_back_waits_too && to == Phase::kCopied);
      const bool waits = to == Phase::kFinal ? rules_.final_waits_for_outbox : rules_.legacy_waits_for_outbox;
      evidence.outbox_empty = state.OutboxEmpty() || !waits;
      if (CheckMove(state.phase, asked, evidence) != Move::kAllowed) continue;
      State next = state;
      next.phase = to;
      if (to == Phase::kCopied) BackToLegacy(&next);
      if (!rules_.rollback_keeps_writes && to == Phase::kArmed && state.phase == Phase::kCopied)
        for (Key& key : next.keys) key.backup = key.l;
      emit(next, PhaseName(to).data());
    }
  }

  // A new attempt: what the old one proved no longer counts, its copier may live on; its rows in C go.
  void BackToLegacy(State* state) const {
    state->certificate = false;
    if (state->pass.alive && !rules_.attempt_fence) state->zombie = state->pass;  // with the fence it could do nothing
    state->pass = {};
    for (Key& key : state->keys) key.c = kAbsent;
    if (!rules_.rollback_keeps_writes)
      for (Key& key : state->keys) key.l = key.backup;
  }

  const Rules rules_;
  std::unordered_map<uint64_t, uint32_t> index_;
  std::deque<State> states_;
  std::vector<std::pair<size_t, const char*>> came_;
  std::vector<std::vector<uint32_t>> edges_;
};

TEST(ProtocolModel, NoRevokedKeyIsAcceptedAndNoCreatedKeyIsRejected) {
  Model model(Rules{});
  EXPECT_EQ(model.Explore(), "");
  RecordProperty("states", static_cast<int>(model.size()));
  EXPECT_GT(model.size(), 10'000u);
  // and it never ends in a corner
  EXPECT_EQ(model.Stuck([](const State&) { return true; }, [](const State& s) { return s.phase == Phase::kFinal && s.NodesReady(); }), 0u);
  EXPECT_EQ(model.Stuck([](const State& s) { return s.phase != Phase::kFinal; },
                        [](const State& s) { return s.phase == Phase::kCopied && s.NodesReady(); }),
            0u);
}

struct Mutant {
  const char* name;
  void (*change)(Rules*);
  const char* broken;
};

class ProtocolMutant : public ::testing::TestWithParam<Mutant> {};

TEST_P(ProtocolMutant, Breaks) {
  Rules rules;
  GetParam().change(&rules);
  const std::string broken = Model(rules).Explore();
  EXPECT_TRUE(broken.starts_with(GetParam().broken)) << "found: " << (broken.empty() ? "nothing" : broken);
}

INSTANTIATE_TEST_SUITE_P(
    All, ProtocolMutant,
    ::testing::Values(Mutant{"NoDenyOverride", [](Rules* r) { r->deny_override = false; }, "R:"},
                      Mutant{"CopierOverwrites", [](Rules* r) { r->copier_merges = false; }, "R:"},
                      Mutant{"NoAttemptFence", [](Rules* r) { r->attempt_fence = false; }, "K:"},
                      Mutant{"FinaliseWithFullOutbox", [](Rules* r) { r->final_waits_for_outbox = false; }, "R:"},
                      Mutant{"LegacyWithFullOutbox", [](Rules* r) { r->legacy_waits_for_outbox = false; }, "R:"},
                      Mutant{"NodesNotAwaited", [](Rules* r) { r->moves_wait_for_nodes = false; }, "K:"},
                      Mutant{"OnlyTheWayForwardAwaitsNodes", [](Rules* r) { r->way_back_waits_too = false; }, "K:"},
                      Mutant{"PassBeforeBarrier", [](Rules* r) { r->pass_after_barrier = false; }, "K:"},
                      Mutant{"RequestsOutliveTheirPhase", [](Rules* r) { r->requests_drain = false; }, "R:"},
                      Mutant{"CentralWithoutPass", [](Rules* r) { r->central_needs_pass = false; }, "K:"},
                      Mutant{"CreateAcknowledgedAfterOneStore", [](Rules* r) { r->create_waits_for_both = false; }, "K:"},
                      Mutant{"RollbackReloadsBackup", [](Rules* r) { r->rollback_keeps_writes = false; }, "K:"}),
    [](const ::testing::TestParamInfo<Mutant>& info) { return info.param.name; });

}  // namespace
}  // namespace reeve::migrate
