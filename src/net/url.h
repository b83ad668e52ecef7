// The few things about URLs (RFC 3986) that requests need: escaping, queries, and what of a URL may be shown. Pure functions; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeve::net {

// Everything but letters, digits and "-._~" as %XX: for one segment of a path, a name or a value of a query or a form.
[[nodiscard]] std::string EscapeUrl(std::string_view text);

// "a=1&b=x%20y" of pairs that are not escaped yet; for the query of a URL and for a form (application/x-www-form-urlencoded).
[[nodiscard]] std::string EncodeQuery(const std::vector<std::pair<std::string, std::string>>& pairs);

struct UrlParts {
  std::string scheme;     // in lower case
  std::string host;       // in lower case; an IPv6 address without its brackets
  std::string authority;  // host and port as written, without user and password
  std::string path;       // "/…", "" if there is none
  std::string query;      // without the question mark
};
// Parts of an http or https URL; `scheme` is empty for anything else. The fragment is dropped.
[[nodiscard]] UrlParts SplitUrl(std::string_view url);

// "host:port/path" for messages: no user, no query.
[[nodiscard]] std::string ShownUrl(std::string_view url);

// True for localhost, 127.0.0.0/8 and ::1.
[[nodiscard]] bool IsLoopback(std::string_view host);

}  // namespace reeve::net
