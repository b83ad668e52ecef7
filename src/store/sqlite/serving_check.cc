#include "store/sqlite/serving_check.h"

#include <algorithm>

#include "catalog/ndjson.h"
#include "domain/run_set.h"
#include "store/ledger_chain.h"
#include "store/serving_rows.h"
#include "store/sqlite/sqlite_rows.h"

namespace reeve::store {

namespace {

constexpr int kTailRuns = 1'000;
constexpr int kFindingsMax = 10;
constexpr int kHoursScale = 2;

Result<ServingMarks> ReadMarks(sqlite::Database& database) {
  REEVE_ASSIGN(sqlite::Statement read, database.Prepare("SELECT key, value FROM reeve_meta"));
  ServingMarks marks;
  while (true) {
    REEVE_ASSIGN(const bool row, read.Step());
    if (!row) return marks;
    const std::string_view key = read.Text(0);
    if (key == kAuditHeadMark) marks.audit_head = read.Text(1);
    int64_t* number = key == kLedgerTimeMark ? &marks.ledger_time : key == kFenceMark ? &marks.fence : key == kAuditSeqMark ? &marks.audit_seq : nullptr;
    if (number == nullptr) continue;
    const auto value = ParseMark(read.Text(1));
    if (!value) {
      return FailWithHint(Code::kCorrupt, fmt::format("{}: reeve_meta {} is \"{}\", which is no number", database.path(), key, read.Text(1)),
                          "restore a backup; without its marks the ledger could give a fence twice");
    }
    *number = *value;
  }
}

// The newest rows are the last ones; a store that has rows and no mark got them by an import, in another order.
Result<ServingMarks> MarksOfRows(sqlite::Database& database, bool all) {
  REEVE_ASSIGN(sqlite::Statement read, database.Prepare(fmt::format(
                                           "SELECT max(fence), max(max(reserved_at, coalesce(ended_at, 0))) FROM (SELECT fence, reserved_at, ended_at "
                                           "FROM reeve_runs ORDER BY rowid DESC LIMIT {})",
                                           all ? -1 : kTailRuns)));
  REEVE_ASSIGN(const bool row, read.Step());
  ServingMarks marks;
  if (row) marks.fence = read.Int(0), marks.ledger_time = read.Int(1);
  REEVE_ASSIGN(const int64_t open, database.QueryInt("SELECT coalesce(max(fence), 0) FROM reeve_runs WHERE ended_at IS NULL"));
  marks.fence = std::max(marks.fence, open);
  return marks;
}

// `value` is of digits and letters.
Result<> PutMark(sqlite::Database& database, std::string_view name, std::string_view value) {
  return database.Execute(fmt::format("INSERT INTO reeve_meta (key, value) VALUES ('{}', '{}') ON CONFLICT (key) DO UPDATE SET value = excluded.value", name, value));
}

// The chain of audit events that an import brought, and no mark with it, is gone on with: otherwise the next event would be number 1 again. Read once: from then on
// there is a mark.
Result<> AdoptChain(sqlite::Database& database, ServingMarks* marks, std::vector<std::string>* notes) {
  if (marks->audit_seq != 0 || !marks->audit_head.empty()) return {};
  const catalog::Table& table = catalog::AuditLogs();
  REEVE_ASSIGN(sqlite::Statement scan, database.Prepare(fmt::format("SELECT {} FROM {}", ColumnNames(table), table.name)));
  std::vector<catalog::Cell> cells(table.columns.size());
  LedgerEndFinder finder;
  while (true) {
    REEVE_ASSIGN(const bool row, scan.Step());
    if (!row) break;
    REEVE_TRY(ReadCells(scan, table, cells));
    finder.Add(cells);
  }
  const LedgerEnd end = finder.end();
  if (end.seq == 0) return {};
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database));
  REEVE_TRY(PutMark(database, kAuditSeqMark, std::to_string(end.seq)));
  REEVE_TRY(PutMark(database, kAuditHeadMark, end.head));
  REEVE_TRY(transaction.Commit());
  marks->audit_seq = end.seq;
  marks->audit_head = end.head;
  const bool whole = finder.events() == end.seq;
  notes->push_back(fmt::format("the ledger's audit events came without a mark where they end: their chain goes on after event {}{}", end.seq,
                               whole ? "" : fmt::format("; {} events are there, so it is not whole: reeve doctor says what is wrong with it", finder.events())));
  return {};
}

