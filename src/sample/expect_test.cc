// The oracle against expectations worked out by hand from docs/mapping.md.
#include "sample/expect.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "sample/expect_text.h"

namespace reeve::sample {
namespace {

Micros At(std::string_view text) { return ParseTime(text).value(); }

const ExpectOptions kOptions{At("2026-11-15 12:00:00"), 13, 24 * kHour};

constexpr std::string_view kText = "acme_api_0123456789abcdef";

bool Has(const ExpectedTenant& tenant, std::string_view code, std::string_view subject = "") {
  for (const ExpectedFinding& finding : tenant.findings)
    if (finding.code == code && finding.subject == subject) return true;
  return false;
}

KeyRow Key(std::string_view created_at) {
  KeyRow row;
  row.id = "k1";
  row.hash = Sha256Text(kText);
  row.created_at = At(created_at);
  return row;
}

ExpectedTenant ExpectOf(TenantModel model) {
  model.name = "acme";
  model.dataset_id = "acme";
  return Expect(model, kOptions);
}

ExpectedTenant ExpectKeysOf(std::vector<KeyRow> rows) {
  TenantModel model;
  model.keys = std::move(rows);
  return ExpectOf(std::move(model));
}

TEST(Ids, AreTheFirst24DigitsOfASeparatedHash) {
  // printf 'reeve/customer/v1\0acme' | sha256sum
  EXPECT_EQ(IdHash("customer", {"acme"}), Sha256Text(std::string("reeve/customer/v1\0acme", 22)).substr(0, 24));
  EXPECT_EQ(Sha256Text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(KeyMerge, OneRowArrivesColumnByColumn) {
  KeyRow row = Key("2026-01-02 03:04:05.000006");
  row.enc = Base64Encode("sealed bytes, not text");
  row.name = "CI";
  row.created_by = "ops@acme.example";
  row.scopes = std::vector<std::string>{"usage:read"};
  row.expires_at = At("2027-01-01 00:00:00");
  const ExpectedTenant tenant = ExpectKeysOf({row});
  ASSERT_EQ(tenant.keys.size(), 1U);
  EXPECT_EQ(tenant.keys[0].line,
            R"({"api_key_id":"k1","customer_id":"cust_)" + IdHash("customer", {"acme"}) +
                R"(","tenant_id":"acme","api_key_hash":")" + Sha256Text(kText) + R"(","encrypted_api_key":")" +
                Base64Encode("sealed bytes, not text") +
                R"(","key_name":"CI","scopes":["usage:read"],"is_active":true,"expires_at":"2027-01-01 00:00:00 UTC",)"
                R"("created_at":"2026-01-02 03:04:05.000006 UTC","created_by":"ops@acme.example"})");
  EXPECT_TRUE(tenant.findings.empty());
}

TEST(KeyMerge, RevocationNeverUnHappensAndTheEarliestIsKept) {
  KeyRow revoked_late = Key("2026-01-01 00:00:00");
  revoked_late.is_active = false;
  revoked_late.revoked_at = At("2026-05-01 00:00:00");
  revoked_late.revoked_by = "a-late";
  KeyRow revoked_early = Key("2026-01-01 00:00:00");
  revoked_early.revoked_at = At("2026-04-01 00:00:00");
  revoked_early.revoked_by = "z-early";
  KeyRow early_too = revoked_early;
  early_too.revoked_by = "y-early";
  KeyRow active = Key("2026-06-01 00:00:00");
  const ExpectedTenant tenant = ExpectKeysOf({revoked_late, active, revoked_early, early_too});
  ASSERT_EQ(tenant.keys.size(), 1U);
  EXPECT_NE(tenant.keys[0].line.find(R"("is_active":false)"), std::string::npos);
  EXPECT_NE(tenant.keys[0].line.find(R"("revoked_at":"2026-04-01 00:00:00 UTC","revoked_by":"y-early")"), std::string::npos);
  EXPECT_EQ(tenant.verdicts.at(Sha256Text(kText)).verdict, "revoked");
}

TEST(KeyMerge, AnInactiveKeyWithoutATimeGetsNone) {
  KeyRow inactive = Key("2026-01-01 00:00:00");
  inactive.is_active = false;
  inactive.revoked_by = "b";
  KeyRow also = inactive;
  also.revoked_by = "a";
  KeyRow active = Key("2026-01-01 00:00:00");
  active.revoked_by = "A-but-active";
  const std::string line = ExpectKeysOf({inactive, also, active}).keys.at(0).line;
  EXPECT_EQ(line.find("revoked_at"), std::string::npos);
  EXPECT_NE(line.find(R"("revoked_by":"a"})"), std::string::npos);
}

TEST(KeyMerge, TextsComeFromTheNewestRowThatHasThemAndTimesFromTheExtremes) {
  KeyRow older = Key("2026-01-01 00:00:00");
  older.name = "older";
  older.created_by = "older";
  older.scopes = std::vector<std::string>{"b"};
  older.expires_at = At("2028-01-01 00:00:00");
  older.last_used_at = At("2026-03-01 00:00:00");
  KeyRow newer = Key("2026-02-01 00:00:00");
  newer.id = "k0";
  newer.hash = AsciiUpper(*newer.hash);
  newer.name = "";
  newer.created_by = "newer";
  newer.scopes = std::vector<std::string>();
  newer.expires_at = At("2027-01-01 00:00:00");
  KeyRow newer_too = newer;
  newer_too.created_by = "nearer";
  newer_too.id.reset();
  newer_too.hash = Base64Encode(*HexDecode(*newer.hash));
  const ExpectedTenant tenant = ExpectKeysOf({older, newer, newer_too});
  ASSERT_EQ(tenant.keys.size(), 1U);
  const std::string& line = tenant.keys[0].line;
  EXPECT_NE(line.find(R"("api_key_id":"k0")"), std::string::npos);
  EXPECT_NE(line.find(R"("key_name":"older","scopes":["b"])"), std::string::npos);
  EXPECT_NE(line.find(R"("expires_at":"2027-01-01 00:00:00 UTC","last_used_at":"2026-03-01 00:00:00 UTC")"
                      R"(,"created_at":"2026-01-01 00:00:00 UTC","created_by":"nearer")"),
            std::string::npos);
}

TEST(KeyMerge, TwoKeysWithOneIdBothTakeTheDerivedOne) {
  KeyRow one = Key("2026-01-01 00:00:00");
  KeyRow two = one;
  two.hash = Sha256Text("another");
  const ExpectedTenant tenant = ExpectKeysOf({one, two});
  ASSERT_EQ(tenant.keys.size(), 2U);
  for (const std::string& hash : {*one.hash, *two.hash})
    EXPECT_TRUE(Has(tenant, "key_id_reused", "key_" + IdHash("key", {"acme", hash})));
}

TEST(KeyMerge, AHashThatAnotherTenantHasIsNotMoved) {
  KeyRow row = Key("2026-01-01 00:00:00");
  row.place.line = 7;
  TenantModel model;
  model.keys = {row};
  model.hashes_elsewhere = {*row.hash};
  const ExpectedTenant tenant = ExpectOf(model);
  EXPECT_TRUE(tenant.keys.empty());
  ASSERT_EQ(tenant.dead_letters.size(), 1U);
  EXPECT_EQ(tenant.dead_letters[0].reason, "hash_in_two_tenants");
  EXPECT_EQ(tenant.dead_letters[0].place.line, 7U);
}

TEST(KeyExposure, PlaintextInAnyFormIsWithheldAndFlagged) {
  const std::string plain(kText);
  const std::string once = Base64Encode(plain);
  for (const std::string& enc : {plain, once, Base64Encode(once)}) {
    KeyRow row = Key("2026-01-01 00:00:00");
    row.enc = enc;
    const ExpectedTenant tenant = ExpectKeysOf({row});
    EXPECT_NE(tenant.keys.at(0).line.find(R"("encrypted_api_key":"")"), std::string::npos) << enc;
    EXPECT_TRUE(Has(tenant, "key_exposed", "k1")) << enc;
  }
}

TEST(KeyExposure, AKeyColumnInPlainTextIsHashedAndFlagged) {
  KeyRow row = Key("2026-01-01 00:00:00");
  row.hash.reset();
  row.id.reset();
  row.api_key = std::string(kText);
  const ExpectedTenant tenant = ExpectKeysOf({row});
  EXPECT_NE(tenant.keys.at(0).line.find(Sha256Text(kText)), std::string::npos);
  EXPECT_TRUE(Has(tenant, "key_exposed", "key_" + IdHash("key", {"acme", Sha256Text(kText)})));
  EXPECT_TRUE(Has(tenant, "scopes_defaulted"));
}

TEST(KeyExposure, BothLevelsOfBase64AreUndoneAndOtherTextIsKept) {
  const std::string cipher(40, '\x80');
  KeyRow twice = Key("2026-01-01 00:00:00");
  twice.enc = Base64Encode(Base64Encode(cipher));
  EXPECT_NE(ExpectKeysOf({twice}).keys.at(0).line.find(Base64Encode(cipher)), std::string::npos);
  KeyRow text = Key("2026-01-01 00:00:00");
  text.enc = "enc:v1";
  const ExpectedTenant tenant = ExpectKeysOf({text});
  EXPECT_NE(tenant.keys.at(0).line.find(Base64Encode("enc:v1")), std::string::npos);
  EXPECT_TRUE(Has(tenant, "ciphertext_not_base64", "k1"));
}

TEST(KeyVerdict, AKeyExpiresAtItsInstant) {
  KeyRow row = Key("2026-01-01 00:00:00");
  row.expires_at = kOptions.as_of;
  EXPECT_EQ(ExpectKeysOf({row}).verdicts.begin()->second.verdict, "expired");
  row.expires_at = kOptions.as_of + 1;
  EXPECT_EQ(ExpectKeysOf({row}).verdicts.begin()->second.verdict, "active");
}

// ---- credentials

CredentialRow Credential(std::string_view enc) {
  CredentialRow row;
  row.id = "c1";
  row.provider = "GCP_SA";
  row.enc = std::string(enc);
  row.created_at = At("2026-01-01 00:00:00");
  return row;
}

ExpectedTenant ExpectCredentialsOf(std::vector<CredentialRow> rows) {
  TenantModel model;
  model.credentials = std::move(rows);
  return ExpectOf(std::move(model));
}

TEST(CredentialMark, SaysWhatTheCiphertextIs) {
  const std::string json = R"({"type":"service_account"})";
  const std::string pem = " \n-----BEGIN PRIVATE KEY-----\nx";
  const struct {
    std::string enc;
    std::string value;
    std::string mark;
  } kCases[] = {
      {"", "", "absent"},
      {json, "", "plaintext_withheld"},
      {Base64Encode(json), "", "plaintext_withheld"},
      {Base64Encode(Base64Encode(json)), "", "plaintext_withheld"},
      {Base64Encode(pem), "", "plaintext_withheld"},
      {"{not json}", "", "plaintext_withheld"},
      {"{not json", Base64Encode("{not json"), "unproven"},
      {"{\x01}", Base64Encode("{\x01}"), "unproven"},
      {Base64Encode("\x01\x02sealed"), Base64Encode("\x01\x02sealed"), "unproven"},
      {"gAAAAAB_-", Base64Encode("gAAAAAB_-"), "unproven"},
  };
  for (const auto& c : kCases) {
    const ExpectedTenant tenant = ExpectCredentialsOf({Credential(c.enc)});
    const std::string& line = tenant.credentials.at(0).line;
    EXPECT_NE(line.find(R"("encrypted_credentials":")" + c.value + "\""), std::string::npos) << c.enc;
    EXPECT_NE(line.find(R"("reeve_ciphertext":")" + c.mark + "\""), std::string::npos) << c.enc;
    EXPECT_EQ(Has(tenant, "credential_plaintext", "c1"), c.mark == "plaintext_withheld") << c.enc;
  }
}

