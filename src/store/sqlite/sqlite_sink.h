// The embedded store: one SQLite file in WAL mode, synchronous=FULL.
//
// One connection writes and checkpoints, and it holds the lock file beside the database for as long as the sink lives;
// readers never do either. Thread rules are those of CentralSink.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "env/files.h"
#include "store/central_sink.h"

namespace reeve::store {

enum class OpenMode {
  kCreate,    // made, with its schema, if the file is absent or empty
  kExisting,  // kStoreMissing if absent
};

struct SqliteLimits {
  uint64_t file_bytes_max = 0;  // 0: as large as the disk. Beyond: writes fail as on a full disk
};

// Opens the store at `path` for writing. kLocked, naming the holder, if another process has it open; kStoreMissing if the file is
// absent (kExisting) or is no reeve store; kRefused if a newer reeve made it; kCorrupt if it is damaged.
// `holder` is what others are told while it is open: "reeve migrate, pid 17, since …".
[[nodiscard]] Result<std::unique_ptr<CentralSink>> OpenSqliteSink(Files& files, const std::string& path, OpenMode mode,
                                                                  const std::string& holder, SqliteLimits limits = {});

// For readers: if a server that did not end in order has left promises in its commit log (commit_log.h), brings them into the tables first. Nothing if there are
// none, or if the server still has the store: then it does. Errors as OpenSqliteSink, without kLocked.
[[nodiscard]] Result<> BringInCommits(Files& files, const std::string& path, const std::string& holder);

// Opens the store at `path` for reading, without the lock: also while another process writes.
// Errors as above, without kLocked.
[[nodiscard]] Result<std::unique_ptr<CentralReader>> OpenSqliteReader(const std::string& path);

}  // namespace reeve::store
