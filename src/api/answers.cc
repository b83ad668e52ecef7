#include "api/answers.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::api {
namespace {

constexpr std::string_view kChallenge = "Bearer realm=\"reeve\"";

bool IsVisible(char c) { return c > 0x20 && c < 0x7f && c != '%'; }

std::string Gigabytes(int64_t hundredths) { return fmt::format("{}.{:02}", hundredths / 100, hundredths % 100); }

std::string_view StateName(store::RunState state) {
  switch (state) {
    case store::RunState::kReserved: return "reserved";
    case store::RunState::kCompleted: return "completed";
    case store::RunState::kCancelled: return "cancelled";
    case store::RunState::kExpired: return "expired";
    case store::RunState::kRefused: return "refused";
  }
  REEVE_ASSERT(false);
  return {};
}

void AppendDigits(int64_t value, std::string* out) {
  const fmt::format_int digits(value);
  out->append(digits.data(), digits.size());
}

void AppendName(std::string_view name, std::string* out) { out->append(",\"").append(name).append("\":"); }

void AppendText(std::string_view name, std::string_view value, std::string* out) {
  AppendName(name, out);
  AppendJsonString(value, out);
}

void AppendNumber(std::string_view name, int64_t value, std::string* out) {
  AppendName(name, out);
  AppendDigits(value, out);
}

void AppendNumberOrNull(std::string_view name, const std::optional<int64_t>& value, std::string* out) {
  if (value) return AppendNumber(name, *value, out);
  AppendName(name, out);
  *out += "null";
}

void AppendRunsLeft(std::string_view name, const domain::Decision& decision, std::string* out) {
  AppendName(name, out);
  AppendDigits(decision.used, &(*out += "{\"used\":"));
  AppendNumberOrNull("limit", decision.limit, out);
  AppendNumberOrNull("remaining", decision.remaining(), out);
  *out += '}';
}

std::string RunJson(const gate::RunView& run, const domain::Decision& decision, bool reserve) {
  constexpr size_t kOfMostRuns = 512;
  std::string json;
  json.reserve(kOfMostRuns);
  AppendJsonString(run.run_id, &(json += "{\"run_id\":"));
  AppendText("pipeline_id", run.pipeline_id, &json);
  AppendText("state", StateName(run.state), &json);
  AppendText("month", FormatMonth(run.month), &json);
  AppendNumber("fence", run.fence, &json);
  AppendNumber("ttl_seconds", run.lease_ms / 1000, &json);
  AppendText("reserved_at", FormatRfc3339(run.reserved_at), &json);
  AppendText("expires_at", FormatRfc3339(run.expires_at), &json);
  if (run.ended_at != 0) AppendText("ended_at", FormatRfc3339(run.ended_at), &json);
  if (run.state == store::RunState::kCompleted) {
    AppendNumber("compute_ms", run.compute_ms, &json);
    AppendText("outcome", run.succeeded ? "succeeded" : "failed", &json);
  }
  if (run.state == store::RunState::kRefused) AppendText("error_code", domain::ErrorCode(decision.outcome), &json);
  if (reserve) AppendRunsLeft("quota", decision, &json);
  json += "}\n";
  return json;
}

std::string DescribeRun(gate::RunResult result) {
  switch (result) {
    case gate::RunResult::kOk:
    case gate::RunResult::kRefused: break;
    case gate::RunResult::kInvalidCall: return "The run id or the pipeline id is not one, or a number is out of its range.";
    case gate::RunResult::kUnknownRun: return "There is no such run.";
    case gate::RunResult::kOtherRequest: return "The run id was used for a request that differs from this one.";
    case gate::RunResult::kStaleFence: return "The fence is not the one of this run's grant.";
    case gate::RunResult::kLeaseExpired: return "The lease was over before this call; the slot has been given back.";
    case gate::RunResult::kRunEnded: return "The run has ended, in another way than this call asks for.";
    case gate::RunResult::kUnavailable: return "Nothing happened; repeat the request.";
    case gate::RunResult::kInDoubt: return "It is not known whether it happened; repeat the request with the same run id.";
  }
  return {};
}

void AddRetryAfter(int64_t seconds, Reply* reply) {
  if (seconds > 0) reply->Add("Retry-After", seconds);
}

}  // namespace