TEST(CredentialRow, ArrivesColumnByColumn) {
  CredentialRow row = Credential(Base64Encode("\x01\x02"));
  row.metadata = {{"region", "eu"}, {"account_id", "12"}, {"last_error", ""}};
  row.legacy_metadata = "{\"a\" : [1, 2],\n \"b c\":\"d \\\" e\"}";
  row.legacy_metadata_is_json = true;
  row.is_active = false;
  EXPECT_EQ(ExpectCredentialsOf({row}).credentials.at(0).line,
            R"({"credential_id":"c1","customer_id":"cust_)" + IdHash("customer", {"acme"}) +
                R"(","tenant_id":"acme","provider":"gcp","credential_type":"unspecified","encrypted_credentials":"AQI=",)"
                R"("scopes":[],"is_active":false,"created_at":"2026-01-01 00:00:00 UTC","updated_at":"2026-01-01 00:00:00 UTC",)"
                R"("metadata":{"account_id":"12","legacy_metadata":"{\"a\":[1,2],\"b c\":\"d \\\" e\"}","reeve_ciphertext":"unproven","region":"eu"}})");
}

TEST(CredentialMerge, TheLatestIsTakenWholeAndOneInactiveRowMakesItInactive) {
  CredentialRow old_row = Credential(Base64Encode("\x01old"));
  old_row.is_active = false;
  old_row.name = "old";
  CredentialRow new_row = Credential(Base64Encode("\x01new"));
  new_row.updated_at = At("2026-02-01 00:00:00");
  new_row.is_active = true;
  const ExpectedTenant tenant = ExpectCredentialsOf({new_row, old_row});
  ASSERT_EQ(tenant.credentials.size(), 1U);
  EXPECT_NE(tenant.credentials[0].line.find(Base64Encode("\x01new")), std::string::npos);
  EXPECT_EQ(tenant.credentials[0].line.find("credential_name"), std::string::npos);
  EXPECT_NE(tenant.credentials[0].line.find(R"("is_active":false)"), std::string::npos);
}

