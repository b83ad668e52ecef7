// Back to legacy: first legacy learns of every revocation that only central knows, then central's
// rows go.
//
// Order of a tenant, and what a crash leaves: revocations are written to the legacy tables (again:
// nothing left to write), the journal says "legacy" (a crash after it is finished by the next
// rollback, and a migration copies the tenant afresh), one transaction removes the rows, raises the
// attempt and adds the audit event. The raised attempt fences off a copier that is still at work.
#include <algorithm>

#include "env/interrupt.h"
#include "migrate/audit.h"
#include "migrate/journal.h"
#include "migrate/ops/carry_back.h"
#include "migrate/ops/legacy_runs.h"
#include "migrate/ops/ops.h"
#include "migrate/ops/row_tools.h"
#include "migrate/served.h"
#include "store/describe.h"

namespace reeve::migrate {
namespace {

using namespace ops;

constexpr Micros kClockTolerance = 24 * kHour;  // between whoever revoked and whoever migrated
constexpr std::string_view kGone = "reeve:gone-from-legacy";

struct Candidate {
  std::string tenant, customer_id;
  Phase phase = Phase::kLegacy;
  int64_t attempt = 0;
  std::map<std::string, uint64_t> rows;  // that would go, by table
  std::string refused;
  uint64_t revoked = 0;                  // keys that central refuses, and legacy must
  uint64_t carried = 0;                  // those of them that legacy accepted until now
  bool nothing_there = false;            // already back in legacy
};

std::string WhatToDo(const std::string& tenant, Phase phase) {
  switch (phase) {
    case Phase::kShadow: return fmt::format("is in phase shadow, where both sides are written: 'reeve phase set {} legacy' takes it back once every revocation has arrived", tenant);
    case Phase::kCentral: return fmt::format("is in phase central: 'reeve phase set {} shadow' works at once, then legacy", tenant);
    default: return "is final: the legacy tables are no longer written; only a new migration, from central to legacy, could bring it back";
  }
}

class RollbackRun {
 public:
  RollbackRun(const Engine& engine, const RollbackOptions& options) : engine_(engine), options_(options) {}

  Result<RollbackReport> Run() {
    REEVE_ASSIGN(reader_, engine_.sink->OpenReader());
    REEVE_TRY(OpenJournal());
    std::vector<std::string> tenants = options_.tenants;
    if (tenants.empty()) {
      REEVE_ASSIGN(tenants, KnownTenants(*reader_));
    }
    std::vector<Candidate> candidates;
    for (const std::string& tenant : tenants) {
      REEVE_ASSIGN(Candidate candidate, Decide(tenant));
      const bool silent = options_.tenants.empty() && candidate.nothing_there;
      if (!silent) candidates.push_back(std::move(candidate));
    }
    REEVE_TRY(AskLegacy(&candidates));
    engine_.progress->Begin("roll back", candidates.size(), "tenants");
    const size_t step = engine_.sink->batch().tenants_max;
    for (size_t i = 0; i < candidates.size(); i += step) {
      if (Interrupted()) return Fail(Code::kInterrupted, "stopped; tenants done so far are back in legacy: run it again for the others");
      const std::span<Candidate> chunk(candidates.data() + i, std::min(step, candidates.size() - i));
      if (!options_.dry_run) REEVE_TRY(EraseAll(chunk));
      for (const Candidate& candidate : chunk) Tell(candidate);
      engine_.progress->Add(chunk.size(), 0, 0);
    }
    engine_.progress->End();
    return std::move(report_);
  }

 private:
  Result<> OpenJournal() {
    if (engine_.state_path.empty()) return {};
    const std::string path = engine_.state_path + ".journal";
    if (options_.dry_run) {
      REEVE_ASSIGN(decided_, ReadJournal(*engine_.files, path));
      return {};
    }
    REEVE_ASSIGN(journal_, Journal::Open(*engine_.files, path));
    decided_ = journal_->state();
    return {};
  }

