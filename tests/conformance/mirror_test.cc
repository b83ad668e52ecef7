// A mirror of the embedded store, into each kind of target: whatever happens in between, the seven tables there become those here.
#include "migrate/mirror/mirror.h"

#include <gtest/gtest.h>

#include "drivers/sqlite/sqlite.h"
#include "store/sqlite/serving_store.h"
#include "store/sqlite/sqlite_outbox.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/conformance/bigquery_dataset.h"
#include "tests/conformance/serving_world.h"
#include "tests/fakes/forwarding_sink.h"

namespace reeve::store {
namespace {

using catalog::RowBatch;
using migrate::MirrorReport;
using migrate::MirrorStep;

std::string Seven(CentralReader& reader) {
  std::string text;
  for (const catalog::Table& table : catalog::CentralTables()) text += fmt::format("== {}\n{}", table.name, DumpTable(reader, table));
  return text;
}

// Lines that stand in one text only.
std::string Differences(const std::string& there, const std::string& here) {
  std::map<std::string, int> lines;
  for (const auto& [text, side] : {std::pair(&there, 1), std::pair(&here, -1)}) {
    size_t start = 0;
    for (size_t end; (end = text->find('\n', start)) != std::string::npos; start = end + 1) lines[text->substr(start, end - start)] += side;
  }
  std::string differences;
  for (const auto& [line, side] : lines)
    if (side != 0) differences += fmt::format("{} {}\n", side > 0 ? "there:" : "here: ", line);
  return differences;
}

// A target that fails now and then, before or after the change took effect.
class ShakySink final : public testing::ForwardingSink {
 public:
  ShakySink(CentralSink& base, std::mt19937_64& random) : ForwardingSink(base), random_(random) {}
  Result<> Amend(std::span<const Deletion> deletions, std::span<const RowBatch> upserts) override {
    const uint64_t what = random_() % 6;
    if (what == 0) return Fail(Code::kInterrupted, "killed before");
    auto done = ForwardingSink::Amend(deletions, upserts);
    return what == 1 && done ? Fail(Code::kInterrupted, "killed after") : done;
  }

 private:
  std::mt19937_64& random_;
};

class MirrorSuite : public ::testing::TestWithParam<const char*> {
 protected:
  MirrorSuite() {
    SeedServed(*Sink());
    const std::string_view kind = GetParam();
    if (kind == "memory") target_ = MakeMemorySink();
    if (kind == "sqlite") target_ = std::move(OpenSqliteSink(*files_, dir_.File("target.db"), OpenMode::kCreate, "target").value());
  }
  // The fake of BigQuery, where it can be started.
  void SetUp() override {
    if (target_) return;
    std::string why;
    testing::BigqueryProcess* const fake = SharedFake(&why);
    if (fake == nullptr) GTEST_SKIP() << why;
    dataset_ = std::make_unique<TestDataset>(*fake);
    auto sink = dataset_->Open();
    ASSERT_TRUE(sink) << sink.error().message;
    target_ = std::move(*sink);
  }

