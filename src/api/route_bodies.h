// Bodies of requests and answers, declared once; see body_reader.h. Constant data; safe from any thread.
#pragma once

#include "api/body_reader.h"

namespace reeve::api {

// Requests.
extern const BodySpec kAuthorizeBody, kReserveBody, kHeartbeatBody, kCompleteBody, kCancelBody, kSuspendBody, kActivateBody, kQuotasBody, kRevokeBody;
// Answers.
extern const BodySpec kRateAnswer, kRunsLeftAnswer, kAuthorization, kRunAnswerBody, kCustomerAnswer, kQuotasAnswer, kKeyAnswer, kClockAnswer;

}  // namespace reeve::api
