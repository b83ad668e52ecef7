// Whether a history of concurrent calls could have happened one after the other: the search of Wing and Gong with the memory of Lowe. Small, for the tests
// of this folder. Not safe for concurrent use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <unordered_set>
#include <vector>

namespace reeve::gate {

inline constexpr int64_t kNeverReturned = std::numeric_limits<int64_t>::max();

// One call: from when to when it took, and what it does to a state. A call that never returned may have happened at any time since, or not at all.
template <typename State>
struct Operation_ {
  int64_t called = 0, returned = kNeverReturned;
  // Whether the operation can happen in this state with the result that was seen; if so, changes the state.
  std::function<bool(State*)> step;
  std::string text;
};

// `key` tells states apart. Empty: the history is sound; else what could not be placed. Gives up, saying so, after `tries_max` steps.
template <typename State>
std::string CheckHistory(std::vector<Operation_<State>> history, State state, const std::function<std::string(const State&)>& key,
                         uint64_t tries_max = 20'000'000) {
  std::sort(history.begin(), history.end(), [](const auto& a, const auto& b) { return a.called < b.called; });
  struct Frame {
    size_t operation;
    State before;
  };
  std::vector<Frame> placed;
  std::vector<bool> done(history.size());
  std::unordered_set<std::string> seen;
  size_t returned_left = 0, furthest = 0, next = 0;
  for (const auto& operation : history) returned_left += operation.returned != kNeverReturned;
  const size_t returned_all = returned_left;
  std::string stuck;
  for (uint64_t tries = 0; returned_left > 0; ++tries) {
    if (tries == tries_max) return "gave up: too many orders are possible";
    // The first return among what is not placed: nothing that was called later can come before it.
    int64_t horizon = kNeverReturned;
    for (size_t i = 0; i < history.size() && history[i].called < horizon; ++i)
      if (!done[i]) horizon = std::min(horizon, history[i].returned);
    bool advanced = false;
    for (size_t i = next; i < history.size() && history[i].called < horizon; ++i) {
      if (done[i]) continue;
      State after = state;
      if (!history[i].step(&after)) {
        if (placed.size() >= furthest) stuck = history[i].text;
        continue;
      }
      done[i] = true;
      std::string memory(done.size(), '0');
      for (size_t d = 0; d < done.size(); ++d) memory[d] = done[d] ? '1' : '0';
      if (!seen.insert(memory + key(after)).second) {
        done[i] = false;
        continue;
      }
      placed.push_back({i, std::move(state)});
      state = std::move(after);
      returned_left -= history[i].returned != kNeverReturned;
      furthest = std::max(furthest, placed.size());
      next = 0;
      advanced = true;
      break;
    }
    if (advanced) continue;
    if (placed.empty()) return "cannot be placed after " + std::to_string(returned_all - returned_left) + " others; stuck at: " + stuck;
    const Frame last = std::move(placed.back());
    placed.pop_back();
    done[last.operation] = false;
    returned_left += history[last.operation].returned != kNeverReturned;
    state = last.before;
    next = last.operation + 1;
  }
  return {};
}

}  // namespace reeve::gate