std::string DescribeRefusal(const domain::Decision& decision, std::string_view scope) {
  const int64_t limit = decision.limit.value_or(0);
  switch (decision.outcome) {
    case domain::Outcome::kAllowed: return {};
    case domain::Outcome::kStoreUnavailable: return "Nothing can be decided at this moment, and so nothing is let in.";
    case domain::Outcome::kMalformedKey:
    case domain::Outcome::kUnknownKey:
    case domain::Outcome::kRevokedKey:
    case domain::Outcome::kExpiredKey: return "An API key is needed that is accepted, in X-API-Key or as a Bearer token.";
    case domain::Outcome::kCustomerSuspended:
    case domain::Outcome::kCustomerCancelled: return "The customer of this key is suspended.";
    case domain::Outcome::kSubscriptionInactive: return "The customer of this key has no current subscription.";
    case domain::Outcome::kScopeMissing: return fmt::format("The key does not have the scope {}.", scope);
    case domain::Outcome::kRateLimited:
      if (decision.retry_after_s == 0) return fmt::format("The request costs more than the rate of {} requests ever allows.", limit);
      return fmt::format("The rate of {} requests is used up; the next is due in {} s.", limit, decision.retry_after_s);
    case domain::Outcome::kStorageQuota: return fmt::format("{} of {} GB are used.", Gigabytes(decision.used), Gigabytes(limit));
    case domain::Outcome::kMonthlyQuota: return fmt::format("{} of {} runs of this month are used.", decision.used, limit);
    case domain::Outcome::kConcurrentQuota: return fmt::format("{} of {} concurrent runs are alive.", decision.used, limit);
  }
  REEVE_ASSERT(false);
  return {};
}

void AddRate(const domain::RateFacts& rate, bool old_names, Reply* reply) {
  const std::string_view name = rate.window_s == 60 ? "minute" : "hour";
  std::string& fields = reply->fields;
  const auto append = [&fields](std::string_view text, int64_t number) { AppendDigits(number, &fields.append(text)); };
  fields.append("RateLimit-Policy: \"").append(name);
  append("\";q=", rate.limit);
  append(";w=", rate.window_s);
  fields.append("\r\nRateLimit: \"").append(name);
  append("\";r=", rate.remaining);
  append(";t=", rate.reset_s);
  fields += "\r\n";
  if (!old_names) return;
  reply->Add("X-RateLimit-Limit", rate.limit);
  reply->Add("X-RateLimit-Remaining", rate.remaining);
  reply->Add("X-RateLimit-Reset", rate.reset_s);
}

void AppendIdentity(std::string_view text, std::string* out) {
  if (text.empty()) text = "none";
  size_t plain = 0;
  while (plain < text.size() && IsVisible(text[plain])) ++plain;
  out->append(text.substr(0, plain));
  if (plain < text.size()) *out += FieldText(text.substr(plain));
}

void AddIdentity(const gate::Identity& who, Reply* reply) {
  std::string& fields = reply->fields;
  AppendIdentity(who.customer_id, &(fields += "X-Customer-Id: "));
  AppendIdentity(who.tenant_id, &(fields += "\r\nX-Tenant-Id: "));
  AppendIdentity(who.plan, &(fields += "\r\nX-Plan: "));
  AppendIdentity(who.api_key_id, &(fields += "\r\nX-Key-Id: "));
  fields += "\r\nX-Scopes: ";
  std::string_view scopes = who.scopes;
  for (size_t space = scopes.find(' '); space != std::string_view::npos; space = scopes.find(' ')) {
    AppendIdentity(scopes.substr(0, space), &fields);
    fields.push_back(',');
    scopes.remove_prefix(space + 1);
  }
  AppendIdentity(scopes, &fields);
  fields += "\r\n";
}

