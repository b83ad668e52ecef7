// Brings an export of a central dataset into a store: everything is checked first, then merged
// tenant by tenant under the attempt fence.
//
// No audit event is written: an export of a store imports into an equal store. Stopping in between
// leaves whole tenants; run it again.
#include <algorithm>
#include <set>

#include "env/interrupt.h"
#include "migrate/audit.h"
#include "migrate/journal.h"
#include "migrate/ops/central_files.h"
#include "migrate/ops/ledger_count.h"
#include "migrate/ops/ops.h"
#include "store/serving_rows.h"

namespace reeve::migrate {
namespace {

using namespace ops;

constexpr size_t kBatchTenants = 64;
constexpr size_t kBatchRows = 20'000;
constexpr size_t kConflictsMax = 10'000;

// Audit rows may name other customers than the tenant's own; a write has one owner.
std::vector<RowBatch> SplitByCustomer(const RowBatch& audit) {
  std::vector<RowBatch> batches;
  std::map<std::string, size_t> by_customer;
  for (size_t i = 0; i < audit.size(); ++i) {
    const auto [at, fresh] = by_customer.try_emplace(std::string(TextAt(audit.table(), audit.Row(i), "customer_id")), batches.size());
    if (fresh) batches.emplace_back(audit.table());
    CopyRow(audit.Row(i), &batches[at->second]);
  }
  return batches;
}

class Import {
 public:
  Import(const Engine& engine, std::string dir, bool dry_run)
      : engine_(engine), dir_(std::move(dir)), dry_run_(dry_run), now_(engine.clock->Now()) {}

  Result<ImportReport> Run() {
    REEVE_ASSIGN(const std::unique_ptr<CentralFiles> files, CentralFiles::Open(*engine_.files, dir_));
    for (const ExportReport::Item& item : files->manifest().tables) report_.rows[item.table] = item.rows;
    if (!dry_run_) REEVE_TRY(engine_.sink->ApplySchema());
    REEVE_ASSIGN(reader_, engine_.sink->OpenReader());
    if (!dry_run_ && !engine_.state_path.empty()) {
      REEVE_ASSIGN(journal_, Journal::Open(*engine_.files, engine_.state_path + ".journal"));
    }
    engine_.progress->Begin("import", files->tenants(), "customers");
    REEVE_TRY(files->ForEachTenant([&](TenantRows rows) { return Take(std::move(rows)); },
                                   [&](std::string conflict) { Complain(std::move(conflict)); }));
    REEVE_TRY(Flush());
    if (!dry_run_) REEVE_TRY(RaiseMarks());
    if (!dry_run_) REEVE_TRY(engine_.sink->Checkpoint());
    engine_.progress->End();
    if (complaints_ > kConflictsMax)
      report_.conflicts.push_back(fmt::format("… and {} more", complaints_ - kConflictsMax));
    return std::move(report_);
  }

 private:
  void Complain(std::string conflict) {
    if (++complaints_ <= kConflictsMax) report_.conflicts.push_back(std::move(conflict));
  }

  Result<> Take(TenantRows rows) {
    if (Interrupted()) return Fail(Code::kInterrupted, "stopped; what is imported is whole: run it again for the rest");
    const std::vector<std::string> ids = rows.CustomerIds();
    if (rows.Of(catalog::Customers()).size() > 1 || (!ids.empty() && !rows.MissingCustomers().empty())) {
      REEVE_ASSIGN(MergedTenant merged, MergeTenant(rows, now_));
      for (const std::string& line : merged.lines) Complain(fmt::format("{}: {}", rows.tenant(), line));
      if (merged.lines.empty()) Complain(fmt::format("{}: several rows of customer {} became one", rows.tenant(), merged.survivor));
      return Write(merged.survivor, std::move(merged.rows));
    }
    return Write(ids.empty() ? std::string() : ids.front(), std::move(rows));
  }

