#include "legacy/export/line_splitter.h"

#include <algorithm>
#include <cstring>

namespace reeve::legacy {
namespace {

constexpr size_t kBlockBytes = 1024 * 1024;
constexpr size_t kBlocksKeptMax = 16;
constexpr size_t kBlockBytesMax = kLineBytesMax + kBlockBytes;

class LineSplitter final : public LineReader {
 public:
  LineSplitter(std::unique_ptr<ByteReader> source, std::shared_ptr<BlockPool> pool)
      : source_(std::move(source)), pool_(std::move(pool)), block_(pool_->Take()) {}
  ~LineSplitter() override { pool_->Give(std::move(block_)); }
  LineSplitter(const LineSplitter&) = delete;
  LineSplitter& operator=(const LineSplitter&) = delete;

  Result<bool> Next(Line* line) override {
    for (;;) {
      const char* const data = block_.bytes.get();
      const void* found = scanned_ < end_ ? std::memchr(data + scanned_, '\n', end_ - scanned_) : nullptr;
      if (found != nullptr) {
        const size_t stop = static_cast<size_t>(static_cast<const char*>(found) - data);
        HandOut(line, stop, stop + 1);
        return true;
      }
      scanned_ = end_;
      if (at_end_) {
        if (begin_ == end_ && !passing_over_) return false;
        HandOut(line, end_, end_);
        return true;
      }
      passing_over_ = passing_over_ || end_ - begin_ > kLineBytesMax;
      if (passing_over_) begin_ = scanned_ = end_ = 0;
      REEVE_TRY(Fill());
    }
  }

 private:
  void HandOut(Line* line, size_t stop, size_t next) {
    line->too_large = passing_over_ || stop - begin_ > kLineBytesMax;
    line->text = line->too_large ? std::string_view() : std::string_view(block_.bytes.get() + begin_, stop - begin_);
    line->number = ++number_;
    passing_over_ = false;
    begin_ = scanned_ = next;
  }

  // Moves the unfinished line to the front and reads behind it. Everything before end_ has been searched.
  Result<> Fill() {
    const size_t carried = end_ - begin_;
    if (carried == block_.capacity) {
      REEVE_ASSERT(block_.capacity < kBlockBytesMax);
      BlockPool::Block larger = BlockPool::Make(std::min(block_.capacity * 2, kBlockBytesMax));
      std::memcpy(larger.bytes.get(), block_.bytes.get() + begin_, carried);
      block_ = std::move(larger);
    } else if (begin_ > 0) {
      std::memmove(block_.bytes.get(), block_.bytes.get() + begin_, carried);
    }
    begin_ = 0;
    scanned_ = end_ = carried;
    REEVE_ASSIGN(const size_t count, source_->Read(block_.bytes.get() + end_, block_.capacity - end_));
    end_ += count;
    at_end_ = count == 0;
    std::memset(block_.bytes.get() + end_, 0, kLinePadding);
    return {};
  }

  const std::unique_ptr<ByteReader> source_;
  const std::shared_ptr<BlockPool> pool_;
  BlockPool::Block block_;
  size_t begin_ = 0;           // of the current line
  size_t scanned_ = 0;         // no newline in [begin_, scanned_)
  size_t end_ = 0;             // of what was read
  bool at_end_ = false;        // of the source
  bool passing_over_ = false;  // the current line is too large and its beginning is gone
  uint64_t number_ = 0;
};

}  // namespace

BlockPool::Block BlockPool::Make(size_t capacity) {
  return {std::unique_ptr<char[]>(new char[capacity + kLinePadding]), capacity};  // not zeroed on purpose
}

BlockPool::Block BlockPool::Take() {
  const std::lock_guard lock(mu_);
  if (free_.empty()) return Make(kBlockBytes);
  Block block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BlockPool::Give(Block block) {
  const std::lock_guard lock(mu_);
  if (block.capacity == kBlockBytes && free_.size() < kBlocksKeptMax) free_.push_back(std::move(block));
}

std::unique_ptr<LineReader> MakeLineSplitter(std::unique_ptr<ByteReader> source, std::shared_ptr<BlockPool> pool) {
  return std::make_unique<LineSplitter>(std::move(source), std::move(pool));
}

}  // namespace reeve::legacy
