#include "api/plain_stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace reeve::api {
namespace {

// Watched for reading from the beginning, level-triggered, which costs no call per message. Only who has something to say while nobody listens is set aside.
class PlainStream final : public Stream, public PollSet::Watched {
 public:
  PlainStream(EventLoop& loop, PollSet& set, int socket) : loop_(loop), set_(set), socket_(socket), life_(std::make_shared<bool>(true)) {}
  ~PlainStream() override { Close(); }

  bool Watch() {
    watched_ = EPOLLIN;
    return set_.Watch(socket_, watched_, this);
  }

  void Open(StreamEvents* events) override {
    events_ = events;
    events->OnOpen(true);
  }

  void Receive(std::span<char> space) override {
    space_ = space;
    if (broken_)
      loop_.Post([this, life = life_] {
        if (*life && !space_.empty()) Read();
      });
    else
      Update();
  }

  Io Send(std::string_view bytes) override {
    const Io sent = SendSome(&bytes);
    unsent_ = bytes;
    if (sent == Io::kLater) Update();
    return sent;
  }

  void EndSending() override { shutdown(socket_, SHUT_WR); }

  void Close() override {
    if (socket_ < 0) return;
    close(socket_);  // leaves the poll set by itself
    socket_ = -1;
    events_ = nullptr;
    *life_ = false;
  }

  void OnEvents(uint32_t events) override {
    if (socket_ < 0) return;  // closed earlier in this round
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && space_.empty() && unsent_.empty()) return SetAside();
    if (!unsent_.empty() && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) return Write();
    if (space_.empty()) return Update();  // who speaks before being asked waits
    Read();
  }

 private:
  void Read() {
    const std::span<char> space = std::exchange(space_, {});
    const ssize_t size = recv(socket_, space.data(), space.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
      space_ = space;
      return;
    }
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
    Update();
    events_->OnSent(sent == Io::kDone);
  }

  // Watches for what is waited for, if that is not so already.
  void Update() {
    const uint32_t wanted = (space_.empty() ? 0U : EPOLLIN) | (unsent_.empty() ? 0U : EPOLLOUT);
    if (wanted == watched_ || broken_) return;
    watched_ = wanted;
    set_.Change(socket_, wanted, this);
  }

  // A broken connection is reported for ever; whoever asks next is told.
  void SetAside() {
    broken_ = true;
    set_.Forget(socket_);
  }

  EventLoop& loop_;
  PollSet& set_;
  int socket_;                        // −1: closed
  StreamEvents* events_ = nullptr;
  std::span<char> space_;             // empty: nobody reads
  std::string_view unsent_;
  uint32_t watched_ = 0;
  bool broken_ = false;
  const std::shared_ptr<bool> life_;  // false once closed
};

}  // namespace

std::unique_ptr<Stream> MakePlainStream(EventLoop& loop, PollSet& set, int socket) {
  auto stream = std::make_unique<PlainStream>(loop, set, socket);
  if (!stream->Watch()) return nullptr;
  return stream;
}

}  // namespace reeve::api