  // What the store and the journal say of a tenant, and what must be known of legacy before it may
  // go back.
  Result<Candidate> Decide(const std::string& tenant) {
    Candidate candidate;
    candidate.tenant = tenant;
    REEVE_ASSIGN(const RowBatch state, ReadTenantRow(*reader_, tenant));
    if (state.empty()) {
      candidate.refused = "this store knows no such tenant";
      candidate.nothing_there = options_.tenants.empty();
      return candidate;
    }
    const Row row = state.Row(0);
    candidate.customer_id = TextAt(state.table(), row, "customer_id");
    candidate.attempt = NumAt(state.table(), row, "attempt");
    const std::optional<Phase> stored = ParsePhase(TextAt(state.table(), row, "phase"));
    if (!stored) {
      candidate.refused = "is in a phase that this reeve does not know";
      return candidate;
    }
    const auto decided = decided_.tenants.find(tenant);
    candidate.phase = decided == decided_.tenants.end() ? *stored : std::max(*stored, decided->second.phase);
    if (candidate.phase > Phase::kVerified) candidate.refused = WhatToDo(tenant, candidate.phase);
    candidate.nothing_there = candidate.phase == Phase::kLegacy;
    if (candidate.refused.empty() && !candidate.nothing_there) REEVE_TRY(LookIntoCentral(state, &candidate));
    return candidate;
  }

  Result<> LookIntoCentral(const RowBatch& state, Candidate* candidate) {
    const store::Owner owner{candidate->tenant, candidate->customer_id};
    KeyQuestions questions;
    for (const Table* table : store::ErasedTables()) {
      RowBatch rows(*table);
      REEVE_TRY(reader_->Read(*table, owner, &rows));
      if (table == &catalog::ReeveRuns() || table == &catalog::ReeveRunTotals()) LookIntoLedger(rows, candidate);
      if (!rows.empty() && !table->own) candidate->rows[std::string(table->name)] = rows.size();
      if (table == &catalog::ApiKeys()) AskAboutKeys(rows, At(state.table(), state.Row(0), "as_of"), candidate, &questions);
      if (table == &catalog::Customers() && (rows.size() > 1 || (rows.size() == 1 && TextAt(*table, rows.Row(0), "customer_id") != owner.customer_id)))
        candidate->refused = "has other customers than the one it was migrated to: 'reeve repair duplicates' first";
    }
    candidate->revoked = questions.deny.size();
    if (!questions.empty()) questions_.emplace(candidate->tenant, std::move(questions));
    return {};
  }

  // What the ledger counts is known nowhere else, and what is running holds a lease here.
  void LookIntoLedger(const RowBatch& rows, Candidate* candidate) const {
    if (rows.empty()) return;
    if (&rows.table() == &catalog::ReeveRuns()) candidate->rows[std::string(rows.table().name)] = rows.size();
    if (!options_.forget_runs) candidate->refused = fmt::format("{}: export the store, then --forget-runs takes it back without them", kServedHere);
    if (&rows.table() != &catalog::ReeveRuns()) return;
    uint64_t open = 0;
    for (size_t i = 0; i < rows.size(); ++i) open += At(rows.table(), rows.Row(i), "ended_at").is_null ? 1 : 0;
    if (open > 0) candidate->refused = fmt::format("{} of its ledger not ended yet: let the server end them first", Counted(open, "run"));
  }

