// Opening the file of the embedded store: lock, settings, checks. Errors are those of sqlite_sink.h.
#pragma once

#include <memory>
#include <string>

#include "drivers/sqlite/sqlite.h"
#include "store/sqlite/sqlite_sink.h"

namespace reeve::store {

// The one connection that writes and checkpoints, and the lock it goes with (which must go last). What a server that did not end in order has promised and not
// brought into the tables (commit_log.h) is brought into them first.
struct LockedDatabase {
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<sqlite::Database> database;
};

[[nodiscard]] Result<LockedDatabase> OpenForWriting(Files& files, const std::string& path, OpenMode mode,
                                                    const std::string& holder, SqliteLimits limits);

// Moves the log into the file and empties it. Readers may keep it from being emptied: what can be moved is, without waiting.
[[nodiscard]] Result<> CheckpointStore(sqlite::Database& database);

// A connection that cannot write, and does not touch the log.
[[nodiscard]] Result<std::unique_ptr<sqlite::Database>> OpenForReading(const std::string& path);

}  // namespace reeve::store
