#include "api/plain_stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace reeve::api {
namespace {

// Watched from the beginning for everything, edge-triggered: no call per message to say what is waited for, and no second look of the kernel at a socket that has
// been read. So it has to be remembered here whether there is something to read (epoll(7), "edge-triggered").
class PlainStream final : public Stream, public PollSet::Watched {
 public:
  PlainStream(EventLoop& loop, int socket) : loop_(loop), socket_(socket), life_(std::make_shared<bool>(true)) {}
  ~PlainStream() override { Close(); }

  [[nodiscard]] bool Watch(PollSet& set) { return set.Watch(socket_, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET, this); }

  void Open(StreamEvents* events) override {
    events_ = events;
    events->OnOpen(true);
  }

  void Receive(std::span<char> space) override {
    space_ = space;
    if (!readable_ || std::exchange(posted_, true)) return;
    loop_.Post([this, life = life_] {
      if (!*life) return;
      posted_ = false;
      if (readable_ && !space_.empty()) Read();
    });
  }

  Io Send(std::string_view bytes) override {
    const Io sent = SendSome(&bytes);
    if (sent == Io::kLater) unsent_ = bytes;
    return sent;
  }

  void EndSending() override { shutdown(socket_, SHUT_WR); }

  void Close() override {
    if (socket_ < 0) return;
    close(socket_);  // leaves the poll set by itself
    socket_ = -1;
    events_ = nullptr;
    space_ = {};
    unsent_ = {};
    *life_ = false;
  }

  void OnEvents(uint32_t events) override {
    constexpr uint32_t kToTheEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
    to_the_end_ = to_the_end_ || (events & kToTheEnd) != 0;
    readable_ = readable_ || to_the_end_ || (events & EPOLLIN) != 0;
    if (!unsent_.empty() && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) Write();
    if (readable_ && !space_.empty()) Read();  // who speaks before being asked waits
  }

 private:
  // What comes after a read that did not fill its space, the kernel will say; of an end it has spoken already, and urgent data cut a read short.
  void Read() {
    const std::span<char> space = std::exchange(space_, {});
    ssize_t size = 0;
    do size = recv(socket_, space.data(), space.size(), MSG_DONTWAIT);
    while (size < 0 && errno == EINTR);
    const bool nothing = size < 0 && errno == EAGAIN;
    readable_ = !nothing && (to_the_end_ || size == static_cast<ssize_t>(space.size()));
    if (nothing)
      space_ = space;
    else
      events_->OnReceived(size > 0 ? static_cast<size_t>(size) : 0);
  }

  Io SendSome(std::string_view* bytes) const {
    while (!bytes->empty()) {
      const ssize_t sent = send(socket_, bytes->data(), bytes->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return errno == EAGAIN ? Io::kLater : Io::kFailed;
      bytes->remove_prefix(static_cast<size_t>(sent));
    }
    return Io::kDone;
  }

  void Write() {
    const Io sent = SendSome(&unsent_);
    if (sent == Io::kLater) return;
    unsent_ = {};
    events_->OnSent(sent == Io::kDone);
  }

  EventLoop& loop_;
  int socket_;                        // −1: closed
  StreamEvents* events_ = nullptr;
  std::span<char> space_;             // empty: nobody reads
  std::string_view unsent_;
  bool readable_ = false;             // there may be something to read
  bool to_the_end_ = false;           // only a read that finds nothing is the last: the peer has ended, the connection is broken, or urgent data came
  bool posted_ = false;               // a read is on the loop's list
  const std::shared_ptr<bool> life_;  // false once closed
};

}  // namespace

std::unique_ptr<Stream> MakePlainStream(EventLoop& loop, PollSet& set, int socket) {
  auto stream = std::make_unique<PlainStream>(loop, socket);
  if (!stream->Watch(set)) return nullptr;
  return stream;
}

}  // namespace reeve::api
