// The routes of the server, declared once: the router, 405 and Allow, the limits of bodies, who may call, and /openapi.json are loops over this table.
// Not for what a route does (service.h). Constant data; safe from any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/body_reader.h"
#include "api/http.h"

namespace reeve::api {

enum class Who : uint8_t {
  kAnyone,
  kKey,    // X-API-Key, or Authorization: Bearer
  kAdmin,  // Authorization: Bearer with an admin token
};

enum class Operation : uint8_t {
  kGateway, kGatewayDenied,  // /authz: any method; recognised before the table is looked at
  kAuthorize,
  kReserveRun, kHeartbeatRun, kCompleteRun, kCancelRun, kLookAtRun,
  kSuspendCustomer, kActivateCustomer, kChangeQuotas, kRevokeKey, kConfirmClock,
  kBanner, kLive, kReady, kMetrics, kOpenApi, kErrorPage,
};
inline constexpr size_t kOperations = 19;
// "reserveRun": operationId, and the label of metrics.
[[nodiscard]] std::string_view OperationName(Operation operation);

// An answer that is no problem document.
struct Success {
  int status = 200;
  std::string_view meaning;
  const BodySpec* body = nullptr;       // JSON; null: text, or nothing
};

struct Route {
  Operation operation;
  Method method;
  std::string_view pattern;             // "/api/v1/pipeline-runs/{run_id}"
  Who who = Who::kAnyone;
  bool admin_door = false;              // only where the admin routes are served (ServerOptions::admin_listen)
  const BodySpec* body = nullptr;       // null: takes none
  std::vector<std::string_view> query = {};  // parameters it takes
  std::string_view summary;
  std::string_view text = {};
  std::vector<Success> successes;
  std::vector<std::string_view> errors = {};  // codes beside those that every route of its kind has
};

inline constexpr uint64_t kBodyBytesMax = 64 * 1024;
inline constexpr size_t kPathParameters = 2;
inline constexpr size_t kPathParameterMax = 200;  // bytes, decoded

[[nodiscard]] std::span<const Route> Routes();

struct Match {
  const Route* route = nullptr;         // null: see allow
  std::array<std::string, kPathParameters> parameters;
  std::string allow;                    // the path exists for these methods: "GET, HEAD"; empty: it does not exist
};
// HEAD is GET without a body. Parameters are percent-decoded; a path whose parameters are no UTF-8, too long or hold control characters or a slash
// does not exist.
[[nodiscard]] Match FindRoute(Method method, std::string_view path, bool admin_door);

// `text` with %XX decoded; false: a broken escape.
[[nodiscard]] bool PercentDecode(std::string_view text, std::string* out);

}  // namespace reeve::api
