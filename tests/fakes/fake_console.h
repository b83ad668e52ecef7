// FakeConsole: what a command prints and what is typed, for tests of the command line (time: fake_clock.h). Not safe for concurrent use, except Err.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "cli/console.h"
#include "tests/fakes/fake_clock.h"

namespace reeve::testing {

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
