// What the ports over one memory dataset share. Every use of the tables holds the mutex.
#pragma once

#include <mutex>

#include "store/memory/memory_table.h"

namespace reeve::store {

class MemoryData {
 public:
  std::mutex mu;
  MemoryTables tables;  // guarded by mu
};

}  // namespace reeve::store
