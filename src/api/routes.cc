#include "api/routes.h"

#include <algorithm>

#include "api/route_bodies.h"
#include "base/encoding.h"
#include "base/error.h"

namespace reeve::api {
namespace {

Route Health(Operation operation, std::string_view pattern, std::string_view summary, std::string_view text) {
  return {.operation = operation, .method = Method::kGet, .pattern = pattern, .summary = summary, .text = text, .successes = {{200, "it is so"}}};
}

Route OfRun(Operation operation, std::string_view pattern, const BodySpec* body, std::string_view summary, std::string_view text) {
  return {.operation = operation, .method = Method::kPost, .pattern = pattern, .who = Who::kKey, .body = body, .summary = summary, .text = text,
          .successes = {{200, "done, or done before (Idempotent-Replayed)", &kRunAnswerBody}},
          .errors = {"RESOURCE_NOT_FOUND", "STALE_FENCE", "LEASE_EXPIRED", "RUN_ENDED", "IDEMPOTENCY_CONFLICT"}};
}

Route OfAdmin(Operation operation, Method method, std::string_view pattern, const BodySpec* body, const BodySpec* answer, std::string_view summary) {
  return {.operation = operation, .method = method, .pattern = pattern, .who = Who::kAdmin, .admin_door = true, .body = body, .summary = summary,
          .text = "Counts from the moment of the answer, and is in the customer's audit log.",
          .successes = {{200, "done, or it was so already", answer}}, .errors = {"RESOURCE_NOT_FOUND"}};
}

std::vector<Route> GateRoutes() {
  return {
      {.operation = Operation::kAuthorize, .method = Method::kPost, .pattern = "/api/v1/authorize", .who = Who::kKey, .body = &kAuthorizeBody,
       .summary = "Decide about one request", .text = "Counts against the key's rates if it is allowed; a refusal costs nothing.",
       .successes = {{200, "allowed", &kAuthorization}}, .errors = {"QUOTA_EXCEEDED", "CONCURRENT_LIMIT_REACHED", "STORAGE_QUOTA_EXCEEDED"}},
      {.operation = Operation::kReserveRun, .method = Method::kPost, .pattern = "/api/v1/pipeline-runs", .who = Who::kKey, .body = &kReserveBody,
       .summary = "Reserve a pipeline run",
       .text = "Counts the run for its month and takes a concurrent slot, both or neither. The run id is the idempotency key: the same request again has the "
               "same answer, also when that was a refusal.",
       .successes = {{201, "reserved", &kRunAnswerBody}, {200, "reserved before by the same request", &kRunAnswerBody}},
       .errors = {"IDEMPOTENCY_CONFLICT", "QUOTA_EXCEEDED", "CONCURRENT_LIMIT_REACHED", "STORAGE_QUOTA_EXCEEDED"}},
      {.operation = Operation::kLookAtRun, .method = Method::kGet, .pattern = "/api/v1/pipeline-runs/{run_id}", .who = Who::kKey,
       .summary = "Look at a run", .text = "After a time-out, says what became of the request.", .successes = {{200, "the run", &kRunAnswerBody}},
       .errors = {"RESOURCE_NOT_FOUND"}},
      OfRun(Operation::kHeartbeatRun, "/api/v1/pipeline-runs/{run_id}/heartbeat", &kHeartbeatBody, "Keep a run's lease alive", "From now, not from its end."),
      OfRun(Operation::kCompleteRun, "/api/v1/pipeline-runs/{run_id}/complete", &kCompleteBody, "Say that a run has ended",
            "Gives the concurrent slot back and adds the compute time."),
      OfRun(Operation::kCancelRun, "/api/v1/pipeline-runs/{run_id}/cancel", &kCancelBody, "Give a reservation up",
            "Gives the concurrent slot back; the run still counts for its month."),
  };
}

std::vector<Route> AdminRoutes() {
  return {
      OfAdmin(Operation::kSuspendCustomer, Method::kPost, "/api/v1/customers/{customer}/suspend", &kSuspendBody, &kCustomerAnswer,
              "Suspend a customer: all its keys are refused"),
      OfAdmin(Operation::kActivateCustomer, Method::kPost, "/api/v1/customers/{customer}/activate", &kActivateBody, &kCustomerAnswer, "Activate a customer"),
      OfAdmin(Operation::kChangeQuotas, Method::kPatch, "/api/v1/customers/{customer}/subscription", &kQuotasBody, &kQuotasAnswer,
              "Set the quotas of the current subscription"),
      OfAdmin(Operation::kRevokeKey, Method::kPost, "/api/v1/customers/{customer}/api-keys/{key}/revoke", &kRevokeBody, &kKeyAnswer, "Revoke a key for ever"),
      OfAdmin(Operation::kConfirmClock, Method::kPost, "/api/v1/admin/clock/confirm", nullptr, &kClockAnswer,
              "Confirm that a leap of the wall clock is right, so that the month may change"),
  };
}

std::vector<Route> OwnRoutes() {
  Route ready = Health(Operation::kReady, "/readyz", "Whether it serves", "Store, snapshot, not draining. With ?verbose a line for each.");
  ready.query = {"verbose"};
  ready.errors = {"STORE_UNAVAILABLE"};
  Route old = ready;
  old.pattern = "/healthz";
  old.summary = "The same as /readyz";
  Route metrics = Health(Operation::kMetrics, "/metrics", "Figures for Prometheus", "");
  metrics.admin_door = true;
  Route page = Health(Operation::kErrorPage, "/errors/{code}", "What an error code means", "");
  page.errors = {"RESOURCE_NOT_FOUND"};
  return {Health(Operation::kBanner, "/", "What this is", ""), Health(Operation::kLive, "/livez", "Whether the process lives", "Asks nothing else."), ready, old,
          metrics, Health(Operation::kOpenApi, "/openapi.json", "This description", ""), page};
}

std::vector<Route> MakeRoutes() {
  std::vector<Route> routes = GateRoutes();
  for (auto* more : {AdminRoutes, OwnRoutes})
    for (Route& route : more()) routes.push_back(std::move(route));
  return routes;
}

// Takes the text up to the next slash.
std::string_view TakeSegment(std::string_view* path) {
  const size_t slash = path->find('/');
  const std::string_view segment = path->substr(0, slash);
  path->remove_prefix(slash == std::string_view::npos ? path->size() : slash + 1);
  return segment;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsParameter(const std::string& text) {
  if (text.empty() || text.size() > kPathParameterMax || !IsUtf8(text)) return false;
  return std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f || c == '/'; });
}

size_t Slashes(std::string_view text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '/')); }