  // `customer` is empty for a tenant of which only events are left.
  Result<> Write(const std::string& customer, TenantRows rows) {
    REEVE_ASSIGN(const RowBatch known, ReadTenantRow(*reader_, rows.tenant()));
    const Phase phase = known.empty() ? Phase::kLegacy : ParsePhase(TextAt(known.table(), known.Row(0), "phase")).value_or(Phase::kLegacy);
    if (phase >= Phase::kShadow) {
      Complain(fmt::format("{}: is in phase {} and being served; not imported", rows.tenant(), PhaseName(phase)));
      return {};
    }
    REEVE_ASSIGN(const bool served_since, IsAhead(rows));
    if (served_since) return {};
    NoteRuns(rows.Of(catalog::ReeveRuns()));
    const int64_t attempt = known.empty() ? 1 : NumAt(known.table(), known.Row(0), "attempt");
    store::TenantWrite write{{rows.tenant(), customer}, attempt, {}};
    if (!customer.empty()) {
      ++report_.customers;
      if (phase != Phase::kCopied) {
        write.tables.push_back(StateRow(rows, customer, attempt));
        moved_.emplace(rows.tenant(), attempt);
      }
    }
    std::vector<RowBatch> events = SplitByCustomer(rows.Of(catalog::AuditLogs()));
    rows.Of(catalog::AuditLogs()).Clear();
    for (RowBatch& batch : rows.batches())
      if (!batch.empty()) write.tables.push_back(std::move(batch));
    AddEvents(std::move(events), &write);
    engine_.progress->Add(customer.empty() ? 0 : 1, 0, 0);
    return pending_.size() >= kBatchTenants || pending_rows_ >= kBatchRows ? Flush() : Result<>();
  }

  // Whether the store has counted what the export does not know; it is then left alone.
  Result<bool> IsAhead(const TenantRows& rows) {
    const store::Owner owner{rows.tenant(), {}};
    RowBatch totals(catalog::ReeveRunTotals()), runs(catalog::ReeveRuns());
    REEVE_TRY(reader_->Read(totals.table(), owner, &totals));
    if (totals.empty()) return false;
    REEVE_TRY(reader_->Read(runs.table(), owner, &runs));
    const std::string run = FindRunAhead(runs, rows.Of(runs.table()));
    if (run.empty() && !rows.Of(totals.table()).empty()) return false;
    Complain(fmt::format("{}: was served from this store after the export was made{}; not imported", rows.tenant(), run.empty() ? "" : " (run " + run + ")"));
    return true;
  }

  // A store that serves gives no fence twice and never goes back in time, whoever gave the imported ones.
  Result<> RaiseMarks() {
    RowBatch marks(catalog::ReeveMeta());
    for (const auto& [name, reached] : {std::pair(store::kFenceMark, fence_), std::pair(store::kLedgerTimeMark, latest_)}) {
      RowBatch stored(catalog::ReeveMeta());
      const std::string_view column = "key";
      const Cell key = Cell::Text(name);
      REEVE_TRY(reader_->Find(stored.table(), {&column, 1}, {&key, 1}, &stored));
      const int64_t mark = stored.empty() ? 0 : store::ParseMark(TextAt(stored.table(), stored.Row(0), "value")).value_or(0);
      if (reached <= mark) continue;
      const std::span<Cell> row = marks.AddRow();
      Put(&marks, row, "key", name);
      Put(&marks, row, "value", std::to_string(reached));
    }
    if (marks.empty()) return {};
    store::TenantWrite write;
    write.tables.push_back(std::move(marks));
    REEVE_ASSIGN(const auto results, engine_.sink->Merge({&write, 1}));
    return {};
  }

  void NoteRuns(const RowBatch& runs) {
    for (size_t i = 0; i < runs.size(); ++i) {
      const Row row = runs.Row(i);
      fence_ = std::max(fence_, NumAt(runs.table(), row, "fence"));
      latest_ = std::max({latest_, NumAt(runs.table(), row, "reserved_at"), NumAt(runs.table(), row, "ended_at")});
    }
  }

  // The tenant's own events travel with its rows, those under other ids in writes of their own.
  void AddEvents(std::vector<RowBatch> events, store::TenantWrite* write) {
    std::vector<store::TenantWrite> others;
    for (RowBatch& batch : events) {
      const std::string customer(TextAt(batch.table(), batch.Row(0), "customer_id"));
      if (customer == write->owner.customer_id) {
        write->tables.push_back(std::move(batch));
        continue;
      }
      others.push_back({{write->owner.tenant_id, customer}, write->attempt, {}});
      others.back().tables.push_back(std::move(batch));
    }
    if (!write->tables.empty()) Enqueue(std::move(*write));
    for (store::TenantWrite& other : others) Enqueue(std::move(other));
  }

