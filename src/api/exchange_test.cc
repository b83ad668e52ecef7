#include "api/exchange.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

namespace reeve::api {
namespace {

constexpr std::string_view kHost = " HTTP/1.1\r\nHost: a\r\n";

// Answers with method, path and body; /later comes when the test says so; /none takes no body; bodies elsewhere may have 100 bytes.
class EchoHandler final : public Handler {
 public:
  bool IsGatewayDoor(std::string_view path) override { return path.starts_with("/authz"); }
  BodyPlan PlanBody(const Request& request) override { return {IsGatewayDoor(request.path), request.path == "/none" ? 0U : 100U}; }
  Answer Handle(const Request& request, Ticket ticket, Reply* reply) override {
    seen.push_back(fmt::format("{} {} {}", request.method_text, request.path, request.body));
    if (request.path == "/later") {
      last_ticket = ticket;
      later = request;
      return Answer::kLater;
    }
    reply->body = seen.back();
    return Answer::kNow;
  }
  void Refuse(Fault fault, const Request& request, Reply* reply) override {
    faults.push_back(fault);
    refused_path = request.path;
    reply->status = fault == Fault::kBodyTooLarge ? 413 : fault == Fault::kTimeout ? 408 : fault == Fault::kHeadTooLarge || fault == Fault::kTooManyFields ? 431 : 400;
    reply->body = "refused";
  }
  std::vector<std::string> seen;
  std::vector<Fault> faults;
  std::string refused_path;
  Ticket last_ticket = 0;
  Request later;               // of /later, whose texts stay where they are until it is answered; but for its body
};

class ExchangeTest : public ::testing::Test {
 protected:
  // Gives the bytes, `step` at a time, and sends what there is to send; returns what was sent.
  std::string Give(std::string_view bytes, size_t step = SIZE_MAX) {
    std::string sent = Drain();
    while (!bytes.empty() && exchange_.want() == Exchange::Want::kRead) {
      const auto space = exchange_.Space();
      const size_t size = std::min({step, bytes.size(), space.size()});
      std::memcpy(space.data(), bytes.data(), size);
      bytes.remove_prefix(size);
      exchange_.Received(size, now_);
      sent += Drain();
    }
    untaken_ = bytes.size();
    return sent;
  }
  std::string Drain() {
    std::string sent;
    while (exchange_.want() == Exchange::Want::kSend) {
      sent += exchange_.output();
      exchange_.Sent(now_);
    }
    return sent;
  }
  static std::string Answer(std::string_view body, std::string_view fields = "") {
    return fmt::format("HTTP/1.1 200 OK\r\n{}Content-Length: {}\r\n\r\n{}", fields, body.size(), body);
  }
  [[nodiscard]] bool closes() const { return exchange_.want() == Exchange::Want::kClose; }

