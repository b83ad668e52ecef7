#include "gate/use_flush.h"

namespace reeve::gate {

void UseFlush::Gather() {
  index_ = state_.keys.Share();
  index_->TakeTouched(&keys_);
  state_.customers.TakeCounted([this](uint32_t customer, uint64_t requests) { counts_.emplace_back(customer, requests); });
}

void UseFlush::TouchFrom(const KeyIndex& keys, uint32_t key, const domain::Instant& now) {
  book_.Touch(keys.At(key).digest, now.ledger - (now.steady - keys.UsedAt(key)));
}

size_t UseFlush::Add(const domain::Instant& now, bool now_or_never, const store::UseLoad& load) {
  if (load.cost > 0) next_piece_ = now.steady + load.cost * kIdleShare;
  if (load.pending) next_piece_ = std::max(next_piece_, now.steady + kLookAgain);
  if (!now_or_never && now.steady < NextDue()) return 0;
  if (backlog() == 0) {
    next_gathering_ = now.steady + every_;
    Gather();
    for (const std::shared_ptr<KeyIndex>& old : retired_) {
      std::vector<uint32_t> keys;
      old->TakeTouched(&keys);
      for (const uint32_t key : keys) TouchFrom(*old, key, now);
    }
    std::erase_if(retired_, [](const std::shared_ptr<KeyIndex>& old) { return old.use_count() == 1; });
  }
  size_t rows = 0;
  for (; rows < kPieceRows && !counts_.empty(); ++rows) {
    book_.CountRequests(counts_.back().first, counts_.back().second, now);
    counts_.pop_back();
  }
  for (; rows < kPieceRows && !keys_.empty(); ++rows) {
    TouchFrom(*index_, keys_.back(), now);
    keys_.pop_back();
  }
  if (keys_.empty()) index_.reset();
  return rows;
}

}  // namespace reeve::gate
