#include "api/route_bodies.h"

#include "gate/gate.h"

namespace reeve::api {
namespace {

constexpr int64_t kQuotaMax = 1'000'000'000'000;
constexpr int64_t kNoteMax = 500;

FieldSpec RunId() {
  return {.name = "run_id", .required = true, .min = 1, .max = gate::kRunIdMax, .help = "the caller's own id; repeating the request with it is safe"};
}
FieldSpec Ttl(std::string_view help) {
  return {.name = "ttl_seconds", .type = FieldType::kWhole, .min = gate::kLeaseMsMin / 1000, .max = gate::kLeaseMsMax / 1000, .help = help};
}
FieldSpec Fence(bool required) {
  return {.name = "fence", .type = FieldType::kWhole, .required = required, .min = 1, .help = "as the reservation said"};
}
FieldSpec Note() { return {.name = "note", .max = kNoteMax, .help = "for the audit log"}; }
FieldSpec Quota(std::string_view name) {
  return {.name = name, .type = FieldType::kWhole, .nullable = true, .max = kQuotaMax, .help = "null: unlimited; 0 blocks; left out: as it is"};
}
FieldSpec Answered(std::string_view name, FieldType type, std::string_view help, bool nullable = false) {
  return {.name = name, .type = type, .required = true, .nullable = nullable, .help = help};
}
FieldSpec Sometimes(std::string_view name, FieldType type, std::string_view help) { return {.name = name, .type = type, .help = help}; }

}  // namespace

const BodySpec kAuthorizeBody = {
    "AuthorizeRequest",
    {{.name = "scope", .max = 64, .help = "what the key must have, such as pipelines:write; none: any key that is accepted"},
     {.name = "cost", .type = FieldType::kWhole, .max = gate::kCostMax, .help = "requests it counts as against the rates; default 1, 0 asks without counting"},
     {.name = "run", .type = FieldType::kFlag, .help = "whether a run could be reserved now as well; takes none"}}};

const BodySpec kReserveBody = {
    "ReserveRunRequest",
    {RunId(), {.name = "pipeline_id", .max = gate::kRunIdMax, .help = "what is run"}, Ttl("how long the lease holds without a heartbeat; default 900")}};
const BodySpec kHeartbeatBody = {"HeartbeatRequest", {Fence(true), Ttl("default: as reserved")}};
const BodySpec kCompleteBody = {
    "CompleteRunRequest",
    {Fence(true),
     {.name = "outcome", .max = 16, .choices = {"succeeded", "failed"}, .help = "default succeeded"},
     {.name = "compute_ms", .type = FieldType::kWhole, .max = gate::kComputeMsMax, .help = "compute time; default: the time since the reservation"}}};
const BodySpec kCancelBody = {"CancelRunRequest", {Fence(false)}};

const BodySpec kSuspendBody = {
    "SuspendCustomerRequest",
    {{.name = "reason", .required = true, .max = 32, .choices = {"payment_failed", "terms_violation", "admin_request"}, .help = "for the audit log"}, Note()}};
const BodySpec kActivateBody = {"ActivateCustomerRequest", {Note()}};
const BodySpec kQuotasBody = {"ChangeQuotasRequest", {Quota("monthly_pipeline_quota"), Quota("concurrent_pipeline_quota"), Quota("storage_quota_gb")}};
const BodySpec kRevokeBody = {"RevokeKeyRequest", {Note()}};

const BodySpec kRateAnswer = {"Rate",
                              {Answered("limit", FieldType::kWhole, "requests in a window"), Answered("remaining", FieldType::kWhole, ""),
                               Answered("reset_seconds", FieldType::kWhole, "until all of it is free again"),
                               Answered("window_seconds", FieldType::kWhole, "60 or 3600; the tighter of the two")}};
const BodySpec kRunsLeftAnswer = {"RunsLeft",
                                  {Answered("used", FieldType::kWhole, "runs of this month"), Answered("limit", FieldType::kWhole, "null: unlimited", true),
                                   Answered("remaining", FieldType::kWhole, "null: unlimited", true)}};
const BodySpec kAuthorization = {
    "Authorization",
    {Answered("allowed", FieldType::kFlag, "true"), Answered("decision_id", FieldType::kText, ""), Answered("customer_id", FieldType::kText, ""),
     Answered("tenant_id", FieldType::kText, ""), Answered("plan", FieldType::kText, ""), Answered("api_key_id", FieldType::kText, ""),
     Answered("scopes", FieldType::kTexts, "of the key"),
     {.name = "rate", .type = FieldType::kObject, .help = "unless cost was 0", .object = &kRateAnswer},
     {.name = "runs", .type = FieldType::kObject, .help = "where a run was asked for", .object = &kRunsLeftAnswer}}};
const BodySpec kRunAnswerBody = {
    "Run",
    {Answered("run_id", FieldType::kText, ""), Answered("pipeline_id", FieldType::kText, ""),
     {.name = "state", .required = true, .choices = {"reserved", "completed", "cancelled", "expired", "refused"}},
     Answered("month", FieldType::kText, "YYYY-MM in which the run counts"), Answered("fence", FieldType::kWhole, "to be shown by whoever ends the run"),
     Answered("ttl_seconds", FieldType::kWhole, "of the lease"), Answered("reserved_at", FieldType::kText, ""), Answered("expires_at", FieldType::kText, ""),
     Sometimes("ended_at", FieldType::kText, "once it has ended"), Sometimes("compute_ms", FieldType::kWhole, "once it is completed"),
     {.name = "outcome", .choices = {"succeeded", "failed"}, .help = "once it is completed"},
     Sometimes("error_code", FieldType::kText, "why it is refused, where it is"),
     {.name = "quota", .type = FieldType::kObject, .help = "of a reservation: the month, with this run", .object = &kRunsLeftAnswer}}};
const BodySpec kCustomerAnswer = {"CustomerStatus",
                                  {Answered("customer_id", FieldType::kText, ""), {.name = "status", .required = true, .choices = {"active", "suspended"}},
                                   Answered("changed", FieldType::kFlag, "false: it was so already")}};
const BodySpec kQuotasAnswer = {"Quotas",
                                {Answered("customer_id", FieldType::kText, ""), Quota("monthly_pipeline_quota"), Quota("concurrent_pipeline_quota"),
                                 Quota("storage_quota_gb"),
                                 Answered("changed", FieldType::kFlag, "false: they were so already")}};
const BodySpec kKeyAnswer = {"RevokedKey",
                             {Answered("customer_id", FieldType::kText, ""), Answered("api_key_id", FieldType::kText, ""), Answered("is_active", FieldType::kFlag, "false"),
                              Answered("changed", FieldType::kFlag, "false: it was revoked already")}};
const BodySpec kClockAnswer = {"ClockConfirmation", {Answered("changed", FieldType::kFlag, "false: no leap of the clock waited for it")}};

}  // namespace reeve::api
