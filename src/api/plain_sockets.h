// PlainSockets: byte streams over TCP without TLS, many at a time, by a poll set of their own (epoll).
//
// Asio would ask every socket again after each message whether there is more; here the kernel says so, and everybody who has something is read before
// anybody is answered, so that questions can be decided together (EventLoop::AfterEvents). For one thread. Streams may be closed, but not destroyed, from
// within their own callbacks. Reasons: docs/adr/0016-http-server.md.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "api/event_loop.h"

namespace reeve::api {

class PlainSockets {
 public:
  // `post` runs work on this thread later; `after_events` is called when those who had something have been told.
  PlainSockets(std::function<void(std::function<void()>)> post, std::function<void()> after_events);
  ~PlainSockets();
  PlainSockets(const PlainSockets&) = delete;
  PlainSockets& operator=(const PlainSockets&) = delete;

  // Readable when Poll has something to do.
  [[nodiscard]] int descriptor() const { return set_; }
  // Tells everybody what happened since the last time; never waits, and returns after a bounded while although there may be more.
  void Poll();
  // Takes over a connected socket that does not block; it is closed if it cannot be watched (null).
  [[nodiscard]] std::unique_ptr<Stream> Adopt(int socket);

 private:
  class PlainStream;
  const int set_;
  const std::function<void(std::function<void()>)> post_;
  const std::function<void()> after_events_;
};

}  // namespace reeve::api