void WriteRefusal(const domain::Decision& decision, std::string_view scope, const ProblemContext& context, bool replayed, Reply* reply) {
  AddRetryAfter(decision.retry_after_s, reply);
  if (domain::HttpStatus(decision.outcome) == 401 && !replayed) reply->Add("WWW-Authenticate", kChallenge);
  WriteProblem({.code = domain::ErrorCode(decision.outcome), .status = domain::HttpStatus(decision.outcome), .detail = DescribeRefusal(decision, scope)},
               context, reply);
}

void SetJson(int status, std::string json, Reply* reply) {
  reply->status = status;
  reply->Add("Content-Type", "application/json");
  reply->body = std::move(json);
}

void WriteAuthorization(const gate::Admission& admission, bool run_asked, std::string_view decision_id, Reply* reply) {
  std::string json = "{\"allowed\":true";
  AppendText("decision_id", decision_id, &json);
  AppendText("customer_id", admission.who().customer_id, &json);
  AppendText("tenant_id", admission.who().tenant_id, &json);
  AppendText("plan", admission.who().plan, &json);
  AppendText("api_key_id", admission.who().api_key_id, &json);
  json += ",\"scopes\":[";
  std::string_view scopes = admission.who().scopes;
  while (!scopes.empty()) {
    const size_t space = scopes.find(' ');
    AppendJsonString(scopes.substr(0, space), &json);
    scopes.remove_prefix(space == std::string_view::npos ? scopes.size() : space + 1);
    if (!scopes.empty()) json.push_back(',');
  }
  json += "]";
  if (const auto facts = admission.rate()) {
    const domain::RateFacts& rate = *facts;
    AppendName("rate", &json);
    AppendDigits(rate.limit, &(json += "{\"limit\":"));
    AppendNumber("remaining", rate.remaining, &json);
    AppendNumber("reset_seconds", rate.reset_s, &json);
    AppendNumber("window_seconds", rate.window_s, &json);
    json += '}';
    AddRate(rate, true, reply);
  }
  if (run_asked) AppendRunsLeft("runs", admission.decision, &json);
  json += "}\n";
  SetJson(200, std::move(json), reply);
}

void WriteRun(gate::RunVerb verb, const gate::RunAnswer& answer, const ProblemContext& context, Reply* reply) {
  if (answer.replayed) reply->Add("Idempotent-Replayed", "true");
  if (answer.result == gate::RunResult::kRefused && verb != gate::RunVerb::kLook) return WriteRefusal(answer.decision, "pipelines:write", context, false, reply);
  if (answer.result == gate::RunResult::kRefused && !answer.run) return WriteRefusal(answer.decision, "pipelines:read", context, false, reply);
  if (answer.result == gate::RunResult::kOk || answer.result == gate::RunResult::kRefused) {
    REEVE_ASSERT(answer.run.has_value());
    const bool reserve = verb == gate::RunVerb::kReserve;
    return SetJson(reserve && !answer.replayed ? 201 : 200, RunJson(*answer.run, answer.decision, reserve), reply);
  }
  const int status = gate::HttpStatus(answer.result);
  if (status == 503) AddRetryAfter(std::max<int64_t>(answer.decision.retry_after_s, 1), reply);
  WriteProblem({.code = gate::ErrorCode(answer.result), .status = status, .detail = DescribeRun(answer.result)}, context, reply);
}

void WriteChange(gate::ChangeResult result, std::string_view done, const ProblemContext& context, Reply* reply) {
  switch (result) {
    case gate::ChangeResult::kDone: return SetJson(200, fmt::format("{}\"changed\":true}}\n", done), reply);
    case gate::ChangeResult::kNoChange: return SetJson(200, fmt::format("{}\"changed\":false}}\n", done), reply);
    case gate::ChangeResult::kUnknown: return WriteProblem({.code = "RESOURCE_NOT_FOUND", .detail = "There is nothing by this id."}, context, reply);
    case gate::ChangeResult::kUnavailable:
    case gate::ChangeResult::kInDoubt:
      AddRetryAfter(1, reply);
      return WriteProblem({.code = "STORE_UNAVAILABLE",
                           .detail = result == gate::ChangeResult::kUnavailable ? "Nothing happened; repeat the request."
                                                                                : "It is not known whether it happened; repeat the request."},
                          context, reply);
  }
}

}  // namespace reeve::api
