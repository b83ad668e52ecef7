#include "drivers/bigquery/resources.h"

#include <gtest/gtest.h>

namespace reeve::bigquery {
namespace {

json::object Object(std::string_view text) { return *json::ParseObject(text, "test"); }

TEST(Json, NumbersMayBeTexts) {
  const json::object object = Object(R"({"a":"18446744073709551615","b":7,"c":-1,"d":1.5,"e":"x","f":null,"g":"","h":true,"i":7.0})");
  EXPECT_EQ(json::Unsigned(object, "a"), UINT64_MAX);
  EXPECT_EQ(json::Unsigned(object, "b"), 7U);
  EXPECT_EQ(json::Signed(object, "c"), -1);
  EXPECT_EQ(json::Unsigned(object, "i"), 7U);
  for (const std::string_view name : {"c", "d", "e", "f", "g", "h", "absent"}) EXPECT_FALSE(json::Unsigned(object, name)) << name;
}

TEST(Json, WhatIsNoObjectIsAnError) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{\"a\":";
  for (const std::string& text : {std::string(), std::string("[]"), std::string("{"), deep + "1" + std::string(100, '}'), std::string("{\"a\":\"\xC3\"}")})
    EXPECT_EQ(json::ParseObject(text, "x").error().code, Code::kFailed) << text.substr(0, 20);
}

TEST(Schemas, AreReadWithTheirLegacyNamesAndWrittenWithStandardOnes) {
  const json::object sent = Object(
      R"({"fields":[{"name":"id","type":"INTEGER","mode":"REQUIRED","description":"d"},{"name":"n","type":"NUMERIC","precision":"10","scale":2},)"
      R"({"name":"s","type":"STRING","mode":"NULLABLE","defaultValueExpression":"'active'"},{"name":"t","type":"STRING","mode":"REPEATED"},)"
      R"({"name":"r","type":"RECORD","mode":"REPEATED","fields":[{"name":"x","type":"BOOLEAN"}]}]})");
  const Result<Schema> schema = DecodeSchema(sent, "t");
  ASSERT_TRUE(schema) << schema.error().message;
  ASSERT_EQ(schema->size(), 5U);
  EXPECT_EQ(schema->at(0).type, FieldType::kInt64);
  EXPECT_EQ(schema->at(0).mode, Mode::kRequired);
  EXPECT_EQ(schema->at(1).precision, 10);
  EXPECT_EQ(schema->at(1).scale, 2);
  EXPECT_EQ(schema->at(2).default_expression, "'active'");
  EXPECT_EQ(schema->at(4).fields.at(0).type, FieldType::kBool);

  EXPECT_EQ(json::serialize(EncodeSchema(*schema, true)),
            R"({"fields":[{"name":"id","type":"INT64","mode":"REQUIRED","description":"d"},{"name":"n","type":"NUMERIC","mode":"NULLABLE","precision":"10","scale":"2"},)"
            R"({"name":"s","type":"STRING","mode":"NULLABLE","defaultValueExpression":"'active'"},{"name":"t","type":"STRING","mode":"REPEATED"},)"
            R"({"name":"r","type":"STRUCT","mode":"REPEATED","fields":[{"name":"x","type":"BOOL","mode":"NULLABLE"}]}]})");
  EXPECT_EQ(json::serialize(EncodeSchema(*schema, false)).find("active"), std::string::npos);
  EXPECT_EQ(*DecodeSchema(EncodeSchema(*schema, true), "t"), *schema);
}

TEST(Schemas, ThatCannotBeAreRefused) {
  std::string deep = R"({"name":"x","type":"STRING"})";
  for (int i = 0; i < 15; ++i) deep = R"({"name":"r","type":"RECORD","fields":[)" + deep + "]}";
  std::string wide;
  for (size_t i = 0; i <= kColumnsMax; ++i) wide += (i == 0 ? "" : ",") + std::string(R"({"name":"x","type":"STRING"})");
  for (const std::string& fields : {std::string("7"), std::string(R"({"type":"STRING"})"), std::string(R"({"name":"a","type":"QUUX"})"), deep, wide})
    EXPECT_FALSE(DecodeSchema(Object("{\"fields\":[" + fields + "]}"), "t")) << fields.substr(0, 40);
}

TEST(Datasets, AreReadFromBothServers) {
  const Result<DatasetInfo> real = DecodeDataset(
      Object(R"({"id":"p:d","datasetReference":{"projectId":"p","datasetId":"d"},"location":"EU","labels":{"kind":"tenant","odd":7}})"));
  ASSERT_TRUE(real);
  EXPECT_EQ(real->dataset, "d");
  EXPECT_EQ(real->location, "EU");
  EXPECT_EQ(real->labels, (std::map<std::string, std::string>{{"kind", "tenant"}}));
  EXPECT_TRUE(DecodeDataset(Object(R"({"id":"d","datasetReference":{"datasetId":"d","projectId":"p"}})"))->location.empty());
  EXPECT_FALSE(DecodeDataset(Object(R"({"id":"p:d"})")));
  EXPECT_EQ(json::serialize(EncodeDataset({"p", "d", "EU", {{"a", "b"}}})),
            R"({"datasetReference":{"projectId":"p","datasetId":"d"},"location":"EU","labels":{"a":"b"}})");
  EXPECT_EQ(json::serialize(EncodeDataset({"p", "d", "", {}})), R"({"datasetReference":{"projectId":"p","datasetId":"d"}})");
}

TEST(Tables, AreReadWithEverythingOptional) {
  const Result<TableInfo> table = DecodeTable(Object(
      R"({"tableReference":{"projectId":"p","datasetId":"d","tableId":"t"},"schema":{"fields":[{"name":"a","type":"DATE"}]},"type":"VIEW","etag":"e1","location":"EU",)"
      R"("timePartitioning":{"type":"DAY","field":"a"},"clustering":{"fields":["a","b"]},"description":"words","labels":{"x":"y"},"numRows":"12","numBytes":345,)"
      R"("expirationTime":"1794744000123","lastModifiedTime":1794744000000,"streamingBuffer":{"estimatedRows":"5","estimatedBytes":"1"}})"));
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->kind, "VIEW");
  EXPECT_EQ(table->partition_field, "a");
  EXPECT_EQ(table->clustering, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table->rows, 12U);
  EXPECT_EQ(table->bytes, 345U);
  EXPECT_EQ(table->expires_at, 1794744000123000);
  EXPECT_EQ(table->last_modified, 1794744000000000);
  EXPECT_TRUE(table->has_streaming_buffer);
  EXPECT_EQ(table->streaming_rows, 5U);
  const Result<TableInfo> bare = DecodeTable(Object(R"({"tableReference":{"tableId":"t"}})"));
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->kind, "TABLE");
  EXPECT_FALSE(bare->has_streaming_buffer);
  EXPECT_FALSE(bare->expires_at);
  EXPECT_FALSE(DecodeTable(Object("{}")));
}

