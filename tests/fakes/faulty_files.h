// FaultyFiles: another Files whose n-th write fails, to prove that every failed write is noticed and survived.
//
// What counts as a write: Append, Sync, Truncate, WriteAtomic, OpenAppend, MakeDirs, Remove, Rename; with `reads` set, Read, Open,
// List and every ByteReader::Read as well. Calls are counted from 1. For tests only; safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "env/files.h"

namespace reeve::testing {

enum class Fault : uint8_t {
  kNone,
  kNoSpace,  // nothing is written, ENOSPC
  kIo,       // nothing is written, EIO
  kTorn,     // an Append or WriteAt writes the first half of its bytes, then ENOSPC; other calls: as kNoSpace
};

class FaultyFiles final : public Files {
 public:
  // `base` outlives this object.
  explicit FaultyFiles(Files* base) : base_(base) {}

  // From the `n`-th counted call on (from now, 1 is the next) calls fail with `fault`; with `once`, only that call.
  void FailAt(uint64_t n, Fault fault, bool once = false);
  // Calls no more fail.
  void Heal() { fault_ = Fault::kNone; }
  void CountReads(bool reads) { reads_ = reads; }
  // Counted calls so far.
  [[nodiscard]] uint64_t calls() const { return calls_; }

  Result<std::string> Read(const std::string& path, uint64_t limit) override;
  Result<std::unique_ptr<ByteReader>> Open(const std::string& path) override;
  // The reader it returns does not fail.
  Result<std::unique_ptr<RandomReader>> OpenRandom(const std::string& path) override;
  Result<> WriteAtomic(const std::string& path, std::string_view content, int mode) override;
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path, int mode) override;
  Result<std::unique_ptr<FixedFile>> OpenFixed(const std::string& path, uint64_t size, int mode) override;
  Result<std::vector<DirEntry>> List(const std::string& path) override;
  bool Exists(const std::string& path) override { return base_->Exists(path); }
  Result<> MakeDirs(const std::string& path) override;
  Result<> SyncAll(const std::string& path) override;
  Result<> Remove(const std::string& path) override;
  Result<> Rename(const std::string& from, const std::string& to) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path, std::string_view holder) override {
    return base_->Lock(path, holder);
  }

 private:
  class Appender;
  class Placer;
  class Reader;
  // The fault of this call, kNone if it goes through.
  Fault Next(bool is_read);

  Files* const base_;
  std::atomic<bool> reads_ = false;
  std::atomic<bool> once_ = false;
  std::atomic<uint64_t> calls_ = 0;
  std::atomic<uint64_t> fail_at_ = 0;
  std::atomic<Fault> fault_ = Fault::kNone;
};

}  // namespace reeve::testing
