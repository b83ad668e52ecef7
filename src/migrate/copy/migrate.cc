#include "migrate/copy/migrate.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/bounded_queue.h"
#include "env/interrupt.h"
#include "migrate/audit.h"
#include "migrate/copy/dead_letter_file.h"
#include "migrate/copy/known_tenants.h"
#include "migrate/copy/survey.h"
#include "migrate/copy/tenant_writer.h"
#include "migrate/journal.h"

namespace reeve::migrate {
namespace {

using copy::Survey;

constexpr size_t kQueueTenants = 512;  // a batch of the embedded store: so that the workers go on while one is written

// What the store knows of a tenant before this run.
// A tenant on its way from a worker to the writer.
struct Copied {
  uint32_t index = 0;               // into the estate map
  bool unchanged = false;           // its source digest is that of the last copy
  store::TenantWrite write;
  std::string source_digest;
  copy::WriteSummary summary;
  uint64_t bytes = 0;
};

class MigrationRun {
 public:
  MigrationRun(const Engine& engine, const Options& options) : engine_(engine), options_(options) {}

  Result<MigrateReport> Run() {
    const Micros start = engine_.clock->Steady();
    REEVE_TRY(Prepare());
    REEVE_TRY(Copy());
    REEVE_TRY(WriteLeftovers());
    if (options_.verify && !report_.interrupted) REEVE_TRY(Prove());
    REEVE_TRY(Finish());
    report_.stats.wall = Seconds(start);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    report_.stats.peak_rss_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
    return std::move(report_);
  }

 private:
  [[nodiscard]] double Seconds(Micros since) const {
    return static_cast<double>(engine_.clock->Steady() - since) / kSecond;
  }

  Result<> Prepare() {
    REEVE_TRY(copy::CheckOptions(options_));
    REEVE_TRY(engine_.sink->ApplySchema());
    REEVE_ASSIGN(journal_, Journal::Open(*engine_.files, engine_.state_path + ".journal"));
    REEVE_TRY(SettleInstant());
    const auto with_listing = [this](const std::vector<legacy::Dataset>& listing) -> Result<> {
      if (!options_.verify) return {};
      REEVE_ASSIGN(verifier_, Verifier::Open(engine_, VerifyOptions{options_, false, {}}, report_.as_of, listing));
      return {};
    };
    REEVE_ASSIGN(survey_, copy::SurveyEstate(engine_, options_, report_.as_of, with_listing));
    REEVE_TRY(LoadKnown());
    for (size_t i = 0; i < survey_->map.findings.size(); ++i)
      findings_by_tenant_[survey_->map.findings[i].tenant].push_back(survey_->map.findings[i]);
    report_.source = engine_.estate->Url();
    report_.target = engine_.sink->Url();
    report_.tenants = survey_->chosen.size();
    report_.skipped = survey_->map.skipped;
    report_.stats.list = survey_->list_seconds;
    report_.stats.scan_keys = survey_->scan_seconds;
    return {};
  }

  // One instant for the whole migration, also over resumes.
  Result<> SettleInstant() {
    const JournalState& state = journal_->state();
    if (!state.run_open) {
      report_.as_of = options_.as_of.value_or(engine_.clock->Now());
      return {};
    }
    if (options_.as_of && *options_.as_of != state.as_of)
      return FailWithHint(Code::kRefused,
                          "an interrupted migration as of " + FormatTime(state.as_of) + " is not finished",
                          "run the same command without --as-of to finish it first");
    report_.as_of = state.as_of;
    return {};
  }

  Result<> LoadKnown() {
    REEVE_ASSIGN(const std::unique_ptr<store::CentralReader> reader, engine_.sink->OpenReader());
    REEVE_ASSIGN(copy::KnownTenants known, copy::ReadKnownTenants(*reader, journal_->state()));
    known_ = std::move(known.by_name);
    report_.attempt = known.newest_attempt + 1;
    return {};
  }

