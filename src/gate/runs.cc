#include "gate/runs.h"

#include <algorithm>

#include "base/encoding.h"

namespace reeve::gate {
namespace {

bool IsId(std::string_view id) {
  return id.size() <= kRunIdMax && IsUtf8(id) &&
         std::none_of(id.begin(), id.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string_view VerbName(RunVerb verb) {
  switch (verb) {
    case RunVerb::kReserve: return "reserve";
    case RunVerb::kHeartbeat: return "heartbeat";
    case RunVerb::kComplete: return "complete";
    case RunVerb::kCancel: return "cancel";
    case RunVerb::kLook: return "look";
  }
  REEVE_ASSERT(false);
  return {};
}

Result<> CheckRunCall(const RunCall& call) {
  if (call.run_id.empty() || !IsId(call.run_id))
    return Fail(Code::kUsage, "run_id: 1 to {} bytes of UTF-8 without control characters", kRunIdMax);
  if (!IsId(call.pipeline_id)) return Fail(Code::kUsage, "pipeline_id: at most {} bytes of UTF-8 without control characters", kRunIdMax);
  if (call.lease_ms != 0 && (call.lease_ms < kLeaseMsMin || call.lease_ms > kLeaseMsMax))
    return Fail(Code::kUsage, "ttl_seconds: {} to {}", kLeaseMsMin / 1'000, kLeaseMsMax / 1'000);
  if (call.compute_ms && (*call.compute_ms < 0 || *call.compute_ms > kComputeMsMax))
    return Fail(Code::kUsage, "compute_ms: 0 to {}", kComputeMsMax);
  if (call.fence < 0) return Fail(Code::kUsage, "fence: the number of the grant");
  return {};
}

int HttpStatus(RunResult result) {
  switch (result) {
    case RunResult::kOk: return 200;
    case RunResult::kRefused: return 0;
    case RunResult::kInvalidCall: return 400;
    case RunResult::kUnknownRun: return 404;
    case RunResult::kOtherRequest: return 422;
    case RunResult::kStaleFence:
    case RunResult::kLeaseExpired:
    case RunResult::kRunEnded: return 409;
    case RunResult::kUnavailable:
    case RunResult::kInDoubt: return 503;
  }
  REEVE_ASSERT(false);
  return 503;
}

std::string_view ErrorCode(RunResult result) {
  switch (result) {
    case RunResult::kOk:
    case RunResult::kRefused: return "";
    case RunResult::kInvalidCall: return "INVALID_REQUEST";
    case RunResult::kUnknownRun: return "RESOURCE_NOT_FOUND";
    case RunResult::kOtherRequest: return "IDEMPOTENCY_CONFLICT";
    case RunResult::kStaleFence: return "STALE_FENCE";
    case RunResult::kLeaseExpired: return "LEASE_EXPIRED";
    case RunResult::kRunEnded: return "RUN_ENDED";
    case RunResult::kUnavailable:
    case RunResult::kInDoubt: return "STORE_UNAVAILABLE";
  }
  REEVE_ASSERT(false);
  return {};
}

}  // namespace reeve::gate
