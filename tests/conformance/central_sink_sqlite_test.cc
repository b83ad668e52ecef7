// What only the embedded store promises: lock, durability, damage and full disks told apart, drift.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "drivers/sqlite/sqlite.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/conformance/central_sink_world.h"

namespace reeve::store {
namespace {

using catalog::RowBatch;

class SqliteSinkTest : public testing::Test {
 protected:
  Result<std::unique_ptr<CentralSink>> Open(OpenMode mode, SqliteLimits limits = {}) {
    return OpenSqliteSink(*files_, path_, mode, "reeve migrate, pid 17", limits);
  }

  std::unique_ptr<CentralSink> Create() {
    auto sink = Open(OpenMode::kCreate);
    REEVE_ASSERT(sink.has_value());
    return std::move(*sink);
  }

  static std::vector<TenantWrite> ManyTenants(int first, int count) {
    std::vector<TenantWrite> batch;
    for (int i = first; i < first + count; ++i) {
      const std::string tenant = fmt::format("tenant_{}", i);
      RowBatch customers(catalog::Customers()), keys(catalog::ApiKeys());
      AddCustomer(&customers, tenant);
      for (int key = 0; key < 5; ++key) AddKey(&keys, tenant, fmt::format("{}_{}", tenant, key));
      batch.push_back(WriteOf(tenant, 1, std::move(customers), std::move(keys)));
    }
    return batch;
  }

  void WriteFile(const std::string& content) { std::ofstream(path_, std::ios::binary) << content; }
  void Sql(const std::string& sql) {
    auto database = sqlite::Database::Open(path_, sqlite::Mode::kCreate, 0);
    ASSERT_TRUE(database) << database.error().message;
    const auto done = (*database)->Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }

  TempDir dir_;
  std::string path_ = dir_.File("store.db");
  std::unique_ptr<Files> files_ = MakeSystemFiles();
};

TEST_F(SqliteSinkTest, AMissingStoreIsNotMade) {
  const auto sink = Open(OpenMode::kExisting);
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().code, Code::kStoreMissing);
  EXPECT_FALSE(sink.error().hint.empty());
  EXPECT_FALSE(files_->Exists(path_) || files_->Exists(path_ + ".lock")) << "nothing is left behind";
  const auto reader = OpenSqliteReader(path_);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, Code::kStoreMissing);
}

TEST_F(SqliteSinkTest, AnEmptyFileIsNoStoreButMayBecomeOne) {
  WriteFile("");
  EXPECT_EQ(Open(OpenMode::kExisting).error().code, Code::kStoreMissing);
  EXPECT_EQ(OpenSqliteReader(path_).error().code, Code::kStoreMissing);
  EXPECT_TRUE(Open(OpenMode::kCreate));
}

TEST_F(SqliteSinkTest, AForeignFileIsRefusedAndNotTouched) {
  const std::string text = "these are my notes and not a database, and they are longer than a header of a hundred bytes, as notes are\n";
  WriteFile(text);
  for (const OpenMode mode : {OpenMode::kCreate, OpenMode::kExisting}) {
    const auto sink = Open(mode);
    ASSERT_FALSE(sink);
    EXPECT_EQ(sink.error().code, Code::kStoreMissing) << sink.error().message;
  }
  EXPECT_EQ(files_->Read(path_, 1000).value(), text);
  EXPECT_EQ(OpenSqliteReader(path_).error().code, Code::kStoreMissing);
}

TEST_F(SqliteSinkTest, AnotherProgramsDatabaseIsRefusedAndNotTouched) {
  Sql("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)");
  const std::string before = files_->Read(path_, 1'000'000).value();
  EXPECT_EQ(Open(OpenMode::kCreate).error().code, Code::kStoreMissing);
  EXPECT_EQ(files_->Read(path_, 1'000'000).value(), before);
}