  std::unique_ptr<CentralSink> Sink() { return std::move(OpenSqliteSink(*files_, path_, OpenMode::kCreate, "source").value()); }
  Result<std::unique_ptr<Outbox>> TryOutbox(OutboxStart start = OutboxStart::kGoOn, const std::string& target = "t") {
    return OpenSqliteOutbox(*files_, path_, target, "reeve mirror, pid 17", start);
  }
  std::unique_ptr<Outbox> OpenOutbox(OutboxStart start = OutboxStart::kGoOn) {
    auto outbox = TryOutbox(start);
    EXPECT_TRUE(outbox) << outbox.error().message;
    return std::move(*outbox);
  }
  MirrorReport Drain(Outbox& outbox, size_t marks_max = 1000) {
    MirrorReport sum;
    while (true) {
      const auto step = MirrorStep(outbox, *target_, marks_max);
      EXPECT_TRUE(step) << step.error().message;
      if (!step || step->steps == 0) return sum;
      sum.marks += step->marks, sum.rows_written += step->rows_written, sum.rows_deleted += step->rows_deleted, ++sum.steps;
    }
  }
  std::string Here() { return Seven(*OpenSqliteReader(path_).value()); }
  std::string There() { return Seven(*target_->OpenReader().value()); }
  void Sql(const std::string& sql) {
    auto database = std::move(sqlite::Database::Open(path_, sqlite::Mode::kReadWrite, 0).value());
    ASSERT_TRUE(SqliteRegistered(*database));
    const auto done = database->Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  static bool SqliteRegistered(sqlite::Database& database) { return database.Execute("PRAGMA foreign_keys=OFF").has_value(); }
  std::string Query(const std::string& sql) {
    auto database = std::move(sqlite::Database::Open(path_, sqlite::Mode::kReadOnly, 0).value());
    database->KeepLogOnClose();
    return database->QueryText(sql).value();
  }

  TempDir dir_;
  std::string path_ = dir_.File("source.db");
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<TestDataset> dataset_;
  std::unique_ptr<CentralSink> target_;
};

INSTANTIATE_TEST_SUITE_P(Targets, MirrorSuite, ::testing::Values("memory", "sqlite", "bigquery"), [](const auto& info) { return info.param; });

TEST_P(MirrorSuite, TheFirstMirrorBringsEverythingAndTheNextOneNothing) {
  auto outbox = OpenOutbox();
  const MirrorReport first = Drain(*outbox, 7);
  EXPECT_EQ(There(), Here());
  EXPECT_GT(first.steps, 2u);
  EXPECT_EQ(first.rows_deleted, 0u);
  outbox.reset();
  EXPECT_EQ(Drain(*OpenOutbox()).marks, 0u);
}

TEST_P(MirrorSuite, WithoutAMirrorChangesLeaveNoMarks) {
  EXPECT_EQ(Query("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'reeve_outbox%'"), "0");
  OpenOutbox().reset();
  EXPECT_NE(Query("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'reeve_outbox%'"), "0");
  EXPECT_TRUE(Sink()->CheckSchema()->empty()) << "it is no drift";
  ASSERT_TRUE(RemoveSqliteOutbox(*files_, path_, "off"));
  EXPECT_EQ(Query("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'reeve_outbox%'"), "0");
  EXPECT_FALSE(files_->Exists(path_ + ".mirror"));
}

TEST_P(MirrorSuite, ARowThatChangesOftenIsSentOnce) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  for (int i = 0; i < 5; ++i) Sql(fmt::format("UPDATE customers SET company_name = 'name {}' WHERE tenant_id = 't1'", i));
  Sql("DELETE FROM customer_api_keys WHERE tenant_id = 't2'");
  const MirrorReport report = Drain(*outbox);
  EXPECT_EQ(report.rows_written, 1u);
  EXPECT_EQ(report.rows_deleted, uint64_t{kKeysOfATenant});
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, ARowThatChangesWhileItIsSentIsSentAgain) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  Sql("UPDATE customers SET company_name = 'first' WHERE tenant_id = 't1'");
  const auto batch = outbox->Read(10);
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->marks.size(), 1u);
  Sql("UPDATE customers SET company_name = 'second' WHERE tenant_id = 't1'");
  ASSERT_TRUE(outbox->Done(batch->last));
  EXPECT_EQ(Drain(*outbox).marks, 1u);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, LatticesThereDoNotKeepWhatIsNoMoreHere) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  // What no merge would ever do: a revocation is taken back, an expiry becomes later, a counter smaller.
  Sql("UPDATE customer_api_keys SET is_active = 1, revoked_at = NULL, revoked_by = NULL, created_at = created_at + 9, last_used_at = 1 WHERE revoked_at IS NOT NULL");
  Sql("UPDATE customers SET created_at = created_at + 9, updated_at = 1");
  (void)Drain(*outbox);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, ARowComesAfterItsCustomerAlsoIfTheCustomerChangedLater) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  Sql("INSERT INTO customers SELECT 'cust_new', 'new', 'New', NULL, 'starter', 'active', 'new', 1, 1, NULL");
  Sql("INSERT INTO customer_subscriptions (subscription_id, customer_id, plan_name, billing_cycle_start, created_at, updated_at) "
      "VALUES ('sub_new', 'cust_new', 'starter', '2026-01-01', 1, 1)");
  Sql("UPDATE customers SET company_name = 'Newer' WHERE customer_id = 'cust_new'");
  (void)Drain(*outbox, 1);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, WhoHoldsAUniqueValueThereGivesWay) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  // The newer row has the earlier mark: the older one, which still holds the value there, was touched once more.
  Sql("UPDATE customer_subscriptions SET billing_cycle_end = '2026-02-01' WHERE customer_id = 'cust_t0'");
  Sql("INSERT INTO customer_subscriptions (subscription_id, customer_id, plan_name, billing_cycle_start, created_at, updated_at) "
      "VALUES ('sub_2', 'cust_t0', 'starter', '2026-02-01', 1, 1)");
  Sql("UPDATE customer_subscriptions SET updated_at = 7 WHERE subscription_id = 'sub_t0'");
  // A key whose hash has another id now, while a row of the old id holds another hash.
  Sql("DELETE FROM customer_api_keys WHERE api_key_id = 'key_2.0'");
  Sql("INSERT INTO customer_api_keys (api_key_id, customer_id, tenant_id, api_key_hash, encrypted_api_key, created_at) SELECT 'key_new', customer_id, tenant_id, "
      "'0200' || substr(api_key_hash, 5), x'', 77 FROM customer_api_keys WHERE api_key_id = 'key_2.1'");
  Sql("INSERT INTO customer_api_keys (api_key_id, customer_id, tenant_id, api_key_hash, encrypted_api_key, created_at) SELECT 'key_2.0', customer_id, tenant_id, "
      "'02ee' || substr(api_key_hash, 5), x'', 78 FROM customer_api_keys WHERE api_key_id = 'key_2.1'");
  // A customer that is another one now, with what belongs to it.
  Sql("UPDATE customer_api_keys SET customer_id = 'cust_t1_again' WHERE tenant_id = 't1'; UPDATE customer_subscriptions SET customer_id = 'cust_t1_again' WHERE "
      "customer_id = 'cust_t1'; UPDATE customer_usage SET customer_id = 'cust_t1_again' WHERE tenant_id = 't1'; "
      "UPDATE customers SET customer_id = 'cust_t1_again' WHERE tenant_id = 't1'");
  (void)Drain(*outbox, 1);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, ServingAndMirroringGoOnSideBySide) {
  OpenOutbox().reset();
  auto serving = std::move(OpenSqliteServingStore(*files_, path_, "reeve serve, pid 1").value());
  ServedHistory history(TakeSeed());
  auto outbox = OpenOutbox();  // an outbox that is there needs no lock
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(serving->Commit(history.Next()));
    if (i % 20 == 19) (void)Drain(*outbox, 3);
  }
  ASSERT_TRUE(outbox->Tidy());
  (void)Drain(*outbox);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, WhoeverHasTheStoreFirstIsNamedToAMirrorThatNeedsIt) {
  const auto serving = std::move(OpenSqliteServingStore(*files_, path_, "reeve serve, pid 1").value());
  const auto outbox = TryOutbox();
  ASSERT_FALSE(outbox);
  EXPECT_EQ(outbox.error().code, Code::kLocked);
  EXPECT_NE(outbox.error().message.find("reeve serve, pid 1"), std::string::npos) << outbox.error().message;
  EXPECT_NE(outbox.error().hint.find("reeve mirror --once"), std::string::npos);
}