TEST(CredentialMerge, EquallyLateRowsThatDifferAreAllSetAside) {
  const CredentialRow one = Credential(Base64Encode("\x01one"));
  const CredentialRow two = Credential(Base64Encode("\x01two"));
  EXPECT_EQ(ExpectCredentialsOf({one, one}).credentials.size(), 1U);
  const ExpectedTenant tenant = ExpectCredentialsOf({one, two, one});
  EXPECT_TRUE(tenant.credentials.empty());
  EXPECT_EQ(tenant.dead_letters.size(), 3U);
}

// ---- runs

RunRow RunOf(std::string_view id, RunState state, std::string_view start) {
  RunRow row;
  row.id = std::string(id);
  row.state = state;
  row.start = At(start);
  return row;
}

std::string UsageOf(const ExpectedTenant& tenant, std::string_view month) {
  const std::string wanted = R"("usage_month":")" + std::string(month) + "-01\"";
  for (const ExpectedRow& row : tenant.usage)
    if (row.line.find(wanted) != std::string::npos) return row.line;
  return "";
}

TEST(UsageCount, TwoRowsPerRunCountOnce) {
  TenantModel model;
  model.runs = {RunOf("a", RunState::kPending, "2026-11-14 13:00:00"), RunOf("a", RunState::kTerminal, "2026-11-14 13:00:01"),
                RunOf("b", RunState::kPending, "2026-11-14 12:00:00.000001"), RunOf("c", RunState::kRunning, "2026-11-14 12:00:00"),
                RunOf("d", RunState::kPending, "2026-11-14 11:59:59")};
  model.runs[1].end = At("2026-11-14 14:00:00");
  model.runs[1].duration_ms = 5'400'000;
  const ExpectedTenant tenant = ExpectOf(model);
  ASSERT_EQ(tenant.usage.size(), 1U);
  EXPECT_EQ(tenant.usage[0].line,
            R"({"usage_id":"usage_)" + IdHash("usage", {"acme", "2026-11"}) + R"(","customer_id":"cust_)" +
                IdHash("customer", {"acme"}) +
                R"(","tenant_id":"acme","usage_month":"2026-11-01","pipelines_run_count":"4","pipelines_running_count":"1",)"
                R"("storage_used_gb":"0.00","compute_hours":"1.50","api_requests_count":"0",)"
                R"("last_pipeline_run_at":"2026-11-14 13:00:00 UTC","quota_reset_at":"2026-12-01 00:00:00 UTC",)"
                R"("created_at":"2026-11-15 12:00:00 UTC","updated_at":"2026-11-15 12:00:00 UTC"})");
  EXPECT_TRUE(Has(tenant, "abandoned_runs"));
}

