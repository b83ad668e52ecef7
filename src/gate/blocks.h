// Memory for very many small things: arrays that grow without moving what is in them, texts back to back, a flat table of words. Large blocks are offered
// to the system for large pages: with a million keys at random, looking up addresses costs as much as the memory itself.
//
// Elements stay where they are until the object goes. Growing belongs to one thread, and what was grown must be handed to others with a lock or an atomic.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace reeve::gate {

inline constexpr size_t kBlockBytes = size_t{2} << 20;  // a large page

struct FreeBlock {
  void operator()(void* block) const { std::free(block); }
};
using Block = std::unique_ptr<void, FreeBlock>;

// Not initialised. `large`: worth a large page from the start.
inline Block NewBlock(size_t bytes, bool large) {
  const size_t rounded = (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  Block block(std::aligned_alloc(kBlockBytes, rounded));
  if (block == nullptr) throw std::bad_alloc();
  if (large) (void)madvise(block.get(), rounded, MADV_HUGEPAGE);  // advice: without it, only slower
  return block;
}

// Makes one large page of a block that has turned out to be worth it: copied at once, unseen by readers. Where the system will not, the block is only slower.
inline void MakeLarge(void* block, size_t bytes) {
  constexpr int kCollapse = 25;  // MADV_COLLAPSE of Linux 6.1, which older headers do not name
  if (madvise(block, bytes, kCollapse) != 0) (void)madvise(block, bytes, MADV_HUGEPAGE);
}

// Addresses of blocks: as many as there can ever be, so that the list never moves under readers; untouched parts of it cost nothing.
template <typename T>
class BlockList {
 public:
  explicit BlockList(size_t blocks_max) : blocks_max_(blocks_max), blocks_(static_cast<T**>(std::calloc(blocks_max, sizeof(T*)))) {
    if (blocks_ == nullptr) throw std::bad_alloc();
  }
  BlockList(const BlockList&) = delete;
  BlockList& operator=(const BlockList&) = delete;
  ~BlockList() {
    for (size_t i = 0; i < size_; ++i) std::free(blocks_[i]);
    std::free(blocks_);
  }
  T* operator[](size_t i) const { return blocks_[i]; }
  void Add(Block block) {
    REEVE_ASSERT(size_ < blocks_max_);
    blocks_[size_++] = static_cast<T*>(block.release());
  }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ == blocks_max_; }

 private:
  const size_t blocks_max_;
  T** const blocks_;
  size_t size_ = 0;
};

// An array of T that grows at its end, up to a fixed number of elements.
template <typename T>
class Blocks {
 public:
  static constexpr size_t kPerBlock = [] {
    size_t n = 1;
    while (n * 2 * sizeof(T) <= kBlockBytes) n *= 2;
    return n;
  }();

  explicit Blocks(size_t elements_max) : blocks_((elements_max + kPerBlock - 1) / kPerBlock) {}
  ~Blocks() {
    for (size_t i = 0; i < size_; ++i) (*this)[i].~T();
  }

  T& operator[](size_t i) const { return blocks_[i / kPerBlock][i % kPerBlock]; }
  T& Grow() {
    if (size_ % kPerBlock == 0) blocks_.Add(NewBlock(kPerBlock * sizeof(T), kFills && blocks_.size() > 0));
    T* const element = new (blocks_[size_ / kPerBlock] + size_ % kPerBlock) T();
    ++size_;
    if (kFills && size_ == kPerBlock / 2) MakeLarge(blocks_[0], kBlockBytes);
    return *element;
  }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t bytes() const { return size_ * sizeof(T); }

 private:
  static constexpr bool kFills = kPerBlock * sizeof(T) == kBlockBytes;  // else a large page would be paid for and not used

  BlockList<T> blocks_;
  size_t size_ = 0;
};

// Where a text lies in TextBlocks.
struct TextRef {
  uint32_t at = 0;
  uint32_t size = 0;
};

// Texts back to back; at most 4 GiB of them.
class TextBlocks {
 public:
  static constexpr size_t kTextMax = size_t{1} << 20;

  TextBlocks() : blocks_((size_t{1} << 32) / kTextMax) {}

  // False: the text is longer than kTextMax, or there is no room for it.
  [[nodiscard]] bool Add(std::string_view text, TextRef* ref) {
    if (text.size() > kTextMax || (used_ + text.size() > kTextMax && blocks_.full())) return false;
    if (used_ + text.size() > kTextMax) {
      Block block(std::malloc(kTextMax));
      if (block == nullptr) throw std::bad_alloc();
      blocks_.Add(std::move(block));
      used_ = 0;
    }
    if (!text.empty()) std::memcpy(blocks_[blocks_.size() - 1] + used_, text.data(), text.size());
    *ref = {static_cast<uint32_t>((blocks_.size() - 1) * kTextMax + used_), static_cast<uint32_t>(text.size())};
    used_ += text.size();
    return true;
  }
  [[nodiscard]] std::string_view At(TextRef ref) const {
    if (ref.size == 0) return {};
    return {blocks_[ref.at / kTextMax] + ref.at % kTextMax, ref.size};
  }
  [[nodiscard]] size_t bytes() const { return blocks_.size() == 0 ? 0 : (blocks_.size() - 1) * kTextMax + used_; }

 private:
  BlockList<char> blocks_;
  size_t used_ = kTextMax;  // of the last block
};

// A fixed number of zeroed words.
class FlatWords {
 public:
  FlatWords() = default;
  explicit FlatWords(size_t size) : size_(size), words_(NewBlock(size * sizeof(uint32_t), size * sizeof(uint32_t) >= kBlockBytes)) {
    std::memset(words_.get(), 0, size * sizeof(uint32_t));
  }
  uint32_t& operator[](size_t i) const { return static_cast<uint32_t*>(words_.get())[i]; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t bytes() const { return size_ * sizeof(uint32_t); }

 private:
  size_t size_ = 0;
  Block words_;
};

}  // namespace reeve::gate
