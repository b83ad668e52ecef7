#include "store/bigquery/merge_script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace reeve::store {
namespace {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;

const DatasetName kDataset{"my-project", "central"};

std::string Line(const Table& table, bool put, std::initializer_list<std::pair<std::string_view, Cell>> cells, std::string_view tenant = "") {
  RowBatch rows(table);
  const auto row = rows.AddRow();
  for (const auto& [name, cell] : cells) row[table.Index(name)] = cell;
  std::string line;
  AppendStagedRow({&table, put, tenant, 7, row}, "b-1", &line);
  return line;
}

TEST(MergeScript, IsOneTransactionThatEndsWithTheFenceApplied) {
  const std::vector<ScriptTable> tables = {{&catalog::ReeveUsageRuns(), false}, {&catalog::ReeveMeta(), false}};
  EXPECT_EQ(MergeScript(kDataset, StagedBatch{"b-1", 12, "reeve_staging"}, tables),
            "BEGIN TRANSACTION;\n"
            "SELECT CAST(IF(COUNT(*) = 12 AND COUNTIF(reeve_batch = 'b-1') = 12, '1', 'the staged rows are not those of this merge') AS INT64) AS staged FROM "
            "`my-project.central.reeve_staging`;\n"
            "DELETE FROM `my-project.central.reeve_staging` s WHERE EXISTS (SELECT 1 FROM `my-project.central.reeve_tenants` t WHERE t.tenant_id = s.reeve_tenant "
            "AND t.attempt > CAST(s.reeve_attempt AS INT64));\n"
            "MERGE `my-project.central.reeve_usage_runs` t USING `my-project.central.reeve_staging` s ON s.reeve_table = 'reeve_usage_runs' AND "
            "t.tenant_id = s.tenant_id AND t.usage_month = CAST(s.usage_month AS DATE)\n"
            "WHEN MATCHED AND s.reeve_op = 'delete' THEN DELETE\n"
            "WHEN MATCHED AND s.reeve_op = 'put' THEN UPDATE SET runs = FROM_BASE64(s.runs)\n"
            "WHEN NOT MATCHED AND s.reeve_table = 'reeve_usage_runs' AND s.reeve_op = 'put' THEN INSERT (tenant_id, usage_month, runs) VALUES "
            "(s.tenant_id, CAST(s.usage_month AS DATE), FROM_BASE64(s.runs));\n"
            "MERGE `my-project.central.reeve_meta` t USING `my-project.central.reeve_staging` s ON s.reeve_table = 'reeve_meta' AND t.key = s.key\n"
            "WHEN MATCHED AND s.reeve_op = 'delete' THEN DELETE\n"
            "WHEN MATCHED AND s.reeve_op = 'put' THEN UPDATE SET value = s.value\n"
            "WHEN NOT MATCHED AND s.reeve_table = 'reeve_meta' AND s.reeve_op = 'put' THEN INSERT (key, value) VALUES (s.key, s.value);\n"
            "COMMIT TRANSACTION;\nTRUNCATE TABLE `my-project.central.reeve_staging`;\n");
}

TEST(MergeScript, WhereTwinsAreTheRowsAreReplacedAsAWhole) {
  const std::vector<ScriptTable> tables = {{&catalog::ReeveMeta(), true}};
  const std::string script = MergeScript(kDataset, StagedBatch{"b-1", 12, "reeve_staging"}, tables);
  EXPECT_NE(script.find("DELETE FROM `my-project.central.reeve_meta` t WHERE EXISTS (SELECT 1 FROM `my-project.central.reeve_staging` s WHERE "
                        "s.reeve_table = 'reeve_meta' AND t.key = s.key);\n"
                        "INSERT INTO `my-project.central.reeve_meta` (key, value) SELECT s.key, s.value FROM `my-project.central.reeve_staging` s WHERE "
                        "s.reeve_table = 'reeve_meta' AND s.reeve_op = 'put';\n"),
            std::string::npos)
      << script;
}

TEST(MergeScript, EveryColumnIsWrittenAndNoParameterUsed) {
  std::vector<ScriptTable> all;
  for (const Table* table : DatasetTables()) all.push_back({table, false});
  const std::string script = MergeScript(kDataset, StagedBatch{"b-1", 12, "reeve_staging"}, all);
  EXPECT_EQ(script.find('@'), std::string::npos);
  EXPECT_LT(script.size(), 100'000u) << "a query's text may have 1,024,000 characters";
  for (const Table* table : DatasetTables()) {
    for (const catalog::Column& column : table->columns) {
      if (std::find(table->merge_key.begin(), table->merge_key.end(), column.name) != table->merge_key.end()) continue;
      EXPECT_NE(script.find(fmt::format("{} = ", column.name)), std::string::npos) << table->name << "." << column.name;
    }
  }
}

TEST(MergeScript, IsTheSameAgainFromItsDescription) {
  const std::vector<ScriptTable> tables = {{&catalog::ReeveUsageRuns(), false}, {&catalog::ReeveMeta(), true}};
  const StagedBatch batch{"b-1", 12, "reeve_staging_3"};
  const std::string description = DescribeScript(batch, tables);
  EXPECT_EQ(description, "b-1 12 reeve_staging_3 reeve_usage_runs,reeve_meta+");
  EXPECT_EQ(ScriptFromDescription(kDataset, description), MergeScript(kDataset, batch, tables));
  for (const char* other : {"", "b-1", "b-1 12", "b-1 12 reeve_staging", "b-1 12 reeve_meta", "b'1 12 reeve_staging reeve_meta", "b-1 x reeve_staging reeve_meta",
                            "b-1 12 reeve_staging elsewhere", "b-1 12 reeve_runs reeve_meta", "reeve_stg_a_1 reeve_meta"})
    EXPECT_FALSE(ScriptFromDescription(kDataset, other)) << other;
}

// 1,500 loads a day and table: whoever merges every ten seconds must not come to that.
TEST(StagingTable, IsAnotherOneBeforeBigQueryTakesNoMoreLoads) {
  EXPECT_EQ(StagingTableOf(1), "reeve_staging");
  EXPECT_EQ(StagingTableOf(999), "reeve_staging");
  EXPECT_EQ(StagingTableOf(1'000), "reeve_staging_1");
  EXPECT_EQ(StagingTableOf(8'640), "reeve_staging_8");
  for (const char* name : {"reeve_staging", "reeve_staging_1", "reeve_staging_80"}) EXPECT_TRUE(IsStagingTable(name)) << name;
  for (const char* name : {"reeve_stagin", "reeve_staging_", "reeve_staging_x", "reeve_staging1", "reeve_runs"}) EXPECT_FALSE(IsStagingTable(name)) << name;
}

TEST(StagingSchema, HasAColumnForEveryNameAndOnlyTexts) {
  std::set<std::string> names;
  for (const bigquery::Field& field : StagingSchema()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_EQ(field.type, bigquery::FieldType::kString);
    EXPECT_EQ(field.mode, bigquery::Mode::kNullable);
  }
  for (const Table* table : DatasetTables())
    for (const catalog::Column& column : table->columns) EXPECT_TRUE(names.contains(std::string(column.name)));
}

TEST(StagedRow, SaysEveryTypeAsText) {
  EXPECT_EQ(Line(catalog::Usage(), true,
                 {{"tenant_id", Cell::Text("a\"b")}, {"usage_month", Cell::Int(20'089)}, {"storage_used_gb", Cell::Int(-5)}, {"pipelines_run_count", Cell::Int(3)},
                  {"last_pipeline_run_at", Cell::Int(-1)}},
                 "a\"b"),
            "{\"reeve_batch\":\"b-1\",\"reeve_table\":\"customer_usage\",\"reeve_op\":\"put\",\"reeve_tenant\":\"a\\\"b\",\"reeve_attempt\":\"7\",\"tenant_id\":\"a\\\"b\","
            "\"usage_month\":\"2025-01-01\",\"pipelines_run_count\":\"3\",\"storage_used_gb\":\"-0.05\",\"last_pipeline_run_at\":\"-1\"}\n");
  EXPECT_EQ(Line(catalog::ApiKeys(), true,
                 {{"encrypted_api_key", Cell::Text(std::string_view("\x00\xFF", 2))}, {"scopes", Cell::Text("[ \"x\" ]")}, {"is_active", Cell::Int(0)}}),
            "{\"reeve_batch\":\"b-1\",\"reeve_table\":\"customer_api_keys\",\"reeve_op\":\"put\",\"encrypted_api_key\":\"AP8=\",\"scopes\":\"[\\\"x\\\"]\",\"is_active\":\"false\"}\n");
}

TEST(StagedRow, ADeletionNamesTheKeyAlone) {
  EXPECT_EQ(Line(catalog::ReeveMeta(), false, {{"key", Cell::Text("k")}, {"value", Cell::Text("v")}}),
            "{\"reeve_batch\":\"b-1\",\"reeve_table\":\"reeve_meta\",\"reeve_op\":\"delete\",\"key\":\"k\"}\n");
}

TEST(IntegrityQuery, LooksForTwinsOfEveryRuleAndForOrphansAndHidesVerifiers) {
  const std::string query = IntegrityQuery(kDataset);
  EXPECT_NE(query.find("(SELECT CONCAT('customer_usage: usage_id ', usage_id, ' occurs ', CAST(COUNT(*) AS STRING), ' times') AS finding FROM "
                       "`my-project.central.customer_usage` GROUP BY usage_id HAVING COUNT(*) > 1 LIMIT 100)"),
            std::string::npos)
      << query;
  EXPECT_NE(query.find("'customer_api_keys: api_key_hash ', SUBSTR(api_key_hash, 1, 12)"), std::string::npos);
  EXPECT_NE(query.find("WHERE billing_cycle_end IS NULL GROUP BY customer_id"), std::string::npos);
  EXPECT_NE(query.find("LEFT JOIN `my-project.central.customers` c ON c.customer_id = t.customer_id AND c.tenant_id = t.tenant_id WHERE c.customer_id IS NULL"),
            std::string::npos);
}

}  // namespace
}  // namespace reeve::store
