// An HTTP request as it was read, and an answer as it will be written. Values of one connection and one thread; a Request's texts are views into the
// connection's buffer and end with the call that they were handed to.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"

namespace reeve::api {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

// "GET"; empty for kOther.
[[nodiscard]] std::string_view MethodName(Method method);

struct Field {
  std::string_view name, value;  // value without the white space around it
};

struct Request {
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view path;    // as sent, not decoded; begins with '/'
  std::string_view query;   // without the '?'
  bool http11 = true;
  bool keep_alive = true;   // what version and Connection say
  std::span<const Field> fields;
  // The fields that are asked for at every request; empty if absent.
  std::string_view authorization, api_key, accept, content_type, request_id, traceparent;
  uint8_t authorizations = 0, api_keys = 0;  // how often the field stands there
  bool expects_continue = false;
  bool expects_other = false;   // an Expect that nobody knows
  bool chunked = false;
  std::optional<uint64_t> content_length;
  std::string_view body;

  [[nodiscard]] bool HasBody() const { return chunked || content_length.value_or(0) > 0; }
  // The first field of this name, in any case; empty if there is none.
  [[nodiscard]] std::string_view Find(std::string_view name) const;
};

// Equality of ASCII texts without regard to case.
[[nodiscard]] bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// One answer under construction. Content-Length, Connection and the emptiness of an answer to HEAD are the connection's (exchange.h).
class Reply {
 public:
  int status = 200;
  std::string fields;  // "Name: value\r\n" each
  std::string body;
  bool close = false;  // the connection ends with this answer

  void Clear() {
    status = 200;
    fields.clear();
    body.clear();
    close = false;
  }
  // REQUIRES: `value` is text of ours, or passed through FieldText.
  void Add(std::string_view name, std::string_view value) {
    fields.append(name).append(": ").append(value).append("\r\n");
  }
  void Add(std::string_view name, int64_t value);
};

// `text` as the value of a field: bytes other than visible ASCII, and '%', as %XX. Distinct texts stay distinct.
[[nodiscard]] std::string FieldText(std::string_view text);

// "404 Not Found"; REQUIRES: a status that is used here.
[[nodiscard]] std::string_view StatusLine(int status);

// "Wed, 25 Nov 2026 09:00:00 GMT".
[[nodiscard]] std::string HttpDate(Micros instant);

}  // namespace reeve::api
