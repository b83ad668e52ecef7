// Backoff: how long to wait before something is done again, and when to stop. Decides only; what may be repeated is for the caller to know.
//
// Exponential with full jitter (each wait is drawn between nothing and a bound that doubles from `first` to `most`), never shorter than the server asked
// for, and over when the patience is. Time comes from outside, jitter from an Entropy, so a test sees every wait. One Backoff serves one piece of work on
// one thread; the functions are safe from any.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/time_text.h"
#include "env/clock.h"
#include "env/entropy.h"

namespace reeve::net {

struct BackoffOptions {
  Micros first = kSecond;           // bound of the first wait
  Micros most = 60 * kSecond;       // bound of every later one
  Micros patience = 600 * kSecond;  // from the start (or the last Progress); a wait is cut to it
};
inline constexpr Micros kBackoffWaitMin = kSecond / 20;  // of a drawn wait, so that no chance makes a busy loop
inline constexpr int kBackoffAttemptsMax = 200;          // waits between two Progress, whatever the clock says

class Backoff {
 public:
  // `now` is Clock::Steady. `entropy` outlives the object.
  Backoff(const BackoffOptions& options, Micros now, Entropy& entropy) : options_(options), since_(now), entropy_(&entropy) {}

  // The wait before the next try, if `now` is still within the patience; nullopt: give up. `asked` is what the server asked for: the wait is at least
  // that long (and up to `first` longer, so that not all come back at once), and a longer one than the patience allows is given up at once.
  [[nodiscard]] std::optional<Micros> Next(Micros now, std::optional<Micros> asked = std::nullopt);
  // Something went forward: patience and bounds begin anew.
  void Progress(Micros now);

 private:
  // A duration between 0 and `bound`.
  Micros Draw(Micros bound);

  const BackoffOptions options_;
  Micros since_;
  int waits_ = 0;
  Entropy* const entropy_;
};

// The duration of a Retry-After header (RFC 9110 section 10.2.3): seconds, or a date compared with `wall` (Clock::Now). nullopt if it is neither; a date
// that has passed is 0.
[[nodiscard]] std::optional<Micros> ParseRetryAfter(std::string_view text, Micros wall);

// Sleeps for `duration` in short pieces. kInterrupted as soon as `interrupted` says so.
[[nodiscard]] Result<> Pause(Clock& clock, Micros duration, bool (*interrupted)());

}  // namespace reeve::net
