#include "legacy/bigquery/read_batch.h"

#include <gtest/gtest.h>

#include "drivers/bigquery/types.h"

namespace reeve::legacy {
namespace {

CatalogTable TableOf(EstateCatalog* catalog, const std::string& name, ColumnSet columns, uint64_t bytes = 0) {
  CatalogTable table;
  table.name = name;
  table.columns = catalog->Intern(std::move(columns));
  table.bytes = bytes;
  return table;
}

TEST(ReadBatch, OneTableIsOneSelectWithItsOrdinal) {
  EstateCatalog catalog;
  ReadBatch batch("my-project", "EU");
  ASSERT_TRUE(batch.Add("acme", TableOf(&catalog, "t", {{"id", "STRING"}, {"n", "INT64"}})));
  EXPECT_EQ(batch.Sql(std::nullopt), "SELECT '0' AS reeve_table, `id`, `n` FROM `my-project.acme.t`");
}

TEST(ReadBatch, AColumnThatATableLacksIsReadAsNullOfItsType) {
  EstateCatalog catalog;
  ReadBatch batch("p", "EU");
  ASSERT_TRUE(batch.Add("a", TableOf(&catalog, "t", {{"id", "STRING"}, {"scopes", "ARRAY<STRING>"}})));
  ASSERT_TRUE(batch.Add("b", TableOf(&catalog, "t", {{"n", "INT64"}, {"id", "STRING"}})));
  EXPECT_EQ(batch.Sql(std::nullopt),
            "SELECT '0' AS reeve_table, `id`, `scopes`, CAST(NULL AS INT64) AS `n` FROM `p.a.t`\nUNION ALL\n"
            "SELECT '1' AS reeve_table, `id`, CAST(NULL AS ARRAY<STRING>) AS `scopes`, `n` FROM `p.b.t`");
  EXPECT_EQ(batch.tables()[1].columns, (std::vector<uint16_t>{2, 0}));  // in the order of its own columns
}

TEST(ReadBatch, AColumnOfAnotherTypeOrCaseKeepsATableOut) {
  EstateCatalog catalog;
  ReadBatch batch("p", "EU");
  ASSERT_TRUE(batch.Add("a", TableOf(&catalog, "t", {{"enc", "BYTES"}})));
  EXPECT_FALSE(batch.Add("b", TableOf(&catalog, "t", {{"enc", "STRING"}})));
  EXPECT_FALSE(batch.Add("b", TableOf(&catalog, "t", {{"Enc", "BYTES"}})));  // the answer names the first spelling
  EXPECT_EQ(batch.tables().size(), 1U);
  EXPECT_EQ(batch.columns().size(), 1U);
}

TEST(ReadBatch, RowsOfOneInstantAreAskedForWithMicrosecondsInUtc) {
  EstateCatalog catalog;
  ReadBatch batch("p", "EU");
  ASSERT_TRUE(batch.Add("a", TableOf(&catalog, "t", {{"id", "STRING"}})));
  EXPECT_EQ(batch.Sql(*ParseTime("2026-11-22 18:03:00.000007 UTC")),
            "SELECT '0' AS reeve_table, `id` FROM `p.a.t` FOR SYSTEM_TIME AS OF TIMESTAMP '2026-11-22 18:03:00.000007+00'");
  EXPECT_TRUE(batch.Sql(*ParseTime("2026-11-22 18:03:00 UTC")).ends_with("TIMESTAMP '2026-11-22 18:03:00+00'"));
}

TEST(ReadBatch, ATableThatHasTheOrdinalsNameIsReadToo) {
  EstateCatalog catalog;
  ReadBatch batch("p", "EU");
  ASSERT_TRUE(batch.Add("a", TableOf(&catalog, "t", {{"Reeve_Table", "STRING"}, {"reeve_table_", "STRING"}})));
  EXPECT_EQ(batch.Sql(std::nullopt), "SELECT '0' AS reeve_table__, `Reeve_Table`, `reeve_table_` FROM `p.a.t`");
}

TEST(ReadBatch, NeverMoreTablesTextOrBytesThanAQueryMayHave) {
  EstateCatalog catalog;
  ReadBatch by_count("p", "EU"), by_bytes("p", "EU"), by_text("p", "EU");
  size_t added = 0;
  while (by_count.Add("d", TableOf(&catalog, "t", {{"id", "STRING"}}))) ++added;
  EXPECT_EQ(added, kBatchTablesMax);
  ASSERT_TRUE(by_bytes.Add("d", TableOf(&catalog, "huge", {{"id", "STRING"}}, 10 * kBatchBytesMax)));  // alone it is taken
  EXPECT_FALSE(by_bytes.Add("d", TableOf(&catalog, "small", {{"id", "STRING"}}, 1)));
  ColumnSet wide;
  for (int i = 0; i < 500; ++i) wide.push_back({fmt::format("column_{:050}", i), "STRING"});
  for (added = 0; by_text.Add("d", TableOf(&catalog, "t", wide));) ++added;
  EXPECT_LE(by_text.Sql(0).size(), kBatchSqlBytesMax);
  EXPECT_GT(by_text.Sql(0).size(), kBatchSqlBytesMax / 4);
  ASSERT_TRUE(by_text.tables().size() == added && added < kBatchTablesMax);
}

TEST(ReadBatch, LateColumnsCountInAllBranches) {
  EstateCatalog catalog;
  ReadBatch batch("p", "EU");
  for (int i = 0;; ++i) {
    ColumnSet columns;
    for (int c = 0; c < 20; ++c) columns.push_back({fmt::format("column_{:040}_{}", i, c), "STRING"});
    if (!batch.Add("d", TableOf(&catalog, "t", columns))) break;
  }
  EXPECT_LE(batch.Sql(0).size(), kBatchSqlBytesMax);
  EXPECT_LE(batch.columns().size(), kBatchColumnsMax);
}

TEST(ReadBatch, SomeOfItsTablesAreABatchWithTheSamePlaces) {
  EstateCatalog catalog;
  ReadBatch batch("p", "EU");
  ASSERT_TRUE(batch.Add("a", TableOf(&catalog, "t", {{"id", "STRING"}})));
  ASSERT_TRUE(batch.Add("b", TableOf(&catalog, "t", {{"n", "INT64"}, {"id", "STRING"}})));
  const ReadBatch second = batch.Only({1});
  EXPECT_EQ(second.Sql(std::nullopt), "SELECT '0' AS reeve_table, `id`, `n` FROM `p.b.t`");
  EXPECT_EQ(second.tables()[0].columns, (std::vector<uint16_t>{1, 0}));
}

TEST(BatchSize, DoublesWhileItWorksAndNeverTriesAgainWhatWasTooLarge) {
  BatchSize size;
  EXPECT_EQ(size.Now(), 250U);
  size.Worked(40);  // a small rest proves nothing
  EXPECT_EQ(size.Now(), 250U);
  size.Worked(250);
  EXPECT_EQ(size.Now(), 500U);
  size.Worked(500);
  size.Worked(1000);
  EXPECT_EQ(size.Now(), 1000U);
  size.WasTooLarge(1000);
  EXPECT_EQ(size.Now(), 500U);
  size.Worked(500);
  EXPECT_EQ(size.Now(), 500U);
  size.WasTooLarge(1);
  EXPECT_EQ(size.Now(), 1U);
  size.Worked(1);
  EXPECT_EQ(size.Now(), 1U);
}

TEST(Names, OnlyPlainNamesAndQuotableColumnsEnterSql) {
  for (const char* good : {"a", "Acme_1", "0"}) EXPECT_TRUE(bigquery::IsIdentifier(good)) << good;
  for (const char* bad : {"", "a-b", "a.b", "a`b", "a b", "ä", "a;DROP"}) EXPECT_FALSE(bigquery::IsIdentifier(bad)) << bad;
  EXPECT_FALSE(bigquery::IsIdentifier(std::string(1025, 'a')));
  for (const char* good : {"id", "a b", "ä"}) EXPECT_TRUE(IsQuotable(good)) << good;
  for (const char* bad : {"", "a`b", "a\\", "a\nb"}) EXPECT_FALSE(IsQuotable(bad)) << bad;
}

TEST(Names, ParametersOfATypeDoNotKeepColumnsApart) {
  EXPECT_EQ(WithoutParameters("STRING(50)"), "STRING");
  EXPECT_EQ(WithoutParameters("NUMERIC(10, 2)"), "NUMERIC");
  EXPECT_EQ(WithoutParameters("ARRAY<STRUCT<a STRING(5), b INT64>>"), "ARRAY<STRUCT<a STRING, b INT64>>");
}

}  // namespace
}  // namespace reeve::legacy
