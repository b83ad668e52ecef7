// What the tests of this folder share: a witness that says what it is told to, a store that is watched, and tenants as the copier leaves them in both.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "migrate/audit.h"
#include "migrate/verify/verify.h"
#include "store/memory/memory.h"
#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/forwarding_sink.h"

namespace reeve::migrate {

inline constexpr Micros kAsOf = 1'795'370'580 * kSecond;  // 2026-11-22 18:03:00 UTC

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
  std::map<std::string, witness::Verdict> verdicts;
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
  Result<witness::Verdict> Verify(std::string_view tenant, const witness::TenantFacts& facts, store::CentralReader&) override {
    REEVE_TRY(before(std::string(tenant)));
    const std::lock_guard lock(mu);
    asked[std::string(tenant)] = facts;
    threads.insert(std::this_thread::get_id());
    witness::Verdict verdict = verdicts.at(std::string(tenant));
    verdict.tenant = tenant;
    return verdict;
  }
  Result<std::vector<std::string>> OnlyInCentral(store::CentralReader&) const override { return extra; }

 private:
  std::vector<witness::Skipped> skipped_;
};

// Watches and can refuse the merges.
class WatchedSink final : public testing::ForwardingSink {
 public:
  using ForwardingSink::ForwardingSink;
  std::vector<size_t> batches;
  std::set<std::thread::id> threads;
  std::optional<Error> failure;

  Result<std::vector<store::TenantResult>> Merge(std::span<const store::TenantWrite> batch) override {
    batches.push_back(batch.size());
    threads.insert(std::this_thread::get_id());
    if (failure) return Unexpected(*failure);
    return ForwardingSink::Merge(batch);
  }
};

inline witness::Verdict Equal(uint64_t rows = 2) {
  witness::Verdict verdict;
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
inline witness::Verdict Different(uint64_t count = 2) {
  witness::Verdict verdict = Equal();
  verdict.equal = false;
  verdict.tables["customer_api_keys"].digest_found = "a0";
  verdict.differences = {{witness::DifferenceKind::kMissingInCentral, "customer_api_keys", "key_1", ""},
                         {witness::DifferenceKind::kValueDiffers, "customers", "cust_1", "status"}};
  verdict.differences_total = count;
  return verdict;
}
inline witness::Verdict Unmovable(std::string why) {
  witness::Verdict verdict;
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
  void Copied(const std::string& tenant, witness::Verdict verdict, Phase phase = Phase::kCopied, int64_t attempt = 1, Micros as_of = kAsOf) {
    SetState(tenant, phase, attempt, as_of, "");
    Journal({.type = "phase", .tenant = tenant, .phase = "copied", .attempt = attempt, .at = kAsOf, .as_of = as_of, .digest = "src"});
    if (phase != Phase::kCopied)
      Journal({.type = "phase", .tenant = tenant, .phase = std::string(PhaseName(phase)), .attempt = attempt, .at = kAsOf});
    Known(tenant, std::move(verdict));
  }
  void Failed(const std::string& tenant, witness::Verdict verdict, Phase phase = Phase::kLegacy) {
    SetState(tenant, phase, 1, kAsOf, "gzip cut");
    Journal({.type = "failed", .tenant = tenant, .attempt = 1, .at = kAsOf, .detail = "gzip cut"});
    Known(tenant, std::move(verdict));
  }
  void Known(const std::string& tenant, witness::Verdict verdict) {
    witness_->names.push_back(tenant);
    std::sort(witness_->names.begin(), witness_->names.end());
    witness_->verdicts[tenant] = std::move(verdict);
  }
  void SetState(const std::string& tenant, Phase phase, int64_t attempt, Micros as_of, const std::string& reason) {
    store::TenantWrite write;
    write.owner = {tenant, CustomerIdOf(tenant)};
    write.attempt = attempt;
    catalog::RowBatch row(catalog::ReeveTenants());
    row.AddRow();
    const auto put = [&](std::string_view column, catalog::Cell cell) { row.Row(0)[static_cast<size_t>(row.table().Index(column))] = cell; };
    put("tenant_id", row.Own(tenant));
    put("customer_id", row.Own(write.owner.customer_id));
    put("dataset_id", row.Own(tenant + "_prod"));
    put("phase", row.Own(PhaseName(phase)));
    put("attempt", catalog::Cell::Int(attempt));
    put("as_of", catalog::Cell::Int(as_of));
    put("source", row.Own("export:/estate"));
    put("source_digest", row.Own("src"));
    put("counts", row.Own("{}"));
    if (!reason.empty()) put("reason", row.Own(reason));
    put("updated_at", catalog::Cell::Int(as_of));
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

  catalog::RowBatch Rows(const catalog::Table& table, const std::string& tenant) {
    catalog::RowBatch rows(table);
    EXPECT_TRUE((*sink_.OpenReader())->Read(table, {tenant, CustomerIdOf(tenant)}, &rows));
    return rows;
  }
  std::string Text(const catalog::Table& table, const std::string& tenant, std::string_view column, size_t row = 0) {
    const catalog::RowBatch rows = Rows(table, tenant);
    if (row >= rows.size()) return "<no row>";
    const catalog::Cell cell = rows.Row(row)[static_cast<size_t>(table.Index(column))];
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

  testing::TempDir dir_;
  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  NoEstate estate_;
  TickingClock clock_;
  obs::SilentProgress progress_;
  const std::unique_ptr<store::CentralSink> memory_ = store::MakeMemorySink();
  WatchedSink sink_{*memory_};
  const std::unique_ptr<FakeWitness> witness_ = std::make_unique<FakeWitness>();
  Engine engine_;
  VerifyOptions options_;
};

}  // namespace reeve::migrate
