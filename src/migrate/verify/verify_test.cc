#include "migrate/verify/verify.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "env/interrupt.h"
#include "migrate/audit.h"
#include "migrate/verify/certificate.h"
#include "store/memory/memory.h"
#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/faulty_files.h"

// What is done about a verdict; how a verdict comes about is the witness's business and tested there.

namespace reeve::migrate {
namespace {

using catalog::Cell;
using catalog::RowBatch;
using testing::Fault;
using testing::FaultyFiles;
using testing::TempDir;
using witness::Verdict;

constexpr Micros kAsOf = 1'795'370'580 * kSecond;  // 2026-11-22 18:03:00 UTC

class TickingClock final : public Clock {
 public:
  Micros Now() override { return now_ += kSecond; }
  Micros Steady() override { return steady_ += 1000; }
  void Sleep(Micros) override {}

 private:
  std::atomic<Micros> now_{kAsOf + kDay};
  std::atomic<Micros> steady_{0};
};

class NoEstate final : public legacy::LegacyEstate {
 public:
  std::string Url() const override { return "export:/estate"; }
  Result<std::vector<legacy::Dataset>> List() override { return std::vector<legacy::Dataset>(); }
  Result<std::unique_ptr<legacy::LineReader>> OpenLines(const legacy::LegacyTable&, size_t) override { return Fail(Code::kFailed, "none"); }
  Result<std::unique_ptr<legacy::RawReader>> OpenRaw(const legacy::LegacyTable&, size_t) override { return Fail(Code::kFailed, "none"); }
  Result<> Replace(const std::string&, const std::string&, std::string_view) override { return Fail(Code::kFailed, "none"); }
};

// Says what the test tells it to.
class FakeWitness final : public witness::Witness {
 public:
  std::vector<std::string> names;
  std::map<std::string, Verdict> verdicts;
  std::map<std::string, witness::TenantFacts> asked;  // guarded by mu
  std::set<std::thread::id> threads;                  // guarded by mu
  std::vector<std::string> extra;
  std::function<Result<>(const std::string&)> before = [](const std::string&) -> Result<> { return {}; };
  std::mutex mu;
  Result<> keys;           // what ReadKeys answers
  bool keys_read = false;

  const std::vector<std::string>& tenants() const override { return names; }
  const std::vector<witness::Skipped>& skipped() const override { return skipped_; }
  std::vector<legacy::LegacyTable> Carriers(std::string_view) const override { return {}; }
  uint64_t shared_quarantined() const override { return 3; }
  Result<> ReadKeys() override {
    keys_read = true;
    return keys;
  }
  Result<Verdict> Verify(std::string_view tenant, const witness::TenantFacts& facts, store::CentralReader&) override {
    REEVE_TRY(before(std::string(tenant)));
    const std::lock_guard lock(mu);
    asked[std::string(tenant)] = facts;
    threads.insert(std::this_thread::get_id());
    Verdict verdict = verdicts.at(std::string(tenant));
    verdict.tenant = tenant;
    return verdict;
  }
  Result<std::vector<std::string>> OnlyInCentral(store::CentralReader&) const override { return extra; }

 private:
  std::vector<witness::Skipped> skipped_;
};

// Watches and can refuse the writes.
class WatchedSink final : public store::CentralSink {
 public:
  explicit WatchedSink(std::unique_ptr<store::CentralSink> base) : base_(std::move(base)) {}
  std::vector<size_t> batches;
  std::set<std::thread::id> threads;
  std::optional<Error> failure;

