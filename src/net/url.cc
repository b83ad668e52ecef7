#include "net/url.h"

#include "base/encoding.h"

namespace reeve::net {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string HostOf(std::string_view authority) {
  if (authority.starts_with('[')) return AsciiLower(authority.substr(1, authority.find(']') - 1));
  return AsciiLower(authority.substr(0, authority.rfind(':')));
}

}  // namespace

std::string EscapeUrl(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (IsUnreserved(c)) escaped += c;
    else escaped += '%' + AsciiUpper(HexEncode({&c, 1}));
  }
  return escaped;
}

std::string EncodeQuery(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string query;
  for (const auto& [name, value] : pairs) query += (query.empty() ? "" : "&") + EscapeUrl(name) + '=' + EscapeUrl(value);
  return query;
}

UrlParts SplitUrl(std::string_view url) {
  UrlParts parts;
  const size_t mark = url.find("://");
  if (mark == std::string_view::npos) return parts;
  const std::string scheme = AsciiLower(url.substr(0, mark));
  if (scheme != "http" && scheme != "https") return parts;
  std::string_view rest = url.substr(mark + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t question = rest.find('?');
  if (question != std::string_view::npos) parts.query = rest.substr(question + 1);
  rest = rest.substr(0, question);
  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos) parts.path = rest.substr(slash);
  rest = rest.substr(0, slash);
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) rest = rest.substr(at + 1);
  if (rest.empty()) return {};
  parts.scheme = scheme;
  parts.authority = rest;
  parts.host = HostOf(rest);
  return parts;
}

std::string ShownUrl(std::string_view url) {
  const UrlParts parts = SplitUrl(url);
  return parts.scheme.empty() ? std::string("(no http URL)") : parts.authority + parts.path;
}

bool IsLoopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

}  // namespace reeve::net
