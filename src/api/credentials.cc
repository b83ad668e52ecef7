#include "api/credentials.h"

namespace reeve::api {

std::string_view BearerOf(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() <= kScheme.size() || !EqualsIgnoringCase(authorization.substr(0, kScheme.size()), kScheme)) return {};
  authorization.remove_prefix(kScheme.size());
  while (!authorization.empty() && authorization.front() == ' ') authorization.remove_prefix(1);
  return authorization;
}

std::string_view KeyShown(const Request& request) {
  if (request.api_keys > 0) return request.api_keys == 1 ? request.api_key : std::string_view();
  return request.authorizations == 1 ? BearerOf(request.authorization) : std::string_view();
}

std::string_view AdminTokenShown(const Request& request) { return request.authorizations == 1 ? BearerOf(request.authorization) : std::string_view(); }

}  // namespace reeve::api