TEST_P(MirrorSuite, OneMirrorAtATimeAndOneTarget) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  EXPECT_EQ(TryOutbox().error().code, Code::kLocked);
  outbox.reset();
  EXPECT_EQ(TryOutbox(OutboxStart::kGoOn, "another").error().code, Code::kRefused);
  auto again = TryOutbox(OutboxStart::kRestart, "another");
  ASSERT_TRUE(again) << again.error().message;
  target_ = MakeMemorySink();
  EXPECT_GT(Drain(**again).marks, 20u) << "everything goes to the new one";
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, WhatTheTargetHasBesideTheStoreGoes) {
  {
    RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys()), events(catalog::AuditLogs()), usage(catalog::Usage());
    AddCustomer(&customers, "stray");
    AddKey(&keys, "stray", "stray");
    AddUsage(&usage, "stray", 3);
    AddEvent(&events, "stray", "log_stray");
    std::vector<TenantWrite> batch;
    batch.push_back(WriteOf("stray", 1, std::move(customers), std::move(keys), std::move(usage), std::move(events)));
    ASSERT_EQ(target_->Merge(batch)->front().outcome, Outcome::kMerged);
  }
  auto outbox = OpenOutbox();
  EXPECT_EQ(Drain(*outbox).rows_deleted, 4u);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, ADeletionThatWasNotSentBeforeARestartIsNotForgotten) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  Sql("DELETE FROM customer_api_keys WHERE tenant_id = 't2'");
  outbox.reset();
  outbox = OpenOutbox(OutboxStart::kRestart);
  (void)Drain(*outbox);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, ADamagedCursorIsRefusedAndALostOneSendsEverythingAgain) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  outbox.reset();
  ASSERT_TRUE(files_->WriteAtomic(path_ + ".mirror", "{\"format\":\"reeve/mirror\",\"version\":2}"));
  EXPECT_EQ(TryOutbox().error().code, Code::kCorrupt);
  ASSERT_TRUE(files_->Remove(path_ + ".mirror"));
  outbox = OpenOutbox();
  EXPECT_GT(Drain(*outbox).marks, 20u);
  EXPECT_EQ(There(), Here());
}

