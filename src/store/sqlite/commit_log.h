// CommitLog: where a group of decisions is durable first: a few files beside the store, written in turn, in place, read again only after a crash. What it holds is
// brought into the tables by CommitApplier, in the order of its numbers; what is in the tables may be written over. Format: docs/formats/commit-log.md.
//
// One thread appends; Release may be called from another. Not for reading while somebody appends.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "env/files.h"

namespace reeve::store {

inline constexpr size_t kCommitSegments = 4;  // files

class CommitLog {
 public:
  // Goes on behind number `last`; each file is made when it is first needed. REQUIRES: what the files at `path` held is in the tables. `files` outlives it
  CommitLog(Files& files, std::string path, std::string_view store_id, uint64_t last, uint64_t segment_bytes);

  // Whether a record of so many bytes can ever be appended.
  [[nodiscard]] bool Fits(size_t record_bytes) const;
  // What must have been released before a record of so many bytes can be appended; 0: nothing.
  [[nodiscard]] uint64_t Needs(size_t record_bytes) const;
  // Durable when it returns, as number last(). After an error nothing may be appended any more: whether the record is there is not known.
  // REQUIRES: Fits, and Needs is released
  [[nodiscard]] Result<> Append(std::string_view record);
  [[nodiscard]] uint64_t last() const { return last_; }
  // Everything up to `number` is in the tables, durably.
  void Release(uint64_t number) { released_.store(number, std::memory_order_release); }
  [[nodiscard]] uint64_t released() const { return released_.load(std::memory_order_acquire); }

 private:
  struct Segment {
    std::unique_ptr<FixedFile> file;
    uint64_t end = 0;                 // of what was written since it was begun anew
    uint64_t last = 0;                // number of its newest record
  };
  [[nodiscard]] bool HasRoom(size_t record_bytes) const;
  [[nodiscard]] size_t Next() const { return (current_ + 1) % segments_.size(); }

  Files& files_;
  const std::string path_, header_;
  const uint64_t segment_bytes_;
  uint64_t last_;
  std::atomic<uint64_t> released_;
  std::array<Segment, kCommitSegments> segments_;
  size_t current_ = 0;
  std::string buffer_;
};

// Whether there is anything to replay.
[[nodiscard]] bool HasCommitLog(Files& files, const std::string& path);
// Calls `visit` with every record behind number `applied`, in their order. A record that was being written when the process ended was never acknowledged
// and is left out. kCorrupt: a number is missing, or the files belong to another store.
[[nodiscard]] Result<> ReadCommitLog(Files& files, const std::string& path, std::string_view store_id, uint64_t applied,
                                     const std::function<Result<>(uint64_t number, std::string_view record)>& visit);
[[nodiscard]] Result<> RemoveCommitLog(Files& files, const std::string& path);

}  // namespace reeve::store
