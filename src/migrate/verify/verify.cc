#include "migrate/verify/verify.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "base/bounded_queue.h"
#include "crypto/sha256.h"
#include "env/interrupt.h"
#include "env/processors.h"
#include "migrate/audit.h"
#include "migrate/served.h"
#include "migrate/verify/certificate.h"

namespace reeve::migrate {
namespace {

using catalog::Cell;
using catalog::ReeveTenants;
using catalog::RowBatch;

constexpr size_t kQueueTenants = 256;  // while one batch is written, the next is made

// A tenant on its way from a worker to the writer.
struct Proved {
  VerifiedTenant result;
  bool compared = false;     // false: it was never copied, or could not be and the migration knew
  uint64_t legacy_rows = 0, legacy_bytes = 0;
  std::string certificate;   // text; empty if none was issued
  Phase before = Phase::kLegacy;
  int64_t attempt = 0;
  Micros as_of = 0;
  store::TenantWrite write;  // empty when there is nothing to write
};

// Fills cells of the only row of `batch` by column names.
void Put(RowBatch* batch, std::string_view column, Cell cell) {
  batch->Row(0)[static_cast<size_t>(batch->table().Index(column))] = cell;
}
const Cell& Get(const RowBatch& batch, std::string_view column) {
  return batch.Row(0)[static_cast<size_t>(batch.table().Index(column))];
}

// One verification of a list of tenants: workers compare, the calling thread writes.
class VerifyRun {
 public:
  VerifyRun(const Engine& engine, const VerifyOptions& options, witness::Witness& witness, Journal& journal,
            const std::vector<std::string>& names)
      : engine_(engine), options_(options), witness_(witness), journal_(journal), names_(names) {}

  Result<VerifyReport> Run() {
    const Micros start = engine_.clock->Steady();
    if (!options_.certificates_dir.empty()) REEVE_TRY(engine_.files->MakeDirs(options_.certificates_dir));
    report_.as_of = journal_.state().as_of;
    for (const auto& [tenant, state] : journal_.state().tenants)
      if (!state.failure.empty()) failures_.emplace(tenant, state.failure);
    report_.tenants = names_.size();
    REEVE_TRY(FindServed());
    engine_.progress->Begin("verify", names_.size(), "tenants");
    BoundedQueue<Result<Proved>> queue(kQueueTenants);
    std::vector<std::thread> workers = StartWorkers(&queue);
    Result<> result = Consume(&queue);
    stop_ = true;
    queue.Close();
    for (std::thread& worker : workers) worker.join();
    engine_.progress->End();
    if (!result) return Unexpected(std::move(result).error());
    report_.interrupted = received_ < names_.size();
    std::sort(report_.details.begin(), report_.details.end(),
              [](const VerifiedTenant& a, const VerifiedTenant& b) { return a.tenant < b.tenant; });
    report_.wall_seconds = static_cast<double>(engine_.clock->Steady() - start) / kSecond;
    return std::move(report_);
  }

 private:
  // What a server has counted since is no difference; it is only no proof either.
  Result<> FindServed() {
    REEVE_ASSIGN(const std::unique_ptr<store::CentralReader> reader, engine_.sink->OpenReader());
    REEVE_ASSIGN(served_, ServedTenants(*reader));
    return {};
  }

  // ---- workers ------------------------------------------------------------------------------------------------------------

  std::vector<std::thread> StartWorkers(BoundedQueue<Result<Proved>>* queue) {
    size_t count = static_cast<size_t>(options_.options.workers > 0 ? options_.options.workers : UsableProcessors());
    count = std::min(count, std::max<size_t>(1, names_.size()));
    running_ = count;
    std::vector<std::thread> workers;
    for (size_t i = 0; i < count; ++i) workers.emplace_back([this, queue] { Work(queue); });
    return workers;
  }

