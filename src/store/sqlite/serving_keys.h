// KeyLoad: every key of the store, read by two threads and handed over by one.
//
// Rows lie in the order in which tenants arrived, so their keys come one after the other; no index is read. Not safe for concurrent use.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/bounded_queue.h"
#include "drivers/sqlite/sqlite.h"
#include "store/serving_store.h"

namespace reeve::store {

struct KeyBlock;

class KeyLoad {
 public:
  explicit KeyLoad(std::string path);
  ~KeyLoad();
  KeyLoad(const KeyLoad&) = delete;
  KeyLoad& operator=(const KeyLoad&) = delete;

  // Begins to read in the background, where there is a second processor. REQUIRES: `database` is open on `path`
  [[nodiscard]] Result<> Start(sqlite::Database& database);
  // Hands over every key. Once.
  [[nodiscard]] Result<> Visit(const std::function<void(const ServedKey&)>& visit);

 private:
  struct Range;
  [[nodiscard]] bool NextRange(Range* range);
  // Reads the keys of the next ranges into blocks until there are no more.
  void Help();
  [[nodiscard]] Result<> ReadBlocks();

  const std::string path_;
  int64_t first_ = 0, last_ = -1;     // row ids; constant after Start
  std::atomic<int64_t> next_{0};      // row id at which the next range begins
  BoundedQueue<std::unique_ptr<KeyBlock>> blocks_;
  Result<> helped_;                   // written by the helper, read after it was joined
  std::thread helper_;
};

}  // namespace reeve::store
