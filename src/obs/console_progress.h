// Progress for people and programs: one redrawn line per stage, plain lines, or JSON lines.
//
// Text goes through a function, time through a Clock. Redraws happen when work is reported (at most every 100 ms) and on Tick, which a
// ticker thread may call so that a long step does not look like a standstill. Safe from any thread; the function is called with the lock held and by
// one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "env/clock.h"
#include "obs/progress.h"

namespace reeve::obs {

enum class ProgressStyle {
  kLine,   // a terminal: the line is redrawn in place
  kPlain,  // a line every ten seconds and at the end of a stage
  kJson,   // a JSON object per line, every second and at the end of a stage
};

class TickingProgress : public Progress {
 public:
  // Redraws if it is time.
  virtual void Tick() = 0;
};

// `width`: columns of the terminal (kLine).
[[nodiscard]] std::unique_ptr<TickingProgress> MakeConsoleProgress(ProgressStyle style, int width, Clock& clock,
                                                                  std::function<void(std::string_view)> write);

// Calls Tick every 250 ms from a thread of its own until destroyed. `progress` outlives it.
class ProgressTicker {
 public:
  explicit ProgressTicker(TickingProgress& progress);
  ~ProgressTicker();
  ProgressTicker(const ProgressTicker&) = delete;
  ProgressTicker& operator=(const ProgressTicker&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeve::obs
