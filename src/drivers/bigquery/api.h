// Api: one call of the REST surface: address, authorization, limits in flight, counting, and repetition by the policy of errors.h. Not for the meaning of an
// answer and not for jobs (jobs.h), whose repetition needs ids.
//
// Safe from any thread. Calls block; they wait by the Clock they were given.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/bigquery/client.h"
#include "drivers/bigquery/errors.h"
#include "net/retry.h"

namespace reeve::bigquery {

struct Call {
  std::string method = "GET";
  std::string path;                                         // below /bigquery/v2/, its segments escaped
  std::vector<std::pair<std::string, std::string>> query = {};
  std::string body = {};
  std::string_view borrowed_body = {};                      // instead of `body`, for large ones; lives as long as the call
  std::string content_type = "application/json";            // where there is a body
  std::vector<net::Header> headers = {};
  std::string url = {};                                     // instead of path and query: an upload's address
  bool upload = false;                                      // below /upload/bigquery/v2/
  bool resumable = false;                                   // 308 is an answer, and no answer needs to be JSON
  bool no_content = false;                                  // the answer may be empty
  bool even_if_interrupted = false;
  Micros timeout = 120 * kSecond;
  uint64_t response_bytes_max = 64 * 1024 * 1024;
};

using Answer = tl::expected<net::HttpResponse, Failure>;

// What became known about a call while it was tried.
struct Tries {
  bool sent = false;       // at least one request went out
  bool ambiguous = false;  // one before the last may have had its effect, though no answer came
  bool resent = false;     // the last may have been sent twice
};

class Api {
 public:
  Api(ClientOptions options, net::HttpClient& http, Credentials* credentials, Clock& clock, Entropy& entropy)
      : options_(std::move(options)), http_(&http), credentials_(credentials), clock_(&clock), entropy_(&entropy) {}

  // One exchange; a second one, with another token, if the first is refused for its token.
  [[nodiscard]] Answer Once(const Call& call, Tries* tries = nullptr);
  // Repeated while the failure's action is kRetry or kWait and the patience lasts.
  [[nodiscard]] Answer Send(const Call& call, Tries* tries = nullptr);
  // Waits before another try after `failure`. Its error: give up (the patience is over, or an interrupt).
  [[nodiscard]] tl::expected<void, Failure> WaitAfter(const Failure& failure, net::Backoff* backoff);

  [[nodiscard]] net::Backoff NewBackoff();
  [[nodiscard]] const ClientOptions& options() const { return options_; }
  [[nodiscard]] Clock& clock() { return *clock_; }
  [[nodiscard]] Entropy& entropy() { return *entropy_; }
  [[nodiscard]] bool Stopping() const { return options_.interrupted(); }
  // The address of an upload session that a server named: kept if it is on our endpoint or Google's, otherwise moved to our endpoint, so that no token goes
  // elsewhere (and since the emulator names an address that nobody listens on).
  [[nodiscard]] std::string UploadAddress(std::string_view location) const;

  void CountQueryJob() { ++query_jobs_; }
  void CountLoadJob() { ++load_jobs_; }
  void CountBilled(uint64_t bytes) { bytes_billed_ += bytes; }
  void CountRetry() { ++retries_; }
  [[nodiscard]] WireCounts counts() const;

 private:
  class Slot;
  [[nodiscard]] Answer Exchange(const Call& call, const std::string& authorization);
  [[nodiscard]] net::HttpRequest RequestOf(const Call& call, const std::string& authorization) const;

  const ClientOptions options_;
  net::HttpClient* const http_;
  Credentials* const credentials_;
  Clock* const clock_;
  Entropy* const entropy_;

  std::mutex mu_;
  std::condition_variable free_;
  int in_flight_ = 0;  // guarded by mu_

  std::atomic<uint64_t> api_calls_ = 0, query_jobs_ = 0, load_jobs_ = 0, bytes_billed_ = 0, bytes_sent_ = 0, bytes_received_ = 0, retries_ = 0;
};

// "name" for messages: BigQuery and what was asked, without query.
[[nodiscard]] std::string Named(const Call& call);

}  // namespace reeve::bigquery
