#include "legacy/bigquery/batch_reader.h"

#include <algorithm>
#include <charconv>

#include "crypto/sha256.h"

namespace reeve::legacy {
namespace {

using bigquery::Row;
using bigquery::Schema;
using bigquery::TableId;

// Queries of one batch that may fail for a reason that names no table, before the rest of the batch is given up.
constexpr int kUnnamedFaultsMax = 32;

AppendRow* AppenderOf(ReadPath path) {
  switch (path) {
    case ReadPath::kCopier: return AppendRowForCopier;
    case ReadPath::kVerifier: return AppendRowForVerifier;
  }
  REEVE_ASSERT(false);
  return nullptr;
}

bool IsNameChar(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// BigQuery names a table as project:dataset.table or project.dataset.table.
bool Names(std::string_view message, const BatchTable& table) {
  const std::string name = table.dataset + "." + table.name;
  for (size_t at = message.find(name); at != std::string_view::npos; at = message.find(name, at + 1)) {
    const bool begins = at == 0 || !IsNameChar(message[at - 1]);
    const size_t end = at + name.size();
    if (begins && (end == message.size() || !IsNameChar(message[end]))) return true;
  }
  return false;
}

// A partitioned table that must be asked with a filter; tabledata.list needs none.
bool WantsFilter(const Error& error) { return error.message.find("without a filter") != std::string::npos; }

std::optional<size_t> OrdinalOf(const Row& row, size_t tables) {
  if (row.empty()) return std::nullopt;
  const std::string& text = row[0].text;
  size_t ordinal = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ordinal);
  if (error != std::errc() || end != text.data() + text.size() || ordinal >= tables) return std::nullopt;
  return ordinal;
}

Result<> CheckAnswer(const Schema& schema, const ReadBatch& batch) {
  bool same = schema.size() == batch.columns().size() + 1;
  for (size_t i = 0; same && i < batch.columns().size(); ++i) same = schema[i + 1].name == batch.columns()[i].name;
  if (same) return {};
  return Fail(Code::kFailed, "BigQuery answered a query of {} columns with {} others", batch.columns().size() + 1, schema.size());
}

}  // namespace

std::string_view NameOf(ReadPath path) {
  switch (path) {
    case ReadPath::kCopier: return "copier";
    case ReadPath::kVerifier: return "verifier";
  }
  return {};
}

struct BatchReader::Work {
  ReadPath path;
  const ReadBatch& batch;
  std::optional<Micros> instant;
  std::vector<ReadTable> read;
  int unnamed_faults = 0;

