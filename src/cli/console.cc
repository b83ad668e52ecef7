#include "cli/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "env/interrupt.h"

namespace reeve::cli {
namespace {

constexpr size_t kLineBytesMax = 64 * 1024;

// 0, or the errno of the write that failed.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // a terminal that somebody made non-blocking
      pollfd ready{fd, POLLOUT, 0};
      poll(&ready, 1, 1000);
      continue;
    }
    if (count < 0) return errno;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return 0;
}

class SystemConsole final : public Console {
 public:
  void Out(std::string_view text) override {
    if (out_errno_ == 0) out_errno_ = WriteAll(STDOUT_FILENO, text);
  }
  void Err(std::string_view text) override { WriteAll(STDERR_FILENO, text); }

  Result<std::optional<std::string>> ReadLine() override {
    std::string line;
    while (true) {
      // poll, because it returns when a signal comes; read would go on
      pollfd ready{STDIN_FILENO, POLLIN, 0};
      const int count = poll(&ready, 1, 200);
      if (Interrupted()) return Fail(Code::kInterrupted, "interrupted while asking; nothing was changed");
      if (count == 0 || (count < 0 && errno == EINTR)) continue;
      char c = 0;
      const ssize_t got = read(STDIN_FILENO, &c, 1);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0) return Fail(Code::kFailed, "standard input: cannot read: {}", std::strerror(errno));
      if (got == 0) return line.empty() ? std::nullopt : std::optional(std::move(line));
      if (c == '\n') return std::optional(std::move(line));
      if (line.size() >= kLineBytesMax) return Fail(Code::kUsage, "standard input: the line is over {} bytes", kLineBytesMax);
      line += c;
    }
  }

  bool InIsTerminal() const override { return isatty(STDIN_FILENO) == 1; }
  bool OutIsTerminal() const override { return isatty(STDOUT_FILENO) == 1; }
  bool ErrIsTerminal() const override { return isatty(STDERR_FILENO) == 1; }

  int Width() const override {
    winsize size{};
    for (int fd : {STDOUT_FILENO, STDERR_FILENO})
      if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
  }

  std::string OutFailure() const override { return out_errno_ == 0 || out_errno_ == EPIPE ? std::string() : std::strerror(out_errno_); }

 private:
  int out_errno_ = 0;
};

}  // namespace

std::unique_ptr<Console> MakeSystemConsole() { return std::make_unique<SystemConsole>(); }

}  // namespace reeve::cli
