#include "tests/fakes/loopback_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/error.h"

namespace reeve::fakes {

LoopbackListener ListenOnLoopback(int backlog) {
  LoopbackListener listener;
  listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  REEVE_ASSERT(bind(listener.fd, generic, size) == 0 && listen(listener.fd, backlog) == 0);
  REEVE_ASSERT(getsockname(listener.fd, generic, &size) == 0);
  listener.port = ntohs(address.sin_port);
  return listener;
}

}  // namespace reeve::fakes
