// KeyHolder: the present KeyIndex, swapped whole, and read by any thread without a lock as long as nobody swaps.
//
// Each thread keeps the index that it used last, until it comes again after a swap; so an old index lives until every thread that used it has come again
// or ended. Swap is for one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "gate/key_index.h"

namespace reeve::gate {

class KeyHolder {
 public:
  KeyHolder() : id_(NextId()) {}
  KeyHolder(const KeyHolder&) = delete;
  KeyHolder& operator=(const KeyHolder&) = delete;

  // The present index. The reference is valid until the calling thread's next call, on any holder. REQUIRES: Swap was called
  [[nodiscard]] KeyIndex& Pin() {
    Pinned& mine = Mine();
    if (mine.holder != id_ || mine.generation != generation_.load(std::memory_order_acquire)) Renew(&mine);
    return *mine.keys;
  }
  [[nodiscard]] std::shared_ptr<KeyIndex> Share() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return keys_;
  }
  // Every Pin that begins afterwards has `keys`.
  void Swap(std::shared_ptr<KeyIndex> keys) {
    const std::lock_guard<std::mutex> lock(mutex_);
    keys_ = std::move(keys);
    generation_.fetch_add(1, std::memory_order_release);
  }

 private:
  struct Pinned {
    uint64_t holder = 0, generation = 0;
    std::shared_ptr<KeyIndex> keys;
  };
  static Pinned& Mine() {
    thread_local Pinned mine;
    return mine;
  }
  static uint64_t NextId() {
    static std::atomic<uint64_t> ids{0};
    return ++ids;
  }
  void Renew(Pinned* mine) {
    const std::lock_guard<std::mutex> lock(mutex_);
    mine->holder = id_;
    mine->generation = generation_.load(std::memory_order_relaxed);
    mine->keys = keys_;
  }

  const uint64_t id_;                       // holders' addresses come again, their ids do not
  std::atomic<uint64_t> generation_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<KeyIndex> keys_;          // guarded by mutex_
};

}  // namespace reeve::gate
