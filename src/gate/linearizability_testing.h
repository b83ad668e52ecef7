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
  bool passive = false;  // with the result that was seen it changes no state, wherever it fits
  std::string text;
};

// `key` tells states apart. Empty: the history is sound; else what could not be placed, or that there were too many orders to try. A passive operation is
// placed where it first fits, without looking for another place: everything that fits later fits just as well with it placed before.
template <typename State>
std::string CheckHistory(std::vector<Operation_<State>> history, State state, const std::function<std::string(const State&)>& key,
                         uint64_t tries_max = 2'000'000) {
  std::sort(history.begin(), history.end(), [](const auto& a, const auto& b) { return a.called < b.called; });
  struct Frame {
    size_t operation;
    bool forced;
    State before;
  };
  std::vector<Frame> placed;
  std::string done(history.size(), '0');
  std::unordered_set<std::string> seen;
  size_t returned_left = 0, furthest = 0, next = 0;
  const auto has_returned = [&](size_t i) { return history[i].returned != kNeverReturned; };
  for (size_t i = 0; i < history.size(); ++i) returned_left += has_returned(i);
  std::string stuck, state_key = key(state);
  uint64_t tries = 0;
  // Places the first that fits from `from` on, of the passive ones or of the others.
  const auto place = [&](size_t from, int64_t horizon, bool passive) {
    for (size_t i = from; i < history.size() && history[i].called < horizon; ++i) {
      if (done[i] == '1' || history[i].passive != passive) continue;
      ++tries;
      State after = state;
      if (!history[i].step(&after)) {
        if (placed.size() >= furthest) stuck = history[i].text;
        continue;
      }
      std::string after_key = key(after);
      if (!has_returned(i) && after_key == state_key) continue;  // it need not have happened
      done[i] = '1';
      if (!seen.insert(done + after_key).second) {
        done[i] = '0';
        continue;
      }
      placed.push_back({i, passive, std::move(state)});
      state = std::move(after);
      state_key = std::move(after_key);
      returned_left -= has_returned(i);
      furthest = std::max(furthest, placed.size());
      return true;
    }
    return false;
  };
  while (returned_left > 0) {
    if (tries > tries_max) return "gave up: too many orders are possible";
    // The first return among what is not placed: nothing that was called later can come before it.
    int64_t horizon = kNeverReturned;
    for (size_t i = 0; i < history.size() && history[i].called < horizon; ++i)
      if (done[i] == '0') horizon = std::min(horizon, history[i].returned);
    const bool fresh = next == 0;
    if ((fresh && place(0, horizon, true)) || place(next, horizon, false)) {
      next = 0;
      continue;
    }
    bool forced = true;
    while (forced && !placed.empty()) {
      Frame& last = placed.back();
      forced = last.forced;
      next = last.operation + 1;
      done[last.operation] = '0';
      returned_left += has_returned(last.operation);
      state = std::move(last.before);
      placed.pop_back();
    }
    if (forced) return "cannot be placed after " + std::to_string(furthest) + " others; stuck at: " + stuck;
    state_key = key(state);
  }
  return {};
}

}  // namespace reeve::gate
