#include "catalog/table.h"

#include <gtest/gtest.h>

#include <set>

#include "catalog/ddl.h"

namespace reeve::catalog {
namespace {

std::vector<const Table*> All() {
  std::vector<const Table*> all;
  for (const auto& tables : {CentralTables(), OwnTables()}) {
    for (const Table& table : tables) all.push_back(&table);
  }
  return all;
}

// One line per column: name, type, whether it is required, default; as step 1 of the platform's guide lists them.
std::string Shape(const Table& table) {
  std::string shape;
  for (const Column& column : table.columns) {
    shape.append(fmt::format("{} {}", column.name, TypeName(column.type)));
    if (column.type == Type::kNumeric) shape.append(fmt::format("({},{})", column.precision, column.scale));
    if (column.required) shape.append(" NOT NULL");
    if (!column.default_value.empty()) shape.append(fmt::format(" DEFAULT {}", column.default_value));
    shape.append("\n");
  }
  return shape;
}

TEST(CentralTables, AreTheSevenOfTheContractInOrder) {
  std::vector<std::string_view> names;
  for (const Table& table : CentralTables()) names.push_back(table.name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"customers", "customer_subscriptions", "customer_api_keys", "customer_credentials",
                                                  "customer_usage", "customer_audit_logs", "customer_invitations"}));
}

TEST(CentralTables, ColumnsAreThoseOfTheGuide) {
  EXPECT_EQ(Shape(Customers()),
            "customer_id STRING NOT NULL\ntenant_id STRING NOT NULL\ncompany_name STRING NOT NULL\ncontact_email STRING\n"
            "subscription_plan STRING NOT NULL DEFAULT 'starter'\nstatus STRING NOT NULL DEFAULT 'active'\n"
            "dataset_id STRING NOT NULL\ncreated_at TIMESTAMP NOT NULL\nupdated_at TIMESTAMP NOT NULL\nmetadata JSON\n");
  EXPECT_EQ(Shape(Subscriptions()),
            "subscription_id STRING NOT NULL\ncustomer_id STRING NOT NULL\nplan_name STRING NOT NULL\n"
            "monthly_pipeline_quota INT64\nconcurrent_pipeline_quota INT64\nstorage_quota_gb INT64\n"
            "monthly_cost_usd NUMERIC(10,2)\nbilling_cycle_start DATE NOT NULL\nbilling_cycle_end DATE\n"
            "auto_renew BOOL NOT NULL DEFAULT TRUE\nstripe_subscription_id STRING\nstripe_customer_id STRING\n"
            "created_at TIMESTAMP NOT NULL\nupdated_at TIMESTAMP NOT NULL\n");
  EXPECT_EQ(Shape(ApiKeys()),
            "api_key_id STRING NOT NULL\ncustomer_id STRING NOT NULL\ntenant_id STRING NOT NULL\napi_key_hash STRING NOT NULL\n"
            "encrypted_api_key BYTES NOT NULL\nkey_name STRING\nscopes ARRAY<STRING>\nis_active BOOL NOT NULL DEFAULT TRUE\n"
            "expires_at TIMESTAMP\nlast_used_at TIMESTAMP\ncreated_at TIMESTAMP NOT NULL\ncreated_by STRING\n"
            "revoked_at TIMESTAMP\nrevoked_by STRING\n");
  EXPECT_EQ(Shape(Credentials()),
            "credential_id STRING NOT NULL\ncustomer_id STRING NOT NULL\ntenant_id STRING NOT NULL\nprovider STRING NOT NULL\n"
            "credential_type STRING NOT NULL\nencrypted_credentials BYTES NOT NULL\ncredential_name STRING\n"
            "scopes ARRAY<STRING>\nis_active BOOL NOT NULL DEFAULT TRUE\nexpires_at TIMESTAMP\nlast_validated_at TIMESTAMP\n"
            "created_at TIMESTAMP NOT NULL\nupdated_at TIMESTAMP NOT NULL\nmetadata JSON\n");
  EXPECT_EQ(Shape(Usage()),
            "usage_id STRING NOT NULL\ncustomer_id STRING NOT NULL\ntenant_id STRING NOT NULL\nusage_month DATE NOT NULL\n"
            "pipelines_run_count INT64 NOT NULL DEFAULT 0\npipelines_running_count INT64 NOT NULL DEFAULT 0\n"
            "storage_used_gb NUMERIC(15,2) NOT NULL DEFAULT 0\ncompute_hours NUMERIC(15,2) NOT NULL DEFAULT 0\n"
            "api_requests_count INT64 NOT NULL DEFAULT 0\nlast_pipeline_run_at TIMESTAMP\nquota_reset_at TIMESTAMP NOT NULL\n"
            "created_at TIMESTAMP NOT NULL\nupdated_at TIMESTAMP NOT NULL\n");
  EXPECT_EQ(Shape(AuditLogs()),
            "log_id STRING NOT NULL\ncustomer_id STRING NOT NULL\ntenant_id STRING NOT NULL\nevent_type STRING NOT NULL\n"
            "event_category STRING NOT NULL\nactor_type STRING NOT NULL\nactor_id STRING\nresource_type STRING\n"
            "resource_id STRING\naction STRING NOT NULL\nresult STRING NOT NULL\nip_address STRING\nuser_agent STRING\n"
            "metadata JSON\ncreated_at TIMESTAMP NOT NULL\n");
  EXPECT_EQ(Shape(Invitations()),
            "invitation_id STRING NOT NULL\ncustomer_id STRING NOT NULL\ntenant_id STRING NOT NULL\n"
            "invited_email STRING NOT NULL\ninvited_by STRING NOT NULL\nrole STRING NOT NULL\n"
            "status STRING NOT NULL DEFAULT 'pending'\ninvitation_token STRING NOT NULL\nexpires_at TIMESTAMP NOT NULL\n"
            "accepted_at TIMESTAMP\nrevoked_at TIMESTAMP\ncreated_at TIMESTAMP NOT NULL\nmetadata JSON\n");
}

