// docs/mapping.md §3 to §6: what rows are accepted, what becomes of them, and what several rows of one thing come to.
#include <gtest/gtest.h>

#include "migrate/witness/credentials.h"
#include "migrate/witness/expected.h"
#include "migrate/witness/keys.h"
#include "migrate/witness/record.h"
#include "migrate/witness/runs.h"

namespace reeve::migrate::witness {
namespace {

const Micros kAsOf = *ReadTime("2026-03-15 12:00:00");

// Rows whose texts outlive the parser.
class Rows {
 public:
  Row Read(Kind kind, std::string_view line) {
    static const std::optional<std::vector<std::string>> kNoSchema;
    json_.StartTable(kind, kNoSchema);
    Row row;
    EXPECT_EQ(json_.Parse(line), Reason::kNone) << line;
    EXPECT_EQ(ReadRow(json_, kind, &row), Reason::kNone) << line;
    for (FieldValue& value : row.fields) {
      if (value.text.data() == nullptr) continue;
      texts_.push_back(std::make_unique<std::string>(value.text));
      value.text = *texts_.back();
    }
    return row;
  }

 private:
  JsonRow json_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

std::string JudgedKey(std::string_view line, bool holds_hash = false) {
  Rows rows;
  Digest hash;
  return std::string(NameOf(JudgeKey(rows.Read(Kind::kKeys, line), {kAsOf, holds_hash}, &hash)));
}

Key KeyFrom(std::string_view line, bool holds_hash = false) {
  Rows rows;
  const Row row = rows.Read(Kind::kKeys, line);
  Digest hash;
  EXPECT_EQ(JudgeKey(row, {kAsOf, holds_hash}, &hash), Reason::kNone) << line;
  return KeyOf(row, hash);
}

// The merged keys of rows that all carry the key text "secret-one" unless they say otherwise.
std::vector<Key> Keys(std::vector<std::string> lines) {
  std::vector<Key> rows;
  for (const std::string& line : lines) rows.push_back(KeyFrom(line));
  return MergeKeys(std::move(rows), "acme");
}

TEST(WitnessKeys, RowsAreRejectedInTheOrderOfThePage) {
  const std::string time = R"("created_at":"2026-01-01 00:00:00")";
  EXPECT_EQ(JudgedKey("{}"), "missing_created_at");
  EXPECT_EQ(JudgedKey("{" + time + "}"), "missing_is_active");
  EXPECT_EQ(JudgedKey("{" + time + R"(,"is_active":true})"), "missing_hash");
  EXPECT_EQ(JudgedKey("{" + time + R"(,"is_active":true,"api_key_hash":""})"), "missing_hash");
  EXPECT_EQ(JudgedKey("{" + time + R"(,"is_active":true,"api_key_hash":"abc","api_key":"x"})"), "bad_hash");
  EXPECT_EQ(JudgedKey("{" + time + R"(,"is_active":true,"api_key_hash":"","api_key":"x"})"), "");
  EXPECT_EQ(JudgedKey(R"({"created_at":"2026-03-16 12:00:00","is_active":true,"api_key":"x"})"), "");
  EXPECT_EQ(JudgedKey(R"({"created_at":"2026-03-16 12:00:00.000001","is_active":true,"api_key_hash":"bad"})"), "future_time");
}

TEST(WitnessKeys, AnApiKeyColumnIsHashedUnlessItIsSaidToHoldHashes) {
  const std::string hex(64, 'A');
  const std::string line = R"({"created_at":"2026-01-01 00:00:00","is_active":true,"api_key":")" + hex + "\"}";
  EXPECT_EQ(KeyFrom(line).hash, DigestOf(hex));
  EXPECT_EQ(HexOf(BytesOf(KeyFrom(line, true).hash)), std::string(64, 'a'));
  const std::string other = R"({"created_at":"2026-01-01 00:00:00","is_active":true,"api_key":"sk_x"})";
  EXPECT_EQ(KeyFrom(other, true).hash, DigestOf("sk_x"));
}

TEST(WitnessKeys, PlaintextCiphertextsBecomeEmpty) {
  // base64 of "secret-one" is c2VjcmV0LW9uZQ==, and that of a longer key is long enough to be nested.
  const std::string longer = "acme_api_0123456789abcdef";
  const std::string longer_nested = "WVdOdFpWOWhjR2xmTURFeU16UTFOamM0T1dGaVkyUmxaZz09";  // base64(base64(longer))
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"secret-one", "secret-one", ""},
      {"secret-one", "c2VjcmV0LW9uZQ==", ""},
      {"secret-one", "YzJWamNtVjBMVzl1WlE9PQ==", "c2VjcmV0LW9uZQ=="},  // nested, but the inner text has only 16 characters
      {longer, longer_nested, ""},
      {"secret-one", "not base64!", "not base64!"},
      {"secret-one", "", ""},
      {"secret-one", "YWJj", "abc"},
      {"secret-one", "b3BhcXVlIGNpcGhlcnRleHQgYnl0ZXM=", "opaque ciphertext bytes"},
      {"secret-one", "YjNCaGNYVmxJR05wY0dobGNuUmxlSFFnWW5sMFpYTT0=", "opaque ciphertext bytes"},
  };
  for (const auto& [key, text, value] : cases) {
    const std::string line = fmt::format(
        R"({{"created_at":"2026-01-01 00:00:00","is_active":true,"api_key":"{}","encrypted_api_key":"{}"}})", key, text);
    EXPECT_EQ(KeyFrom(line).cipher, value) << text;
  }
}

