// Console: the terminal, or what stands in for it. Standard input, output and error, and what they are connected to.
//
// Write only through it, so that tests see what people would see. One thread writes results; progress may write to the error stream from another.
// `Printable` (text.h) is for what comes from data; a Console passes bytes on as they are.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace reeve::cli {

class Console {
 public:
  virtual ~Console() = default;
  // To standard output. A failed write is remembered (OutFailed).
  virtual void Out(std::string_view text) = 0;
  // To standard error.
  virtual void Err(std::string_view text) = 0;
  // One line of standard input without its line break, at most 64 KiB; nullopt at the end. kInterrupted if a signal came first.
  [[nodiscard]] virtual Result<std::optional<std::string>> ReadLine() = 0;
  [[nodiscard]] virtual bool InIsTerminal() const = 0;
  [[nodiscard]] virtual bool OutIsTerminal() const = 0;
  [[nodiscard]] virtual bool ErrIsTerminal() const = 0;
  // Columns of the terminal; 80 if nobody knows.
  [[nodiscard]] virtual int Width() const = 0;
  // Why standard output could not be written, empty if it could (or if its reader has gone: that is no error).
  [[nodiscard]] virtual std::string OutFailure() const = 0;
};

[[nodiscard]] std::unique_ptr<Console> MakeSystemConsole();

}  // namespace reeve::cli
