#include "drivers/bigquery/api.h"

#include "net/url.h"

namespace reeve::bigquery {
namespace {

constexpr Micros kSlowWait = 5 * kSecond;  // at least, where the policy says kWait

bool LooksLikeObject(std::string_view body) {
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  return body[first] == '{' && body[body.find_last_not_of(" \t\r\n")] == '}';
}

bool IsAnswer(const Call& call, const net::HttpResponse& response) {
  if (call.resumable && response.status == 308) return true;
  if (response.status < 200 || response.status > 299) return false;
  return call.resumable || call.no_content || LooksLikeObject(response.body);
}

// The failure, saying that it was not the first.
Failure GivenUp(Failure failure, Micros patience) {
  std::string how = fmt::format("; given up after {} s", patience / kSecond);
  if (failure.retry_after && *failure.retry_after > patience)
    how = fmt::format("; given up, since it asks to wait {} s", *failure.retry_after / kSecond);
  failure.message += how;
  if (failure.verbatim) failure.verbatim->message += how;
  return failure;
}

bool IsGoogles(std::string_view host) { return host == "googleapis.com" || host.ends_with(".googleapis.com"); }

}  // namespace

// A place among the requests in flight, for as long as it lives.
class Api::Slot {
 public:
  explicit Slot(Api& api) : api_(api) {
    std::unique_lock lock(api_.mu_);
    api_.free_.wait(lock, [this] { return api_.in_flight_ < api_.options_.requests_at_once; });
    ++api_.in_flight_;
  }
  ~Slot() {
    {
      const std::lock_guard lock(api_.mu_);
      --api_.in_flight_;
    }
    api_.free_.notify_one();
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  Api& api_;
};

std::string Named(const Call& call) { return "BigQuery: " + call.method + ' ' + (call.url.empty() ? call.path : net::ShownUrl(call.url)); }

net::HttpRequest Api::RequestOf(const Call& call, const std::string& authorization) const {
  net::HttpRequest request;
  request.method = call.method;
  request.url = call.url;
  if (request.url.empty()) {
    request.url = options_.endpoint + (call.upload ? "/upload/bigquery/v2/" : "/bigquery/v2/") + call.path;
    std::vector<std::pair<std::string, std::string>> query = call.query;
    query.emplace_back("prettyPrint", "false");
    request.url += '?' + net::EncodeQuery(query);
  }
  request.headers = call.headers;
  request.body.assign(call.borrowed_body.empty() ? std::string_view(call.body) : call.borrowed_body);
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", call.content_type);
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  std::string quota_project = options_.quota_project;
  if (quota_project.empty() && credentials_ != nullptr) quota_project = credentials_->QuotaProject();
  if (!quota_project.empty()) request.headers.emplace_back("X-Goog-User-Project", quota_project);
  request.timeout = call.timeout;
  request.response_bytes_max = call.response_bytes_max;
  request.even_if_interrupted = call.even_if_interrupted;
  return request;
}

Answer Api::Exchange(const Call& call, const std::string& authorization) {
  const net::HttpRequest request = RequestOf(call, authorization);
  Result<net::HttpResponse> response = [&] {
    const Slot slot(*this);
    ++api_calls_;
    bytes_sent_ += request.body.size();
    return http_->Send(request);
  }();
  if (!response) return tl::unexpected(FailureOfExchange(std::move(response).error()));
  bytes_received_ += response->body.size();
  if (IsAnswer(call, *response)) return std::move(*response);
  return tl::unexpected(FailureOfAnswer(*response, clock_->Now()));
}

Answer Api::Once(const Call& call, Tries* tries) {
  for (bool again = false;; again = true) {
    if (!call.even_if_interrupted && Stopping()) return tl::unexpected(FailureOfOurs({Code::kInterrupted, Named(call) + ": interrupted", {}}));
    std::string authorization;
    if (credentials_ != nullptr) {
      Result<std::string> header = credentials_->AuthorizationHeader();
      if (!header) return tl::unexpected(FailureOfOurs(std::move(header).error()));
      authorization = std::move(*header);
    }
    if (tries != nullptr) tries->sent = true;
    Answer answer = Exchange(call, authorization);
    if (answer || answer.error().action != Action::kAuthorize || credentials_ == nullptr || again) return answer;
    credentials_->Refused(authorization);
    ++retries_;
  }
}

Answer Api::Send(const Call& call, Tries* tries) {
  Tries unused;
  if (tries == nullptr) tries = &unused;
  net::Backoff backoff = NewBackoff();
  for (;;) {
    Answer answer = Once(call, tries);
    if (answer) return answer;
    const Failure& failure = answer.error();
    tries->resent = failure.maybe_resent;
    if (failure.action != Action::kRetry && failure.action != Action::kWait) return answer;
    tries->ambiguous = tries->ambiguous || failure.may_have_arrived;
    if (auto waited = WaitAfter(failure, &backoff); !waited) return tl::unexpected(std::move(waited).error());
    ++retries_;
  }
}

tl::expected<void, Failure> Api::WaitAfter(const Failure& failure, net::Backoff* backoff) {
  std::optional<Micros> asked = failure.retry_after;
  if (failure.action == Action::kWait) asked = std::max(asked.value_or(0), kSlowWait);
  const std::optional<Micros> wait = backoff->Next(clock_->Steady(), asked);
  if (!wait) return tl::unexpected(GivenUp(failure, options_.patience));
  if (Result<> paused = net::Pause(*clock_, *wait, options_.interrupted); !paused) return tl::unexpected(FailureOfOurs(std::move(paused).error()));
  return {};
}

net::Backoff Api::NewBackoff() {
  net::BackoffOptions options;
  options.patience = options_.patience;
  return net::Backoff(options, clock_->Steady(), *entropy_);
}

std::string Api::UploadAddress(std::string_view location) const {
  const net::UrlParts ours = net::SplitUrl(options_.endpoint);
  const net::UrlParts theirs = net::SplitUrl(location);
  if (theirs.scheme.empty()) return {};
  const bool same = theirs.scheme == ours.scheme && theirs.authority == ours.authority;
  if (same || (theirs.scheme == "https" && IsGoogles(theirs.host))) return std::string(location);
  return options_.endpoint + theirs.path + (theirs.query.empty() ? "" : "?" + theirs.query);
}

WireCounts Api::counts() const {
  WireCounts counts;
  counts.api_calls = api_calls_;
  counts.query_jobs = query_jobs_;
  counts.load_jobs = load_jobs_;
  counts.bytes_billed = bytes_billed_;
  counts.bytes_sent = bytes_sent_;
  counts.bytes_received = bytes_received_;
  counts.retries = retries_;
  return counts;
}

}  // namespace reeve::bigquery
