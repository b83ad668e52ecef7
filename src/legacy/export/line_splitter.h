// Lines out of a stream of bytes, in memory bounded by the longest line that is handed out. One thread.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "env/files.h"
#include "legacy/estate.h"

namespace reeve::legacy {

// Read buffers that wait for the next reader: opening tens of thousands of small files one after the other touches the same
// memory again and again instead of new pages. Safe from any thread.
class BlockPool {
 public:
  struct Block {
    std::unique_ptr<char[]> bytes;  // `capacity` + kLinePadding of them
    size_t capacity = 0;
  };
  [[nodiscard]] static Block Make(size_t capacity);
  [[nodiscard]] Block Take();
  void Give(Block block);

 private:
  std::mutex mu_;
  std::vector<Block> free_;  // guarded by mu_
};

// Splits what `source` yields. Lines over kLineBytesMax are passed over.
[[nodiscard]] std::unique_ptr<LineReader> MakeLineSplitter(std::unique_ptr<ByteReader> source,
                                                           std::shared_ptr<BlockPool> pool);

}  // namespace reeve::legacy
