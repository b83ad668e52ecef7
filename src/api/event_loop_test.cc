#include "api/event_loop.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
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

// A loop in a thread of its own, at whose door everybody is echoed.
class EventLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listener = Listen(*loop_, {"127.0.0.1", 0});
    ASSERT_TRUE(listener.has_value()) << listener.error().message;
    listener_ = std::move(*listener);
    listener_->Start([this](const Accepted& peer) { echoes_.push_back(std::make_unique<Echo>(loop_->Adopt(peer.socket, nullptr))); });
  }
  void TearDown() override {
    loop_->Stop();
    if (thread_.joinable()) thread_.join();
  }
  void Run() {
    thread_ = std::thread([this] { loop_->Run(); });
  }
  static int NewSocket() { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }
  void Connect(int socket) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener_->endpoint().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
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
}

TEST_F(EventLoopTest, TicksComeAgain) {
  std::promise<void> third;
  int ticks = 0;
  loop_->Every(1'000, [&] {
    if (++ticks == 3) third.set_value();
  });
  Run();
  third.get_future().wait();
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
