// What the operations of the API do. Gateways' doors and the checks before an operation: service.cc.
#include <charconv>
#include <thread>

#include "api/credentials.h"
#include "api/error_code.h"
#include "api/metrics_text.h"
#include "api/service.h"
#include "base/encoding.h"
#include "crypto/sha256.h"

namespace reeve::api {
namespace {

constexpr uint64_t kProcFileMax = 4096;

constexpr std::string_view kBanner =
    "reeve keeps the books of customers and minds their gate.\n\n"
    "  /openapi.json        what can be asked here\n"
    "  /errors/{code}       what an error code means\n"
    "  /livez /readyz       whether it lives, whether it serves\n"
    "  /authz               for gateways\n";

// A store's id for a tenant that was migrated; so that routes take either.
std::string CustomerOfTenant(std::string_view tenant) { return crypto::DeterministicId("cust_", "customer", {tenant}); }

std::string ObjectWith(std::string_view name, std::string_view value) {
  std::string json = fmt::format("{{\"{}\":", name);
  AppendJsonString(value, &json);
  json.push_back(',');
  return json;
}

void AppendMember(std::string_view name, std::string_view value, std::string* json) {
  *json += fmt::format("\"{}\":", name);
  AppendJsonString(value, json);
  json->push_back(',');
}

// The n-th number of a line of /proc, counted from 0 behind the program's name; 0 if it is not there.
double ProcNumber(std::string_view line, int n) {
  const size_t name_end = line.rfind(')');
  if (name_end != std::string_view::npos) line.remove_prefix(name_end + 2);
  for (; n > 0 && !line.empty(); --n) line.remove_prefix(std::min(line.size(), line.find(' ') + 1));
  int64_t number = 0;
  std::from_chars(line.data(), line.data() + line.size(), number);
  return static_cast<double>(number);
}

std::optional<int64_t> QuotaOf(const Body& body, std::string_view name) {
  if (body.IsNull(name)) return std::nullopt;
  return body.Whole(name, 0);
}

std::string QuotaText(const std::optional<int64_t>& quota) { return quota ? std::to_string(*quota) : "null"; }

gate::RunCall RunCallOf(Operation operation, const Match& match, const Body& body) {
  gate::RunCall run;
  run.run_id = operation == Operation::kReserveRun ? body.Text("run_id") : match.parameters[0];
  run.lease_ms = body.Whole("ttl_seconds", 0) * 1000;
  run.fence = body.Whole("fence", 0);
  if (operation == Operation::kReserveRun) {
    run.verb = gate::RunVerb::kReserve;
    run.pipeline_id = body.Text("pipeline_id");
  } else if (operation == Operation::kHeartbeatRun) {
    run.verb = gate::RunVerb::kHeartbeat;
  } else if (operation == Operation::kCompleteRun) {
    run.verb = gate::RunVerb::kComplete;
    run.succeeded = body.Text("outcome", "succeeded") == "succeeded";
    if (body.Has("compute_ms")) run.compute_ms = body.Whole("compute_ms", 0);
  } else if (operation == Operation::kCancelRun) {
    run.verb = gate::RunVerb::kCancel;
  }
  return run;
}

}  // namespace

Handler::Answer Service::Perform(Call& call) {
  constexpr auto kNow = Handler::Answer::kNow;
  const Operation operation = call.match.route->operation;
  const std::string& id = call.match.parameters[0];
  switch (operation) {
    case Operation::kGateway:
    case Operation::kGatewayDenied: break;  // not in the table
    case Operation::kAuthorize: return Authorize(call), kNow;
    case Operation::kReserveRun:
    case Operation::kHeartbeatRun:
    case Operation::kCompleteRun:
    case Operation::kCancelRun:
    case Operation::kLookAtRun: return SubmitRun(call, RunCallOf(operation, call.match, call.body));
    case Operation::kSuspendCustomer:
    case Operation::kActivateCustomer: {
      const std::string status = operation == Operation::kSuspendCustomer ? "suspended" : "active";
      std::string done = ObjectWith("customer_id", id);
      AppendMember("status", status, &done);
      ChangeCustomer(call, {.customer_id = id, .status = status, .quotas = {}, .reason = call.body.Text("reason"), .note = call.body.Text("note")}, std::move(done));
      return Handler::Answer::kLater;
    }
    case Operation::kChangeQuotas: ChangeQuotas(call); return Handler::Answer::kLater;
    case Operation::kRevokeKey: return RevokeKey(call);
    case Operation::kConfirmClock: return ConfirmClock(call);
    case Operation::kBanner: return SetText(200, std::string(kBanner), call.reply), kNow;
    case Operation::kLive: return SetText(200, "ok\n", call.reply), kNow;
    case Operation::kReady: return Ready(call), kNow;
    case Operation::kMetrics: return Metrics(call), kNow;
    case Operation::kOpenApi: return SetJson(200, shared_.openapi, call.reply), kNow;
    case Operation::kErrorPage: return ErrorPage(call), kNow;
  }
  REEVE_ASSERT(false);
  return kNow;
}

void Service::Authorize(Call& call) {
  const std::string scope = call.body.Text("scope");
  const bool run = call.body.Flag("run", false);
  const gate::Admission admission =
      shared_.gate.Authorize(KeyShown(call.request), {.scope = scope, .cost = static_cast<int32_t>(call.body.Whole("cost", 1)), .run = run});
  if (admission.decision.allowed()) return WriteAuthorization(admission, run, call.decision_id, call.reply);
  if (const auto rate = admission.rate()) AddRate(*rate, true, call.reply);
  WriteRefusal(admission.decision, scope, call.context, false, call.reply);
}

Handler::Answer Service::SubmitRun(Call& call, gate::RunCall run) {
  // The gate answers on this thread, before it returns, what it refuses at its door.
  struct State {
    std::thread::id submitter = std::this_thread::get_id();
    std::optional<gate::RunAnswer> at_once;
  };
  State state;
  const gate::RunVerb verb = run.verb;
  const auto row = static_cast<size_t>(call.match.route->operation);
  shared_.gate.SubmitRun(
      KeyShown(call.request), std::move(run),
      [this, &state, submitter = state.submitter, verb, row, caller = call.caller, kept = Keep(call)](const gate::RunAnswer& answer) {
        if (std::this_thread::get_id() == submitter) {
          state.at_once = answer;
          return;
        }
        outbox_.Post(caller.connection, caller.ticket, [this, verb, row, kept, answer](Reply* reply) {
          BeginReply(kept.request_id(), kept.traceparent, false, shared_.clock.Now(), reply);
          WriteRun(verb, answer, kept.context(), reply);
          Count(row, *reply);
        });
      });
  if (!state.at_once) return Handler::Answer::kLater;
  WriteRun(verb, *state.at_once, call.context, call.reply);
  return Handler::Answer::kNow;
}

gate::ChangeDone Service::Answerer(const Call& call, std::string done) {
  const auto row = static_cast<size_t>(call.match.route->operation);
  return [this, row, caller = call.caller, kept = Keep(call), done = std::move(done)](gate::ChangeResult result) {
    outbox_.Post(caller.connection, caller.ticket, [this, row, kept, done, result](Reply* reply) {
      BeginReply(kept.request_id(), kept.traceparent, false, shared_.clock.Now(), reply);
      WriteChange(result, done, kept.context(), reply);
      Count(row, *reply);
    });
  };
}

void Service::ChangeCustomer(Call& call, store::CustomerChange change, std::string done) {
  const std::string actor = "admin:" + std::string(call.actor);
  gate::ChangeDone answer = Answerer(call, std::move(done));
  const store::CustomerChange first = change;
  shared_.gate.ChangeCustomer(first, actor, [this, change = std::move(change), actor, answer = std::move(answer)](gate::ChangeResult result) mutable {
    if (result != gate::ChangeResult::kUnknown) return answer(result);
    change.customer_id = CustomerOfTenant(change.customer_id);  // perhaps it is a tenant's name
    shared_.gate.ChangeCustomer(change, actor, std::move(answer));
  });
}

void Service::ChangeQuotas(Call& call) {
  const std::string& id = call.match.parameters[0];
  store::CustomerChange::Quotas quotas;
  std::string done = ObjectWith("customer_id", id);
  const auto take = [&](std::string_view name, std::optional<int64_t>* quota, bool* keep) {
    *keep = !call.body.Has(name);
    if (*keep) return;
    *quota = QuotaOf(call.body, name);
    done += fmt::format("\"{}\":{},", name, QuotaText(*quota));
  };
  take("monthly_pipeline_quota", &quotas.monthly_runs, &quotas.keep_monthly_runs);
  take("concurrent_pipeline_quota", &quotas.concurrent_runs, &quotas.keep_concurrent_runs);
  take("storage_quota_gb", &quotas.storage_gb, &quotas.keep_storage_gb);
  ChangeCustomer(call, {.customer_id = id, .status = {}, .quotas = quotas, .reason = {}, .note = {}}, std::move(done));
}

Handler::Answer Service::RevokeKey(Call& call) {
  const std::string customer = call.match.parameters[0], key = call.match.parameters[1];
  std::string done = ObjectWith("customer_id", customer);
  AppendMember("api_key_id", key, &done);
  done += "\"is_active\":false,";
  gate::ChangeDone answer = Answerer(call, std::move(done));
  const bool taken = shared_.side.Post([this, customer, key, actor = "admin:" + std::string(call.actor), answer = std::move(answer)] {
    auto digest = shared_.gate.FindKey(customer, key);
    if (!digest) digest = shared_.gate.FindKey(CustomerOfTenant(customer), key);
    if (!digest) return answer(gate::ChangeResult::kUnknown);
    shared_.gate.RevokeKey(*digest, actor, answer);
  });
  if (taken) return Handler::Answer::kLater;
  WriteChange(gate::ChangeResult::kUnavailable, {}, call.context, call.reply);
  return Handler::Answer::kNow;
}

Handler::Answer Service::ConfirmClock(Call& call) {
  shared_.gate.ConfirmClock(Answerer(call, "{"));
  return Handler::Answer::kLater;
}

void Service::Ready(Call& call) {
  const gate::Readiness readiness = shared_.gate.Ready();
  const bool draining = shared_.draining;
  if (call.request.query.starts_with("verbose") && call.caller.admin_door) {
    const bool ready = readiness.ready && !draining;
    return SetText(ready ? 200 : 503, fmt::format("[{}] gate{}{}\n[{}] not draining\n", readiness.ready ? '+' : '-', readiness.ready ? "" : ": ",
                                                  readiness.ready ? std::string_view() : readiness.why, draining ? '-' : '+'),
                   call.reply);
  }
  if (readiness.ready && !draining) return SetText(200, "ok\n", call.reply);
  call.reply->Add("Retry-After", "1");
  Fail(call, {.code = "STORE_UNAVAILABLE", .detail = fmt::format("Not ready: {}.", draining ? std::string_view("draining") : readiness.why)});
}

void Service::Metrics(Call& call) {
  ProcessFigures process;
  constexpr int kUserTime = 11, kSystemTime = 12, kStartTime = 19, kResidentPages = 21;
  constexpr double kTicksPerSecond = 100, kPageBytes = 4096;  // of every Linux on x86 and ARM servers
  const auto stat = shared_.files.Read("/proc/self/stat", kProcFileMax);
  const auto uptime = shared_.files.Read("/proc/uptime", kProcFileMax);
  if (stat && uptime) {
    process.cpu_seconds = (ProcNumber(*stat, kUserTime) + ProcNumber(*stat, kSystemTime)) / kTicksPerSecond;
    process.resident_bytes = ProcNumber(*stat, kResidentPages) * kPageBytes;
    const double age = ProcNumber(*uptime, 0) - ProcNumber(*stat, kStartTime) / kTicksPerSecond;
    process.start_time_seconds = static_cast<double>(call.now / kSecond) - age;
  }
  process.draining = shared_.draining;
  process.ready = shared_.gate.Ready().ready && !process.draining;
  call.reply->status = 200;
  call.reply->Add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  call.reply->body = MetricsText(shared_.gate.Metrics(), shared_.metrics, process);
}

void Service::ErrorPage(Call& call) {
  const ErrorInfo* info = FindErrorInfo(call.match.parameters[0]);
  if (info == nullptr) return Fail(call, {.code = "RESOURCE_NOT_FOUND", .detail = "There is no such error code."});
  SetText(200, fmt::format("{}\nHTTP {}: {}\n\n{}\n", info->code, info->status, info->title, info->meaning), call.reply);
}

void Service::SetText(int status, std::string text, Reply* reply) const {
  reply->status = status;
  reply->Add("Content-Type", "text/plain; charset=utf-8");
  reply->body = std::move(text);
}

}  // namespace reeve::api
