#include "api/event_loop.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace reeve::api {
namespace {

// Sends back what it receives until the peer ends.
class Echo final : public StreamEvents {
 public:
  explicit Echo(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) { stream_->Open(this); }
  void OnOpen(bool ok) override {
    if (ok) stream_->Receive(space_);
  }
  void OnReceived(size_t size) override {
    if (size == 0) return stream_->Close();
    EXPECT_EQ(stream_->Send({space_.data(), size}), Stream::Io::kDone);
    stream_->Receive(space_);
  }
  void OnSent(bool) override {}

 private:
  std::unique_ptr<Stream> stream_;
  std::array<char, 64> space_{};
};

// Receives when it is told to.
class Listless final : public StreamEvents {
 public:
  explicit Listless(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) { stream_->Open(this); }
  void Receive() { stream_->Receive(space_); }
  std::future<std::string> received() { return received_.get_future(); }
  void OnOpen(bool) override {}
  void OnReceived(size_t size) override { received_.set_value({space_.data(), size}); }
  void OnSent(bool) override {}

 private:
  std::unique_ptr<Stream> stream_;
  std::array<char, 64> space_{};
  std::promise<std::string> received_;
};

// A loop in a thread of its own, at whose door everybody is echoed.
class EventLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listener = Listen(*loop_, {"127.0.0.1", 0});
    ASSERT_TRUE(listener.has_value()) << listener.error().message;
    listener_ = std::move(*listener);
    listener_->Start([this](const Accepted& peer) { echoes_.push_back(std::make_unique<Echo>(loop_->Adopt(peer.socket, nullptr))); });
  }
  void TearDown() override { Halt(); }
  // Before anything goes that the loop's thread may still look at.
  void Halt() {
    loop_->Stop();
    if (thread_.joinable()) thread_.join();
  }
  void Run() {
    thread_ = std::thread([this] { loop_->Run(); });
  }
  // Gives up after a while: what is never answered fails.
  static int NewSocket() {
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    constexpr timeval kPatience{10, 0};
    EXPECT_EQ(setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience), 0);
    return made;
  }
  void Connect(int socket) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener_->endpoint().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  // Returns when the loop has seen what had happened before.
  void PassTwoTurns() {
    std::promise<void> passed;
    loop_->Post([&] { loop_->Post([&] { loop_->Post([&] { passed.set_value(); }); }); });
    passed.get_future().wait();
  }
  static std::string Ask(int socket, std::string_view text) {
    std::string answer(text.size(), '\0');
    EXPECT_EQ(send(socket, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(recv(socket, answer.data(), answer.size(), MSG_WAITALL), static_cast<ssize_t>(answer.size()));
    return answer;
  }

  std::unique_ptr<EventLoop> loop_ = MakeEventLoop();
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Echo>> echoes_;  // of the loop's thread
  std::thread thread_;
};

TEST_F(EventLoopTest, WorkOfEachThreadIsDoneInItsOrder) {
  constexpr int kWorks = 10'000;
  std::array<std::vector<int>, 2> done;  // of the loop's thread
  std::promise<void> all;
  const auto post = [&](size_t who) {
    for (int i = 0; i < kWorks; ++i)
      loop_->Post([&, who, i] {
        done[who].push_back(i);
        if (done[0].size() + done[1].size() == 2 * kWorks) all.set_value();
      });
  };
  Run();
  std::thread other(post, 0);
  post(1);
  other.join();
  all.get_future().wait();
  for (const auto& works : done)
    for (int i = 0; i < kWorks; ++i) ASSERT_EQ(works[static_cast<size_t>(i)], i);
}

TEST_F(EventLoopTest, StreamsAreServedTogetherAndTheirTurnHasAnEnd) {
  size_t turns = 0;  // of the loop's thread
  loop_->AfterEvents([&] { ++turns; });
  Run();
  std::array<int, 3> sockets{};
  for (int& socket : sockets) {
    socket = NewSocket();
    Connect(socket);
  }
  for (int round = 0; round < 3; ++round)
    for (const int socket : sockets) EXPECT_EQ(Ask(socket, "hello"), "hello");
  for (const int socket : sockets) close(socket);
  std::promise<size_t> counted;
  loop_->Post([&] { counted.set_value(turns); });
  EXPECT_GE(counted.get_future().get(), 9U) << "each question had to be answered before the next was put";
  Halt();
}

TEST_F(EventLoopTest, AMessageIsReadToItsEndHoweverOftenItFillsTheSpace) {
  Run();
  const int socket = NewSocket();
  Connect(socket);
  for (const size_t size : {63, 64, 65, 640, 10'000}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    EXPECT_EQ(Ask(socket, text), text) << size;
  }
  close(socket);
}

// Answers when the turn ends, as gateways are answered.
class AnsweredTogether final : public StreamEvents {
 public:
  explicit AnsweredTogether(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) { stream_->Open(this); }
  void OnOpen(bool) override { stream_->Receive(space_); }
  void OnReceived(size_t size) override { received_ = size; }
  void OnSent(bool) override {}
  void AnswerIfAsked() {
    const size_t size = std::exchange(received_, 0);
    if (size == 0) return;
    EXPECT_EQ(stream_->Send({space_.data(), size}), Stream::Io::kDone);
    stream_->Receive(space_);
  }

 private:
  std::unique_ptr<Stream> stream_;
  std::array<char, 64> space_{};
  size_t received_ = 0;
};

TEST_F(EventLoopTest, WhatIsReadLaterIsInATurnLikeAnythingElse) {
  std::unique_ptr<AnsweredTogether> peer;
  listener_->Close();
  listener_ = std::move(*Listen(*loop_, {"127.0.0.1", 0}));
  listener_->Start([&](const Accepted& accepted) { peer = std::make_unique<AnsweredTogether>(loop_->Adopt(accepted.socket, nullptr)); });
  loop_->AfterEvents([&] {
    if (peer != nullptr) peer->AnswerIfAsked();
  });
  const int socket = NewSocket();
  Connect(socket);
  Run();
  const std::string text(640, 'x');
  EXPECT_EQ(Ask(socket, text), text) << "ten times the space, and nothing else wakes the loop";
  Halt();
  close(socket);
}

TEST_F(EventLoopTest, UrgentDataCutsNoMessageShort) {
  const int socket = NewSocket();
  Connect(socket);
  ASSERT_EQ(send(socket, "hel", 3, MSG_NOSIGNAL), 3);
  ASSERT_EQ(send(socket, "!", 1, MSG_NOSIGNAL | MSG_OOB), 1);
  ASSERT_EQ(send(socket, "lo", 2, MSG_NOSIGNAL), 2);
  Run();
  std::array<char, 5> answer{};
  EXPECT_EQ(recv(socket, answer.data(), answer.size(), MSG_WAITALL), 5);
  EXPECT_EQ(std::string_view(answer.data(), answer.size()), "hello");
  close(socket);
}

TEST_F(EventLoopTest, AnEndThatComesWithTheMessageIsTold) {
  const int socket = NewSocket();
  Connect(socket);
  ASSERT_EQ(send(socket, "hello", 5, MSG_NOSIGNAL), 5);
  ASSERT_EQ(shutdown(socket, SHUT_WR), 0);
  Run();
  std::array<char, 16> answer{};
  EXPECT_EQ(recv(socket, answer.data(), 5, MSG_WAITALL), 5);
  EXPECT_EQ(recv(socket, answer.data(), answer.size(), 0), 0) << "the other side's end";
  close(socket);
}

TEST_F(EventLoopTest, WhatComesBeforeAnybodyReadsIsThereWhenSomebodyDoes) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  Run();
  std::unique_ptr<Listless> late;
  loop_->Post([&] { late = std::make_unique<Listless>(loop_->Adopt(ends[0], nullptr)); });
  PassTwoTurns();
  ASSERT_EQ(send(ends[1], "hello", 5, MSG_NOSIGNAL), 5);
  PassTwoTurns();
  std::future<std::string> received = late->received();
  loop_->Post([&] { late->Receive(); });
  ASSERT_EQ(received.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(received.get(), "hello");
  Halt();
  close(ends[1]);
}

TEST_F(EventLoopTest, TicksComeAgain) {
  std::promise<void> third;
  int ticks = 0;
  loop_->Every(1'000, [&] {
    if (++ticks == 3) third.set_value();
  });
  Run();
  third.get_future().wait();
  Halt();
}

TEST_F(EventLoopTest, WhoFoundNoDescriptorLeftIsLetInLater) {
  const int socket = NewSocket();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{static_cast<rlim_t>(socket) + 1, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  Connect(socket);
  Run();
  std::promise<size_t> counted;  // in a turn after the one in which the listener was asked
  loop_->Post([&] { loop_->Post([&] { counted.set_value(echoes_.size()); }); });
  EXPECT_EQ(counted.get_future().get(), 0U);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(Ask(socket, "hello"), "hello");
  close(socket);
}

}  // namespace
}  // namespace reeve::api
