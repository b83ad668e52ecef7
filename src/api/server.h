// Server: the HTTP server of a gate: listeners, event loops, drain. Not for what requests mean (service.h), not for the gate's life, which is the caller's.
//
// Start, Drain and Stop from one thread; the rest from any. The loops' threads are the server's own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/event_loop.h"
#include "api/exchange.h"
#include "api/service.h"

namespace reeve::api {

inline constexpr size_t kThreadsMax = 64;

struct ServerOptions {
  Endpoint listen = {"127.0.0.1", 8080};
  // Where admin routes and /metrics are served. Unset: at `listen` if only this machine reaches that, else nowhere.
  std::optional<Endpoint> admin_listen;
  std::unique_ptr<TlsIdentity> tls;      // of `listen`; and of admin_listen, unless that is loopback
  bool insecure_plaintext = false;       // an address that others reach, without TLS
  size_t threads = 1;
  size_t connections_max = 4'096;
  size_t connections_of_address_max = 64;  // of one peer; peers on this machine are gateways and have no such limit
  Limits limits;
  Micros drain_delay = kSecond;          // between /readyz saying no and the listeners closing
  Micros drain_limit = 20 * kSecond;     // for requests that are on their way
  ServiceOptions service;
};

class Server {
 public:
  virtual ~Server() = default;           // stops at once if it was not drained
  [[nodiscard]] virtual Endpoint endpoint() const = 0;
  // Where the admin routes are; unset: nowhere.
  [[nodiscard]] virtual std::optional<Endpoint> admin_endpoint() const = 0;
  // /readyz says no; after drain_delay nobody is let in; connections end with their next answer, at the latest after drain_limit. Blocks until then.
  virtual void Drain() = 0;
  // The number of requests answered that could be; for tests and the last line of a log.
  [[nodiscard]] virtual size_t open_connections() const = 0;
};

// Binds, listens and serves. `gate`, `clock`, `entropy`, `files` outlive the server; the gate must be drained before the server is destroyed, so that no answer
// comes for a server that is gone. kUsage: a listening address that needs TLS or insecure_plaintext. kFailed: an address cannot be had.
[[nodiscard]] Result<std::unique_ptr<Server>> StartServer(gate::Gate& gate, Clock& clock, Entropy& entropy, Files& files, ServerOptions options);

}  // namespace reeve::api
