// FakeConsole and FakeClock: what a command prints, what is typed, and what time it is, for tests of the command line. Not safe for
// concurrent use, except FakeConsole::Err and FakeClock.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "cli/console.h"
#include "env/clock.h"

namespace reeve::testing {

class FakeClock final : public Clock {
 public:
  Micros Now() override { return now_; }
  Micros Steady() override { return now_; }
  void Sleep(Micros duration) override { now_ += duration; }
  void Advance(Micros duration) { now_ += duration; }

 private:
  std::atomic<Micros> now_ = 1'794'744'000 * kSecond;  // 2026-11-15 12:00:00 UTC
};

class FakeConsole final : public cli::Console {
 public:
  void Out(std::string_view text) override { out += text; }
  void Err(std::string_view text) override {
    std::lock_guard lock(mu_);
    err += text;
  }
  Result<std::optional<std::string>> ReadLine() override {
    if (typed.empty()) return std::optional<std::string>();
    std::string line = typed.front();
    typed.pop_front();
    return std::optional(line);
  }
  bool InIsTerminal() const override { return terminal; }
  bool OutIsTerminal() const override { return terminal; }
  bool ErrIsTerminal() const override { return terminal; }
  int Width() const override { return width; }
  std::string OutFailure() const override { return failure; }

  std::string out, err;
  std::deque<std::string> typed;
  std::string failure;
  bool terminal = false;
  int width = 80;

 private:
  std::mutex mu_;
};

}  // namespace reeve::testing
