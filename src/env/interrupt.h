// SIGINT and SIGTERM as a flag that long work polls between units. The second signal ends the process at once (exit 130).
#pragma once

namespace reeve {

// Installs the handlers; once per process.
void CatchInterrupts();
// True once a signal came. Safe from any thread.
[[nodiscard]] bool Interrupted();

}  // namespace reeve
