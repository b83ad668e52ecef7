#include "api/http_parser.h"

#include <gtest/gtest.h>

namespace reeve::api {
namespace {

struct Parsed {
  Fault fault;
  Request request;
};

class HttpParser : public ::testing::Test {
 protected:
  Parsed Parse(std::string_view head, size_t fields_max = 64) {
    head_ = head;
    Request request;
    const Fault fault = ParseHead(head_, fields_max, &fields_, &request);
    return {fault, request};
  }
  // A head of GET / with these field lines.
  Fault With(std::string_view lines) { return Parse("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n").fault; }

  std::string head_;
  std::vector<Field> fields_;
};

TEST_F(HttpParser, ReadsWhatARequestSays) {
  const auto [fault, request] = Parse(
      "POST /api/v1/authorize?a=b HTTP/1.1\r\nHost: x\r\nx-api-KEY:  secret \r\nAuthorization: Bearer t\r\nAccept: */*\r\nContent-Type: application/json\r\n"
      "X-Request-ID: r1\r\nTraceparent: tp\r\nContent-Length: 12\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n");
  ASSERT_EQ(fault, Fault::kNone);
  EXPECT_EQ(request.method, Method::kPost);
  EXPECT_EQ(request.path, "/api/v1/authorize");
  EXPECT_EQ(request.query, "a=b");
  EXPECT_EQ(request.api_key, "secret");
  EXPECT_EQ(request.authorization, "Bearer t");
  EXPECT_EQ(request.accept, "*/*");
  EXPECT_EQ(request.content_type, "application/json");
  EXPECT_EQ(request.request_id, "r1");
  EXPECT_EQ(request.traceparent, "tp");
  EXPECT_EQ(request.content_length, 12U);
  EXPECT_TRUE(request.expects_continue);
  EXPECT_FALSE(request.keep_alive);
  EXPECT_EQ(request.fields.size(), 10U);
  EXPECT_EQ(request.Find("host"), "x");
  EXPECT_EQ(request.Find("X-API_Key"), "") << "an underscore is no hyphen";
}

TEST_F(HttpParser, VersionAndConnectionSayWhetherItGoesOn) {
  const struct {
    std::string_view head;
    bool keep_alive;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Thing, close\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
  };
  for (const auto& each : cases) {
    const auto [fault, request] = Parse(each.head);
    EXPECT_EQ(fault, Fault::kNone) << each.head;
    EXPECT_EQ(request.keep_alive, each.keep_alive) << each.head;
  }
}

TEST_F(HttpParser, TakesAPathOrAWholeAddress) {
  const struct {
    std::string_view target, path, query;
    Fault fault;
  } cases[] = {
      {"/", "/", "", Fault::kNone},
      {"/a?b?c", "/a", "b?c", Fault::kNone},
      {"http://host:80/a?b", "/a", "b", Fault::kNone},
      {"https://host/", "/", "", Fault::kNone},
      {"/a#b", "", "", Fault::kTarget},
      {"*", "", "", Fault::kTarget},
      {"host:443", "", "", Fault::kTarget},
      {"http://", "", "", Fault::kTarget},
      {"http:///a", "", "", Fault::kTarget},
      {"http://host", "", "", Fault::kTarget},
      {"ftp://host/a", "", "", Fault::kTarget},
  };
  for (const auto& each : cases) {
    const auto [fault, request] = Parse("GET " + std::string(each.target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(fault, each.fault) << each.target;
    if (fault != Fault::kNone) continue;
    EXPECT_EQ(request.path, each.path);
    EXPECT_EQ(request.query, each.query);
  }
}

TEST_F(HttpParser, RefusesWhatTwoProgramsCouldReadInTwoWays) {
  const struct {
    std::string lines;
    Fault fault;
  } cases[] = {
      {"Content-Length: 5\r\nContent-Length: 5\r\n", Fault::kLength},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", Fault::kLength},
      {"Content-Length: 5, 5\r\n", Fault::kLength},
      {"Content-Length: +5\r\n", Fault::kLength},
      {"Content-Length: -1\r\n", Fault::kLength},
      {"Content-Length: 0x5\r\n", Fault::kLength},
      {"Content-Length: 5 5\r\n", Fault::kLength},
      {"Content-Length:\r\n", Fault::kLength},
      {"Content-Length: 99999999999999999999\r\n", Fault::kLength},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Fault::kEncoding},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Fault::kLength},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Fault::kEncoding},
      {"Transfer-Encoding: gzip, chunked\r\n", Fault::kEncoding},
      {"Transfer-Encoding: chunked, identity\r\n", Fault::kEncoding},
      {"Transfer-Encoding: xchunked\r\n", Fault::kEncoding},
      {"Transfer-Encoding: \"chunked\"\r\n", Fault::kEncoding},
      {"Transfer-Encoding: identity\r\n", Fault::kEncoding},
      {"Transfer-Encoding : chunked\r\n", Fault::kMalformed},
      {" Transfer-Encoding: chunked\r\n", Fault::kMalformed},
      {"X: a\r\n b\r\n", Fault::kMalformed},
      {"X:\r\n b\r\n", Fault::kMalformed},
      {"X:\r\n\tTransfer-Encoding: chunked\r\n", Fault::kMalformed},
      {"X: a\r\n \r\n", Fault::kMalformed},
      {"X: a\nY: b\r\n", Fault::kMalformed},
      {"X: a\rY: b\r\n", Fault::kMalformed},
      {std::string("X: a\0b\r\n", 8), Fault::kMalformed},
      {"X: a\x01\r\n", Fault::kMalformed},
      {": a\r\n", Fault::kMalformed},
      {"X\r\n", Fault::kMalformed},
      {"X Y: a\r\n", Fault::kMalformed},
      {"Host: b\r\n", Fault::kHost},
      {"X: a\r\nX: b\r\n", Fault::kNone},
      {"X:\r\n", Fault::kNone},
      {"X: \xc3\xa4\r\n", Fault::kNone},
  };
  for (const auto& each : cases) EXPECT_EQ(With(each.lines), each.fault) << each.lines;
}

TEST_F(HttpParser, RefusesOtherStartLines) {
  const struct {
    std::string_view line;
    Fault fault;
  } cases[] = {
      {"GET / HTTP/1.2", Fault::kVersion},        {"GET / HTTP/2.0", Fault::kVersion},    {"GET / HTTP/0.9", Fault::kVersion},
      {"GET /", Fault::kMalformed},               {"GET / http/1.1", Fault::kVersion},    {"G\x01T / HTTP/1.1", Fault::kMalformed},
      {"GET  / HTTP/1.1", Fault::kTarget},        {"GET /  HTTP/1.1", Fault::kVersion},   {"GET /\x01 HTTP/1.1", Fault::kTarget},
      {"\x16\x03\x01 / HTTP/1.1", Fault::kMalformed}, {"/ HTTP/1.1", Fault::kMalformed},
  };
  for (const auto& each : cases) {
    const Fault fault = Parse(std::string(each.line) + "\r\nHost: a\r\n\r\n").fault;
    if (each.line == "GET /")
      EXPECT_NE(fault, Fault::kNone) << each.line;
    else
      EXPECT_EQ(fault, each.fault) << each.line;
  }
}

TEST_F(HttpParser, OldRequestsNeedNoHostAndHaveNoChunks) {
  EXPECT_EQ(Parse("GET / HTTP/1.0\r\n\r\n").fault, Fault::kNone);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\n\r\n").fault, Fault::kHost);
  EXPECT_EQ(Parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").fault, Fault::kEncoding);
}

TEST_F(HttpParser, CountsFieldsAndKeys) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 9; ++i) head += "X: y\r\n";
  EXPECT_EQ(Parse(head + "\r\n", 10).fault, Fault::kNone);
  EXPECT_EQ(Parse(head + "X: y\r\n\r\n", 10).fault, Fault::kTooManyFields);
  const Parsed two = Parse("GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: a\r\nAuthorization: Bearer b\r\nx-api-key: c\r\n\r\n");
  EXPECT_EQ(two.request.api_keys, 2);
  EXPECT_EQ(two.request.authorizations, 1);
}