Result<> CheckPages(sqlite::Database& database, std::vector<std::string>* notes) {
  REEVE_ASSIGN(const int64_t pages, database.QueryInt("PRAGMA page_count"));
  if (pages > kCheckedPagesMax) {
    notes->push_back(fmt::format("the last process did not end in order; the store has {} pages, too many to look at each now: reeve doctor does", pages));
    return {};
  }
  REEVE_ASSIGN(sqlite::Statement check, database.Prepare(fmt::format("PRAGMA quick_check({})", kFindingsMax)));
  REEVE_ASSIGN(const bool row, check.Step());
  if (row && check.Text(0) == "ok") return {};
  return FailWithHint(Code::kCorrupt, fmt::format("{}: {}", database.path(), row ? check.Text(0) : "the check gave no answer"),
                      "keep the file and its -wal, restore a copy, or migrate into a new store");
}

// A month of a tenant as its counters say, and as the ledger does.
struct Month {
  std::string tenant, month;
  int64_t legacy_runs = 0, legacy_running = 0, legacy_compute = 0, stored_compute = 0;
  int64_t granted = 0, open = 0, compute = 0;
};

// The months in which the ledger's last rows are.
Result<std::vector<Month>> LastMonths(sqlite::Database& database) {
  REEVE_ASSIGN(sqlite::Statement read, database.Prepare(fmt::format(
                                           "SELECT DISTINCT r.tenant_id, r.usage_month, t.legacy_runs, t.legacy_running, t.legacy_compute_ms, t.compute_ms FROM (SELECT "
                                           "tenant_id, usage_month FROM reeve_runs ORDER BY rowid DESC LIMIT {}) r JOIN reeve_run_totals t ON t.tenant_id = r.tenant_id AND "
                                           "t.usage_month = r.usage_month LIMIT {}",
                                           kTailRuns, kCheckedMonthsMax)));
  std::vector<Month> months;
  while (true) {
    REEVE_ASSIGN(const bool row, read.Step());
    if (!row) return months;
    months.push_back({std::string(read.Text(0)), std::string(read.Text(1)), read.Int(2), read.Int(3), read.Int(4), read.Int(5)});
  }
}

// Whether all runs of the tenant can be looked at now; answered from the index alone.
Result<bool> IsSmall(sqlite::Database& database, const std::string& tenant) {
  REEVE_ASSIGN(sqlite::Statement count, database.Prepare(fmt::format("SELECT count(*) FROM (SELECT 1 FROM reeve_runs WHERE tenant_id = ?1 LIMIT {})", kCheckedRunsMax + 1)));
  count.BindText(1, tenant);
  REEVE_ASSIGN(const bool row, count.Step());
  return row && count.Int(0) <= kCheckedRunsMax;
}

Result<> CountLedger(sqlite::Statement& count, Month* month) {
  count.BindText(1, month->tenant);
  count.BindText(2, month->month);
  REEVE_ASSIGN(const bool row, count.Step());
  REEVE_ASSERT(row);
  month->granted = count.Int(0);
  month->open = count.Int(1);
  month->compute = count.Int(2);
  count.Reset();
  return {};
}

