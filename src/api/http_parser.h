// HTTP/1 requests, from bytes to a Request: heads, and bodies in chunks. Not for limits of size and time, which are the connection's (exchange.h).
//
// Strict: what two programs could read in two ways is refused, since a gateway may stand in front. Beast's parser does the grammar; on top of
// it these are refused: Content-Length given twice or as a list, together with Transfer-Encoding, or with anything but digits; a Transfer-Encoding
// other than "chunked", or with HTTP/1.0; folded lines; no Host or several with HTTP/1.1; a target that is neither a path nor http://host/path;
// a fragment; chunk extensions and trailers. Bare LF, NUL and other control characters are no grammar at all. Functions are pure; a ChunkedBody is for one
// body and one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"

namespace reeve::api {

// Why a request cannot be served as it came over the wire.
enum class Fault : uint8_t {
  kNone,
  kMalformed,       // 400
  kVersion,         // 505: neither HTTP/1.0 nor 1.1
  kTarget,          // 400
  kHost,            // 400
  kLength,          // 400: Content-Length
  kEncoding,        // 400: Transfer-Encoding, or a broken chunk
  kExpectation,     // 417
  kHeadTooLarge,    // 431
  kTooManyFields,   // 431
  kBodyTooLarge,    // 413
  kTimeout,         // 408
};

// Where the head at the front of `bytes` ends (behind its empty line); npos: not yet all there. `from`: bytes that were looked at before.
[[nodiscard]] size_t FindHeadEnd(std::string_view bytes, size_t from);

// Whether the beginning of a head that is not all there yet can no longer become one: a bare LF, or a control character. `from`: bytes that were looked at
// before.
[[nodiscard]] bool IsHopeless(std::string_view bytes, size_t from);

// Reads `head`, which ends with its empty line, into `request` (views into `head`); `fields` is the memory for its fields. `request` is as good as can be
// after a fault too: method, path and key, if they came before it.
[[nodiscard]] Fault ParseHead(std::string_view head, size_t fields_max, std::vector<Field>* fields, Request* request);

// A body in chunks (RFC 9112 §7.1), put together within a limit. Ours and not Beast's, whose parser of chunks asserts that bytes come in
// certain portions.
//
//   body := { chunk } "0" CRLF CRLF      chunk := size CRLF size × byte CRLF      size := 1 to 8 hex digits, not zero
class ChunkedBody {
 public:
  // `limit`: bytes of the body, without its framing.
  explicit ChunkedBody(uint64_t limit) : limit_(limit) {}

  // Takes bytes from the front of `bytes` and sets `used` to how many: all of them unless the body ends before. kEncoding: no chunks; kBodyTooLarge:
  // beyond the limit. Not to be called again after a fault, nor when done().
  [[nodiscard]] Fault Feed(std::string_view bytes, size_t* used);
  [[nodiscard]] bool done() const { return state_ == State::kDone; }
  // REQUIRES: done()
  [[nodiscard]] std::string_view body() const { return body_; }

 private:
  enum class State : uint8_t { kSize, kSizeLf, kData, kDataCr, kDataLf, kLastCr, kLastLf, kDone };
  [[nodiscard]] Fault TakeSize(char c);
  [[nodiscard]] Fault Expect(char c, char expected, State next);

  const uint64_t limit_;
  State state_ = State::kSize;
  uint64_t size_ = 0;     // of the chunk; then what is left of it
  size_t digits_ = 0;
  std::string body_;
};

}  // namespace reeve::api
