// How far a mirror has come: a small file beside the store, so that a mirror needs not write to a store that is being served.
//
//   cursor := {"format":"reeve/mirror","version":1,"target":TEXT,"epoch":N,"done":N}      STORE.mirror, written whole (docs/formats/mirror.md)
//
// Plain functions; one process writes (it holds STORE.mirror.lock), others may read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "env/files.h"

namespace reeve::store {

struct OutboxCursor {
  std::string target;  // URL of where the marks went
  int64_t epoch = 0;   // of the outbox whose numbers these are
  int64_t done = 0;
};

[[nodiscard]] std::string CursorPath(const std::string& store_path);
// nullopt: there is none. kCorrupt if it is damaged or of a newer version.
[[nodiscard]] Result<std::optional<OutboxCursor>> ReadCursor(Files& files, const std::string& store_path);
[[nodiscard]] Result<> WriteCursor(Files& files, const std::string& store_path, const OutboxCursor& cursor);

}  // namespace reeve::store