// Sets what the ledger says; true if something else was there.
Result<bool> MendMonth(sqlite::Database& database, const Month& month) {
  const std::string hours = catalog::FormatNumeric(domain::HundredthsOfHours(month.legacy_compute + month.compute), kHoursScale);
  REEVE_ASSIGN(sqlite::Statement usage,
               database.Prepare("UPDATE customer_usage SET pipelines_run_count = ?3, pipelines_running_count = ?4, compute_hours = iif(?6 > 0, ?5, compute_hours) "
                                "WHERE tenant_id = ?1 AND usage_month = ?2 AND (pipelines_run_count <> ?3 OR pipelines_running_count <> ?4 OR "
                                "?6 > 0 AND compute_hours <> ?5)"));
  usage.BindText(1, month.tenant);
  usage.BindText(2, month.month);
  usage.BindInt(3, month.legacy_runs + month.granted);
  usage.BindInt(4, month.legacy_running + month.open);
  usage.BindText(5, hours);
  usage.BindInt(6, std::max(month.compute, month.stored_compute));  // hours that came from legacy alone stay as they are
  REEVE_TRY(usage.Run());
  const bool counters = database.Changes() > 0;
  REEVE_ASSIGN(sqlite::Statement totals, database.Prepare("UPDATE reeve_run_totals SET compute_ms = ?3 WHERE tenant_id = ?1 AND usage_month = ?2 AND compute_ms <> ?3"));
  totals.BindText(1, month.tenant);
  totals.BindText(2, month.month);
  totals.BindInt(3, month.compute);
  REEVE_TRY(totals.Run());
  return counters || database.Changes() > 0;
}

Result<> CheckCounters(sqlite::Database& database, std::vector<std::string>* notes) {
  REEVE_ASSIGN(std::vector<Month> months, LastMonths(database));
  REEVE_ASSIGN(sqlite::Statement count,
               database.Prepare(fmt::format("SELECT count(*) FILTER (WHERE state <> {}), count(*) FILTER (WHERE ended_at IS NULL), coalesce(sum(compute_ms), 0) "
                                            "FROM reeve_runs WHERE tenant_id = ?1 AND usage_month = ?2",
                                            static_cast<int>(RunState::kRefused))));
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database));
  bool mended = false;
  for (Month& month : months) {
    REEVE_ASSIGN(const bool small, IsSmall(database, month.tenant));
    if (!small) continue;
    REEVE_TRY(CountLedger(count, &month));
    REEVE_ASSIGN(const bool differed, MendMonth(database, month));
    if (differed) notes->push_back(fmt::format("{} {}: the counters differed from the ledger and were set to it: {} runs, {} open", month.tenant, month.month.substr(0, 7),
                                               month.legacy_runs + month.granted, month.legacy_running + month.open));
    mended = mended || differed;
  }
  return mended ? transaction.Commit() : Result<>();
}

}  // namespace

Result<ServingMarks> SettleMarks(sqlite::Database& database, std::vector<std::string>* notes) {
  REEVE_ASSIGN(ServingMarks marks, ReadMarks(database));
  REEVE_ASSIGN(const ServingMarks rows, MarksOfRows(database, marks.fence == 0));
  if (rows.fence > marks.fence) {
    notes->push_back(fmt::format("the ledger's newest fence is {}, its mark said {}: raised", rows.fence, marks.fence));
    REEVE_TRY(PutMark(database, kFenceMark, std::to_string(rows.fence)));
    marks.fence = rows.fence;
  }
  if (rows.ledger_time > marks.ledger_time) {
    notes->push_back(fmt::format("the ledger's newest row is of {}, its mark said {}: raised", FormatTime(rows.ledger_time), FormatTime(marks.ledger_time)));
    REEVE_TRY(PutMark(database, kLedgerTimeMark, std::to_string(rows.ledger_time)));
    marks.ledger_time = rows.ledger_time;
  }
  REEVE_TRY(AdoptChain(database, &marks, notes));
  return marks;
}

Result<> CheckAfterCrash(sqlite::Database& database, std::vector<std::string>* notes) {
  REEVE_TRY(CheckPages(database, notes));
  return CheckCounters(database, notes);
}

}  // namespace reeve::store
