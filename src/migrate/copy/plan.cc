#include "migrate/copy/plan.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "crypto/sha256.h"
#include "env/interrupt.h"
#include "migrate/audit.h"
#include "migrate/copy/survey.h"
#include "migrate/copy/tenant_writer.h"

namespace reeve::migrate {
namespace {

using copy::Survey;

constexpr size_t kFindingsMax = 1'000'000;

class Planner {
 public:
  Planner(const Engine& engine, const Options& options) : engine_(engine), options_(options) {}

  Result<PlanReport> Run() {
    report_.as_of = options_.as_of.value_or(engine_.clock->Now());
    report_.source = engine_.estate->Url();
    REEVE_ASSIGN(survey_, copy::SurveyEstate(engine_, options_, report_.as_of));
    report_.skipped = survey_->map.skipped;
    report_.not_read = survey_->map.not_read;
    report_.tenants.resize(survey_->chosen.size());
    digests_.resize(survey_->chosen.size());
    for (const copy::DeadLetter& letter : survey_->shared->dead_letters()) ++report_.dead_letters[letter.reason];
    engine_.progress->Begin("plan", survey_->chosen.size(), "tenants");
    std::vector<std::unique_ptr<copy::TenantReader>> readers;
    for (int i = 0; i < copy::WorkerCount(options_.workers); ++i)
      readers.push_back(std::make_unique<copy::TenantReader>(*engine_.estate, *survey_->shared, *engine_.clock, survey_->reader_settings));
    copy::ForEach(survey_->chosen.size(), options_.workers, [&](int worker, size_t item) {
      PlanTenant(readers[static_cast<size_t>(worker)].get(), item);
      return !Interrupted() && !error_;
    });
    engine_.progress->End();
    if (error_) return Unexpected(*std::move(error_));
    if (Interrupted()) return Fail(Code::kInterrupted, "interrupted; nothing was written");
    Sum();
    return std::move(report_);
  }

 private:
  void PlanTenant(copy::TenantReader* reader, size_t item) {
    const uint32_t index = survey_->chosen[item];
    const Tenant& tenant = survey_->map.tenants[index];
    copy::WriteContext context;
    context.mapping = {tenant.name, CustomerIdOf(tenant.name), tenant.dataset_id, report_.as_of,
                       options_.usage_months, options_.abandoned_after, &options_.plans};
    context.source = report_.source;
    context.collisions = survey_->hashes.CollisionsOf(index);
    for (const EstateFinding& finding : survey_->map.findings)
      if (finding.tenant == tenant.name) context.estate_findings.push_back(finding);
    copy::TenantRows rows = reader->ReadAll(tenant, survey_->CollisionsText(index));
    TenantPlan plan;
    plan.tenant = tenant.name;
    plan.dataset_id = tenant.dataset_id;
    plan.bytes = tenant.bytes;
    for (const CarrierTable& carrier : tenant.tables) plan.files += carrier.table.parts.size();
    plan.shapes = rows.shapes;
    digests_[item] = rows.source_digest;
    copy::WriteSummary summary;
    copy::MappingNotes notes;
    Result<store::TenantWrite> write = copy::MakeTenantWrite(context, std::move(rows), &summary, &notes);
    plan.legacy_rows = summary.legacy_rows;
    plan.central_rows = summary.central_rows;
    plan.dead_letters = summary.dead_letters;
    plan.plan = summary.plan;
    plan.failure = summary.failure;
    uint64_t legacy_rows = 0;
    for (const auto& [kind, count] : plan.legacy_rows) legacy_rows += count;
    engine_.progress->Add(1, legacy_rows, plan.bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!write) error_ = std::move(write).error();
    for (const copy::DeadLetter& letter : notes.dead_letters) ++report_.dead_letters[letter.reason];
    for (const copy::Finding& finding : notes.findings)
      if (report_.findings.size() < kFindingsMax) report_.findings.push_back({tenant.name, finding.code, finding.subject, finding.detail});
    report_.tenants[item] = std::move(plan);
  }

  void Sum() {
    report_.rows_as_of = engine_.estate->RowsAsOf();
    for (const TenantPlan& plan : report_.tenants) {
      report_.files += plan.files;
      report_.bytes += plan.bytes;
      for (const auto& [kind, count] : plan.legacy_rows) report_.legacy_rows += count;
      for (const auto& [table, count] : plan.central_rows) report_.central_rows += count;
      if (!plan.failure.empty()) ++report_.failed_tenants;
    }
    std::sort(report_.findings.begin(), report_.findings.end(), [](const PlanFinding& a, const PlanFinding& b) {
      return std::tie(a.tenant, a.code, a.subject) < std::tie(b.tenant, b.code, b.subject);
    });
    CountTables();
    std::string text = "reeve/plan/v1 " + survey_->reader_settings.options_digest;
    for (size_t i = 0; i < report_.tenants.size(); ++i) text += "\n" + report_.tenants[i].tenant + " " + digests_[i];
    report_.digest = crypto::Sha256Hex(text);
  }

  // What an engine that bills by table would have to be asked for.
  void CountTables() {
    const auto count = [this](const CarrierTable& carrier) {
      report_.table_bytes[std::string(catalog::LegacyKindName(carrier.kind))].push_back(carrier.table.bytes);
    };
    std::set<std::string_view> datasets;
    for (const uint32_t index : survey_->chosen)
      for (const CarrierTable& carrier : survey_->map.tenants[index].tables) count(carrier);
    for (const Tenant& tenant : survey_->map.tenants)
      for (const CarrierTable& carrier : tenant.tables) datasets.insert(carrier.table.dataset);
    for (const CarrierTable& carrier : survey_->map.shared) {
      count(carrier);
      datasets.insert(carrier.table.dataset);
    }
    report_.datasets = datasets.size() + survey_->map.skipped.size();
  }

  const Engine engine_;
  const Options options_;
  std::unique_ptr<Survey> survey_;
  std::mutex mutex_;
  PlanReport report_;                 // guarded by mutex_ while workers run
  std::optional<Error> error_;        // guarded by mutex_ for writing
  std::vector<std::string> digests_;
};

}  // namespace

Result<PlanReport> MakePlan(const Engine& engine, const Options& options) { return Planner(engine, options).Run(); }

}  // namespace reeve::migrate