  void Enqueue(store::TenantWrite write) {
    for (const RowBatch& batch : write.tables) pending_rows_ += batch.size();
    pending_.push_back(std::move(write));
  }

  // What stood behind these rows is unknown here, so they are copied and not proven; the source's
  // time is not known either.
  RowBatch StateRow(const TenantRows& rows, const std::string& customer, int64_t attempt) const {
    RowBatch batch(catalog::ReeveTenants());
    const std::span<Cell> row = batch.AddRow();
    const RowBatch& customers = rows.Of(catalog::Customers());
    Put(&batch, row, "tenant_id", rows.tenant());
    Put(&batch, row, "customer_id", customer);
    Put(&batch, row, "dataset_id", TextAt(customers.table(), customers.Row(0), "dataset_id"));
    Put(&batch, row, "phase", PhaseName(Phase::kCopied));
    Put(&batch, row, "attempt", attempt);
    Put(&batch, row, "source", "central-export:" + dir_);
    std::string counts = R"({"legacy":{},"central":{)", separator;
    for (const Table& table : catalog::CentralTables()) {
      counts += fmt::format(R"({}"{}":{})", separator, table.name, rows.Of(table).size());
      separator = ",";
    }
    Put(&batch, row, "counts", counts + "}}");
    Put(&batch, row, "quarantined", int64_t{0});
    Put(&batch, row, "findings", int64_t{0});
    Put(&batch, row, "reason", "imported");
    Put(&batch, row, "updated_at", now_);
    return batch;
  }

  Result<> Flush() {
    if (!dry_run_ && !pending_.empty()) {
      REEVE_TRY(RecordDemotions());
      REEVE_ASSIGN(const std::vector<store::TenantResult> results, engine_.sink->Merge(pending_));
      for (size_t i = 0; i < results.size(); ++i) Settle(pending_[i], results[i]);
      if (journal_) REEVE_TRY(journal_->Commit());
    }
    pending_.clear();
    pending_rows_ = 0;
    moved_.clear();
    return {};
  }

  // What the journal calls copied or proven is neither once other rows are merged into it: that
  // must be on disk before they are.
  Result<> RecordDemotions() {
    if (!journal_) return {};
    bool any = false;
    for (auto moved = moved_.begin(); moved != moved_.end();) {
      const auto known = journal_->state().tenants.find(moved->first);
      const bool demoted = known != journal_->state().tenants.end() && known->second.phase >= Phase::kCopied;
      if (demoted) Record(moved->first, moved->second);
      any = any || demoted;
      moved = demoted ? moved_.erase(moved) : std::next(moved);
    }
    return any ? journal_->Commit() : Result<>();
  }

  void Record(const std::string& tenant, int64_t attempt) {
    JournalRecord record;
    record.type = "phase";
    record.tenant = tenant;
    record.phase = PhaseName(Phase::kCopied);
    record.attempt = attempt;
    record.at = now_;
    record.detail = "imported";
    journal_->Add(record);
  }

  void Settle(const store::TenantWrite& write, const store::TenantResult& result) {
    const std::string& tenant = write.owner.tenant_id;
    if (result.outcome != store::Outcome::kMerged) {
      const bool stale = result.outcome == store::Outcome::kStaleAttempt;
      Complain(fmt::format("{}: {}; not imported", tenant, stale ? "a newer attempt wrote before" : result.detail));
      return;
    }
    report_.rows_changed += result.rows_changed;
    const auto moved = moved_.find(tenant);
    if (!journal_ || moved == moved_.end()) return;
    Record(tenant, moved->second);
    moved_.erase(moved);
  }

  const Engine& engine_;
  const std::string dir_;
  const bool dry_run_;
  const Micros now_;
  std::unique_ptr<store::CentralReader> reader_;
  std::unique_ptr<Journal> journal_;
  std::vector<store::TenantWrite> pending_;
  size_t pending_rows_ = 0;
  // tenants of pending_ that come into phase copied, with their attempt
  std::map<std::string, int64_t> moved_;
  uint64_t complaints_ = 0;
  int64_t fence_ = 0;    // the largest of the imported runs
  Micros latest_ = 0;    // the latest instant in them
  ImportReport report_;
};

}  // namespace

Result<ImportReport> ImportCentral(const Engine& engine, const std::string& dir, bool dry_run) {
  return Import(engine, dir, dry_run).Run();
}

}  // namespace reeve::migrate
