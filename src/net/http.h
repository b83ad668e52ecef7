// HttpClient: one outgoing HTTP request, one answer. Not for retrying (net/retry.h) and not for meaning: a 500 is an answer.
//
// Safe from any thread; a call blocks until the answer is whole, the time is over or the connection breaks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "env/interrupt.h"

namespace reeve::net {

using Header = std::pair<std::string, std::string>;  // name, value

struct HttpRequest {
  std::string method = "GET";
  std::string url;                                // http:// or https://
  std::vector<Header> headers;                    // may hold secrets: never printed
  std::string body;
  Micros timeout = 60 * kSecond;                  // for the whole exchange
  uint64_t response_bytes_max = 64 * 1024 * 1024;  // after decompression; more is an error
  bool direct = false;                            // through no proxy, whatever the environment says (never through one to loopback)
  bool even_if_interrupted = false;               // for tidying up after an interrupt
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers;  // names in lower case
  std::string body;
  bool maybe_resent = false;  // a kept connection was gone: the request may have arrived twice, and this is the answer to the second
  // The first header of this name (given in lower case), or nullptr.
  [[nodiscard]] const std::string* Find(std::string_view name) const;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // The answer, whatever its status. Redirects are not followed. kFailed: no connection, broken or timed out; it is then unknown whether the request
  // arrived, and another try may succeed. kRefused: another try cannot succeed: too large an answer, a certificate that is not trusted, a URL or a header
  // that makes no sense. kInterrupted: reeve was told to stop. The message names method, host and path, never a query or a header.
  [[nodiscard]] virtual Result<HttpResponse> Send(const HttpRequest& request) = 0;
};

struct HttpClientOptions {
  std::string user_agent = "reeve (gzip)";
  Micros connect_timeout = 10 * kSecond;
  std::string ca_file = {};                       // PEM certificates to trust; empty: the system's
  bool (*interrupted)() = &Interrupted;           // asked about once a second while waiting; tests give their own
};

// By libcurl: connections are kept and reused, gzip, TLS verified with the system's certificates, HTTPS_PROXY and NO_PROXY honoured.
// Makes the process ignore SIGPIPE.
[[nodiscard]] std::unique_ptr<HttpClient> MakeCurlClient(const HttpClientOptions& options = {});

}  // namespace reeve::net
