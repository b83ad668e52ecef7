#include "api/admin_tokens.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "crypto/sha256.h"

namespace reeve::api {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr size_t kNameMax = 32;

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kNameMax) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

Result<AdminTokens> AdminTokens::Parse(std::string_view text, std::string_view file) {
  AdminTokens tokens;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const size_t space = line.find(' ');
    const auto digest = line.starts_with(kPrefix) ? HexDecode(line.substr(kPrefix.size(), space == std::string_view::npos ? space : space - kPrefix.size()))
                                                  : std::nullopt;
    const std::string_view name = space == std::string_view::npos ? std::string_view("admin") : line.substr(space + 1);
    if (!digest || digest->size() != 32 || !IsName(name))
      return FailWithHint(Code::kUsage, fmt::format("{}:{}: no line of the form sha256:HEX [NAME]", file, number),
                          "the file holds digests, never a token: printf %s \"$TOKEN\" | sha256sum");
    if (tokens.tokens_.size() == kAdminTokensMax) return Fail(Code::kUsage, "{}: more than {} tokens", file, kAdminTokensMax);
    tokens.tokens_.push_back({*digest, std::string(name)});
  }
  if (tokens.empty()) return Fail(Code::kUsage, "{}: holds no token", file);
  return tokens;
}

std::string_view AdminTokens::Find(std::string_view token) const {
  const std::string digest = crypto::Sha256Of(token);
  std::string_view found;
  for (const Token& each : tokens_)
    if (crypto::EqualInConstantTime(each.digest, digest)) found = each.name;
  return found;
}

void AdminTokens::Add(std::string_view token, std::string_view name) { tokens_.push_back({crypto::Sha256Of(token), std::string(name)}); }

}  // namespace reeve::api