TEST(Tables, AreWritten) {
  TableSpec spec;
  spec.id = {"p", "d", "t"};
  spec.schema = {{"day", FieldType::kDate, Mode::kRequired}};
  spec.partition_field = "day";
  spec.clustering = {"a", "b"};
  spec.description = "words";
  spec.labels = {{"owner", "reeve"}};
  spec.expires_at = 1794744000123456;
  EXPECT_EQ(json::serialize(EncodeTable(spec)),
            R"({"tableReference":{"projectId":"p","datasetId":"d","tableId":"t"},"schema":{"fields":[{"name":"day","type":"DATE","mode":"REQUIRED"}]},)"
            R"("timePartitioning":{"type":"DAY","field":"day"},"clustering":{"fields":["a","b"]},"description":"words","labels":{"owner":"reeve"},)"
            R"("expirationTime":"1794744000123"})");
  EXPECT_EQ(json::serialize(EncodeTablePatch(spec)), R"({"description":"words","labels":{"owner":"reeve"},"expirationTime":"1794744000123"})");
  spec.expires_at.reset();
  EXPECT_EQ(json::serialize(EncodeTablePatch(spec)), R"({"description":"words","labels":{"owner":"reeve"},"expirationTime":null})");
  EXPECT_EQ(DecodeTableItem(Object(R"({"tableReference":{"tableId":"t"}})"))->kind, "TABLE");
}

