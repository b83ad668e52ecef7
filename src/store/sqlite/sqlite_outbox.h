// The Outbox port over the embedded store. It reads through a connection of its own and keeps its cursor in a file beside the store (outbox_cursor.h), so a
// mirror works beside a server; the lock STORE.mirror.lock keeps a second mirror out.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "env/files.h"
#include "store/outbox.h"

namespace reeve::store {

enum class OutboxStart {
  kGoOn,     // where the cursor stands; from the beginning if the store has no outbox yet
  kRestart,  // every row is marked anew
};

// Opens the outbox of the store at `path` for what `target` names. Where the store has none, or with kRestart, one is made, for which the store must not be open
// for writing: kLocked, naming the holder. kLocked too if another mirror is at work; kRefused if the cursor is of another target; others as OpenSqliteReader.
// `files` outlives the outbox. `holder` is what others are told meanwhile.
[[nodiscard]] Result<std::unique_ptr<Outbox>> OpenSqliteOutbox(Files& files, const std::string& path, const std::string& target, const std::string& holder,
                                                               OutboxStart start);

// Looks, without any lock.
[[nodiscard]] Result<OutboxPeek> PeekSqliteOutbox(Files& files, const std::string& path);

// Removes outbox and cursor: changes leave no marks any more. kLocked while the store is open for writing or a mirror is at work.
[[nodiscard]] Result<> RemoveSqliteOutbox(Files& files, const std::string& path, const std::string& holder);

}  // namespace reeve::store