  void Work(BoundedQueue<Result<Proved>>* queue) {
    std::unique_ptr<store::CentralReader> reader;
    for (size_t done = 0; !stop_ && !Interrupted(); ++done) {
      const size_t item = next_++;
      if (item >= names_.size()) break;
      if (done % engine_.sink->batch().tenants_per_reader == 0) reader.reset();
      if (!queue->Push(Prove(names_[item], &reader))) break;
    }
    if (--running_ == 0) queue->Close();
  }

  Result<Proved> Prove(const std::string& name, std::unique_ptr<store::CentralReader>* reader) {
    if (!*reader) {
      REEVE_ASSIGN(*reader, engine_.sink->OpenReader());
    }
    const store::Owner owner{name, CustomerIdOf(name)};
    RowBatch state(ReeveTenants());
    REEVE_TRY((*reader)->Read(ReeveTenants(), owner, &state));
    Proved proved;
    proved.result.tenant = name;
    const auto gave_up = failures_.find(name);
    const std::string failure = gave_up == failures_.end() ? "" : gave_up->second;
    if (!state.empty()) proved.before = ParsePhase(Get(state, "phase").text).value_or(Phase::kLegacy);
    if (failure.empty() && proved.before < Phase::kCopied) return proved;  // nobody says that it arrived
    if (state.empty()) return proved;
    if (served_.contains(name)) {
      proved.result.differences = {fmt::format("{}; not compared", kServedHere)};
      return proved;
    }
    witness::TenantFacts facts;
    facts.as_of = proved.as_of = Get(state, "as_of").num;
    facts.expect_failed = !failure.empty();
    REEVE_ASSIGN(facts.merged_before, WasMergedBefore(owner, **reader));
    REEVE_ASSIGN(const witness::Verdict verdict, witness_.Verify(name, facts, **reader));
    proved.legacy_rows = verdict.legacy_rows;
    proved.legacy_bytes = verdict.legacy_bytes;
    proved.result.quarantined_rows = verdict.quarantined_rows;
    if (verdict.equal && !verdict.failed.empty()) {
      proved.result.differences = {"not migrated: " + verdict.failed};
      return proved;
    }
    proved.compared = true;
    REEVE_TRY(Judge(verdict, owner, **reader, &state, &proved));
    return proved;
  }

  // Whether more than one copy of different legacy rows was merged into the tenant: its audit trail has an event for each.
  static Result<bool> WasMergedBefore(const store::Owner& owner, store::CentralReader& reader) {
    RowBatch events(catalog::AuditLogs());
    REEVE_TRY(reader.Read(catalog::AuditLogs(), owner, &events));
    const auto event_type = static_cast<size_t>(catalog::AuditLogs().Index("event_type"));
    int copies = 0;
    for (size_t i = 0; i < events.size(); ++i) copies += events.Row(i)[event_type].text == "customer.migrated";
    return copies > 1;
  }

  // Turns a verdict into what is written about it.
  Result<> Judge(const witness::Verdict& verdict, const store::Owner& owner, store::CentralReader& reader, RowBatch* state,
                 Proved* proved) {
    proved->result.equal = verdict.equal;
    proved->result.difference_count = verdict.differences_total;
    for (const witness::Difference& difference : verdict.differences)
      proved->result.differences.push_back(DescribeDifference(difference));
    proved->write.owner = owner;
    proved->write.attempt = proved->attempt = Get(*state, "attempt").num;
    const Phase after = PhaseAfter(proved->before, verdict.equal);
    if (verdict.equal) Certify(verdict, *state, after, proved);
    AuditEvent event;
    event.event_type = verdict.equal ? "customer.verified" : "customer.verification_failed";
    event.action = "verify";
    event.result = verdict.equal ? "success" : "failure";
    event.facts = VerificationFacts(verdict);
    event.created_at = proved->as_of;
    RowBatch audit(catalog::AuditLogs());
    REEVE_TRY(AddAuditEvent(&reader, owner, event, &audit));
    if (!audit.empty()) proved->write.tables.push_back(std::move(audit));
    if (proved->before < Phase::kCopied) return {};  // said to be impossible to move, and is not: nothing is there to be judged
    const std::string reason = verdict.equal ? "" : fmt::format("verification found {} differences", verdict.differences_total);
    Put(state, "phase", state->Own(PhaseName(after)));
    Put(state, "reason", reason.empty() ? Cell::Null() : state->Own(reason));
    Put(state, "updated_at", Cell::Int(engine_.clock->Now()));
    proved->write.tables.push_back(std::move(*state));
    return {};
  }

