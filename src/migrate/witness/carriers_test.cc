// docs/mapping.md §1: who is a tenant, and which table is whose.
#include "migrate/witness/carriers.h"

#include <gtest/gtest.h>

#include "migrate/witness/shared.h"
#include "tests/fakes/memory_estate.h"

namespace reeve::migrate::witness {
namespace {

using Datasets = std::map<std::string, std::vector<std::string>>;

CarrierMap Build(const Datasets& datasets, const std::vector<std::string>& declared = {}) {
  std::vector<legacy::Dataset> listing;
  for (const auto& [name, tables] : datasets) {
    legacy::Dataset dataset{name, {}, {}};
    for (const std::string& table : tables) dataset.tables.push_back({name, table, {{name + "/" + table, 7}}, {}, 7});
    listing.push_back(std::move(dataset));
  }
  return CarrierMap::Build(std::move(listing), declared);
}

std::vector<std::string> Tables(const CarrierMap& map, size_t tenant) {
  std::vector<std::string> names;
  for (const CarrierTable& carrier : map.TablesOf(tenant)) names.push_back(carrier.table.dataset + "." + carrier.table.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReasonOf(const CarrierMap& map, std::string_view dataset) {
  for (const SkippedDataset& skipped : map.skipped()) {
    if (skipped.name == dataset) return skipped.reason;
  }
  return "not skipped";
}

const std::vector<std::string> kThree = {"api_keys", "cloud_credentials", "x_meta_pipeline_runs"};

TEST(WitnessCarriers, ATenantHoldsTheThreeTablesTogether) {
  const CarrierMap map = Build({{"acme", {"x_meta_api_keys", "step_logs", "x_meta_tenants"}},
                                {"acme_metadata", {"pipeline_runs"}},
                                {"acme_prod", {"cloud_credentials"}},
                                {"half", {"api_keys", "pipeline_runs"}},
                                {"half_metadata", {"tenants"}},
                                {"nothing", {"step_logs"}},
                                {"acme_raw_x", {}},
                                {"other_metadata", kThree},
                                {"third_prod", kThree}});
  EXPECT_EQ(map.tenants(), (std::vector<std::string>{"acme", "other", "third"}));
  EXPECT_EQ(Tables(map, 0), (std::vector<std::string>{"acme.x_meta_api_keys", "acme.x_meta_tenants", "acme_metadata.pipeline_runs",
                                                      "acme_prod.cloud_credentials"}));
  EXPECT_EQ(map.DatasetId(0), "acme");
  EXPECT_EQ(map.DatasetId(1), "other_metadata");
  EXPECT_EQ(map.DatasetId(2), "third_prod");
  EXPECT_EQ(ReasonOf(map, "half"), "missing tables: credentials");
  EXPECT_EQ(ReasonOf(map, "half_metadata"), "missing tables: credentials");
  EXPECT_EQ(ReasonOf(map, "nothing"), "no signature tables: step_logs");
  EXPECT_EQ(ReasonOf(map, "acme_raw_x"), "no signature tables");
  EXPECT_EQ(map.Find("third"), 2);
  EXPECT_EQ(map.Find("acme_prod"), -1);
}

TEST(WitnessCarriers, SharedEnvironmentAndCentralDatasetsAreNoTenants) {
  const CarrierMap map = Build({{"metadata", {"api_keys", "x_meta_api_keys", "tenant_api_keys", "tenants"}},
                                {"customers", {"customer_api_keys", "customer_cloud_credentials"}},
                                {"tenants", {"tenant_api_keys", "tenants"}},
                                {"organizations", {"org_api_keys", "org_integration_credentials", "org_meta_pipeline_runs"}},
                                {"customers_metadata", kThree},
                                {"acme_local", kThree},
                                {"acme_stage", kThree},
                                {"bad-name", kThree}});
  EXPECT_TRUE(map.tenants().empty());
  EXPECT_EQ(ReasonOf(map, "customers_metadata"), "central dataset");
  EXPECT_EQ(ReasonOf(map, "acme_local"), "environment copy");
  EXPECT_EQ(ReasonOf(map, "acme_stage"), "environment copy");
  EXPECT_EQ(ReasonOf(map, "bad-name"), "invalid name");
  std::vector<std::string> shared;
  for (const CarrierTable& carrier : map.shared()) shared.push_back(carrier.table.dataset + "." + carrier.table.name);
  std::sort(shared.begin(), shared.end());
  EXPECT_EQ(shared, (std::vector<std::string>{"customers.customer_api_keys", "customers.customer_cloud_credentials", "metadata.api_keys",
                                              "metadata.x_meta_api_keys", "organizations.org_api_keys", "organizations.org_integration_credentials",
                                              "organizations.org_meta_pipeline_runs", "tenants.tenant_api_keys"}));
}

TEST(WitnessCarriers, ADeclaredNameIsATenantOfExactlyThatName) {
  const CarrierMap map = Build({{"acme_prod", kThree}, {"acme", {"tenants"}}, {"beta_stage", {}}}, {"acme_prod", "beta_stage", "ghost", "no name"});
  EXPECT_EQ(map.tenants(), (std::vector<std::string>{"acme_prod", "beta_stage", "ghost"}));
  EXPECT_EQ(Tables(map, 0).size(), 3U);
  EXPECT_EQ(map.DatasetId(0), "acme_prod");
  EXPECT_EQ(map.DatasetId(2), "ghost");
  EXPECT_EQ(ReasonOf(map, "acme"), "no signature tables: tenants");
  EXPECT_EQ(ReasonOf(map, "no name"), "invalid name");
}

TEST(WitnessCarriers, AListingSurvivesItsPacking) {
  std::vector<legacy::Dataset> listing = {{"acme", {}, {}}};
  for (const std::string& table : kThree) {
    listing[0].tables.push_back({"acme", table, {{"acme/" + table + "-000.json.gz", 1}, {"acme/" + table + "-001.json.gz", 1ULL << 40}},
                                 std::vector<std::string>{"a", ""}, (1ULL << 40) + 1});
  }
  listing[0].tables[0].schema.reset();
  listing[0].tables[1].schema->clear();
  const auto tables = listing[0].tables;
  const CarrierMap map = CarrierMap::Build(std::move(listing), {});
  const auto back = map.TablesOf(0);
  ASSERT_EQ(back.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(back[i].table.name, tables[i].name);
    EXPECT_EQ(back[i].table.bytes, tables[i].bytes);
    ASSERT_EQ(back[i].table.parts.size(), 2U);
    EXPECT_EQ(back[i].table.parts[1].name, tables[i].parts[1].name);
    EXPECT_EQ(back[i].table.parts[1].bytes, tables[i].parts[1].bytes);
    EXPECT_EQ(back[i].table.schema, tables[i].schema);
  }
}

TEST(WitnessShared, WindowsHoldTheRowsOfTheirTenantsOnly) {
  fakes::MemoryEstate estate;
  Datasets datasets;
  std::vector<std::string> declared;
  std::string rows;
  for (int tenant = 0; tenant < 50; ++tenant) declared.push_back(fmt::format("t{:02}", tenant));
  for (int row = 0; row < 500; ++row) {
    rows += fmt::format("{{\"tenant_id\":\"t{:02}\",\"run_id\":\"r{}\",\"status\":\"FAILED\",\"started_at\":\"2026-01-01 00:00:00\"}}\n", row % 49, row);
  }
  rows += "{\"tenant_id\":\"nobody\"}\n{\"run_id\":\"r\"}\n{\"tenant_id\":5}\n{\"tenant_id\":\"t05\",\"started_at\":5}\n{\"tenant_id\":\"t05\"\n";
  estate.Put("metadata", "pipeline_runs", rows);
  estate.Put("metadata", "api_keys", "{\"colour\":1,\"tenant_id\":\"t01\"}\n");
  const CarrierMap map = CarrierMap::Build(*estate.List(), declared);
  SharedCarriers shared(estate, map, 700);
  std::vector<bool> counted;
  ASSERT_TRUE(shared.Scan([](size_t, const Row&) {}, [&](bool counts) { counted.push_back(counts); }));
  EXPECT_EQ(counted, (std::vector<bool>{false, true}));
  EXPECT_EQ(shared.rejected(), 4U);
  std::set<std::string> ids;
  int rejected = 0;
  for (size_t tenant = 0; tenant < 50; ++tenant) {
    const auto window = shared.WindowOf(tenant);
    ASSERT_TRUE(window);
    ASSERT_EQ(*window == nullptr, tenant == 49) << tenant;
    if (tenant == 49) break;
    EXPECT_LE((*window)->end - (*window)->begin, 3U);
    std::string_view bytes = (*window)->Of(tenant);
    while (!bytes.empty()) {
      PackedRow packed;
      UnpackRow(&bytes, &packed);
      if (packed.rejected) {
        EXPECT_EQ(tenant, 5U);
        ++rejected;
        continue;
      }
      EXPECT_EQ(packed.row.Text(run_field::kTenant), map.tenants()[tenant]);
      EXPECT_TRUE(ids.emplace(packed.row.Text(run_field::kId)).second);
    }
  }
  EXPECT_EQ(ids.size(), 500U);
  EXPECT_EQ(rejected, 1);
}

}  // namespace
}  // namespace reeve::migrate::witness
