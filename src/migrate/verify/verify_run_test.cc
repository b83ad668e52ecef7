// A run over many tenants: which, in what threads and batches, and what is left when it fails or is interrupted.
#include <unistd.h>

#include <csignal>

#include "env/interrupt.h"
#include "migrate/verify/verify_testing.h"
#include "tests/fakes/faulty_files.h"

namespace reeve::migrate {
namespace {

using testing::Fault;
using testing::FaultyFiles;

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

}  // namespace
}  // namespace reeve::migrate
