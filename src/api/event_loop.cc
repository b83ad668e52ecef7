#include "api/event_loop.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <charconv>
#include <mutex>
#include <utility>
#include <vector>

#include "api/plain_stream.h"
#include "api/poll_set.h"

namespace reeve::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kBacklog = 4096;
constexpr int kAcceptsAtOnce = 64;
constexpr Micros kPauseAfterAcceptFailure = 100'000;  // no descriptors left: let some be closed
constexpr int kSendBufferBytes = 64 * 1024;  // of the kernel's memory for a peer that does not read
constexpr std::string_view kUnpaced = "reno";  // congestion control that every system has
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";            // of TLS 1.2; those of 1.3 are all fine

class SslIdentity final : public TlsIdentity {
 public:
  asio::ssl::context context{asio::ssl::context::tls_server};
};

// Asio's own object, kept alive by the operations on their way.
class TlsStream final : public Stream {
 public:
  using Socket = asio::ssl::stream<tcp::socket>;

  // `count`: of streams that Asio still has operations of; with `after_events` it outlives all of them.
  TlsStream(tcp::socket socket, SslIdentity& identity, const std::function<void()>& after_events, size_t& count)
      : socket_(std::make_shared<Socket>(std::move(socket), identity.context)), life_(std::make_shared<Life>(after_events, count)) {}
  ~TlsStream() override { Close(); }

  void Open(StreamEvents* events) override {
    life_->events = events;
    socket_->async_handshake(asio::ssl::stream_base::server, [life = life_, socket = socket_](error_code ec) { life->Tell([&](auto& to) { to.OnOpen(!ec); }); });
  }
  void Receive(std::span<char> space) override {
    socket_->async_read_some(asio::buffer(space.data(), space.size()), [life = life_, socket = socket_](error_code ec, size_t size) {
      life->Tell([&](auto& to) { to.OnReceived(ec ? 0 : size); });
    });
  }
  Io Send(std::string_view bytes) override {
    asio::async_write(*socket_, asio::buffer(bytes.data(), bytes.size()), [life = life_, socket = socket_](error_code ec, size_t) {
      life->Tell([&](auto& to) { to.OnSent(!ec); });
    });
    return Io::kLater;
  }
  void EndSending() override {
    error_code ec;
    socket_->lowest_layer().shutdown(tcp::socket::shutdown_send, ec);
  }
  void Close() override {
    life_->events = nullptr;
    error_code ec;
    socket_->lowest_layer().close(ec);
  }

 private:
  struct Life {
    Life(const std::function<void()>& after_events_in, size_t& count_in) : after_events(after_events_in), count(count_in) { ++count; }
    ~Life() { --count; }
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;

    StreamEvents* events = nullptr;  // null after Close
    const std::function<void()>& after_events;
    size_t& count;
    template <typename What>
    void Tell(What what) {
      if (events == nullptr) return;
      what(*events);
      after_events();
    }
  };
  std::shared_ptr<Socket> socket_;
  std::shared_ptr<Life> life_;
};

// Work from any thread, and the wake-up for it.
class Postbox final : public PollSet::Watched {
 public:
  explicit Postbox(PollSet& set) : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { REEVE_ASSERT(wake_ >= 0 && set.Watch(wake_, EPOLLIN | EPOLLET, this)); }
  ~Postbox() { close(wake_); }

  void Put(std::function<void()> work) {
    bool first = false;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      first = posted_.empty();
      posted_.push_back(std::move(work));
    }
    if (first) Wake();
  }
  // Edge-triggered: each writing is told once, and nobody needs to read.
  void Wake() const {
    constexpr uint64_t kOne = 1;
    REEVE_ASSERT(write(wake_, &kOne, sizeof kOne) == sizeof kOne);
  }
  void OnEvents(uint32_t) override { woken_ = true; }
  // Does what was put here before.
  void Run() {
    if (!std::exchange(woken_, false)) return;
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      work.swap(posted_);
    }
    for (const std::function<void()>& each : work) each();
  }

 private:
  const int wake_;
  bool woken_ = false;
  std::mutex mu_;
  std::vector<std::function<void()>> posted_;  // guarded by mu_
};