TEST(UsageCount, ARunBelongsToTheMonthOfItsEarliestStart) {
  TenantModel model;
  model.runs = {RunOf("a", RunState::kPending, "2026-10-31 23:59:59.999999"), RunOf("a", RunState::kTerminal, "2026-11-01 00:00:00"),
                RunOf("b", RunState::kTerminal, "2026-11-01 00:00:00"),
                RunOf("oldest", RunState::kTerminal, "2025-11-01 00:00:00"),
                RunOf("too old", RunState::kTerminal, "2025-10-31 23:59:59.999999")};
  const ExpectedTenant tenant = ExpectOf(model);
  EXPECT_NE(UsageOf(tenant, "2026-10").find(R"("pipelines_run_count":"1")"), std::string::npos);
  EXPECT_NE(UsageOf(tenant, "2026-11").find(R"("pipelines_run_count":"1")"), std::string::npos);
  EXPECT_NE(UsageOf(tenant, "2025-11").find(R"("pipelines_run_count":"1")"), std::string::npos);
  EXPECT_EQ(tenant.usage.size(), 3U);
  // Evidence counts outside the window too.
  EXPECT_NE(tenant.customer.line.find(R"("created_at":"2025-10-31 23:59:59.999999 UTC")"), std::string::npos);
}

TEST(UsageCount, ComputeTimeTakesTheDurationElseTheTimes) {
  TenantModel model;
  model.runs = {RunOf("a", RunState::kTerminal, "2026-11-01 00:00:00"), RunOf("b", RunState::kTerminal, "2026-11-02 00:00:00"),
                RunOf("c", RunState::kTerminal, "2026-11-03 00:00:00"), RunOf("d", RunState::kRunning, "2026-11-03 00:00:00")};
  model.runs[0].end = At("2026-11-01 00:00:17.999999");  // 17,999 ms
  model.runs[1].end = At("2026-11-01 00:00:00");         // before the start: nothing
  model.runs[2].duration_ms = 1;
  model.runs[3].duration_ms = 99'999'999;                // not terminal: nothing
  EXPECT_NE(UsageOf(ExpectOf(model), "2026-11").find(R"("compute_hours":"0.01")"), std::string::npos);  // 18,000 ms = 0.005
  model.runs[2].duration_ms = 0;
  EXPECT_NE(UsageOf(ExpectOf(model), "2026-11").find(R"("compute_hours":"0.00")"), std::string::npos);
}