  // ---- copying ------------------------------------------------------------------------------------------------------------

  Result<> Copy() {
    engine_.progress->Begin("copy", survey_->chosen.size(), "tenants");
    BoundedQueue<Result<Copied>> queue(kQueueTenants);
    std::thread producer([&] { Produce(&queue); });
    Result<> result = Consume(&queue);
    stop_ = true;
    queue.Close();
    while (queue.Pop()) {
    }
    producer.join();
    engine_.progress->End();
    report_.interrupted = result && Interrupted() && done_ < survey_->chosen.size();
    return result;
  }

  void Produce(BoundedQueue<Result<Copied>>* queue) {
    const int workers = copy::WorkerCount(options_.workers);
    std::vector<Worker> state(static_cast<size_t>(workers));
    for (Worker& worker : state)
      worker.reader = std::make_unique<copy::TenantReader>(*engine_.estate, *survey_->shared, *engine_.clock,
                                                           survey_->reader_settings);
    copy::ForEach(survey_->chosen.size(), workers, [&](int worker, size_t item) {
      if (stop_ || Interrupted()) return false;
      return queue->Push(CopyTenant(&state[static_cast<size_t>(worker)], survey_->chosen[item]));
    });
    queue->Close();
    for (const Worker& worker : state) {
      report_.stats.read += worker.reader->times().read;
      report_.stats.parse += worker.reader->times().parse;
      report_.stats.map += worker.map_seconds;
    }
  }

  struct Worker {
    std::unique_ptr<copy::TenantReader> reader;
    std::unique_ptr<store::CentralReader> central;  // opened when the first known tenant comes
    double map_seconds = 0;
  };

  Result<Copied> CopyTenant(Worker* worker, uint32_t index) {
    const Tenant& tenant = survey_->map.tenants[index];
    Copied copied;
    copied.index = index;
    copied.bytes = tenant.bytes;
    const std::string collisions = survey_->CollisionsText(index);
    const auto known = known_.find(tenant.name);
    if (known != known_.end()) {
      const std::string& before = known->second.source_digest;
      if (known->second.phase <= Phase::kVerified && !before.empty() && worker->reader->DigestOnly(tenant, collisions) == before) {
        copied.unchanged = true;
        return copied;
      }
      if (!known->second.refused.empty()) {
        copied.summary.failure = known->second.refused;
        return copied;
      }
      if (!worker->central) {
        REEVE_ASSIGN(worker->central, engine_.sink->OpenReader());
      }
    }
    copy::TenantRows rows = worker->reader->ReadAll(tenant, collisions);
    copied.source_digest = rows.source_digest;
    const Micros start = engine_.clock->Steady();
    copy::WriteContext context = ContextOf(tenant, index);
    if (known != known_.end()) {
      context.existing = worker->central.get();
      context.phase_before = known->second.phase;
    }
    copy::MappingNotes notes;
    REEVE_ASSIGN(copied.write, copy::MakeTenantWrite(context, std::move(rows), &copied.summary, &notes));
    worker->map_seconds += Seconds(start);
    return copied;
  }

  copy::WriteContext ContextOf(const Tenant& tenant, uint32_t index) const {
    copy::WriteContext context;
    context.mapping.tenant = tenant.name;
    context.mapping.customer_id = CustomerIdOf(tenant.name);
    context.mapping.dataset_id = tenant.dataset_id;
    context.mapping.as_of = report_.as_of;
    context.mapping.usage_months = options_.usage_months;
    context.mapping.abandoned_after = options_.abandoned_after;
    context.mapping.plans = &options_.plans;
    context.attempt = report_.attempt;
    context.source = report_.source;
    context.collisions = survey_->hashes.CollisionsOf(index);
    const auto findings = findings_by_tenant_.find(tenant.name);
    if (findings != findings_by_tenant_.end()) context.estate_findings = findings->second;
    return context;
  }

  // ---- writing ------------------------------------------------------------------------------------------------------------