  std::string Url() const override { return "memory:"; }
  Result<> ApplySchema() override { return base_->ApplySchema(); }
  Result<std::vector<store::Drift>> CheckSchema() override { return base_->CheckSchema(); }
  Result<std::vector<store::TenantResult>> Merge(std::span<const store::TenantWrite> batch) override {
    batches.push_back(batch.size());
    threads.insert(std::this_thread::get_id());
    if (failure) return Unexpected(*failure);
    return base_->Merge(batch);
  }
  Result<std::vector<store::TenantResult>> Erase(std::span<const store::TenantWrite> after) override { return base_->Erase(after); }
  Result<> Amend(std::span<const Deletion> deletions, std::span<const RowBatch> upserts) override { return base_->Amend(deletions, upserts); }
  Result<std::unique_ptr<store::CentralReader>> OpenReader() override { return base_->OpenReader(); }
  Result<std::vector<std::string>> CheckIntegrity() override { return base_->CheckIntegrity(); }
  Result<> Checkpoint() override { return base_->Checkpoint(); }

 private:
  const std::unique_ptr<store::CentralSink> base_;
};

Verdict Equal(uint64_t rows = 2) {
  Verdict verdict;
  verdict.equal = true;
  verdict.tables["customer_api_keys"] = {rows, rows, "aa", "aa"};
  verdict.tables["customers"] = {1, 1, "bb", "bb"};
  verdict.keys = {2, 3, 1, "cc", "cc"};
  verdict.usage = {1, 60, 2, 4, "dd", "dd"};
  verdict.credentials = {5, 1, 2, 1, 1};
  verdict.declared["revoked in central"] = 1;
  verdict.quarantined_rows = 7;
  verdict.legacy_rows = 10;
  verdict.legacy_bytes = 100;
  return verdict;
}
Verdict Different(uint64_t count = 2) {
  Verdict verdict = Equal();
  verdict.equal = false;
  verdict.tables["customer_api_keys"].digest_found = "a0";
  verdict.differences = {{witness::DifferenceKind::kMissingInCentral, "customer_api_keys", "key_1", ""},
                         {witness::DifferenceKind::kValueDiffers, "customers", "cust_1", "status"}};
  verdict.differences_total = count;
  return verdict;
}
Verdict Unmovable(std::string why) {
  Verdict verdict;
  verdict.equal = true;
  verdict.failed = std::move(why);
  return verdict;
}

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() {
    engine_ = {&estate_, &sink_, files_.get(), &clock_, &progress_, dir_.path("s.db")};
    options_.options.workers = 2;
  }

  // `tenant` as the copier leaves it.
  void Copied(const std::string& tenant, Verdict verdict, Phase phase = Phase::kCopied, int64_t attempt = 1, Micros as_of = kAsOf) {
    SetState(tenant, phase, attempt, as_of, "");
    Journal({.type = "phase", .tenant = tenant, .phase = "copied", .attempt = attempt, .at = kAsOf, .as_of = as_of, .digest = "src"});
    if (phase != Phase::kCopied)
      Journal({.type = "phase", .tenant = tenant, .phase = std::string(PhaseName(phase)), .attempt = attempt, .at = kAsOf});
    Known(tenant, std::move(verdict));
  }
  void Failed(const std::string& tenant, Verdict verdict, Phase phase = Phase::kLegacy) {
    SetState(tenant, phase, 1, kAsOf, "gzip cut");
    Journal({.type = "failed", .tenant = tenant, .attempt = 1, .at = kAsOf, .detail = "gzip cut"});
    Known(tenant, std::move(verdict));
  }
  void Known(const std::string& tenant, Verdict verdict) {
    witness_->names.push_back(tenant);
    std::sort(witness_->names.begin(), witness_->names.end());
    witness_->verdicts[tenant] = std::move(verdict);
  }
  void SetState(const std::string& tenant, Phase phase, int64_t attempt, Micros as_of, const std::string& reason) {
    store::TenantWrite write;
    write.owner = {tenant, CustomerIdOf(tenant)};
    write.attempt = attempt;
    RowBatch row(catalog::ReeveTenants());
    row.AddRow();
    const auto put = [&](std::string_view column, Cell cell) { row.Row(0)[static_cast<size_t>(row.table().Index(column))] = cell; };
    put("tenant_id", row.Own(tenant));
    put("customer_id", row.Own(write.owner.customer_id));
    put("dataset_id", row.Own(tenant + "_prod"));
    put("phase", row.Own(PhaseName(phase)));
    put("attempt", Cell::Int(attempt));
    put("as_of", Cell::Int(as_of));
    put("source", row.Own("export:/estate"));
    put("source_digest", row.Own("src"));
    put("counts", row.Own("{}"));
    if (!reason.empty()) put("reason", row.Own(reason));
    put("updated_at", Cell::Int(as_of));
    write.tables.push_back(std::move(row));
    ASSERT_TRUE(sink_.Merge({&write, 1}));
    sink_.batches.clear();
  }
  void Journal(JournalRecord record) {
    auto journal = migrate::Journal::Open(*files_, dir_.path("s.db.journal"));
    ASSERT_TRUE(journal);
    (*journal)->Add(record);
    ASSERT_TRUE((*journal)->Commit());
  }