  void FailAll(const std::vector<size_t>& tables, const Error& error) {
    for (const size_t table : tables) read[table].error = error;
  }
};

std::vector<ReadTable> BatchReader::Read(ReadPath path, const ReadBatch& batch, std::optional<Micros> instant) {
  Work work{path, batch, instant, std::vector<ReadTable>(batch.tables().size())};
  std::vector<size_t> all(batch.tables().size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  ReadTables(&work, std::move(all));
  return std::move(work.read);
}

size_t BatchReader::TablesAtOnce() {
  const std::lock_guard lock(mu_);
  return size_.Now();
}

void BatchReader::ReadTables(Work* work, std::vector<size_t> tables) {
  while (!tables.empty()) {
    const size_t at_once = TablesAtOnce();
    if (tables.size() > at_once) {
      const auto cut = tables.begin() + static_cast<ptrdiff_t>(at_once);
      ReadTables(work, std::vector<size_t>(tables.begin(), cut));
      tables.erase(tables.begin(), cut);
      continue;
    }
    const Result<> read = RunQuery(work, tables);
    if (!read) {
      tables = Settle(work, std::move(tables), read.error());
      continue;
    }
    const std::lock_guard lock(mu_);
    size_.Worked(tables.size());
    return;
  }
}

std::vector<size_t> BatchReader::Settle(Work* work, std::vector<size_t> tables, const Error& error) {
  if (work->instant && instant_known_ && bigquery::IsNotSupported(error)) {
    instant_known_ = false;
    return tables;
  }
  const bool too_large = bigquery::IsTooLarge(error);
  if (tables.size() == 1) {
    const Result<> read = too_large || WantsFilter(error) ? ReadByPages(work, tables[0]) : Unexpected(error);
    if (!read) work->read[tables[0]].error = read.error();
    return {};
  }
  if (too_large) {
    const std::lock_guard lock(mu_);
    size_.WasTooLarge(tables.size());
    return tables;
  }
  std::vector<size_t> named, others;
  for (const size_t table : tables) (Names(error.message, work->batch.tables()[table]) ? named : others).push_back(table);
  if (!named.empty() && error.code != Code::kInterrupted) {
    for (const size_t table : named) ReadTables(work, {table});  // alone: it may yet be read by pages
    return others;
  }
  const BatchTable& first = work->batch.tables()[tables[0]];
  const bool hopeless = error.code == Code::kInterrupted || error.code == Code::kAuthNeeded || ++work->unnamed_faults > kUnnamedFaultsMax ||
                        !client_.FindTable({settings_.project, first.dataset, first.name});  // BigQuery itself is not there
  if (hopeless) {
    work->FailAll(tables, error);
    return {};
  }
  const auto half = tables.begin() + static_cast<ptrdiff_t>(tables.size() / 2);
  ReadTables(work, std::vector<size_t>(tables.begin(), half));
  tables.erase(tables.begin(), half);
  return tables;
}

Result<> BatchReader::RunQuery(Work* work, const std::vector<size_t>& tables) {
  const ReadBatch batch = work->batch.Only(tables);
  const std::optional<Micros> instant = instant_known_ ? work->instant : std::nullopt;
  AppendRow* const append = AppenderOf(work->path);
  REEVE_ASSIGN(const std::shared_ptr<SpoolFile> file, spool_.Create());
  SpoolWriter writer(*file, tables.size());
  std::vector<std::vector<uint16_t>> positions;  // by table, in the answer: the ordinal stands first
  for (const BatchTable& table : batch.tables()) {
    std::vector<uint16_t>& in_answer = positions.emplace_back(table.columns);
    for (uint16_t& position : in_answer) ++position;
  }
  Schema schema;
  bool checked = false;
  bigquery::QuerySpec query;
  query.sql = batch.Sql(instant);
  query.job_id = JobId(work->path, instant, query.sql);
  query.location = batch.location();
  const auto visit = [&](const Row& row) -> Result<> {
    if (!checked) REEVE_TRY(CheckAnswer(schema, batch));
    checked = true;
    const std::optional<size_t> table = OrdinalOf(row, positions.size());
    if (!table || row.size() != schema.size()) return Fail(Code::kFailed, "BigQuery answered with a row of no table that was asked for");
    std::string line;
    append(schema, row, positions[*table], &line);
    return writer.Add(*table, std::move(line));
  };
  REEVE_TRY(client_.Query(query, &schema, visit));
  REEVE_ASSIGN(std::vector<std::vector<SpoolRun>> runs, writer.Finish());
  for (size_t i = 0; i < tables.size(); ++i) work->read[tables[i]] = {std::nullopt, file, std::move(runs[i])};
  return {};
}

Result<> BatchReader::ReadByPages(Work* work, size_t table) {
  const BatchTable& wanted = work->batch.tables()[table];
  REEVE_ASSIGN(const auto info, client_.FindTable({settings_.project, wanted.dataset, wanted.name}));
  if (!info) return Fail(Code::kNotFound, "{}.{} is not there any more", wanted.dataset, wanted.name);
  AppendRow* const append = AppenderOf(work->path);
  REEVE_ASSIGN(const std::shared_ptr<SpoolFile> file, spool_.Create());
  SpoolWriter writer(*file, 1);
  std::vector<uint16_t> positions(info->schema.size());
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<uint16_t>(i);
  REEVE_TRY(client_.ReadTable(*info, {}, [&](const Row& row) -> Result<> {
    if (row.size() != positions.size()) return Fail(Code::kFailed, "{}.{}: a row of {} fields", wanted.dataset, wanted.name, row.size());
    std::string line;
    append(info->schema, row, positions, &line);
    return writer.Add(0, std::move(line));
  }));
  REEVE_ASSIGN(std::vector<std::vector<SpoolRun>> runs, writer.Finish());
  work->read[table] = {std::nullopt, file, std::move(runs[0])};
  return {};
}

std::string BatchReader::JobId(ReadPath path, std::optional<Micros> instant, std::string_view sql) {
  const std::string when = instant ? std::to_string(*instant) : fmt::format("{}/{}", settings_.run, jobs_.fetch_add(1));
  return crypto::DeterministicId(fmt::format("reeve-read-{}-", NameOf(path)), "bigquery-read", {settings_.project, NameOf(path), when, sql});
}

}  // namespace reeve::legacy