TEST(FindHeadEnd, FindsTheEmptyLineWhereverItWasCut) {
  const std::string_view head = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  for (size_t cut = 0; cut <= head.size(); ++cut) {
    const size_t end = FindHeadEnd(head.substr(0, cut), 0);
    EXPECT_EQ(end, cut >= 27 ? 27 : std::string_view::npos);
    if (cut < 27) {
      EXPECT_EQ(FindHeadEnd(head, cut), 27U) << cut;
    }
  }
}

TEST(IsHopeless, KnowsWhatCannotBecomeAHead) {
  EXPECT_FALSE(IsHopeless("GET / HTTP/1.1\r\nX: \ta\r", 0));
  EXPECT_TRUE(IsHopeless("GET / HTTP/1.1\nHost: a", 0));
  EXPECT_TRUE(IsHopeless(std::string_view("GET /\0", 6), 0));
  EXPECT_TRUE(IsHopeless("GET /\rX", 0));
  // Where it was cut between CR and LF.
  EXPECT_FALSE(IsHopeless("GET / HTTP/1.1\r\nHost", 15));
  EXPECT_TRUE(IsHopeless("GET / HTTP/1.1\rXHost", 15));
  EXPECT_FALSE(IsHopeless("GET / HTTP/1.1\r\nHost", 16));
}

