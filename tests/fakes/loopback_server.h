// LoopbackServer: a small HTTP/1.1 server on 127.0.0.1 for tests of what speaks HTTP: it answers by a function, and misbehaves as the answer says.
//
// What it keeps of the protocol (RFC 9112): connections stay open until either side closes; bodies of requests come with Content-Length; answers go out
// with Content-Length or chunked. It is no model of any service. One thread per connection; the function is called from all of them, so it guards what it
// shares. Limits: 1 MiB of request head, 256 MiB of request body.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::fakes {

struct LoopbackRequest {
  std::string method;
  std::string target;                                        // path and query, as sent
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  uint64_t connection = 0;                                   // number of the connection, from 1

  [[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }
  // The header of this name (given in lower case), empty if absent.
  [[nodiscard]] std::string Header(std::string_view name) const;
  // The decoded query parameter, empty if absent.
  [[nodiscard]] std::string Query(std::string_view name) const;
};

enum class Misbehaviour : uint8_t {
  kNone,
  kCloseBeforeAnswer,  // the connection is closed without a byte
  kReset,              // the same, by a reset
  kBreakInHead,        // closed after a piece of the head
  kBreakInBody,        // closed after half of the body
  kStall,              // nothing is answered until the client goes away or the server is destroyed
  kStallInBody,        // the same after half of the body
};

struct LoopbackAnswer {
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  Misbehaviour misbehaviour = Misbehaviour::kNone;
  bool chunked = false;   // in chunks of 1,000 bytes; otherwise Content-Length
  bool close = false;     // the connection is closed after the answer
  std::string raw = {};   // not empty: these bytes are sent as they are, then the connection is closed
};

class LoopbackServer {
 public:
  using Handler = std::function<LoopbackAnswer(const LoopbackRequest& request)>;

  explicit LoopbackServer(Handler handler);
  // Ends every connection, also those that stall.
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] int port() const;
  [[nodiscard]] std::string url() const;  // "http://127.0.0.1:PORT"
  // Everything that arrived whole, in order of arrival.
  [[nodiscard]] std::vector<LoopbackRequest> requests() const;
  [[nodiscard]] uint64_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeve::fakes