TEST(Jobs, QueriesNeverUseLegacySqlAndCarryTheirParametersAsTexts) {
  const std::vector<Parameter> parameters = {{"t", "x'y", {}}, {"n", {}, {}}, {"ks", {}, std::vector<std::string>{"a", "b"}}};
  const JobHead head{"p", "job-1", "EU", {{"run", "r1"}}};
  EXPECT_EQ(json::serialize(EncodeQueryJob(head, "SELECT 1", parameters, 1000, true)),
            R"({"jobReference":{"projectId":"p","jobId":"job-1","location":"EU"},"configuration":{"query":{"query":"SELECT 1","useLegacySql":false,)"
            R"("priority":"INTERACTIVE","maximumBytesBilled":"1000","parameterMode":"NAMED","queryParameters":[)"
            R"({"name":"t","parameterType":{"type":"STRING"},"parameterValue":{"value":"x'y"}},)"
            R"({"name":"n","parameterType":{"type":"STRING"},"parameterValue":{"value":null}},)"
            R"({"name":"ks","parameterType":{"type":"ARRAY","arrayType":{"type":"STRING"}},"parameterValue":{"arrayValues":[{"value":"a"},{"value":"b"}]}}]},)"
            R"("labels":{"run":"r1"},"dryRun":true}})");
  EXPECT_EQ(json::serialize(EncodeQueryJob({"p", "j", "", {}}, "SELECT 1", {}, 0, false)),
            R"({"jobReference":{"projectId":"p","jobId":"j"},"configuration":{"query":{"query":"SELECT 1","useLegacySql":false,"priority":"INTERACTIVE"}}})");
}

TEST(Jobs, LoadsNameEveryColumnAndTolerateNothing) {
  const Schema schema = {{"a", FieldType::kFloat64, Mode::kRequired, {}, 0, 0, "1.0"}};
  EXPECT_EQ(json::serialize(EncodeLoadJob({"p", "j", "EU", {}}, {"p", "d", "t"}, schema, true)),
            R"({"jobReference":{"projectId":"p","jobId":"j","location":"EU"},"configuration":{"load":{"destinationTable":{"projectId":"p","datasetId":"d","tableId":"t"},)"
            R"("sourceFormat":"NEWLINE_DELIMITED_JSON","schema":{"fields":[{"name":"a","type":"FLOAT64","mode":"REQUIRED"}]},"writeDisposition":"WRITE_TRUNCATE",)"
            R"("createDisposition":"CREATE_IF_NEEDED","maxBadRecords":0,"ignoreUnknownValues":false}}})");
  EXPECT_NE(json::serialize(EncodeLoadJob({"p", "j", "EU", {}}, {"p", "d", "t"}, schema, false)).find("WRITE_APPEND"), std::string::npos);
}

TEST(Jobs, AreReadWithTheirProblemAndStatistics) {
  const Result<JobDocument> job = DecodeJob(Object(
      R"({"jobReference":{"projectId":"p","jobId":"j","location":"EU"},"configuration":{"query":{"query":"MERGE"}},)"
      R"("status":{"state":"DONE","errorResult":{"reason":"stopped","message":"m","location":"l"},"errors":[{}]},)"
      R"("statistics":{"totalBytesProcessed":"10","query":{"statementType":"MERGE","numDmlAffectedRows":"3","totalBytesBilled":"20"}}})"));
  ASSERT_TRUE(job);
  EXPECT_TRUE(job->done());
  EXPECT_EQ(job->problem->reason, "stopped");
  EXPECT_EQ(job->statement, "MERGE");
  EXPECT_EQ(job->affected_rows, 3U);
  EXPECT_EQ(job->bytes_billed, 20U);
  EXPECT_EQ(job->bytes_processed, 10U);
  // Errors that the job survived are no failure.
  EXPECT_FALSE(DecodeJob(Object(R"({"jobReference":{"jobId":"j"},"status":{"state":"DONE","errors":[{"reason":"invalid"}]}})"))->problem);
  const Result<JobDocument> bare = DecodeJob(Object(R"({"jobReference":{"jobId":"j"}})"));
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->done());
  EXPECT_FALSE(DecodeJob(Object("{}")));
}

}  // namespace
}  // namespace reeve::bigquery
