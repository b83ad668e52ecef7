// Byte streams over TCP without TLS, watched by an event loop's poll set.
//
// Asio would ask every socket again after each message whether there is more; here the kernel says so, and everybody who has something is read before
// anybody is answered, so that questions can be decided together (EventLoop::AfterEvents). For the loop's thread. Reasons: docs/adr/0016-http-server.md.
#pragma once

#include <memory>

#include "api/event_loop.h"
#include "api/poll_set.h"

namespace reeve::api {

// Takes over a connected socket that does not block; null, and it is closed, if it cannot be watched. `loop`, whose set `set` is, outlives the stream.
[[nodiscard]] std::unique_ptr<Stream> MakePlainStream(EventLoop& loop, PollSet& set, int socket);

}  // namespace reeve::api