TEST_P(MirrorSuite, MarksThatAreDoneAreForgotten) {
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  EXPECT_NE(Query("SELECT count(*) FROM reeve_outbox"), "0");
  ASSERT_TRUE(outbox->Tidy());
  EXPECT_EQ(Query("SELECT count(*) FROM reeve_outbox"), "0");
  {
    const auto serving = std::move(OpenSqliteServingStore(*files_, path_, "reeve serve", nullptr, {.log_pages_max = 4}).value());
    ServedHistory history(7);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(serving->Commit(history.Next()));
    (void)Drain(*outbox);
    ASSERT_TRUE(outbox->Tidy()) << "the server has the store";
    EXPECT_NE(Query("SELECT count(*) FROM reeve_outbox"), "0");
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(serving->Commit(history.Next()));
    (void)Drain(*outbox);
    EXPECT_EQ(There(), Here());
  }
  EXPECT_LT(std::stoi(Query("SELECT count(*) FROM reeve_outbox")), 60) << "the server forgets them by itself";
}

TEST_P(MirrorSuite, AnOutboxThatWasNotFinishedIsMadeAgain) {
  OpenOutbox().reset();
  Sql("UPDATE reeve_meta SET value = 'filling' WHERE key = 'outbox'; DELETE FROM reeve_outbox");
  auto outbox = OpenOutbox();
  (void)Drain(*outbox);
  EXPECT_EQ(There(), Here());
}

// Random changes of every kind, by migrations, repairs and a server, with a mirror that dies at every step.
TEST_P(MirrorSuite, RandomChangesAndDeathsEndInEqualTables) {
  const uint64_t seed = TakeSeed();
  std::mt19937_64 random(seed);
  ServedHistory history(seed);
  ShakySink shaky(*target_, random);
  auto outbox = OpenOutbox();
  const int rounds = dataset_ ? 9 : 40;  // over HTTP every step takes a tenth of a second
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
    if (random() % 2 == 0) {
      auto serving = std::move(OpenSqliteServingStore(*files_, path_, "serve").value());
      // A repair may have taken a key away that it wants to revoke: then it dies.
      for (int i = 0; i < 10 && serving->Commit(history.Next()); ++i) {
      }
    } else {
      auto sink = Sink();
      for (int i = 0; i < 6; ++i) {
        const std::string tenant = "m" + RandomTenant(random);
        std::vector<TenantWrite> batch;
        batch.push_back(RandomWrite(random, tenant, round));
        ASSERT_TRUE(random() % 5 == 0 ? sink->Erase(batch) : sink->Merge(batch));
        std::vector<std::vector<std::string>> texts;
        std::vector<CentralSink::Deletion> deletions;
        std::vector<RowBatch> upserts;
        RandomRepair(random, *sink, &texts, &deletions, &upserts);
        if (random() % 3 == 0) (void)sink->Amend(deletions, upserts);
      }
    }
    for (int steps = static_cast<int>(random() % 12); steps > 0; --steps) {
      const auto step = MirrorStep(*outbox, shaky, 1 + random() % 9);
      if (step) continue;
      ASSERT_EQ(step.error().code, Code::kInterrupted) << step.error().message;
      outbox.reset();  // the process died, and another one goes on, or begins anew
      outbox = OpenOutbox(random() % 8 == 0 ? OutboxStart::kRestart : OutboxStart::kGoOn);
    }
    if (round % 20 != 19 && round + 1 != rounds) continue;
    (void)Drain(*outbox, 5);
    ASSERT_EQ(Differences(There(), Here()), "");
  }
}

}  // namespace
}  // namespace reeve::store
