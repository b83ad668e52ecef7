// Exchange: one HTTP/1 connection as a state machine without input and output. Bytes that arrived go in, bytes to send come out; what a request means
// is a Handler's. Not for sockets (connection.cc) and not for routes (service.h).
//
// Keep-alive, pipelining (answers in order, collected into one write), 100-continue, HEAD, drain and close of bodies that nobody reads, and every limit
// of §Limits are here, so that a test and a fuzzer can drive all of it. One thread; `now` is a reading of the steady clock.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/http_parser.h"
#include "api/http.h"

namespace reeve::api {

// §Limits.
struct Limits {
  size_t head_bytes = 16 * 1024;
  size_t fields = 64;
  // Of a gateway's door: gateways add fields to those of their client, and some repeat its URL.
  size_t gateway_head_bytes = 64 * 1024;
  size_t gateway_fields = 256;
  uint64_t drained_body_bytes = 64 * 1024;  // of a body that nobody reads; more costs the connection
  Micros head_time = 5 * kSecond;           // from a head's first byte to its last
  Micros body_grace = 5 * kSecond;          // before the rate of a body counts
  uint64_t body_bytes_per_second = 1024;
  Micros idle_time = 60 * kSecond;          // between requests
  Micros send_time = 20 * kSecond;          // until the peer has taken what is sent
};

// How the body of a request is to be treated, known from its head.
struct BodyPlan {
  bool answer_on_head = false;  // a gateway's question: never waits for a body, whatever is announced
  uint64_t bytes_max = 0;       // else: more is refused
};

// Which request an answer belongs to that comes later. Tickets are not used twice.
using Ticket = uint64_t;

// What a request means. Called by Exchange on the connection's thread.
class Handler {
 public:
  enum class Answer : uint8_t { kNow, kLater };
  virtual ~Handler() = default;
  // Whether the path is a gateway's door, for which the wider limits hold. The path may be cut off at its end.
  virtual bool IsGatewayDoor(std::string_view path) = 0;
  virtual BodyPlan PlanBody(const Request& request) = 0;
  // Answers into `reply`, or keeps `ticket` and answers through Exchange::Finish; until then the texts of `request`, but for its body, stay where they are.
  virtual Answer Handle(const Request& request, Ticket ticket, Reply* reply) = 0;
  // Answers a request that cannot be served; `request` has what could be read of it.
  virtual void Refuse(Fault fault, const Request& request, Reply* reply) = 0;
};

class Exchange {
 public:
  // What the connection should do next.
  enum class Want : uint8_t {
    kRead,    // bytes into Space(), then Received
    kSend,    // all of output(), then Sent
    kAnswer,  // nothing: a handler has the request
    kClose,   // end the connection; if lingers(), after the peer has had a chance to read
  };

  // `handler` and `limits` outlive the exchange; `draining` (may be null) says that answers are the last of their connection.
  Exchange(Handler& handler, const Limits& limits, const bool* draining, Micros now);

  [[nodiscard]] Want want() const { return want_; }
  // REQUIRES: want() is kRead
  [[nodiscard]] std::span<char> Space();
  void Received(size_t size, Micros now);
  // The peer sends no more. An answer that is being made still goes out.
  void Ended();
  // REQUIRES: want() is kSend
  [[nodiscard]] std::string_view output() const { return output_; }
  void Sent(Micros now);
  // The answer that was to come later. False, and nothing happens, if the ticket is not the one waited for.
  bool Finish(Ticket ticket, const Reply& reply, Micros now);

  // When the peer has had enough time; then Expire.
  [[nodiscard]] Micros deadline() const { return deadline_; }
  void Expire(Micros now);
  // No request has begun: may be closed at any time.
  [[nodiscard]] bool idle() const { return want_ == Want::kRead && begin_ == end_ && state_ == State::kHead; }
  [[nodiscard]] bool lingers() const { return lingers_; }
  // The ticket that Finish waits for; 0: none.
  [[nodiscard]] Ticket waiting() const { return want_ == Want::kAnswer ? ticket_ : 0; }
  [[nodiscard]] uint64_t requests() const { return requests_; }

 private:
  enum class State : uint8_t { kHead, kBody, kChunks, kSkip, kEnd };

  void Advance(Micros now);
  bool Step(Micros now);
  bool StepHead(Micros now);
  bool StepBody();
  bool StepChunks();
  bool StepSkip();
  bool CheckUnfinishedHead();
  [[nodiscard]] size_t HeadMax() const;
  [[nodiscard]] Fault CheckHead() const;
  bool TakeHead(size_t head_bytes, Micros now);
  void ReadHeadAgain();
  void Dispatch(std::string_view body, size_t used);
  void Refuse(Fault fault);
  void Write(const Reply& reply);
  void Consume(size_t size);
  void SetDeadline(Micros now);
  [[nodiscard]] std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }

  Handler& handler_;
  const Limits& limits_;
  const bool* draining_;

  Want want_ = Want::kRead;
  State state_ = State::kHead;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;     // unread bytes
  size_t looked_at_ = 0;           // of them, while the head is not complete
  size_t head_bytes_ = 0;          // while the body is being read
  uint64_t skip_bytes_ = 0;
  std::unique_ptr<ChunkedBody> chunks_;
  std::vector<Field> fields_;
  Request request_;
  bool request_moved_ = false;     // the buffer was given away for reading since the head was read
  Reply reply_;
  std::string output_;
  bool close_ = false;             // after what is in output_
  bool lingers_ = false;
  bool leaves_body_ = false;       // announced by a request, and never read
  bool ended_ = false;
  bool head_only_ = false;         // of the request that is answered
  bool http11_ = true;
  bool keep_alive_ = true;
  Micros began_ = 0;               // first byte of the head; then its end
  uint64_t body_received_ = 0;
  Micros deadline_ = 0;
  Ticket ticket_ = 0;
  uint64_t requests_ = 0;
};

}  // namespace reeve::api
