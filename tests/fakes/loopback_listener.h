// A listening socket on 127.0.0.1, on a port that the system chooses: what the servers of the tests stand on. No thread of its own.
#pragma once

namespace reeve::fakes {

struct LoopbackListener {
  int fd = -1;   // the caller closes it
  int port = 0;
};

// Asserts that it can be had. `backlog`: connections that may wait to be accepted.
[[nodiscard]] LoopbackListener ListenOnLoopback(int backlog);

}  // namespace reeve::fakes
