// libreeve over the gate and the embedded store.
#include "gate/reeve.h"

#include <future>

#include "env/clock.h"
#include "env/files.h"
#include "gate/gate.h"
#include "store/sqlite/serving_store.h"

namespace libreeve {
namespace {

using reeve::gate::RunAnswer;
using reeve::gate::RunCall;
using reeve::gate::RunResult;
using reeve::gate::RunVerb;

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::string_view kHolder = "a program with libreeve";

std::string StateName(reeve::store::RunState state) {
  switch (state) {
    case reeve::store::RunState::kReserved: return "reserved";
    case reeve::store::RunState::kCompleted: return "completed";
    case reeve::store::RunState::kCancelled: return "cancelled";
    case reeve::store::RunState::kExpired: return "expired";
    case reeve::store::RunState::kRefused: return "refused";
  }
  REEVE_ASSERT(false);
  return {};
}

Decision Plain(const reeve::domain::Decision& decision) {
  Decision plain;
  plain.allowed = decision.allowed();
  plain.reason = reeve::domain::OutcomeName(decision.outcome);
  plain.code = reeve::domain::ErrorCode(decision.outcome);
  plain.http_status = reeve::domain::HttpStatus(decision.outcome);
  plain.used = decision.used;
  plain.limit = decision.limit;
  plain.retry_after_seconds = decision.retry_after_s;
  return plain;
}

RunReply Plain(const RunAnswer& answer) {
  RunReply reply;
  reply.ok = answer.result == RunResult::kOk;
  reply.replayed = answer.replayed;
  reply.decision = Plain(answer.decision);
  reply.code = answer.result == RunResult::kRefused ? reply.decision.code : std::string(reeve::gate::ErrorCode(answer.result));
  reply.in_doubt = answer.result == RunResult::kInDoubt;
  if (answer.run) {
    reply.state = StateName(answer.run->state);
    reply.fence = answer.run->fence;
    reply.reserved_at_micros = answer.run->reserved_at;
    reply.expires_at_micros = answer.run->expires_at;
    reply.ended_at_micros = answer.run->ended_at;
    reply.compute_ms = answer.run->compute_ms;
  }
  return reply;
}

RunCall CallOn(RunVerb verb, std::string_view run_id, int64_t fence) {
  RunCall call;
  call.verb = verb;
  call.run_id = run_id;
  call.fence = fence;
  return call;
}

class EmbeddedReeve final : public Reeve {
 public:
  reeve::Result<> Start(const Settings& settings) {
    if (settings.store.substr(0, kSqlite.size()) != kSqlite)
      return reeve::Fail(reeve::Code::kUsage, "'{}': a store to serve from is sqlite:FILE", settings.store);
    auto store = reeve::store::OpenSqliteServingStore(*files_, settings.store.substr(kSqlite.size()), std::string(kHolder), nullptr, {.clock = clock_.get()});
    if (!store) return reeve::Unexpected(std::move(store).error());
    reeve::gate::GateOptions options;
    if (settings.on_failed_commit)
      options.on_poison = [told = settings.on_failed_commit](const reeve::Error& error) { told(error.message); };
    REEVE_ASSIGN(gate_, reeve::gate::Gate::Open(std::move(*store), *clock_, options));
    return {};
  }

  Decision Authorize(std::string_view key, std::string_view scope, int32_t cost) override {
    const reeve::gate::Admission admission = gate_->Authorize(key, {.scope = scope, .cost = cost});
    Decision decision = Plain(admission.decision);
    const reeve::gate::Identity who = admission.who();
    decision.customer_id = who.customer_id;
    decision.tenant_id = who.tenant_id;
    decision.plan = who.plan;
    decision.api_key_id = who.api_key_id;
    decision.scopes = who.scopes;
    return decision;
  }

  RunReply Reserve(std::string_view key, const RunRequest& request) override { return Wait(key, CallFor(request)); }
  RunReply Heartbeat(std::string_view key, std::string_view run_id, int64_t fence) override {
    return Wait(key, CallOn(RunVerb::kHeartbeat, run_id, fence));
  }
  RunReply Complete(std::string_view key, std::string_view run_id, int64_t fence, bool succeeded, std::optional<int64_t> compute_ms) override {
    RunCall call = CallOn(RunVerb::kComplete, run_id, fence);
    call.succeeded = succeeded;
    call.compute_ms = compute_ms;
    return Wait(key, std::move(call));
  }
  RunReply Cancel(std::string_view key, std::string_view run_id, int64_t fence) override { return Wait(key, CallOn(RunVerb::kCancel, run_id, fence)); }
  RunReply Look(std::string_view key, std::string_view run_id) override { return Wait(key, CallOn(RunVerb::kLook, run_id, 0)); }
  void ReserveThen(std::string_view key, const RunRequest& request, RunDone done) override {
    gate_->SubmitRun(key, CallFor(request), [done = std::move(done)](const RunAnswer& answer) { done(Plain(answer)); });
  }

  bool Ready() const override { return gate_->Ready().ready; }

 private:
  static RunCall CallFor(const RunRequest& request) {
    RunCall call = CallOn(RunVerb::kReserve, request.run_id, 0);
    call.pipeline_id = request.pipeline_id;
    // What is out of range stays so, and is refused as such.
    call.lease_ms = request.lease_seconds < 0 || request.lease_seconds > reeve::gate::kLeaseMsMax ? -1 : request.lease_seconds * 1'000;
    return call;
  }
  RunReply Wait(std::string_view key, RunCall call) {
    std::promise<RunReply> told;
    gate_->SubmitRun(key, std::move(call), [&told](const RunAnswer& answer) { told.set_value(Plain(answer)); });
    return told.get_future().get();
  }

  const std::unique_ptr<reeve::Files> files_ = reeve::MakeSystemFiles();
  const std::unique_ptr<reeve::Clock> clock_ = reeve::MakeSystemClock();
  std::unique_ptr<reeve::gate::Gate> gate_;
};

}  // namespace

std::unique_ptr<Reeve> Reeve::Open(const Settings& settings, std::string* error) {
  auto opened = std::make_unique<EmbeddedReeve>();
  if (const reeve::Result<> started = opened->Start(settings); !started) {
    if (error != nullptr) *error = started.error().message;
    return nullptr;
  }
  return opened;
}

}  // namespace libreeve
