#include "api/error_code.h"

#include "api/http.h"
#include "base/error.h"

namespace reeve::api {
namespace {

constexpr ErrorInfo kErrors[] = {
    {"INVALID_REQUEST", 400, "Invalid request",
     "The request is not what the operation takes: a field is missing, unknown, given twice or of the wrong type, or the HTTP message itself is ambiguous. "
     "Nothing was done. The member errors says which field."},
    {"INVALID_CREDENTIALS", 400, "Invalid credentials", "A credential of a cloud provider is not in the form that its type asks for. Nothing was stored."},
    {"INVALID_API_KEY", 401, "Invalid API key",
     "No API key was shown, or one that is not accepted: malformed, unknown, revoked or expired. Which of these is not told to whoever shows the key; the "
     "operator sees it with: reeve explain key -"},
    {"INVALID_ADMIN_TOKEN", 401, "Invalid admin token", "The operation is for administrators: Authorization: Bearer with an admin token of this server."},
    {"CUSTOMER_SUSPENDED", 403, "Customer suspended", "The key is right, but its customer is suspended or cancelled. The operator can activate the customer again."},
    {"SUBSCRIPTION_INACTIVE", 403, "Subscription inactive", "The key is right, but its customer has no current subscription."},
    {"INSUFFICIENT_SCOPE", 403, "Insufficient scope", "The key is right, but does not have the scope that the operation needs."},
    {"ACCESS_DENIED", 403, "Access denied", "A gateway refused the request, and the reason is not known any more: the token of the denial was missing, too old or not ours."},
    {"RESOURCE_NOT_FOUND", 404, "Not found", "There is nothing at this address, or nothing that the caller may know of."},
    {"METHOD_NOT_ALLOWED", 405, "Method not allowed", "The address exists, but not for this method; the field Allow lists those it has."},
    {"REQUEST_TIMEOUT", 408, "Request timeout", "The request did not arrive in time. Nothing was done; send it again."},
    {"IDEMPOTENCY_CONFLICT", 422, "Idempotency conflict",
     "The run id was used before for a request that differs from this one. Repeat the first request unchanged, or take a new id."},
    {"DUPLICATE_TENANT_ID", 409, "Duplicate tenant id", "There is a customer with this tenant id already."},
    {"STALE_FENCE", 409, "Stale fence", "The fence shown is not the one of the run's grant: somebody else holds the run, or it was granted anew. Stop working on it."},
    {"LEASE_EXPIRED", 409, "Lease expired",
     "The run's lease was over before this call, and its slot has been given back. Nothing was added. Reserve again, under a new id."},
    {"RUN_ENDED", 409, "Run has ended", "The run has ended in another way than this call asks for: what is completed cannot be cancelled, nor the reverse, nor kept alive."},
    {"PAYLOAD_TOO_LARGE", 413, "Payload too large", "The body is larger than the operation takes. It was not read to its end."},
    {"UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type", "The operation takes JSON: Content-Type: application/json."},
    {"EXPECTATION_FAILED", 417, "Expectation failed", "The field Expect asks for something other than 100-continue."},
    {"QUOTA_EXCEEDED", 429, "Monthly quota exceeded",
     "All pipeline runs of the customer's plan are used in this UTC month. Retry-After says when the next month begins; a higher quota counts at once."},
    {"CONCURRENT_LIMIT_REACHED", 429, "Concurrent limit reached",
     "As many runs of the customer are alive as its plan allows. A slot comes back when a run is completed or cancelled, at the latest when its lease is over: "
     "Retry-After. A refused run id stays refused; try again with a new one."},
    {"STORAGE_QUOTA_EXCEEDED", 429, "Storage quota exceeded", "The customer stores as much as its plan allows. Waiting does not help: free storage, or raise the quota."},
    {"RATE_LIMIT_EXCEEDED", 429, "Rate limit exceeded", "The key makes more requests a minute or an hour than its plan allows. Retry-After says when the next one is due."},
    {"HEADERS_TOO_LARGE", 431, "Header fields too large", "The head of the request is too large, or has too many fields."},
    {"INTERNAL_ERROR", 500, "Internal error", "A fault of the server. Its log has the request id."},
    {"STORE_UNAVAILABLE", 503, "Store unavailable",
     "The server cannot decide at this moment, and lets nothing in that it cannot decide. After a call that changes something it may be unknown whether it "
     "happened: repeat it with the same id, after Retry-After."},
    {"HTTP_VERSION_NOT_SUPPORTED", 505, "HTTP version not supported", "HTTP/1.1 and HTTP/1.0 are spoken here."},
};

}  // namespace

std::span<const ErrorInfo> ErrorInfos() { return kErrors; }

const ErrorInfo* FindErrorInfo(std::string_view code) {
  for (const ErrorInfo& info : kErrors)
    if (EqualsIgnoringCase(info.code, code)) return &info;
  return nullptr;
}

const ErrorInfo& ErrorInfoOf(std::string_view code) {
  const ErrorInfo* info = FindErrorInfo(code);
  REEVE_ASSERT(info != nullptr);
  return *info;
}

}  // namespace reeve::api
