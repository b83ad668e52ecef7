#include "catalog/ddl.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace reeve::catalog {
namespace {

std::string SourcePath(const std::string& name) {
  const char* root = std::getenv("REEVE_SOURCE_DIR");
  return std::string(root == nullptr ? "." : root) + "/" + name;
}

// Compares with a file kept in the repository, or rewrites it.
void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = SourcePath(name);
  if (std::getenv("REEVE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::stringstream kept;
  kept << file.rdbuf();
  EXPECT_EQ(kept.str(), text) << name << " differs from the catalog; if that is meant, run this test with REEVE_UPDATE_GOLDEN=1 "
                              << "and review the diff";
}

TEST(SchemaScript, EqualsItsGoldenFile) {
  ExpectGolden("tests/golden/schema.sqlite.sql", SchemaScript(Engine::kSqlite, "", true, false));
  ExpectGolden("tests/golden/schema.postgres.sql", SchemaScript(Engine::kPostgres, "customers_metadata", true, true));
  ExpectGolden("tests/golden/schema.bigquery.sql", SchemaScript(Engine::kBigQuery, "customers_metadata", true, true));
}

TEST(ReferencePage, EqualsDocsTables) { ExpectGolden("docs/tables.md", ReferencePage()); }

std::string BigQueryTable(const Table& table) { return CreateStatements(table, Engine::kBigQuery, "p-1.d")[0]; }

TEST(BigQueryDdl, DefaultStandsBeforeNotNull) {
  for (const auto& tables : {CentralTables(), OwnTables()}) {
    for (const Table& table : tables) {
      const std::string ddl = BigQueryTable(table);
      EXPECT_EQ(ddl.find("NOT NULL DEFAULT"), std::string::npos) << ddl;
    }
  }
  EXPECT_NE(BigQueryTable(Customers()).find("status STRING DEFAULT 'active' NOT NULL"), std::string::npos);
}

TEST(BigQueryDdl, ADateColumnPartitionsByItself) {
  EXPECT_NE(BigQueryTable(Subscriptions()).find("PARTITION BY billing_cycle_start\n"), std::string::npos);
  EXPECT_NE(BigQueryTable(Usage()).find("PARTITION BY usage_month\n"), std::string::npos);
  EXPECT_NE(BigQueryTable(Customers()).find("PARTITION BY DATE(created_at)\n"), std::string::npos);
}

TEST(BigQueryDdl, ClustersByTheLookupKeyFirst) {
  EXPECT_NE(BigQueryTable(ApiKeys()).find("CLUSTER BY api_key_hash, "), std::string::npos);
}

TEST(BigQueryDdl, ArraysAreNeverNotNullAndNamesAreQualified) {
  const std::string ddl = BigQueryTable(ApiKeys());
  EXPECT_EQ(ddl.find("ARRAY<STRING> NOT NULL"), std::string::npos);
  EXPECT_TRUE(ddl.starts_with("CREATE TABLE IF NOT EXISTS `p-1.d.customer_api_keys` (")) << ddl;
}

TEST(Ddl, EveryStatementIsIdempotent) {
  for (const Engine engine : {Engine::kSqlite, Engine::kPostgres, Engine::kBigQuery}) {
    for (const Table& table : CentralTables()) {
      for (const std::string& statement : CreateStatements(table, engine, "d")) {
        EXPECT_NE(statement.find("IF NOT EXISTS"), std::string::npos) << statement;
      }
    }
  }
}

TEST(Ddl, WhatAMigrationMakesHasNoIndexThatOnlyServingNeedsAndThePrintedSchemaHas) {
  const std::string name = "customer_usage_by_usage_month";
  for (const std::string& statement : CreateStatements(Usage(), Engine::kSqlite, "")) EXPECT_EQ(statement.find(name), std::string::npos) << statement;
  EXPECT_EQ(CreateServingIndexes(Usage(), Engine::kSqlite, "").size(), ServingIndexes(Usage()).size());
  EXPECT_NE(SchemaScript(Engine::kSqlite, "", false, false).find(name), std::string::npos);
}

TEST(Ddl, PoliciesCoverEveryCentralTable) {
  const std::string postgres = SchemaScript(Engine::kPostgres, "d", false, true);
  const std::string bigquery = SchemaScript(Engine::kBigQuery, "d", false, true);
  for (const Table& table : CentralTables()) {
    EXPECT_NE(postgres.find(fmt::format("ALTER TABLE d.{} FORCE ROW LEVEL SECURITY", table.name)), std::string::npos);
    EXPECT_NE(bigquery.find(fmt::format("ROW ACCESS POLICY reeve_analysts ON d.{}\n", table.name)), std::string::npos);
  }
  EXPECT_EQ(SchemaScript(Engine::kBigQuery, "d", false, false).find("POLICY"), std::string::npos);
}

TEST(ParseEngine, KnowsTheThree) {
  EXPECT_EQ(ParseEngine("bigquery"), Engine::kBigQuery);
  EXPECT_EQ(ParseEngine("SQLite"), std::nullopt);
}

}  // namespace
}  // namespace reeve::catalog