TEST_F(SqliteSinkTest, ANewerFormatIsRefused) {
  Create();
  Sql("PRAGMA user_version=99");
  EXPECT_EQ(Open(OpenMode::kExisting).error().code, Code::kRefused);
  EXPECT_EQ(OpenSqliteReader(path_).error().code, Code::kRefused);
}

TEST_F(SqliteSinkTest, ADamagedStoreIsCalledDamaged) {
  ASSERT_TRUE(Create()->Merge(ManyTenants(0, 500)));
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(0, std::ios::end);
  const auto size = static_cast<int64_t>(file.tellp());
  for (int64_t at = 8192; at + 4096 <= size; at += 4096) {
    file.seekp(at);
    file.write(std::string(64, '\xFF').data(), 64);
  }
  file.close();
  auto sink = Open(OpenMode::kExisting);
  const auto merged = sink ? (*sink)->Merge(ManyTenants(100, 10)) : Result<std::vector<TenantResult>>(Unexpected(sink.error()));
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, Code::kCorrupt) << merged.error().message;
  EXPECT_FALSE(merged.error().hint.empty());
}

TEST_F(SqliteSinkTest, ASecondOpenerIsToldWhoHasTheLock) {
  auto first = Create();
  const auto second = Open(OpenMode::kExisting);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked);
  EXPECT_NE(second.error().message.find("reeve migrate, pid 17"), std::string::npos) << second.error().message;
  EXPECT_TRUE(OpenSqliteReader(path_)) << "looking needs no lock";
  first = nullptr;
  EXPECT_TRUE(Open(OpenMode::kExisting));
}

TEST_F(SqliteSinkTest, WhatWasMergedIsThereAfterReopening) {
  auto sink = Create();
  ASSERT_TRUE(sink->Merge(ManyTenants(0, 20)));
  const auto before = Dump(*sink);
  sink = nullptr;
  sink = std::move(Open(OpenMode::kExisting).value());
  EXPECT_EQ(Dump(*sink), before);
  EXPECT_TRUE(sink->CheckIntegrity()->empty());
}

TEST_F(SqliteSinkTest, WhatWasMergedSurvivesAProcessThatDies) {
  auto sink = Create();
  ASSERT_TRUE(sink->Merge(ManyTenants(0, 20)));
  const auto before = Dump(*sink);
  // The files as a killed process leaves them: the log not moved, the shared memory stale.
  const std::string copy = dir_.File("copy.db");
  for (const char* suffix : {"", "-wal"}) std::filesystem::copy_file(path_ + suffix, copy + suffix);
  auto reader = OpenSqliteReader(copy);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(Dump(**reader), before);
  auto reopened = OpenSqliteSink(*files_, copy, OpenMode::kExisting, "next");
  ASSERT_TRUE(reopened);
  EXPECT_EQ(Dump(**reopened), before);
}

TEST_F(SqliteSinkTest, ATornLogEndsAtTheLastWholeTransaction) {
  auto sink = Create();
  ASSERT_TRUE(sink->Merge(ManyTenants(0, 20)));
  const auto before = Dump(*sink);
  const auto whole = std::filesystem::file_size(path_ + "-wal");
  ASSERT_TRUE(sink->Merge(ManyTenants(20, 20)));
  const auto size = std::filesystem::file_size(path_ + "-wal");
  ASSERT_GT(size, whole);
  for (uint64_t cut = whole; cut < size; cut += 5000) {
    const std::string copy = dir_.File(fmt::format("copy{}.db", cut));
    for (const char* suffix : {"", "-wal"}) std::filesystem::copy_file(path_ + suffix, copy + suffix);
    std::filesystem::resize_file(copy + "-wal", cut);
    auto reopened = OpenSqliteSink(*files_, copy, OpenMode::kExisting, "next");
    ASSERT_TRUE(reopened);
    EXPECT_EQ(Dump(**reopened), before) << "cut at " << cut;
  }
}

