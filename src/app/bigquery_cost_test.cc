#include "app/bigquery_cost.h"

#include <gtest/gtest.h>

namespace reeve::app {
namespace {

constexpr uint64_t kMb = uint64_t{1} << 20;

CostQuestion Tenants(uint64_t tenants) {
  CostQuestion question;
  question.from_bigquery = question.into_bigquery = true;
  question.tenants = question.datasets = tenants;
  for (const char* kind : {"keys", "credentials", "runs"}) question.table_bytes[kind].assign(tenants, 50'000);
  question.key_rows = question.credential_rows = 3 * tenants;
  question.central_rows = 12 * tenants;
  return question;
}

const migrate::CostStep& Step(const migrate::CostEstimate& estimate, std::string_view part) {
  for (const migrate::CostStep& step : estimate.steps)
    if (step.step.find(part) != std::string::npos) return step;
  ADD_FAILURE() << part;
  return estimate.steps.front();
}

TEST(BigQueryCost, ReadingBillsTenMegabytesForEachTableAndEachQuery) {
  const auto estimate = EstimateBigQueryCost(Tenants(40), OnDemandPrices());
  const migrate::CostStep& read = Step(estimate, "read it (plan)");
  EXPECT_EQ(read.jobs, 3U);
  EXPECT_EQ(read.bytes_billed, (120 + 3) * 10 * kMb);
  EXPECT_EQ(read.micro_usd, 7331);  // 123 × 10 MB of a TiB at 6.25 USD
}

TEST(BigQueryCost, LargeTablesBillTheirWholeMegabytes) {
  CostQuestion question = Tenants(1);
  question.table_bytes = {{"runs", {25 * kMb + 1}}};
  EXPECT_EQ(Step(EstimateBigQueryCost(question, OnDemandPrices()), "read it (plan)").bytes_billed, (26 + 10) * kMb);
}

TEST(BigQueryCost, JobsGrowWithHundredsOfTablesNotWithTables) {
  // Three kinds, 250 + 500 + 1,000 × 9 tables each.
  EXPECT_EQ(Step(EstimateBigQueryCost(Tenants(10'000), OnDemandPrices()), "read it (plan)").jobs, 3 * 12U);
  const auto ten_thousand = EstimateBigQueryCost(Tenants(10'000), OnDemandPrices());
  EXPECT_LE(ten_thousand.per_thousand_tenants.jobs, 60U);
  const auto forty = EstimateBigQueryCost(Tenants(40), OnDemandPrices());
  EXPECT_LE(forty.total.jobs, 60U);
}

TEST(BigQueryCost, TheTotalIsTheSumAndEachStepHasItsPrice) {
  const auto estimate = EstimateBigQueryCost(Tenants(1'000), OnDemandPrices());
  uint64_t jobs = 0, bytes = 0;
  for (const migrate::CostStep& step : estimate.steps) {
    jobs += step.jobs;
    bytes += step.bytes_billed;
    EXPECT_FALSE(step.step.empty());
  }
  EXPECT_EQ(estimate.total.jobs, jobs);
  EXPECT_EQ(estimate.total.bytes_billed, bytes);
  EXPECT_EQ(estimate.per_thousand_tenants.jobs, jobs);
  EXPECT_EQ(estimate.per_thousand_tenants.micro_usd, estimate.total.micro_usd);
}

TEST(BigQueryCost, OneJobPerRowTakesWhatTheGuideTakes) {
  // 10,000 tenants with three keys and three credentials: 140,000 jobs, 78 hours, 12 USD.
  const migrate::CostStep row = EstimateBigQueryCost(Tenants(10'000), OnDemandPrices()).row_at_a_time;
  EXPECT_EQ(row.jobs, 140'000U);
  EXPECT_EQ(row.seconds / 3600, 77);
  EXPECT_NEAR(static_cast<double>(row.micro_usd) / 1e6, 11.92, 0.02);
}

TEST(BigQueryCost, OnlyTheSideThatIsThereCosts) {
  CostQuestion question = Tenants(100);
  question.into_bigquery = false;
  for (const auto& step : EstimateBigQueryCost(question, OnDemandPrices()).steps) EXPECT_EQ(step.step.find("central"), std::string::npos) << step.step;
  question.into_bigquery = true;
  question.from_bigquery = false;
  for (const auto& step : EstimateBigQueryCost(question, OnDemandPrices()).steps) EXPECT_EQ(step.step.find("estate"), std::string::npos) << step.step;
}

TEST(BigQueryCost, WritingScansWhatIsThereAlready) {
  const auto merged = [](uint64_t tenants) { return Step(EstimateBigQueryCost(Tenants(tenants), OnDemandPrices()), "write central rows").bytes_billed; };
  EXPECT_GT(merged(1'000'000), 100 * merged(10'000));  // more than in proportion
}

TEST(BigQueryCost, AnEmptyEstateDividesByNothing) {
  CostQuestion question;
  question.from_bigquery = true;
  const auto estimate = EstimateBigQueryCost(question, OnDemandPrices());
  EXPECT_EQ(estimate.per_thousand_tenants.jobs, 0U);
  EXPECT_EQ(Step(estimate, "read it").jobs, 0U);
}

TEST(BigQueryCost, ThePriceListSaysWhereItIsFromAndOfWhen) {
  EXPECT_NE(EstimateBigQueryCost(Tenants(1), OnDemandPrices()).prices.find("2026-05-23"), std::string::npos);
}

}  // namespace
}  // namespace reeve::app