  Result<> Consume(BoundedQueue<Result<Copied>>* queue) {
    const store::BatchHint hint = engine_.sink->batch();
    const size_t batch_tenants = std::clamp(survey_->chosen.size() / 40, hint.tenants_min, hint.tenants_max);
    std::vector<Copied> batch;
    uint64_t rows = 0;
    while (std::optional<Result<Copied>> item = queue->Pop()) {
      if (!*item) return Unexpected(std::move(*item).error());
      Copied copied = std::move(**item);
      ++done_;
      if (copied.unchanged || copied.write.tables.empty()) {
        CountUnwritten(copied);
        continue;
      }
      for (const auto& table : copied.write.tables) rows += table.size();
      batch.push_back(std::move(copied));
      if (batch.size() < batch_tenants && rows < hint.rows_max) continue;
      REEVE_TRY(WriteBatch(&batch));
      rows = 0;
    }
    return WriteBatch(&batch);
  }

  void CountUnwritten(const Copied& copied) {
    engine_.progress->Add(1, 0, copied.bytes);
    if (copied.unchanged) {
      ++report_.unchanged;
    } else {
      report_.failed.push_back({survey_->map.tenants[copied.index].name, copied.summary.failure});
    }
  }

  // The first write of a run is announced in the journal: a run that finds nothing to do leaves no trace.
  Result<> Announce() {
    if (announced_) return {};
    JournalRecord record;
    record.type = "begin";
    record.attempt = report_.attempt;
    record.at = engine_.clock->Now();
    record.as_of = report_.as_of;
    record.source = report_.source;
    record.digest = survey_->reader_settings.options_digest;
    journal_->Add(record);
    announced_ = true;
    StartProof();
    return journal_->Commit();
  }

  Result<> WriteBatch(std::vector<Copied>* batch) {
    if (batch->empty()) return {};
    REEVE_TRY(Announce());
    const Micros start = engine_.clock->Steady();
    std::vector<store::TenantWrite> writes;
    for (Copied& copied : *batch) writes.push_back(std::move(copied.write));
    REEVE_ASSIGN(const std::vector<store::TenantResult> results, engine_.sink->Merge(writes));
    report_.stats.write += Seconds(start);
    for (size_t i = 0; i < batch->size(); ++i) REEVE_TRY(Record((*batch)[i], results[i]));
    const Micros journal_start = engine_.clock->Steady();
    REEVE_TRY(journal_->Commit());
    report_.stats.journal += Seconds(journal_start);
    batch->clear();
    return {};
  }

  Result<> Record(const Copied& copied, const store::TenantResult& result) {
    const std::string& name = survey_->map.tenants[copied.index].name;
    if (result.outcome == store::Outcome::kStaleAttempt)
      return FailWithHint(Code::kStaleAttempt, fmt::format("tenant {}: a newer attempt than {} has written", name, report_.attempt),
                          "another migration took over; look at 'reeve status'");
    JournalRecord record;
    record.tenant = name;
    record.attempt = report_.attempt;
    record.at = engine_.clock->Now();
    record.as_of = report_.as_of;
    std::string failure = copied.summary.failure;
    if (result.outcome == store::Outcome::kConflict) failure = "conflict with what central holds: " + result.detail;
    uint64_t legacy_rows = 0;
    for (const auto& [kind, count] : copied.summary.legacy_rows) legacy_rows += count;
    if (failure.empty()) {
      record.type = "phase";
      record.phase = PhaseName(Phase::kCopied);
      record.digest = copied.source_digest;
      ++report_.copied;
      report_.rows_changed += result.rows_changed;
    } else {
      record.type = "failed";
      record.detail = failure;
      report_.failed.push_back({name, failure});
      engine_.progress->Note(fmt::format("tenant {} failed: {}", name, failure));
    }
    journal_->Add(record);
    report_.legacy_rows += legacy_rows;
    report_.legacy_bytes += copied.bytes;
    engine_.progress->Add(1, legacy_rows, copied.bytes);
    return {};
  }

