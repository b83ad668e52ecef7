// Rows of a mirror's target that stand in the way of rows that arrive: they hold a unique value that belongs to another row by now. Their own marks come later; until
// then they go. Plain functions.
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

}  // namespace reeve::migrate::mirror
