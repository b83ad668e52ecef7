#include "api/gateway_door.h"

#include <algorithm>
#include <charconv>

#include "gate/gate.h"

namespace reeve::api {
namespace {

constexpr size_t kScopeMax = 64;

// Takes "/name" from the front, if it is there as a whole segment.
bool Take(std::string_view name, std::string_view* path) {
  if (path->size() <= name.size() || path->front() != '/' || path->substr(1, name.size()) != name) return false;
  if (path->size() > name.size() + 1 && (*path)[name.size() + 1] != '/') return false;
  path->remove_prefix(name.size() + 1);
  return true;
}

// Takes "/…" up to the next slash.
std::string_view TakeSegment(std::string_view* path) {
  if (path->empty()) return {};
  const size_t slash = path->find('/', 1);
  const std::string_view segment = path->substr(1, slash == std::string_view::npos ? slash : slash - 1);
  path->remove_prefix(segment.size() + 1);
  return segment;
}

bool IsScope(std::string_view text) {
  if (text.empty() || text.size() > kScopeMax) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' || c == '.' || c == '*' || c == '-';
  });
}

}  // namespace

std::optional<GatewayDoor> ReadGatewayDoor(std::string_view path) {
  GatewayDoor door;
  if (!Take("authz", &path)) return std::nullopt;
  if (Take("scope", &path)) {
    door.scope = TakeSegment(&path);
    if (!IsScope(door.scope)) return std::nullopt;
  }
  if (Take("cost", &path)) {
    const std::string_view digits = TakeSegment(&path);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), door.cost);
    if (error != std::errc() || end != digits.data() + digits.size() || door.cost < 0 || door.cost > gate::kCostMax) return std::nullopt;
  }
  if (Take("envoy", &path)) {
    door.profile = DoorProfile::kEnvoy;
    door.original = path;
    return door;
  }
  if (Take("nginx", &path)) door.profile = Take("denied", &path) ? DoorProfile::kNginxDenied : DoorProfile::kNginx;
  if (!path.empty()) return std::nullopt;
  return door;
}

}  // namespace reeve::api
