#include "store/sqlite/serving_writes.h"

#include <algorithm>
#include <tuple>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "domain/run_set.h"
#include "store/serving_rows.h"
#include "store/sqlite/serving_run.h"
#include "store/store.h"

namespace reeve::store {

namespace {

constexpr int kHoursScale = 2;  // customer_usage.compute_hours
constexpr size_t kKnownMonthsMax = 500'000;

// Binds parameters in their order. Texts are not copied.
class Parameters {
 public:
  explicit Parameters(sqlite::Statement& statement) : statement_(statement) {}
  Parameters& Text(std::string_view text) { return statement_.BindText(++next_, text), *this; }
  Parameters& TextOrNull(std::string_view text) { return text.empty() ? Null() : Text(text); }
  Parameters& Blob(std::string_view bytes) { return statement_.BindBlob(++next_, bytes), *this; }
  Parameters& Int(int64_t value) { return statement_.BindInt(++next_, value), *this; }
  Parameters& IntOrNull(int64_t value) { return value == 0 ? Null() : Int(value); }
  Parameters& Maybe(std::optional<int64_t> value) { return value ? Int(*value) : Null(); }
  Parameters& Null() { return statement_.BindNull(++next_), *this; }

 private:
  sqlite::Statement& statement_;
  int next_ = 0;
};

std::string HexOf(const KeyDigest& digest) { return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()}); }

std::string PutRunSql() {
  return fmt::format(
      "INSERT INTO reeve_runs ({}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16) "
      "ON CONFLICT (tenant_id, run_id) DO UPDATE SET usage_month = excluded.usage_month, state = excluded.state, pipeline_id = excluded.pipeline_id, "
      "api_key_id = excluded.api_key_id, refusal = excluded.refusal, ttl_ms = excluded.ttl_ms, fence = excluded.fence, reserved_at = excluded.reserved_at, "
      "expires_at = excluded.expires_at, ended_at = excluded.ended_at, compute_ms = excluded.compute_ms, request_digest = excluded.request_digest, "
      "outcome = excluded.outcome, reply = excluded.reply",
      kRunColumns);
}

// A month without a row yet. The counters follow by kSetUsage.
constexpr std::string_view kAddUsage =
    "INSERT INTO customer_usage (usage_id, customer_id, tenant_id, usage_month, pipelines_run_count, pipelines_running_count, storage_used_gb, "
    "compute_hours, api_requests_count, last_pipeline_run_at, quota_reset_at, created_at, updated_at) "
    "VALUES (?1,?2,?3,?4,0,0,'0.00','0.00',0,NULL,?5,?6,?6)";

// ?4 is NULL if the compute time stays as it is; the latest run is never an earlier one.
constexpr std::string_view kSetUsage =
    "UPDATE customer_usage SET pipelines_run_count = ?2, pipelines_running_count = ?3, compute_hours = coalesce(?4, compute_hours), "
    "api_requests_count = ?5, last_pipeline_run_at = coalesce(max(last_pipeline_run_at, ?6), last_pipeline_run_at, ?6), updated_at = ?7 "
    "WHERE rowid = ?1 AND (pipelines_run_count <> ?2 OR pipelines_running_count <> ?3 OR compute_hours <> coalesce(?4, compute_hours) OR "
    "api_requests_count <> ?5 OR coalesce(last_pipeline_run_at < ?6, last_pipeline_run_at IS NULL AND ?6 IS NOT NULL))";

constexpr std::string_view kSetQuotas =
    "UPDATE customer_subscriptions SET monthly_pipeline_quota = ?2, concurrent_pipeline_quota = ?3, storage_quota_gb = ?4, updated_at = ?5 "
    "WHERE customer_id = ?1 AND billing_cycle_end IS NULL AND (monthly_pipeline_quota IS NOT ?2 OR concurrent_pipeline_quota IS NOT ?3 OR "
    "storage_quota_gb IS NOT ?4)";

}  // namespace

