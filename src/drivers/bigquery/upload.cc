#include "drivers/bigquery/upload.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "net/url.h"

namespace reeve::bigquery {
namespace {

constexpr Micros kUploadTimeout = 300 * kSecond;

Failure OurFailure(std::string message) { return FailureOfOurs({Code::kFailed, "BigQuery: " + std::move(message), {}}); }

// Rows appended to `buffer` until it holds `bytes` or the source is at its end.
Result<> Fill(const UploadSource& rows, size_t bytes, std::string* buffer) {
  while (buffer->size() < bytes) {
    REEVE_ASSIGN(const std::string piece, rows.next(bytes - buffer->size()));
    if (piece.empty()) return {};
    if (piece.size() > bytes - buffer->size()) return Fail(Code::kFailed, "rows to upload came in a larger piece than was asked for");
    const size_t size = buffer->size() + piece.size();
    if (size > buffer->capacity()) buffer->reserve(std::min(bytes, 2 * size));  // it would double beyond what is ever held
    buffer->append(piece);
  }
  return {};
}

std::string JobsPath(const Api& api) { return fmt::format("projects/{}/jobs", net::EscapeUrl(api.options().billing_project)); }

Answer Multipart(Api& api, const std::string& job, std::string_view rows, Tries* tries) {
  std::string boundary;
  do boundary = "reeve-" + HexEncode(api.entropy().Bytes(12));
  while (rows.find(boundary) != std::string_view::npos || job.find(boundary) != std::string::npos);
  Call call;
  call.method = "POST";
  call.path = JobsPath(api);
  call.upload = true;
  call.query = {{"uploadType", "multipart"}};
  call.content_type = "multipart/related; boundary=" + boundary;
  call.timeout = kUploadTimeout;
  const std::string head = fmt::format(
      "--{0}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{1}\r\n"
      "--{0}\r\nContent-Type: application/octet-stream\r\n\r\n",
      boundary, job);
  const std::string end = fmt::format("\r\n--{}--\r\n", boundary);
  call.body.reserve(head.size() + rows.size() + end.size());  // megabytes: written once
  call.body.append(head).append(rows).append(end);
  return api.Send(call, tries);
}

// Bytes that a 308 says have arrived; nullopt for a Range that makes no sense.
std::optional<uint64_t> Arrived(const net::HttpResponse& response) {
  const std::string* const range = response.Find("range");
  if (range == nullptr) return 0;
  constexpr std::string_view kPrefix = "bytes=0-";
  if (!range->starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = std::string_view(*range).substr(kPrefix.size());
  uint64_t last = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), last);
  if (error != std::errc() || end != digits.data() + digits.size() || last == UINT64_MAX) return std::nullopt;
  return last + 1;
}

// One session. `window_` holds the piece under way, and one byte more if another follows.
class Session {
 public:
  // REQUIRES: `window` was filled up to kPieceBytes + 1; it outlives the session.
  Session(Api& api, const UploadSource& rows, std::string& window, Tries* tries)
      : api_(api), rows_(rows), tries_(tries), backoff_(api.NewBackoff()), window_(window) {}

  // The job; nullopt: the session is lost, or the server has lost what is no longer held here.
  tl::expected<std::optional<net::HttpResponse>, Failure> Run(const std::string& job) {
    if (auto opened = Open(job); !opened) return tl::unexpected(std::move(opened).error());
    for (;;) {
      const bool asking = unsure_;
      Answer reply = api_.Once(asking ? Asking() : Sending());
      if (!reply) {
        const Failure& failure = reply.error();
        if (failure.status == 404 || failure.status == 410) return std::nullopt;
        if (auto again = After(failure); !again) return tl::unexpected(std::move(again).error());
        continue;
      }
      if (reply->status != 308) {
        if (More()) return tl::unexpected(OurFailure("the server ended an upload before all of it was sent"));
        return std::move(*reply);
      }
      const std::optional<uint64_t> arrived = Arrived(*reply);
      if (!arrived || *arrived < window_begin_ || *arrived > PieceEnd()) return std::nullopt;
      if (auto moved = MoveTo(*arrived, asking); !moved) return tl::unexpected(std::move(moved).error());
    }
  }

