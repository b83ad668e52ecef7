// How many processors this process may use. Safe from any thread.
#pragma once

namespace reeve {

// At least 1. What the process was confined to (taskset, cpuset of a container) counts, which std::thread::hardware_concurrency() does not look at
// everywhere.
[[nodiscard]] int UsableProcessors();

}  // namespace reeve