TEST(UsageCount, NoRunsIsARowOfZeroAndAnUnknownTableIsNoRow) {
  EXPECT_NE(UsageOf(ExpectOf({}), "2026-11").find(R"("pipelines_run_count":"0")"), std::string::npos);
  TenantModel model;
  model.runs_recognised = false;
  const ExpectedTenant tenant = ExpectOf(model);
  EXPECT_TRUE(tenant.usage.empty());
  EXPECT_TRUE(Has(tenant, "usage_unknown"));
}

// ---- customer and subscription

TEST(Customer, WithoutARecordIsNamedAfterTheTenant) {
  TenantModel model;
  model.keys = {Key("2026-03-04 05:06:07")};
  const ExpectedTenant tenant = ExpectOf(model);
  EXPECT_EQ(tenant.customer.line,
            R"({"customer_id":"cust_)" + IdHash("customer", {"acme"}) +
                R"(","tenant_id":"acme","company_name":"acme","subscription_plan":"professional","status":"active",)"
                R"("dataset_id":"acme","created_at":"2026-03-04 05:06:07 UTC","updated_at":"2026-11-15 12:00:00 UTC",)"
                R"("metadata":{"company_name_source":"unknown","created_at_source":"evidence"}})");
  EXPECT_EQ(tenant.subscription.line,
            R"({"subscription_id":"sub_)" + IdHash("subscription", {"acme"}) + R"(","customer_id":"cust_)" +
                IdHash("customer", {"acme"}) +
                R"(","plan_name":"professional","monthly_pipeline_quota":"5000","concurrent_pipeline_quota":"15",)"
                R"("storage_quota_gb":"500","monthly_cost_usd":"499.00","billing_cycle_start":"2026-03-04","auto_renew":false,)"
                R"("created_at":"2026-11-15 12:00:00 UTC","updated_at":"2026-11-15 12:00:00 UTC"})");
}