 private:
  bool More() const { return window_.size() > kPieceBytes; }
  uint64_t PieceEnd() const { return window_begin_ + std::min(window_.size(), kPieceBytes); }
  std::string Total() const { return More() ? "*" : std::to_string(PieceEnd()); }

  tl::expected<void, Failure> Open(const std::string& job) {
    Call call;
    call.method = "POST";
    call.path = JobsPath(api_);
    call.upload = true;
    call.resumable = true;
    call.query = {{"uploadType", "resumable"}};
    call.body = job;
    call.headers = {{"X-Upload-Content-Type", "application/octet-stream"}};
    if (!More()) call.headers.emplace_back("X-Upload-Content-Length", Total());
    Answer opened = api_.Send(call, tries_);
    if (!opened) return tl::unexpected(std::move(opened).error());
    const std::string* const location = opened->Find("location");
    address_ = location == nullptr ? std::string() : api_.UploadAddress(*location);
    if (address_.empty()) return tl::unexpected(OurFailure("the server opened an upload and named no address for it"));
    return {};
  }

  Call Put(std::string range) const {
    Call call;
    call.method = "PUT";
    call.url = address_;
    call.resumable = true;
    call.content_type = "application/octet-stream";
    call.timeout = kUploadTimeout;
    call.headers = {{"Content-Range", std::move(range)}};
    return call;
  }

  Call Asking() const { return Put("bytes */" + Total()); }

  Call Sending() const {
    Call call = Put(fmt::format("bytes {}-{}/{}", arrived_, PieceEnd() - 1, Total()));
    call.borrowed_body = std::string_view(window_).substr(arrived_ - window_begin_, PieceEnd() - arrived_);
    return call;
  }

  // The server has everything before `arrived`: on to the rest of the piece, or to the next.
  tl::expected<void, Failure> MoveTo(uint64_t arrived, bool asked) {
    const bool went_on = arrived > arrived_;
    arrived_ = arrived;
    unsure_ = false;
    if (went_on) backoff_.Progress(api_.clock().Steady());
    const bool whole = arrived_ == PieceEnd();
    if (whole && More()) {
      window_begin_ = arrived_;
      window_.erase(0, kPieceBytes);
      if (Result<> filled = Fill(rows_, kPieceBytes + 1, &window_); !filled) return tl::unexpected(FailureOfOurs(std::move(filled).error()));
      return {};
    }
    unsure_ = whole;  // everything is there, and no job was named: ask for it
    if (!whole && (went_on || asked)) return {};
    Failure stuck = OurFailure("an upload does not go on");
    stuck.action = Action::kRetry;
    return api_.WaitAfter(stuck, &backoff_);
  }

  tl::expected<void, Failure> After(const Failure& failure) {
    if (failure.action != Action::kRetry && failure.action != Action::kWait) return tl::unexpected(failure);
    tries_->ambiguous = tries_->ambiguous || (failure.may_have_arrived && !More());
    api_.CountRetry();
    unsure_ = true;
    return api_.WaitAfter(failure, &backoff_);
  }

  Api& api_;
  const UploadSource& rows_;
  Tries* const tries_;
  net::Backoff backoff_;
  std::string address_;
  std::string& window_;
  uint64_t window_begin_ = 0;  // offset of the window in the upload
  uint64_t arrived_ = 0;       // what the server is known to have; within the piece
  bool unsure_ = false;        // ask before sending
};

}  // namespace

Answer Upload(Api& api, const std::string& job, const UploadSource& rows, Tries* tries) {
  Tries unused;
  if (tries == nullptr) tries = &unused;
  for (int number = 1; number <= kSessionsMax; ++number) {
    if (number > 1)
      if (Result<> rewound = rows.rewind(); !rewound) return tl::unexpected(FailureOfOurs(std::move(rewound).error()));
    std::string window;
    if (Result<> filled = Fill(rows, kPieceBytes + 1, &window); !filled) return tl::unexpected(FailureOfOurs(std::move(filled).error()));
    if (window.size() <= kMultipartBytesMax) return Multipart(api, job, window, tries);
    auto answer = Session(api, rows, window, tries).Run(job);
    if (!answer) return tl::unexpected(std::move(answer).error());
    if (*answer) return std::move(**answer);
  }
  return tl::unexpected(OurFailure(fmt::format("an upload was lost {} times", kSessionsMax)));
}

}  // namespace reeve::bigquery
