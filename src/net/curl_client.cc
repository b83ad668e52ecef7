#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <mutex>

#include "base/encoding.h"
#include "net/http.h"
#include "net/url.h"

namespace reeve::net {
namespace {

constexpr uint64_t kHeadBytesMax = 256 * 1024;  // of an answer's headers
constexpr size_t kIdleHandlesMax = 64;          // kept with their connections; more are closed
constexpr size_t kReserveMax = 16 * 1024 * 1024;

struct HandleCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleCloser>;
struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListCloser>;

// What one exchange gathers.
struct Exchange {
  const HttpRequest* request = nullptr;
  bool (*interrupted)() = nullptr;
  HttpResponse response;
  uint64_t head_bytes = 0;
  bool head_is_whole = false;
  bool too_large = false;
};

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

size_t OnHeader(char* bytes, size_t, size_t size, void* to) {
  auto* const exchange = static_cast<Exchange*>(to);
  const std::string_view line(bytes, size);
  exchange->head_bytes += size;
  if (exchange->head_bytes > kHeadBytesMax) {
    exchange->too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // the head of the final answer follows that of a proxy or of 100 Continue
    exchange->response.headers.clear();
    exchange->head_is_whole = false;
    return size;
  }
  if (Trimmed(line).empty()) exchange->head_is_whole = true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  exchange->response.headers.emplace_back(AsciiLower(Trimmed(line.substr(0, colon))), Trimmed(line.substr(colon + 1)));
  return size;
}

size_t OnBody(char* bytes, size_t, size_t size, void* to) {
  auto* const exchange = static_cast<Exchange*>(to);
  std::string& body = exchange->response.body;
  if (size > exchange->request->response_bytes_max - body.size()) {
    exchange->too_large = true;
    return 0;
  }
  if (body.empty()) {
    size_t announced = 0;
    if (const std::string* length = exchange->response.Find("content-length"))
      std::from_chars(length->data(), length->data() + length->size(), announced);
    body.reserve(std::min({announced, kReserveMax, static_cast<size_t>(exchange->request->response_bytes_max)}));
  }
  body.append(bytes, size);
  return size;
}

int OnProgress(void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* const exchange = static_cast<const Exchange*>(to);
  return !exchange->request->even_if_interrupted && exchange->interrupted() ? 1 : 0;
}

// One lock for each kind of data that handles share.
class Share {
 public:
  Share() : share_(curl_share_init()) {
    REEVE_ASSERT(share_ != nullptr);
    // Not CURL_LOCK_DATA_CONNECT: libcurl's manual says that it is not safe for connections to be shared between threads at work (CURLSHOPT_SHARE).
    // Connections are kept by giving a handle back to the pool with the connection it has.
    curl_share_setopt(share_, CURLSHOPT_USERDATA, this);
    curl_share_setopt(share_, CURLSHOPT_LOCKFUNC, &Lock);
    curl_share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &Unlock);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }
  ~Share() { curl_share_cleanup(share_); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  CURLSH* get() const { return share_; }

 private:
  static void Lock(CURL*, curl_lock_data data, curl_lock_access, void* self) { static_cast<Share*>(self)->locks_.at(data).lock(); }
  static void Unlock(CURL*, curl_lock_data data, void* self) { static_cast<Share*>(self)->locks_.at(data).unlock(); }

  std::array<std::mutex, CURL_LOCK_DATA_LAST> locks_;
  CURLSH* const share_;
};

// A header that would begin another one, or the body, is refused.
bool IsHeader(const Header& header) {
  const auto plain = [](unsigned char c) { return c >= ' ' && c != 0x7F; };
  const auto name = [](unsigned char c) { return c > ' ' && c < 0x7F && c != ':'; };
  return !header.first.empty() && std::all_of(header.first.begin(), header.first.end(), name) &&
         std::all_of(header.second.begin(), header.second.end(), plain);
}

HeaderList MakeHeaders(const HttpRequest& request) {
  curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no waiting for 100 Continue
  bool has_type = false;
  for (const Header& header : request.headers) {
    const std::string line = header.second.empty() ? header.first + ';' : header.first + ": " + header.second;
    list = curl_slist_append(list, line.c_str());
    has_type = has_type || AsciiLower(header.first) == "content-type";
  }
  if (!has_type) list = curl_slist_append(list, "Content-Type:");  // and no type that nobody named
  REEVE_ASSERT(list != nullptr);
  return HeaderList(list);
}

void SetMethod(CURL* handle, const HttpRequest& request) {
  if (request.method == "GET" && request.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    return;
  }
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool bare = request.method == "DELETE" && request.body.empty();
  if (!bare) {
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method != "POST") curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

// Failures that another try cannot mend.
bool IsLasting(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR: return true;
    default: return false;
  }
}

// libcurl's own words name hosts, addresses and certificates in these cases; elsewhere they might hold more.
bool HasHarmlessDetail(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_PARTIAL_FILE: return true;
    default: return false;
  }
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(const HttpClientOptions& options) : options_(options) {}