TEST(WitnessKeys, DenyWinsWhenRowsAreMerged) {
  const auto keys = Keys({
      R"({"api_key":"a","created_at":"2025-01-02 00:00:00","is_active":true,"expires_at":"2027-01-01 00:00:00","last_used_at":"2026-01-01 00:00:00"})",
      R"({"api_key":"a","created_at":"2025-01-01 00:00:00","is_active":true,"revoked_at":"2026-02-02 00:00:00","revoked_by":"late"})",
      R"({"api_key":"a","created_at":"2025-01-03 00:00:00","is_active":true,"revoked_at":"2026-02-01 00:00:00","revoked_by":"zoe","expires_at":"2026-12-01 00:00:00"})",
      R"({"api_key":"a","created_at":"2025-01-03 00:00:00","is_active":true,"revoked_at":"2026-02-01 00:00:00","revoked_by":"ann","last_used_at":"2026-01-02 00:00:00"})",
      R"({"api_key":"a","created_at":"2025-01-03 00:00:00","is_active":false,"revoked_by":"abe"})",
  });
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_FALSE(keys[0].is_active);
  EXPECT_EQ(keys[0].revoked_at, ReadTime("2026-02-01 00:00:00"));
  EXPECT_EQ(keys[0].revoked_by, "ann");
  EXPECT_EQ(keys[0].expires_at, ReadTime("2026-12-01 00:00:00"));
  EXPECT_EQ(keys[0].last_used_at, ReadTime("2026-01-02 00:00:00"));
  EXPECT_EQ(keys[0].created_at, *ReadTime("2025-01-01 00:00:00"));
}

TEST(WitnessKeys, AnUndatedRevocationNamesTheSmallestOfTheInactiveRows) {
  const auto keys = Keys({
      R"({"api_key":"a","created_at":"2025-01-01 00:00:00","is_active":true,"revoked_by":"ann"})",
      R"({"api_key":"a","created_at":"2025-01-01 00:00:00","is_active":false,"revoked_by":"zoe"})",
      R"({"api_key":"a","created_at":"2025-01-01 00:00:00","is_active":false,"revoked_by":"tom"})",
  });
  EXPECT_FALSE(keys[0].is_active);
  EXPECT_EQ(keys[0].revoked_at, std::nullopt);
  EXPECT_EQ(keys[0].revoked_by, "tom");
}

TEST(WitnessKeys, DescriptionsComeFromTheNewestRowThatHasThem) {
  const auto keys = Keys({
      R"({"api_key":"a","api_key_id":"k2","created_at":"2025-01-01 00:00:00","is_active":true,"key_name":"old","created_by":"ann","scopes":["z"],"encrypted_api_key":"YWJj"})",
      R"({"api_key":"a","api_key_id":"k10","created_at":"2025-01-02 00:00:00","is_active":true,"key_name":"new b","scopes":["b"]})",
      R"({"api_key":"a","created_at":"2025-01-02 00:00:00","is_active":true,"key_name":"new a","scopes":["a","c"],"encrypted_api_key":""})",
      R"({"api_key":"a","created_at":"2025-01-03 00:00:00","is_active":true,"key_name":"","scopes":[]})",
  });
  EXPECT_EQ(keys[0].name, "new a");
  EXPECT_EQ(keys[0].created_by, "ann");
  EXPECT_EQ(keys[0].scopes, R"(["a","c"])");
  EXPECT_EQ(keys[0].cipher, "abc");
  EXPECT_EQ(keys[0].id, "k10");
}