  // Dead letters of nobody: rows of shared carriers that name no tenant.
  Result<> WriteLeftovers() {
    const bool nothing_new = !announced_ && survey_->shared->dead_letters().empty();
    if (nothing_new) return {};
    store::TenantWrite write;
    write.attempt = report_.attempt;
    write.tables.push_back(copy::DeadLetterRows("", survey_->shared->dead_letters()));
    REEVE_ASSIGN(const auto results, engine_.sink->Merge({&write, 1}));
    return {};
  }

  // ---- the end ------------------------------------------------------------------------------------------------------------

  Result<> Prove() {
    std::vector<std::string> names;
    for (const uint32_t index : survey_->chosen) {
      const auto state = journal_->state().tenants.find(survey_->map.tenants[index].name);
      if (state == journal_->state().tenants.end() || !state->second.failure.empty()) continue;
      if (state->second.phase == Phase::kCopied || state->second.phase == Phase::kArmed) names.push_back(state->first);
    }
    if (names.empty()) return {};
    StartProof();
    const Micros start = engine_.clock->Steady();
    REEVE_ASSIGN(VerifyReport proof, verifier_->Run(names, journal_.get()));
    report_.stats.verify = Seconds(start);
    report_.verified = proof.equal;
    report_.differing = proof.differing;
    report_.differences = std::move(proof.details);
    report_.interrupted = proof.interrupted;
    return {};
  }

  // The witness reads the keys while the first tenants are written, which leaves half a processor idle.
  void StartProof() {
    if (verifier_ != nullptr && !proof_started_) verifier_->ReadKeysMeanwhile();
    proof_started_ = true;
  }

  Result<> Finish() {
    REEVE_TRY(CountOpenPoints());
    if (!announced_ && !journal_->state().run_open && report_.verified == 0) return {};
    REEVE_TRY(engine_.sink->Checkpoint());
    REEVE_ASSIGN(const std::unique_ptr<store::CentralReader> reader, engine_.sink->OpenReader());
    REEVE_TRY(copy::WriteDeadLetterFile(*reader, *engine_.files, engine_.state_path + ".deadletter.jsonl"));
    if (report_.interrupted) return {};
    JournalRecord record;
    record.type = "end";
    record.attempt = report_.attempt;
    record.at = engine_.clock->Now();
    record.detail = report_.failed.empty() && report_.differing == 0 ? "done" : "done with exceptions";
    journal_->Add(record);
    return journal_->Commit();
  }

  Result<> CountOpenPoints() {
    REEVE_ASSIGN(const std::unique_ptr<store::CentralReader> reader, engine_.sink->OpenReader());
    const auto count = [&](const catalog::Table& table, std::string_view column, std::map<std::string, uint64_t>* out) {
      const auto index = static_cast<size_t>(table.Index(column));
      return reader->Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
        ++(*out)[std::string(row[index].text)];
        return {};
      });
    };
    REEVE_TRY(count(catalog::ReeveDeadLetters(), "reason", &report_.dead_letters));
    REEVE_TRY(count(catalog::ReeveFindings(), "code", &report_.findings));
    if (!report_.dead_letters.empty()) report_.dead_letter_file = engine_.state_path + ".deadletter.jsonl";
    return {};
  }

  const Engine engine_;
  const Options options_;
  MigrateReport report_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Survey> survey_;
  std::unique_ptr<Verifier> verifier_;  // only with options_.verify
  std::map<std::string, copy::KnownTenant, std::less<>> known_;
  std::map<std::string, std::vector<EstateFinding>> findings_by_tenant_;
  std::atomic<bool> stop_{false};
  size_t done_ = 0;
  bool announced_ = false;
  bool proof_started_ = false;
};

}  // namespace

Result<MigrateReport> Migrate(const Engine& engine, const Options& options) { return MigrationRun(engine, options).Run(); }

}  // namespace reeve::migrate
