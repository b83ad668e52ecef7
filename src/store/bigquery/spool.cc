#include "store/bigquery/spool.h"

#include "base/encoding.h"

namespace reeve::store {
namespace {

constexpr std::string_view kPrefix = "reeve-spool-";
constexpr std::string_view kLockSuffix = ".lock";

// Best effort: a file that stays is looked at again by the next run.
void RemoveRun(Files& files, const std::string& directory, const std::string& run, const std::vector<DirEntry>& entries) {
  for (const DirEntry& entry : entries) {
    if (entry.name.starts_with(run + "-")) (void)files.Remove(directory + "/" + entry.name);
  }
  (void)files.Remove(directory + "/" + run + std::string(kLockSuffix));
}

Result<> RemoveDeadRuns(Files& files, const std::string& directory) {
  REEVE_ASSIGN(const std::vector<DirEntry> entries, files.List(directory));
  for (const DirEntry& entry : entries) {
    if (entry.is_directory || !entry.name.starts_with(kPrefix) || !entry.name.ends_with(kLockSuffix)) continue;
    const auto lock = files.Lock(directory + "/" + entry.name, "cleaning up");
    if (lock) RemoveRun(files, directory, entry.name.substr(0, entry.name.size() - kLockSuffix.size()), entries);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<Spool>> Spool::Open(Files& files, Entropy& entropy, const std::string& directory) {
  REEVE_TRY(RemoveDeadRuns(files, directory));
  for (int attempts = 3;; --attempts) {
    const std::string prefix = directory + "/" + std::string(kPrefix) + HexEncode(entropy.Bytes(8));
    auto lock = files.Lock(prefix + std::string(kLockSuffix), "copies of a dataset");
    if (lock) return std::make_shared<Spool>(files, prefix, std::move(*lock));
    // Another run that cleans up may have taken it for a dead one's between its making and its locking.
    if (lock.error().code != Code::kLocked || attempts == 1) return Unexpected(std::move(lock).error());
  }
}

Spool::~Spool() { (void)files_.Remove(prefix_ + std::string(kLockSuffix)); }

Result<std::unique_ptr<SpoolFile>> Spool::NewFile() {
  const std::string path = fmt::format("{}-{}.db", prefix_, next_++);
  REEVE_TRY(files_.OpenAppend(path, 0600));
  return std::make_unique<SpoolFile>(shared_from_this(), path);
}

SpoolFile::~SpoolFile() {
  (void)spool_->files_.Remove(path_);
  (void)spool_->files_.Remove(path_ + "-journal");
}

}  // namespace reeve::store