Fault FeedAll(std::string_view bytes, size_t step, uint64_t limit, std::string* body, size_t* left) {
  ChunkedBody chunks(limit);
  std::string waiting;
  for (size_t at = 0; at < bytes.size();) {
    waiting += bytes.substr(at, step);
    at += std::min(step, bytes.size() - at);
    size_t used = 0;
    const Fault fault = chunks.Feed(waiting, &used);
    if (fault != Fault::kNone) return fault;
    waiting.erase(0, used);
    if (chunks.done()) {
      *body = chunks.body();
      *left = waiting.size() + (bytes.size() - at);
      return Fault::kNone;
    }
  }
  return Fault::kTimeout;  // never done
}

TEST(ChunkedBody, PutsChunksTogetherHoweverTheyCome) {
  const std::string_view bytes = "4\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\nGET /";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    std::string body;
    size_t left = 0;
    ASSERT_EQ(FeedAll(bytes, step, 1000, &body, &left), Fault::kNone) << step;
    EXPECT_EQ(body, "Wikipedia in \r\n\r\nchunks.");
    EXPECT_EQ(left, 5U);
  }
}

TEST(ChunkedBody, RefusesWhatIsNoPlainChunk) {
  const std::string_view bad[] = {
      "x\r\n",          "-1\r\na\r\n",           "+1\r\na\r\n0\r\n\r\n",  "0x1\r\na\r\n0\r\n\r\n", "1 \r\na\r\n0\r\n\r\n", "1;a=b\r\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n",
      "1\r\na0\r\n\r\n", "0\r\nX: y\r\n\r\n",      "0\r\nContent-Length: 4\r\n\r\n",  "10000000000000000\r\n", "\r\n0\r\n\r\n",
  };
  for (const std::string_view bytes : bad)
    for (const size_t step : {size_t{1}, size_t{100}}) {
      std::string body;
      size_t left = 0;
      const Fault fault = FeedAll(bytes, step, 1000, &body, &left);
      EXPECT_TRUE(fault == Fault::kEncoding || fault == Fault::kBodyTooLarge) << bytes << " by " << step << ": " << static_cast<int>(fault);
    }
}

TEST(ChunkedBody, KeepsItsLimitInBodyAndFraming) {
  std::string body;
  size_t left = 0;
  EXPECT_EQ(FeedAll("A\r\n0123456789\r\n0\r\n\r\n", 3, 10, &body, &left), Fault::kNone);
  EXPECT_EQ(FeedAll("B\r\n0123456789a\r\n0\r\n\r\n", 3, 10, &body, &left), Fault::kBodyTooLarge);
  EXPECT_EQ(FeedAll("5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n", 3, 10, &body, &left), Fault::kBodyTooLarge);
  EXPECT_EQ(FeedAll("FFFFFFFFFFFFFFFF\r\n", 3, 10, &body, &left), Fault::kBodyTooLarge);
  // A line that never ends.
  EXPECT_EQ(FeedAll(std::string(5000, '0'), 100, 10, &body, &left), Fault::kEncoding);
}

TEST(ChunkedBody, MayBeEmpty) {
  for (size_t step = 1; step <= 5; ++step) {
    std::string body = "x";
    size_t left = 9;
    ASSERT_EQ(FeedAll("0\r\n\r\n", step, 10, &body, &left), Fault::kNone) << step;
    EXPECT_EQ(body, "");
    EXPECT_EQ(left, 0U);
  }
}

}  // namespace
}  // namespace reeve::api