  Result<HttpResponse> Send(const HttpRequest& request) override {
    const UrlParts parts = SplitUrl(request.url);
    if (parts.scheme.empty()) return Fail(Code::kRefused, "{}: not an http or https URL", request.method);
    const std::string what = request.method + ' ' + parts.authority + parts.path;
    if (!std::all_of(request.headers.begin(), request.headers.end(), IsHeader))
      return Fail(Code::kRefused, "{}: a header holds characters that none may hold", what);
    if (!request.even_if_interrupted && options_.interrupted()) return Fail(Code::kInterrupted, "{}: interrupted", what);

    const std::string origin = parts.scheme + "://" + parts.authority;
    bool kept = false;
    Handle handle = Take(origin, &kept);
    if (!handle) return Fail(Code::kFailed, "{}: out of memory", what);
    Exchange exchange;
    exchange.request = &request;
    exchange.interrupted = options_.interrupted;
    std::array<char, CURL_ERROR_SIZE> detail{};
    const HeaderList headers = MakeHeaders(request);
    SetUp(handle.get(), request, &exchange, headers.get(), detail.data());
    if (request.direct || IsLoopback(parts.host)) curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
    const CURLcode code = curl_easy_perform(handle.get());
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    long connects = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_NUM_CONNECTS, &connects);
    Give(origin, std::move(handle));
    if (code != CURLE_OK) return Explain(code, exchange, what, detail.data());
    if (!exchange.head_is_whole) return Fail(Code::kFailed, "{}: the answer broke off in its head", what);  // libcurl would let it pass
    exchange.response.status = static_cast<int>(status);
    exchange.response.maybe_resent = kept && connects > 0;
    return std::move(exchange.response);
  }

 private:
  struct Idle {
    std::string origin;
    Handle handle;
  };

  void SetUp(CURL* handle, const HttpRequest& request, Exchange* exchange, curl_slist* headers, char* detail) const {
    const auto milliseconds = [](Micros duration) { return static_cast<long>(std::max<Micros>(1, duration / 1000)); };
    curl_easy_setopt(handle, CURLOPT_SHARE, share_.get());
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_USERAGENT, options_.user_agent.c_str());
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options_.connect_timeout));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout));
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &OnProgress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, exchange);
    SetMethod(handle, request);
  }

  static Unexpected Explain(CURLcode code, const Exchange& exchange, const std::string& what, const char* detail) {
    if (exchange.too_large)
      return Fail(Code::kRefused, "{}: the answer is larger than {} bytes", what, exchange.request->response_bytes_max);
    if (code == CURLE_ABORTED_BY_CALLBACK) return Fail(Code::kInterrupted, "{}: interrupted", what);
    const bool harmless = HasHarmlessDetail(code) && detail[0] != '\0';
    return Fail(IsLasting(code) ? Code::kRefused : Code::kFailed, "{}: {}", what, harmless ? detail : curl_easy_strerror(code));
  }

  // A handle that was last connected to `origin`, or a new one.
  Handle Take(const std::string& origin, bool* kept) {
    {
      const std::lock_guard lock(mu_);
      const auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& idle) { return idle.origin == origin; });
      if (found != idle_.rend()) {
        Handle handle = std::move(found->handle);
        idle_.erase(std::next(found).base());
        *kept = true;
        return handle;
      }
    }
    return Handle(curl_easy_init());
  }

  void Give(const std::string& origin, Handle handle) {
    curl_easy_reset(handle.get());  // forgets the request and keeps the connection
    Handle surplus;                 // closed outside of the lock
    const std::lock_guard lock(mu_);
    if (idle_.size() >= kIdleHandlesMax) {
      surplus = std::move(idle_.front().handle);
      idle_.erase(idle_.begin());
    }
    idle_.push_back({origin, std::move(handle)});
  }

  const HttpClientOptions options_;
  const Share share_;
  std::mutex mu_;
  std::vector<Idle> idle_;  // guarded by mu_; the last used is at the end
};

}  // namespace

std::unique_ptr<HttpClient> MakeCurlClient(const HttpClientOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // TLS writes without MSG_NOSIGNAL
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  REEVE_ASSERT(started == CURLE_OK);
  return std::make_unique<CurlClient>(options);
}

}  // namespace reeve::net