  // A verifier for one run over the same witness.
  Result<VerifyReport> Run() {
    auto copy = std::make_unique<FakeWitness>();
    FakeWitness* seen = copy.get();
    copy->names = witness_->names;
    copy->verdicts = witness_->verdicts;
    copy->before = witness_->before;
    copy->extra = witness_->extra;
    Verifier verifier(engine_, options_, std::move(copy));
    REEVE_ASSIGN(const std::vector<std::string> names, verifier.Chosen());
    Result<VerifyReport> report = verifier.Run(names);
    witness_->asked = seen->asked;
    witness_->threads = seen->threads;
    if (report) REEVE_TRY(verifier.AddLeftovers(&*report));
    return report;
  }
  VerifyReport MustRun() {
    Result<VerifyReport> report = Run();
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(VerifyReport{});
  }

  RowBatch Rows(const catalog::Table& table, const std::string& tenant) {
    RowBatch rows(table);
    EXPECT_TRUE((*sink_.OpenReader())->Read(table, {tenant, CustomerIdOf(tenant)}, &rows));
    return rows;
  }
  std::string Text(const catalog::Table& table, const std::string& tenant, std::string_view column, size_t row = 0) {
    const RowBatch rows = Rows(table, tenant);
    if (row >= rows.size()) return "<no row>";
    const Cell cell = rows.Row(row)[static_cast<size_t>(table.Index(column))];
    return cell.is_null ? "<null>" : std::string(cell.text);
  }
  std::string PhaseOf(const std::string& tenant) { return Text(catalog::ReeveTenants(), tenant, "phase"); }
  TenantState Journaled(const std::string& tenant) {
    const auto state = ReadJournal(*files_, dir_.path("s.db.journal"));
    EXPECT_TRUE(state) << state.error().message;
    return state->tenants.at(tenant);
  }
  std::string ChainFault(const std::string& tenant) {
    const auto reader = sink_.OpenReader();
    return *CheckAuditChain(**reader, {tenant, CustomerIdOf(tenant)});
  }

  TempDir dir_;
  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  NoEstate estate_;
  TickingClock clock_;
  obs::SilentProgress progress_;
  WatchedSink sink_{store::MakeMemorySink()};
  const std::unique_ptr<FakeWitness> witness_ = std::make_unique<FakeWitness>();
  Engine engine_;
  VerifyOptions options_;
};

TEST_F(VerifyTest, AnEqualTenantIsVerifiedWithACertificate) {
  Copied("acme", Equal());
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.equal, 1u);
  EXPECT_EQ(report.differing, 0u);
  EXPECT_EQ(report.legacy_rows, 10u);
  EXPECT_EQ(report.legacy_bytes, 100u);
  EXPECT_EQ(report.quarantined_rows, 7u + 3u);  // of the tenant, and rows of nobody
  EXPECT_TRUE(report.details.empty());
  EXPECT_EQ(PhaseOf("acme"), "verified");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "reason"), "<null>");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "dataset_id"), "acme_prod");  // what else the row says stays
  const std::string digest = Text(catalog::ReeveCertificates(), "acme", "digest");
  EXPECT_EQ(Journaled("acme").phase, Phase::kVerified);
  EXPECT_EQ(Journaled("acme").certificate, digest);
  EXPECT_EQ(Journaled("acme").source_digest, "src");
}

