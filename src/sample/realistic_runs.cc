// Runs of a realistic tenant: two rows each, some abandoned, some running, at the edges of months too.
#include <algorithm>
#include <bit>

#include "sample/tenants.h"

namespace reeve::sample {
namespace {

constexpr int kOctavesMax = 10;
constexpr uint64_t kGiantEvery = 200;  // tenant 14, 214, … is large in every estate
constexpr uint64_t kGiantAt = 14;
constexpr uint64_t kGiantRuns = 2'500;

// Zipf-like: half as many tenants for twice as many runs. Integers only, for the same estate on every machine.
uint64_t RunCount(const SampleOptions& options, uint64_t index, Prng* rng) {
  if (options.tenants > kGiantAt && index % kGiantEvery == kGiantAt) return kGiantRuns;
  if (rng->Percent(10)) return 0;
  const int octave = std::min(std::countr_zero(rng->Next() | (uint64_t{1} << kOctavesMax)), kOctavesMax);
  const uint64_t base = uint64_t{3} << octave;
  return base + rng->Below(base);
}

Micros StartTime(const SampleOptions& options, Prng* rng) {
  const uint64_t dice = rng->Below(100);
  const Days month = MonthStart(DateOf(options.as_of), -static_cast<int>(rng->Below(14)));
  if (dice < 3) return std::min(StartOf(month), options.as_of);
  if (dice < 6) return StartOf(month) - 1;
  if (dice < 8) return options.as_of - rng->Between(0, 23 * kHour);
  if (dice < 9) return options.as_of + rng->Between(0, 23 * kHour);  // clocks differ
  return options.as_of - rng->Between(0, 440 * kDay);
}

struct RunTable {
  TableOut* table;
  const RunShape* shape;
};

class RunWriter {
 public:
  RunWriter(TenantOut* tenant, RunTable main, RunTable first_rows)
      : tenant_(tenant),
        rng_(tenant->rng()),
        main_(main),
        first_rows_(first_rows),
        pipeline_(tenant->name() + "-gcp-cost-billing"),
        parameters_as_object_(rng_.Percent(30)) {}

  Result<> OneRun() {
    run_ = RunRow();
    run_.id = rng_.Uuid();
    run_.start = StartTime(tenant_->shop().options, &rng_);
    parameters_ = R"({"date": ")" + FormatDate(DateOf(run_.start)) + R"(", "filename": "billing_cost.csv", "depth": {"a": [1]}})";
    const uint64_t dice = rng_.Below(100);
    if (dice < 5) return Terminal();                       // onboarding wrote one row
    if (dice < 8) return Write(first_rows_, "PENDING", RunState::kPending);  // abandoned, or just begun
    if (dice < 10) return Running();
    REEVE_TRY(Write(first_rows_, rng_.Percent(5) ? "pending" : "PENDING", RunState::kPending));
    if (dice < 14) REEVE_TRY(Running());
    return Terminal();
  }

 private:
  Result<> Running() {
    RunRow saved = run_;
    run_.start += rng_.Between(0, 2 * kSecond);
    REEVE_TRY(Write(main_, rng_.Pick(main_.shape->running), RunState::kRunning));
    run_ = std::move(saved);
    return {};
  }

  // The final row; some platforms wrote it twice with other ends.
  Result<> Terminal() {
    for (int copies = rng_.Percent(4) ? 2 : 1; copies > 0; --copies) {
      run_.end.reset();
      run_.duration_ms.reset();
      const int64_t ms = rng_.Percent(2) ? rng_.Between(0, 40 * 3'600'000) : rng_.Between(0, 1'200'000);
      if (!rng_.Percent(5)) run_.end = run_.start + ms * 1000 + rng_.Between(0, 999);
      if (rng_.Percent(2)) run_.end = run_.start - kSecond;  // a clock that went back
      if (!main_.shape->duration.empty() && !rng_.Percent(15)) run_.duration_ms = ms;
      if (rng_.Percent(10)) run_.start += rng_.Between(0, 5 * kSecond);
      REEVE_TRY(Write(main_, rng_.Pick(main_.shape->terminal), RunState::kTerminal));
    }
    return {};
  }

  Result<> Write(const RunTable& to, std::string_view status, RunState state) {
    run_.state = state;
    RunText text;
    text.status = status;
    text.pipeline = pipeline_;
    if (!to.shape->parameters.empty() && !rng_.Percent(10)) text.parameters = parameters_;
    text.parameters_as_object = parameters_as_object_;
    if (status == "FAILED") text.error = "Step \"load\" failed:\n404 Not found";
    RunRow row = run_;
    if (to.shape->duration.empty()) row.duration_ms.reset();
    return tenant_->Run(*to.table, *to.shape, std::move(row), text);
  }

  TenantOut* const tenant_;
  Prng& rng_;
  const RunTable main_;
  const RunTable first_rows_;  // where PENDING rows go
  const std::string pipeline_;
  const bool parameters_as_object_;
  RunRow run_;
  std::string parameters_;
};

Result<> WriteUnknownTable(TenantOut* tenant, const Layout& layout) {
  for (int i = 0; i < 4; ++i)
    REEVE_TRY(tenant->RawLine(*layout.runs, fmt::format(
        R"({{"pipeline_logging_id":"run-{}","status":"COMPLETED","start_time":"2026-11-0{} 00:00:00 UTC","outcome_code":"7"}})",
        i, i + 1)));
  tenant->DeadLetterOf(*layout.runs, "unknown_shape");
  tenant->model.runs_recognised = false;
  return {};
}

}  // namespace

Result<> WriteRuns(TenantOut* tenant, const Layout& layout) {
  if (layout.special == Special::kUnknownRuns) return WriteUnknownTable(tenant, layout);
  Workshop& shop = tenant->shop();
  const RunShape& shape = *layout.run;
  const auto shared = [&shop](const RunShape& of) {
    return RunTable{&shop.Shared(DatasetOf(of.home), of.table, Kind::kRuns), &of};
  };
  const RunTable main = shape.home == Home::kOwn ? RunTable{layout.runs, &shape} : shared(shape);
  // Some platforms queued runs centrally and finished them in the tenant's dataset.
  const bool queued = shop.options.all_variants && layout.special == Special::kNone && tenant->rng().Percent(6);
  const RunTable first_rows = queued ? shared(RunShapeNamed("R0")) : main;
  uint64_t count = RunCount(shop.options, tenant->index(), &tenant->rng());
  if (layout.special != Special::kNone) count = 20;
  RunWriter writer(tenant, main, first_rows);
  for (uint64_t i = 0; i < count; ++i) REEVE_TRY(writer.OneRun());
  if (layout.special == Special::kTruncatedGzip) {
    tenant->truncated = layout.runs;
    tenant->failure = "file cannot be read to its end";
  }
  return {};
}

}  // namespace reeve::sample