  EchoHandler handler_;
  Limits limits_;
  bool draining_ = false;
  Micros now_ = 100 * kSecond;
  Exchange exchange_{handler_, limits_, &draining_, now_};
  size_t untaken_ = 0;
};

TEST_F(ExchangeTest, AnswersWhateverTheStepsInWhichARequestArrives) {
  const std::string request = "POST /a" + std::string(kHost) + "Content-Length: 5\r\n\r\nhello";
  for (size_t step = 1; step <= request.size(); ++step) EXPECT_EQ(Give(request, step), Answer("POST /a hello")) << step;
  EXPECT_EQ(exchange_.want(), Exchange::Want::kRead);
  EXPECT_TRUE(exchange_.idle());
}

TEST_F(ExchangeTest, AnswersPipelinedRequestsInOrderAndInOneWrite) {
  std::string requests, answers;
  for (int i = 0; i < 20; ++i) {
    requests += fmt::format("GET /{}{}\r\n", i, kHost);
    answers += Answer(fmt::format("GET /{} ", i));
  }
  const auto space = exchange_.Space();
  ASSERT_GE(space.size(), requests.size());
  std::memcpy(space.data(), requests.data(), requests.size());
  exchange_.Received(requests.size(), now_);
  EXPECT_EQ(exchange_.output(), answers);
}

TEST_F(ExchangeTest, ReadsChunksAndTheRequestBehindThem) {
  const std::string bytes = "POST /a" + std::string(kHost) + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nGET /b" + std::string(kHost) + "\r\n";
  for (const size_t step : {size_t{1}, size_t{7}, bytes.size()}) EXPECT_EQ(Give(bytes, step), Answer("POST /a hello") + Answer("GET /b ")) << step;
}

TEST_F(ExchangeTest, HeadHasNoBodyButItsLength) {
  EXPECT_EQ(Give("HEAD /a" + std::string(kHost) + "\r\n"), "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
  EXPECT_EQ(Give("GET /a" + std::string(kHost) + "\r\n"), Answer("GET /a "));
}

TEST_F(ExchangeTest, OldClientsAreToldHowItGoesOn) {
  EXPECT_EQ(Give("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), Answer("GET /a ", "Connection: keep-alive\r\n"));
  EXPECT_EQ(Give("GET /a HTTP/1.0\r\n\r\n"), Answer("GET /a ", "Connection: close\r\n"));
  EXPECT_TRUE(closes());
  EXPECT_FALSE(exchange_.lingers()) << "nothing is unread";
}

TEST_F(ExchangeTest, CloseIsHonouredAndWhatFollowsIsNotServed) {
  EXPECT_EQ(Give("GET /a" + std::string(kHost) + "Connection: close\r\n\r\nGET /b" + std::string(kHost) + "\r\n"), Answer("GET /a ", "Connection: close\r\n"));
  EXPECT_TRUE(closes());
  EXPECT_TRUE(exchange_.lingers());
  EXPECT_EQ(handler_.seen.size(), 1U);
}

TEST_F(ExchangeTest, ContinueIsSaidOnlyToWhoMaySendItsBody) {
  const std::string head = "POST /a" + std::string(kHost) + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(Give(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(Give("hello"), Answer("POST /a hello"));
  EXPECT_EQ(Give(head + "hello"), Answer("POST /a hello")) << "the body came without waiting";
  const std::string too_much = Give("POST /a" + std::string(kHost) + "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  EXPECT_TRUE(too_much.starts_with("HTTP/1.1 413 ")) << too_much;
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, UnknownExpectationsAreRefusedButNotOfGateways) {
  EXPECT_EQ(Give("GET /authz" + std::string(kHost) + "Expect: wonders\r\n\r\n"), Answer("GET /authz "));
  EXPECT_EQ(Give("GET /authz" + std::string(kHost) + "Expect: 100-continue\r\n\r\n"), Answer("GET /authz "));
  EXPECT_TRUE(Give("GET /a" + std::string(kHost) + "Expect: wonders\r\n\r\n").starts_with("HTTP/1.1 4"));
  EXPECT_EQ(handler_.faults, std::vector<Fault>{Fault::kExpectation});
}

TEST_F(ExchangeTest, AGatewayIsAnsweredOnItsHeadAndAShortBodyIsSkipped) {
  EXPECT_EQ(Give("POST /authz" + std::string(kHost) + "Content-Length: 5\r\n\r\n"), Answer("POST /authz "));
  EXPECT_EQ(Give("helloGET /b" + std::string(kHost) + "\r\n", 3), Answer("GET /b "));
}

TEST_F(ExchangeTest, AGatewayThatAnnouncesMoreOrChunksIsAnsweredAndClosed) {
  for (const std::string_view field : {"Content-Length: 65537", "Transfer-Encoding: chunked"}) {
    Exchange exchange(handler_, limits_, nullptr, now_);
    const std::string bytes = fmt::format("POST /authz{}{}\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", kHost, field);
    const auto space = exchange.Space();
    std::memcpy(space.data(), bytes.data(), bytes.size());
    exchange.Received(bytes.size(), now_);
    EXPECT_EQ(exchange.output(), Answer("POST /authz ", "Connection: close\r\n"));
    exchange.Sent(now_);
    EXPECT_EQ(exchange.want(), Exchange::Want::kClose);
    EXPECT_TRUE(exchange.lingers());
  }
  EXPECT_EQ(handler_.seen.size(), 2U) << "nothing was smuggled";
}

TEST_F(ExchangeTest, BodiesHaveLimits) {
  EXPECT_TRUE(Give("POST /a" + std::string(kHost) + "Content-Length: 1073741824\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(closes());
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ExchangeTest, BodiesInChunksHaveLimitsToo) {
  std::string bytes = "POST /a" + std::string(kHost) + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) bytes += "A\r\n0123456789\r\n";
  EXPECT_TRUE(Give(bytes).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, WhatTakesNoBodyGetsNone) {
  EXPECT_TRUE(Give("POST /none" + std::string(kHost) + "Transfer-Encoding: chunked\r\n\r\n").starts_with("HTTP/1.1 413 "));
}

TEST_F(ExchangeTest, HeadsHaveLimitsWhichAreWiderForGateways) {
  const auto head = [](std::string_view path, size_t bytes) {
    std::string text = fmt::format("GET {}{}", path, kHost);
    while (text.size() + 200 < bytes) text += "X: " + std::string(150, 'x') + "\r\n";
    text += "X: " + std::string(bytes - text.size() - 7, 'x') + "\r\n\r\n";
    return text;
  };
  limits_.fields = limits_.gateway_fields = 1000;
  EXPECT_EQ(Give(head("/a", limits_.head_bytes)), Answer("GET /a "));
  EXPECT_EQ(Give(head("/authz", limits_.gateway_head_bytes), 1000), Answer("GET /authz "));
  EXPECT_TRUE(Give(head("/a", limits_.head_bytes + 1)).starts_with("HTTP/1.1 431 "));
}

TEST_F(ExchangeTest, AHeadThatNeverEndsIsCutOffAtItsLimit) {
  std::string bytes = "GET /a" + std::string(kHost) + "X: ";
  bytes += std::string(1 << 20, 'x');
  EXPECT_TRUE(Give(bytes, 1000).starts_with("HTTP/1.1 431 "));
  EXPECT_GT(untaken_, bytes.size() - limits_.head_bytes - 8 * 1024);
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, FieldsHaveALimitWhichIsWiderForGateways) {
  std::string fields;
  for (int i = 0; i < 64; ++i) fields += "X: y\r\n";
  EXPECT_EQ(Give("GET /authz" + std::string(kHost) + fields + "\r\n"), Answer("GET /authz "));
  EXPECT_TRUE(Give("GET /a" + std::string(kHost) + fields + "\r\n").starts_with("HTTP/1.1 431 "));
}

TEST_F(ExchangeTest, WhatIsNoHttpIsRefusedBeforeItsEnd) {
  EXPECT_TRUE(Give("GET /a HTTP/1.1\nHost: a\n\n", 5).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, AHeadHasItsTimeFromItsFirstByte) {
  EXPECT_EQ(exchange_.deadline(), now_ + limits_.idle_time);
  Give("GET");
  now_ += 3 * kSecond;
  Give(" /a");
  EXPECT_EQ(exchange_.deadline(), now_ - 3 * kSecond + limits_.head_time);
  exchange_.Expire(now_);
  EXPECT_TRUE(Drain().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, ABodyMustComeAtARate) {
  limits_.body_bytes_per_second = 10;
  Give("POST /a" + std::string(kHost) + "Content-Length: 100\r\n\r\n");
  EXPECT_EQ(exchange_.deadline(), now_ + limits_.body_grace);
  Give(std::string(40, 'x'));
  EXPECT_EQ(exchange_.deadline(), now_ + limits_.body_grace + 4 * kSecond);
  exchange_.Expire(now_);
  EXPECT_TRUE(Drain().starts_with("HTTP/1.1 408 "));
}

TEST_F(ExchangeTest, AnIdleConnectionEndsWithoutAWord) {
  Give("GET /a" + std::string(kHost) + "\r\n");
  EXPECT_TRUE(exchange_.idle());
  exchange_.Expire(now_);
  EXPECT_EQ(Drain(), "");
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, AReaderThatDoesNotReadIsGivenUp) {
  const auto space = exchange_.Space();
  const std::string request = "GET /a" + std::string(kHost) + "\r\n";
  std::memcpy(space.data(), request.data(), request.size());
  exchange_.Received(request.size(), now_);
  EXPECT_EQ(exchange_.deadline(), now_ + limits_.send_time);
  exchange_.Expire(now_);
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, AnAnswerThatComesLaterHoldsUpWhatIsBehindIt) {
  EXPECT_EQ(Give("GET /later" + std::string(kHost) + "\r\nGET /b" + std::string(kHost) + "\r\n"), "");
  EXPECT_EQ(exchange_.want(), Exchange::Want::kAnswer);
  EXPECT_EQ(exchange_.waiting(), handler_.last_ticket);
  Reply reply;
  reply.body = "late";
  EXPECT_FALSE(exchange_.Finish(handler_.last_ticket + 1, reply, now_)) << "another request's";
  EXPECT_TRUE(exchange_.Finish(handler_.last_ticket, reply, now_));
  EXPECT_EQ(Drain(), Answer("late") + Answer("GET /b "));
  EXPECT_FALSE(exchange_.Finish(handler_.last_ticket, reply, now_)) << "once is enough";
}

TEST_F(ExchangeTest, TheTextsOfARequestStayUntilItsAnswerThatComesLater) {
  const std::string head = "POST /later" + std::string(kHost) + "X-Request-Id: r1\r\nAccept: */*\r\n";
  const std::string behind = "GET /a" + std::string(kHost) + "\r\n";
  for (const std::string& request : {head + "Content-Length: 100\r\n\r\n" + std::string(100, 'b'), head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"})
    for (const size_t step : {size_t{1}, size_t{7}, SIZE_MAX}) {
      Give(std::string(5000, ' ').replace(0, 0, "GET /b" + std::string(kHost) + "X: ") + "\r\n\r\n", 4000);  // so that the buffer moves
      ASSERT_EQ(Give(request + behind, step), "");
      EXPECT_EQ(handler_.later.path, "/later");
      EXPECT_EQ(handler_.later.request_id, "r1");
      EXPECT_EQ(handler_.later.accept, "*/*");
      Reply reply;
      EXPECT_TRUE(exchange_.Finish(handler_.last_ticket, reply, now_));
      EXPECT_TRUE(Give(behind.substr(behind.size() - std::min(untaken_, behind.size()))).ends_with(Answer("GET /a ")));
    }
}

TEST_F(ExchangeTest, DrainingMakesEveryAnswerTheLast) {
  draining_ = true;
  EXPECT_EQ(Give("GET /a" + std::string(kHost) + "\r\n"), Answer("GET /a ", "Connection: close\r\n"));
  EXPECT_TRUE(closes());
}

TEST_F(ExchangeTest, ThePeersEndIsTheEnd) {
  Give("GET /a");
  exchange_.Ended();
  EXPECT_TRUE(closes());
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ExchangeTest, ManyPipelinedRequestsDoNotPileUpAnswers) {
  std::string requests;
  for (int i = 0; i < 5000; ++i) requests += "GET /" + std::string(50, 'x') + std::string(kHost) + "\r\n";
  size_t largest = 0, answered = 0;
  std::string_view bytes = requests;
  while (!bytes.empty()) {
    ASSERT_EQ(exchange_.want(), Exchange::Want::kRead);
    const auto space = exchange_.Space();
    const size_t size = std::min(bytes.size(), space.size());
    std::memcpy(space.data(), bytes.data(), size);
    bytes.remove_prefix(size);
    exchange_.Received(size, now_);
    while (exchange_.want() == Exchange::Want::kSend) {
      largest = std::max(largest, exchange_.output().size());
      exchange_.Sent(now_);
    }
  }
  answered = handler_.seen.size();
  EXPECT_EQ(answered, 5000U);
  EXPECT_LE(largest, 128U * 1024);
}

}  // namespace
}  // namespace reeve::api
