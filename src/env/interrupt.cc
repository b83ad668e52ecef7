#include "env/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace reeve {
namespace {

// Set by a signal on whichever thread it comes to, polled by others. Without a lock, or a handler could not touch it.
std::atomic<bool> g_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void OnSignal(int) {
  if (g_interrupted.exchange(true)) _exit(130);
}

}  // namespace

void CatchInterrupts() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  std::signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() { return g_interrupted.load(std::memory_order_relaxed); }

}  // namespace reeve
