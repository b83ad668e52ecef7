#include "app/bigquery_cost.h"

#include <algorithm>

#include "legacy/bigquery/read_batch.h"

namespace reeve::app {
namespace {

using migrate::CostEstimate;
using migrate::CostStep;

constexpr uint64_t kMb = uint64_t{1} << 20;
constexpr uint64_t kTib = uint64_t{1} << 40;

// Seconds of one job, estimated from Google's published and others' measured medians; upper ends.
constexpr int64_t kListSeconds = 3, kReadSeconds = 25, kWriteSeconds = 15, kLoadSeconds = 10, kRowSeconds = 2;
// Calls of one job: inserting it and asking for its end. Rows come in pages.
constexpr uint64_t kCallsOfJob = 2;
constexpr uint64_t kRowsOfPage = 10'000;

// A merge into the central dataset is one load and one script; the script changes some tables, each by a statement that references it and the staging table.
constexpr uint64_t kTenantsOfMerge = 1'000;
constexpr uint64_t kTablesOfCopy = 11, kTablesOfProof = 3;
constexpr uint64_t kBytesOfCentralRow = 500;

// The guide's way: eight statements and one more per key and credential for each tenant; each reads a table or merges into one from another.
constexpr uint64_t kRowStatements = 8, kRowTablesOfMerge = 2;

uint64_t CeilOf(uint64_t number, uint64_t unit) { return (number + unit - 1) / unit; }

// The bytes of a table that a query references.
uint64_t Billed(uint64_t bytes, const BigQueryPrices& prices) { return std::max(CeilOf(bytes, kMb) * kMb, prices.table_bytes_min); }

int64_t Price(uint64_t bytes, const BigQueryPrices& prices) {
  return static_cast<int64_t>(static_cast<double>(bytes) / static_cast<double>(kTib) * static_cast<double>(prices.micro_usd_per_tib) + 0.5);
}

// How many jobs read these tables: the batches grow as those of legacy/bigquery do.
uint64_t ReadJobs(const std::vector<uint64_t>& tables) {
  legacy::BatchSize size;
  uint64_t jobs = 0;
  for (size_t at = 0; at < tables.size(); ++jobs) {
    uint64_t bytes = 0;
    size_t count = 0;
    while (at < tables.size() && count < size.Now() && (count == 0 || bytes + tables[at] <= legacy::kBatchBytesMax)) {
      bytes += tables[at++];
      ++count;
    }
    size.Worked(count);
  }
  return jobs;
}

class Estimator {
 public:
  Estimator(const CostQuestion& question, const BigQueryPrices& prices) : question_(question), prices_(prices) {}

  CostEstimate Run() {
    if (question_.from_bigquery) {
      List("list the estate (plan)");
      Read("read it (plan)");
      List("list the estate (migrate)");
      Read("read it (migrate, copy)");
    }
    if (question_.into_bigquery) Merge("write central rows (migrate, copy)", kTablesOfCopy, question_.central_rows * kBytesOfCentralRow);
    if (question_.from_bigquery) Read("read it anew (migrate, verify)");
    if (question_.into_bigquery) {
      ReadCentral("read central rows (migrate, verify)");
      Merge("write certificates (migrate, verify)", kTablesOfProof, question_.tenants * kBytesOfCentralRow * kTablesOfProof);
    }
    Sum();
    RowAtATime();
    Say();
    return std::move(estimate_);
  }

 private:
  void Add(std::string name, uint64_t jobs, uint64_t calls, uint64_t bytes, int64_t seconds) {
    estimate_.steps.push_back({std::move(name), jobs, calls, bytes, Price(bytes, prices_), seconds});
  }

