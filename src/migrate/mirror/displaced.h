// Rows of a mirror's target that have to go although nobody says so: those that stand in the way of rows that arrive, since they hold a unique value that belongs
// to another row by now (their own marks come later), and those of a target that was not empty when its mirror began. Plain functions.
#pragma once

#include <list>
#include <span>
#include <vector>

#include "store/central_sink.h"

namespace reeve::migrate::mirror {

// The rows under other stored keys that have a unique value of a row in `upserts`, and what belongs to customers among them. `kept` holds what the deletions point
// into. For targets that enforce uniqueness: it looks each row up.
[[nodiscard]] Result<std::vector<store::CentralSink::Deletion>> FindDisplaced(store::CentralReader& target, std::span<const catalog::RowBatch> upserts,
                                                                             std::list<catalog::RowBatch>* kept);

// Deletes every row of the target's seven tables whose key `source` does not have; how many. Where a customer goes, so does all that names it. REQUIRES: every row of
// the source has a mark that is not done, so that what should not have gone comes back
[[nodiscard]] Result<uint64_t> SweepTarget(store::CentralReader& source, store::CentralSink& target);

}  // namespace reeve::migrate::mirror
