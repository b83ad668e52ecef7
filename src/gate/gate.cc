#include "gate/gate.h"

#include "gate/authenticator.h"
#include "gate/gate_state.h"
#include "gate/writer.h"

namespace reeve::gate {
namespace {

class ServingGate final : public Gate {
 public:
  ServingGate(std::unique_ptr<store::ServingStore> store, Clock* clock, const GateOptions& options)
      : state_(options.rates), authenticator_(&state_, clock), writer_(std::move(store), clock, &state_, options) {}

  Result<> Start() { return writer_.Start(); }

  Admission Authorize(std::string_view key_text, const Need& need) override { return authenticator_.Decide(key_text, need); }

  void AuthorizeMany(std::span<const Ask> asks, std::span<Admission> admissions) override { authenticator_.DecideMany(asks, admissions); }

  void SubmitRun(std::string_view key_text, RunCall call, RunDone done) override {
    RunOperation operation;
    RunAnswer answer;
    answer.decision = AtTheDoor(key_text, call.verb, &operation.digest);
    if (!answer.decision.allowed()) {
      answer.result = RunResult::kRefused;
      return done(answer);
    }
    if (!CheckRunCall(call)) {
      answer.result = RunResult::kInvalidCall;
      return done(answer);
    }
    operation.call = std::move(call);
    operation.done = std::move(done);
    Operation wrapped(std::move(operation));
    if (writer_.Push(std::move(wrapped))) return;
    answer.result = RunResult::kUnavailable;
    answer.decision = {domain::Outcome::kStoreUnavailable, 0, std::nullopt, 1};
    std::get<RunOperation>(wrapped).done(answer);
  }

  void RevokeKey(const store::KeyDigest& digest, std::string_view by, ChangeDone done) override {
    Change(RevokeOperation{digest, std::string(by), std::move(done)});
  }
  void ChangeCustomer(const store::CustomerChange& change, std::string_view by, ChangeDone done) override {
    Change(ChangeOperation{change, std::string(by), std::move(done)});
  }
  void ConfirmClock(ChangeDone done) override { Change(ConfirmOperation{std::move(done)}); }
  void Reload(ChangeDone done) override { Change(ReloadOperation{std::move(done)}); }

  std::optional<store::KeyDigest> FindKey(std::string_view customer_id, std::string_view api_key_id) override {
    const std::shared_ptr<KeyIndex> keys = state_.keys.Share();
    for (uint32_t key = 0; key < keys->size(); ++key) {
      const KeyIndex::Entry& entry = keys->At(key);
      if (entry.customer == kNoCustomer || keys->IdOf(key) != api_key_id) continue;
      if (state_.customers.Text(state_.customers.At(entry.customer).customer_id) == customer_id) return entry.digest;
    }
    return std::nullopt;
  }

  Readiness Ready() const override {
    switch (state_.phase.load(std::memory_order_acquire)) {
      case Phase::kLoading: return {false, "loading"};
      case Phase::kDraining:
      case Phase::kStopped: return {false, "draining"};
      case Phase::kPoisoned: return {false, "commit failed"};
      case Phase::kServing: break;
    }
    if (!state_.store_answers.load(std::memory_order_relaxed)) return {false, "store does not answer"};
    return {true, {}};
  }

  MetricsSnapshot Metrics() const override {
    MetricsSnapshot metrics;
    writer_.AddTo(&metrics);
    state_.counters.AddTo(&metrics);
    return metrics;
  }

  void Drain() override { writer_.Stop(); }

 private:
  domain::Decision AtTheDoor(std::string_view key_text, RunVerb verb, crypto::Digest* digest) {
    return authenticator_.Decide(key_text, {.scope = kWriteRuns, .or_scope = verb == RunVerb::kLook ? kReadRuns : std::string_view()}, digest).decision;
  }

  template <typename Kind>
  void Change(Kind change) {
    Operation operation(std::move(change));
    if (!writer_.Push(std::move(operation))) std::get<Kind>(operation).done(ChangeResult::kUnavailable);
  }

  static constexpr std::string_view kWriteRuns = "pipelines:write", kReadRuns = "pipelines:read";

  GateState state_;
  Authenticator authenticator_;
  Writer writer_;
};

}  // namespace

Result<std::unique_ptr<Gate>> Gate::Open(std::unique_ptr<store::ServingStore> store, Clock& clock, GateOptions options) {
  auto gate = std::make_unique<ServingGate>(std::move(store), &clock, options);
  REEVE_TRY(gate->Start());
  return gate;
}

store::KeyDigest DigestOfKey(std::string_view key_text) { return crypto::Sha256Digest(key_text); }

}  // namespace reeve::gate
