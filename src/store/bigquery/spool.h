// Files for copies of a dataset: readable by their owner alone, gone with the Spool, and gone with the next one if the process died.
//
// In a directory that may be shared:  reeve-spool-{run}.lock  held while the run lives;  reeve-spool-{run}-{number}.db  its files.
// Safe from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/error.h"
#include "env/entropy.h"
#include "env/files.h"

namespace reeve::store {

class SpoolFile;

class Spool : public std::enable_shared_from_this<Spool> {
 public:
  // Removes what dead runs left in `directory`. kNotFound, kFailed as Files.
  [[nodiscard]] static Result<std::shared_ptr<Spool>> Open(Files& files, Entropy& entropy, const std::string& directory);
  Spool(Files& files, std::string prefix, std::unique_ptr<FileLock> lock) : files_(files), prefix_(std::move(prefix)), lock_(std::move(lock)) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // An empty file.
  [[nodiscard]] Result<std::unique_ptr<SpoolFile>> NewFile();

 private:
  friend class SpoolFile;
  Files& files_;
  const std::string prefix_;
  std::unique_ptr<FileLock> lock_;
  std::atomic<int> next_{1};
};

// Removed, with SQLite's journal beside it, when destroyed: after every connection to it is closed.
class SpoolFile {
 public:
  SpoolFile(std::shared_ptr<Spool> spool, std::string path) : spool_(std::move(spool)), path_(std::move(path)) {}
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::shared_ptr<Spool> spool_;
  const std::string path_;
};

}  // namespace reeve::store
