// The tap for files: whole-file reads, atomic replacement, append-with-sync, locks, directory listings.
// Errors name the path and what the system said. One object may be used from any thread; a File from one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace reeve {

// A file that grows at its end.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // Writes all of `bytes` at the end. On error some of them may be there.
  [[nodiscard]] virtual Result<> Append(std::string_view bytes) = 0;
  // Returns after the system says that everything appended is on the medium.
  [[nodiscard]] virtual Result<> Sync() = 0;
  // Cuts the file to `size` bytes and syncs.
  [[nodiscard]] virtual Result<> Truncate(uint64_t size) = 0;
  [[nodiscard]] virtual uint64_t Size() const = 0;
};

// A file of one size that is written in place. All its bytes have been written once, so that a Sync waits for the data alone and not for the file system's own
// records, and never fails for want of room. From one thread at a time.
class FixedFile {
 public:
  virtual ~FixedFile() = default;
  // REQUIRES: offset + bytes.size() is at most the file's size. On error some of the bytes may be there.
  [[nodiscard]] virtual Result<> WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // As AppendFile::Sync.
  [[nodiscard]] virtual Result<> Sync() = 0;
};

// A stream of bytes from the beginning of a file.
class ByteReader {
 public:
  virtual ~ByteReader() = default;
  // Reads up to `size` bytes; 0 at the end.
  [[nodiscard]] virtual Result<size_t> Read(char* buffer, size_t size) = 0;
};

// An exclusive lock, released when destroyed (and by the system when the process dies).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Reads anywhere in a file. Safe from any thread.
class RandomReader {
 public:
  virtual ~RandomReader() = default;
  // Fills `buffer` with the `size` bytes at `offset`; fewer are an error.
  [[nodiscard]] virtual Result<> ReadAt(uint64_t offset, char* buffer, size_t size) = 0;
};

struct DirEntry {
  std::string name;
  bool is_directory = false;
  uint64_t size = 0;  // files only
};

class Files {
 public:
  virtual ~Files() = default;
  // The whole file. kNotFound if absent, kRefused if larger than `limit` bytes.
  [[nodiscard]] virtual Result<std::string> Read(const std::string& path, uint64_t limit) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<ByteReader>> Open(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<RandomReader>> OpenRandom(const std::string& path) = 0;
  // Replaces or makes `path` with `content`: temporary file, sync, rename, sync of the directory. Afterwards either the old or the
  // new content is there, whatever happens. `mode` are the permission bits.
  [[nodiscard]] virtual Result<> WriteAtomic(const std::string& path, std::string_view content, int mode = 0644) = 0;
  // Opens for appending, making it if absent.
  [[nodiscard]] virtual Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path, int mode = 0644) = 0;
  // An empty file for appending, replacing one that is there. Nothing is synced before AppendFile::Sync: for output that can be made
  // again, and in large numbers of files.
  [[nodiscard]] virtual Result<std::unique_ptr<AppendFile>> Create(const std::string& path, int mode = 0644) {
    REEVE_TRY(Remove(path));
    return OpenAppend(path, mode);
  }
  // Opens a file of `size` bytes for writing in place; one that is absent or of another size is made of zeros first, and synced.
  [[nodiscard]] virtual Result<std::unique_ptr<FixedFile>> OpenFixed(const std::string& path, uint64_t size, int mode) {
    return Fail(Code::kFailed, "{}: no file of {} bytes with mode {:o} can be made here", path, size, mode);
  }
  // Returns after the system says that all that was written to the file system of `path` is on the medium: one wait for very many files.
  [[nodiscard]] virtual Result<> SyncAll(const std::string& path) { return Fail(Code::kFailed, "{}: cannot sync here", path); }
  // Entries without "." and "..", sorted by name bytes. Symbolic links are followed.
  [[nodiscard]] virtual Result<std::vector<DirEntry>> List(const std::string& path) = 0;
  [[nodiscard]] virtual bool Exists(const std::string& path) = 0;
  // The permission bits of a file or directory.
  [[nodiscard]] virtual Result<int> Mode(const std::string& path) {
    return Fail(Code::kFailed, "{}: its permissions are not known here", path);
  }
  // Makes the directory and its parents.
  [[nodiscard]] virtual Result<> MakeDirs(const std::string& path) = 0;
  // Removes a file; absent is fine.
  [[nodiscard]] virtual Result<> Remove(const std::string& path) = 0;
  [[nodiscard]] virtual Result<> Rename(const std::string& from, const std::string& to) = 0;
  // Takes the lock at `path` and writes `holder` into the file. kLocked, with the holder's text in the message, if another
  // process has it.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view holder) = 0;
};

[[nodiscard]] std::unique_ptr<Files> MakeSystemFiles();

}  // namespace reeve
