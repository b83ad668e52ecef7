// Mirror: brings what a store's outbox says into another central dataset, until the seven tables there are those here, row for row.
//
// A row that has changed is deleted there and written as it is now, so nothing that was there before can stay; marks are done only after that is durable. So it does not
// matter where a mirror is stopped, nor how often: what is sent twice is right twice. Before the first step of a fresh outbox, rows of the target that this store does not have
// are deleted. Not for reeve's own tables. One mirror per outbox; one thread.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "env/clock.h"
#include "obs/progress.h"
#include "store/central_sink.h"
#include "store/outbox.h"

namespace reeve::migrate {

struct MirrorOptions {
  bool once = false;                 // end when nothing waits; else look again after `interval`
  Micros interval = 10 * kSecond;
  size_t marks_max = 0;              // in one step; 0: as many rows as the target takes in one merge
};

struct MirrorReport {
  uint64_t steps = 0, marks = 0, rows_written = 0, rows_deleted = 0;  // written, deleted: keys that exist here, or no more
  uint64_t waiting = 0;              // marks that are not done
  bool interrupted = false;
};

// One step: the oldest marks. Without any, steps stays 0. The target's schema must be there.
[[nodiscard]] Result<MirrorReport> MirrorStep(store::Outbox& outbox, store::CentralSink& target, size_t marks_max);

// Steps until nothing waits, then, unless `once`, again and again until it is interrupted (env/interrupt.h), which is no error.
[[nodiscard]] Result<MirrorReport> RunMirror(store::Outbox& outbox, store::CentralSink& target, const MirrorOptions& options, Clock& clock, obs::Progress& progress);

}  // namespace reeve::migrate