  // A tenant that is already served keeps its phase: leaving it is an operator's decision.
  static Phase PhaseAfter(Phase before, bool equal) {
    if (before > Phase::kVerified) return before;
    return equal ? Phase::kVerified : Phase::kCopied;
  }

  void Certify(const witness::Verdict& verdict, const RowBatch& state, Phase after, Proved* proved) const {
    CertificateHead head;
    head.customer_id = proved->write.owner.customer_id;
    head.phase = PhaseName(after);
    head.attempt = proved->attempt;
    head.as_of = proved->as_of;
    head.verified_at = engine_.clock->Now();
    head.source = Get(state, "source").text;
    head.source_digest = Get(state, "source_digest").text;
    head.target = engine_.sink->Url();
    proved->certificate = CertificateText(head, verdict);
    proved->result.certificate_digest = crypto::Sha256Hex(proved->certificate);
    RowBatch row(catalog::ReeveCertificates());
    row.AddRow();
    Put(&row, "tenant_id", row.Own(verdict.tenant));
    Put(&row, "attempt", Cell::Int(head.attempt));
    Put(&row, "verified_at", Cell::Int(head.verified_at));
    Put(&row, "certificate", row.Own(proved->certificate));
    Put(&row, "digest", row.Own(proved->result.certificate_digest));
    proved->write.tables.push_back(std::move(row));
  }

  // ---- the writer ---------------------------------------------------------------------------------------------------------

  Result<> Consume(BoundedQueue<Result<Proved>>* queue) {
    const store::BatchHint hint = engine_.sink->batch();
    const size_t batch_max = std::clamp(names_.size() / 40, hint.tenants_min, hint.tenants_max);
    std::vector<Proved> batch;
    while (std::optional<Result<Proved>> item = queue->Pop()) {
      if (!*item) return Unexpected(std::move(*item).error());
      ++received_;
      engine_.progress->Add(1, (*item)->legacy_rows, (*item)->legacy_bytes);
      Count(**item);
      if ((*item)->write.tables.empty()) continue;
      batch.push_back(std::move(**item));
      if (batch.size() == batch_max) REEVE_TRY(Write(&batch));
    }
    return Write(&batch);
  }

  void Count(const Proved& proved) {
    report_.legacy_rows += proved.legacy_rows;
    report_.legacy_bytes += proved.legacy_bytes;
    report_.quarantined_rows += proved.result.quarantined_rows;
    ++(!proved.compared ? report_.not_copied : proved.result.equal ? report_.equal : report_.differing);
    if (proved.compared && !proved.result.equal)
      engine_.progress->Note(fmt::format("tenant {}: {} differences", proved.result.tenant, proved.result.difference_count));
    if (options_.all_details || !proved.result.differences.empty() || (proved.compared && !proved.result.equal))
      report_.details.push_back(proved.result);
  }

  Result<> Write(std::vector<Proved>* batch) {
    if (batch->empty()) return {};
    std::vector<store::TenantWrite> writes;
    for (Proved& proved : *batch) writes.push_back(std::move(proved.write));
    REEVE_ASSIGN(const std::vector<store::TenantResult> results, engine_.sink->Merge(writes));
    for (size_t i = 0; i < batch->size(); ++i) {
      const std::string& tenant = (*batch)[i].result.tenant;
      if (results[i].outcome == store::Outcome::kStaleAttempt)
        return FailWithHint(Code::kStaleAttempt, fmt::format("tenant {}: a newer attempt wrote while it was verified", tenant),
                            "verify it again");
      if (results[i].outcome == store::Outcome::kConflict)
        return Fail(Code::kFailed, "tenant {}: the certificate cannot be stored: {}", tenant, results[i].detail);
      Record((*batch)[i]);
    }
    REEVE_TRY(journal_.Commit());
    for (const Proved& proved : *batch) REEVE_TRY(WriteFile(proved));
    batch->clear();
    return {};
  }

