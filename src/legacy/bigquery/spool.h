// Spool: rows of many tables on disk, while they are handed out table by table. Rows come in no order and leave sorted by their bytes, so that the same rows
// are the same lines with the same numbers however often they are read.
//
//   file  := run*
//   run   := line*              of one table, sorted by bytes
//   line  := size bytes         size: 4 bytes, little-endian
//
// A file has no name once it is open: its space is free when the last reader goes, also when the process is killed. What is in it is as secret as the tables.
// A SpoolFile is written by one thread, then read by any; a SpoolReader belongs to one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "env/entropy.h"
#include "env/files.h"

namespace reeve::legacy {

// Held in memory before it is sorted and written.
inline constexpr size_t kSpoolBufferBytes = size_t{8} << 20;
// Of all runs of a table while they are merged, shared among them; a run has at least kRunBufferBytesMin.
inline constexpr size_t kMergeBufferBytes = size_t{4} << 20;
inline constexpr size_t kRunBufferBytesMin = 4096;

struct SpoolRun {
  uint64_t offset = 0, bytes = 0;
};

class SpoolFile {
 public:
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  [[nodiscard]] Result<> Append(std::string_view bytes);
  [[nodiscard]] Result<> ReadAt(uint64_t offset, char* buffer, size_t size) const { return in_->ReadAt(offset, buffer, size); }
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  friend class SpoolDirectory;
  SpoolFile() = default;
  std::unique_ptr<AppendFile> out_;
  std::unique_ptr<RandomReader> in_;
  std::shared_ptr<std::atomic<uint64_t>> total_;  // of the directory
  uint64_t size_ = 0;
};

// Makes spool files in one directory and knows what they take together. Safe from any thread.
class SpoolDirectory {
 public:
  // `files` and `entropy` outlive it; the directory must exist.
  SpoolDirectory(Files& files, Entropy& entropy, std::string path) : files_(files), entropy_(entropy), path_(std::move(path)) {}
  [[nodiscard]] Result<std::shared_ptr<SpoolFile>> Create();
  // Bytes of all files that somebody still holds.
  [[nodiscard]] uint64_t bytes() const { return *total_; }

 private:
  Files& files_;
  Entropy& entropy_;
  const std::string path_;
  const std::shared_ptr<std::atomic<uint64_t>> total_ = std::make_shared<std::atomic<uint64_t>>(0);
};

// Sorts rows of `tables` tables into a file. One thread.
class SpoolWriter {
 public:
  SpoolWriter(SpoolFile& file, size_t tables, size_t buffer_bytes = kSpoolBufferBytes)
      : file_(file), buffer_bytes_(buffer_bytes), pending_(tables), runs_(tables) {}
  // REQUIRES: table < tables; a line shorter than 4 GiB
  [[nodiscard]] Result<> Add(size_t table, std::string line);
  // The runs of each table. Nothing may be added afterwards.
  [[nodiscard]] Result<std::vector<std::vector<SpoolRun>>> Finish();

 private:
  [[nodiscard]] Result<> Flush();

  SpoolFile& file_;
  const size_t buffer_bytes_;
  std::vector<std::vector<std::string>> pending_;  // by table
  size_t pending_bytes_ = 0;
  std::vector<std::vector<SpoolRun>> runs_;
};

// The lines of one table, in order of their bytes.
class SpoolReader {
 public:
  // `file` may be null if there are no runs.
  SpoolReader(std::shared_ptr<const SpoolFile> file, const std::vector<SpoolRun>& runs);
  // False at the end.
  [[nodiscard]] Result<bool> Next(std::string* line);

 private:
  struct Cursor {
    uint64_t offset = 0, end = 0;  // of what is not in `buffer` yet
    std::string buffer;
    size_t at = 0;                 // of the current line's first byte in `buffer`
    size_t length = 0;
    [[nodiscard]] std::string_view line() const { return std::string_view(buffer).substr(at, length); }
  };
  // Moves to the cursor's next line; false at its end.
  [[nodiscard]] Result<bool> Advance(Cursor* cursor) const;
  // Has at least `size` unread bytes in the buffer.
  [[nodiscard]] Result<> Fill(Cursor* cursor, size_t size) const;

  const std::shared_ptr<const SpoolFile> file_;
  size_t chunk_;
  std::vector<std::unique_ptr<Cursor>> heap_;  // the smallest line on top
  bool started_ = false;
};

}  // namespace reeve::legacy