TEST_F(SqliteSinkTest, AFullDiskIsAnErrorAndNothingIsHalfWritten) {
  ASSERT_TRUE(Create()->Merge(ManyTenants(0, 20)));
  auto sink = std::move(Open(OpenMode::kExisting, {.file_bytes_max = 400 * 1024}).value());
  const auto before = Dump(*sink);
  const auto merged = sink->Merge(ManyTenants(20, 2000));
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, Code::kFailed);
  EXPECT_NE(merged.error().message.find("full"), std::string::npos) << merged.error().message;
  EXPECT_NE(merged.error().hint.find("make room"), std::string::npos);
  EXPECT_EQ(Dump(*sink), before);
  EXPECT_TRUE(sink->CheckIntegrity()->empty());
  // With room again the same batch goes through.
  sink = nullptr;
  sink = std::move(Open(OpenMode::kExisting).value());
  ASSERT_TRUE(sink->Merge(ManyTenants(20, 2000)));
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::ApiKeys()).value(), 2020u * 5);
}

TEST_F(SqliteSinkTest, SettingsAreThoseOfADurableStore) {
  auto sink = Create();
  auto database = std::move(sqlite::Database::Open(path_, sqlite::Mode::kReadOnly, 0).value());
  EXPECT_EQ(database->QueryText("PRAGMA journal_mode").value(), "wal");
  EXPECT_EQ(database->QueryInt("PRAGMA page_size").value(), 4096) << "SqliteLimits counts in these";
  EXPECT_EQ(database->QueryInt("PRAGMA application_id").value(), 0x72656576);
}

TEST_F(SqliteSinkTest, ATenantsRowsAreFoundWithoutReadingThoseOfOthers) {
  Create();
  auto database = std::move(sqlite::Database::Open(path_, sqlite::Mode::kReadWrite, 0).value());
  ASSERT_TRUE(database->Execute("PRAGMA foreign_keys=ON"));
  const auto expect_search = [&](const std::string& sql) {
    sqlite::Statement plan = std::move(database->Prepare("EXPLAIN QUERY PLAN " + sql).value());
    while (plan.Step().value()) EXPECT_EQ(plan.Text(3).find("SCAN"), std::string_view::npos) << sql << ": " << plan.Text(3);
  };
  for (const auto& tables : {catalog::CentralTables(), catalog::OwnTables()}) {
    for (const catalog::Table& table : tables) {
      if (table.owner_column.empty()) continue;
      expect_search(fmt::format("SELECT * FROM {} WHERE {} = 'a'", table.name, table.owner_column));
      if (table.references_customer.empty()) continue;
      // What the engine asks when a customer is removed.
      const bool pair = table.Find("tenant_id") >= 0;
      expect_search(fmt::format("SELECT 1 FROM {} WHERE {}customer_id = 'c'", table.name, pair ? "tenant_id = 'a' AND " : ""));
    }
  }
  expect_search("SELECT * FROM customer_api_keys WHERE customer_id = 'c' AND api_key_id = 'k' AND tenant_id = "
                "(SELECT tenant_id FROM customers WHERE customer_id = 'c')");
}

TEST_F(SqliteSinkTest, DriftIsNamedAndWhatIsMissingIsMended) {
  Create();
  Sql("DROP INDEX customer_api_keys_hash; DROP TABLE reeve_findings; DROP INDEX customer_invitations_by_tenant_id;"
      "CREATE INDEX customer_invitations_by_tenant_id ON customer_invitations (role)");
  auto sink = std::move(Open(OpenMode::kExisting).value());
  const auto drift = sink->CheckSchema();
  ASSERT_TRUE(drift);
  std::vector<std::string> found;
  for (const Drift& one : *drift) found.push_back(fmt::format("{}: {}{}", one.table, one.what, one.repairable ? " (repairable)" : ""));
  EXPECT_EQ(found, (std::vector<std::string>{"customer_api_keys: index customer_api_keys_hash is missing (repairable)",
                                             "customer_invitations: index customer_invitations_by_tenant_id differs",
                                             "reeve_findings: the table is missing (repairable)"}));
  EXPECT_EQ(sink->ApplySchema().error().code, Code::kRefused);
  sink = nullptr;
  Sql("DROP INDEX customer_invitations_by_tenant_id");
  sink = std::move(Open(OpenMode::kExisting).value());
  EXPECT_TRUE(sink->ApplySchema());
  EXPECT_TRUE(sink->CheckSchema()->empty());
}

