// Recounts customer_usage from the runs behind it: the stored sets of those that came from legacy, and the ledger. What a set
// says depends on the moment: open runs become abandoned. What the ledger says does not: its open runs end by their leases.
//
// Customer by customer, bounded memory. Only rows that differ are written, through the attempt
// fence like every other write.
#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "env/interrupt.h"
#include "migrate/audit.h"
#include "migrate/ops/ledger_count.h"
#include "migrate/ops/legacy_runs.h"
#include "migrate/ops/ops.h"
#include "migrate/ops/row_tools.h"
#include "migrate/ops/usage_count.h"

namespace reeve::migrate {
namespace {

using namespace ops;

constexpr size_t kBatchTenants = 64;

// Everything about one customer's usage: as stored and as it shall be.
struct UsageOf {
  store::Owner owner;
  RowBatch rows{catalog::Usage()};          // rows to write
  RowBatch sets{catalog::ReeveUsageRuns()}; // sets to write
  RowBatch totals{catalog::ReeveRunTotals()};
  std::vector<std::string> lines, uncounted;
  std::string facts;                        // the changed months, before and after
};

std::string Counts(Row row) {
  const Table& table = catalog::Usage();
  return fmt::format("{} ({} running)", Counted(static_cast<uint64_t>(NumAt(table, row, "pipelines_run_count")), "run"),
                     NumAt(table, row, "pipelines_running_count"));
}

std::string CountsJson(Row row) {
  const Table& table = catalog::Usage();
  return fmt::format(R"({{"runs":{},"running":{},"compute_hours":{}}})", NumAt(table, row, "pipelines_run_count"),
                     NumAt(table, row, "pipelines_running_count"), NumAt(table, row, "compute_hours"));
}

class Recount {
 public:
  Recount(const Engine& engine, const Options& options, bool dry_run)
      : engine_(engine), options_(options), now_(engine.clock->Now()) {
    report_.dry_run = dry_run;
  }

  Result<RepairReport> Run() {
    REEVE_ASSIGN(customers_, engine_.sink->OpenReader());
    REEVE_ASSIGN(reader_, engine_.sink->OpenReader());
    if (engine_.estate != nullptr) {
      REEVE_ASSIGN(legacy_, OpenLegacyRuns(engine_, *customers_, options_, now_));
    }
    REEVE_ASSIGN(const uint64_t total, customers_->Count(catalog::Customers()));
    engine_.progress->Begin("recount usage", total, "customers");
    REEVE_TRY(customers_->Scan(catalog::Customers(), [&](Row row) { return Visit(row); }));
    REEVE_TRY(Flush());
    engine_.progress->End();
    return std::move(report_);
  }

 private:
  Result<> Visit(Row customer) {
    if (Interrupted()) return Fail(Code::kInterrupted, "stopped; rows written so far are right: run it again for the others");
    const Table& table = catalog::Customers();
    UsageOf usage;
    usage.owner = {std::string(TextAt(table, customer, "tenant_id")), std::string(TextAt(table, customer, "customer_id"))};
    if (!options_.only.empty() &&
        std::find(options_.only.begin(), options_.only.end(), usage.owner.tenant_id) == options_.only.end())
      return {};
    if (const Result<> counted = CountOne(&usage); !counted) {
      if (counted.error().code != Code::kCorrupt) return counted;
      report_.left_alone.push_back({usage.owner.tenant_id, "its stored set of runs is damaged: " + counted.error().message});
      return {};
    }
    for (const std::string& line : usage.lines) report_.items.push_back({usage.owner.tenant_id, line});
    for (const std::string& line : usage.uncounted) report_.left_alone.push_back({usage.owner.tenant_id, line});
    engine_.progress->Add(1, usage.rows.size(), 0);
    if (report_.dry_run || (usage.rows.empty() && usage.sets.empty() && usage.totals.empty())) return {};
    REEVE_TRY(Enqueue(std::move(usage)));
    return pending_.size() >= kBatchTenants ? Flush() : Result<>();
  }

  // The stored sets of a tenant by month, united with legacy's where there is one. A run that the ledger has is its own, also if
  // the platform has logged it into the legacy tables.
  Result<std::map<Days, std::string>> Sets(const TenantLedger& ledger, UsageOf* usage) {
    RowBatch stored(catalog::ReeveUsageRuns());
    REEVE_TRY(reader_->Read(stored.table(), usage->owner, &stored));
    std::map<Days, std::string> sets;
    domain::RunSet united;
    for (size_t i = 0; i < stored.size(); ++i) {
      const auto month = static_cast<Days>(NumAt(stored.table(), stored.Row(i), "usage_month"));
      sets[month] = TextAt(stored.table(), stored.Row(i), "runs");
      if (legacy_) REEVE_TRY(united.Decode(sets[month], month));
    }
    if (!legacy_) return sets;
    domain::RunSet read;
    Result<> added = legacy_->AddRuns(usage->owner.tenant_id, &read);
    if (!added) {
      usage->uncounted.push_back("legacy could not be read: " + added.error().message);
      return sets;
    }
    (void)read.Remove(ledger.run_ids);
    united.Merge(read);
    for (const Days month : united.Months()) {
      std::string set = united.Encode(month);
      if (!InWindow(month) && sets.count(month) == 0) continue;
      if (sets[month] == set) continue;
      const std::span<Cell> row = usage->sets.AddRow();
      Put(&usage->sets, row, "tenant_id", usage->owner.tenant_id);
      Put(&usage->sets, row, "usage_month", month);
      Put(&usage->sets, row, "runs", set);
      sets[month] = std::move(set);
    }
    return sets;
  }