  // Without the estate only what legacy had at the time of the copy is known: a revocation from
  // before it came from there.
  void AskAboutKeys(const RowBatch& keys, const Cell& as_of, Candidate* candidate, KeyQuestions* questions) const {
    const Table& table = catalog::ApiKeys();
    uint64_t revoked = 0, made = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      const Row row = keys.Row(i);
      const Cell& revoked_at = At(table, row, "revoked_at");
      const bool denied = NumAt(table, row, "is_active") == 0 || !revoked_at.is_null;
      const bool from_legacy = TextAt(table, row, "revoked_by") == kGone ||
                               (!as_of.is_null && (revoked_at.is_null || revoked_at.num <= as_of.num - kClockTolerance));
      const bool made_later = !denied && (as_of.is_null || NumAt(table, row, "created_at") > as_of.num + kClockTolerance);
      if (denied && !from_legacy) ++revoked;
      if (made_later) ++made;
      const std::string hash(TextAt(table, row, "api_key_hash"));
      if (denied) {
        questions->deny[hash] = {revoked_at.is_null ? std::nullopt : std::optional<Micros>(revoked_at.num),
                                 std::string(TextAt(table, row, "revoked_by"))};
      } else if (made_later) {
        questions->expect.insert(hash);
      }
    }
    if (engine_.estate != nullptr || revoked + made == 0) return;
    candidate->refused = fmt::format("{} revoked and {} made in central after the copy, perhaps unknown to legacy: give the legacy estate with --from, so that nothing is lost",
                                     Counted(revoked, "key"), Counted(made, "key"));
  }

  // One pass over the legacy key tables for all tenants together.
  Result<> AskLegacy(std::vector<Candidate>* candidates) {
    for (const Candidate& candidate : *candidates)
      if (!candidate.refused.empty()) questions_.erase(candidate.tenant);
    if (engine_.estate == nullptr || questions_.empty()) return {};
    REEVE_ASSIGN(std::vector<legacy::Dataset> datasets, engine_.estate->List());
    REEVE_ASSIGN(const std::vector<std::string> known, KnownTenants(*reader_));
    CarryBack carry(*engine_.estate, MapEstate(std::move(datasets), known), options_.dry_run);
    const std::map<std::string, KeyAnswers> answers = carry.Run(questions_);
    for (Candidate& candidate : *candidates) {
      const auto answer = answers.find(candidate.tenant);
      if (answer == answers.end()) continue;
      candidate.carried = answer->second.carried.size();
      const size_t lost = questions_.at(candidate.tenant).expect.size() - answer->second.found.size();
      if (!answer->second.failure.empty()) {
        candidate.refused = "revocations could not be carried back: " + answer->second.failure;
      } else if (lost > 0) {
        candidate.refused = fmt::format("{} made in central after the copy and unknown to legacy would be lost: make them there first", Counted(lost, "key"));
      }
    }
    return {};
  }

  // The journal first: a step that it holds is finished forward.
  Result<> EraseAll(std::span<Candidate> chunk) {
    for (const Candidate& candidate : chunk)
      if (candidate.refused.empty()) Record(candidate, Phase::kLegacy, "rolled back");
    if (journal_) REEVE_TRY(journal_->Commit());
    std::vector<Candidate*> leaving;
    std::vector<store::TenantWrite> writes;
    for (Candidate& candidate : chunk) {
      if (!candidate.refused.empty() || candidate.nothing_there) continue;
      REEVE_ASSIGN(store::TenantWrite after, WriteAfter(candidate));
      writes.push_back(std::move(after));
      leaving.push_back(&candidate);
    }
    if (writes.empty()) return {};
    REEVE_ASSIGN(const std::vector<store::TenantResult> results, engine_.sink->Erase(writes));
    return Correct(leaving, results);
  }

  // What the store refused has not happened, and the journal must not go on saying that it did.
  Result<> Correct(std::span<Candidate* const> candidates, std::span<const store::TenantResult> results) {
    bool corrected = false;
    for (size_t i = 0; i < candidates.size(); ++i) {
      Candidate& candidate = *candidates[i];
      if (results[i].outcome == store::Outcome::kStaleAttempt) candidate.refused = "a newer attempt has taken over: look at 'reeve status'";
      if (results[i].outcome == store::Outcome::kConflict) candidate.refused = results[i].detail;
      if (candidate.refused.empty()) continue;
      Record(candidate, Phase::kCopied, "the rollback was refused: " + candidate.refused);
      corrected = true;
    }
    if (journal_ && corrected) REEVE_TRY(journal_->Commit());
    return {};
  }

