// What the book decides about a call.
#include <algorithm>
#include <charconv>

#include <fmt/compile.h>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "gate/run_book.h"

namespace reeve::gate {
namespace {

using domain::Decision;
using domain::Instant;
using domain::Outcome;
using store::RunState;

constexpr Micros kMs = 1'000;
constexpr std::string_view kSucceeded = "succeeded", kFailed = "failed";

RunView ViewOf(const store::RunRow& row) {
  return {row.run_id, row.pipeline_id, row.state, row.month, row.fence, row.ttl_ms, row.reserved_at, row.expires_at, row.ended_at, row.compute_ms,
          row.outcome == kSucceeded};
}

// The run as it was when it was granted or refused.
RunView FirstView(const store::RunRow& row) {
  RunView view = ViewOf(row);
  if (row.state == RunState::kRefused) return view;
  view.state = RunState::kReserved;
  view.expires_at = row.reserved_at + row.ttl_ms * kMs;
  view.ended_at = view.compute_ms = 0;
  view.succeeded = false;
  return view;
}

RunAnswer Answer(RunResult result) {
  RunAnswer answer;
  answer.result = result;
  return answer;
}

RunAnswer Ok(const store::RunRow& row, bool replayed = false) {
  RunAnswer answer;
  answer.replayed = replayed;
  answer.run = ViewOf(row);
  return answer;
}

RunAnswer Unavailable() {
  RunAnswer answer = Answer(RunResult::kUnavailable);
  answer.decision = {Outcome::kStoreUnavailable, 0, std::nullopt, 1};
  return answer;
}

// What a run that has ended says to a call that would have needed a live one.
RunResult ResultOfEnded(RunState state) {
  switch (state) {
    case RunState::kExpired: return RunResult::kLeaseExpired;
    case RunState::kCompleted:
    case RunState::kCancelled: return RunResult::kRunEnded;
    case RunState::kRefused: return RunResult::kUnknownRun;
    case RunState::kReserved: break;
  }
  REEVE_ASSERT(false);
  return RunResult::kRunEnded;
}

std::optional<int64_t> TakeNumber(std::string_view* text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

bool TakeSpace(std::string_view* text) {
  if (text->empty() || text->front() != ' ') return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace

std::string ReplyText(const Decision& decision) {
  return fmt::format(FMT_COMPILE("{} {} {}"), decision.used, decision.limit ? std::to_string(*decision.limit) : "-", decision.retry_after_s);
}

Result<Decision> ParseReply(Outcome outcome, std::string_view reply) {
  std::string_view rest = reply;
  const auto broken = [&] { return Fail(Code::kCorrupt, "'{}' is no reply of a reservation", reply); };
  Decision decision{outcome, 0, std::nullopt, 0};
  const std::optional<int64_t> used = TakeNumber(&rest);
  if (!used || !TakeSpace(&rest)) return broken();
  decision.used = *used;
  if (!rest.empty() && rest.front() == '-') {
    rest.remove_prefix(1);
  } else {
    decision.limit = TakeNumber(&rest);
    if (!decision.limit) return broken();
  }
  if (!TakeSpace(&rest)) return broken();
  const std::optional<int64_t> retry = TakeNumber(&rest);
  if (!retry || !rest.empty()) return broken();
  decision.retry_after_s = *retry;
  return decision;
}

std::string RequestDigest(const RunCall& call) {
  const int64_t lease = call.lease_ms != 0 ? call.lease_ms : kLeaseMsDefault;
  std::string text = fmt::format(FMT_COMPILE("reeve/run-request/v1 {} "), lease);
  return crypto::Sha256Of(text += call.pipeline_id);
}

RunAnswer RunBook::Call(uint32_t customer, std::string_view api_key_id, const RunCall& call, const Instant& now) {
  if (!CheckRunCall(call)) return Answer(RunResult::kInvalidCall);
  ForgetOldEnded();
  std::string name = NameOf(customer, call.run_id);
  const Result<Run*> found = Find(customer, call.run_id, name);
  if (!found) return Unavailable();
  Run* const run = *found;
  if (run != nullptr && run->row.state == RunState::kReserved && run->lease_end <= now.steady) Expire(*run, now);
  if (call.verb == RunVerb::kReserve && run == nullptr) return Reserve(customer, api_key_id, call, std::move(name), now);
  if (call.verb == RunVerb::kReserve) return run->row.request_digest == RequestDigest(call) ? Replay(*run) : Answer(RunResult::kOtherRequest);
  if (run == nullptr) return Answer(RunResult::kUnknownRun);
  if (call.verb == RunVerb::kLook) {
    RunAnswer answer = Ok(run->row);
    const Result<Decision> decision = ParseReply(domain::OutcomeOf(run->row.refusal).value_or(Outcome::kAllowed), run->row.reply);
    if (decision) answer.decision = *decision;
    return answer;
  }
  if (run->row.state == RunState::kRefused) return Answer(RunResult::kUnknownRun);
  const bool needs_fence = call.verb != RunVerb::kCancel || call.fence != 0;
  if (needs_fence && call.fence != run->row.fence) return Answer(RunResult::kStaleFence);
  switch (call.verb) {
    case RunVerb::kHeartbeat: return Heartbeat(*run, call, now);
    case RunVerb::kComplete: return Complete(*run, api_key_id, call, now);
    case RunVerb::kCancel: return Cancel(*run, api_key_id, call, now);
    case RunVerb::kReserve:
    case RunVerb::kLook: break;
  }
  REEVE_ASSERT(false);
  return Answer(RunResult::kInvalidCall);
}

RunAnswer RunBook::Replay(const Run& run) {
  const Outcome outcome = domain::OutcomeOf(run.row.refusal).value_or(Outcome::kStoreUnavailable);
  const Result<Decision> decision = ParseReply(outcome, run.row.reply);
  if (!decision) return Unavailable();  // a damaged row answers nothing
  RunAnswer answer = Answer(run.row.state == RunState::kRefused ? RunResult::kRefused : RunResult::kOk);
  answer.decision = *decision;
  answer.replayed = true;
  answer.run = FirstView(run.row);
  ++counts_.replays;
  return answer;
}

Decision RunBook::Judge(uint32_t customer, const Instant& now) {
  const Ledger& ledger = accounts_[customer];
  domain::RunStanding standing;
  standing.storage_used_hundredths = ledger.storage_used_hundredths;
  standing.storage_gb = ledger.quotas.storage_gb;
  standing.month_runs = MonthOf(customer, now.month).runs;
  standing.monthly_runs = ledger.quotas.monthly_runs;
  standing.concurrent_runs = ledger.quotas.concurrent_runs;
  standing.now = now.ledger;
  standing.month_ends = StartOf(MonthStart(now.month, 1));
  const auto full = [&] { return ledger.quotas.concurrent_runs && static_cast<int64_t>(ledger.open.size()) >= *ledger.quotas.concurrent_runs; };
  if (full()) ExpireOf(customer, now);
  standing.live_runs = static_cast<int64_t>(ledger.open.size());
  if (!ledger.open.empty()) standing.next_lease_end = ledger.open.begin()->end - now.steady;
  return domain::JudgeRun(standing);
}

RunAnswer RunBook::Reserve(uint32_t customer, std::string_view api_key_id, const RunCall& call, std::string name, const Instant& now) {
  Decision decision = Judge(customer, now);
  ++counts_.reservations[domain::OutcomeIndex(decision.outcome)];
  MonthCount& month = MonthOf(customer, now.month);
  if (decision.allowed()) decision.used = month.runs + 1;

  store::RunRow row;
  row.run_id = call.run_id;
  row.pipeline_id = call.pipeline_id;
  row.api_key_id = api_key_id;
  row.month = now.month;
  row.state = decision.allowed() ? RunState::kReserved : RunState::kRefused;
  row.refusal = static_cast<int32_t>(decision.outcome);
  row.ttl_ms = call.lease_ms != 0 ? call.lease_ms : kLeaseMsDefault;
  row.reserved_at = now.ledger;
  row.request_digest = RequestDigest(call);
  row.reply = ReplyText(decision);
  if (decision.allowed()) {
    row.fence = ++fence_;
    row.expires_at = now.ledger + row.ttl_ms * kMs;
  } else {
    row.ended_at = row.expires_at = now.ledger;
  }
  Run& run = *Keep(customer, std::move(name), std::move(row));
  MarkDirty(run);
  if (decision.allowed()) {
    run.reserved_steady = now.steady;
    Open(run, now.steady + run.row.ttl_ms * kMs);
    ++month.runs;
    month.last_run_at = now.ledger;
    MarkDirty(customer, month);
    Record(run, "run.reserved", "api_key", api_key_id, fmt::format(FMT_COMPILE(R"({{"fence":{},"month_runs":{}}})"), run.row.fence, month.runs), now);
  } else {
    ended_.push_back(&run);
    Record(run, "run.refused", "api_key", api_key_id, fmt::format(R"({{"reason":"{}"}})", domain::OutcomeName(decision.outcome)), now);
  }
  RunAnswer answer = Answer(decision.allowed() ? RunResult::kOk : RunResult::kRefused);
  answer.decision = decision;
  answer.run = FirstView(run.row);
  return answer;
}

RunAnswer RunBook::Heartbeat(Run& run, const RunCall& call, const Instant& now) {
  if (run.row.state != RunState::kReserved) return Answer(ResultOfEnded(run.row.state));
  const Micros lease = (call.lease_ms != 0 ? call.lease_ms : run.row.ttl_ms) * kMs;
  LeaveLease(run);
  run.lease_end = now.steady + lease;
  EnterLease(run);
  run.row.expires_at = now.ledger + lease;
  MarkDirty(run);
  MarkDirty(run.customer);  // when its first lease ends is published
  return Ok(run.row);
}

RunAnswer RunBook::Complete(Run& run, std::string_view api_key_id, const RunCall& call, const Instant& now) {
  const std::string_view outcome = call.succeeded ? kSucceeded : kFailed;
  if (run.row.state == RunState::kCompleted) {
    const bool same = run.row.outcome == outcome && (!call.compute_ms || *call.compute_ms == run.row.compute_ms);
    if (!same) return Answer(RunResult::kOtherRequest);
    ++counts_.replays;
    return Ok(run.row, true);
  }
  if (run.row.state != RunState::kReserved) return Answer(ResultOfEnded(run.row.state));
  run.row.outcome = outcome;
  const int64_t measured = std::clamp<int64_t>((now.steady - run.reserved_steady) / kMs, 0, kComputeMsMax);
  run.row.compute_ms = call.compute_ms.value_or(measured);
  MonthOf(run.customer, run.row.month).compute_ms += run.row.compute_ms;
  End(run, RunState::kCompleted, now);
  ++counts_.completed;
  Record(run, "run.completed", "api_key", api_key_id, fmt::format(FMT_COMPILE(R"({{"outcome":"{}","compute_ms":{}}})"), outcome, run.row.compute_ms), now);
  return Ok(run.row);
}

RunAnswer RunBook::Cancel(Run& run, std::string_view api_key_id, const RunCall&, const Instant& now) {
  if (run.row.state == RunState::kCancelled) {
    ++counts_.replays;
    return Ok(run.row, true);
  }
  if (run.row.state != RunState::kReserved) return Answer(ResultOfEnded(run.row.state));
  End(run, RunState::kCancelled, now);
  ++counts_.cancelled;
  Record(run, "run.cancelled", "api_key", api_key_id, "{}", now);
  return Ok(run.row);
}

void RunBook::Expire(Run& run, const Instant& now) {
  End(run, RunState::kExpired, now);
  ++counts_.expired;
  Record(run, "run.expired", "system", "reeve", "{}", now);
}

void RunBook::ExpireOf(uint32_t customer, const Instant& now) {
  const Leases& open = accounts_[customer].open;
  while (!open.empty() && open.begin()->end <= now.steady) Expire(*open.begin()->run, now);
}

size_t RunBook::ExpireDue(const Instant& now, size_t most) {
  size_t ended = 0;
  while (ended < most && !due_.empty() && due_.begin()->end <= now.steady) {
    Expire(*due_.begin()->run, now);
    ++ended;
  }
  return ended;
}

std::optional<Micros> RunBook::NextDue() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->end;
}

void RunBook::Record(const Run& run, std::string_view event, std::string_view actor_type, std::string_view actor_id, std::string_view facts,
                     const Instant& now) {
  const Ledger& ledger = accounts_[run.customer];
  if (!audit_) audit_.emplace(catalog::AuditLogs());
  chain_.Append({ledger.customer_id, ledger.tenant_id, event, "run", actor_type, actor_id, "run", run.row.run_id, event.substr(event.find('.') + 1),
                 run.row.state != RunState::kRefused, facts, now.ledger},
                &*audit_);
}

void RunBook::RecordChange(uint32_t customer, std::string_view event, std::string_view resource_type, std::string_view resource_id,
                           std::string_view action, std::string_view by, std::string_view facts, const Instant& now) {
  const Ledger& ledger = accounts_[customer];
  if (!audit_) audit_.emplace(catalog::AuditLogs());
  chain_.Append({ledger.customer_id, ledger.tenant_id, event, "admin", "operator", by, resource_type, resource_id, action, true, facts, now.ledger},
                &*audit_);
}

}  // namespace reeve::gate