  // The months that a migration of today would consider.
  [[nodiscard]] bool InWindow(Days month) const {
    const Days today = DateOf(now_);
    return month >= MonthStart(today, 1 - options_.usage_months) && month <= MonthStart(today, 1);
  }

  Result<> CountOne(UsageOf* usage) {
    REEVE_ASSIGN(const TenantLedger ledger, ReadLedger(*reader_, usage->owner));
    REEVE_ASSIGN(const auto sets, Sets(ledger, usage));
    RowBatch stored(catalog::Usage());
    REEVE_TRY(reader_->Read(stored.table(), usage->owner, &stored));
    std::map<Days, Row> rows;
    for (size_t i = 0; i < stored.size(); ++i) {
      const Row row = stored.Row(i);
      if (TextAt(stored.table(), row, "customer_id") == usage->owner.customer_id)
        rows[static_cast<Days>(NumAt(stored.table(), row, "usage_month"))] = row;
    }
    for (const auto& [month, set] : sets) {
      REEVE_ASSIGN(const domain::MonthUsage counted, CountStored(set, month, now_, options_.abandoned_after));
      CountMonth(month, counted, ledger, rows, usage);
    }
    for (const auto& [month, counted] : ledger.months)
      if (sets.count(month) == 0 && (counted.runs > 0 || (counted.legacy && rows.count(month) != 0))) CountMonth(month, std::nullopt, ledger, rows, usage);
    for (const auto& [month, row] : rows)
      if (sets.count(month) == 0 && ledger.months.count(month) == 0 && NumAt(stored.table(), row, "pipelines_run_count") > 0)
        usage->uncounted.push_back(fmt::format("{}: {} without a stored set of runs: left as it is", FormatMonth(month), Counts(row)));
    return {};
  }

  // `legacy`: counted from the month's set; nullopt if it has none.
  void CountMonth(Days month, const std::optional<domain::MonthUsage>& legacy, const TenantLedger& ledger, const std::map<Days, Row>& rows,
                  UsageOf* usage) {
    const auto served = ledger.months.find(month);
    const LedgerMonth none, &own = served == ledger.months.end() ? none : served->second;
    const auto stored = rows.find(month);
    RowBatch& out = usage->rows;
    if (stored == rows.end()) {
      AddEmptyUsage(usage->owner.customer_id, usage->owner.tenant_id, month, now_, &out);
    } else {
      CopyRow(stored->second, &out);
    }
    if (served != ledger.months.end()) AddTotals(usage->owner.tenant_id, month, legacy, own, &usage->totals);
    const std::span<Cell> row = out.Row(out.size() - 1);
    domain::MonthUsage counted = United(legacy, own);
    const Cell& last = At(out.table(), row, "last_pipeline_run_at");
    if (!legacy && !last.is_null) counted.last_start = std::max(counted.last_start, last.num);
    if (!SetCounts(counted, row) && stored != rows.end()) return out.DropRow();
    Put(&out, row, "updated_at", now_);
    const bool fresh = stored == rows.end();
    usage->lines.push_back(fmt::format("{}: {} were stored, {} counted", FormatMonth(month),
                                       fresh ? "none" : Counts(stored->second), Counts(row)));
    usage->facts += fmt::format(R"({}"{}":{{"before":{},"after":{}}})", usage->facts.empty() ? "" : ",", FormatMonth(month),
                                fresh ? "null" : CountsJson(stored->second), CountsJson(row));
  }

  Result<> Enqueue(UsageOf usage) {
    store::TenantWrite write;
    write.owner = usage.owner;
    REEVE_ASSIGN(const RowBatch known, ReadTenantRow(*reader_, usage.owner.tenant_id));
    write.attempt = known.empty() ? 1 : NumAt(known.table(), known.Row(0), "attempt");
    if (!usage.rows.empty()) {
      // The instant is part of what was decided: the same set counts otherwise at another time.
      std::string facts = R"({"as_of":)";
      AppendJsonString(FormatRfc3339(now_), &facts);
      facts += R"(,"months":{)" + usage.facts + "}}";
      RowBatch audit(catalog::AuditLogs());
      REEVE_TRY(AddAuditEvent(reader_.get(), usage.owner,
                              {.event_type = "usage.recounted", .action = "repair", .result = "success", .facts = std::move(facts),
                               .resource_type = "usage", .resource_id = {}, .created_at = now_},
                              &audit));
      write.tables.push_back(std::move(audit));
      write.tables.push_back(std::move(usage.rows));
    }
    for (RowBatch* own : {&usage.sets, &usage.totals})
      if (!own->empty()) write.tables.push_back(std::move(*own));
    pending_.push_back(std::move(write));
    return {};
  }

  Result<> Flush() {
    if (pending_.empty()) return {};
    REEVE_ASSIGN(const std::vector<store::TenantResult> results, engine_.sink->Merge(pending_));
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].outcome == store::Outcome::kMerged) continue;
      const std::string why = results[i].outcome == store::Outcome::kStaleAttempt ? "a newer attempt has taken over" : results[i].detail;
      report_.left_alone.push_back({pending_[i].owner.tenant_id, "not written: " + why});
    }
    pending_.clear();
    return {};
  }

  const Engine& engine_;
  const Options& options_;
  const Micros now_;
  std::unique_ptr<store::CentralReader> customers_, reader_;  // one walks, the other looks up
  std::unique_ptr<LegacyRuns> legacy_;
  std::vector<store::TenantWrite> pending_;
  RepairReport report_;
};

}  // namespace

Result<RepairReport> RepairUsage(const Engine& engine, const Options& options, bool dry_run) {
  return Recount(engine, options, dry_run).Run();
}

}  // namespace reeve::migrate
