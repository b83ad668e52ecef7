#include "tests/e2e/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace reeve::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

// What the child needs, made before the fork.
struct Prepared {
  std::vector<std::string> texts;
  std::vector<char*> argv, envp;

  Prepared(const std::string& path, const std::vector<std::string>& words, const Surroundings& around) {
    texts.push_back(path);
    texts.insert(texts.end(), words.begin(), words.end());
    const size_t variables_from = texts.size();
    const char* search = std::getenv("PATH");
    texts.push_back(std::string("PATH=") + (search == nullptr ? "/usr/bin:/bin" : search));
    texts.push_back("HOME=/nonexistent");
    for (const auto& [name, value] : around.environment) texts.push_back(name + "=" + value);
    for (size_t i = 0; i < texts.size(); ++i) (i < variables_from ? argv : envp).push_back(texts[i].data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
  }
};

[[noreturn]] void Become(const Prepared& prepared, const Surroundings& around) {
  if (!around.directory.empty() && chdir(around.directory.c_str()) != 0) _exit(126);
  if (!around.out_file.empty()) {
    const int file = open(around.out_file.c_str(), O_WRONLY | O_CREAT, 0600);
    if (file < 0 || dup2(file, STDOUT_FILENO) < 0) _exit(126);
  }
  execve(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
  _exit(127);
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Reads what is there into `text`; false at the end.
bool Drain(int fd, std::string* text) {
  std::array<char, 65536> buffer;
  const ssize_t count = read(fd, buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) return false;  // EIO: the terminal's other side is closed
  text->append(buffer.data(), static_cast<size_t>(count));
  return true;
}

// Polls until both are at their end. `seen` is called after each read.
bool DrainBoth(int out_fd, std::string* out, int err_fd, std::string* err, const std::function<void()>& seen) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  std::array<pollfd, 2> fds = {pollfd{out_fd, POLLIN, 0}, pollfd{err_fd, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    if (poll(fds.data(), fds.size(), 200) <= 0) continue;
    for (size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      if (!Drain(fds[i].fd, i == 0 ? out : err)) fds[i].fd = -1;
    }
    seen();
  }
  return true;
}

void GiveUp(pid_t child) {
  kill(child, SIGKILL);
  ADD_FAILURE() << "the program did not end within a minute";
}

}  // namespace

std::string ReevePath() {
  const char* build = std::getenv("REEVE_BINARY_DIR");
  return std::string(build == nullptr ? "build/release" : build) + "/src/reeve";
}

Ran RunProgram(const std::string& path, const std::vector<std::string>& words, const Surroundings& around) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return {};
  const Prepared prepared(path, words, around);
  const pid_t child = fork();
  if (child == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    Become(prepared, around);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  // Inputs of these tests fit into a pipe. A child that does not read leaves EPIPE.
  const auto before = signal(SIGPIPE, SIG_IGN);
  EXPECT_TRUE(around.input.empty() || write(in[1], around.input.data(), around.input.size()) >= 0 || errno == EPIPE);
  close(in[1]);
  Ran ran;
  if (!DrainBoth(out[0], &ran.out, err[0], &ran.err, [] {})) GiveUp(child);
  close(out[0]);
  close(err[0]);
  ran.exit = WaitFor(child);
  signal(SIGPIPE, before);
  return ran;
}

Ran RunReeve(const std::vector<std::string>& words, const Surroundings& around) { return RunProgram(ReevePath(), words, around); }

Ran RunReeveOnTerminal(const std::vector<std::string>& words, const Surroundings& around, const std::string& question,
                       const std::string& answer) {
  Surroundings with_term = around;
  with_term.environment.emplace("TERM", "xterm");
  const Prepared prepared(ReevePath(), words, with_term);
  winsize size{};
  size.ws_col = 100;
  size.ws_row = 30;
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) Become(prepared, with_term);
  Ran ran;
  bool answered = false;
  const auto answer_once = [&] {
    if (answered || question.empty() || ran.out.find(question) == std::string::npos) return;
    answered = true;
    EXPECT_EQ(write(terminal, answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
  };
  if (!DrainBoth(terminal, &ran.out, -1, &ran.err, answer_once)) GiveUp(child);
  ran.exit = WaitFor(child);
  close(terminal);
  return ran;
}

}  // namespace reeve::testing
