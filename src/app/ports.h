// The real ports of the command line: which URL is which adapter, and the files of settings, plans and keys. The only place that names adapters.
#pragma once

#include <memory>

#include "cli/session.h"

namespace reeve::app {

// `files`, `clock` and `entropy` outlive the ports.
[[nodiscard]] std::unique_ptr<cli::Ports> MakePorts(Files& files, Clock& clock, Entropy& entropy);

}  // namespace reeve::app
