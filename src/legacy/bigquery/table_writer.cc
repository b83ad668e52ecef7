#include "legacy/bigquery/table_writer.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "legacy/bigquery/listing.h"
#include "legacy/bigquery/row_staging.h"
#include "legacy/bigquery/schema_text.h"

namespace reeve::legacy {
namespace {

using bigquery::Field;
using bigquery::Schema;
using bigquery::TableId;
using bigquery::TableInfo;

constexpr std::string_view kStreamingHint = "BigQuery moves them into the table by itself, usually within 30 and at most 90 minutes; run the command again then";

std::string NameOf(const TableId& id) { return id.dataset + "." + id.table; }

bool HasOnlyPlaceholder(const Schema& schema) { return schema.size() == 1 && schema[0].name == kNoColumn; }

// The columns of `of_rows` that `schema` lacks.
Schema Missing(const Schema& schema, const Schema& of_rows) {
  Schema missing;
  for (const Field& field : of_rows) {
    const bool there = std::any_of(schema.begin(), schema.end(), [&](const Field& each) { return AsciiLower(each.name) == AsciiLower(field.name); });
    if (!there) missing.push_back(field);
  }
  return missing;
}

// Staged rows piece by piece, whole lines each.
class StagedLines {
 public:
  StagedLines(const Schema& schema, std::string_view lines) : schema_(schema), all_(lines), left_(lines) {}

  Result<std::string> Next(size_t bytes_max) {
    std::string piece = std::move(held_);
    held_.clear();
    while (!left_.empty()) {
      const size_t end = left_.find('\n');
      const std::string_view line = left_.substr(0, end);
      left_.remove_prefix(end == std::string_view::npos ? left_.size() : end + 1);
      ++number_;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      Result<std::string> row = StagedRow(schema_, line);
      if (!row) return Unexpected(std::move(row).error().Within(fmt::format("row {}", number_)));
      ++rows_;
      piece += *row;
      if (piece.size() >= bytes_max) break;
    }
    if (piece.size() > bytes_max) {
      held_ = piece.substr(bytes_max);
      piece.resize(bytes_max);
    }
    return piece;
  }

  // Rows so far; all of them once Next has given nothing.
  [[nodiscard]] uint64_t rows() const { return rows_; }

  void Rewind() {
    rows_ = 0;
    left_ = all_;
    held_.clear();
    number_ = 0;
  }

