#include "migrate/estate_map.h"

#include <gtest/gtest.h>

#include <algorithm>

// Every rule of docs/mapping.md §1 about names; what rows say is the copier's business.

namespace reeve::migrate {
namespace {

using catalog::LegacyKind;
using legacy::Dataset;

constexpr const char* kKeys = "x_meta_api_keys";
constexpr const char* kCredentials = "x_meta_cloud_credentials";
constexpr const char* kRuns = "x_meta_pipeline_runs";
const std::vector<std::string> kSignature = {kKeys, kCredentials, kRuns};

Dataset Make(const std::string& name, std::vector<std::string> tables) {
  Dataset dataset;
  dataset.name = name;
  std::sort(tables.begin(), tables.end());
  for (const std::string& table : tables) {
    legacy::LegacyTable made;
    made.dataset = name;
    made.name = table;
    made.bytes = 10;
    made.parts = {{name + "/" + table + ".json", 10}};
    dataset.tables.push_back(std::move(made));
  }
  return dataset;
}

std::vector<std::string> Names(const EstateMap& map) {
  std::vector<std::string> names;
  for (const Tenant& tenant : map.tenants) names.push_back(tenant.name);
  return names;
}

std::string ReasonOf(const EstateMap& map, std::string_view dataset) {
  std::string reason = "not skipped";
  for (const Skipped& skipped : map.skipped)
    if (skipped.dataset == dataset) reason = skipped.reason;
  return reason;
}

std::vector<std::string> TablesOf(const std::vector<CarrierTable>& tables) {
  std::vector<std::string> names;
  for (const CarrierTable& table : tables)
    names.push_back(std::string(catalog::LegacyKindName(table.kind)) + " " + table.table.dataset + "." + table.table.name);
  return names;
}

using Strings = std::vector<std::string>;

TEST(EstateMap, ADatasetWithTheThreeSignatureTablesIsATenant) {
  const EstateMap map = MapEstate({Make("acme", kSignature)}, {});
  ASSERT_EQ(Names(map), Strings{"acme"});
  const Tenant& acme = map.tenants[0];
  EXPECT_EQ(acme.dataset_id, "acme");
  EXPECT_EQ(acme.bytes, 30u);
  EXPECT_EQ(TablesOf(acme.tables), (Strings{"keys acme.x_meta_api_keys", "credentials acme.x_meta_cloud_credentials", "runs acme.x_meta_pipeline_runs"}));
  EXPECT_TRUE(map.skipped.empty());
  EXPECT_TRUE(map.findings.empty());
}

TEST(EstateMap, ThePrefixOfTheTablesDoesNotMatter) {
  const EstateMap map = MapEstate({Make("acme", {"api_keys", "cloud_credentials", "x_meta_pipeline_runs", "tenants"}),
                                   Make("bolt", {"x_meta_api_keys", "x_meta_tenants", "cloud_credentials", "pipeline_runs"})}, {});
  EXPECT_EQ(Names(map), (Strings{"acme", "bolt"}));
  EXPECT_EQ(map.Find("acme")->tables.size(), 4u);
  EXPECT_EQ(map.Find("bolt")->tables.size(), 4u);
}

TEST(EstateMap, EachKindHasItsTableNames) {
  const struct {
    const char* table;
    LegacyKind kind;
  } names[] = {{"api_keys", LegacyKind::kKeys},
               {"cloud_credentials", LegacyKind::kCredentials},
               {"customer_cloud_credentials", LegacyKind::kCredentials},
               {"tenant_cloud_credentials", LegacyKind::kCredentials},
               {"org_cloud_credentials", LegacyKind::kCredentials},
               {"org_integration_credentials", LegacyKind::kCredentials},
               {"pipeline_runs", LegacyKind::kRuns},
               {"tenant_pipeline_runs", LegacyKind::kRuns},
               {"org_meta_pipeline_runs", LegacyKind::kRuns},
               {"tenants", LegacyKind::kRecord}};
  for (const auto& [table, kind] : names) {
    for (const std::string& name : {std::string(table), "x_meta_" + std::string(table)}) {
      const EstateMap map = MapEstate({Make("acme", {name})}, {"acme"});
      ASSERT_EQ(map.tenants[0].tables.size(), 1u) << name;
      EXPECT_EQ(map.tenants[0].tables[0].kind, kind) << name;
    }
  }
}

TEST(EstateMap, TheKeyTablesOfTheSharedDatasetsAreKeysOnlyThere) {
  const std::pair<const char*, const char*> homes[] = {
      {"customers", "customer_api_keys"}, {"tenants", "tenant_api_keys"}, {"organizations", "org_api_keys"}};
  for (const auto& [home, table] : homes) {
    EstateMap map = MapEstate({Make(home, {table}), Make("metadata", {table})}, {});
    EXPECT_EQ(TablesOf(map.shared), Strings{std::string("keys ") + home + "." + table});
    EXPECT_EQ(map.not_read, Strings{std::string("metadata.") + table});
    map = MapEstate({Make("acme", {table})}, {"acme"});
    EXPECT_TRUE(map.tenants[0].tables.empty()) << table;
  }
}

TEST(EstateMap, TheFourSharedDatasetsAreReadAndAreNoTenants) {
  std::vector<Dataset> datasets;
  for (const char* name : {"metadata", "customers", "tenants", "organizations"}) datasets.push_back(Make(name, kSignature));
  const EstateMap map = MapEstate(std::move(datasets), {});
  EXPECT_TRUE(map.tenants.empty());
  EXPECT_TRUE(map.skipped.empty());
  EXPECT_EQ(map.shared.size(), 12u);
}

TEST(EstateMap, ARecordTableInASharedDatasetIsNotRead) {
  const EstateMap map = MapEstate({Make("metadata", {"tenants", "api_keys"})}, {});
  EXPECT_EQ(TablesOf(map.shared), Strings{"keys metadata.api_keys"});
  EXPECT_EQ(map.not_read, Strings{"metadata.tenants"});
}

TEST(EstateMap, ATenantOwnsItsMetadataAndProdDatasets) {
  const EstateMap map = MapEstate({Make("acme", {kKeys}), Make("acme_metadata", {kCredentials}), Make("acme_prod", {kRuns, "cur_daily"})}, {});
  ASSERT_EQ(Names(map), Strings{"acme"});
  EXPECT_EQ(TablesOf(map.tenants[0].tables),
            (Strings{"keys acme.x_meta_api_keys", "credentials acme_metadata.x_meta_cloud_credentials", "runs acme_prod.x_meta_pipeline_runs"}));
  EXPECT_EQ(map.not_read, Strings{"acme_prod.cur_daily"});
  EXPECT_EQ(map.tenants[0].bytes, 30u);
}

TEST(EstateMap, TheDatasetIdIsTheFirstThatExists) {
  const struct {
    Strings present;
    const char* id;
  } cases[] = {{{"acme", "acme_metadata", "acme_prod"}, "acme"}, {{"acme_metadata", "acme_prod"}, "acme_metadata"}, {{"acme_prod"}, "acme_prod"}};
  for (const auto& [present, id] : cases) {
    std::vector<Dataset> datasets;
    for (const std::string& name : present) datasets.push_back(Make(name, kSignature));
    const EstateMap map = MapEstate(std::move(datasets), {});
    ASSERT_EQ(Names(map), Strings{"acme"});
    EXPECT_EQ(map.tenants[0].dataset_id, id);
  }
  const EstateMap map = MapEstate({}, {"acme"});
  ASSERT_EQ(Names(map), Strings{"acme"});
  EXPECT_EQ(map.tenants[0].dataset_id, "acme");
}

TEST(EstateMap, EnvironmentCopiesAreSkipped) {
  const EstateMap map = MapEstate({Make("acme", kSignature), Make("acme_local", kSignature), Make("acme_stage", kSignature), Make("zed_local", {})}, {});
  EXPECT_EQ(Names(map), Strings{"acme"});
  EXPECT_EQ(map.tenants[0].tables.size(), 3u);
  for (const char* name : {"acme_local", "acme_stage", "zed_local"}) EXPECT_EQ(ReasonOf(map, name), "environment copy") << name;
}

TEST(EstateMap, TheCentralDatasetIsSkipped) {
  const EstateMap map = MapEstate({Make("customers_metadata", {"customers", "api_keys", "cloud_credentials", "pipeline_runs"})}, {});
  EXPECT_TRUE(map.tenants.empty());
  EXPECT_EQ(ReasonOf(map, "customers_metadata"), "central dataset");
}

TEST(EstateMap, EverythingElseIsSkippedNamingWhatIsThere) {
  const EstateMap map = MapEstate({Make("acme_raw_gcp", {"billing"}), Make("scratch", {}), Make("wide", {"a", "b", "c", "d", "e", "f"})}, {});
  EXPECT_TRUE(map.tenants.empty());
  EXPECT_EQ(ReasonOf(map, "acme_raw_gcp"), "no signature tables (billing)");
  EXPECT_EQ(ReasonOf(map, "scratch"), "no signature tables (no tables)");
  EXPECT_EQ(ReasonOf(map, "wide"), "no signature tables (a, b, c, d, e, …)");
}

TEST(EstateMap, AnIncompleteSignatureIsSkippedNamingWhatIsMissing) {
  const struct {
    Strings tables;
    const char* missing;
  } cases[] = {{{kKeys}, "credentials, runs"}, {{kCredentials}, "keys, runs"},        {{kRuns}, "keys, credentials"},
               {{kKeys, kRuns}, "credentials"}, {{kCredentials, kRuns}, "keys"}, {{kKeys, kCredentials, "x_meta_tenants"}, "runs"}};
  for (const auto& [tables, missing] : cases) {
    const EstateMap map = MapEstate({Make("acme", tables)}, {});
    EXPECT_TRUE(map.tenants.empty());
    EXPECT_EQ(ReasonOf(map, "acme"), std::string("incomplete signature: lacks ") + missing);
    EXPECT_TRUE(map.skipped[0].incomplete_signature);
  }
  const EstateMap alone = MapEstate({Make("acme", {"x_meta_tenants"})}, {});
  EXPECT_EQ(ReasonOf(alone, "acme"), "no signature tables (x_meta_tenants)");
  EXPECT_FALSE(alone.skipped[0].incomplete_signature);
}

TEST(EstateMap, WhatIsDeclaredIsATenantWhateverItLooksLike) {
  for (const char* name : {"plain", "acme_local", "customers_metadata", "metadata", "acme_metadata", "acme_prod"}) {
    const EstateMap map = MapEstate({Make(name, {"something"})}, {name});
    EXPECT_EQ(Names(map), Strings{name});
    EXPECT_TRUE(map.skipped.empty()) << name;
    EXPECT_EQ(map.tenants[0].dataset_id, name);
  }
}

TEST(EstateMap, NoSuffixIsTakenFromADeclaredName) {
  // given a tenant that is really called data_prod, and a tenant data
  const EstateMap map = MapEstate({Make("data", kSignature), Make("data_prod", kSignature), Make("data_prod_metadata", {"api_keys"})}, {"data_prod"});
  ASSERT_EQ(Names(map), (Strings{"data", "data_prod"}));
  EXPECT_EQ(map.Find("data")->tables.size(), 3u);
  EXPECT_EQ(TablesOf(map.Find("data_prod")->tables),
            (Strings{"keys data_prod.x_meta_api_keys", "credentials data_prod.x_meta_cloud_credentials", "runs data_prod.x_meta_pipeline_runs",
                     "keys data_prod_metadata.api_keys"}));
}

TEST(EstateMap, ADeclaredTenantWithoutADatasetIsKept) {
  const EstateMap map = MapEstate({Make("metadata", {"api_keys"})}, {"ghost"});
  ASSERT_EQ(Names(map), Strings{"ghost"});
  EXPECT_TRUE(map.tenants[0].tables.empty());
}

TEST(EstateMap, NamesOutsideTheAlphabetAreSkipped) {
  const std::string longest(1024, 'a');
  const std::string too_long(1025, 'a');
  std::vector<Dataset> datasets;
  const Strings bad = {"", "a-b", "a b", "a.b", "\xC3\xB6" "cme", "a\nb", std::string("a\0b", 3), too_long};
  for (const std::string& name : bad) datasets.push_back(Make(name, kSignature));
  datasets.push_back(Make(longest, kSignature));
  const EstateMap map = MapEstate(std::move(datasets), {});
  EXPECT_EQ(Names(map), Strings{longest});
  for (const std::string& name : bad) EXPECT_EQ(ReasonOf(map, name), "invalid name") << name;
}

TEST(EstateMap, ASuffixAloneIsAName) {
  const EstateMap map = MapEstate({Make("_metadata", kSignature), Make("_prod", kSignature), Make("_local", kSignature)}, {});
  EXPECT_EQ(Names(map), (Strings{"_local", "_metadata", "_prod"}));
}

TEST(EstateMap, NamesThatDifferOnlyInCaseAreTwoTenantsAndAFindingOnEach) {
  const EstateMap map = MapEstate({Make("Acme", kSignature), Make("acme", kSignature), Make("ACME", kSignature), Make("bolt", kSignature)}, {});
  EXPECT_EQ(Names(map), (Strings{"ACME", "Acme", "acme", "bolt"}));
  Strings pairs;
  for (const EstateFinding& finding : map.findings) {
    EXPECT_EQ(finding.code, "case_collision");
    pairs.push_back(finding.tenant + " " + finding.subject);
  }
  std::sort(pairs.begin(), pairs.end());
  EXPECT_EQ(pairs, (Strings{"ACME Acme", "ACME acme", "Acme ACME", "Acme acme", "acme ACME", "acme Acme"}));
}

TEST(EstateMap, NamesTheApiCannotUseAreFindings) {
  const EstateMap map = MapEstate({Make("ab", kSignature), Make("abc", kSignature), Make(std::string(50, 'x'), kSignature),
                                   Make(std::string(51, 'y'), kSignature)}, {});
  EXPECT_EQ(map.tenants.size(), 4u);
  Strings found;
  for (const EstateFinding& finding : map.findings)
    if (finding.code == "tenant_id_out_of_range") found.push_back(finding.tenant);
  EXPECT_EQ(found, (Strings{"ab", std::string(51, 'y')}));
}

TEST(EstateMap, FilesThatAreNoTablesAreReported) {
  Dataset acme = Make("acme", kSignature);
  acme.unread = {"notes.txt"};
  acme.tables.push_back(Make("acme", {"billing"}).tables[0]);
  const EstateMap map = MapEstate({acme}, {});
  Strings not_read = map.not_read;
  std::sort(not_read.begin(), not_read.end());
  EXPECT_EQ(not_read, (Strings{"acme.billing", "acme/notes.txt"}));
}

TEST(EstateMap, FindIsExact) {
  const EstateMap map = MapEstate({Make("acme", kSignature), Make("bolt", kSignature)}, {});
  EXPECT_EQ(map.Find("bolt"), &map.tenants[1]);
  for (const char* name : {"", "Acme", "acm", "acme_", "zzz"}) EXPECT_EQ(map.Find(name), nullptr) << name;
}

TEST(EstateMap, TheOrderOfTheListingDoesNotMatter) {
  const std::vector<Dataset> forward = {Make("acme", {kKeys}), Make("acme_prod", {kRuns}), Make("acme_metadata", {kCredentials}), Make("zed", kSignature)};
  const std::vector<Dataset> backward(forward.rbegin(), forward.rend());
  const EstateMap one = MapEstate(forward, {});
  const EstateMap two = MapEstate(backward, {});
  ASSERT_EQ(Names(one), Names(two));
  for (size_t i = 0; i < one.tenants.size(); ++i) EXPECT_EQ(TablesOf(one.tenants[i].tables), TablesOf(two.tenants[i].tables));
}

}  // namespace
}  // namespace reeve::migrate
