// Denial tokens: a refusal that nginx carries from its auth_request, which lets only 401 and 403 through, to the location that answers in full. The
// token is a decision that was taken, signed: replaying it evaluates and counts nothing. Pure; safe from any thread.
//
//   token    := fields "." mac
//   fields   := "1" "." issued "." outcome "." used "." limit "." retry "." rate "." scope "." decision
//   issued   := milliseconds since 1970, wall time         outcome := number of domain::Outcome
//   limit    := digits | "-"                               retry   := seconds, 0: waiting does not help
//   rate     := limit "_" remaining "_" reset "_" window | "-"
//   scope    := text of the door, its dots as "~" | "-"    decision := id of the decision
//   mac      := first 32 hex digits of HMAC-SHA-256(key, "reeve/denial/v1" 0x00 fields)
// Valid for kDenialLife after `issued`, for the process whose key it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/decision.h"
#include "domain/rate_limit.h"

namespace reeve::api {

inline constexpr Micros kDenialLife = 10 * kSecond;
inline constexpr size_t kDenialTokenMax = 512;

struct Denial {
  domain::Decision decision;                 // a refusal
  std::optional<domain::RateFacts> rate;
  std::string scope;                         // that was asked for
  std::string decision_id;
};

[[nodiscard]] std::string WriteDenialToken(const Denial& denial, std::string_view key, Micros now);
// nullopt: not ours, changed, or too old.
[[nodiscard]] std::optional<Denial> ReadDenialToken(std::string_view token, std::string_view key, Micros now);

}  // namespace reeve::api