// Calls at intervals. Its descriptor is there from the beginning: it may be needed because there are none left.
class Metronome final : public PollSet::Watched {
 public:
  explicit Metronome(PollSet& set) : timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    REEVE_ASSERT(timer_ >= 0 && set.Watch(timer_, EPOLLIN, this));
  }
  ~Metronome() { close(timer_); }

  void Start(Micros interval, std::function<void()> work) {
    work_ = std::move(work);
    Arm(interval);
  }
  void Stop() const { Arm(0); }
  void OnEvents(uint32_t) override {
    uint64_t times = 0;
    if (read(timer_, &times, sizeof times) > 0) work_();
  }

 private:
  void Arm(Micros interval) const {
    const timespec every{interval / kSecond, interval % kSecond * 1'000};
    const itimerspec times{every, every};
    REEVE_ASSERT(timerfd_settime(timer_, 0, &times, nullptr) == 0);
  }

  const int timer_;
  std::function<void()> work_;
};

// Everything waits in the poll set, but for TLS streams, which are Asio's: while there are any, Asio waits for the poll set too.
class MixedLoop final : public EventLoop {
 public:
  MixedLoop() : post_(set_), metronome_(set_), set_events_(io_, dup(set_.descriptor())) {}

  void Run() override {
    const auto work = asio::make_work_guard(io_);  // else it stops when it has nothing to do
    while (!stopping_.load(std::memory_order_relaxed)) {
      if (tls_streams_ == 0)
        set_.Turn(true);
      else
        TurnOfAsio();
      post_.Run();      // before that: what is put there may bring questions, and nothing would wake the loop for them
      after_events_();
    }
  }
  void Stop() override {
    stopping_.store(true, std::memory_order_relaxed);
    post_.Wake();
  }
  void Post(std::function<void()> work) override { post_.Put(std::move(work)); }
  void Every(Micros interval, std::function<void()> work) override { metronome_.Start(interval, std::move(work)); }
  void AfterEvents(std::function<void()> work) override { after_events_ = std::move(work); }
  std::unique_ptr<Stream> Adopt(int socket, TlsIdentity* tls) override {
    if (tls == nullptr) return MakePlainStream(*this, set_, socket);
    tcp::socket taken(io_);
    error_code ec;
    taken.assign(tcp::v4(), socket, ec);  // the family matters only for binding
    if (!ec) return std::make_unique<TlsStream>(std::move(taken), static_cast<SslIdentity&>(*tls), after_events_, tls_streams_);
    ::close(socket);
    return nullptr;
  }

  PollSet& set() { return set_; }

 private:
  void TurnOfAsio() {
    if (!asio_waits_) {
      asio_waits_ = true;
      set_events_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code) {
        asio_waits_ = false;
        set_.Turn(false);
      });
    }
    io_.run_one();
  }

  std::atomic<bool> stopping_ = false;
  std::function<void()> after_events_ = [] {};
  PollSet set_;
  Postbox post_;
  Metronome metronome_;
  size_t tls_streams_ = 0;
  asio::io_context io_{1};                     // one thread runs it; it ends before what its streams refer to
  asio::posix::stream_descriptor set_events_;  // a descriptor of its own for the poll set
  bool asio_waits_ = false;
};

std::string AddressForCounting(const tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v4()) return address.to_string();
  if (address.to_v6().is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  const auto bytes = address.to_v6().to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), 8};
}

class TcpListener final : public Listener, public PollSet::Watched {
 public:
  TcpListener(MixedLoop& loop, int socket, Endpoint endpoint) : set_(loop.set()), pause_(set_), socket_(socket), endpoint_(std::move(endpoint)) {}
  ~TcpListener() override { Close(); }

