// The tap for how the system shares processors between threads.
#pragma once

namespace reeve {

// From now on the calling thread gives way to the others of this machine, as far as the system lets it; it cannot be taken back without privilege. For work that nobody
// waits for. Says nothing where it cannot be done: the thread then merely competes.
void GiveWayToOtherThreads();

}  // namespace reeve
