// The Store port over the embedded store.
#pragma once

#include <memory>
#include <string>

#include "store/sqlite/sqlite_sink.h"
#include "store/store.h"

namespace reeve::store {

// Opens the store at `path` for serving; it then holds the lock. Errors as OpenSqliteSink.
[[nodiscard]] Result<std::unique_ptr<Store>> OpenSqliteStore(Files& files, const std::string& path, const std::string& holder);

// Looks without the lock, also while another process writes; every call sees the last commit. Errors as OpenSqliteReader.
[[nodiscard]] Result<std::unique_ptr<StoreReader>> OpenSqliteStoreReader(const std::string& path);

}  // namespace reeve::store
