#include "store/bigquery/dataset_tables.h"

#include <gtest/gtest.h>

namespace reeve::store {
namespace {

using bigquery::Field;
using bigquery::FieldType;
using bigquery::Mode;
using bigquery::TableInfo;

const DatasetName kDataset{"p", "central"};

TableInfo InfoOf(const catalog::Table& table) {
  TableInfo info;
  static_cast<bigquery::TableSpec&>(info) = SpecOf(table, kDataset);
  info.kind = "TABLE";
  return info;
}

Field& FieldOf(TableInfo* info, std::string_view name) {
  for (Field& field : info->schema)
    if (field.name == name) return field;
  REEVE_ASSERT(false);
  return info->schema.front();
}

std::vector<std::string> Said(const std::vector<Drift>& drift) {
  std::vector<std::string> said;
  for (const Drift& one : drift) said.push_back(one.table + ": " + one.what);
  return said;
}

TEST(DatasetTables, AreTheCatalogsAndTheOneThatOnlyBigQueryNeeds) {
  const auto& tables = DatasetTables();
  EXPECT_EQ(tables.size(), catalog::CentralTables().size() + catalog::OwnTables().size() + 1);
  EXPECT_EQ(tables.front(), &catalog::Customers()) << "others name its rows";
  EXPECT_EQ(tables.back(), &ExactCells());
  EXPECT_EQ(catalog::FindTable(ExactCells().name), nullptr);
}

TEST(DatasetTables, AreDeclaredAsTheCatalogSays) {
  const bigquery::TableSpec keys = SpecOf(catalog::ApiKeys(), kDataset);
  EXPECT_EQ(keys.id.Quoted(), "`p.central.customer_api_keys`");
  EXPECT_EQ(keys.partition_field, "created_at");
  EXPECT_EQ(keys.clustering, (std::vector<std::string>{"api_key_hash", "customer_id", "is_active"}));
  EXPECT_FALSE(keys.description.empty());
  TableInfo info = InfoOf(catalog::ApiKeys());
  EXPECT_EQ(FieldOf(&info, "encrypted_api_key").type, FieldType::kBytes);
  EXPECT_EQ(FieldOf(&info, "encrypted_api_key").mode, Mode::kRequired);
  EXPECT_EQ(FieldOf(&info, "scopes").mode, Mode::kRepeated) << "arrays have no NULL";
  EXPECT_EQ(FieldOf(&info, "is_active").default_expression, "TRUE");
  TableInfo usage = InfoOf(catalog::Usage());
  EXPECT_EQ(FieldOf(&usage, "compute_hours").precision, 15);
  EXPECT_EQ(FieldOf(&usage, "compute_hours").scale, 2);
  EXPECT_EQ(usage.partition_field, "usage_month");
}

TEST(CompareTable, ATableAsDeclaredDoesNotDiffer) {
  for (const catalog::Table* table : DatasetTables()) {
    TableInfo info = InfoOf(*table);
    std::reverse(info.schema.begin(), info.schema.end());
    info.description = "something else";
    for (Field& field : info.schema) field.default_expression = field.default_expression == "TRUE" ? "true" : field.default_expression;
    const TableDrift drift = CompareTable(*table, info);
    EXPECT_TRUE(drift.columns.empty() && drift.layout.empty()) << table->name;
  }
}

TEST(CompareTable, NamesTheColumnsThatDiffer) {
  TableInfo info = InfoOf(catalog::Subscriptions());
  FieldOf(&info, "plan_name").type = FieldType::kInt64;
  FieldOf(&info, "auto_renew").mode = Mode::kNullable;
  FieldOf(&info, "monthly_cost_usd").precision = 12;
  FieldOf(&info, "stripe_customer_id").name = "colour";
  EXPECT_EQ(Said(CompareTable(catalog::Subscriptions(), info).columns),
            (std::vector<std::string>{"customer_subscriptions: column plan_name is of another type than STRING",
                                      "customer_subscriptions: column monthly_cost_usd is of another type than NUMERIC",
                                      "customer_subscriptions: column auto_renew is NULLABLE and not REQUIRED",
                                      "customer_subscriptions: column stripe_customer_id is missing",
                                      "customer_subscriptions: column colour is not in the catalog"}));
}

TEST(CompareTable, LayoutIsDriftButNoObstacle) {
  TableInfo info = InfoOf(catalog::Customers());
  FieldOf(&info, "status").default_expression = "'new'";
  info.partition_field.clear();
  info.clustering.pop_back();
  const TableDrift drift = CompareTable(catalog::Customers(), info);
  EXPECT_TRUE(drift.columns.empty());
  EXPECT_EQ(Said(drift.layout), (std::vector<std::string>{"customers: column status has another default", "customers: it is partitioned otherwise",
                                                          "customers: it is clustered otherwise"}));
}

TEST(CompareTable, AViewIsNoTable) {
  TableInfo info = InfoOf(catalog::Customers());
  info.kind = "VIEW";
  EXPECT_EQ(Said(CompareTable(catalog::Customers(), info).columns), (std::vector<std::string>{"customers: it is a VIEW and no table"}));
}

}  // namespace
}  // namespace reeve::store
