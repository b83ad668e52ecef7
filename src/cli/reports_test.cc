// The JSON that each command prints is a promise: these are its shapes, member by member. For people: what must be seen.
#include "cli/reports.h"

#include <gtest/gtest.h>

namespace reeve::cli {
namespace {

constexpr Micros kNoon = 1'794'744'000 * kSecond;  // 2026-11-15 12:00:00 UTC

std::string Text(void (*set)(Json*)) {
  Json object = Json::Object();
  set(&object);
  return object.Text();
}

migrate::PlanReport APlan() {
  migrate::PlanReport report;
  report.as_of = kNoon;
  report.source = "export:./e";
  report.digest = "d1";
  report.files = 3;
  report.bytes = 1234;
  report.legacy_rows = 10;
  report.central_rows = 8;
  report.failed_tenants = 1;
  migrate::TenantPlan good;
  good.tenant = "acme";
  good.dataset_id = "acme";
  good.files = 3;
  good.bytes = 1234;
  good.legacy_rows = {{"keys", 4}, {"runs", 6}};
  good.central_rows = {{"customers", 1}};
  good.shapes = {{"acme.api_keys", "A3"}};
  good.dead_letters = 2;
  good.plan = "starter";
  migrate::TenantPlan bad;
  bad.tenant = "globex";
  bad.dataset_id = "globex";
  bad.failure = "a file is damaged";
  report.tenants = {good, bad};
  report.skipped = {{"analytics", "no signature tables: events", false}, {"half", "incomplete signature: lacks runs", true}};
  report.not_read = {"acme.notes"};
  report.findings = {{"acme", "key_exposed", "key_1", "d"}};
  report.dead_letters = {{"bad_time", 2}};
  return report;
}

TEST(Reports, PlanJson) {
  const std::string json = Text([](Json* out) { PlanJson(APlan(), std::nullopt, true, out); });
  EXPECT_EQ(json,
            R"({"as_of":"2026-11-15T12:00:00Z","source":"export:./e","digest":"d1","tenants":2,"failed_tenants":1,"files":3,"bytes":1234,)"
            R"("legacy_rows":10,"central_rows":8,"billed_calls":0,"dead_letters":[{"code":"bad_time","count":2,"meaning":"a time cannot be read",)"
            R"("advice":"mend the row in legacy, export and migrate again"}],"findings":[{"code":"key_exposed","count":1,)"
            R"("meaning":"legacy keeps this key as plain text, in the ciphertext column or in api_key; it was not stored",)"
            R"("advice":"rotate the key: everybody who could read the legacy table knows it"}],"failed":[{"tenant":"globex","reason":"a file is damaged"}],)"
            R"("skipped":[{"dataset":"analytics","reason":"no signature tables: events","perhaps_a_tenant":false},)"
            R"({"dataset":"half","reason":"incomplete signature: lacks runs","perhaps_a_tenant":true}],"not_read":["acme.notes"],)"
            R"("tenant_details":[{"tenant":"acme","dataset":"acme","files":3,"bytes":1234,"legacy_rows":{"keys":4,"runs":6},"central_rows":{"customers":1},)"
            R"("shapes":{"acme.api_keys":"A3"},"quarantined":2,"plan":"starter","failure":null},)"
            R"({"tenant":"globex","dataset":"globex","files":0,"bytes":0,"legacy_rows":{},"central_rows":{},"shapes":{},"quarantined":0,"plan":"",)"
            R"("failure":"a file is damaged"}],"finding_details":[{"tenant":"acme","code":"key_exposed","subject":"key_1","detail":"d"}]})");
  EXPECT_EQ(Text([](Json* out) { PlanJson(APlan(), std::nullopt, false, out); }).find("tenant_details"), std::string::npos);
}

TEST(Reports, PlanTextNamesFailuresAdviceAndPossibleTenantsFirst) {
  const std::string text = PlanText(APlan(), std::nullopt, {});
  EXPECT_NE(text.find("1 can be migrated, 1 CANNOT"), std::string::npos) << text;
  EXPECT_NE(text.find("globex  a file is damaged"), std::string::npos);
  EXPECT_NE(text.find("mend the row in legacy"), std::string::npos);
  EXPECT_LT(text.find("half "), text.find("analytics "));
  EXPECT_NE(text.find("perhaps a tenant: --tenants FILE"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

migrate::CostEstimate ACost() {
  migrate::CostEstimate cost;
  cost.steps = {{"read it (plan)", 3, 9, 1'230'000'000, 7'331, 75}};
  cost.total = {"all together", 3, 9, 1'230'000'000, 7'331, 75};
  cost.per_thousand_tenants = {"per 1,000 tenants", 75, 225, 30'750'000'000, 183'275, 1'875};
  cost.row_at_a_time = {"one job per row", 560, 1'120, 8'000'000'000, 12'345'678, 1'120};
  cost.prices = "on-demand";
  cost.assumptions = {"one location"};
  return cost;
}

TEST(Reports, APlanForBigQuerySaysWhatItCostsBesideOneJobPerRow) {
  const std::string text = PlanText(APlan(), ACost(), {});
  EXPECT_NE(text.find("cost          3 jobs in BigQuery, $0.01"), std::string::npos) << text;
  EXPECT_NE(text.find("read it (plan)        3      9   1.2 GB   $0.01   1 min 15 s"), std::string::npos) << text;
  EXPECT_NE(text.find("one job per row     560  1,120   8.0 GB  $12.35  18 min 40 s"), std::string::npos) << text;
  EXPECT_NE(text.find("Prices: on-demand."), std::string::npos);
  EXPECT_NE(text.find("Assumed: one location."), std::string::npos);
  migrate::PlanReport of_an_instant = APlan();
  of_an_instant.rows_as_of = *ParseTime("2026-11-15 11:59:00.5 UTC");
  EXPECT_NE(PlanText(of_an_instant, ACost(), {}).find("rows of       2026-11-15 11:59:00.500000 UTC, all of them"), std::string::npos);
  const std::string json = Text([](Json* out) { PlanJson(APlan(), ACost(), false, out); });
  EXPECT_NE(json.find(R"("billed_calls":3)"), std::string::npos);
  EXPECT_NE(json.find(R"x("cost":{"prices":"on-demand","steps":[{"step":"read it (plan)","jobs":3,"api_calls":9,"bytes_billed":1230000000,"micro_usd":7331,)x"
                      R"x("one_after_the_other_ms":75000}],"total":{)x"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("row_at_a_time":{"step":"one job per row","jobs":560)"), std::string::npos);
}

TEST(Reports, MoneyIsReadable) {
  const std::pair<int64_t, const char*> cases[] = {{0, "$0"}, {1, "< $0.01"}, {4'999, "< $0.01"}, {5'000, "$0.01"}, {1'000'000, "$1.00"}, {1'234'567'890, "$1,234.57"}};
  for (const auto& [micro_usd, text] : cases) EXPECT_EQ(Dollars(micro_usd), text);
}

TEST(Reports, WhatWentOverTheWire) {
  const migrate::WireUse use{"BigQuery", 12, 48, 1, 120'000'000, 5'000, 7'000};
  EXPECT_EQ(WireText(use), "BigQuery: 12 jobs, 48 calls, 1 repeated; 120.0 MB billed, 5.0 kB sent, 7.0 kB received");
  EXPECT_EQ(WireJson(use).Text(),
            R"({"engine":"BigQuery","jobs":12,"api_calls":48,"retries":1,"bytes_billed":120000000,"bytes_sent":5000,"bytes_received":7000})");
}

TEST(Reports, LongListsAreCutUnlessDetailsAreAskedFor) {
  migrate::PlanReport report;
  for (int i = 0; i < 25; ++i) report.not_read.push_back("file" + std::to_string(i));
  const std::string brief = PlanText(report, std::nullopt, {});
  EXPECT_EQ(brief.find("file10"), std::string::npos);
  EXPECT_NE(brief.find("… and 15 more (--details shows them)"), std::string::npos);
  EXPECT_NE(PlanText(report, std::nullopt, {.details = true}).find("file24"), std::string::npos);
}

migrate::MigrateReport AMigration() {
  migrate::MigrateReport report;
  report.as_of = kNoon;
  report.attempt = 2;
  report.source = "export:./e";
  report.target = "sqlite:./reeve.db";
  report.tenants = 5;
  report.copied = 2;
  report.unchanged = 1;
  report.verified = 2;
  report.differing = 1;
  migrate::VerifiedTenant differing;
  differing.tenant = "initech";
  differing.difference_count = 3;
  differing.differences = {"key k1 is missing"};
  report.differences = {differing};
  report.failed = {{"globex", "damaged"}};
  report.legacy_rows = 100;
  report.legacy_bytes = 2'000;
  report.rows_changed = 50;
  report.dead_letters = {{"bad_hash", 1}};
  report.findings = {{"unheard_of", 1}};
  report.skipped = {{"x", "no signature tables: y", false}};
  report.dead_letter_file = "./reeve.db.deadletter.jsonl";
  report.stats.wall = 1.5;
  report.stats.read = 0.25;
  report.stats.peak_rss_bytes = 1000;
  return report;
}

TEST(Reports, MigrateJson) {
  EXPECT_EQ(Text([](Json* out) { MigrateJson(AMigration(), out); }),
            R"({"as_of":"2026-11-15T12:00:00Z","attempt":2,"source":"export:./e","target":"sqlite:./reeve.db","interrupted":false,"tenants":5,"copied":2,)"
            R"("unchanged":1,"verified":2,"differing":1,"differences":[{"tenant":"initech","difference_count":3,"differences":["key k1 is missing"]}],)"
            R"("failed":[{"tenant":"globex","reason":"damaged"}],"legacy_rows":100,"legacy_bytes":2000,"rows_changed":50,)"
            R"("dead_letters":[{"code":"bad_hash","count":1,"meaning":"the hash is neither 64 hex digits nor base64 of 32 bytes",)"
            R"("advice":"mend or drop the row in legacy, or ask whoever writes the table; export and migrate again"}],)"
            R"("findings":[{"code":"unheard_of","count":1,"meaning":null,"advice":null}],"dead_letter_file":"./reeve.db.deadletter.jsonl",)"
            R"("skipped":[{"dataset":"x","reason":"no signature tables: y","perhaps_a_tenant":false}],)"
            R"("stats":{"wall_ms":1500,"list_ms":0,"scan_keys_ms":0,"read_ms":250,"parse_ms":0,"map_ms":0,"write_ms":0,"journal_ms":0,"verify_ms":0,)"
            R"("peak_rss_bytes":1000}})");
}

TEST(Reports, MigrateTextShoutsWhatWentWrong) {
  const std::string text = MigrateText(AMigration(), true, {});
  for (const char* piece : {"2 copied, 1 unchanged, 1 FAILED", "2 equal, 1 DIFFERENT", "1 row, listed in ./reeve.db.deadletter.jsonl", "globex  damaged",
                            "initech            3  key k1 is missing", "Where the time went", "read       0.25 s", "peak memory 1.0 kB"})
    EXPECT_NE(text.find(piece), std::string::npos) << piece << "\n" << text;
  EXPECT_EQ(MigrateText(AMigration(), false, {}).find("Where the time went"), std::string::npos);
}

TEST(Reports, PreviewSaysWhatWillBeDone) {
  migrate::MigratePreview preview;
  preview.tenants = 3;
  preview.files = 9;
  preview.bytes = 4'000;
  preview.already_copied = 2;
  preview.resumed_as_of = kNoon;
  EXPECT_EQ(PreviewText(preview, "export:./e", "sqlite:x"),
            "Will copy 3 tenants (4.0 kB in 9 files) from export:./e to sqlite:x; 2 already there, of which only what changed is written.\n"
            "Goes on with the run of 2026-11-15 12:00:00 UTC that was not finished. 0 datasets skipped.");
  Json object = Json::Object();
  PreviewJson(preview, &object);
  EXPECT_EQ(object.Text(),
            R"({"dry_run":true,"tenants":3,"files":9,"bytes":4000,"already_copied":2,"resumed_as_of":"2026-11-15T12:00:00Z","skipped":[]})");
}

TEST(Reports, VerifyJsonAndText) {
  static migrate::VerifyReport report;
  report.as_of = kNoon;
  report.tenants = 3;
  report.equal = 1;
  report.differing = 1;
  report.not_copied = 1;
  migrate::VerifiedTenant differs, missing;
  differs.tenant = "acme";
  differs.difference_count = 7;
  differs.differences = {"key k1: active here, revoked there"};
  missing.tenant = "globex";
  missing.differences = {"not migrated: damaged"};
  report.details = {differs, missing};
  EXPECT_EQ(Text([](Json* out) { VerifyJson(report, out); }),
            R"({"as_of":"2026-11-15T12:00:00Z","interrupted":false,"tenants":3,"equal":1,"differing":1,"not_copied":1,"legacy_rows":0,"legacy_bytes":0,)"
            R"("quarantined_rows":0,"wall_ms":0,"details":[{"tenant":"acme","equal":false,"certificate":null,"difference_count":7,)"
            R"("differences":["key k1: active here, revoked there"],"quarantined_rows":0},{"tenant":"globex","equal":false,"certificate":null,)"
            R"("difference_count":0,"differences":["not migrated: damaged"],"quarantined_rows":0}]})");
  const std::string text = VerifyText(report, "", {});
  for (const char* piece : {"3: 1 equal, 1 DIFFERENT, 1 NOT COPIED", "acme: 7 differences", "… and 6 more", "  globex\n    not migrated: damaged"})
    EXPECT_NE(text.find(piece), std::string::npos) << piece << "\n" << text;
}

TEST(Reports, StatusJsonAndText) {
  static migrate::StatusReport report;
  report.store = "sqlite:./reeve.db";
  report.journal = "ok, 7 records";
  report.by_phase = {{"copied", 1}, {"verified", 1}};
  migrate::TenantStatus good, stuck;
  good.tenant = "acme";
  good.customer_id = "cust_1";
  good.phase = "verified";
  good.attempt = 1;
  good.as_of = good.updated_at = kNoon;
  good.counts = R"({"legacy":{}})";
  good.next_action = "nothing";
  stuck = good;
  stuck.tenant = "globex";
  stuck.phase = "copied";
  stuck.reason = "differs";
  stuck.next_action = "reeve verify";
  report.tenants = {good, stuck};
  EXPECT_EQ(Text([](Json* out) { StatusJson(report, out); }),
            R"({"store":"sqlite:./reeve.db","journal":"ok, 7 records","by_phase":{"copied":1,"verified":1},"dead_letters":[],"findings":[],"tenants":[)"
            R"({"tenant":"acme","customer_id":"cust_1","phase":"verified","reason":null,"attempt":1,"as_of":"2026-11-15T12:00:00Z",)"
            R"("updated_at":"2026-11-15T12:00:00Z","quarantined":0,"findings":0,"counts":{"legacy":{}},"next_action":"nothing"},)"
            R"({"tenant":"globex","customer_id":"cust_1","phase":"copied","reason":"differs","attempt":1,"as_of":"2026-11-15T12:00:00Z",)"
            R"("updated_at":"2026-11-15T12:00:00Z","quarantined":0,"findings":0,"counts":{"legacy":{}},"next_action":"reeve verify"}]})");
  const std::string text = StatusText(report, {});
  EXPECT_NE(text.find("Stuck (1)"), std::string::npos);
  EXPECT_NE(text.find("globex  copied"), std::string::npos);
  EXPECT_EQ(text.find("acme"), std::string::npos);
  EXPECT_NE(StatusText(report, {.details = true}).find("acme"), std::string::npos);
  EXPECT_NE(StatusText({}, {}).find("Nothing was migrated"), std::string::npos);
}

TEST(Reports, RollbackJsonAndText) {
  static migrate::RollbackReport report;
  report.items = {{"acme", "verified", 12, 1, ""}, {"globex", "central", 0, 0, "is in phase central"}};
  EXPECT_EQ(Text([](Json* out) { RollbackJson(report, true, out); }),
            R"({"dry_run":true,"rolled_back":1,"refused":1,"tenants":[{"tenant":"acme","from_phase":"verified","rows_removed":12,)"
            R"("revocations_carried_back":1,"refused":null},{"tenant":"globex","from_phase":"central","rows_removed":0,"revocations_carried_back":0,)"
            R"("refused":"is in phase central"}]})");
  EXPECT_TRUE(RollbackText(report, true, {}).starts_with("Would take 1 tenant back to legacy: 12 central rows removed, 1 revocation carried back; 1 REFUSED\n"));
}

TEST(Reports, ExplainJsonAndTextNeverShowMoreThanTheHash) {
  static migrate::ExplainReport report;
  report.hash = std::string(64, 'a');
  migrate::KeySide side;
  side.where = "central";
  side.tenant = "acme";
  side.customer_id = "cust_1";
  side.api_key_id = "key_1";
  side.state = "revoked";
  side.revoked_at = kNoon;
  side.scopes = {"usage:read"};
  report.sides = {side};
  report.customer_status = "active";
  report.current_phase = "verified";
  report.verdicts = {{"legacy", false, "UNKNOWN", "not looked at"}, {"central", false, "INVALID_API_KEY", "it is revoked"}};
  report.notes = {"key_exposed"};
  EXPECT_EQ(Text([](Json* out) { ExplainJson(report, out); }),
            R"({"hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","known":true,"current_phase":"verified","customer_status":"active",)"
            R"("subscription":null,"sides":[{"where":"central","tenant":"acme","customer_id":"cust_1","api_key_id":"key_1","state":"revoked","created_at":null,)"
            R"("expires_at":null,"revoked_at":"2026-11-15T12:00:00Z","revoked_by":null,"last_used_at":null,"scopes":["usage:read"]}],)"
            R"("verdicts":[{"phase":"legacy","accepted":null,"code":"UNKNOWN","why":"not looked at"},{"phase":"central","accepted":false,"code":"INVALID_API_KEY","why":"it is revoked"}],"notes":["key_exposed"]})");
  const std::string text = ExplainText(report, {});
  EXPECT_NE(text.find("REFUSED"), std::string::npos);
  EXPECT_NE(text.find("Key with hash aaaaaaaaaaaa…"), std::string::npos);
}

TEST(Reports, DoctorJsonAndText) {
  static const std::vector<migrate::Check> checks = {{"All tenants migrated", migrate::Check::State::kOk, "3 of 3", ""},
                                                     {"No secret lay open", migrate::Check::State::kWarning, "1 key", "rotate"},
                                                     {"Store sound", migrate::Check::State::kFailed, "damaged", "restore"},
                                                     {"Backup kept", migrate::Check::State::kUnknown, "not visible", ""}};
  EXPECT_EQ(Text([](Json* out) { DoctorJson(checks, out); }),
            R"({"failed":1,"checks":[{"name":"All tenants migrated","state":"ok","evidence":"3 of 3","advice":null},)"
            R"({"name":"No secret lay open","state":"warning","evidence":"1 key","advice":"rotate"},)"
            R"({"name":"Store sound","state":"failed","evidence":"damaged","advice":"restore"},)"
            R"({"name":"Backup kept","state":"unknown","evidence":"not visible","advice":null}]})");
  const std::string text = DoctorText(checks, {});
  EXPECT_NE(text.find("✓ ok       All tenants migrated"), std::string::npos);
  EXPECT_NE(text.find("✗ FAILED   Store sound"), std::string::npos);
  EXPECT_NE(text.find("1 ok, 1 warning, 1 failed, 1 unknown"), std::string::npos);
}

TEST(Reports, SmallOnesAsJson) {
  EXPECT_EQ(Text([](Json* out) { DriftJson({{"customers", "column x is missing", true}}, out); }),
            R"({"equal":false,"drift":[{"table":"customers","what":"column x is missing","repairable":true}]})");
  EXPECT_EQ(Text([](Json* out) {
              migrate::ExportReport report;
              report.tables = {{"customers", 3, 300, "abc"}};
              ExportJson(report, out);
            }),
            R"({"tables":[{"table":"customers","rows":3,"bytes":300,"sha256":"abc"}]})");
  EXPECT_EQ(Text([](Json* out) {
              migrate::ImportReport report;
              report.rows = {{"customers", 3}};
              report.rows_changed = 2;
              report.customers = 3;
              report.conflicts = {"acme: x"};
              ImportJson(report, false, out);
            }),
            R"({"dry_run":false,"customers":3,"rows":{"customers":3},"rows_changed":2,"conflicts":["acme: x"]})");
  EXPECT_EQ(Text([](Json* out) {
              migrate::RepairReport report;
              report.items = {{"acme", "recounted"}};
              report.dry_run = true;
              RepairJson(report, out);
            }),
            R"({"dry_run":true,"repairs":[{"tenant":"acme","what":"recounted"}],"left_alone":[]})");
}

TEST(Reports, BackupAndRestoreAsJson) {
  EXPECT_EQ(Text([](Json* out) {
              migrate::BackupReport report;
              report.manifest.source = "export:./e";
              report.manifest.as_of = kNoon;
              report.manifest.sealed_with = "0011223344556677";
              report.manifest.failed = {{"acme", "api_keys", "damaged"}};
              report.rows = 5;
              report.bytes = 50;
              BackupJson(report, false, out);
            }),
            R"({"dry_run":false,"source":"export:./e","as_of":"2026-11-15T12:00:00Z","encrypted_with":"0011223344556677","tables":0,"rows":5,"bytes":50,)"
            R"("tables_reused":0,"datasets_skipped":0,"failed":[{"dataset":"acme","table":"api_keys","reason":"damaged"}]})");
  EXPECT_EQ(Text([](Json* out) {
              migrate::RestoreReport report;
              migrate::RestoredTable table;
              table.dataset = "acme";
              table.table = "api_keys";
              table.added = 1;
              report.tables = {table};
              report.added = 1;
              RestoreJson(report, true, out);
            }),
            R"({"dry_run":true,"added":1,"kept":0,"revoked":0,"tables":[{"dataset":"acme","table":"api_keys","added":1,"kept":0,"revoked":0,)"
            R"("created":false,"written":false}],"missing_from_backup":0})");
}

TEST(Reports, WhatComesFromDataCannotSteerTheTerminal) {
  migrate::PlanReport report;
  migrate::TenantPlan tenant;
  tenant.tenant = "acme";
  tenant.failure = "bad \x1b[2J file";
  report.tenants = {tenant};
  report.failed_tenants = 1;
  report.source = "export:\x1b]0;x";
  report.not_read = {"a\x1b[31m"};
  EXPECT_EQ(PlanText(report, std::nullopt, {.details = true}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace reeve::cli