TEST_F(VerifyTest, TheDigestIsThatOfTheStoredTextWhichHoldsTheProof) {
  Copied("acme", Equal(), Phase::kCopied, 4, kAsOf + 1);
  MustRun();
  const std::string text = Text(catalog::ReeveCertificates(), "acme", "certificate");
  EXPECT_EQ(Text(catalog::ReeveCertificates(), "acme", "digest"), crypto::Sha256Hex(text));
  for (const char* space : {": ", ", ", "{ ", " }", "\n"}) EXPECT_EQ(text.find(space), std::string::npos) << space;
  const boost::json::object json = boost::json::parse(text).as_object();
  EXPECT_EQ(json.at("format").as_string(), "reeve-certificate/1");
  EXPECT_EQ(json.at("tenant").as_string(), "acme");
  EXPECT_EQ(std::string_view(json.at("customer_id").as_string()), CustomerIdOf("acme"));
  EXPECT_EQ(json.at("phase").as_string(), "verified");
  EXPECT_EQ(json.at("attempt").as_int64(), 4);
  EXPECT_EQ(json.at("as_of").as_string(), "2026-11-22T18:03:00.000001Z");
  EXPECT_EQ(json.at("source").as_string(), "export:/estate");
  EXPECT_EQ(json.at("source_sha256").as_string(), "src");
  EXPECT_EQ(json.at("target").as_string(), "memory:");
  EXPECT_EQ(json.at("quarantined_rows").as_int64(), 7);
  EXPECT_EQ(json.at("tables").at("customer_api_keys").at("rows_expected").as_int64(), 2);
  EXPECT_EQ(json.at("tables").at("customer_api_keys").at("sha256_found").as_string(), "aa");
  EXPECT_EQ(json.at("keys").at("usable").as_int64(), 1);
  EXPECT_EQ(json.at("usage").at("runs").as_int64(), 60);
  EXPECT_EQ(json.at("credentials").at("unproven").as_int64(), 2);
  EXPECT_EQ(json.at("declared").at("revoked in central").as_int64(), 1);
}

TEST_F(VerifyTest, EachTenantIsComparedAsOfItsOwnInstant) {
  Copied("acme", Equal(), Phase::kCopied, 1, kAsOf);
  Copied("bolt", Equal(), Phase::kCopied, 2, kAsOf + 5);
  MustRun();
  EXPECT_EQ(witness_->asked.at("acme").as_of, kAsOf);
  EXPECT_EQ(witness_->asked.at("bolt").as_of, kAsOf + 5);
  EXPECT_FALSE(witness_->asked.at("acme").expect_failed);
}

TEST_F(VerifyTest, ATenantWithDifferencesFallsBackToCopiedWithTheReason) {
  for (const Phase phase : {Phase::kCopied, Phase::kArmed, Phase::kVerified}) Copied("t_" + std::string(PhaseName(phase)), Different(), phase);
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.differing, 3u);
  ASSERT_EQ(report.details.size(), 3u);
  EXPECT_EQ(report.details[0].tenant, "t_armed");
  EXPECT_EQ(report.details[0].difference_count, 2u);
  EXPECT_EQ(report.details[0].differences[1], "value_differs: customers cust_1 status");
  for (const VerifiedTenant& detail : report.details) {
    EXPECT_EQ(PhaseOf(detail.tenant), "copied");
    EXPECT_EQ(Text(catalog::ReeveTenants(), detail.tenant, "reason"), "verification found 2 differences");
    EXPECT_TRUE(Rows(catalog::ReeveCertificates(), detail.tenant).empty());
    EXPECT_EQ(Text(catalog::AuditLogs(), detail.tenant, "event_type"), "customer.verification_failed");
    EXPECT_EQ(Text(catalog::AuditLogs(), detail.tenant, "result"), "failure");
    EXPECT_EQ(Journaled(detail.tenant).phase, Phase::kCopied);
    EXPECT_EQ(Journaled(detail.tenant).source_digest, "") << "the next migration must merge it again";
  }
}