Result<> ServingStatements::Prepare() {
  const std::string put_run = PutRunSql();
  const std::pair<sqlite::Statement*, std::string_view> statements[] = {
      {&put_run_, put_run},
      {&add_usage_, kAddUsage},
      {&set_usage_, kSetUsage},
      {&find_totals_, "SELECT compute_ms, legacy_compute_ms FROM reeve_run_totals WHERE tenant_id = ?1 AND usage_month = ?2"},
      {&add_totals_, "INSERT INTO reeve_run_totals (tenant_id, usage_month, compute_ms, legacy_runs, legacy_running, legacy_compute_ms) "
                     "VALUES (?1,?2,?3,?4,?5,?6)"},
      {&set_totals_, "UPDATE reeve_run_totals SET compute_ms = ?3 WHERE tenant_id = ?1 AND usage_month = ?2"},
      {&find_usage_, "SELECT rowid, pipelines_run_count, pipelines_running_count, compute_hours FROM customer_usage WHERE tenant_id = ?1 AND usage_month = ?2"},
      {&find_set_, "SELECT runs FROM reeve_usage_runs WHERE tenant_id = ?1 AND usage_month = ?2"},
      {&touch_, "UPDATE customer_api_keys SET last_used_at = ?2 WHERE api_key_hash = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)"},
      {&set_status_, "UPDATE customers SET status = ?2, updated_at = ?3 WHERE customer_id = ?1 AND status <> ?2"},
      {&find_customer_, "SELECT 1 FROM customers WHERE customer_id = ?1"},
      {&set_quotas_, kSetQuotas},
      {&put_mark_, "INSERT INTO reeve_meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
  };
  for (const auto& [statement, sql] : statements) {
    REEVE_ASSIGN(*statement, database_->Prepare(sql));
  }
  return {};
}

// Table by table, each in the order of its key, in which what was written of one row keeps its own: neighbours share pages, and the ways to them.
Result<> ServingStatements::Write(std::span<const ServingWrites> commits) {
  REEVE_TRY(PutRuns(commits));
  REEVE_TRY(PutUsages(commits));
  REEVE_TRY(Touch(commits));
  for (const ServingWrites& writes : commits) {
    for (const KeyRevocation& revocation : writes.revocations) REEVE_TRY(Revoke(revocation));
    for (const CustomerChange& change : writes.changes) REEVE_TRY(Change(change, writes.ledger_time));
  }
  return PutEvents(commits);
}

// A newer row of a run replaces the older one whole: only the last has to be written.
Result<> ServingStatements::PutRuns(std::span<const ServingWrites> commits) {
  std::vector<const RunRow*> runs;
  for (const ServingWrites& writes : commits)
    for (const RunRow& run : writes.runs) runs.push_back(&run);
  const auto key = [](const RunRow* run) { return std::tie(run->tenant_id, run->run_id); };
  std::stable_sort(runs.begin(), runs.end(), [&](const RunRow* a, const RunRow* b) { return key(a) < key(b); });
  for (size_t i = 0; i < runs.size(); ++i)
    if (i + 1 == runs.size() || key(runs[i]) != key(runs[i + 1])) REEVE_TRY(PutRun(*runs[i]));
  return {};
}

Result<> ServingStatements::PutUsages(std::span<const ServingWrites> commits) {
  std::vector<std::pair<const UsageRow*, Micros>> rows;
  for (const ServingWrites& writes : commits)
    for (const UsageRow& usage : writes.usage) rows.emplace_back(&usage, writes.ledger_time);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first->tenant_id < b.first->tenant_id; });
  for (const auto& [usage, now] : rows) REEVE_TRY(PutUsage(*usage, now));
  return {};
}

