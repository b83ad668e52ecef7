#include "migrate/copy/survey.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "crypto/sha256.h"
#include "env/interrupt.h"
#include "env/processors.h"

namespace reeve::migrate::copy {
namespace {

constexpr int kWorkersMax = 64;
constexpr int kUsageMonthsMax = 120;

std::string QuotaText(const std::optional<int64_t>& quota) { return quota ? std::to_string(*quota) : "unlimited"; }

// Everything in the options that the central rows depend on, apart from the instant.
std::string OptionsDigest(const Options& options) {
  std::string text = fmt::format("reeve/options/v1 months={} abandoned={} holds_hash={} default={}", options.usage_months,
                                 options.abandoned_after, options.api_key_column_holds_hash, options.plans.default_plan);
  const auto quotas = [](const domain::Quotas& q) {
    return QuotaText(q.monthly_runs) + "/" + QuotaText(q.concurrent_runs) + "/" + QuotaText(q.storage_gb);
  };
  for (const domain::Plan& plan : options.plans.plans)
    text += fmt::format("\nplan {} {} {}", plan.name, quotas(plan.quotas), QuotaText(plan.cost_usd_cents));
  const auto said = [](const std::optional<std::optional<int64_t>>& quota) { return quota ? QuotaText(*quota) : "plan"; };
  for (const auto& [tenant, o] : options.plans.tenants)
    text += fmt::format("\ntenant {} {} {}/{}/{}", tenant, o.plan, said(o.monthly_runs), said(o.concurrent_runs), said(o.storage_gb));
  return crypto::Sha256Hex(text);
}

Result<> Choose(const Options& options, Survey* survey) {
  const std::vector<Tenant>& tenants = survey->map.tenants;
  for (const std::string& name : options.only)
    if (survey->map.Find(name) == nullptr)
      return FailWithHint(Code::kNotFound, fmt::format("no tenant '{}' in the estate", name),
                          "'reeve plan' lists tenants and skipped datasets; --tenants FILE declares a tenant");
  for (uint32_t i = 0; i < tenants.size(); ++i) {
    const bool wanted = options.only.empty() || std::find(options.only.begin(), options.only.end(), tenants[i].name) != options.only.end();
    if (!wanted) continue;
    if (options.limit != 0 && survey->chosen.size() >= options.limit) break;
    survey->chosen.push_back(i);
  }
  return {};
}

}  // namespace

std::string Survey::CollisionsText(uint32_t tenant) const {
  std::string text;
  for (const std::string& hash : hashes.CollisionsOf(tenant)) text += hash + " ";
  return text;
}

int WorkerCount(int workers) {
  if (workers > 0) return std::min(workers, kWorkersMax);
  return std::min(UsableProcessors(), kWorkersMax);
}

void ForEach(size_t count, int workers, const std::function<bool(int worker, size_t item)>& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  const auto loop = [&](int worker) {
    while (!stop) {
      const size_t item = next.fetch_add(1);
      if (item >= count) return;
      if (!work(worker, item)) stop = true;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < WorkerCount(workers); ++i) threads.emplace_back(loop, i);
  loop(0);
  for (std::thread& thread : threads) thread.join();
}

Result<> CheckOptions(const Options& options) {
  if (options.usage_months < 1 || options.usage_months > kUsageMonthsMax)
    return Fail(Code::kUsage, "--usage-months must be from 1 to {}, not {}", kUsageMonthsMax, options.usage_months);
  if (options.abandoned_after < kSecond)
    return Fail(Code::kUsage, "--abandoned-after must be at least one second");
  for (const std::string& name : options.declared)
    if (!IsDatasetName(name))
      return Fail(Code::kUsage, "--tenants: '{}' can be no tenant: a name is 1 to 1,024 of A-Z a-z 0-9 _", name);
  const domain::PlanBook& book = options.plans;
  if (book.Find(book.default_plan) == nullptr)
    return Fail(Code::kUsage, "--default-plan {}: there is no such plan", book.default_plan);
  if (book.Find("starter") == nullptr)
    return Fail(Code::kUsage, "the plan file has no plan 'starter', which tenants of an unknown tier get");
  for (const auto& [tenant, said] : book.tenants)
    if (!said.plan.empty() && book.Find(said.plan) == nullptr)
      return Fail(Code::kUsage, "plan file: tenant {} has plan '{}', and there is no such plan", tenant, said.plan);
  return {};
}

Result<std::unique_ptr<Survey>> ListEstate(const Engine& engine, const Options& options, Micros as_of,
                                           const WithListing& with_listing) {
  REEVE_TRY(CheckOptions(options));
  auto survey = std::make_unique<Survey>();
  survey->as_of = as_of;
  survey->reader_settings = {as_of, options.api_key_column_holds_hash, OptionsDigest(options)};
  const Micros start = engine.clock->Steady();
  REEVE_ASSIGN(std::vector<legacy::Dataset> datasets, engine.estate->List());
  if (with_listing) REEVE_TRY(with_listing(datasets));
  survey->map = MapEstate(std::move(datasets), options.declared);
  survey->list_seconds = static_cast<double>(engine.clock->Steady() - start) / kSecond;
  REEVE_TRY(Choose(options, survey.get()));
  return survey;
}

Result<std::unique_ptr<Survey>> SurveyEstate(const Engine& engine, const Options& options, Micros as_of,
                                             const WithListing& with_listing) {
  REEVE_ASSIGN(std::unique_ptr<Survey> survey, ListEstate(engine, options, as_of, with_listing));
  const Micros start = engine.clock->Steady();
  REEVE_ASSIGN(survey->shared, SharedRows::Gather(*engine.estate, survey->map, *engine.files, engine.state_path + ".spool"));
  const std::vector<Tenant>& tenants = survey->map.tenants;
  engine.progress->Begin("keys", tenants.size(), "tenants");
  std::vector<std::unique_ptr<TenantReader>> readers;
  for (int i = 0; i < WorkerCount(options.workers); ++i)
    readers.push_back(std::make_unique<TenantReader>(*engine.estate, *survey->shared, *engine.clock, survey->reader_settings));
  ForEach(tenants.size(), options.workers, [&](int worker, size_t item) {
    survey->hashes.Add(static_cast<uint32_t>(item), readers[static_cast<size_t>(worker)]->ReadHashes(tenants[item]));
    engine.progress->Add(1, 0, 0);
    return !Interrupted();
  });
  engine.progress->End();
  if (Interrupted()) return Fail(Code::kInterrupted, "interrupted while reading the keys; nothing was written");
  survey->hashes.Settle();
  survey->scan_seconds = static_cast<double>(engine.clock->Steady() - start) / kSecond;
  return survey;
}

}  // namespace reeve::migrate::copy
