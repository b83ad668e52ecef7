// Ids of requests and decisions: UUIDv7 (RFC 9562), and which ids of callers are taken over. For one thread.
#pragma once

#include <array>
#include <string_view>

#include "base/time_text.h"
#include "env/entropy.h"

namespace reeve::api {

inline constexpr size_t kRequestIdMax = 128;

// Whether a caller's X-Request-Id is kept: 1 to kRequestIdMax of A-Z a-z 0-9 . _ -
[[nodiscard]] bool IsSaneRequestId(std::string_view id);
// Whether a caller's traceparent is one (version 00, W3C Trace Context).
[[nodiscard]] bool IsTraceParent(std::string_view text);

using MadeId = std::array<char, 36>;

class IdMaker {
 public:
  // `entropy` outlives this; it is asked for many ids at a time.
  explicit IdMaker(Entropy& entropy) : entropy_(entropy) { text_.fill('-'); }
  // "0190c0de-1234-7abc-8def-0123456789ab", valid until the next call. `now`: wall time.
  [[nodiscard]] std::string_view Next(Micros now);

 private:
  Entropy& entropy_;
  std::array<char, 4096> pool_{};
  size_t left_ = 0;
  MadeId text_;                        // its dashes are there already
};

}  // namespace reeve::api