Result<> ServingStatements::PutEvents(std::span<const ServingWrites> commits) {
  std::vector<std::span<const catalog::Cell>> events;
  for (const ServingWrites& writes : commits)
    for (size_t i = 0; writes.audit && i < writes.audit->size(); ++i) events.push_back(writes.audit->Row(i));
  if (events.empty()) return {};
  const auto tenant = static_cast<size_t>(catalog::AuditLogs().Index("tenant_id"));
  std::stable_sort(events.begin(), events.end(), [tenant](const auto& a, const auto& b) { return a[tenant].text < b[tenant].text; });
  catalog::RowBatch rows(catalog::AuditLogs());  // its texts are those of `commits`
  for (const auto& event : events) std::copy(event.begin(), event.end(), rows.AddRow().begin());
  REEVE_TRY(writer_.MergeRows(rows));
  return {};
}

Result<> ServingStatements::PutRun(const RunRow& run) {
  REEVE_ASSERT(run.state != RunState::kReserved || run.fence > 0);
  const std::string month = FormatDate(run.month);
  Parameters(put_run_).Text(run.tenant_id).Text(run.run_id).Text(month).Int(static_cast<int64_t>(run.state)).Text(run.pipeline_id).Text(run.api_key_id)
      .IntOrNull(run.refusal).Int(run.ttl_ms).Int(run.fence).Int(run.reserved_at).IntOrNull(run.expires_at).IntOrNull(EndOf(run)).Int(run.compute_ms)
      .Blob(run.request_digest).TextOrNull(run.outcome).TextOrNull(run.reply);
  return put_run_.Run();
}

// REQUIRES: find_usage_ stands on the month's row
Result<LegacyPart> ServingStatements::ReadLegacyPart(const UsageRow& usage, std::string_view month) {
  Parameters(find_set_).Text(usage.tenant_id).Text(month);
  REEVE_ASSIGN(const bool has_set, find_set_.Step());
  const auto hundredths = catalog::ParseNumeric(find_usage_.Text(3), kHoursScale);
  const LegacyPart part = LegacyPartOf(find_usage_.Int(1), find_usage_.Int(2), hundredths.value_or(0),
                                       has_set ? std::optional(find_set_.Blob(0)) : std::nullopt, usage.month);
  find_set_.Reset();
  return part;
}

Result<ServingStatements::KnownMonth> ServingStatements::Begin(const UsageRow& usage, std::string_view month, Micros now) {
  Parameters(find_totals_).Text(usage.tenant_id).Text(month);
  REEVE_ASSIGN(const bool counted, find_totals_.Step());
  KnownMonth known{0, find_totals_.Int(0), find_totals_.Int(1)};
  find_totals_.Reset();
  Parameters(find_usage_).Text(usage.tenant_id).Text(month);
  REEVE_ASSIGN(const bool there, find_usage_.Step());
  known.row = there ? find_usage_.Int(0) : 0;
  LegacyPart part;
  if (there && !counted) {
    REEVE_ASSIGN(part, ReadLegacyPart(usage, month));
  }
  find_usage_.Reset();
  if (!there) {
    const std::string id = UsageIdOf(usage.tenant_id, usage.month);
    Parameters(add_usage_).Text(id).Text(usage.customer_id).Text(usage.tenant_id).Text(month).Int(StartOf(MonthStart(usage.month, 1))).Int(now);
    REEVE_TRY(add_usage_.Run());
    known.row = database_->LastRow();
  }
  if (counted) return known;
  Parameters(add_totals_).Text(usage.tenant_id).Text(month).Int(0).Int(part.runs).Int(part.running).Int(part.compute_ms);
  REEVE_TRY(add_totals_.Run());
  known.legacy_compute_ms = part.compute_ms;
  return known;
}