TEST_F(SqliteSinkTest, OtherColumnsAreDriftThatSchemaApplyRefuses) {
  Create();
  Sql("ALTER TABLE customers ADD COLUMN colour TEXT; ALTER TABLE customer_usage DROP COLUMN compute_hours;"
      "DROP TABLE customer_invitations; CREATE TABLE customer_invitations (invitation_id TEXT)");
  auto sink = std::move(Open(OpenMode::kExisting).value());
  const auto drift = sink->CheckSchema();
  ASSERT_TRUE(drift);
  EXPECT_EQ((*drift)[0].what, "column colour is not in the catalog");
  EXPECT_EQ((*drift)[1].what, "column compute_hours is missing");
  EXPECT_EQ((*drift)[2].what, "column customer_id is missing");
  EXPECT_EQ(sink->ApplySchema().error().code, Code::kRefused);
}

TEST_F(SqliteSinkTest, ChangedTypesAreDrift) {
  Create();
  Sql("DROP TABLE reeve_meta; CREATE TABLE reeve_meta (key TEXT PRIMARY KEY, value BLOB)");
  const auto drift = std::move(Open(OpenMode::kExisting).value())->CheckSchema();
  ASSERT_EQ(drift->size(), 1u);
  EXPECT_EQ((*drift)[0].table, "reeve_meta");
  EXPECT_FALSE((*drift)[0].repairable);
}

TEST_F(SqliteSinkTest, OrphansAndBrokenPagesShowInTheIntegrityCheck) {
  ASSERT_TRUE(Create()->Merge(ManyTenants(0, 2)));
  Sql("PRAGMA foreign_keys=OFF; DELETE FROM customers WHERE tenant_id='tenant_1'");
  auto sink = std::move(Open(OpenMode::kExisting).value());
  const auto findings = sink->CheckIntegrity();
  ASSERT_TRUE(findings);
  ASSERT_EQ(findings->size(), 5u);
  EXPECT_NE(findings->front().find("customer_api_keys"), std::string::npos) << findings->front();
}

TEST_F(SqliteSinkTest, ADigestThatCollidesShowsInTheIntegrityCheck) {
  auto sink = Create();
  for (const char* tenant : {"a", "b"}) {
    RowBatch customers(catalog::Customers()), usage(catalog::Usage());
    AddCustomer(&customers, tenant);
    AddUsage(&usage, tenant, 0).Text("usage_id", "usage_same");
    std::vector<TenantWrite> batch;
    batch.push_back(WriteOf(tenant, 1, std::move(customers), std::move(usage)));
    ASSERT_EQ(sink->Merge(batch).value()[0].outcome, Outcome::kMerged);
  }
  EXPECT_EQ(sink->CheckIntegrity().value(), std::vector<std::string>{"customer_usage: usage_id usage_same occurs 2 times"});
}

TEST_F(SqliteSinkTest, AReaderWorksWhileTheLogIsEmptied) {
  auto sink = Create();
  ASSERT_TRUE(sink->Merge(ManyTenants(0, 20)));
  auto reader = std::move(OpenSqliteReader(path_).value());
  ASSERT_TRUE(sink->Merge(ManyTenants(20, 20)));
  EXPECT_TRUE(sink->Checkpoint());
  EXPECT_EQ(reader->Count(catalog::Customers()).value(), 20u);
  reader = nullptr;
  EXPECT_TRUE(sink->Checkpoint());
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0u);
}

}  // namespace
}  // namespace reeve::store