TEST_F(VerifyTest, AReasonIsForgottenOnceTheTenantIsEqual) {
  Copied("acme", Different());
  MustRun();
  witness_->verdicts["acme"] = Equal();
  MustRun();
  EXPECT_EQ(PhaseOf("acme"), "verified");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "reason"), "<null>");
  EXPECT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 2u);
  EXPECT_EQ(ChainFault("acme"), "");
}

TEST_F(VerifyTest, VerifiedAgainItGetsAFreshCertificateAndNoSecondEvent) {
  Copied("acme", Equal());
  MustRun();
  const std::string first = Journaled("acme").certificate;
  MustRun();
  EXPECT_EQ(Rows(catalog::ReeveCertificates(), "acme").size(), 2u);
  EXPECT_NE(Journaled("acme").certificate, first);
  EXPECT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 1u);
  EXPECT_EQ(ChainFault("acme"), "");
  // other content is another event
  witness_->verdicts["acme"] = Equal(9);
  MustRun();
  EXPECT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 2u);
  EXPECT_EQ(ChainFault("acme"), "");
}

TEST_F(VerifyTest, TheEventDependsOnNeitherWallTimeNorAttempt) {
  Copied("acme", Equal());
  MustRun();
  const std::string id = Text(catalog::AuditLogs(), "acme", "log_id");
  Copied("acme", Equal(), Phase::kCopied, 9);
  witness_->names = {"acme"};
  MustRun();
  ASSERT_EQ(Rows(catalog::AuditLogs(), "acme").size(), 1u);
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "log_id"), id);
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "event_type"), "customer.verified");
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "action"), "verify");
  const RowBatch events = Rows(catalog::AuditLogs(), "acme");
  EXPECT_EQ(events.Row(0)[static_cast<size_t>(events.table().Index("created_at"))].num, kAsOf);
}

TEST_F(VerifyTest, WhatWasNeverCopiedIsCountedAndLeftAlone) {
  Known("ghost", Equal());
  Known("back", Equal());
  SetState("back", Phase::kLegacy, 3, kAsOf, "");
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.tenants, 2u);
  EXPECT_EQ(report.not_copied, 2u);
  EXPECT_TRUE(witness_->asked.empty());
  EXPECT_EQ(PhaseOf("back"), "legacy");
  EXPECT_TRUE(sink_.batches.empty());
}

TEST_F(VerifyTest, AFailedTenantIsListedWithTheWitnesssReason) {
  Failed("acme", Unmovable("x_meta_api_keys-0.json.gz: truncated"));
  const VerifyReport report = MustRun();
  EXPECT_TRUE(witness_->asked.at("acme").expect_failed);
  EXPECT_EQ(report.not_copied, 1u);
  EXPECT_EQ(report.differing, 0u);
  ASSERT_EQ(report.details.size(), 1u);
  EXPECT_EQ(report.details[0].differences, std::vector<std::string>{"not migrated: x_meta_api_keys-0.json.gz: truncated"});
  EXPECT_EQ(PhaseOf("acme"), "legacy");
  EXPECT_TRUE(sink_.batches.empty());
}

