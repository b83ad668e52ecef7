// The addresses that gateways ask at. Pure; safe from any thread.
//
//   door     := "/authz" [ "/scope/" scope ] [ "/cost/" digits ] [ profile ]
//   profile  := "/nginx"            answers 401 or 403 to whatever is refused, with a token for
//             | "/nginx/denied"     this one, which gives the whole answer
//             | "/envoy" [ "/" … ]  what follows is the path of the client's request, and means nothing here
//   scope    := 1 to 64 of A-Z a-z 0-9 : _ . * -
// What the operator writes stands before what a client can write, and the query, into which some gateways mix their client's, is never looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reeve::api {

enum class DoorProfile : uint8_t { kPlain, kNginx, kNginxDenied, kEnvoy };

struct GatewayDoor {
  std::string_view scope;         // empty: none asked for
  int32_t cost = 1;
  DoorProfile profile = DoorProfile::kPlain;
  std::string_view original;      // kEnvoy: the client's path; else empty
};

// Whether `path` (perhaps cut off) is below /authz.
[[nodiscard]] inline bool IsGatewayPath(std::string_view path) {
  constexpr std::string_view kDoor = "/authz";
  return path.starts_with(kDoor) && (path.size() == kDoor.size() || path[kDoor.size()] == '/');
}
// nullopt: below /authz, but no door.
[[nodiscard]] std::optional<GatewayDoor> ReadGatewayDoor(std::string_view path);

}  // namespace reeve::api