  // No node serves yet, so there is nobody to wait for: copied → armed → verified at once. A certificate that is renewed goes
  // through armed as well, as any new proof does.
  void Record(const Proved& proved) {
    if (proved.before < Phase::kCopied || proved.before > Phase::kVerified) return;
    JournalRecord record;
    record.type = "phase";
    record.tenant = proved.result.tenant;
    record.attempt = proved.attempt;
    record.at = engine_.clock->Now();
    if (!proved.result.equal) {  // without a source digest: the next migration merges it again
      record.phase = PhaseName(Phase::kCopied);
      record.as_of = proved.as_of;
      record.detail = fmt::format("verification found {} differences", proved.result.difference_count);
      journal_.Add(record);
      return;
    }
    if (proved.before != Phase::kArmed) {
      record.phase = PhaseName(Phase::kArmed);
      record.detail = "no serving node";
      journal_.Add(record);
    }
    record.phase = PhaseName(Phase::kVerified);
    record.digest = proved.result.certificate_digest;
    record.detail.clear();
    journal_.Add(record);
  }

  Result<> WriteFile(const Proved& proved) const {
    if (options_.certificates_dir.empty() || proved.certificate.empty()) return {};
    const std::string& tenant = proved.result.tenant;
    const std::string name = tenant.size() <= 200 ? tenant : CustomerIdOf(tenant);  // file names end at 255 bytes
    REEVE_ASSIGN(const auto file, engine_.files->Create(options_.certificates_dir + "/" + name + ".json"));
    return file->Append(proved.certificate);
  }