TEST_F(VerifyTest, AFailureThatTheWitnessDoesNotFindIsADifferenceAndMovesNothing) {
  Verdict verdict = Different(1);
  verdict.differences = {{witness::DifferenceKind::kTenantFailed, "", "", "the migration says it failed, but it can be read"}};
  Failed("acme", verdict);
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.differing, 1u);
  EXPECT_EQ(PhaseOf("acme"), "legacy");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "acme", "reason"), "gzip cut");
  EXPECT_EQ(Journaled("acme").phase, Phase::kLegacy);
  EXPECT_EQ(Journaled("acme").failure, "gzip cut");
  EXPECT_EQ(Text(catalog::AuditLogs(), "acme", "event_type"), "customer.verification_failed");
}

TEST_F(VerifyTest, ATenantThatWasServedFromTheStoreIsNotCompared) {
  Copied("acme", Different(), Phase::kVerified);
  Copied("other", Equal());
  store::TenantWrite served{{"acme", CustomerIdOf("acme")}, 1, {}};
  served.tables.emplace_back(catalog::ReeveRunTotals());
  ASSERT_TRUE(catalog::ParseRow(R"({"tenant_id":"acme","usage_month":"2026-11-01","compute_ms":"0","legacy_runs":"1","legacy_running":"0","legacy_compute_ms":"0"})",
                                &served.tables.front()));
  ASSERT_TRUE(sink_.Merge({&served, 1}));
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.equal, 1u);
  EXPECT_EQ(report.not_copied, 1u);
  EXPECT_EQ(PhaseOf("acme"), "verified") << "counting on is no difference";
  ASSERT_EQ(report.details.size(), 1u);
  EXPECT_NE(report.details[0].differences[0].find("was served from this store"), std::string::npos);
}

TEST_F(VerifyTest, ATenantThatIsServedKeepsItsPhase) {
  Copied("central_equal", Equal(), Phase::kCentral);
  Copied("shadow_differs", Different(), Phase::kShadow);
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.differing, 1u);
  EXPECT_EQ(PhaseOf("central_equal"), "central");
  EXPECT_EQ(PhaseOf("shadow_differs"), "shadow");
  EXPECT_EQ(Text(catalog::ReeveTenants(), "shadow_differs", "reason"), "verification found 2 differences");
  EXPECT_EQ(Rows(catalog::ReeveCertificates(), "central_equal").size(), 1u);
  EXPECT_EQ(Journaled("central_equal").phase, Phase::kCentral);
  EXPECT_EQ(Journaled("shadow_differs").phase, Phase::kShadow);
}

TEST_F(VerifyTest, ManyTenantsAreProvedInParallelAndWrittenByOneThreadInBatches) {
  for (int i = 0; i < 300; ++i) {
    SetState(fmt::format("t{:03}", i), Phase::kCopied, 1, kAsOf, "");
    Known(fmt::format("t{:03}", i), i % 50 == 7 ? Different() : Equal());
  }
  options_.options.workers = 4;
  options_.all_details = true;
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.tenants, 300u);
  EXPECT_EQ(report.equal, 294u);
  EXPECT_EQ(report.differing, 6u);
  EXPECT_EQ(report.details.size(), 300u);
  EXPECT_TRUE(std::is_sorted(report.details.begin(), report.details.end(),
                             [](const VerifiedTenant& a, const VerifiedTenant& b) { return a.tenant < b.tenant; }));
  EXPECT_EQ(witness_->threads.count(std::this_thread::get_id()), 0u);
  EXPECT_EQ(sink_.threads, std::set<std::thread::id>{std::this_thread::get_id()});
  size_t written = 0;
  for (const size_t batch : sink_.batches) {
    EXPECT_LE(batch, 64u);
    written += batch;
  }
  EXPECT_EQ(written, 300u);
  EXPECT_EQ(Rows(catalog::ReeveCertificates(), "t000").size(), 1u);
}

