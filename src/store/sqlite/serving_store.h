// The ServingStore port over the embedded store.
//
// It holds the store's lock for as long as it lives, and its connection alone writes and checkpoints, between commits. Load reads through connections
// of its own, two at a time. Thread rules are those of ServingStore. Reasons: docs/adr/0014-the-ledger.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "env/clock.h"
#include "env/files.h"
#include "store/serving_store.h"

namespace reeve::store {

struct ServingLimits {
  Clock* clock = nullptr;             // to know what bringing in uses costs (UseLoad::cost); null: not known
  int64_t log_pages_max = 16'000;  // the log moves into the file when it has so many (64 MiB), if no reader holds it
  uint64_t commit_segment_bytes = 8u << 20;  // of each file of the commit log
};

// Opens the store at `path`, which must exist. Tables and indexes that a store of an older format lacks are made. Where the last process did not end in order,
// the store is looked at first: pages, if they are few, the counters of those who wrote last against the ledger, the marks against its newest rows; what
// follows from the ledger is mended. What was made, mended or left out is said in `notes`, one sentence each, for the operator.
// `files` outlives the store. Errors as OpenSqliteSink (kLocked: names the holder); kRefused also for a schema that is not ours; kCorrupt if the look found damage.
[[nodiscard]] Result<std::unique_ptr<ServingStore>> OpenSqliteServingStore(Files& files, const std::string& path, const std::string& holder,
                                                                           std::vector<std::string>* notes = nullptr, ServingLimits limits = {});

}  // namespace reeve::store
