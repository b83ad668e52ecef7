#include "api/service.h"

#include <algorithm>

#include "api/credentials.h"
#include "api/denial_token.h"
#include "api/error_code.h"
#include "api/openapi.h"
#include "base/encoding.h"

namespace reeve::api {
namespace {

constexpr size_t kDenialKeyBytes = 32;
constexpr size_t kNoRoute = kOperations;

constexpr std::string_view kSafetyFields =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n";
constexpr std::string_view kGatewaySafetyFields = "Cache-Control: no-store\r\n";
constexpr std::string_view kTlsFields = "Strict-Transport-Security: max-age=31536000\r\n";

// The path of the client's own request, as its gateway says; for the answer's "instance" only.
std::string_view OriginalPath(const Request& request, const GatewayDoor& door) {
  std::string_view target = door.original;
  for (const std::string_view name : {"X-Forwarded-Uri", "X-Original-URI", "X-Original-URL"})
    if (target.empty()) target = request.Find(name);
  if (!target.starts_with('/')) return request.path;
  return target.substr(0, target.find('?'));  // a query may hold secrets
}

std::string_view RequestIdOf(const Request& request, std::string_view made) { return IsSaneRequestId(request.request_id) ? request.request_id : made; }

int NginxStatus(int status) { return status == 401 || status == 503 ? status : 403; }

std::string_view CodeOf(Fault fault) {
  switch (fault) {
    case Fault::kNone:
    case Fault::kMalformed:
    case Fault::kTarget:
    case Fault::kHost:
    case Fault::kLength:
    case Fault::kEncoding: return "INVALID_REQUEST";
    case Fault::kVersion: return "HTTP_VERSION_NOT_SUPPORTED";
    case Fault::kExpectation: return "EXPECTATION_FAILED";
    case Fault::kHeadTooLarge:
    case Fault::kTooManyFields: return "HEADERS_TOO_LARGE";
    case Fault::kBodyTooLarge: return "PAYLOAD_TOO_LARGE";
    case Fault::kTimeout: return "REQUEST_TIMEOUT";
  }
  return "INVALID_REQUEST";
}

std::string_view WordsFor(Fault fault) {
  switch (fault) {
    case Fault::kNone:
    case Fault::kMalformed: return "This is no HTTP request, or one that could be read in two ways.";
    case Fault::kVersion: return "HTTP/1.1 and HTTP/1.0 are spoken here.";
    case Fault::kTarget: return "The target must be a path, or http://host/path, without a fragment.";
    case Fault::kHost: return "Exactly one Host is needed.";
    case Fault::kLength: return "Content-Length must stand there once, as digits, and not beside Transfer-Encoding.";
    case Fault::kEncoding: return "Transfer-Encoding must be \"chunked\" in HTTP/1.1, and the body be made of plain chunks.";
    case Fault::kExpectation: return "Only 100-continue can be expected.";
    case Fault::kHeadTooLarge: return "The head of the request is too large.";
    case Fault::kTooManyFields: return "The head of the request has too many fields.";
    case Fault::kBodyTooLarge: return "The body is larger than this operation takes.";
    case Fault::kTimeout: return "The request did not arrive in time.";
  }
  return {};
}

}  // namespace

Shared::Shared(gate::Gate& gate_in, Clock& clock_in, Entropy& entropy_in, Files& files_in, ServiceOptions options_in)
    : gate(gate_in),
      clock(clock_in),
      entropy(entropy_in),
      files(files_in),
      options(std::move(options_in)),
      denial_key(entropy.Bytes(kDenialKeyBytes)),
      openapi(OpenApiDocument(options.public_url)) {}

Service::Service(Shared& shared, Outbox& outbox) : shared_(shared), outbox_(outbox), ids_(shared.entropy) {}

Service::Kept Service::Keep(const Call& call) const {
  const bool sent = call.request_id.data() != call.decision_id.data();
  Kept kept = {{}, sent ? call.request_id : std::string_view(), call.context.instance, call.request.accept, call.request.traceparent, shared_.options.public_url, call.now};
  std::copy(call.decision_id.begin(), call.decision_id.end(), kept.made.begin());
  return kept;
}

const std::string& Service::DateField(Micros now) {
  if (now / kSecond != date_second_) {
    date_second_ = now / kSecond;
    date_field_ = "Date: " + HttpDate(now) + "\r\n";
  }
  return date_field_;
}

void Service::BeginReply(std::string_view request_id, std::string_view traceparent, bool gateway, Micros now, Reply* reply) {
  reply->fields += DateField(now);
  reply->Add("X-Request-Id", request_id);
  if (!traceparent.empty() && IsTraceParent(traceparent)) reply->Add("traceparent", traceparent);
  reply->fields += gateway ? kGatewaySafetyFields : kSafetyFields;
  if (shared_.options.over_tls) reply->fields += kTlsFields;
}

BodyPlan Service::PlanBody(const Request& request, const Caller& caller) {
  constexpr BodyPlan kAtOnce = {.answer_on_head = true, .bytes_max = 0};
  if (IsGatewayDoor(request.path)) return kAtOnce;
  const Match match = FindRoute(request.method, request.path, caller.admin_door);
  if (match.route == nullptr) return kAtOnce;
  // Who may not come in need not send a body.
  if (match.route->who == Who::kAdmin && shared_.options.admins.Find(AdminTokenShown(request)).empty()) return kAtOnce;
  if (match.route->who == Who::kKey && KeyShown(request).empty()) return kAtOnce;
  return {.answer_on_head = false, .bytes_max = match.route->method == Method::kGet ? 0 : kBodyBytesMax};
}

Handler::Answer Service::Handle(const Request& request, const Caller& caller, Reply* reply) {
  if (IsGatewayDoor(request.path)) return AskGateway(request, caller, reply);
  const Micros now = shared_.clock.Now();
  const std::string_view decision_id = ids_.Next(now);
  const std::string_view request_id = RequestIdOf(request, decision_id);
  Call call = {.request = request, .caller = caller, .reply = reply, .now = now, .decision_id = decision_id, .request_id = request_id,
               .context = {shared_.options.public_url, request.path, request_id, request.accept, now}, .match = {}, .body = {}, .actor = {}};
  BeginReply(request_id, request.traceparent, false, now, reply);
  return AskApi(call);
}

void Service::Refuse(Fault fault, const Request& request, Reply* reply) {
  shared_.metrics.faults[static_cast<size_t>(fault)].fetch_add(1, std::memory_order_relaxed);
  const Micros now = shared_.clock.Now();
  const std::string_view request_id = ids_.Next(now);
  BeginReply(request_id, {}, false, now, reply);
  WriteProblem({.code = CodeOf(fault), .detail = std::string(WordsFor(fault))}, {shared_.options.public_url, request.path, request_id, request.accept, now}, reply);
  Count(kNoRoute, *reply);
}

// ---- the doors of gateways ----

Handler::Answer Service::AskGateway(const Request& request, const Caller& caller, Reply* reply) {
  const auto door = ReadGatewayDoor(request.path);
  if (door && door->profile != DoorProfile::kNginxDenied) {
    questions_.push_back({caller, request, *door});
    return Handler::Answer::kLater;
  }
  const Micros now = shared_.clock.Now();
  const std::string_view decision_id = ids_.Next(now);
  const std::string_view request_id = RequestIdOf(request, decision_id);
  const ProblemContext context = {shared_.options.public_url, request.path, request_id, request.accept, now};
  BeginReply(request_id, request.traceparent, true, now, reply);
  reply->Add("X-Authz-Decision-Id", decision_id);
  if (door)
    ReplayDenial(request, context, reply);
  else
    WriteProblem({.code = "RESOURCE_NOT_FOUND", .detail = "This is no door for gateways: /authz[/scope/SCOPE][/cost/N][/nginx|/envoy]."}, context, reply);
  Count(static_cast<size_t>(door ? Operation::kGatewayDenied : Operation::kGateway), *reply);
  return Handler::Answer::kNow;
}

void Service::AnswerGateways(const AnswerTo& answer) {
  while (!questions_.empty()) {  // an answer may let a pipelined question in
    deciding_.swap(questions_);
    std::span<const Question> left = deciding_;
    while (!left.empty()) {
      const size_t count = std::min(left.size(), gate::kAsksMax);
      AnswerQuestions(left.first(count), answer);
      left = left.subspan(count);
    }
    deciding_.clear();
  }
}

// What is read of several people lies anywhere in memory; it is fetched for all of them before it is needed for the first.
void Service::AnswerQuestions(std::span<const Question> questions, const AnswerTo& answer) {
  asks_.clear();
  for (const Question& question : questions)
    asks_.push_back({KeyShown(question.request), {.scope = question.door.scope, .or_scope = {}, .cost = question.door.cost, .run = false}});
  admissions_.resize(questions.size());
  identities_.assign(questions.size(), {});
  shared_.gate.AuthorizeMany(asks_, admissions_);
  for (const gate::Admission& admission : admissions_)
    if (admission.decision.allowed()) admission.Approach();
  for (size_t i = 0; i < questions.size(); ++i) {
    if (!admissions_[i].decision.allowed()) continue;
    identities_[i] = admissions_[i].who();
    __builtin_prefetch(identities_[i].customer_id.data());
    __builtin_prefetch(identities_[i].tenant_id.data());
    __builtin_prefetch(identities_[i].api_key_id.data());
  }
  if (replies_.size() < questions.size()) replies_.resize(questions.size());
  const Micros now = shared_.clock.Now();
  for (size_t i = 0; i < questions.size(); ++i) {
    replies_[i].Clear();
    AnswerQuestion(questions[i], admissions_[i], identities_[i], now, &replies_[i]);
  }
  // Only now: what is handled next on a connection may ask the gate again, and the texts of before would go.
  for (size_t i = 0; i < questions.size(); ++i) answer(questions[i].caller, replies_[i]);
}

void Service::AnswerQuestion(const Question& question, const gate::Admission& admission, const gate::Identity& who, Micros now, Reply* reply) {
  const Request& request = question.request;
  const std::string_view decision_id = ids_.Next(now);
  const std::string_view request_id = RequestIdOf(request, decision_id);
  BeginReply(request_id, request.traceparent, true, now, reply);
  reply->Add("X-Authz-Decision-Id", decision_id);
  if (const auto rate = admission.rate()) AddRate(*rate, false, reply);
  if (admission.decision.allowed())
    AddIdentity(who, reply);
  else
    DenyGateway(question, admission, {shared_.options.public_url, request.path, request_id, request.accept, now}, decision_id, reply);
  Count(static_cast<size_t>(Operation::kGateway), *reply);
}

void Service::DenyGateway(const Question& question, const gate::Admission& admission, const ProblemContext& context, std::string_view decision_id, Reply* reply) {
  const GatewayDoor& door = question.door;
  if (door.profile != DoorProfile::kNginx) {
    ProblemContext of_client = context;
    of_client.instance = OriginalPath(question.request, door);
    return WriteRefusal(admission.decision, door.scope, of_client, false, reply);
  }
  const int status = domain::HttpStatus(admission.decision.outcome);
  reply->status = NginxStatus(status);
  reply->Add("X-Authz-Status", status);
  if (admission.decision.retry_after_s > 0) reply->Add("Retry-After", admission.decision.retry_after_s);
  if (status == 401) reply->Add("WWW-Authenticate", "Bearer realm=\"reeve\"");
  const Denial denial = {admission.decision, admission.rate(), std::string(door.scope), std::string(decision_id)};
  reply->Add("X-Authz-Denial", WriteDenialToken(denial, shared_.denial_key, context.now));
}

void Service::ReplayDenial(const Request& request, ProblemContext context, Reply* reply) {
  const auto denial = ReadDenialToken(request.Find("X-Authz-Denial"), shared_.denial_key, context.now);
  context.instance = OriginalPath(request, {});
  if (!denial) return WriteProblem({.code = "ACCESS_DENIED"}, context, reply);
  context.request_id = denial->decision_id;
  if (denial->rate) AddRate(*denial->rate, false, reply);
  WriteRefusal(denial->decision, denial->scope, context, true, reply);
}

// ---- the API ----

Handler::Answer Service::AskApi(Call& call) {
  call.match = FindRoute(call.request.method, call.request.path, call.caller.admin_door);
  const Route* route = call.match.route;
  const size_t row = route == nullptr ? kNoRoute : static_cast<size_t>(route->operation);
  Handler::Answer answer = Handler::Answer::kNow;
  if (route == nullptr && call.match.allow.empty()) {
    Fail(call, {.code = "RESOURCE_NOT_FOUND"});
  } else if (route == nullptr) {
    call.reply->Add("Allow", call.match.allow);
    Fail(call, {.code = "METHOD_NOT_ALLOWED"});
  } else if (Admit(call) && CheckQuery(call) && ReadCallBody(call)) {
    answer = Perform(call);
  }
  if (answer == Handler::Answer::kNow) Count(row, *call.reply);
  return answer;
}

bool Service::Admit(Call& call) {
  switch (call.match.route->who) {
    case Who::kAnyone: return true;
    case Who::kKey:
      if (!KeyShown(call.request).empty()) return true;
      WriteRefusal({domain::Outcome::kMalformedKey, 0, {}, 0}, {}, call.context, false, call.reply);
      return false;
    case Who::kAdmin:
      call.actor = shared_.options.admins.Find(AdminTokenShown(call.request));
      if (!call.actor.empty()) return true;
      call.reply->Add("WWW-Authenticate", "Bearer realm=\"reeve admin\"");
      Fail(call, {.code = "INVALID_ADMIN_TOKEN"});
      return false;
  }
  return false;
}

bool Service::CheckQuery(Call& call) {
  Problem problem = {.code = "INVALID_REQUEST", .detail = "The query is not one of this operation."};
  std::string_view query = call.request.query;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    const auto& known = call.match.route->query;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const bool secret = AsciiLower(name).find("key") != std::string::npos || AsciiLower(name).find("token") != std::string::npos;
    problem.errors.push_back({"query", IsUtf8(name) ? std::string(name.substr(0, 64)) : std::string(),
                              secret ? "a secret in an address is known to every log on its way: revoke it, and send the new one in X-API-Key" : "is not a parameter here",
                              "unknown"});
  }
  if (problem.errors.empty()) return true;
  Fail(call, std::move(problem));
  return false;
}

bool Service::ReadCallBody(Call& call) {
  static const BodySpec kNothing = {"Nothing", {}};
  if (call.request.body.empty() && call.match.route->body == nullptr) return true;
  const std::string_view type = call.request.content_type;
  if (!call.request.body.empty() && !EqualsIgnoringCase(type.substr(0, std::min(type.find(';'), type.size())), "application/json")) {
    Fail(call, {.code = "UNSUPPORTED_MEDIA_TYPE"});
    return false;
  }
  Problem problem = {.code = "INVALID_REQUEST", .detail = "The body is not what this operation takes."};
  const BodySpec& spec = call.match.route->body == nullptr ? kNothing : *call.match.route->body;
  if (ReadBody(call.request.body, spec, &call.body, &problem.errors)) return true;
  Fail(call, std::move(problem));
  return false;
}

}  // namespace reeve::api
