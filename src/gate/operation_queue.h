// OperationQueue: hands operations from many threads to the writer in order, several at a time; refuses instead of waiting when it is full.
// Safe from any thread; Take… from the writer's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "base/time_text.h"

namespace reeve::gate {

template <typename T>
class OperationQueue {
 public:
  explicit OperationQueue(size_t items_max) : items_max_(items_max) {}

  // False, with the item as it was, if the queue is full or closed.
  [[nodiscard]] bool TryPush(T&& item) {
    bool wake = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (closed_ || items_.size() >= items_max_) return false;
      items_.push_back(std::move(item));
      wake = waiting_;
    }
    if (wake) ready_.notify_one();
    return true;
  }

  // Appends up to `most` items to `out`, waiting up to `patience` for the first. False once the queue is closed and nothing was left.
  bool Take(size_t most, Micros patience, std::vector<T>* out) {
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_ = true;
    ready_.wait_for(lock, std::chrono::microseconds(patience), [this] { return closed_ || !items_.empty(); });
    waiting_ = false;
    return Move(most, out) > 0 || !closed_;
  }
  // Appends up to `most` items that are there; how many.
  size_t TakeMore(size_t most, std::vector<T>* out) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Move(most, out);
  }

  // No more items come in; those inside can still be taken.
  void Close() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }
  [[nodiscard]] size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return items_.size();
  }

 private:
  size_t Move(size_t most, std::vector<T>* out) {
    size_t moved = 0;
    for (; moved < most && !items_.empty(); ++moved) {
      out->push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return moved;
  }

  const size_t items_max_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> items_;     // guarded by mutex_, like the next two
  bool closed_ = false;
  bool waiting_ = false;
};

}  // namespace reeve::gate