  const Engine& engine_;
  const VerifyOptions& options_;
  witness::Witness& witness_;
  Journal& journal_;
  const std::vector<std::string>& names_;
  std::set<std::string, std::less<>> served_;                   // constant while workers run
  std::map<std::string, std::string, std::less<>> failures_;  // constant while workers run; the journal itself is the writer's
  std::atomic<size_t> next_{0};
  std::atomic<size_t> running_{0};
  std::atomic<bool> stop_{false};
  VerifyReport report_;
  size_t received_ = 0;
};

witness::QuotaOverride QuotaOf(const std::optional<std::optional<int64_t>>& quota) {
  return {quota.has_value(), quota.value_or(std::nullopt)};
}

}  // namespace

witness::Assumptions AssumptionsOf(const Options& options, Micros as_of) {
  witness::Assumptions said;
  said.as_of = as_of;
  said.usage_months = options.usage_months;
  said.abandoned_after = options.abandoned_after;
  said.default_plan = options.plans.default_plan;
  said.api_key_column_holds_hash = options.api_key_column_holds_hash;
  said.declared_tenants = options.declared;
  for (const domain::Plan& plan : options.plans.plans)
    said.plans.push_back({plan.name, plan.quotas.monthly_runs, plan.quotas.concurrent_runs, plan.quotas.storage_gb, plan.cost_usd_cents});
  for (const auto& [tenant, plan] : options.plans.tenants)
    said.overrides[tenant] = {plan.plan, QuotaOf(plan.monthly_runs), QuotaOf(plan.concurrent_runs), QuotaOf(plan.storage_gb)};
  return said;
}

Verifier::Verifier(const Engine& engine, const VerifyOptions& options, std::unique_ptr<witness::Witness> witness)
    : engine_(engine), options_(options), witness_(std::move(witness)) {}
Verifier::~Verifier() = default;

Result<std::unique_ptr<Verifier>> Verifier::Start(const Engine& engine, const VerifyOptions& options, Micros as_of) {
  REEVE_ASSERT(engine.estate != nullptr && engine.sink != nullptr);
  REEVE_ASSIGN(auto witness, witness::Witness::Start(*engine.estate, AssumptionsOf(options.options, as_of)));
  return std::make_unique<Verifier>(engine, options, std::move(witness));
}

Result<std::unique_ptr<Verifier>> Verifier::Open(const Engine& engine, const VerifyOptions& options, Micros as_of,
                                                 const std::vector<legacy::Dataset>& listing) {
  REEVE_ASSERT(engine.estate != nullptr && engine.sink != nullptr);
  REEVE_ASSIGN(auto witness, witness::Witness::Open(*engine.estate, AssumptionsOf(options.options, as_of), listing));
  return std::make_unique<Verifier>(engine, options, std::move(witness));
}

void Verifier::ReadKeysMeanwhile() {
  REEVE_ASSERT(!keys_read_.valid());
  keys_read_ = std::async(std::launch::async, [this] { return witness_->ReadKeys(); });
}

Result<std::vector<std::string>> Verifier::Chosen() const {
  std::set<std::string, std::less<>> wanted(options_.options.only.begin(), options_.options.only.end());
  std::vector<std::string> names;
  for (const std::string& name : witness_->tenants())
    if (options_.options.only.empty() || wanted.erase(name) != 0) names.push_back(name);
  if (!wanted.empty())
    return FailWithHint(Code::kNotFound, fmt::format("{} has no tenant {}", engine_.estate->Url(), *wanted.begin()),
                        "'reeve plan' lists the tenants and why other datasets are skipped");
  if (options_.options.limit != 0 && names.size() > options_.options.limit) names.resize(options_.options.limit);
  return names;
}

Result<VerifyReport> Verifier::Run(const std::vector<std::string>& names, Journal* journal) {
  if (keys_read_.valid()) REEVE_TRY(keys_read_.get());
  std::unique_ptr<Journal> own;
  if (journal == nullptr) {
    REEVE_ASSIGN(own, Journal::Open(*engine_.files, engine_.state_path + ".journal"));
    journal = own.get();
  }
  return VerifyRun(engine_, options_, *witness_, *journal, names).Run();
}

Result<> Verifier::AddLeftovers(VerifyReport* report) const {
  REEVE_ASSIGN(const std::unique_ptr<store::CentralReader> reader, engine_.sink->OpenReader());
  REEVE_ASSIGN(const std::vector<std::string> only_in_central, witness_->OnlyInCentral(*reader));
  for (const std::string& tenant : only_in_central) {
    ++report->tenants;
    ++report->differing;
    report->details.push_back({tenant, false, "", {"in central, but not in the estate"}, 1, 0});
  }
  report->quarantined_rows += witness_->shared_quarantined();
  return {};
}

Result<VerifyReport> Verify(const Engine& engine, const VerifyOptions& options) {
  const Micros start = engine.clock->Steady();
  REEVE_ASSIGN(const auto journal, Journal::Open(*engine.files, engine.state_path + ".journal"));
  const JournalState& state = journal->state();
  const Micros as_of = options.options.as_of.value_or(state.as_of != 0 ? state.as_of : engine.clock->Now());
  REEVE_ASSIGN(const auto verifier, Verifier::Start(engine, options, as_of));
  REEVE_ASSIGN(const std::vector<std::string> names, verifier->Chosen());
  REEVE_ASSIGN(VerifyReport report, verifier->Run(names, journal.get()));
  report.as_of = as_of;
  const bool whole = options.options.only.empty() && options.options.limit == 0;
  if (whole && !report.interrupted) REEVE_TRY(verifier->AddLeftovers(&report));
  report.wall_seconds = static_cast<double>(engine.clock->Steady() - start) / kSecond;
  return report;
}

}  // namespace reeve::migrate