  void Record(const Candidate& candidate, Phase phase, std::string detail) {
    if (!journal_) return;
    const auto decided = journal_->state().tenants.find(candidate.tenant);
    const bool known = decided != journal_->state().tenants.end() && decided->second.phase == phase;
    if (known || (candidate.nothing_there && decided == journal_->state().tenants.end())) return;
    JournalRecord record;
    record.type = "phase";
    record.tenant = candidate.tenant;
    record.phase = PhaseName(phase);
    record.attempt = candidate.attempt + (candidate.nothing_there ? 0 : 1);
    record.at = engine_.clock->Now();
    record.detail = std::move(detail);
    journal_->Add(record);
  }

  Result<store::TenantWrite> WriteAfter(const Candidate& candidate) {
    const Micros now = engine_.clock->Now();
    store::TenantWrite after{{candidate.tenant, candidate.customer_id}, candidate.attempt + 1, {}};
    REEVE_ASSIGN(RowBatch state, StateAfter(candidate, now));
    after.tables.push_back(std::move(state));
    RowBatch audit(catalog::AuditLogs());
    REEVE_TRY(AddAuditEvent(reader_.get(), after.owner,
                            {.event_type = "customer.rolled_back", .action = "rollback", .result = "success", .facts = Facts(candidate),
                             .resource_type = "customer", .resource_id = {}, .created_at = now},
                            &audit));
    after.tables.push_back(std::move(audit));
    return after;
  }

  Result<RowBatch> StateAfter(const Candidate& candidate, Micros now) {
    const Table& table = catalog::ReeveTenants();
    REEVE_ASSIGN(const RowBatch before, ReadTenantRow(*reader_, candidate.tenant));
    RowBatch after(table);
    const std::span<Cell> row = CopyRow(before.Row(0), &after);
    Put(&after, row, "phase", PhaseName(Phase::kLegacy));
    Put(&after, row, "attempt", candidate.attempt + 1);
    for (const char* column : {"as_of", "source_digest", "counts", "reason"}) PutNull(&after, row, column);
    Put(&after, row, "quarantined", int64_t{0});
    Put(&after, row, "findings", int64_t{0});
    Put(&after, row, "updated_at", now);
    return after;
  }

  static std::string Facts(const Candidate& candidate) {
    std::string facts = fmt::format(R"({{"from_phase":"{}","attempt":{},"revoked_keys":{},"revocations_carried_back":{},"rows":{{)",
                                    PhaseName(candidate.phase), candidate.attempt + 1, candidate.revoked, candidate.carried);
    std::string separator;
    for (const auto& [table, rows] : candidate.rows) {
      facts += fmt::format(R"({}"{}":{})", separator, table, rows);
      separator = ",";
    }
    return facts + "}}";
  }

  void Tell(const Candidate& candidate) {
    RollbackReport::Item item;
    item.tenant = candidate.tenant;
    item.from_phase = PhaseName(candidate.phase);
    item.revocations_carried_back = candidate.carried;
    item.refused = candidate.refused;
    if (candidate.refused.empty())
      for (const auto& [table, rows] : candidate.rows) item.rows_removed += rows;
    report_.items.push_back(std::move(item));
  }

  const Engine& engine_;
  const RollbackOptions& options_;
  std::unique_ptr<store::CentralReader> reader_;
  std::unique_ptr<Journal> journal_;  // null in a dry run, or without a state path
  JournalState decided_;
  std::map<std::string, KeyQuestions> questions_;
  RollbackReport report_;
};

}  // namespace

Result<RollbackReport> Rollback(const Engine& engine, const RollbackOptions& options) { return RollbackRun(engine, options).Run(); }

}  // namespace reeve::migrate
