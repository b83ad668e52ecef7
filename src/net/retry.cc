#include "net/retry.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace reeve::net {
namespace {

constexpr Micros kPieceOfPause = kSecond / 5;

}  // namespace

Micros Backoff::Draw(Micros bound) {
  uint64_t random = 0;
  entropy_->Fill(reinterpret_cast<char*>(&random), sizeof random);
  return static_cast<Micros>(random % (static_cast<uint64_t>(bound) + 1));
}

std::optional<Micros> Backoff::Next(Micros now, std::optional<Micros> asked) {
  const Micros left = since_ + options_.patience - now;
  if (left <= 0 || waits_ >= kBackoffAttemptsMax) return std::nullopt;
  if (asked && *asked > left) return std::nullopt;
  const Micros bound = std::min(options_.most, options_.first << std::min(waits_, 20));
  ++waits_;
  if (asked) return std::min(left, *asked + Draw(options_.first));
  return std::min(left, std::max(kBackoffWaitMin, Draw(bound)));
}

void Backoff::Progress(Micros now) {
  since_ = now;
  waits_ = 0;
}

std::optional<Micros> ParseRetryAfter(std::string_view text, Micros wall) {
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) return Micros{seconds} * kSecond;
  if (text.empty() || text.size() > 40 || text.find(':') == std::string_view::npos) return std::nullopt;
  const time_t date = curl_getdate(std::string(text).c_str(), nullptr);
  if (date == static_cast<time_t>(-1)) return std::nullopt;
  return std::max<Micros>(0, Micros{date} * kSecond - wall);
}

Result<> Pause(Clock& clock, Micros duration, bool (*interrupted)()) {
  while (duration > 0) {
    if (interrupted()) return Fail(Code::kInterrupted, "interrupted while waiting to try again");
    const Micros piece = std::min(duration, kPieceOfPause);
    clock.Sleep(piece);
    duration -= piece;
  }
  return {};
}

}  // namespace reeve::net