TEST(WitnessKeys, AnIdOfTwoKeysIsNobodys) {
  const auto keys = Keys({
      R"({"api_key":"a","api_key_id":"same","created_at":"2025-01-01 00:00:00","is_active":true})",
      R"({"api_key":"b","api_key_id":"same","created_at":"2025-01-01 00:00:00","is_active":true})",
      R"({"api_key":"c","api_key_id":"own","created_at":"2025-01-01 00:00:00","is_active":true})",
      R"({"api_key":"d","created_at":"2025-01-01 00:00:00","is_active":true})",
  });
  ASSERT_EQ(keys.size(), 4U);
  for (const Key& key : keys) {
    if (key.hash == DigestOf("c")) {
      EXPECT_EQ(key.id, "own");
    } else {
      EXPECT_EQ(key.id, DerivedId("key_", "key", {"acme", HexOf(BytesOf(key.hash))}));
    }
  }
}

Credential CredentialFrom(std::string_view line) {
  Rows rows;
  const Row row = rows.Read(Kind::kCredentials, line);
  EXPECT_EQ(JudgeCredential(row, kAsOf), Reason::kNone) << line;
  return CredentialOf(row, "acme");
}

TEST(WitnessCredentials, PlaintextIsWithheld) {
  const std::tuple<std::string, Mark, std::string> cases[] = {
      {R"("")", Mark::kAbsent, ""},
      {R"("sealed")", Mark::kUnproven, "sealed"},
      {R"("YWJj")", Mark::kUnproven, "abc"},
      {R"("{\"a\":1}")", Mark::kPlaintextWithheld, ""},
      {R"(" \r\n\t{\"a\":1} ")", Mark::kPlaintextWithheld, ""},
      {R"("{\"a\":1")", Mark::kUnproven, "{\"a\":1"},
      {R"("[1]")", Mark::kUnproven, "[1]"},
      {R"("-----BEGIN PRIVATE KEY-----")", Mark::kPlaintextWithheld, ""},
      {R"("\n-----BEGIN x")", Mark::kPlaintextWithheld, ""},
      {R"("-----BEGINx")", Mark::kUnproven, "-----BEGINx"},
      {R"("eyJ0eXBlIjoic2VydmljZV9hY2NvdW50In0=")", Mark::kPlaintextWithheld, ""},
      // base64 of base64 of {"type":"service_account"}, and of base64 of {"a":1}, which is too short to be looked into
      {R"("ZXlKMGVYQmxJam9pYzJWeWRtbGpaVjloWTJOdmRXNTBJbjA9")", Mark::kPlaintextWithheld, ""},
      {R"("ZXlKaElqb3hmUT09")", Mark::kUnproven, "eyJhIjoxfQ=="},
      // base64 of base64 of ciphertext is decoded once
      {R"("YjNCaGNYVmxJR05wY0dobGNuUmxlSFFnWW5sMFpYTT0=")", Mark::kUnproven, "b3BhcXVlIGNpcGhlcnRleHQgYnl0ZXM="},
  };
  for (const auto& [text, mark, value] : cases) {
    const Credential credential =
        CredentialFrom(R"({"credential_id":"c","provider":"x","created_at":"2025-01-01 00:00:00","encrypted_value":)" + text + "}");
    EXPECT_EQ(credential.mark, mark) << text;
    EXPECT_EQ(credential.cipher, value) << text;
  }
}

TEST(WitnessCredentials, ProvidersHaveOneName) {
  const std::pair<const char*, const char*> names[] = {{"GCP_SA", "gcp"}, {"Google", "gcp"}, {"google_cloud", "gcp"}, {"AMAZON", "aws"},
                                                       {"Claude", "anthropic"}, {"OpenAI", "openai"}, {"ÄWS", "Äws"}};
  for (const auto& [written, name] : names) {
    EXPECT_EQ(CredentialFrom(fmt::format(R"({{"provider":"{}","created_at":"2025-01-01 00:00:00"}})", written)).provider, name);
  }
}

TEST(WitnessCredentials, MetadataIsSortedAndQuoted) {
  const Credential credential = CredentialFrom(
      R"({"provider":"x","created_at":"2025-01-01 00:00:00","validation_status":"ok","region":"eu","project_id":"p\n","metadata":"m","last_error":"\u0001","created_by":"ann","azure_subscription_id":"z","aws_account_id":"w","account_id":"a"})");
  EXPECT_EQ(credential.metadata,
            R"({"account_id":"a","aws_account_id":"w","azure_subscription_id":"z","created_by":"ann","last_error":"\u0001","legacy_metadata":"m","project_id":"p\n","reeve_ciphertext":"absent","region":"eu","validation_status":"ok"})");
}

TEST(WitnessCredentials, TheLatestRowWinsAndEqualOnesMustAgree) {
  const std::string old = R"({"credential_id":"c","provider":"x","created_at":"2025-01-01 00:00:00","encrypted_value":"old","is_active":false})";
  const std::string latest = R"({"credential_id":"c","provider":"x","created_at":"2025-01-02 00:00:00","encrypted_value":"new","is_active":true})";
  const std::string other = R"({"credential_id":"c","provider":"x","created_at":"2025-01-02 00:00:00","encrypted_value":"other","is_active":true})";
  auto merged = MergeCredentials({CredentialFrom(old), CredentialFrom(latest), CredentialFrom(latest)});
  ASSERT_EQ(merged.credentials.size(), 1U);
  EXPECT_EQ(merged.credentials[0].cipher, "new");
  EXPECT_FALSE(merged.credentials[0].is_active);
  EXPECT_EQ(merged.earliest, ReadTime("2025-01-01 00:00:00"));
  merged = MergeCredentials({CredentialFrom(old), CredentialFrom(latest), CredentialFrom(other)});
  EXPECT_TRUE(merged.credentials.empty());
  EXPECT_EQ(merged.conflicting, 3U);
  EXPECT_EQ(merged.earliest, std::nullopt);
}

std::string JudgedRun(std::string_view line, RunFacts* facts) {
  Rows rows;
  return std::string(NameOf(JudgeRun(rows.Read(Kind::kRuns, line), kAsOf, facts)));
}

TEST(WitnessRuns, RowsAreRejectedInTheOrderOfThePage) {
  RunFacts facts;
  EXPECT_EQ(JudgedRun("{}", &facts), "missing_run_id");
  EXPECT_EQ(JudgedRun(R"({"run_id":"r"})", &facts), "missing_status");
  EXPECT_EQ(JudgedRun(R"({"run_id":"r","status":"X"})", &facts), "missing_start_time");
  EXPECT_EQ(JudgedRun(R"({"run_id":"r","status":"DONE","started_at":"2026-01-01 00:00:00","duration_ms":-1})", &facts), "unknown_status");
  EXPECT_EQ(JudgedRun(R"({"run_id":"r","status":"failed","started_at":"2027-01-01 00:00:00","duration_ms":"-1"})", &facts), "negative_duration");
  EXPECT_EQ(JudgedRun(R"({"run_id":"r","status":"failed","started_at":"2027-01-01 00:00:00"})", &facts), "future_time");
  EXPECT_EQ(JudgedRun(R"({"run_id":"r","status":"failed","started_at":"2026-03-16 12:00:00"})", &facts), "");
}

TEST(WitnessRuns, EveryStatusHasItsRank) {
  const std::pair<RunStatus, std::vector<const char*>> ranks[] = {
      {RunStatus::kPending, {"PENDING", "pending"}},
      {RunStatus::kRunning, {"RUNNING", "INGESTING", "VALIDATING", "TRANSFORMING", "Cancelling"}},
      {RunStatus::kTerminal, {"COMPLETE", "COMPLETED", "SUCCESS", "FAILED", "CANCELLED", "TIMEOUT", "timeOut"}}};
  for (const auto& [rank, names] : ranks) {
    for (const char* name : names) {
      RunFacts facts;
      EXPECT_EQ(JudgedRun(fmt::format(R"({{"run_id":"r","status":"{}","started_at":"2026-01-01 00:00:00"}})", name), &facts), "");
      EXPECT_EQ(facts.status, rank) << name;
    }
  }
}

TEST(WitnessRuns, UnitingTakesTheEndFromTerminalRowsOnly) {
  const RunFacts open = {RunStatus::kRunning, 100, {}, {}};
  const RunFacts short_end = {RunStatus::kTerminal, 300, 500, 7};
  const RunFacts long_end = {RunStatus::kTerminal, 200, 400, 9};
  EXPECT_EQ(Unite(open, short_end), (RunFacts{RunStatus::kTerminal, 100, 500, 7}));
  EXPECT_EQ(Unite(long_end, short_end), (RunFacts{RunStatus::kTerminal, 200, 500, 9}));
  EXPECT_EQ(Unite(Unite(open, short_end), long_end), Unite(short_end, Unite(long_end, open)));
  EXPECT_EQ(Unite(open, open), open);
}

TEST(WitnessRuns, MonthsAddUpAsThePageSays) {
  constexpr Micros kLimit = 24 * kHour;
  MonthUsage usage;
  usage.Add({RunStatus::kTerminal, kAsOf - 2, kAsOf, 18'000}, kAsOf, kLimit);           // duration wins
  usage.Add({RunStatus::kTerminal, 0, 1'999, {}}, kAsOf, kLimit);                       // 1 ms, truncated
  usage.Add({RunStatus::kTerminal, 1'000, 999, {}}, kAsOf, kLimit);                     // an end before the start counts nothing
  usage.Add({RunStatus::kPending, kAsOf - kLimit, {}, {}}, kAsOf, kLimit);              // abandoned to the microsecond
  usage.Add({RunStatus::kRunning, kAsOf - kLimit + 1, {}, {}}, kAsOf, kLimit);
  usage.Add({RunStatus::kRunning, kAsOf + kHour, {}, {}}, kAsOf, kLimit);
  EXPECT_EQ(usage.runs, 6);
  EXPECT_EQ(usage.running, 2);
  EXPECT_EQ(usage.abandoned, 1);
  EXPECT_EQ(usage.last_start, kAsOf + kHour);
  EXPECT_EQ(usage.ComputeHours(), 1);  // 18,001 ms are 0.00500… h
  const std::pair<int64_t, int64_t> hours[] = {{0, 0}, {17'999, 0}, {18'000, 1}, {53'999, 1}, {54'000, 2}, {3'600'000, 100}};
  for (const auto& [ms, hundredths] : hours) {
    MonthUsage month;
    month.Add({RunStatus::kTerminal, 0, {}, ms}, kAsOf, kLimit);
    EXPECT_EQ(month.ComputeHours(), hundredths) << ms;
  }
  MonthUsage huge;
  for (int i = 0; i < 5; ++i) huge.Add({RunStatus::kTerminal, 0, {}, INT64_MAX}, kAsOf, kLimit);
  EXPECT_EQ(huge.ComputeHours(), 1'281'023'894'007'608);  // 5 × (2^63 − 1) ms in hundredths of an hour
}

TEST(WitnessRuns, TheWindowIsThirteenMonthsAndTheNext) {
  const MonthWindow window(kAsOf, 13);
  EXPECT_TRUE(window.Holds(*ReadTime("2025-03-01 00:00:00")));
  EXPECT_FALSE(window.Holds(*ReadTime("2025-02-28 23:59:59.999999")));
  EXPECT_TRUE(window.Holds(*ReadTime("2026-04-30 23:59:59.999999")));
  EXPECT_FALSE(window.Holds(*ReadTime("2026-05-01 00:00:00")));
}

TEST(WitnessRuns, TheTableKeepsDistinctIdsApart) {
  RunTable table;
  for (int round = 0; round < 3; ++round) {
    table.Clear();
    bool is_new = false;
    for (int i = 0; i < 20'000; ++i) table.Get("run-" + std::to_string(i % 10'000), {RunStatus::kPending, i, {}, {}}, &is_new);
    EXPECT_EQ(table.runs().size(), 10'000U);
    EXPECT_FALSE(is_new);
    EXPECT_EQ(table.Get("run-77", {}, &is_new).facts.start, 77);
    table.Get("", {}, &is_new);
    EXPECT_TRUE(is_new);
  }
}

LegacySide SideOf(const std::vector<std::string>& records) {
  Rows rows;
  LegacySide side;
  std::vector<Record> read;
  for (const std::string& line : records) read.push_back(RecordOf(rows.Read(Kind::kRecord, line)));
  if (!read.empty()) side.record = MergeRecords(read);
  return side;
}

// The cells of the one expected customer and subscription as "column=value".
std::map<std::string, std::string> Expected(const LegacySide& side, const Assumptions& assumptions) {
  std::map<std::string, std::string> cells;
  const Identity who = IdentityOf("acme", "acme");
  const CustomerFacts facts = CustomerFactsOf(side, "acme", kAsOf, assumptions);
  catalog::RowBatch customer(catalog::Customers());
  catalog::RowBatch subscription(catalog::Subscriptions());
  ExpectCustomer(who, side, facts, &customer);
  ExpectSubscription(who, side, facts, assumptions, &subscription);
  for (const catalog::RowBatch* batch : {&customer, &subscription}) {
    for (size_t c = 0; c < batch->table().columns.size(); ++c) {
      const catalog::Cell& cell = batch->Row(0)[c];
      const auto& column = batch->table().columns[c];
      cells[std::string(column.name)] = cell.is_null ? "NULL" : catalog::IsNumeric(column.type) ? std::to_string(cell.num) : std::string(cell.text);
    }
  }
  return cells;
}

Assumptions Plans() {
  Assumptions assumptions;
  assumptions.plans = {{"starter", 1000, 5, 100, 9900}, {"professional", 5000, 15, 500, 49900}, {"enterprise", {}, {}, {}, {}}};
  return assumptions;
}

TEST(WitnessRecord, StatusIsTheMostSevereThatARowSays) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "active"},
      {{R"({"tenant_id":"acme","is_active":true,"status":"ACTIVE"})"}, "active"},
      {{R"({"tenant_id":"acme","is_active":"false"})"}, "suspended"},
      {{R"({"tenant_id":"acme","status":"Suspended"})"}, "suspended"},
      {{R"({"tenant_id":"acme","suspended_at":"2026-01-01 00:00:00","is_active":true})"}, "suspended"},
      {{R"({"tenant_id":"acme","is_active":false,"status":"cancelled"})"}, "cancelled"},
      {{R"({"status":"cancelled"})", R"({"status":"active","updated_at":"2026-01-01 00:00:00"})"}, "cancelled"},
  };
  for (const auto& [records, status] : cases) EXPECT_EQ(Expected(SideOf(records), Plans())["status"], status);
}

TEST(WitnessRecord, DescriptionsComeFromTheNewestRowThatHasThem) {
  const Record record = *SideOf({R"({"company_name":"Old","contact_email":"o@x","updated_at":"2025-01-01 00:00:00","max_pipelines_per_month":1,"created_at":"2024-02-01 00:00:00"})",
                                 R"({"company_name":"Zed","updated_at":"2025-02-01 00:00:00","created_at":"2024-01-01 00:00:00","max_pipelines_per_month":7})",
                                 R"({"company_name":"New","created_at":"2025-02-01 00:00:00","max_pipelines_per_month":"5","suspended_at":"2025-05-01 00:00:00"})",
                                 R"({"company_name":"Timeless","suspended_at":"2025-04-01 00:00:00"})"})
                             .record;
  EXPECT_EQ(record.company, "New");
  EXPECT_EQ(record.email, "o@x");
  EXPECT_EQ(record.quotas[0], 5);
  EXPECT_EQ(record.created_at, ReadTime("2024-01-01 00:00:00"));
  EXPECT_EQ(record.suspended_at, ReadTime("2025-04-01 00:00:00"));
}

TEST(WitnessRecord, PlanAndQuotasFollowTheirOrder) {
  auto cells = Expected(SideOf({}), Plans());
  EXPECT_EQ(cells["plan_name"], "professional");
  EXPECT_EQ(cells["company_name"], "acme");
  EXPECT_EQ(cells["contact_email"], "NULL");
  EXPECT_EQ(cells["metadata"], R"({"company_name_source":"unknown","created_at_source":"migration"})");
  EXPECT_EQ(cells["billing_cycle_start"], std::to_string(DayOf(kAsOf)));

  cells = Expected(SideOf({R"({"subscription_tier":"Enterprise","max_pipelines_per_month":0,"max_concurrent_pipelines":-1})"}), Plans());
  EXPECT_EQ(cells["subscription_plan"], "enterprise");
  EXPECT_EQ(cells["monthly_pipeline_quota"], "0");
  EXPECT_EQ(cells["concurrent_pipeline_quota"], "NULL");
  EXPECT_EQ(cells["monthly_cost_usd"], "NULL");

  Assumptions overrides = Plans();
  overrides.overrides["acme"] = {"professional", {true, std::nullopt}, {}, {true, 3}};
  cells = Expected(SideOf({R"({"subscription_tier":"gold","max_pipelines_per_month":7,"max_concurrent_pipelines":8,"max_storage_gb":9})"}), overrides);
  EXPECT_EQ(cells["plan_name"], "professional");
  EXPECT_EQ(cells["monthly_pipeline_quota"], "NULL");
  EXPECT_EQ(cells["concurrent_pipeline_quota"], "8");
  EXPECT_EQ(cells["storage_quota_gb"], "3");
  overrides.overrides["acme"].plan = "";
  EXPECT_EQ(Expected(SideOf({R"({"subscription_tier":"gold"})"}), overrides)["plan_name"], "starter");
}

}  // namespace
}  // namespace reeve::migrate::witness