TEST_F(VerifyTest, OnlyAndLimitChoose) {
  for (const char* name : {"a", "b", "c"}) Copied(name, Equal());
  options_.options.only = {"c", "a", "c"};
  EXPECT_EQ(MustRun().equal, 2u);
  EXPECT_EQ(PhaseOf("b"), "copied");
  options_.options.only = {"a", "nobody"};
  const auto unknown = Run();
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kNotFound);
  EXPECT_NE(unknown.error().message.find("nobody"), std::string::npos);
  options_.options.only.clear();
  options_.options.limit = 2;
  EXPECT_EQ(MustRun().tenants, 2u);
}

TEST_F(VerifyTest, TenantsThatOnlyCentralKnowsAreDifferences) {
  Copied("acme", Equal());
  witness_->extra = {"stray"};
  const VerifyReport report = MustRun();
  EXPECT_EQ(report.tenants, 2u);
  EXPECT_EQ(report.differing, 1u);
  ASSERT_EQ(report.details.size(), 1u);
  EXPECT_EQ(report.details[0].tenant, "stray");
}

TEST_F(VerifyTest, CertificatesAreWrittenAsFilesWhoseDigestIsTheirs) {
  const std::string long_name(300, 'x');
  Copied("acme", Equal());
  Copied("bolt", Different());
  Copied(long_name, Equal());
  options_.certificates_dir = dir_.path("certs/today");
  MustRun();
  EXPECT_EQ(crypto::Sha256Hex(dir_.Read("certs/today/acme.json")), Text(catalog::ReeveCertificates(), "acme", "digest"));
  EXPECT_TRUE(dir_.Has("certs/today/" + CustomerIdOf(long_name) + ".json"));
  EXPECT_FALSE(dir_.Has("certs/today/bolt.json"));
}

TEST_F(VerifyTest, AStoreThatFailsEndsTheRunWithItsError) {
  for (int i = 0; i < 100; ++i) Copied(fmt::format("t{:03}", i), Equal());
  sink_.failure = Error{Code::kFailed, "disk full", ""};
  const auto report = Run();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "disk full");
  EXPECT_EQ(Journaled("t000").phase, Phase::kCopied);
}

TEST_F(VerifyTest, AWitnessThatFailsEndsTheRunWithItsErrorAndKeepsWhatWasProved) {
  for (int i = 0; i < 100; ++i) Copied(fmt::format("t{:03}", i), Equal());
  witness_->before = [](const std::string& tenant) -> Result<> {
    if (tenant == "t090") return Fail(Code::kFailed, "central cannot be read");
    return {};
  };
  const auto report = Run();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "central cannot be read");
  EXPECT_EQ(PhaseOf("t000"), "verified");
  EXPECT_EQ(Journaled("t000").phase, Phase::kVerified);
}

TEST_F(VerifyTest, KeysThatAreReadMeanwhileAreWaitedForAndTheirFailureEndsTheRun) {
  Copied("acme", Equal());
  for (const bool good : {true, false}) {
    auto witness = std::make_unique<FakeWitness>();
    FakeWitness* seen = witness.get();
    witness->names = witness_->names;
    witness->verdicts = witness_->verdicts;
    if (!good) witness->keys = Fail(Code::kFailed, "metadata.api_keys cannot be read");
    Verifier verifier(engine_, options_, std::move(witness));
    verifier.ReadKeysMeanwhile();
    const Result<VerifyReport> report = verifier.Run({"acme"});
    EXPECT_TRUE(seen->keys_read);
    EXPECT_EQ(seen->asked.size(), good ? 1u : 0u);
    ASSERT_EQ(report.has_value(), good);
    if (!good) {
      EXPECT_EQ(report.error().message, "metadata.api_keys cannot be read");
    }
  }
}

