// FakeGate: the Gate port with what a test says of its keys, for tests of what stands in front of a gate. It keeps the contract of gate/gate.h as far as
// callers see it: what the door refuses is answered before SubmitRun returns, everything else later, when the test calls Complete (on the thread that does).
// The ladder, quotas and leases are not here; runs are remembered by id, with one customer's never seen by another. One thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gate/gate.h"

namespace reeve::testing {

class FakeGate final : public gate::Gate {
 public:
  struct Key {
    std::string customer_id, tenant_id, plan, api_key_id, scopes;
    domain::Decision decision;                 // what is said to it
    std::optional<domain::RateFacts> rate;
  };
  std::map<std::string, Key, std::less<>> keys;  // by text
  gate::Readiness readiness = {true, {}};
  gate::MetricsSnapshot metrics;
  domain::Decision quota;                      // of the next reservation
  std::vector<std::string> changes;            // "customer status by"
  std::string last_scope;
  int32_t last_cost = -1;
  gate::RunCall last_run;

  gate::Admission Authorize(std::string_view key_text, const gate::Need& need) override {
    last_scope = need.scope;
    last_cost = need.cost;
    const auto it = keys.find(key_text);
    if (key_text.empty()) return {{domain::Outcome::kMalformedKey, 0, {}, 0}, {}, {}};
    if (it == keys.end()) return {{domain::Outcome::kUnknownKey, 0, {}, 0}, {}, {}};
    const Key& key = it->second;
    const bool known = key.decision.allowed() || key.decision.outcome >= domain::Outcome::kCustomerSuspended;
    return {key.decision, known ? gate::Identity{key.customer_id, key.tenant_id, key.plan, key.api_key_id, key.scopes} : gate::Identity{}, key.rate};
  }

  void SubmitRun(std::string_view key_text, gate::RunCall call, gate::RunDone done) override {
    const gate::Admission admission = Authorize(key_text, {.scope = "pipelines:write"});
    last_run = call;
    if (!admission.decision.allowed()) return done({gate::RunResult::kRefused, admission.decision, false, {}});
    if (const auto sound = gate::CheckRunCall(call); !sound) return done({gate::RunResult::kInvalidCall, {}, false, {}});
    waiting_.push_back([this, customer = std::string(admission.who.customer_id), call = std::move(call), done = std::move(done)] { done(Decide(customer, call)); });
  }

  void RevokeKey(const store::KeyDigest& digest, std::string_view by, gate::ChangeDone done) override {
    for (auto& [text, key] : keys)
      if (gate::DigestOfKey(text) == digest) return Later("revoke " + key.api_key_id, by, std::move(done), gate::ChangeResult::kDone);
    Later({}, by, std::move(done), gate::ChangeResult::kUnknown);
  }
  void ChangeCustomer(const store::CustomerChange& change, std::string_view by, gate::ChangeDone done) override {
    for (const auto& [text, key] : keys)
      if (key.customer_id == change.customer_id)
        return Later(change.customer_id + (change.status ? " " + *change.status : " quotas"), by, std::move(done), gate::ChangeResult::kDone);
    Later({}, by, std::move(done), gate::ChangeResult::kUnknown);
  }
  void ConfirmClock(gate::ChangeDone done) override { Later("clock", "", std::move(done), gate::ChangeResult::kNoChange); }
  void Reload(gate::ChangeDone done) override { Later("reload", "", std::move(done), gate::ChangeResult::kDone); }
  std::optional<store::KeyDigest> FindKey(std::string_view customer_id, std::string_view api_key_id) override {
    for (const auto& [text, key] : keys)
      if (key.customer_id == customer_id && key.api_key_id == api_key_id) return gate::DigestOfKey(text);
    return std::nullopt;
  }
  gate::Readiness Ready() const override { return readiness; }
  gate::MetricsSnapshot Metrics() const override { return metrics; }
  void Drain() override { Complete(); }

  // Everything that waits has its effect and is answered.
  void Complete() {
    while (!waiting_.empty()) {
      const auto work = std::move(waiting_.front());
      waiting_.pop_front();
      work();
    }
  }
  [[nodiscard]] size_t waiting() const { return waiting_.size(); }

 private:
  void Later(std::string what, std::string_view by, gate::ChangeDone done, gate::ChangeResult result) {
    waiting_.push_back([this, what = std::move(what) + " by " + std::string(by), done = std::move(done), result] {
      if (result == gate::ChangeResult::kDone) changes.push_back(what);
      done(result);
    });
  }

  gate::RunAnswer Decide(const std::string& customer, const gate::RunCall& call) {
    const auto id = std::pair(customer, call.run_id);
    const auto it = runs_.find(id);
    if (call.verb == gate::RunVerb::kReserve) {
      if (!quota.allowed()) return {gate::RunResult::kRefused, quota, false, {}};
      if (it != runs_.end() && it->second.pipeline_id != call.pipeline_id) return {gate::RunResult::kOtherRequest, {}, false, {}};
      if (it != runs_.end()) return {gate::RunResult::kOk, quota, true, it->second};
      gate::RunView run = {.run_id = call.run_id, .pipeline_id = call.pipeline_id, .fence = ++fence_, .lease_ms = call.lease_ms, .reserved_at = kSecond, .expires_at = 2 * kSecond};
      runs_.emplace(id, run);
      return {gate::RunResult::kOk, quota, false, run};
    }
    if (it == runs_.end()) return {gate::RunResult::kUnknownRun, {}, false, {}};
    gate::RunView& run = it->second;
    if (call.verb != gate::RunVerb::kLook && call.fence != 0 && call.fence != run.fence) return {gate::RunResult::kStaleFence, {}, false, {}};
    if (call.verb == gate::RunVerb::kComplete) {
      run.state = store::RunState::kCompleted;
      run.succeeded = call.succeeded;
      run.compute_ms = call.compute_ms.value_or(0);
    }
    if (call.verb == gate::RunVerb::kCancel) run.state = store::RunState::kCancelled;
    return {gate::RunResult::kOk, {}, false, run};
  }

  std::deque<std::function<void()>> waiting_;
  std::map<std::pair<std::string, std::string>, gate::RunView> runs_;
  int64_t fence_ = 0;
};

}  // namespace reeve::testing
