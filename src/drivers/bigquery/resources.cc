#include "drivers/bigquery/resources.h"

#include <algorithm>

#include "base/encoding.h"

namespace reeve::bigquery {
namespace {

Mode ModeOf(std::string_view text) {
  const std::string upper = AsciiUpper(text);
  if (upper == "REPEATED") return Mode::kRepeated;
  return upper == "REQUIRED" ? Mode::kRequired : Mode::kNullable;
}

int SmallNumber(const json::object& from, std::string_view name) {
  return static_cast<int>(std::min<uint64_t>(json::Unsigned(from, name).value_or(0), 100));
}

class SchemaDecoder {
 public:
  explicit SchemaDecoder(std::string_view what) : what_(what) {}

  Result<Schema> Fields(const json::object& holder, int depth) {
    if (depth > kRecordDepthMax) return Fail(Code::kFailed, "{}: its schema nests deeper than {}", what_, kRecordDepthMax);
    Schema schema;
    const json::array* const fields = json::FindArray(holder, "fields");
    if (fields == nullptr) return schema;
    for (const json::value& entry : *fields) {
      if (++count_ > kColumnsMax) return Fail(Code::kFailed, "{}: its schema has more than {} columns", what_, kColumnsMax);
      if (!entry.is_object()) return Fail(Code::kFailed, "{}: its schema has a column that is no object", what_);
      REEVE_ASSIGN(Field field, One(entry.get_object(), depth));
      schema.push_back(std::move(field));
    }
    return schema;
  }

 private:
  Result<Field> One(const json::object& entry, int depth) {
    Field field;
    field.name = json::Text(entry, "name");
    const std::string type = json::Text(entry, "type");
    const std::optional<FieldType> known = ParseFieldType(type);
    if (field.name.empty()) return Fail(Code::kFailed, "{}: its schema has a column without a name", what_);
    if (!known) return Fail(Code::kFailed, "{}: column {} has the type '{}', which reeve does not know", what_, field.name, type);
    field.type = *known;
    field.mode = ModeOf(json::Text(entry, "mode"));
    field.precision = SmallNumber(entry, "precision");
    field.scale = SmallNumber(entry, "scale");
    field.default_expression = json::Text(entry, "defaultValueExpression");
    field.description = json::Text(entry, "description");
    if (field.type == FieldType::kStruct) {
      REEVE_ASSIGN(field.fields, Fields(entry, depth + 1));
    }
    return field;
  }