// What tells most paths that are not a route's apart at a glance.
struct Sight {
  std::string_view beginning;   // of the pattern, before its first parameter
  size_t slashes;
};

std::vector<Sight> SightsOf(std::span<const Route> routes) {
  std::vector<Sight> sights;
  for (const Route& route : routes) sights.push_back({route.pattern.substr(0, route.pattern.find('{')), Slashes(route.pattern)});
  return sights;
}

// REQUIRES: as many slashes in one as in the other
bool Fits(std::string_view pattern, std::string_view path, std::array<std::string, kPathParameters>* parameters) {
  size_t found = 0;
  while (!pattern.empty() || !path.empty()) {
    const std::string_view expected = TakeSegment(&pattern);
    const std::string_view segment = TakeSegment(&path);
    if (!expected.starts_with('{')) {
      if (expected != segment) return false;
      continue;
    }
    std::string& parameter = (*parameters)[found++];
    if (!PercentDecode(segment, &parameter) || !IsParameter(parameter)) return false;
  }
  return true;
}

}  // namespace

std::string_view OperationName(Operation operation) {
  switch (operation) {
    case Operation::kGateway: return "gateway";
    case Operation::kGatewayDenied: return "gatewayDenied";
    case Operation::kAuthorize: return "authorize";
    case Operation::kReserveRun: return "reserveRun";
    case Operation::kHeartbeatRun: return "heartbeatRun";
    case Operation::kCompleteRun: return "completeRun";
    case Operation::kCancelRun: return "cancelRun";
    case Operation::kLookAtRun: return "lookAtRun";
    case Operation::kSuspendCustomer: return "suspendCustomer";
    case Operation::kActivateCustomer: return "activateCustomer";
    case Operation::kChangeQuotas: return "changeQuotas";
    case Operation::kRevokeKey: return "revokeKey";
    case Operation::kConfirmClock: return "confirmClock";
    case Operation::kBanner: return "banner";
    case Operation::kLive: return "live";
    case Operation::kReady: return "ready";
    case Operation::kMetrics: return "metrics";
    case Operation::kOpenApi: return "openApi";
    case Operation::kErrorPage: return "errorPage";
  }
  REEVE_ASSERT(false);
  return {};
}

std::span<const Route> Routes() {
  static const std::vector<Route> routes = MakeRoutes();
  return routes;
}

Match FindRoute(Method method, std::string_view path, bool admin_door) {
  Match match;
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  static const std::vector<Sight> sights = SightsOf(Routes());
  const size_t slashes = Slashes(path);
  for (size_t i = 0; i < sights.size(); ++i) {
    const Route& route = Routes()[i];
    if (sights[i].slashes != slashes || !path.starts_with(sights[i].beginning)) continue;
    if ((route.admin_door && !admin_door) || !Fits(route.pattern, path, &match.parameters)) continue;
    if (route.method == wanted) {
      match.route = &route;
      return match;
    }
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += MethodName(route.method);
    if (route.method == Method::kGet) match.allow += ", HEAD";
  }
  return match;
}

bool PercentDecode(std::string_view text, std::string* out) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out->push_back(text[i]);
      continue;
    }
    const int high = i + 1 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) return false;
    out->push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return true;
}

}  // namespace reeve::api