  // One job for tables and columns, one for sizes.
  void List(std::string name) {
    const uint64_t bytes = 3 * prices_.table_bytes_min + 2 * prices_.query_bytes_min;
    Add(std::move(name), 2, 2 * kCallsOfJob + CeilOf(std::max<uint64_t>(question_.datasets, 1), 1'000), bytes, 2 * kListSeconds);
  }

  void Read(std::string name) {
    uint64_t jobs = 0, bytes = 0, stored = 0;
    for (const auto& [kind, tables] : question_.table_bytes) {
      jobs += ReadJobs(tables);
      for (const uint64_t table : tables) {
        bytes += Billed(table, prices_);
        stored += table;
      }
    }
    const uint64_t pages = jobs + stored / (kRowsOfPage * kBytesOfCentralRow);
    Add(std::move(name), jobs, jobs * kCallsOfJob + pages, bytes + jobs * prices_.query_bytes_min, static_cast<int64_t>(jobs) * kReadSeconds);
  }

  // `stored`: what the tables hold when all is merged; each merge scans what the ones before have left.
  void Merge(std::string name, uint64_t tables, uint64_t stored) {
    const uint64_t merges = std::max<uint64_t>(1, CeilOf(question_.tenants, kTenantsOfMerge));
    uint64_t bytes = 0;
    for (uint64_t merge = 1; merge <= merges; ++merge) {
      const uint64_t target = stored / merges * merge / tables;
      bytes += tables * (Billed(target, prices_) + Billed(stored / merges, prices_)) + prices_.query_bytes_min;
    }
    Add(std::move(name), 2 * merges, 2 * merges * (kCallsOfJob + 2), bytes, static_cast<int64_t>(merges) * (kLoadSeconds + kWriteSeconds));
  }

  // By tabledata.list: no job, no cost.
  void ReadCentral(std::string name) {
    const uint64_t pages = kTablesOfCopy + question_.central_rows / kRowsOfPage;
    Add(std::move(name), 0, pages + kTablesOfCopy, 0, static_cast<int64_t>(pages));
  }

  void Sum() {
    CostStep& total = estimate_.total;
    total.step = "all together";
    for (const CostStep& step : estimate_.steps) {
      total.jobs += step.jobs;
      total.api_calls += step.api_calls;
      total.bytes_billed += step.bytes_billed;
      total.seconds += step.seconds;
    }
    total.micro_usd = Price(total.bytes_billed, prices_);
    if (question_.tenants == 0) return;
    const auto share = [&](auto number) { return number * 1'000 / static_cast<decltype(number)>(question_.tenants); };
    estimate_.per_thousand_tenants = {"per 1,000 tenants", share(total.jobs), share(total.api_calls), share(total.bytes_billed), share(total.micro_usd), share(total.seconds)};
  }

  void RowAtATime() {
    const uint64_t rows = question_.key_rows + question_.credential_rows;
    const uint64_t jobs = question_.tenants * kRowStatements + rows;
    const uint64_t bytes = question_.tenants * kRowStatements * prices_.table_bytes_min + rows * kRowTablesOfMerge * prices_.table_bytes_min;
    estimate_.row_at_a_time = {"one job per row", jobs, jobs * kCallsOfJob, bytes, Price(bytes, prices_), static_cast<int64_t>(jobs) * kRowSeconds};
  }

  void Say() {
    estimate_.prices = fmt::format("{}, {} of {}", prices_.name, prices_.source, prices_.date);
    estimate_.assumptions = {
        "the estate lies in one location; each further one has its own listing and its own last batch",
        "times are those of one job after the other: reading 25 s, writing 15 s, loading 10 s, a job per row 2 s",
        "every free amount of the price list is spent already",
    };
  }

  const CostQuestion& question_;
  const BigQueryPrices& prices_;
  CostEstimate estimate_;
};

}  // namespace

const BigQueryPrices& OnDemandPrices() {
  static constexpr BigQueryPrices kPrices = {"on-demand queries, 6.25 USD per TiB", "cloud.google.com/bigquery/pricing", "2026-05-23", 6'250'000, 10 * kMb, 10 * kMb};
  return kPrices;
}

std::optional<CostEstimate> EstimatePlan(const migrate::PlanReport& plan, bool from_bigquery, bool into_bigquery) {
  if (!from_bigquery && !into_bigquery) return std::nullopt;
  CostQuestion question{from_bigquery, into_bigquery, plan.tenants.size(), plan.datasets, plan.table_bytes, 0, 0, plan.central_rows};
  const auto rows_of = [](const migrate::TenantPlan& tenant, const char* kind) {
    const auto found = tenant.legacy_rows.find(kind);
    return found == tenant.legacy_rows.end() ? uint64_t{0} : found->second;
  };
  for (const migrate::TenantPlan& tenant : plan.tenants) {
    question.key_rows += rows_of(tenant, "keys");
    question.credential_rows += rows_of(tenant, "credentials");
  }
  return EstimateBigQueryCost(question, OnDemandPrices());
}

CostEstimate EstimateBigQueryCost(const CostQuestion& question, const BigQueryPrices& prices) { return Estimator(question, prices).Run(); }

}  // namespace reeve::app