  const std::string_view what_;
  size_t count_ = 0;
};

json::array EncodeFields(const Schema& schema, bool with_defaults) {
  json::array fields;
  for (const Field& field : schema) {
    json::object entry{{"name", field.name}, {"type", NameOf(field.type)}, {"mode", NameOf(field.mode)}};
    if (field.type == FieldType::kStruct) entry["fields"] = EncodeFields(field.fields, with_defaults);
    if (field.precision != 0) entry["precision"] = std::to_string(field.precision);
    if (field.scale != 0) entry["scale"] = std::to_string(field.scale);
    if (with_defaults && !field.default_expression.empty()) entry["defaultValueExpression"] = field.default_expression;
    if (!field.description.empty()) entry["description"] = field.description;
    fields.push_back(std::move(entry));
  }
  return fields;
}

std::optional<Micros> Millis(const json::object& from, std::string_view name) {
  const std::optional<uint64_t> millis = json::Unsigned(from, name);
  if (!millis || *millis == 0 || *millis > kMillisMax) return std::nullopt;
  return static_cast<Micros>(*millis) * 1000;
}

std::optional<TableId> TableIdOf(const json::object& from, std::string_view name) {
  const json::object* const reference = json::FindObject(from, name);
  if (reference == nullptr) return std::nullopt;
  return TableId{json::Text(*reference, "projectId"), json::Text(*reference, "datasetId"), json::Text(*reference, "tableId")};
}

void DecodeStreamingBuffer(const json::object& table, TableInfo* info) {
  const json::object* const buffer = json::FindObject(table, "streamingBuffer");
  if (buffer == nullptr) return;
  info->has_streaming_buffer = true;
  info->streaming_rows = json::Unsigned(*buffer, "estimatedRows").value_or(0);
}

void DecodeQueryStatistics(const json::object& statistics, JobDocument* job) {
  job->bytes_processed = json::Unsigned(statistics, "totalBytesProcessed");
  if (const json::object* const load = json::FindObject(statistics, "load")) job->output_rows = json::Unsigned(*load, "outputRows");
  const json::object* const query = json::FindObject(statistics, "query");
  if (query == nullptr) return;
  job->statement_kind = json::Text(*query, "statementType");
  job->affected_rows = json::Unsigned(*query, "numDmlAffectedRows");
  job->bytes_billed = json::Unsigned(*query, "totalBytesBilled").value_or(0);
  if (!job->bytes_processed) job->bytes_processed = json::Unsigned(*query, "totalBytesProcessed");
}

json::array EncodeParameters(const std::vector<Parameter>& parameters) {
  json::array encoded;
  for (const Parameter& parameter : parameters) {
    json::object type{{"type", "STRING"}};
    json::object content{{"value", nullptr}};
    if (parameter.texts) {
      type = {{"type", "ARRAY"}, {"arrayType", {{"type", "STRING"}}}};
      json::array values;
      for (const std::string& text : *parameter.texts) values.push_back(json::object{{"value", text}});
      content = {{"arrayValues", std::move(values)}};
    } else if (parameter.text) {
      content["value"] = *parameter.text;
    }
    encoded.push_back(json::object{{"name", parameter.name}, {"parameterType", std::move(type)}, {"parameterValue", std::move(content)}});
  }
  return encoded;
}

void AddParameters(const std::vector<Parameter>& parameters, json::object* query) {
  if (parameters.empty()) return;
  (*query)["parameterMode"] = "NAMED";
  (*query)["queryParameters"] = EncodeParameters(parameters);
}

json::object EncodeReference(const JobHead& head) {
  json::object reference{{"projectId", head.project}, {"jobId", head.job_id}};
  if (!head.location.empty()) reference["location"] = head.location;
  return reference;
}

}  // namespace

Result<Schema> DecodeSchema(const json::object& schema, std::string_view what) { return SchemaDecoder(what).Fields(schema, 1); }

json::object EncodeSchema(const Schema& schema, bool with_defaults) { return {{"fields", EncodeFields(schema, with_defaults)}}; }

Result<DatasetInfo> DecodeDataset(const json::object& dataset) {
  DatasetInfo info;
  if (const json::object* const reference = json::FindObject(dataset, "datasetReference")) {
    info.project = json::Text(*reference, "projectId");
    info.dataset = json::Text(*reference, "datasetId");
  }
  if (info.dataset.empty()) return Fail(Code::kFailed, "BigQuery sent a dataset without a name");
  info.location = json::Text(dataset, "location");
  info.labels = json::Texts(dataset, "labels");
  return info;
}

json::object EncodeDataset(const DatasetInfo& dataset) {
  json::object encoded{{"datasetReference", {{"projectId", dataset.project}, {"datasetId", dataset.dataset}}}};
  if (!dataset.location.empty()) encoded["location"] = dataset.location;
  if (!dataset.labels.empty()) encoded["labels"] = json::ToObject(dataset.labels);
  return encoded;
}

Result<TableInfo> DecodeTable(const json::object& table) {
  TableInfo info;
  const std::optional<TableId> id = TableIdOf(table, "tableReference");
  if (!id || id->table.empty()) return Fail(Code::kFailed, "BigQuery sent a table without a name");
  info.id = *id;
  if (const json::object* const schema = json::FindObject(table, "schema")) {
    REEVE_ASSIGN(info.schema, DecodeSchema(*schema, info.id.Text()));
  }
  if (const json::object* const partitioning = json::FindObject(table, "timePartitioning")) info.partition_field = json::Text(*partitioning, "field");
  if (const json::object* const clustering = json::FindObject(table, "clustering"))
    if (const json::array* const fields = json::FindArray(*clustering, "fields"))
      for (const json::value& field : *fields)
        if (const auto* const name = field.if_string()) info.clustering.emplace_back(name->data(), name->size());
  info.description = json::Text(table, "description");
  info.labels = json::Texts(table, "labels");
  info.expires_at = Millis(table, "expirationTime");
  info.kind = json::Text(table, "type");
  if (info.kind.empty()) info.kind = "TABLE";
  info.location = json::Text(table, "location");
  info.etag = json::Text(table, "etag");
  info.rows = json::Unsigned(table, "numRows").value_or(0);
  info.bytes = json::Unsigned(table, "numBytes").value_or(0);
  info.last_modified = Millis(table, "lastModifiedTime").value_or(0);
  DecodeStreamingBuffer(table, &info);
  return info;
}

json::object EncodeTableId(const TableId& id) { return {{"projectId", id.project}, {"datasetId", id.dataset}, {"tableId", id.table}}; }

json::object EncodeTable(const TableSpec& spec) {
  json::object encoded{{"tableReference", EncodeTableId(spec.id)}, {"schema", EncodeSchema(spec.schema, true)}};
  if (!spec.partition_field.empty()) encoded["timePartitioning"] = {{"type", "DAY"}, {"field", spec.partition_field}};
  if (!spec.clustering.empty()) encoded["clustering"] = {{"fields", json::array(spec.clustering.begin(), spec.clustering.end())}};
  if (!spec.description.empty()) encoded["description"] = spec.description;
  if (!spec.labels.empty()) encoded["labels"] = json::ToObject(spec.labels);
  if (spec.expires_at) encoded["expirationTime"] = std::to_string(*spec.expires_at / 1000);
  return encoded;
}

json::object EncodeTablePatch(const TableSpec& spec) {
  json::object encoded{{"description", spec.description}, {"labels", json::ToObject(spec.labels)}, {"expirationTime", nullptr}};
  if (spec.expires_at) encoded["expirationTime"] = std::to_string(*spec.expires_at / 1000);
  return encoded;
}

Result<TableItem> DecodeTableItem(const json::object& item) {
  const std::optional<TableId> id = TableIdOf(item, "tableReference");
  if (!id || id->table.empty()) return Fail(Code::kFailed, "BigQuery sent a table without a name");
  std::string kind = json::Text(item, "type");
  return TableItem{id->table, kind.empty() ? "TABLE" : std::move(kind)};
}

Result<JobDocument> DecodeJob(const json::object& job) {
  JobDocument document;
  if (const json::object* const reference = json::FindObject(job, "jobReference")) {
    document.id = json::Text(*reference, "jobId");
    document.location = json::Text(*reference, "location");
  }
  if (const json::object* const status = json::FindObject(job, "status")) {
    document.state = json::Text(*status, "state");
    if (const json::object* const problem = json::FindObject(*status, "errorResult"))
      document.problem = JobProblem{json::Text(*problem, "reason"), json::Text(*problem, "message"), json::Text(*problem, "location")};
  }
  if (const json::object* const configuration = json::FindObject(job, "configuration")) {
    if (const json::object* const query = json::FindObject(*configuration, "query")) document.statement = json::Text(*query, "query");
    if (const json::object* const load = json::FindObject(*configuration, "load")) {
      document.destination = TableIdOf(*load, "destinationTable");
      document.write_disposition = json::Text(*load, "writeDisposition");
    }
  }
  if (const json::object* const statistics = json::FindObject(job, "statistics")) DecodeQueryStatistics(*statistics, &document);
  if (document.id.empty() && document.state.empty()) return Fail(Code::kFailed, "BigQuery sent a job without a reference");
  return document;
}

json::object EncodeQueryJob(const JobHead& head, const std::string& sql, const std::vector<Parameter>& parameters, uint64_t maximum_bytes_billed,
                            bool dry_run) {
  json::object query{{"query", sql}, {"useLegacySql", false}, {"priority", "INTERACTIVE"}};
  if (maximum_bytes_billed != 0) query["maximumBytesBilled"] = std::to_string(maximum_bytes_billed);
  AddParameters(parameters, &query);
  json::object configuration{{"query", std::move(query)}};
  if (!head.labels.empty()) configuration["labels"] = json::ToObject(head.labels);
  if (dry_run) configuration["dryRun"] = true;
  return {{"jobReference", EncodeReference(head)}, {"configuration", std::move(configuration)}};
}

json::object EncodeQuestion(const Question& question, const std::string& request_id) {
  json::object query{{"query", question.sql},
                     {"useLegacySql", false},
                     {"requestId", request_id},
                     {"maxResults", question.rows},
                     {"timeoutMs", question.wait / 1000},
                     {"formatOptions", {{"useInt64Timestamp", true}}}};
  if (!question.location.empty()) query["location"] = question.location;
  if (!question.labels.empty()) query["labels"] = json::ToObject(question.labels);
  if (question.maximum_bytes_billed != 0) query["maximumBytesBilled"] = std::to_string(question.maximum_bytes_billed);
  AddParameters(question.parameters, &query);
  return query;
}

json::object EncodeLoadJob(const JobHead& head, const TableId& table, const Schema& schema, bool truncate) {
  json::object load{{"destinationTable", EncodeTableId(table)},
                    {"sourceFormat", "NEWLINE_DELIMITED_JSON"},
                    {"schema", EncodeSchema(schema, false)},
                    {"writeDisposition", truncate ? kTruncate : kAppend},
                    {"createDisposition", "CREATE_IF_NEEDED"},
                    {"maxBadRecords", 0},
                    {"ignoreUnknownValues", false}};
  json::object configuration{{"load", std::move(load)}};
  if (!head.labels.empty()) configuration["labels"] = json::ToObject(head.labels);
  return {{"jobReference", EncodeReference(head)}, {"configuration", std::move(configuration)}};
}

}  // namespace reeve::bigquery
