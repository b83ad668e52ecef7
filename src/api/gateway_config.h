// Configuration of gateways that ask reeve: what `reeve gateway config NAME` prints. Every snippet keeps a client from naming itself (identity fields are removed or
// overwritten), fails closed, and lets a refusal through with its status and body. The contract: docs/gateways.md. Pure; safe from any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

struct GatewaySetup {
  std::string reeve = "127.0.0.1:8080";   // where it asks
  std::string app = "127.0.0.1:3000";     // what it guards
  std::string listen = "127.0.0.1:8000";  // where clients come
  std::string scope;                      // empty: none is asked for
  int cost = 1;
};

// haproxy needs two files: haproxy is its configuration, haproxy-lua the script that this one loads.
inline constexpr std::array<std::string_view, 6> kGatewayNames = {"nginx", "caddy", "haproxy", "haproxy-lua", "traefik", "envoy"};

// REQUIRES: one of kGatewayNames
[[nodiscard]] std::string GatewaySnippet(std::string_view name, const GatewaySetup& setup);

// The fields by which an application behind a gateway learns who asks.
inline constexpr std::array<std::string_view, 5> kIdentityFields = {"X-Customer-Id", "X-Tenant-Id", "X-Plan", "X-Key-Id", "X-Scopes"};

}  // namespace reeve::api
