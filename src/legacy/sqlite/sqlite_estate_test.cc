#include "legacy/sqlite/sqlite_estate.h"

#include <gtest/gtest.h>

#include "drivers/sqlite/sqlite.h"
#include "tests/conformance/legacy_estate_dir.h"

namespace reeve::legacy {
namespace {

using testing::BytesOf;
using testing::FindTable;
using testing::LinesOf;
using testing::TempDir;
using Strings = std::vector<std::string>;

class SqliteEstateTest : public ::testing::Test {
 protected:
  void Execute(const std::string& sql) {
    auto database = sqlite::Database::Open(dir_.path("legacy.db"), sqlite::Mode::kCreate, 1000);
    ASSERT_TRUE(database) << database.error().message;
    const auto done = (*database)->Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  LegacyTable Table(std::string_view name) {
    const auto datasets = estate_->List();
    EXPECT_TRUE(datasets) << datasets.error().message;
    const LegacyTable* table = FindTable(*datasets, "acme", name);
    EXPECT_NE(table, nullptr);
    return table != nullptr ? *table : LegacyTable();
  }
  // The rows of acme.t, which must be the same both ways.
  Strings Rows() {
    const LegacyTable table = Table("t");
    const Strings lines = LinesOf(*estate_, table, 0).value();
    std::string joined;
    for (const std::string& line : lines) joined += line + "\n";
    EXPECT_EQ(BytesOf(*estate_, table, 0, 7).value(), joined);
    return lines;
  }
  // What a row says when column c, declared so, holds `value`.
  std::string Field(const std::string& declared, const std::string& value) {
    Execute("DROP TABLE IF EXISTS \"acme.t\"; CREATE TABLE \"acme.t\" (c " + declared + "); INSERT INTO \"acme.t\" VALUES (" + value + ")");
    return Rows().at(0);
  }

  TempDir dir_;
  const std::unique_ptr<LegacyEstate> estate_ = OpenSqliteEstate(dir_.path("legacy.db")).value();
};

TEST_F(SqliteEstateTest, ValuesReadAsAnExportWritesThem) {
  EXPECT_EQ(Field("INTEGER", "9223372036854775807"), R"({"c":"9223372036854775807"})");
  EXPECT_EQ(Field("INT64", "-5"), R"({"c":"-5"})");
  EXPECT_EQ(Field("BOOLEAN", "1"), R"({"c":true})");
  EXPECT_EQ(Field("BOOL", "0"), R"({"c":false})");
  EXPECT_EQ(Field("BOOL", "2"), R"({"c":2})");
  EXPECT_EQ(Field("BOOL", "'maybe'"), R"({"c":"maybe"})");
  EXPECT_EQ(Field("TIMESTAMP", "1735725600000000"), R"({"c":"2025-01-01 10:00:00 UTC"})");
  EXPECT_EQ(Field("TIMESTAMP", "1735725600000001"), R"({"c":"2025-01-01 10:00:00.000001 UTC"})");
  EXPECT_EQ(Field("TIMESTAMP", "-1"), R"({"c":"1969-12-31 23:59:59.999999 UTC"})");
  EXPECT_EQ(Field("TIMESTAMP", "'2025-01-01T10:00:00Z'"), R"({"c":"2025-01-01T10:00:00Z"})");
  EXPECT_EQ(Field("BLOB", "x'00ff10'"), R"({"c":"AP8Q"})");
  EXPECT_EQ(Field("TEXT", "x'00ff10'"), R"({"c":"AP8Q"})");
  EXPECT_EQ(Field("TEXT", "'a \"b\" ü'"), R"({"c":"a \"b\" ü"})");
  EXPECT_EQ(Field("TEXT", "'a' || char(10) || char(0) || 'b'"), R"({"c":"a\n\u0000b"})");
  EXPECT_EQ(Field("TEXT", "'[1]'"), R"({"c":"[1]"})");
  EXPECT_EQ(Field("REAL", "0.1"), R"({"c":0.10000000000000001})");
  EXPECT_EQ(Field("REAL", "9e999"), R"({"c":"Inf"})");
  EXPECT_EQ(Field("JSON", "'{\"a\": [1,\"x\"]}'"), R"({"c":{"a": [1,"x"]}})");
  EXPECT_EQ(Field("ARRAY", "'[\"a\"]'"), R"({"c":["a"]})");
  EXPECT_EQ(Field("JSON", "'[1,' || char(10) || '2]'"), R"({"c":[1, 2]})");
  EXPECT_EQ(Field("JSON", "'{broken'"), R"({"c":"{broken"})");
  EXPECT_EQ(Field("JSON", "'{}, \"is_active\": true'"), R"({"c":"{}, \"is_active\": true"})");
  EXPECT_EQ(Field("JSON", "'true'"), R"({"c":"true"})");
  EXPECT_EQ(Field("TEXT", "NULL"), "{}");
}

TEST_F(SqliteEstateTest, NullsAreLeftOutAndColumnsKeepTheirOrder) {
  Execute("CREATE TABLE \"acme.t\" (z TEXT, a TEXT, m INTEGER); INSERT INTO \"acme.t\" VALUES (NULL, 'x', 1), ('y', NULL, NULL)");
  EXPECT_EQ(Rows(), (Strings{R"({"a":"x","m":"1"})", R"({"z":"y"})"}));
  EXPECT_EQ(Table("t").schema, (Strings{"z", "a", "m"}));
}

TEST_F(SqliteEstateTest, StrangeColumnNamesAreQuotedEverywhere) {
  Execute("CREATE TABLE \"acme.t\" (\"a\"\"b\" TEXT, \"select\" INTEGER); INSERT INTO \"acme.t\" VALUES ('x', 1)");
  EXPECT_EQ(Rows(), Strings{R"({"a\"b":"x","select":"1"})"});
}

TEST_F(SqliteEstateTest, TablesWithoutADatasetAreIgnored) {
  Execute("CREATE TABLE plain (a); CREATE TABLE \".t\" (a)");
  EXPECT_EQ(estate_->List().error().code, Code::kNotFound);
  Execute("CREATE TABLE \"acme.t\" (a)");
  EXPECT_EQ(estate_->List()->size(), 1U);
}

TEST_F(SqliteEstateTest, AFileThatIsNoDatabaseIsAnError) {
  dir_.Write("legacy.db", std::string(5000, 'x'));
  const auto datasets = estate_->List();
  ASSERT_FALSE(datasets);
  EXPECT_NE(datasets.error().code, Code::kNotFound);
}

TEST_F(SqliteEstateTest, ReplaceKeepsDeclarationsAndAddsColumns) {
  Execute("CREATE TABLE \"acme.t\" (at TIMESTAMP, n INTEGER, ok BOOL, raw BLOB, j JSON)");
  const Strings rows = {R"({"at":"2025-01-01 10:00:00 UTC","n":"7","ok":true,"raw":"AP8Q","j":{"a":[1]}})",
                        R"({"at":"2025-01-01T10:00:00Z","raw":"no base64!","extra":"x","more":["y"]})"};
  ASSERT_TRUE(estate_->Replace("acme", "t", rows[0] + "\n\n" + rows[1]));
  EXPECT_EQ(Rows(), rows);
  EXPECT_EQ(Table("t").schema, (Strings{"at", "n", "ok", "raw", "j", "extra", "more"}));
}

TEST_F(SqliteEstateTest, ALineThatIsNoRowChangesNothing) {
  ASSERT_TRUE(estate_->Replace("acme", "t", "{\"a\":\"1\"}\n"));
  for (const char* bad : {"{\"a\":\"2\"}\nno json\n", "[]\n", "{\"a\":"}) {
    const auto replaced = estate_->Replace("acme", "t", bad);
    ASSERT_FALSE(replaced) << bad;
    EXPECT_NE(replaced.error().message.find("acme.t"), std::string::npos);
  }
  EXPECT_EQ(Rows(), Strings{R"({"a":"1"})"});
}

}  // namespace
}  // namespace reeve::legacy