TEST(Tables, EveryNameInADeclarationIsAColumn) {
  for (const Table* table : All()) {
    SCOPED_TRACE(table->name);
    std::vector<std::string_view> names = table->key;
    names.insert(names.end(), table->merge_key.begin(), table->merge_key.end());
    names.insert(names.end(), table->stored_key.begin(), table->stored_key.end());
    names.insert(names.end(), table->cluster_by.begin(), table->cluster_by.end());
    for (const Unique& unique : table->unique) names.insert(names.end(), unique.columns.begin(), unique.columns.end());
    for (const auto& index : table->indexes) names.insert(names.end(), index.columns.begin(), index.columns.end());
    for (std::string_view name : {table->owner_column, table->references_customer, table->partition_by}) {
      if (!name.empty()) names.push_back(name);
    }
    for (std::string_view name : names) EXPECT_GE(table->Find(name), 0) << name;
  }
}

TEST(Tables, KeysAreRequiredAndTheMergeKeyIsEnforced) {
  for (const Table* table : All()) {
    SCOPED_TRACE(table->name);
    ASSERT_FALSE(table->key.empty());
    bool enforced = table->merge_key == table->StoredKey();
    for (const Unique& unique : table->unique) enforced = enforced || (unique.where.empty() && unique.columns == table->merge_key);
    EXPECT_TRUE(enforced) << "ON CONFLICT needs a unique index";
    for (std::string_view name : table->key) EXPECT_TRUE(table->columns[table->Index(name)].required) << name;
    for (std::string_view name : table->StoredKey()) EXPECT_TRUE(table->columns[table->Index(name)].required) << name;
    for (std::string_view name : table->merge_key) {
      EXPECT_EQ(table->columns[table->Index(name)].merge, Merge::kIdentity) << name;
      EXPECT_TRUE(table->columns[table->Index(name)].required) << name;
    }
  }
}

TEST(Tables, MergeRulesFitTheirColumns) {
  for (const Table* table : All()) {
    for (const Column& column : table->columns) {
      SCOPED_TRACE(fmt::format("{}.{}", table->name, column.name));
      // "false wins" has no answer for NULL, and the earliest belongs to a time.
      EXPECT_TRUE(column.merge != Merge::kAnd || (column.type == Type::kBool && column.required));
      EXPECT_TRUE(column.merge != Merge::kWithEarliest || table->Find("revoked_at") >= 0);
      EXPECT_TRUE(column.type != Type::kNumeric || (column.precision > 0 && column.precision <= 18));
      EXPECT_TRUE(column.doc.ends_with(".") || column.doc.ends_with("…")) << "every column has its sentence";
    }
    EXPECT_FALSE(table->doc.empty());
  }
}

TEST(Tables, BookkeepingIsNoPartOfProofs) {
  EXPECT_TRUE(IsBookkeeping(Customers().columns[Customers().Index("updated_at")]));
  EXPECT_FALSE(IsBookkeeping(Customers().columns[Customers().Index("created_at")]));
  EXPECT_TRUE(IsBookkeeping(Subscriptions().columns[Subscriptions().Index("created_at")]));
  EXPECT_TRUE(IsBookkeeping(Usage().columns[Usage().Index("updated_at")]));
  EXPECT_FALSE(IsBookkeeping(Credentials().columns[Credentials().Index("updated_at")]));
}

TEST(Tables, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const Table* table : All()) {
    EXPECT_TRUE(names.insert(table->name).second);
    EXPECT_EQ(FindTable(table->name), table);
    EXPECT_EQ(table->own, table->name.starts_with("reeve_"));
  }
  EXPECT_EQ(FindTable("customer"), nullptr);
  EXPECT_EQ(&ReeveCertificates(), FindTable("reeve_certificates"));
}

TEST(Tables, AuditOutlivesItsCustomer) {
  for (const Table& table : CentralTables()) {
    const bool child = table.name != "customers" && table.name != "customer_audit_logs";
    EXPECT_EQ(!table.references_customer.empty(), child) << table.name;
  }
}

}  // namespace
}  // namespace reeve::catalog
