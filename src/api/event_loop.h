// Event loops, listening sockets and byte streams over TCP, or over TLS by Boost.Asio. Not for HTTP: what the bytes mean is connection.h's.
//
// An EventLoop runs in one thread; its streams belong to that thread. Post and Stop are safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "base/time_text.h"

namespace reeve::api {

// A certificate chain and its key, ready for handshakes: TLS 1.2 and newer.
class TlsIdentity {
 public:
  virtual ~TlsIdentity() = default;
};
// From PEM texts. kUsage: not these, or the key is not the certificate's.
[[nodiscard]] Result<std::unique_ptr<TlsIdentity>> MakeTlsIdentity(std::string_view certificates, const Secret& key);

class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  // A handshake is done (at once without TLS), or failed.
  virtual void OnOpen(bool ok) = 0;
  // `size` bytes are in the space that Receive was given; 0: the peer sends no more, or the connection broke.
  virtual void OnReceived(size_t size) = 0;
  virtual void OnSent(bool ok) = 0;
};

// One connection. Calls back on its loop's thread, not from within Receive and Send, and not at all after Close. May be closed, not destroyed, within a callback.
class Stream {
 public:
  enum class Io : uint8_t { kDone, kLater, kFailed };
  virtual ~Stream() = default;
  // REQUIRES: `events` lives until Close
  virtual void Open(StreamEvents* events) = 0;
  // One at a time; `space` stays where it is until OnReceived.
  virtual void Receive(std::span<char> space) = 0;
  // All of `bytes`, which stay where they are until OnSent if this is kLater.
  [[nodiscard]] virtual Io Send(std::string_view bytes) = 0;
  // Says that nothing more will be sent.
  virtual void EndSending() = 0;
  virtual void Close() = 0;
};

class EventLoop {
 public:
  virtual ~EventLoop() = default;
  // Until Stop.
  virtual void Run() = 0;
  virtual void Stop() = 0;
  virtual void Post(std::function<void()> work) = 0;
  // Calls `work` about every `interval` from now on; once per loop, before Run.
  virtual void Every(Micros interval, std::function<void()> work) = 0;
  // Calls `work` in each turn, when those streams that had something have been told and what was posted is done: of all plain streams that were ready
  // together, of a TLS stream alone. Once per loop, before Run.
  virtual void AfterEvents(std::function<void()> work) = 0;
  // Takes over an accepted socket; with TLS if `tls` is set, which outlives the stream. On the loop's thread.
  [[nodiscard]] virtual std::unique_ptr<Stream> Adopt(int socket, TlsIdentity* tls) = 0;
};
[[nodiscard]] std::unique_ptr<EventLoop> MakeEventLoop();

struct Endpoint {
  std::string host;        // "127.0.0.1", "::1"
  uint16_t port = 0;       // 0: the system chooses
};
// "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080" (every address). kUsage for anything else.
[[nodiscard]] Result<Endpoint> ParseEndpoint(std::string_view text);
[[nodiscard]] std::string EndpointText(const Endpoint& endpoint);
// Whether only this machine can reach it.
[[nodiscard]] bool IsLoopback(const Endpoint& endpoint);

// What is known of a peer before it says anything.
struct Accepted {
  int socket = -1;
  std::string address;     // for counting: IPv4, or the /64 of IPv6
  bool loopback = false;
};

class Listener {
 public:
  virtual ~Listener() = default;
  // Calls `accept` for each connection, on the loop's thread; it owns the socket then.
  virtual void Start(std::function<void(const Accepted&)> accept) = 0;
  virtual void Close() = 0;   // on the loop's thread
  [[nodiscard]] virtual Endpoint endpoint() const = 0;  // with the port that it has
};
// Bound and listening. kFailed: the address is taken, or is none of this machine's.
[[nodiscard]] Result<std::unique_ptr<Listener>> Listen(EventLoop& loop, const Endpoint& endpoint);

}  // namespace reeve::api