  void Start(std::function<void(const Accepted&)> accept) override {
    accept_ = std::move(accept);
    REEVE_ASSERT(set_.Watch(socket_, EPOLLIN, this));
  }
  void Close() override {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  Endpoint endpoint() const override { return endpoint_; }

  void OnEvents(uint32_t) override {
    for (int i = 0; i < kAcceptsAtOnce && socket_ >= 0; ++i) {
      tcp::endpoint peer;
      auto size = static_cast<socklen_t>(peer.capacity());
      const int socket = ::accept4(socket_, peer.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (socket >= 0) {
        peer.resize(size);
        accept_({socket, AddressForCounting(peer), peer.address().is_loopback()});
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return Pause();
    }
  }

 private:
  void Pause() {
    set_.Change(socket_, 0, this);
    pause_.Start(kPauseAfterAcceptFailure, [this] {
      pause_.Stop();
      if (socket_ >= 0) set_.Change(socket_, EPOLLIN, this);
    });
  }

  PollSet& set_;
  Metronome pause_;
  int socket_;                 // −1: closed
  const Endpoint endpoint_;
  std::function<void(const Accepted&)> accept_;
};

}  // namespace

Result<std::unique_ptr<TlsIdentity>> MakeTlsIdentity(std::string_view certificates, const Secret& key) {
  auto identity = std::make_unique<SslIdentity>();
  asio::ssl::context& context = identity->context;
  error_code ec;
  context.set_options(asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 |
                          asio::ssl::context::no_compression | SSL_OP_NO_RENEGOTIATION,
                      ec);
  if (!ec && SSL_CTX_set_cipher_list(context.native_handle(), kCiphers) != 1) return Fail(Code::kFailed, "TLS: the library lacks the ciphers that are wanted");
  if (!ec) context.use_certificate_chain(asio::buffer(certificates.data(), certificates.size()), ec);
  if (ec) return Fail(Code::kUsage, "TLS: the certificate cannot be used: {}", ec.message());
  context.use_private_key(asio::buffer(key.Reveal().data(), key.Reveal().size()), asio::ssl::context::pem, ec);
  if (ec) return Fail(Code::kUsage, "TLS: the key cannot be used: {}", ec.message());
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) return Fail(Code::kUsage, "TLS: the key is not the certificate's");
  return identity;
}

std::unique_ptr<EventLoop> MakeEventLoop() { return std::make_unique<MixedLoop>(); }

Result<Endpoint> ParseEndpoint(std::string_view text) {
  const auto wrong = [&] { return FailWithHint(Code::kUsage, fmt::format("\"{}\" is no address to listen at", text), "as in 127.0.0.1:8080, [::1]:8080 or :8080"); };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  Endpoint endpoint;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return wrong();
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  error_code ec;
  endpoint.host = asio::ip::make_address(std::string(host), ec).to_string();
  if (ec) return wrong();
  return endpoint;
}

std::string EndpointText(const Endpoint& endpoint) {
  if (endpoint.host.find(':') == std::string::npos) return fmt::format("{}:{}", endpoint.host, endpoint.port);
  return fmt::format("[{}]:{}", endpoint.host, endpoint.port);
}

bool IsLoopback(const Endpoint& endpoint) {
  error_code ec;
  const auto address = asio::ip::make_address(endpoint.host, ec);
  return !ec && address.is_loopback();
}

Result<std::unique_ptr<Listener>> Listen(EventLoop& loop, const Endpoint& endpoint) {
  error_code ec;
  const tcp::endpoint wanted(asio::ip::make_address(endpoint.host, ec), endpoint.port);
  tcp::endpoint bound;
  auto size = static_cast<socklen_t>(bound.capacity());
  constexpr int kOn = 1;
  const int socket = ::socket(wanted.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  // What is set here, the sockets that are accepted inherit. A peer on this machine is not paced: there is no path to spare, and timers for each message
  // cost a twentieth of the rate (where the system's default is bbr).
  if (socket >= 0 && wanted.address().is_loopback()) (void)setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
  const bool listens = !ec && socket >= 0 && setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn) == 0 &&
                       setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn) == 0 &&
                       setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes) == 0 &&
                       ::bind(socket, wanted.data(), static_cast<socklen_t>(wanted.size())) == 0 && ::listen(socket, kBacklog) == 0 &&
                       getsockname(socket, bound.data(), &size) == 0;
  if (listens) return std::make_unique<TcpListener>(static_cast<MixedLoop&>(loop), socket, Endpoint{endpoint.host, bound.port()});
  if (!ec) ec = {errno, boost::system::system_category()};
  if (socket >= 0) ::close(socket);
  return Fail(Code::kFailed, "{}: cannot listen: {}", EndpointText(endpoint), ec.message());
}

}  // namespace reeve::api
