// What only the embedded store promises of a ServingStore: lock, older and foreign stores, the look after a crash, a short log, keys read by two threads.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "drivers/sqlite/sqlite.h"
#include "store/sqlite/serving_store.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/conformance/serving_world.h"

namespace reeve::store {
namespace {

using catalog::RowBatch;
using Lines = std::vector<std::string>;

class SqliteServingTest : public testing::Test {
 protected:
  SqliteServingTest() { SeedServed(*OpenSqliteSink(*files_, path_, OpenMode::kCreate, "seed").value()); }

  Result<std::unique_ptr<ServingStore>> Open() {
    notes_.clear();
    return OpenSqliteServingStore(*files_, path_, "reeve serve, pid 17", &notes_, {.log_pages_max = 4'000, .commit_segment_bytes = 1u << 20});
  }
  std::unique_ptr<ServingStore> Opened() {
    auto store = Open();
    REEVE_ASSERT(store.has_value());
    return std::move(*store);
  }
  void Sql(const std::string& sql) {
    auto database = sqlite::Database::Open(path_, sqlite::Mode::kReadWrite, 0);
    ASSERT_TRUE(database) << database.error().message;
    const auto done = (*database)->Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  std::string Query(const std::string& sql) {
    auto database = std::move(sqlite::Database::Open(path_, sqlite::Mode::kReadOnly, 0).value());
    database->KeepLogOnClose();
    return database->QueryText(sql).value();
  }
  // As the files of a process that was killed: copies, taken while it lives.
  void Crash(std::unique_ptr<ServingStore> store) {
    const std::string next = dir_.File(fmt::format("crashed-{}.db", ++crashes_));
    // What is promised goes first: it may come into the tables while they are copied, and being there twice is nothing.
    for (const char* suffix : {".commits-0", ".commits-1", ".commits-2", ".commits-3", "", "-wal"})
      if (std::filesystem::exists(path_ + suffix)) std::filesystem::copy_file(path_ + suffix, next + suffix);
    store.reset();
    path_ = next;
  }
  uint64_t LogBytes() const { return std::filesystem::exists(path_ + "-wal") ? std::filesystem::file_size(path_ + "-wal") : 0; }

  // One granted run and the counters that go with it.
  static ServingWrites Grant(int64_t number, size_t padding = 0) {
    ServingWrites writes;
    RunRow run;
    run.customer_id = "cust_t2", run.tenant_id = "t2", run.run_id = fmt::format("run-{}", number), run.month = kServedMonth;
    run.fence = number, run.reserved_at = StartOf(kServedMonth) + number, run.expires_at = run.reserved_at + 1;
    run.pipeline_id = std::string(padding, 'x');
    writes.runs.push_back(std::move(run));
    writes.usage.push_back({"cust_t2", "t2", kServedMonth, number, number, 0, 0, std::nullopt});
    writes.fence = number;
    writes.ledger_time = StartOf(kServedMonth) + number;
    return writes;
  }

  TempDir dir_;
  std::string path_ = dir_.File("store.db");
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  Lines notes_;
  int crashes_ = 0;
};

TEST_F(SqliteServingTest, ASecondProcessIsToldWhoServes) {
  const auto store = Opened();
  const auto second = Open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked);
  EXPECT_NE(second.error().message.find("reeve serve, pid 17"), std::string::npos) << second.error().message;
  EXPECT_EQ(OpenSqliteSink(*files_, path_, OpenMode::kExisting, "reeve migrate").error().code, Code::kLocked);
}

TEST_F(SqliteServingTest, AMissingStoreIsNotMade) {
  path_ = dir_.File("other.db");
  const auto store = Open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kStoreMissing);
  EXPECT_FALSE(files_->Exists(path_) || files_->Exists(path_ + ".lock"));
}

TEST_F(SqliteServingTest, AStoreOfTheFormatBeforeTheLedgerGetsWhatItLacksAndKeepsWhatItHas) {
  Sql("DROP TABLE reeve_runs; DROP TABLE reeve_run_totals; PRAGMA user_version=1");
  {
    const auto reader = std::move(OpenSqliteReader(path_).value());
    EXPECT_EQ(reader->Count(catalog::ReeveRuns()).value(), 0u) << "reading needs no newer format";
    RowBatch rows(catalog::ReeveRunTotals());
    EXPECT_TRUE(reader->Read(rows.table(), OwnerOf("t0"), &rows));
  }
  auto store = Opened();
  EXPECT_EQ(notes_.size(), 2u) << (notes_.empty() ? "" : notes_.front());
  EXPECT_EQ(LoadLines(*store).size(), size_t{kServedTenants + kServedTenants * kKeysOfATenant + 2 + 1});
  ASSERT_TRUE(store->Commit(Grant(1)));
  EXPECT_EQ(Query("PRAGMA user_version"), "2") << "an older reeve must not touch it any more";
  store.reset();
  store = Opened();
  EXPECT_TRUE(notes_.empty());
}

TEST_F(SqliteServingTest, IndexesForServingAreMadeWhenItIsFirstServedAndTheirLackIsNoDrift) {
  const char* const kCount = "SELECT count(*) FROM sqlite_schema WHERE name IN ('customer_usage_by_usage_month', 'customer_usage_by_tenant_id_usage_month')";
  EXPECT_EQ(Query(kCount), "0") << "a migration does not pay for them";
  EXPECT_TRUE(OpenSqliteSink(*files_, path_, OpenMode::kExisting, "test").value()->CheckSchema()->empty());
  Opened().reset();
  EXPECT_EQ(Query(kCount), "2");
  EXPECT_EQ(notes_, Lines()) << "nothing that an operator should know";
  EXPECT_TRUE(OpenSqliteSink(*files_, path_, OpenMode::kExisting, "test").value()->CheckSchema()->empty());
  Sql("DROP INDEX customer_usage_by_usage_month; CREATE INDEX customer_usage_by_usage_month ON customer_usage (tenant_id)");
  EXPECT_EQ(OpenSqliteSink(*files_, path_, OpenMode::kExisting, "test").value()->CheckSchema()->size(), 1u);
}

TEST_F(SqliteServingTest, ANewerOrAnotherStoreIsRefused) {
  Sql("PRAGMA user_version=99");
  EXPECT_EQ(Open().error().code, Code::kRefused);
  Sql("PRAGMA user_version=2; ALTER TABLE reeve_runs ADD COLUMN colour TEXT");
  EXPECT_EQ(Open().error().code, Code::kRefused);
}

TEST_F(SqliteServingTest, MarksBehindTheRowsOfAnImportAreRaised) {
  Sql("INSERT INTO reeve_runs (tenant_id, run_id, usage_month, state, pipeline_id, api_key_id, ttl_ms, fence, reserved_at, ended_at, compute_ms, request_digest) "
      "VALUES ('t0', 'a', '2026-11-01', 2, '', '', 1, 41, 700, 900, 0, x''), ('t1', 'b', '2026-11-01', 5, '', '', 1, 0, 800, 800, 0, x'')");
  auto store = Opened();
  EXPECT_EQ(notes_.size(), 2u);
  EXPECT_EQ(LoadLines(*store).back(), "marks 900 41 0 ");
  store.reset();
  store = Opened();
  EXPECT_TRUE(notes_.empty());
  EXPECT_EQ(LoadLines(*store).back(), "marks 900 41 0 ");
}

TEST_F(SqliteServingTest, AMarkThatIsNoNumberIsDamage) {
  Sql("INSERT INTO reeve_meta (key, value) VALUES ('fence', '12x')");
  EXPECT_EQ(Open().error().code, Code::kCorrupt);
}

TEST_F(SqliteServingTest, WhatWasCommittedIsThereAfterACrashAndNothingHadToBeMended) {
  auto store = Opened();
  for (int i = 1; i <= 50; ++i) ASSERT_TRUE(store->Commit(Grant(i)));
  const Lines before = LoadLines(*store);
  Crash(std::move(store));
  store = Opened();
  EXPECT_EQ(notes_, Lines());
  EXPECT_EQ(LoadLines(*store), before);
}

TEST_F(SqliteServingTest, CountersThatDifferFromTheLedgerAfterACrashAreSetToIt) {
  auto store = Opened();
  ASSERT_TRUE(store->Commit(Grant(1)));
  ServingWrites done;
  done.runs = Grant(1).runs;
  done.runs[0].state = RunState::kCompleted;
  done.runs[0].ended_at = done.runs[0].reserved_at + 5;
  done.runs[0].compute_ms = 36'000;
  done.ledger_time = done.runs[0].ended_at;
  done.usage = {{"cust_t2", "t2", kServedMonth, 7, 3, 72'000, 0, std::nullopt}};  // a bug of ours
  ASSERT_TRUE(store->Commit(done));
  Crash(std::move(store));
  store = Opened();
  EXPECT_EQ(notes_, Lines{"t2 2026-11: the counters differed from the ledger and were set to it: 1 runs, 0 open"});
  EXPECT_EQ(Query("SELECT pipelines_run_count || ' ' || pipelines_running_count || ' ' || compute_hours FROM customer_usage WHERE tenant_id='t2'"), "1 0 0.01");
  EXPECT_EQ(Query("SELECT compute_ms FROM reeve_run_totals"), "36000");
  store.reset();
  EXPECT_EQ((Opened(), notes_), Lines()) << "after an orderly end nothing is looked at";
}

TEST_F(SqliteServingTest, DamagedPagesAreNotServedFromAfterACrash) {
  auto store = Opened();
  ASSERT_TRUE(store->Commit(Grant(1)));
  Crash(std::move(store));
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path_));
  for (int64_t at = 10 * 4096; at + 4096 <= size; at += 4096) {
    file.seekp(at);
    file.write(std::string(64, '\xFF').data(), 64);
  }
  file.close();
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt) << opened.error().message;
}

TEST_F(SqliteServingTest, TheLogStaysShortWithoutAnybodyAskingForIt) {
  const auto store = Opened();
  uint64_t longest = 0;
  for (int i = 1; i <= 800; ++i) {
    ASSERT_TRUE(store->Commit(Grant(i, 30'000)));
    longest = std::max(longest, LogBytes());
  }
  ASSERT_TRUE(store->Settle());
  EXPECT_GT(std::filesystem::file_size(path_), 10u << 20) << "there was something to move";
  EXPECT_LT(longest, 24u << 20) << "as long as it may be, and what comes in at once";
}

TEST_F(SqliteServingTest, AReaderThatStaysMakesTheLogLongerAndNoCommitFail) {
  const auto store = Opened();
  auto reader = std::move(OpenSqliteReader(path_).value());
  for (int i = 1; i <= 800; ++i) ASSERT_TRUE(store->Commit(Grant(i, 30'000)));
  ASSERT_TRUE(store->Settle());
  EXPECT_GT(LogBytes(), 20u << 20);
  EXPECT_EQ(reader->Count(catalog::ReeveRuns()).value(), 0u) << "it sees what it saw";
  reader = nullptr;
  for (int i = 801; i <= 1'600; ++i) ASSERT_TRUE(store->Commit(Grant(i, 30'000)));
  ASSERT_TRUE(store->Settle());
  EXPECT_EQ(Query("SELECT count(*) FROM reeve_runs"), "1600");
}

TEST_F(SqliteServingTest, KeysOfALargeStoreAllArriveOnce) {
  constexpr int kTenants = 40, kKeys = 500;  // several ranges, so that both threads have work
  {
    auto sink = std::move(OpenSqliteSink(*files_, path_, OpenMode::kExisting, "more").value());
    std::vector<TenantWrite> batch;
    for (int t = 0; t < kTenants; ++t) {
      const std::string tenant = fmt::format("many{}", t);
      RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys());
      AddCustomer(&customers, tenant);
      for (int key = 0; key < kKeys; ++key)
        AddKey(&keys, tenant, fmt::format("{}/{}", t, key)).Text("api_key_hash", fmt::format("{:016x}{:048x}", t, key)).Text("scopes", R"(["a:b"])");
      batch.push_back(WriteOf(tenant, 1, std::move(customers), std::move(keys)));
    }
    ASSERT_TRUE(sink->Merge(batch));
  }
  Sql("DELETE FROM customer_api_keys WHERE rowid BETWEEN 5000 AND 14000");
  const auto store = Opened();
  for (int again = 0; again < 3; ++again) {
    std::set<std::string> seen;
    uint64_t keys = 0;
    std::string last_customer;
    ServingVisitor visitor;
    visitor.customer = [](const ServedCustomer&) {};
    visitor.usage = [](const UsageRow&) {};
    visitor.run = [](const RunRow&) {};
    visitor.key = [&](const ServedKey& key) {
      ++keys;
      seen.insert(std::string(reinterpret_cast<const char*>(key.digest.data()), key.digest.size()));
      EXPECT_TRUE(key.customer_id.starts_with("cust_"));
    };
    ASSERT_TRUE(store->Load(kServedMonth, visitor));
    EXPECT_EQ(std::to_string(keys), Query("SELECT count(*) FROM customer_api_keys"));
    EXPECT_EQ(seen.size(), keys);
  }
}

TEST_F(SqliteServingTest, AKeyHashThatIsNoDigestIsDamage) {
  Sql("UPDATE customer_api_keys SET api_key_hash = 'short' WHERE api_key_hash LIKE '0001%'");
  EXPECT_TRUE(LoadLines(*Opened()).front().find("64 hex digits") != std::string::npos);
}

}  // namespace
}  // namespace reeve::store