TEST_F(VerifyTest, EveryFailedJournalWriteIsReportedAndMendedByTheNextRun) {
  for (int i = 0; i < 20; ++i) Copied(fmt::format("t{:03}", i), Equal());
  const std::string journal = dir_.Read("s.db.journal");
  uint64_t call = 1;
  for (;; ++call) {
    dir_.Write("s.db.journal", journal);
    FaultyFiles faulty(files_.get());
    faulty.FailAt(call, Fault::kTorn, true);
    engine_.files = &faulty;
    const auto report = Run();
    engine_.files = files_.get();
    if (report) break;  // the run has fewer calls
    EXPECT_NE(report.error().message.find("injected"), std::string::npos);
    EXPECT_EQ(MustRun().equal, 20u);
    for (int i = 0; i < 20; ++i) {
      const std::string tenant = fmt::format("t{:03}", i);
      ASSERT_EQ(Journaled(tenant).phase, Phase::kVerified);
      ASSERT_EQ(Rows(catalog::AuditLogs(), tenant).size(), 1u);
      ASSERT_EQ(ChainFault(tenant), "");
    }
  }
  EXPECT_GT(call, 5u);
}

TEST_F(VerifyTest, ANewerAttemptInTheMeantimeIsReported) {
  Copied("acme", Equal());
  witness_->before = [this](const std::string&) -> Result<> {
    SetState("acme", Phase::kCopied, 2, kAsOf, "");
    return {};
  };
  const auto report = Run();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kStaleAttempt);
  EXPECT_EQ(PhaseOf("acme"), "copied");
}

using VerifyDeathTest = VerifyTest;

TEST_F(VerifyDeathTest, AnInterruptFinishesTheBatchAndSaysSo) {
  for (int i = 0; i < 60; ++i) Copied(fmt::format("t{:03}", i), Equal());
  const auto interrupted_run = [this] {
    CatchInterrupts();
    witness_->before = [](const std::string& tenant) -> Result<> {
      if (tenant == "t020") std::raise(SIGTERM);
      return {};
    };
    const VerifyReport report = MustRun();
    bool all_kept = report.equal >= 20;
    const auto state = ReadJournal(*files_, dir_.path("s.db.journal"));
    uint64_t verified = 0;
    for (const auto& [name, tenant] : state->tenants) verified += tenant.phase == Phase::kVerified;
    all_kept = all_kept && verified == report.equal;
    _exit(report.interrupted && all_kept && report.equal < 60 ? 17 : 1);
  };
  EXPECT_EXIT(interrupted_run(), ::testing::ExitedWithCode(17), "");
}

TEST(Assumptions, SayWhatTheOptionsSay) {
  Options options;
  options.usage_months = 5;
  options.abandoned_after = kHour;
  options.api_key_column_holds_hash = true;
  options.declared = {"x"};
  options.plans.default_plan = "starter";
  domain::PlanOverride plan;
  plan.plan = "enterprise";
  plan.concurrent_runs = std::optional<int64_t>();  // unlimited
  plan.storage_gb = 7;
  options.plans.tenants["acme"] = plan;
  const witness::Assumptions said = AssumptionsOf(options, kAsOf);
  EXPECT_EQ(said.as_of, kAsOf);
  EXPECT_EQ(said.usage_months, 5);
  EXPECT_EQ(said.abandoned_after, kHour);
  EXPECT_TRUE(said.api_key_column_holds_hash);
  EXPECT_EQ(said.declared_tenants, std::vector<std::string>{"x"});
  EXPECT_EQ(said.default_plan, "starter");
  ASSERT_EQ(said.plans.size(), 3u);
  EXPECT_EQ(said.plans[0].monthly, 1000);
  EXPECT_EQ(said.plans[2].cost_usd_cents, std::nullopt);
  const witness::PlanOverride& acme = said.overrides.at("acme");
  EXPECT_EQ(acme.plan, "enterprise");
  EXPECT_FALSE(acme.monthly.set);
  EXPECT_TRUE(acme.concurrent.set);
  EXPECT_EQ(acme.concurrent.value, std::nullopt);
  EXPECT_EQ(acme.storage_gb.value, 7);
}

}  // namespace
}  // namespace reeve::migrate