Result<> ServingStatements::PutUsage(const UsageRow& usage, Micros now) {
  REEVE_ASSERT(usage.run_count >= 0 && usage.running_count >= 0 && usage.compute_ms >= 0 && usage.api_requests >= 0);
  std::string key = usage.tenant_id;
  key.append(reinterpret_cast<const char*>(&usage.month), sizeof usage.month);
  auto found = months_.find(key);
  if (found == months_.end()) {
    if (months_.size() >= kKnownMonthsMax) months_.clear();
    REEVE_ASSIGN(const KnownMonth known, Begin(usage, FormatDate(usage.month), now));
    found = months_.emplace(std::move(key), known).first;
  }
  KnownMonth& known = found->second;
  std::string hours;
  if (known.compute_ms != usage.compute_ms) {
    const std::string month = FormatDate(usage.month);
    Parameters(set_totals_).Text(usage.tenant_id).Text(month).Int(usage.compute_ms);
    REEVE_TRY(set_totals_.Run());
    known.compute_ms = usage.compute_ms;
    hours = catalog::FormatNumeric(domain::HundredthsOfHours(known.legacy_compute_ms + usage.compute_ms), kHoursScale);
  }
  Parameters(set_usage_).Int(known.row).Int(usage.run_count).Int(usage.running_count).TextOrNull(hours).Int(usage.api_requests).Maybe(usage.last_run_at).Int(now);
  return set_usage_.Run();
}

// In the order of the index through which they are found.
Result<> ServingStatements::Touch(std::span<const ServingWrites> commits) {
  std::vector<const KeyTouch*> ordered;
  for (const ServingWrites& writes : commits)
    for (const KeyTouch& touch : writes.touches) ordered.push_back(&touch);
  std::sort(ordered.begin(), ordered.end(), [](const KeyTouch* a, const KeyTouch* b) { return a->digest < b->digest; });
  for (const KeyTouch* touch : ordered) {
    const std::string hash = HexOf(touch->digest);
    Parameters(touch_).Text(hash).Int(touch->last_used_at);
    REEVE_TRY(touch_.Run());
  }
  return {};
}

Result<> ServingStatements::Revoke(const KeyRevocation& revocation) {
  const catalog::Table& table = catalog::ApiKeys();
  const std::string hash = HexOf(revocation.digest);
  const catalog::Cell value = catalog::Cell::Text(hash);
  catalog::RowBatch key(table);
  REEVE_TRY(tables_.Find(table, table.merge_key, {&value, 1}, &key));
  if (key.empty()) return Fail(Code::kFailed, "a key that is to be revoked is not in the store");
  MarkRevoked(&key, revocation.at, revocation.by);
  REEVE_TRY(writer_.MergeRows(key));
  return {};
}

Result<> ServingStatements::Change(const CustomerChange& change, Micros now) {
  Parameters(find_customer_).Text(change.customer_id);
  REEVE_ASSIGN(const bool known, find_customer_.Step());
  find_customer_.Reset();
  if (!known) return Fail(Code::kFailed, "customer {}, which is to be changed, is not in the store", change.customer_id);
  if (change.status) {
    Parameters(set_status_).Text(change.customer_id).Text(*change.status).Int(now);
    REEVE_TRY(set_status_.Run());
  }
  if (!change.quotas) return {};
  Parameters(set_quotas_).Text(change.customer_id).Maybe(change.quotas->monthly_runs).Maybe(change.quotas->concurrent_runs).Maybe(change.quotas->storage_gb)
      .Int(now);
  return set_quotas_.Run();
}

Result<> ServingStatements::PutMark(std::string_view name, std::string_view value) {
  Parameters(put_mark_).Text(name).Text(value);
  return put_mark_.Run();
}

Result<> ServingStatements::WriteMarks(const ServingMarks& before, const ServingMarks& after) {
  if (after.ledger_time != before.ledger_time) REEVE_TRY(PutMark(kLedgerTimeMark, std::to_string(after.ledger_time)));
  if (after.fence != before.fence) REEVE_TRY(PutMark(kFenceMark, std::to_string(after.fence)));
  if (after.audit_seq == before.audit_seq) return {};
  REEVE_TRY(PutMark(kAuditSeqMark, std::to_string(after.audit_seq)));
  return PutMark(kAuditHeadMark, after.audit_head);
}

}  // namespace reeve::store
