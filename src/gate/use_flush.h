// UseFlush: carries what requests used, the times of keys and the counts of customers, from the deciding threads to the run book, in pieces that a
// transaction can hold. The writer's; not safe for concurrent use.
//
// What is due is gathered once in `every`, and written at once as long as that costs the store at most a tenth of its time; where a million keys are used
// at random it takes longer, and what is written is late but exact. Counts that were gathered and not committed when the process dies are lost.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "domain/ledger_clock.h"
#include "gate/gate_state.h"
#include "gate/run_book.h"

namespace reeve::gate {

class UseFlush {
 public:
  static constexpr size_t kPieceRows = 4'096;
  static constexpr Micros kIdleShare = 9;    // times what a piece cost the store, until the next
  static constexpr Micros kLookAgain = 20'000;  // while the store has not brought in the last one

  UseFlush(GateState* state, RunBook* book, Micros every) : state_(*state), book_(*book), every_(every) {}

  // Adds the next piece to the book if it is time for it and the store has done with the last one, or in any case with `now_or_never`; how many rows.
  size_t Add(const domain::Instant& now, bool now_or_never, const store::UseLoad& load);
  // `old` was swapped out; threads that are in the middle of a decision may still note uses there.
  void Retire(std::shared_ptr<KeyIndex> old) { retired_.push_back(std::move(old)); }
  // When Add has something to do, by the steady clock.
  [[nodiscard]] Micros NextDue() const { return backlog() == 0 ? std::max(next_gathering_, next_piece_) : next_piece_; }
  [[nodiscard]] size_t backlog() const { return keys_.size() + counts_.size(); }

 private:
  void Gather();
  void TouchFrom(const KeyIndex& keys, uint32_t key, const domain::Instant& now);

  GateState& state_;
  RunBook& book_;
  const Micros every_;
  Micros next_gathering_ = 0, next_piece_ = 0;
  // Gathered and not handed over yet.
  std::shared_ptr<KeyIndex> index_;                      // where keys_ are
  std::vector<uint32_t> keys_;
  std::vector<std::pair<uint32_t, uint64_t>> counts_;    // customer, requests
  std::vector<std::shared_ptr<KeyIndex>> retired_;
};

}  // namespace reeve::gate
