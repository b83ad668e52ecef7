#include "store/bigquery/whole_read.h"

#include <gtest/gtest.h>

#include "store/bigquery/dataset_tables.h"
#include "store/sqlite/sqlite_reader.h"
#include "tests/conformance/central_sink_world.h"

namespace reeve::store {
namespace {

using bigquery::Value;
using catalog::RowBatch;
using catalog::Table;

Value Text(std::string_view text) { return {Value::Kind::kText, std::string(text), {}}; }
Value Null() { return {}; }

TEST(WholeReadQuery, SaysEveryValueAsTextAndReadsTheExactTextsFirst) {
  const std::vector<const Table*> tables = {&catalog::ReeveUsageRuns(), &ExactCells()};
  EXPECT_EQ(WholeReadQuery({"p", "central"}, tables),
            "SELECT 0 AS reeve_number, table_name AS c0, row_key AS c1, column_name AS c2, tenant_id AS c3, text AS c4 FROM `p.central.reeve_exact_cells`\n"
            "UNION ALL SELECT 1 AS reeve_number, tenant_id AS c0, CAST(usage_month AS STRING) AS c1, TO_BASE64(runs) AS c2, CAST(NULL AS STRING) AS c3, "
            "CAST(NULL AS STRING) AS c4 FROM `p.central.reeve_usage_runs`\n"
            "ORDER BY reeve_number");
}

class WholeReadTest : public testing::Test {
 protected:
  std::string Dump(const Table& table, const TableCopy& copy) {
    const auto database = std::move(sqlite::Database::Open(copy->path(), sqlite::Mode::kReadOnly, 0).value());
    SqliteReader reader(*database);
    return DumpTable(reader, table);
  }

  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Entropy> entropy_ = MakeSeededEntropy(1);
  std::shared_ptr<Spool> spool_ = Spool::Open(*files_, *entropy_, dir_.File("")).value();
};

TEST_F(WholeReadTest, RowsGoToTheirTablesAlsoWhereOneIsEmpty) {
  const std::vector<const Table*> tables = {&catalog::ReeveMeta(), &catalog::ReeveFindings(), &catalog::ReeveUsageRuns()};
  WholeRead read(*spool_, tables);
  ASSERT_TRUE(read.Add({Text("0"), Text("format"), Null(), Null(), Null()}));
  ASSERT_TRUE(read.Add({Text("2"), Text("a"), Text("2025-01-01"), Text("AAE="), Null()}));
  const auto copies = read.Finish();
  ASSERT_TRUE(copies) << copies.error().message;
  EXPECT_EQ(Dump(*tables[0], (*copies)[0]), "{\"key\":\"format\"}\n");
  EXPECT_EQ(Dump(*tables[1], (*copies)[1]), "");
  EXPECT_EQ(Dump(*tables[2], (*copies)[2]), "{\"tenant_id\":\"a\",\"usage_month\":\"2025-01-01\",\"runs\":\"AAE=\"}\n");
}

TEST_F(WholeReadTest, ExactTextsAreRestoredFromTheSameRead) {
  const std::vector<const Table*> tables = {&catalog::ReeveCertificates(), &ExactCells()};
  WholeRead read(*spool_, tables);
  ASSERT_TRUE(read.Add({Text("0"), Text("reeve_certificates"), Text(R"(["a","d1"])"), Text("certificate"), Text("a"), Text("{\"b\": 1}")}));
  ASSERT_TRUE(read.Add({Text("1"), Text("a"), Text("3"), Text("7000000"), Text("{\"b\":1}"), Text("d1")}));
  ASSERT_TRUE(read.Add({Text("1"), Text("a"), Text("3"), Text("7000000"), Text("{\"b\":1}"), Text("d2")}));
  const auto copies = read.Finish();
  ASSERT_TRUE(copies) << copies.error().message;
  EXPECT_EQ(Dump(*tables[0], (*copies)[0]),
            "{\"tenant_id\":\"a\",\"attempt\":\"3\",\"verified_at\":\"1970-01-01 00:00:07 UTC\",\"certificate\":{\"b\": 1},\"digest\":\"d1\"}\n"
            "{\"tenant_id\":\"a\",\"attempt\":\"3\",\"verified_at\":\"1970-01-01 00:00:07 UTC\",\"certificate\":{\"b\":1},\"digest\":\"d2\"}\n");
}

TEST_F(WholeReadTest, ARowThatNobodyAskedForIsNoAnswer) {
  const std::vector<const Table*> tables = {&catalog::ReeveMeta()};
  for (const bigquery::Row& row : {bigquery::Row{}, bigquery::Row{Text("1"), Text("k"), Text("v")}, bigquery::Row{Text("0"), Text("k")}}) {
    WholeRead read(*spool_, tables);
    EXPECT_EQ(read.Add(row).error().code, Code::kCorrupt);
  }
}

}  // namespace
}  // namespace reeve::store
