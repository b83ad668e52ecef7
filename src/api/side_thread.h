// SideThread: one thread for work that would hold an event loop up. Post is safe from any thread.
#pragma once

#include <functional>
#include <thread>

#include "base/bounded_queue.h"

namespace reeve::api {

class SideThread {
 public:
  static constexpr size_t kTasksMax = 64;

  SideThread() : tasks_(kTasksMax), thread_([this] {
    while (auto task = tasks_.Pop()) (*task)();
  }) {}
  // After what is queued.
  ~SideThread() {
    tasks_.Close();
    thread_.join();
  }
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  // False, and nothing is done, if too much is queued. `task` must not throw.
  [[nodiscard]] bool Post(std::function<void()> task) { return tasks_.TryPush(std::move(task)); }

 private:
  BoundedQueue<std::function<void()>> tasks_;
  std::thread thread_;
};

}  // namespace reeve::api
