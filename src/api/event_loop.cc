#include "api/event_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <charconv>

#include "api/plain_sockets.h"

namespace reeve::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kBacklog = 4096;
constexpr int kAcceptsAtOnce = 64;
constexpr int kSendBufferBytes = 64 * 1024;  // of the kernel's memory for a peer that does not read
constexpr auto kPauseAfterAcceptFailure = std::chrono::milliseconds(100);  // no descriptors left: let some be closed
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";            // of TLS 1.2; those of 1.3 are all fine

class SslIdentity final : public TlsIdentity {
 public:
  asio::ssl::context context{asio::ssl::context::tls_server};
};

// Asio's own object, kept alive by the operations on their way.
class TlsStream final : public Stream {
 public:
  using Socket = asio::ssl::stream<tcp::socket>;

  TlsStream(tcp::socket socket, SslIdentity& identity, const std::function<void()>& after_events)
      : socket_(std::make_shared<Socket>(std::move(socket), identity.context)), life_(std::make_shared<Life>(Life{nullptr, after_events})) {}
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
    StreamEvents* events;  // null after Close
    const std::function<void()>& after_events;
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

class AsioLoop final : public EventLoop {
 public:
  AsioLoop() : plain_([this](std::function<void()> work) { Post(std::move(work)); }, [this] { after_events_(); }), plain_events_(io_, dup(plain_.descriptor())) {}

  void Run() override {
    const auto work = asio::make_work_guard(io_);
    WaitForPlain();
    io_.run();
  }
  void Stop() override { io_.stop(); }
  void Post(std::function<void()> work) override { asio::post(io_, std::move(work)); }
  void Every(Micros interval, std::function<void()> work) override {
    interval_ = std::chrono::microseconds(interval);
    tick_ = std::move(work);
    Arm();
  }
  void AfterEvents(std::function<void()> work) override { after_events_ = std::move(work); }
  std::unique_ptr<Stream> Adopt(int socket, TlsIdentity* tls) override {
    if (tls == nullptr) return plain_.Adopt(socket);
    tcp::socket taken(io_);
    error_code ec;
    taken.assign(tcp::v4(), socket, ec);  // the family matters only for binding
    if (!ec) return std::make_unique<TlsStream>(std::move(taken), static_cast<SslIdentity&>(*tls), after_events_);
    ::close(socket);
    return nullptr;
  }

  asio::io_context& io() { return io_; }

 private:
  void Arm() {
    timer_.expires_after(interval_);
    timer_.async_wait([this](error_code ec) {
      if (ec) return;
      tick_();
      Arm();
    });
  }

  void WaitForPlain() {
    plain_events_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code ec) {
      if (ec) return;
      plain_.Poll();
      WaitForPlain();
    });
  }

  asio::io_context io_{1};  // one thread runs it
  std::function<void()> after_events_ = [] {};
  PlainSockets plain_;
  asio::posix::stream_descriptor plain_events_;  // a descriptor of its own for the same poll set
  asio::steady_timer timer_{io_};
  std::chrono::microseconds interval_{};
  std::function<void()> tick_;
};

std::string AddressForCounting(const tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v4()) return address.to_string();
  if (address.to_v6().is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  const auto bytes = address.to_v6().to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), 8};
}

class AsioListener final : public Listener {
 public:
  AsioListener(AsioLoop& loop, tcp::acceptor acceptor, Endpoint endpoint)
      : acceptor_(std::move(acceptor)), pause_(loop.io()), endpoint_(std::move(endpoint)) {}

  void Start(std::function<void(const Accepted&)> accept) override {
    accept_ = std::move(accept);
    Wait();
  }
  void Close() override {
    error_code ec;
    acceptor_.close(ec);
    pause_.cancel();
  }
  Endpoint endpoint() const override { return endpoint_; }

 private:
  void Wait() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code ec) {
      if (ec) return;
      AcceptSome();
    });
  }
  void AcceptSome() {
    for (int i = 0; i < kAcceptsAtOnce && acceptor_.is_open(); ++i) {
      tcp::endpoint peer;
      auto size = static_cast<socklen_t>(peer.capacity());
      const int socket = ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (socket >= 0) {
        peer.resize(size);
        accept_({socket, AddressForCounting(peer), peer.address().is_loopback()});
        continue;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return Pause();
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    }
    if (acceptor_.is_open()) Wait();
  }
  void Pause() {
    pause_.expires_after(kPauseAfterAcceptFailure);
    pause_.async_wait([this](error_code ec) {
      if (!ec && acceptor_.is_open()) Wait();
    });
  }

  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
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

std::unique_ptr<EventLoop> MakeEventLoop() { return std::make_unique<AsioLoop>(); }

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
  auto& asio_loop = static_cast<AsioLoop&>(loop);
  error_code ec;
  const auto address = asio::ip::make_address(endpoint.host, ec);
  tcp::acceptor acceptor(asio_loop.io());
  const tcp::endpoint wanted(address, endpoint.port);
  if (!ec) acceptor.open(wanted.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  // These two are inherited by the sockets that are accepted.
  if (!ec) acceptor.set_option(tcp::no_delay(true), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::send_buffer_size(kSendBufferBytes), ec);
  if (!ec) acceptor.bind(wanted, ec);
  if (!ec) acceptor.listen(kBacklog, ec);
  if (!ec) acceptor.non_blocking(true, ec);
  if (ec) return Fail(Code::kFailed, "{}: cannot listen: {}", EndpointText(endpoint), ec.message());
  const uint16_t port = acceptor.local_endpoint(ec).port();
  return std::make_unique<AsioListener>(asio_loop, std::move(acceptor), Endpoint{endpoint.host, port});
}

}  // namespace reeve::api
