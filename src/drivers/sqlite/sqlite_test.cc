#include "drivers/sqlite/sqlite.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace reeve::sqlite {
namespace {

class SqliteDriver : public testing::Test {
 protected:
  SqliteDriver() {
    std::string name = (std::filesystem::temp_directory_path() / "reeve-sqlite-XXXXXX").string();
    REEVE_ASSERT(mkdtemp(name.data()) != nullptr);
    dir_ = name;
  }
  ~SqliteDriver() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<Database> Open(Mode mode = Mode::kCreate) {
    auto opened = Database::Open(Path(), mode, 0);
    REEVE_ASSERT(opened.has_value());
    return std::move(*opened);
  }
  std::string Path() const { return dir_ + "/file.db"; }

  std::string dir_;
};

TEST_F(SqliteDriver, AnAbsentFileIsNotFound) {
  for (const Mode mode : {Mode::kReadOnly, Mode::kReadWrite}) {
    const auto opened = Database::Open(Path(), mode, 0);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kNotFound);
    EXPECT_NE(opened.error().message.find(Path()), std::string::npos);
  }
}

TEST_F(SqliteDriver, AFileOfAnotherKindIsNoDatabase) {
  std::ofstream(Path()) << std::string(5000, 'x');
  auto database = Open(Mode::kReadOnly);
  const auto version = database->QueryInt("PRAGMA user_version");
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, Code::kCorrupt);
  EXPECT_TRUE(database->LastWasNoDatabase());
}

TEST_F(SqliteDriver, ValuesComeBackAsTheyWereBound) {
  auto database = Open();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d TEXT) STRICT"));
  Statement insert = std::move(database->Prepare("INSERT INTO t VALUES (?1, ?2, ?3, ?4)").value());
  insert.BindInt(1, INT64_MIN);
  insert.BindText(2, std::string_view("a\0b", 3));
  insert.BindBlob(3, "");
  insert.BindNull(4);
  ASSERT_TRUE(insert.Run());
  EXPECT_EQ(database->Changes(), 1);
  Statement read = std::move(database->Prepare("SELECT a, b, c, d FROM t").value());
  ASSERT_TRUE(read.Step().value());
  EXPECT_EQ(read.Int(0), INT64_MIN);
  EXPECT_EQ(read.Text(1), std::string_view("a\0b", 3));
  EXPECT_EQ(read.Blob(2), "");
  EXPECT_FALSE(read.IsNull(2)) << "no bytes are not NULL";
  EXPECT_TRUE(read.IsNull(3));
  EXPECT_FALSE(read.Step().value());
}

TEST_F(SqliteDriver, ABrokenConstraintIsToldApart) {
  auto database = Open();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)"));
  EXPECT_FALSE(database->Execute("INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(database->LastWasConstraint());
  EXPECT_EQ(database->LastMessage(), "UNIQUE constraint failed: t.a");
  EXPECT_FALSE(database->Execute("nonsense"));
  EXPECT_FALSE(database->LastWasConstraint());
}

TEST_F(SqliteDriver, AnotherWriterIsLockedOut) {
  auto first = Open();
  auto second = Open();
  ASSERT_TRUE(first->Execute("CREATE TABLE t (a)"));
  auto transaction = Transaction::Begin(*first);
  ASSERT_TRUE(transaction);
  const auto other = Transaction::Begin(*second);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kLocked);
}

TEST_F(SqliteDriver, WhatIsNotCommittedIsRolledBack) {
  auto database = Open();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a)"));
  {
    auto transaction = std::move(Transaction::Begin(*database).value());
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES (1)"));
    {
      auto savepoint = std::move(Transaction::Savepoint(*database).value());
      ASSERT_TRUE(database->Execute("INSERT INTO t VALUES (2)"));
    }
    EXPECT_EQ(database->QueryInt("SELECT count(*) FROM t").value(), 1);
    auto savepoint = std::move(Transaction::Savepoint(*database).value());
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES (3)"));
    ASSERT_TRUE(savepoint.Commit());
    EXPECT_EQ(database->QueryInt("SELECT count(*) FROM t").value(), 2);
  }
  EXPECT_EQ(database->QueryInt("SELECT count(*) FROM t").value(), 0);
  EXPECT_TRUE(database->InAutocommit());
}

TEST_F(SqliteDriver, AVisitSeesEachRowOnceAndEndsWithItsFirstError) {
  const auto database = Open();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, ''), (4, 'four')"));
  Statement read = database->Prepare("SELECT visit_row(b, a) FROM t WHERE a >= ?1").value();
  std::string seen;
  const auto visit = [&](const RowValues& row) -> Result<> {
    seen += fmt::format("{}:{} ", row.Int(1), row.IsNull(0) ? "NULL" : row.Text(0));
    if (row.Text(0) == "four") return Fail(Code::kCorrupt, "no more");
    return {};
  };
  read.BindInt(1, 2);
  const Result<> ended = database->VisitRows(read, visit);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kCorrupt);
  EXPECT_EQ(ended.error().message, "no more");
  EXPECT_EQ(seen, "2:NULL 3: 4:four ");
  seen.clear();
  ASSERT_TRUE(database->Execute("UPDATE t SET b = 'vier' WHERE a = 4"));
  ASSERT_TRUE(database->VisitRows(read, visit)) << "the statement was reset, and is bound as it was";
  EXPECT_EQ(seen, "2:NULL 3: 4:vier ");
  read.BindInt(1, 5);
  seen.clear();
  EXPECT_TRUE(database->VisitRows(read, visit));
  EXPECT_EQ(seen, "");
}

TEST_F(SqliteDriver, AVisitThatNobodyMakesFails) {
  const auto database = Open();
  EXPECT_TRUE(database->Execute("CREATE TABLE t (a INTEGER)"));
  EXPECT_TRUE(database->Execute("SELECT visit_row(a) FROM t")) << "no row, no visit";
  EXPECT_FALSE(database->Execute("INSERT INTO t VALUES (1); SELECT visit_row(a) FROM t"));
}

TEST_F(SqliteDriver, AFullDatabaseSaysSo) {
  auto database = Open();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (a); PRAGMA max_page_count=5"));
  const auto written = database->Execute("INSERT INTO t VALUES (randomblob(100000))");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kFailed);
  EXPECT_NE(written.error().message.find("full"), std::string::npos);
  EXPECT_FALSE(written.error().hint.empty());
}

}  // namespace
}  // namespace reeve::sqlite
