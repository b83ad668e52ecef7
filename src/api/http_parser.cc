#include "api/http_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <cstring>

#include "base/error.h"

namespace reeve::api {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr uint64_t kBodyOfAnyLimit = ~uint64_t{0};
// Beast's parser of requests with callbacks that do nothing.
class BeastEvents : public boost::beast::http::basic_parser<true> {
 protected:
  using Text = boost::beast::string_view;
  using Failure = boost::system::error_code;

  void on_request_impl(boost::beast::http::verb, Text, Text, int, Failure& ec) override { ec = {}; }
  void on_response_impl(int, Text, int, Failure& ec) override { ec = {}; }
  void on_field_impl(boost::beast::http::field, Text, Text, Failure& ec) override { ec = {}; }
  void on_header_impl(Failure& ec) override { ec = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Failure& ec) override { ec = {}; }
  std::size_t on_body_impl(Text body, Failure& ec) override { return ec = {}, body.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, Failure& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Failure& ec) override { return ec = {}, body.size(); }
  void on_finish_impl(Failure& ec) override { ec = {}; }
};


Method MethodOf(http::verb verb) {
  switch (verb) {
    case http::verb::get: return Method::kGet;
    case http::verb::head: return Method::kHead;
    case http::verb::post: return Method::kPost;
    case http::verb::put: return Method::kPut;
    case http::verb::patch: return Method::kPatch;
    case http::verb::delete_: return Method::kDelete;
    case http::verb::options: return Method::kOptions;
    default: return Method::kOther;  // an open set of Beast's, not an enum of ours
  }
}

// Splits a target into path and query; false: neither a path nor http://host/path.
bool ReadTarget(std::string_view target, Request* request) {
  if (!target.starts_with('/')) {
    const size_t scheme = target.starts_with("http://") ? 7 : target.starts_with("https://") ? 8 : 0;
    const size_t slash = scheme == 0 ? std::string_view::npos : target.find('/', scheme);
    if (slash == std::string_view::npos || slash == scheme) return false;
    target.remove_prefix(slash);
  }
  if (target.find('#') != std::string_view::npos) return false;
  const size_t question = target.find('?');
  request->path = target.substr(0, question);
  request->query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  return true;
}

// Collects what Beast finds, and judges what Beast leaves open.
class HeadEvents final : public BeastEvents {
 public:
  HeadEvents(size_t fields_max, std::vector<Field>* fields, Request* request) : fields_max_(fields_max), fields_(fields), request_(request) {}

  Fault fault = Fault::kNone;
  int hosts = 0;

 private:
  void Refuse(Fault why, error_code& ec) {
    fault = why;
    ec = http::error::bad_value;
  }

  void on_request_impl(http::verb verb, boost::beast::string_view method, boost::beast::string_view target, int version, error_code& ec) override {
    request_->method = MethodOf(verb);
    request_->method_text = {method.data(), method.size()};
    request_->http11 = version >= 11;
    if (!ReadTarget({target.data(), target.size()}, request_)) return Refuse(Fault::kTarget, ec);
    ec = {};
  }

  void on_field_impl(http::field id, boost::beast::string_view name_in, boost::beast::string_view value_in, error_code& ec) override {
    const std::string_view name(name_in.data(), name_in.size());
    const std::string_view value(value_in.data(), value_in.size());
    ec = {};
    if (IsFolded(name, value)) return Refuse(Fault::kMalformed, ec);
    if (fields_->size() >= fields_max_) return Refuse(Fault::kTooManyFields, ec);
    fields_->push_back({name, value});
    switch (id) {
      case http::field::host: ++hosts; break;
      case http::field::authorization: request_->authorization = value; Count(&request_->authorizations); break;
      case http::field::accept: request_->accept = value; break;
      case http::field::content_type: request_->content_type = value; break;
      case http::field::content_length: return TakeLength(value, ec);
      case http::field::transfer_encoding: return TakeEncoding(value, ec);
      case http::field::expect:
        (EqualsIgnoringCase(value, "100-continue") ? request_->expects_continue : request_->expects_other) = true;
        break;
      case http::field::unknown: TakeOther(name, value); break;
      default: break;
    }
  }

  static void Count(uint8_t* times) {
    if (*times < 2) ++*times;  // more than once is all that matters
  }

  // A line that goes on in the next: its value was put together elsewhere, or begins behind a line break.
  [[nodiscard]] static bool IsFolded(std::string_view name, std::string_view value) {
    const char* colon = name.data() + name.size();
    if (value.empty()) return value.data() < colon || std::find(colon, value.data(), '\r') != value.data();
    constexpr ptrdiff_t kAnywhereInAHead = 1 << 20;
    if (value.data() <= colon || value.data() - colon > kAnywhereInAHead) return true;
    return std::find(colon, value.data(), '\r') != value.data();
  }

