#include "tests/fakes/loopback_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include "base/encoding.h"
#include "base/error.h"
#include "tests/fakes/loopback_listener.h"

namespace reeve::fakes {
namespace {

constexpr size_t kHeadBytesMax = 1024 * 1024;
constexpr size_t kBodyBytesMax = 256 * 1024 * 1024;
constexpr size_t kChunkBytes = 1000;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::optional<std::string> byte = text[i] == '%' && i + 2 < text.size() ? HexDecode(text.substr(i + 1, 2)) : std::nullopt;
    if (byte) {
      plain += *byte;
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

// The head without its empty line; nullopt if it makes no sense.
std::optional<LoopbackRequest> ParseHead(std::string_view head) {
  LoopbackRequest request;
  bool first = true;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
    if (first) {
      const size_t method = line.find(' ');
      const size_t target = line.rfind(' ');
      if (method == std::string_view::npos || target <= method) return std::nullopt;
      request.method = line.substr(0, method);
      request.target = line.substr(method + 1, target - method - 1);
      first = false;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    request.headers.emplace_back(AsciiLower(line.substr(0, colon)), Trimmed(line.substr(colon + 1)));
  }
  return request;
}

std::string_view Phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 308: return "Resume Incomplete";
    case 404: return "Not Found";
    default: return "As It Is";
  }
}

std::string HeadOf(const LoopbackAnswer& answer) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, Phrase(answer.status));
  for (const auto& [name, value] : answer.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (answer.chunked) head += "Transfer-Encoding: chunked\r\n";
  else if (answer.status != 204) head += fmt::format("Content-Length: {}\r\n", answer.body.size());
  if (answer.close) head += "Connection: close\r\n";
  return head + "\r\n";
}

std::string BodyOf(const LoopbackAnswer& answer) {
  if (!answer.chunked) return answer.body;
  std::string body;
  for (size_t at = 0; at < answer.body.size(); at += kChunkBytes) {
    const std::string_view chunk = std::string_view(answer.body).substr(at, kChunkBytes);
    body += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
  }
  return body + "0\r\n\r\n";
}

}  // namespace

std::string LoopbackRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

std::string LoopbackRequest::Query(std::string_view name) const {
  std::string_view rest = target;
  const size_t mark = rest.find('?');
  rest = mark == std::string_view::npos ? std::string_view() : rest.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const size_t equals = pair.find('=');
    if (Unescaped(pair.substr(0, equals)) == name)
      return equals == std::string_view::npos ? std::string() : Unescaped(pair.substr(equals + 1));
  }
  return {};
}

struct LoopbackServer::Impl {
  Handler handler;
  int listener = -1;
  int stop = -1;  // an eventfd that becomes readable when the server ends
  int port = 0;
  std::thread acceptor;
  std::atomic<uint64_t> connections = 0;
  std::vector<std::thread> threads;  // of the acceptor's alone until it has ended
  mutable std::mutex mu;
  std::vector<LoopbackRequest> requests;  // guarded by mu

  // True when `fd` can be read, false when the server ends.
  bool WaitFor(int fd, short events) const {
    pollfd fds[2] = {{fd, events, 0}, {stop, POLLIN, 0}};
    while (poll(fds, 2, -1) < 0) {
    }
    return fds[1].revents == 0;
  }

  bool SendAll(int fd, std::string_view bytes) const {
    while (!bytes.empty()) {
      if (!WaitFor(fd, POLLOUT)) return false;
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // More bytes of the connection into `buffer`; false at its end.
  bool ReadMore(int fd, std::string* buffer) const {
    if (!WaitFor(fd, POLLIN)) return false;
    char bytes[64 * 1024];
    const ssize_t count = recv(fd, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    buffer->append(bytes, static_cast<size_t>(count));
    return true;
  }

  // The next request; `buffer` keeps what came after it.
  std::optional<LoopbackRequest> ReadRequest(int fd, std::string* buffer) const {
    size_t end = 0;
    while ((end = buffer->find("\r\n\r\n")) == std::string::npos)
      if (buffer->size() > kHeadBytesMax || !ReadMore(fd, buffer)) return std::nullopt;
    std::optional<LoopbackRequest> request = ParseHead(std::string_view(*buffer).substr(0, end));
    if (!request) return std::nullopt;
    const size_t size = std::strtoull(request->Header("content-length").c_str(), nullptr, 10);
    if (size > kBodyBytesMax) return std::nullopt;
    while (buffer->size() < end + 4 + size)
      if (!ReadMore(fd, buffer)) return std::nullopt;
    request->body = buffer->substr(end + 4, size);
    buffer->erase(0, end + 4 + size);
    return request;
  }

  // Until the client goes away or the server ends.
  void Stall(int fd) const {
    std::string ignored;
    while (ReadMore(fd, &ignored)) ignored.clear();
  }

  static void Reset(int fd) {
    const linger hard{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

  // False if the connection is to be closed.
  bool Answer(int fd, const LoopbackAnswer& answer) const {
    if (!answer.raw.empty()) return SendAll(fd, answer.raw) && false;
    const std::string head = HeadOf(answer);
    const std::string body = BodyOf(answer);
    const std::string half = head + body.substr(0, body.size() / 2);
    switch (answer.misbehaviour) {
      case Misbehaviour::kNone: return SendAll(fd, head + body) && !answer.close;
      case Misbehaviour::kCloseBeforeAnswer: return false;
      case Misbehaviour::kReset: Reset(fd); return false;
      case Misbehaviour::kBreakInHead: return SendAll(fd, std::string_view(head).substr(0, head.size() / 2)) && false;
      case Misbehaviour::kBreakInBody: return SendAll(fd, half) && false;
      case Misbehaviour::kStall: Stall(fd); return false;
      case Misbehaviour::kStallInBody: {
        if (SendAll(fd, half)) Stall(fd);
        return false;
      }
    }
    return false;
  }

  void Serve(int fd, uint64_t number) {
    std::string buffer;
    while (std::optional<LoopbackRequest> request = ReadRequest(fd, &buffer)) {
      request->connection = number;
      {
        const std::lock_guard lock(mu);
        requests.push_back(*request);
      }
      if (!Answer(fd, handler(*request))) break;
    }
    close(fd);
  }

  void Accept() {
    while (WaitFor(listener, POLLIN)) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int yes = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      threads.emplace_back([this, fd, number = ++connections] { Serve(fd, number); });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

LoopbackServer::LoopbackServer(Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->handler = std::move(handler);
  impl_->stop = eventfd(0, EFD_CLOEXEC);
  const LoopbackListener listening = ListenOnLoopback(128);
  impl_->listener = listening.fd;
  impl_->port = listening.port;
  impl_->acceptor = std::thread([impl = impl_.get()] { impl->Accept(); });
}

LoopbackServer::~LoopbackServer() {
  REEVE_ASSERT(eventfd_write(impl_->stop, 1) == 0);
  impl_->acceptor.join();
  close(impl_->listener);
  close(impl_->stop);
}

int LoopbackServer::port() const { return impl_->port; }
std::string LoopbackServer::url() const { return fmt::format("http://127.0.0.1:{}", impl_->port); }

std::vector<LoopbackRequest> LoopbackServer::requests() const {
  const std::lock_guard lock(impl_->mu);
  return impl_->requests;
}

uint64_t LoopbackServer::connections() const { return impl_->connections; }

}  // namespace reeve::fakes
