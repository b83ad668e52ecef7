#include "api/denial_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "crypto/mac.h"

namespace reeve::api {
namespace {

constexpr size_t kFields = 9;
constexpr size_t kMacDigits = 32;

std::string Mac(std::string_view fields, std::string_view key) {
  std::string text("reeve/denial/v1");
  text.push_back('\0');
  text += fields;
  return HexEncode(crypto::HmacSha256(key, text)).substr(0, kMacDigits);
}

// Splits into exactly `parts`; false: fewer or more.
template <size_t N>
bool Split(std::string_view text, char separator, std::array<std::string_view, N>* parts) {
  for (size_t i = 0; i < N; ++i) {
    const size_t end = text.find(separator);
    if ((end == std::string_view::npos) != (i + 1 == N)) return false;
    (*parts)[i] = text.substr(0, end);
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return true;
}

bool ReadNumber(std::string_view text, int64_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadRate(std::string_view text, Denial* denial) {
  if (text == "-") return true;
  std::array<std::string_view, 4> parts;
  domain::RateFacts rate;
  if (!Split(text, '_', &parts) || !ReadNumber(parts[0], &rate.limit) || !ReadNumber(parts[1], &rate.remaining) || !ReadNumber(parts[2], &rate.reset_s) ||
      !ReadNumber(parts[3], &rate.window_s))
    return false;
  denial->rate = rate;
  return true;
}

// Fields whose signature is right; still checked, as everything that comes from outside.
bool ReadFields(std::string_view fields, Denial* denial, Micros* issued) {
  std::array<std::string_view, kFields> parts;
  int64_t outcome = 0, issued_ms = 0, limit = 0;
  if (!Split(fields, '.', &parts) || parts[0] != "1" || !ReadNumber(parts[1], &issued_ms) || !ReadNumber(parts[2], &outcome)) return false;
  if (!ReadNumber(parts[3], &denial->decision.used) || !ReadNumber(parts[5], &denial->decision.retry_after_s)) return false;
  if (parts[4] != "-") {
    if (!ReadNumber(parts[4], &limit)) return false;
    denial->decision.limit = limit;
  }
  const auto known = domain::OutcomeOf(static_cast<int32_t>(outcome));
  if (!known || *known == domain::Outcome::kAllowed || !ReadRate(parts[6], denial)) return false;
  denial->decision.outcome = *known;
  if (parts[7] != "-") denial->scope = parts[7];
  std::replace(denial->scope.begin(), denial->scope.end(), '~', '.');
  denial->decision_id = parts[8];
  *issued = issued_ms * 1000;
  return true;
}

}  // namespace

std::string WriteDenialToken(const Denial& denial, std::string_view key, Micros now) {
  const domain::Decision& decision = denial.decision;
  std::string scope = denial.scope.empty() ? "-" : denial.scope;
  std::replace(scope.begin(), scope.end(), '.', '~');
  const std::string limit = decision.limit ? std::to_string(*decision.limit) : "-";
  const std::string rate =
      denial.rate ? fmt::format("{}_{}_{}_{}", denial.rate->limit, denial.rate->remaining, denial.rate->reset_s, denial.rate->window_s) : "-";
  std::string token = fmt::format("1.{}.{}.{}.{}.{}.{}.{}.{}", now / 1000, static_cast<int>(decision.outcome), decision.used, limit, decision.retry_after_s,
                                  rate, scope, denial.decision_id);
  token += '.' + Mac(token, key);
  return token;
}

std::optional<Denial> ReadDenialToken(std::string_view token, std::string_view key, Micros now) {
  if (token.size() > kDenialTokenMax || token.size() <= kMacDigits || token[token.size() - kMacDigits - 1] != '.') return std::nullopt;
  const std::string_view fields = token.substr(0, token.size() - kMacDigits - 1);
  if (!crypto::EqualInConstantTime(Mac(fields, key), token.substr(token.size() - kMacDigits))) return std::nullopt;
  Denial denial;
  Micros issued = 0;
  if (!ReadFields(fields, &denial, &issued)) return std::nullopt;
  if (now < issued - kDenialLife || now > issued + kDenialLife) return std::nullopt;
  return denial;
}

}  // namespace reeve::api
