#include "env/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace reeve {
namespace {

volatile std::sig_atomic_t g_interrupts = 0;

void OnSignal(int) {
  if (g_interrupts != 0) _exit(130);
  g_interrupts = 1;
}

}  // namespace

void CatchInterrupts() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  std::signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() { return g_interrupts != 0; }

}  // namespace reeve
