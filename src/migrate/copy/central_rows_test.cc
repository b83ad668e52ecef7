#include "migrate/copy/central_rows.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "migrate/audit.h"

namespace reeve::migrate::copy {
namespace {

using catalog::RowBatch;

const Micros kAsOf = *ParseTime("2026-11-15 12:00:00 UTC");

MappingContext ContextFor(const domain::PlanBook& plans) {
  MappingContext context;
  context.tenant = context.dataset_id = "acme";
  context.customer_id = CustomerIdOf("acme");
  context.as_of = kAsOf;
  context.plans = &plans;
  return context;
}

std::string LineOf(const RowBatch& batch, size_t row) {
  std::string line;
  catalog::AppendRow(batch.table(), batch.Row(row), &line);
  return line;
}

std::string Value(const RowBatch& batch, size_t row, std::string_view column) {
  const catalog::Cell& cell = batch.Row(row)[static_cast<size_t>(batch.table().Index(column))];
  if (cell.is_null) return "NULL";
  return cell.text.empty() && catalog::IsNumeric(batch.table().columns[static_cast<size_t>(batch.table().Index(column))].type)
             ? std::to_string(cell.num)
             : std::string(cell.text);
}

KeyRow Key(const std::string& hash_seed, const char* created_at = "2026-01-01 00:00:00 UTC") {
  KeyRow row;
  row.tenant = "acme";
  row.hash = crypto::Sha256Hex(hash_seed);
  row.created_at = *ParseTime(created_at);
  row.is_active = true;
  return row;
}

RowBatch MapKeyRows(std::vector<KeyRow> rows, MappingNotes* notes) {
  const domain::PlanBook plans = domain::BuiltInPlans();
  RowBatch out(catalog::ApiKeys());
  std::vector<Placed<KeyRow>> placed;
  for (KeyRow& row : rows) placed.push_back({std::move(row), {}});
  MapKeys(ContextFor(plans), std::move(placed), &out, notes);
  return out;
}

TEST(MapKeys, DenyWinsAndTheEarliestRevocationIsKept) {
  KeyRow active = Key("k", "2026-03-01 00:00:00 UTC");
  KeyRow revoked = Key("k", "2026-01-01 00:00:00 UTC");
  revoked.is_active = false;
  revoked.revoked_at = *ParseTime("2026-02-02 00:00:00 UTC");
  revoked.revoked_by = "ops";
  KeyRow later = revoked;
  later.revoked_at = *ParseTime("2026-04-04 00:00:00 UTC");
  later.revoked_by = "aaa";
  for (const auto& rows : {std::vector<KeyRow>{active, revoked, later}, {later, revoked, active}}) {
    MappingNotes notes;
    const RowBatch keys = MapKeyRows(rows, &notes);
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(Value(keys, 0, "is_active"), "0");
    EXPECT_EQ(Value(keys, 0, "revoked_at"), std::to_string(*revoked.revoked_at));
    EXPECT_EQ(Value(keys, 0, "revoked_by"), "ops");
    EXPECT_EQ(Value(keys, 0, "created_at"), std::to_string(revoked.created_at));
  }
}

TEST(MapKeys, InactiveWithoutATimeStaysWithoutATime) {
  KeyRow row = Key("k");
  row.is_active = false;
  MappingNotes notes;
  const RowBatch keys = MapKeyRows({row}, &notes);
  EXPECT_EQ(Value(keys, 0, "is_active"), "0");
  EXPECT_EQ(Value(keys, 0, "revoked_at"), "NULL");
}

TEST(MapKeys, TheNewestRowDescribes) {
  KeyRow older = Key("k", "2026-01-01 00:00:00 UTC");
  older.name = "old name";
  older.created_by = "alice";
  KeyRow newer = Key("k", "2026-05-01 00:00:00 UTC");
  newer.name = "new name";
  MappingNotes notes;
  const RowBatch keys = MapKeyRows({newer, older}, &notes);
  EXPECT_EQ(Value(keys, 0, "key_name"), "new name");
  EXPECT_EQ(Value(keys, 0, "created_by"), "alice");
}

TEST(MapKeys, ASharedIdIsGivenToNeither) {
  KeyRow first = Key("k1");
  KeyRow second = Key("k2");
  first.id = second.id = "same";
  MappingNotes notes;
  const RowBatch keys = MapKeyRows({first, second}, &notes);
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_TRUE(Value(keys, 0, "api_key_id").starts_with("key_"));
  EXPECT_NE(Value(keys, 0, "api_key_id"), Value(keys, 1, "api_key_id"));
  EXPECT_EQ(notes.findings[0].code, "key_id_reused");
}

TEST(MapKeys, DerivedIdsFollowTheGrammar) {
  MappingNotes notes;
  const RowBatch keys = MapKeyRows({Key("k")}, &notes);
  const std::string text = std::string("reeve/key/v1") + '\0' + "acme" + '\0' + crypto::Sha256Hex("k");
  EXPECT_EQ(Value(keys, 0, "api_key_id"), "key_" + crypto::Sha256Hex(text).substr(0, 24));
}

TEST(MapKeys, ReportsExpiredKeysThatLegacyMayStillAccept) {
  KeyRow row = Key("k");
  row.expires_at = kAsOf - kHour;
  MappingNotes notes;
  const RowBatch keys = MapKeyRows({row}, &notes);
  EXPECT_EQ(Value(keys, 0, "is_active"), "1");
  EXPECT_EQ(Value(keys, 0, "expires_at"), std::to_string(kAsOf - kHour));
  EXPECT_EQ(notes.findings[0].code, "key_expired");
}

CredentialRow Credential(const std::string& id, const char* updated_at) {
  CredentialRow row;
  row.tenant = "acme";
  row.id = id;
  row.provider = "gcp";
  row.type = "service_account";
  row.sealed = "\x01\x02";
  row.cipher = Cipher::kSealed;
  row.created_at = *ParseTime("2026-01-01 00:00:00 UTC");
  row.updated_at = *ParseTime(updated_at);
  row.metadata = R"({"reeve_ciphertext":"unproven"})";
  return row;
}

RowBatch MapCredentialRows(std::vector<CredentialRow> rows, MappingNotes* notes) {
  const domain::PlanBook plans = domain::BuiltInPlans();
  RowBatch out(catalog::Credentials());
  std::vector<Placed<CredentialRow>> placed;
  for (CredentialRow& row : rows) placed.push_back({std::move(row), {}});
  MapCredentials(ContextFor(plans), std::move(placed), &out, notes);
  return out;
}

TEST(MapCredentials, TheLatestGenerationIsTakenWholeAndDenyWins) {
  CredentialRow old = Credential("c", "2026-02-01 00:00:00 UTC");
  old.is_active = false;
  old.name = "old";
  CredentialRow now = Credential("c", "2026-03-01 00:00:00 UTC");
  now.sealed = "\x09";
  MappingNotes notes;
  const RowBatch out = MapCredentialRows({old, now}, &notes);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(Value(out, 0, "encrypted_credentials"), "\x09");
  EXPECT_EQ(Value(out, 0, "credential_name"), "NULL");
  EXPECT_EQ(Value(out, 0, "is_active"), "0");
}

TEST(MapCredentials, EquallyNewRowsThatDifferAreQuarantined) {
  CredentialRow one = Credential("c", "2026-02-01 00:00:00 UTC");
  CredentialRow other = one;
  other.sealed = "\x07";
  MappingNotes notes;
  EXPECT_EQ(MapCredentialRows({one, other}, &notes).size(), 0u);
  ASSERT_EQ(notes.dead_letters.size(), 2u);
  EXPECT_EQ(notes.dead_letters[0].reason, "credential_conflict");
}

domain::RunRow RunAt(std::string_view id, domain::RunState state, const char* start) {
  domain::RunRow row;
  row.id = id;
  row.state = state;
  row.start = *ParseTime(start);
  return row;
}

TEST(MapUsage, CountsDistinctRunsInTheMonthOfTheirEarliestStart) {
  const domain::PlanBook plans = domain::BuiltInPlans();
  domain::RunSet runs;
  runs.Add(RunAt("r1", domain::RunState::kPending, "2026-10-31 23:59:59.999999 UTC"));
  domain::RunRow done = RunAt("r1", domain::RunState::kTerminal, "2026-11-01 00:00:01 UTC");
  done.duration_ms = 5'400'000;
  runs.Add(done);
  runs.Add(RunAt("r2", domain::RunState::kRunning, "2026-11-15 11:00:00 UTC"));
  runs.Add(RunAt("r3", domain::RunState::kPending, "2026-11-13 11:00:00 UTC"));
  runs.Add(RunAt("old", domain::RunState::kTerminal, "2020-01-01 00:00:00 UTC"));
  RowBatch usage(catalog::Usage()), stored(catalog::ReeveUsageRuns());
  MappingNotes notes;
  const UsageSummary summary = MapUsage(ContextFor(plans), runs, &usage, &stored, &notes);
  ASSERT_EQ(usage.size(), 2u);
  EXPECT_EQ(summary.out_of_window, 1u);
  EXPECT_EQ(Value(usage, 0, "pipelines_run_count"), "1");
  EXPECT_EQ(Value(usage, 0, "compute_hours"), "150");
  EXPECT_EQ(Value(usage, 0, "quota_reset_at"), std::to_string(*ParseTime("2026-11-01 00:00:00 UTC")));
  EXPECT_EQ(Value(usage, 1, "pipelines_run_count"), "2");
  EXPECT_EQ(Value(usage, 1, "pipelines_running_count"), "1");
  EXPECT_EQ(notes.findings[0].code, "abandoned_runs");
}

TEST(MapUsage, NoRunsAtAllIsAKnownZeroForThisMonth) {
  const domain::PlanBook plans = domain::BuiltInPlans();
  RowBatch usage(catalog::Usage()), stored(catalog::ReeveUsageRuns());
  MappingNotes notes;
  MapUsage(ContextFor(plans), domain::RunSet(), &usage, &stored, &notes);
  ASSERT_EQ(usage.size(), 1u);
  EXPECT_EQ(stored.size(), 0u);
  EXPECT_EQ(Value(usage, 0, "pipelines_run_count"), "0");
  EXPECT_EQ(Value(usage, 0, "last_pipeline_run_at"), "NULL");
}

TEST(MapCustomer, WithoutARecordItIsNamedAfterTheTenantAndFlagged) {
  const domain::PlanBook plans = domain::BuiltInPlans();
  RowBatch customers(catalog::Customers()), subscriptions(catalog::Subscriptions());
  MappingNotes notes;
  CustomerFacts facts;
  facts.earliest_evidence = *ParseTime("2025-05-06 07:08:09.000001 UTC");
  MapCustomer(ContextFor(plans), facts, &customers, &subscriptions, &notes);
  EXPECT_EQ(LineOf(customers, 0),
            R"({"customer_id":")" + CustomerIdOf("acme") +
                R"(","tenant_id":"acme","company_name":"acme","subscription_plan":"professional","status":"active",)"
                R"("dataset_id":"acme","created_at":"2025-05-06 07:08:09.000001 UTC","updated_at":"2026-11-15 12:00:00 UTC",)"
                R"("metadata":{"company_name_source":"unknown","created_at_source":"evidence"}})"
                "\n");
  EXPECT_EQ(Value(subscriptions, 0, "billing_cycle_start"), std::to_string(DaysFromCivil({2025, 5, 6})));
  EXPECT_EQ(Value(subscriptions, 0, "monthly_pipeline_quota"), "5000");
  EXPECT_EQ(Value(subscriptions, 0, "auto_renew"), "0");
}

TEST(MapCustomer, AnUnknownTierBecomesStarterWithTheTenantsOwnQuotas) {
  const domain::PlanBook plans = domain::BuiltInPlans();
  RowBatch customers(catalog::Customers()), subscriptions(catalog::Subscriptions());
  MappingNotes notes;
  CustomerFacts facts;
  facts.records.resize(1);
  facts.records[0].tier = "FREE";
  facts.records[0].max_monthly = 50;
  facts.records[0].max_concurrent = 0;
  facts.records[0].is_active = false;
  MapCustomer(ContextFor(plans), facts, &customers, &subscriptions, &notes);
  EXPECT_EQ(Value(customers, 0, "status"), "suspended");
  EXPECT_EQ(Value(subscriptions, 0, "plan_name"), "starter");
  EXPECT_EQ(Value(subscriptions, 0, "monthly_pipeline_quota"), "50");
  EXPECT_EQ(Value(subscriptions, 0, "concurrent_pipeline_quota"), "0");
  EXPECT_EQ(Value(subscriptions, 0, "storage_quota_gb"), "100");
  EXPECT_EQ(notes.findings[0].code, "tier_mapped");
}

}  // namespace
}  // namespace reeve::migrate::copy
