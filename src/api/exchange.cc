#include "api/exchange.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace reeve::api {
namespace {

constexpr size_t kBufferBytes = 4 * 1024;        // enough for nearly every request
constexpr size_t kOutputBytesMax = 64 * 1024;    // of collected answers, before the peer must read some
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Exchange::Exchange(Handler& handler, const Limits& limits, const bool* draining, Micros now)
    : handler_(handler), limits_(limits), draining_(draining), buffer_(kBufferBytes) {
  SetDeadline(now);
}

std::span<char> Exchange::Space() {
  REEVE_ASSERT(want_ == Want::kRead);
  request_moved_ = true;
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > 4 * kBufferBytes) std::vector<char>(kBufferBytes).swap(buffer_);
  }
  if (end_ == buffer_.size() && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // The limits of head and body end this. A body of known length gets what it needs and no more.
  if (end_ == buffer_.size())
    buffer_.resize(state_ == State::kBody ? std::max(buffer_.size() + kBufferBytes, head_bytes_ + static_cast<size_t>(*request_.content_length))
                                          : std::min(buffer_.size() * 2, buffer_.size() + 4 * kBufferBytes));
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void Exchange::Received(size_t size, Micros now) {
  REEVE_ASSERT(want_ == Want::kRead && size <= buffer_.size() - end_);
  if (state_ == State::kBody || state_ == State::kChunks || state_ == State::kSkip) body_received_ += size;
  end_ += size;
  Advance(now);
}

void Exchange::Ended() {
  ended_ = true;
  if (want_ == Want::kRead) want_ = Want::kClose;
}

void Exchange::Sent(Micros now) {
  REEVE_ASSERT(want_ == Want::kSend);
  output_.clear();
  if (output_.capacity() > 2 * kOutputBytesMax) output_.shrink_to_fit();
  want_ = Want::kRead;
  Advance(now);
}

bool Exchange::Finish(Ticket ticket, const Reply& reply, Micros now) {
  if (want_ != Want::kAnswer || ticket != ticket_) return false;
  want_ = Want::kRead;
  Write(reply);
  Advance(now);
  return true;
}

void Exchange::Expire(Micros now) {
  if (want_ == Want::kSend || want_ == Want::kAnswer || idle() || state_ == State::kSkip) {
    want_ = Want::kClose;
    lingers_ = false;
    return;
  }
  if (want_ != Want::kRead) return;
  Refuse(Fault::kTimeout);
  Advance(now);
}

void Exchange::Advance(Micros now) {
  while (want_ == Want::kRead && !close_ && output_.size() < kOutputBytesMax && Step(now)) {
  }
  if (want_ == Want::kRead) {  // and not kAnswer: earlier answers wait for that one and go out with it
    if (!output_.empty())
      want_ = Want::kSend;
    else if (close_ || ended_)
      want_ = Want::kClose;
  }
  SetDeadline(now);
}

bool Exchange::Step(Micros now) {
  switch (state_) {
    case State::kHead: return StepHead(now);
    case State::kBody: return StepBody();
    case State::kChunks: return StepChunks();
    case State::kSkip: return StepSkip();
    case State::kEnd: return false;
  }
  return false;
}

bool Exchange::StepHead(Micros now) {
  if (begin_ == end_) return false;
  const size_t head_bytes = FindHeadEnd(unread(), looked_at_);
  if (head_bytes == std::string_view::npos) {
    if (looked_at_ == 0) began_ = now;
    return CheckUnfinishedHead();
  }
  looked_at_ = 0;
  request_moved_ = false;
  ++requests_;
  const Fault fault = ParseHead(unread().substr(0, head_bytes), limits_.gateway_fields, &fields_, &request_);
  head_only_ = request_.method == Method::kHead;
  http11_ = request_.http11;
  keep_alive_ = request_.keep_alive;
  head_bytes_ = head_bytes;
  if (const Fault why = fault != Fault::kNone ? fault : CheckHead(); why != Fault::kNone) {
    Refuse(why);
    return false;
  }
  return TakeHead(head_bytes, now);
}

// What is there of a head: still allowed to grow?
bool Exchange::CheckUnfinishedHead() {
  const std::string_view bytes = unread();
  const bool hopeless = IsHopeless(bytes, looked_at_);
  if (!hopeless && bytes.size() <= HeadMax()) {
    looked_at_ = bytes.size();
    return false;
  }
  request_ = Request();
  head_only_ = false;
  http11_ = true;
  Refuse(hopeless ? Fault::kMalformed : Fault::kHeadTooLarge);
  return false;
}

// By the path, as far as it is there.
size_t Exchange::HeadMax() const {
  const std::string_view line = unread().substr(0, 256);
  const size_t space = line.find(' ');
  const bool gateway = space != std::string_view::npos && handler_.IsGatewayDoor(line.substr(space + 1, line.find_first_of(" ?", space + 1) - space - 1));
  return gateway ? limits_.gateway_head_bytes : limits_.head_bytes;
}

Fault Exchange::CheckHead() const {
  const bool gateway = handler_.IsGatewayDoor(request_.path);
  if (head_bytes_ > (gateway ? limits_.gateway_head_bytes : limits_.head_bytes)) return Fault::kHeadTooLarge;
  if (request_.fields.size() > (gateway ? limits_.gateway_fields : limits_.fields)) return Fault::kTooManyFields;
  return Fault::kNone;
}

// A head is there and sound: what about its body?
bool Exchange::TakeHead(size_t head_bytes, Micros now) {
  began_ = now;
  body_received_ = 0;
  if (!request_.HasBody() && !request_.expects_other) {
    Dispatch({}, head_bytes);
    return true;
  }
  const BodyPlan plan = handler_.PlanBody(request_);
  if (plan.answer_on_head) {
    const bool drains = !request_.chunked && request_.content_length.value_or(0) <= limits_.drained_body_bytes;
    if (drains)
      skip_bytes_ = request_.content_length.value_or(0);
    else
      keep_alive_ = false, leaves_body_ = true;
    Dispatch({}, head_bytes);
    return true;
  }
  if (request_.expects_other) return Refuse(Fault::kExpectation), false;
  if (request_.content_length.value_or(0) > plan.bytes_max) return Refuse(Fault::kBodyTooLarge), false;
  if (request_.chunked && plan.bytes_max == 0) return Refuse(Fault::kBodyTooLarge), false;
  body_received_ = unread().size() - head_bytes;
  state_ = request_.chunked ? State::kChunks : State::kBody;
  if (request_.chunked) chunks_ = std::make_unique<ChunkedBody>(plan.bytes_max);
  if (request_.expects_continue && http11_ && body_received_ == 0) output_ += kContinue;
  return true;
}

bool Exchange::StepBody() {
  const auto length = static_cast<size_t>(*request_.content_length);
  if (unread().size() - head_bytes_ < length) return false;
  state_ = State::kHead;
  ReadHeadAgain();
  Dispatch(unread().substr(head_bytes_, length), head_bytes_ + length);
  return true;
}

bool Exchange::StepChunks() {
  const size_t at = begin_ + head_bytes_;
  size_t used = 0;
  const Fault fault = chunks_->Feed({buffer_.data() + at, end_ - at}, &used);
  if (fault != Fault::kNone) return Refuse(fault), false;
  if (!chunks_->done()) {
    end_ = at;  // all is taken; the head stays
    return false;
  }
  state_ = State::kHead;
  ReadHeadAgain();
  const std::unique_ptr<ChunkedBody> chunks = std::move(chunks_);
  Dispatch(chunks->body(), head_bytes_ + used);
  return true;
}

// Its body came later, and the buffer may have moved meanwhile.
void Exchange::ReadHeadAgain() {
  if (!request_moved_) return;
  REEVE_ASSERT(ParseHead(unread().substr(0, head_bytes_), limits_.gateway_fields, &fields_, &request_) == Fault::kNone);
}

bool Exchange::StepSkip() {
  const auto here = static_cast<size_t>(std::min<uint64_t>(skip_bytes_, end_ - begin_));
  Consume(here);
  skip_bytes_ -= here;
  if (skip_bytes_ > 0) return false;
  state_ = State::kHead;
  return begin_ < end_;
}

// Hands the request over; `used`: its bytes in the buffer.
void Exchange::Dispatch(std::string_view body, size_t used) {
  request_.body = body;
  reply_.Clear();
  ++ticket_;
  const Handler::Answer answer = handler_.Handle(request_, ticket_, &reply_);
  request_ = Request();
  Consume(used);
  if (skip_bytes_ > 0) state_ = State::kSkip;
  if (answer == Handler::Answer::kLater)
    want_ = Want::kAnswer;
  else
    Write(reply_);
}

void Exchange::Refuse(Fault fault) {
  reply_.Clear();
  handler_.Refuse(fault, request_, &reply_);
  reply_.close = true;
  request_ = Request();
  state_ = State::kEnd;
  Write(reply_);
}

void Exchange::Write(const Reply& reply) {
  const bool unread_left = state_ == State::kEnd || leaves_body_ || skip_bytes_ > 0 || end_ > begin_;
  const bool close = reply.close || !keep_alive_ || ended_ || (draining_ != nullptr && *draining_);
  output_.append("HTTP/1.1 ").append(StatusLine(reply.status)).append("\r\n").append(reply.fields);
  if (close)
    output_ += "Connection: close\r\n";
  else if (!http11_)
    output_ += "Connection: keep-alive\r\n";
  output_.append("Content-Length: ").append(std::to_string(reply.body.size())).append("\r\n\r\n");
  if (!head_only_) output_ += reply.body;
  if (close) {
    close_ = true;
    lingers_ = unread_left;
    state_ = State::kEnd;
  }
}

void Exchange::Consume(size_t size) {
  begin_ += size;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Exchange::SetDeadline(Micros now) {
  if (want_ == Want::kSend) {
    deadline_ = now + limits_.send_time;
  } else if (want_ == Want::kAnswer || want_ == Want::kClose) {
    deadline_ = kTimeMax;
  } else if (state_ == State::kBody || state_ == State::kChunks || state_ == State::kSkip) {
    deadline_ = began_ + limits_.body_grace + static_cast<Micros>(body_received_ / limits_.body_bytes_per_second) * kSecond;
  } else if (begin_ < end_) {
    deadline_ = began_ + limits_.head_time;
  } else {
    deadline_ = now + limits_.idle_time;
  }
}

}  // namespace reeve::api
