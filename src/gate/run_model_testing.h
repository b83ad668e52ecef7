// The ledger of runs as its rules say it, without any of the run book's structures: every run is kept, everything is counted anew each time. The oracle of
// this folder's random tests; shares no code with what it judges but the types of questions and answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "domain/ledger_clock.h"
#include "domain/plan.h"
#include "gate/runs.h"

namespace reeve::gate {

class RunModel {
 public:
  struct Run {
    std::string pipeline;
    int64_t lease_ms = 0, fence = 0;
    store::RunState state = store::RunState::kReserved;
    domain::Decision decision;            // as it was first told
    Days month = 0;
    Micros reserved_at = 0, reserved_steady = 0, lease_end = 0, expires_at = 0;
    int64_t compute_ms = 0;
    bool succeeded = false;
  };
  struct Customer {
    domain::Quotas quotas;
    std::map<std::string, Run> runs;
    std::map<Days, int64_t> legacy_runs;
  };

  std::vector<Customer> customers;
  int64_t fence = 0;

  // What a new process makes of the leases: they go on from where the ledger is.
  void Restart(const domain::Instant& now) {
    for (Customer& customer : customers)
      for (auto& [id, run] : customer.runs)
        if (run.state == store::RunState::kReserved) {
          run.lease_end = now.steady + std::max<Micros>(run.expires_at - now.ledger, 0);
          run.reserved_steady = now.steady - (now.ledger - run.reserved_at);
        }
  }

  RunAnswer Call(size_t number, const RunCall& call, const domain::Instant& now) {
    Customer& customer = customers[number];
    const auto found = customer.runs.find(call.run_id);
    if (call.verb == RunVerb::kReserve) {
      if (found == customer.runs.end()) return Reserve(customer, call, now);
      const Run& run = found->second;
      if (run.pipeline != call.pipeline_id || run.lease_ms != LeaseOf(call)) return Say(RunResult::kOtherRequest);
      RunAnswer answer = Say(run.state == store::RunState::kRefused ? RunResult::kRefused : RunResult::kOk, run.decision);
      answer.replayed = true;
      return answer;
    }
    if (found == customer.runs.end()) return Say(RunResult::kUnknownRun);
    Run& run = found->second;
    if (run.state == store::RunState::kReserved && run.lease_end <= now.steady) run.state = store::RunState::kExpired;
    if (call.verb == RunVerb::kLook) return Say(RunResult::kOk, run.decision);
    if (run.state == store::RunState::kRefused) return Say(RunResult::kUnknownRun);
    if (call.fence != run.fence && !(call.verb == RunVerb::kCancel && call.fence == 0)) return Say(RunResult::kStaleFence);
    return run.state == store::RunState::kReserved ? Act(run, call, now) : Late(run, call);
  }

  [[nodiscard]] int64_t Counted(size_t number, Days month) const {
    int64_t counted = 0;
    for (const auto& [id, run] : customers[number].runs) counted += run.month == month && run.state != store::RunState::kRefused;
    const auto legacy = customers[number].legacy_runs.find(month);
    return counted + (legacy == customers[number].legacy_runs.end() ? 0 : legacy->second);
  }
  [[nodiscard]] int64_t ComputeOf(size_t number, Days month) const {
    int64_t sum = 0;
    for (const auto& [id, run] : customers[number].runs) sum += run.month == month ? run.compute_ms : 0;
    return sum;
  }

 private:
  static int64_t LeaseOf(const RunCall& call) { return call.lease_ms != 0 ? call.lease_ms : kLeaseMsDefault; }
  static RunAnswer Say(RunResult result, domain::Decision decision = {}) {
    RunAnswer answer;
    answer.result = result;
    answer.decision = decision;
    return answer;
  }

  RunAnswer Reserve(Customer& customer, const RunCall& call, const domain::Instant& now) {
    const auto number = static_cast<size_t>(&customer - customers.data());
    int64_t live = 0;
    Micros first_end = 0;
    for (const auto& [id, run] : customer.runs) {
      if (run.state != store::RunState::kReserved || run.lease_end <= now.steady) continue;
      first_end = live++ == 0 ? run.lease_end : std::min(first_end, run.lease_end);
    }
    const int64_t counted = Counted(number, now.month);
    const domain::Quotas& quotas = customer.quotas;
    Run run{call.pipeline_id, LeaseOf(call), 0, store::RunState::kRefused, {}, now.month, now.ledger, now.steady, 0, 0, 0, false};
    if (quotas.monthly_runs && counted >= *quotas.monthly_runs) {
      const Micros rest = StartOf(MonthStart(now.month, 1)) - now.ledger;
      run.decision = {domain::Outcome::kMonthlyQuota, counted, quotas.monthly_runs, *quotas.monthly_runs == 0 ? 0 : domain::RetryAfter(rest)};
    } else if (quotas.concurrent_runs && live >= *quotas.concurrent_runs) {
      run.decision = {domain::Outcome::kConcurrentQuota, live, quotas.concurrent_runs,
                      *quotas.concurrent_runs == 0 ? 0 : domain::RetryAfter(first_end - now.steady)};
    } else {
      run.state = store::RunState::kReserved;
      run.fence = ++fence;
      run.decision = {domain::Outcome::kAllowed, counted + 1, quotas.monthly_runs, 0};
      run.lease_end = now.steady + run.lease_ms * 1'000;
      run.expires_at = now.ledger + run.lease_ms * 1'000;
    }
    customer.runs.emplace(call.run_id, run);
    return Say(run.state == store::RunState::kReserved ? RunResult::kOk : RunResult::kRefused, run.decision);
  }

  static RunAnswer Act(Run& run, const RunCall& call, const domain::Instant& now) {
    if (call.verb == RunVerb::kHeartbeat) {
      const int64_t lease_ms = call.lease_ms != 0 ? call.lease_ms : run.lease_ms;
      run.lease_end = now.steady + lease_ms * 1'000;
      run.expires_at = now.ledger + lease_ms * 1'000;
    } else if (call.verb == RunVerb::kComplete) {
      run.state = store::RunState::kCompleted;
      run.succeeded = call.succeeded;
      run.compute_ms = call.compute_ms.value_or(std::max<int64_t>((now.steady - run.reserved_steady) / 1'000, 0));
    } else {
      run.state = store::RunState::kCancelled;
    }
    return Say(RunResult::kOk);
  }

  static RunAnswer Late(const Run& run, const RunCall& call) {
    if (run.state == store::RunState::kExpired) return Say(RunResult::kLeaseExpired);
    const bool again = (call.verb == RunVerb::kComplete && run.state == store::RunState::kCompleted) ||
                       (call.verb == RunVerb::kCancel && run.state == store::RunState::kCancelled);
    if (!again) return Say(RunResult::kRunEnded);
    if (call.verb == RunVerb::kComplete && (call.succeeded != run.succeeded || (call.compute_ms && *call.compute_ms != run.compute_ms)))
      return Say(RunResult::kOtherRequest);
    RunAnswer answer = Say(RunResult::kOk);
    answer.replayed = true;
    return answer;
  }
};

}  // namespace reeve::gate