TEST(Customer, ASuspendedFreeTenantStaysSuspendedAndBecomesStarterWithItsQuotas) {
  RecordRow row;
  row.company_name = "Acme \"GmbH\"";
  row.tier = "FREE";
  row.max_pipelines_per_month = 0;
  row.max_concurrent_pipelines = -1;
  row.suspended_at = At("2026-02-02 00:00:00");
  row.suspended_reason = "payment_failed";
  row.created_at = At("2024-01-31 23:00:00");
  row.runs_this_month = 3;
  TenantModel model;
  model.records = {row};
  const ExpectedTenant tenant = ExpectOf(model);
  EXPECT_NE(tenant.customer.line.find(
                R"("company_name":"Acme \"GmbH\"","subscription_plan":"starter","status":"suspended")"),
            std::string::npos);
  EXPECT_NE(tenant.customer.line.find(
                R"("metadata":{"company_name_source":"tenant_record","created_at_source":"tenant_record","legacy_tier":"FREE",)"
                R"("suspended_at":"2026-02-02 00:00:00 UTC","suspended_reason":"payment_failed"})"),
            std::string::npos);
  EXPECT_NE(tenant.subscription.line.find(
                R"("monthly_pipeline_quota":"0","concurrent_pipeline_quota":"5","storage_quota_gb":"100",)"
                R"("monthly_cost_usd":"99.00","billing_cycle_start":"2024-01-31")"),
            std::string::npos);
  for (const std::string_view code : {"tier_mapped", "bad_quota", "counter_mismatch"}) EXPECT_TRUE(Has(tenant, code)) << code;
}

TEST(Customer, EnterpriseIsUnlimited) {
  RecordRow row;
  row.tier = "Enterprise";
  TenantModel model;
  model.records = {row};
  const std::string line = ExpectOf(model).subscription.line;
  EXPECT_EQ(line.find("quota"), std::string::npos);
  EXPECT_EQ(line.find("monthly_cost_usd"), std::string::npos);
}

TEST(JsonText, OnlyValidTextsAreValid) {
  for (const std::string_view good : {"{}", " [1,-0.5e+7,\"\\ud83d\\ude00\"] ", "{\"a\":{\"b\":[true,false,null]}}"})
    EXPECT_TRUE(IsValidJson(good)) << good;
  for (const std::string_view bad : {"", "{", "{a:1}", "[1,]", "01", "1.", "\"\\ud800\"", "\"\x01\"", "{} {}", "nul", "-", "\"\\x\""})
    EXPECT_FALSE(IsValidJson(bad)) << bad;
}

}  // namespace
}  // namespace reeve::sample