 private:
  const Schema& schema_;
  const std::string_view all_;
  std::string_view left_;
  std::string held_;
  size_t number_ = 0;
  uint64_t rows_ = 0;
};

}  // namespace

Result<> TableWriter::Replace(const std::string& dataset, const std::string& table, std::string_view lines, Micros known_change) {
  const TableId id{settings_.project, dataset, table};
  REEVE_ASSIGN(const TableInfo target, FindOrMake(id, lines));
  REEVE_TRY(CheckChangeable(target, known_change));
  const bool no_rows = lines.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (no_rows) return HasOnlyPlaceholder(target.schema) ? Result<>() : Run(target, SwapScript(target.schema, id, nullptr));
  const TableId staging{id.project, id.dataset, NewId(kStagingPrefix, id)};
  Result<> done = Stage(target, staging, lines);
  if (done) done = Run(target, SwapScript(target.schema, id, &staging));
  const Result<> removed = client_.DeleteTable(staging);
  if (!done) return done;
  return removed;
}

Result<> TableWriter::Declare(const std::string& dataset, const std::string& table, std::string_view json) {
  const TableId id{settings_.project, dataset, table};
  Result<Schema> schema = ParseSchemaJson(json);
  if (!schema) return Unexpected(std::move(schema).error().Within(NameOf(id)));
  REEVE_ASSIGN(const auto there, client_.FindTable(id));
  if (there || schema->empty()) return {};
  REEVE_TRY(Make(id, std::move(*schema)));
  return {};
}

Result<TableInfo> TableWriter::FindOrMake(const TableId& id, std::string_view lines) {
  Result<Schema> of_rows = SchemaOfRows(lines);
  if (!of_rows) return Unexpected(std::move(of_rows).error().Within(NameOf(id)));
  REEVE_ASSIGN(std::optional<TableInfo> there, client_.FindTable(id));
  if (there && HasOnlyPlaceholder(there->schema) && !of_rows->empty()) {
    REEVE_TRY(client_.DeleteTable(id));  // it never had a row
    there.reset();
  }
  if (!there) return Make(id, std::move(*of_rows));
  if (there->kind != "TABLE") return Fail(Code::kRefused, "{} is a {}: only tables are written", NameOf(id), there->kind);
  return AddColumns(std::move(*there), *of_rows);
}

Result<TableInfo> TableWriter::Make(const TableId& id, Schema schema) {
  REEVE_ASSIGN(const auto dataset, client_.FindDataset(id.project, id.dataset));  // one that is there keeps its location, whatever new ones get
  if (!dataset) REEVE_TRY(client_.EnsureDataset({id.project, id.dataset, settings_.location, {}}));
  bigquery::TableSpec spec;
  spec.id = id;
  spec.schema = std::move(schema);
  if (spec.schema.empty()) spec.schema.push_back({.name = std::string(kNoColumn)});
  return client_.InsertTable(spec);
}

Result<TableInfo> TableWriter::AddColumns(TableInfo table, const Schema& of_rows) {
  const Schema missing = Missing(table.schema, of_rows);
  if (missing.empty()) return table;
  std::string alter = fmt::format("ALTER TABLE {}", table.id.Quoted());
  std::string names;
  for (const Field& field : missing) {
    if (!IsQuotable(field.name)) return Fail(Code::kRefused, "{}: rows have a column that cannot be made", NameOf(table.id));
    alter += fmt::format("{} ADD COLUMN `{}` {}", names.empty() ? "" : ",", field.name, SqlType(field));
    names += (names.empty() ? "" : ", ") + field.name;
  }
  REEVE_TRY(Run(table, alter));
  REEVE_ASSIGN(std::optional<TableInfo> again, client_.FindTable(table.id));
  if (again && Missing(again->schema, of_rows).empty()) return std::move(*again);
  return FailWithHint(Code::kRefused, fmt::format("{} lacks columns that the rows have: {}", NameOf(table.id), names), "add them to the table first");
}

Result<> TableWriter::CheckChangeable(const TableInfo& table, Micros known_change) const {
  if (table.has_streaming_buffer)
    return FailWithHint(Code::kRefused,
                        fmt::format("{}: about {} rows are in the streaming buffer; they can be changed in at most 90 minutes", NameOf(table.id), table.streaming_rows),
                        std::string(kStreamingHint));
  if (known_change != 0 && table.last_modified > known_change)
    return FailWithHint(Code::kRefused, fmt::format("{} was changed at {}, after it was read", NameOf(table.id), FormatTime(table.last_modified)),
                        "run the command again: it reads what the table holds now");
  return {};
}

Result<> TableWriter::Stage(const TableInfo& table, const TableId& staging, std::string_view lines) {
  bigquery::TableSpec spec;
  spec.id = staging;
  spec.schema = StagingSchema(table.schema);
  spec.expires_at = clock_.Now() + kStagingExpires;
  spec.description = fmt::format("rows on their way into {}; made by reeve, expires by itself", table.id.table);
  REEVE_TRY(client_.InsertTable(spec));
  StagedLines staged(table.schema, lines);
  bigquery::LoadSpec load;
  load.job_id = NewId("reeve-load-", table.id);
  load.table = staging;
  load.schema = spec.schema;
  load.location = table.location;
  const bigquery::UploadSource source{[&](size_t bytes_max) { return staged.Next(bytes_max); },
                                      [&]() -> Result<> {
                                        staged.Rewind();
                                        return {};
                                      }};
  const Result<bigquery::JobResult> loaded = client_.Load(load, source);
  if (!loaded) return Unexpected(Error(loaded.error()).Within(NameOf(table.id)));
  // Not what the job says it did, but what is there: a load that drops rows must not become a swap that does.
  REEVE_ASSIGN(const std::optional<TableInfo> there, client_.FindTable(staging));
  if (there && there->rows == staged.rows()) return {};
  return Fail(Code::kFailed, "{}: {} rows were sent and {} arrived; the table is as it was", NameOf(table.id), staged.rows(), there ? there->rows : 0);
}

Result<> TableWriter::Run(const TableInfo& table, const std::string& script) {
  bigquery::QuerySpec query;
  query.job_id = NewId("reeve-write-", table.id);
  query.sql = script;
  query.location = table.location;
  const Result<bigquery::JobResult> done = client_.Execute(query);
  if (done) return {};
  if (done.error().message.find("streaming buffer") != std::string::npos)
    return FailWithHint(Code::kRefused, fmt::format("{}: rows came into the streaming buffer; they can be changed in at most 90 minutes", NameOf(table.id)),
                        std::string(kStreamingHint));
  return Unexpected(Error(done.error()).Within(NameOf(table.id)));
}

std::string TableWriter::NewId(std::string_view prefix, const TableId& table) {
  return crypto::DeterministicId(prefix, "bigquery-write", {table.project, table.dataset, table.table, settings_.run, std::to_string(++jobs_)});
}

}  // namespace reeve::legacy