  void TakeLength(std::string_view value, error_code& ec) {
    uint64_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (request_->content_length || error != std::errc() || end != value.data() + value.size()) return Refuse(Fault::kLength, ec);
    request_->content_length = length;
  }

  void TakeEncoding(std::string_view value, error_code& ec) {
    if (!request_->http11 || request_->chunked || !EqualsIgnoringCase(value, "chunked")) return Refuse(Fault::kEncoding, ec);
    request_->chunked = true;
  }

  void TakeOther(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 9:
        if (!EqualsIgnoringCase(name, "X-API-Key")) break;
        request_->api_key = value;
        Count(&request_->api_keys);
        break;
      case 11:
        if (EqualsIgnoringCase(name, "traceparent")) request_->traceparent = value;
        break;
      case 12:
        if (EqualsIgnoringCase(name, "X-Request-Id")) request_->request_id = value;
        break;
      default: break;
    }
  }

  const size_t fields_max_;
  std::vector<Field>* fields_;
  Request* request_;
};

Fault FaultOf(const error_code& ec) {
  if (ec == http::error::bad_version) return Fault::kVersion;
  if (ec == http::error::bad_target) return Fault::kTarget;
  if (ec == http::error::bad_content_length || ec == http::error::multiple_content_length) return Fault::kLength;
  if (ec == http::error::bad_transfer_encoding) return Fault::kEncoding;
  return Fault::kMalformed;
}

}  // namespace

size_t FindHeadEnd(std::string_view bytes, size_t from) {
  const size_t begin = from < 3 ? 0 : from - 3;
  const void* end = memmem(bytes.data() + begin, bytes.size() - begin, "\r\n\r\n", 4);
  return end == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(end) - bytes.data()) + 4;
}

bool IsHopeless(std::string_view bytes, size_t from) {
  for (size_t i = from == 0 ? 0 : from - 1; i < bytes.size(); ++i) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    if ((c >= 0x20 && c != 0x7f) || c == '\t') continue;
    if (c == '\r' && (i + 1 == bytes.size() || bytes[i + 1] == '\n')) continue;
    if (c == '\n' && i > 0 && bytes[i - 1] == '\r') continue;
    return true;
  }
  return false;
}

Fault ParseHead(std::string_view head, size_t fields_max, std::vector<Field>* fields, Request* request) {
  *request = Request();
  fields->clear();
  HeadEvents parser(fields_max, fields, request);
  parser.header_limit(static_cast<uint32_t>(head.size() + 1));
  parser.body_limit(kBodyOfAnyLimit);
  error_code ec;
  const size_t used = parser.put(boost::asio::const_buffer(head.data(), head.size()), ec);
  request->fields = *fields;
  if (ec) return parser.fault != Fault::kNone ? parser.fault : FaultOf(ec);
  if (used != head.size() || !parser.is_header_done()) return Fault::kMalformed;
  if (parser.hosts > 1 || (parser.hosts == 0 && request->http11)) return Fault::kHost;
  request->keep_alive = parser.keep_alive();
  return Fault::kNone;
}

Fault ChunkedBody::TakeSize(char c) {
  constexpr size_t kDigitsMax = 8;
  if (c == '\r') {
    if (digits_ == 0) return Fault::kEncoding;
    state_ = State::kSizeLf;
    return Fault::kNone;
  }
  const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  if (value < 0 || ++digits_ > kDigitsMax) return Fault::kEncoding;
  size_ = size_ * 16 + static_cast<uint64_t>(value);
  return size_ > limit_ - body_.size() ? Fault::kBodyTooLarge : Fault::kNone;
}

Fault ChunkedBody::Expect(char c, char expected, State next) {
  if (c != expected) return Fault::kEncoding;
  state_ = next;
  return Fault::kNone;
}

Fault ChunkedBody::Feed(std::string_view bytes, size_t* used) {
  size_t at = 0;
  Fault fault = Fault::kNone;
  while (at < bytes.size() && fault == Fault::kNone && state_ != State::kDone) {
    if (state_ == State::kData) {
      const size_t piece = static_cast<size_t>(std::min<uint64_t>(size_, bytes.size() - at));
      body_.append(bytes.substr(at, piece));
      at += piece;
      size_ -= piece;
      if (size_ == 0) state_ = State::kDataCr;
      continue;
    }
    const char c = bytes[at++];
    switch (state_) {
      case State::kSize: fault = TakeSize(c); break;
      case State::kSizeLf: fault = Expect(c, '\n', size_ == 0 ? State::kLastCr : State::kData); break;
      case State::kDataCr: fault = Expect(c, '\r', State::kDataLf); break;
      case State::kDataLf:
        fault = Expect(c, '\n', State::kSize);
        digits_ = 0;
        break;
      case State::kLastCr: fault = Expect(c, '\r', State::kLastLf); break;
      case State::kLastLf: fault = Expect(c, '\n', State::kDone); break;
      case State::kData:
      case State::kDone: break;
    }
  }
  *used = at;
  return fault;
}

}  // namespace reeve::api
