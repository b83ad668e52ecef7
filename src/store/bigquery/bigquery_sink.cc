#include "store/bigquery/bigquery_sink.h"

#include <algorithm>

#include "base/encoding.h"
#include "store/bigquery/bigquery_open.h"
#include "store/bigquery/dataset_reader.h"
#include "store/bigquery/merge_planner.h"
#include "store/describe.h"

namespace reeve::store {

using catalog::RowBatch;
using catalog::Table;

namespace {

// A transaction costs some seconds, whatever is in it; the rows of one are held in memory.
constexpr BatchHint kBatch = {.tenants_min = 1000, .tenants_max = 1000, .rows_max = 60'000, .tenants_per_reader = 1'000'000};
constexpr int kRowsAtOnce = 100;
constexpr size_t kPieceBytes = 256 * 1024;  // of rows that are made ahead of their upload

// Tables that a merge of any kind looks at: whose the rows are, which attempt is the newest, which texts are exact.
std::vector<const Table*> Always() { return {&catalog::Customers(), &catalog::ReeveTenants(), &ExactCells()}; }

void AddTables(std::span<const RowBatch> batches, std::vector<const Table*>* tables) {
  for (const RowBatch& rows : batches) tables->push_back(&rows.table());
}

class Sink final : public BigQuerySink {
 public:
  Sink(bigquery::Client& client, OpenedDataset opened) : client_(client), opened_(std::move(opened)) {}

  std::string Url() const override { return opened_.name.Url(); }
  BatchHint batch() const override { return kBatch; }
  Result<> ApplySchema() override { return opened_.schema.Apply(*opened_.copies); }
  Result<std::vector<Drift>> CheckSchema() override { return opened_.schema.Check(); }
  Result<> Checkpoint() override { return {}; }
  Result<std::unique_ptr<CentralReader>> OpenReader() override { return MakeDatasetReader(opened_.copies, opened_.copies->MakePin()); }

  Result<std::vector<TenantResult>> Merge(std::span<const TenantWrite> batch) override;
  Result<std::vector<TenantResult>> Erase(std::span<const TenantWrite> after) override;
  Result<> Amend(std::span<const Deletion> deletions, std::span<const RowBatch> upserts) override;
  Result<std::vector<std::string>> CheckIntegrity() override;
  Result<std::vector<Stray>> FindStrays() override;
  Result<uint64_t> RemoveStrays() override;

 private:
  // Holds the lock and has `tables` in a working copy that is up to date.
  [[nodiscard]] Result<> Prepare(const std::vector<const Table*>& tables);
  // The same for a merge: kRefused if it would have to choose between rows that should be one.
  [[nodiscard]] Result<> PrepareMerge(const std::vector<const Table*>& tables);
  // Brings what was planned into the dataset. `planned` may be the error of planning.
  [[nodiscard]] Result<> Finish(Result<> planned);
  [[nodiscard]] Result<> CarryOut();
  [[nodiscard]] Result<> Send(std::span<const ScriptTable> tables);
  // How many rows are staged.
  [[nodiscard]] Result<uint64_t> LoadStaging(const StagedBatch& batch, const std::string& job);
  [[nodiscard]] bigquery::KeepAlive KeepAlive() const { return [this] { return opened_.lock->Keep(); }; }
  [[nodiscard]] std::string JobId(std::string_view step) const { return fmt::format("reeve-{}-{}-{}", opened_.lock->token(), number_, step); }

  // Constant after construction.
  bigquery::Client& client_;

  OpenedDataset opened_;
  std::unique_ptr<MergePlanner> planner_;  // none: what the dataset holds must be read first
  std::string staging_;                    // the table that the last merge used
  uint64_t number_ = 0;                    // of the merge, within this holding of the lock
};

// ---- planning

Result<> Sink::Prepare(const std::vector<const Table*>& tables) {
  REEVE_ASSIGN(const DatasetLock::Held held, opened_.lock->Renew());
  if (held == DatasetLock::Held::kAgain) {
    SettleLeft(client_, opened_.name, opened_.location, opened_.lock->TakeLeft());
    planner_.reset();
    opened_.copies->Forget();
  }
  if (planner_ == nullptr) {
    REEVE_ASSIGN(planner_, MergePlanner::Make(*opened_.copies));
  }
  auto loaded = planner_->Load(tables);
  if (!loaded) planner_.reset();
  return loaded;
}

Result<> Sink::PrepareMerge(const std::vector<const Table*>& tables) {
  REEVE_TRY(Prepare(tables));
  if (planner_->broken().empty()) return {};
  planner_.reset();  // a repair may have mended it since it was read
  REEVE_TRY(Prepare(tables));
  if (planner_->broken().empty()) return {};
  std::string names;
  for (const Table* table : planner_->broken()) names.append(names.empty() ? "" : ", ").append(table->name);
  return FailWithHint(Code::kRefused, fmt::format("{}: rows that should be one occur twice in {}, so nothing can be merged into it", Url(), names),
                      "`reeve doctor` names them, `reeve repair duplicates` merges customers that share a tenant");
}

Result<std::vector<TenantResult>> Sink::Merge(std::span<const TenantWrite> batch) {
  if (batch.empty()) return std::vector<TenantResult>();
  std::vector<const Table*> tables = Always();
  for (const TenantWrite& write : batch) AddTables(write.tables, &tables);
  REEVE_TRY(PrepareMerge(tables));
  auto results = planner_->Merge(batch);
  REEVE_TRY(Finish(results ? Result<>() : Unexpected(results.error())));
  return results;
}

Result<std::vector<TenantResult>> Sink::Erase(std::span<const TenantWrite> after) {
  if (after.empty()) return std::vector<TenantResult>();
  std::vector<const Table*> tables = Always();
  for (const Table* table : ErasedTables()) tables.push_back(table);
  for (const TenantWrite& write : after) AddTables(write.tables, &tables);
  REEVE_TRY(PrepareMerge(tables));
  auto results = planner_->Erase(after);
  REEVE_TRY(Finish(results ? Result<>() : Unexpected(results.error())));
  return results;
}

Result<> Sink::Amend(std::span<const Deletion> deletions, std::span<const RowBatch> upserts) {
  if (deletions.empty() && upserts.empty()) return {};
  std::vector<const Table*> tables = Always();
  for (const Table& table : catalog::CentralTables()) tables.push_back(&table);
  for (const Deletion& deletion : deletions) tables.push_back(deletion.table);
  AddTables(upserts, &tables);
  REEVE_TRY(Prepare(tables));
  return Finish(planner_->Amend(deletions, upserts));
}

// ---- carrying out

// After a failure nothing is known: what the dataset holds is read anew.
Result<> Sink::Finish(Result<> planned) {
  if (planned) planned = CarryOut();
  if (!planned) planner_.reset();
  return planned;
}

Result<> Sink::CarryOut() {
  REEVE_ASSIGN(const std::vector<ScriptTable> tables, planner_->Changes());
  if (tables.empty()) return planner_->Commit();
  std::vector<const Table*> written;
  for (const ScriptTable& one : tables) written.push_back(one.table);
  REEVE_TRY(opened_.copies->BeginWrite(written));
  auto sent = Send(tables);
  opened_.copies->EndWrite();
  REEVE_TRY(sent);
  // The dataset has it: if the working copy cannot keep it, the next merge reads it back.
  if (!planner_->Commit()) planner_.reset();
  return {};
}

Result<> Sink::Send(std::span<const ScriptTable> tables) {
  ++number_;
  StagedBatch batch{fmt::format("{}-{}", opened_.lock->token(), number_), 0, StagingTableOf(number_)};
  REEVE_TRY(opened_.schema.EnsureStaging(batch.table));
  if (const std::string before = std::exchange(staging_, batch.table); !before.empty() && before != staging_) REEVE_TRY(opened_.schema.DropStaging(before));
  REEVE_ASSIGN(batch.rows, LoadStaging(batch, JobId("load")));
  const std::string script = JobId("script");
  REEVE_TRY(opened_.lock->Announce(script, DescribeScript(batch, tables)));
  REEVE_TRY(client_.Execute({.job_id = script, .sql = MergeScript(opened_.name, batch, tables), .location = opened_.location, .keep_alive = KeepAlive()}));
  return opened_.lock->Check();
}

Result<uint64_t> Sink::LoadStaging(const StagedBatch& batch, const std::string& job) {
  const bigquery::TableId staging = opened_.name.Table(batch.table);
  MergePlanner::Place place;
  std::string pending;  // made, and not yet asked for
  uint64_t rows = 0;
  const auto stage = [&](const StagedRow& row) {
    AppendStagedRow(row, batch.id, &pending);
    ++rows;
  };
  bigquery::UploadSource source;
  source.next = [&](size_t bytes_max) -> Result<std::string> {
    REEVE_TRY(opened_.lock->Keep());
    bytes_max = std::min(bytes_max, kPieceBytes);
    while (pending.size() < bytes_max && !place.end) {
      REEVE_ASSIGN(place, planner_->VisitChanges(place, kRowsAtOnce, stage));
    }
    std::string piece = pending.substr(0, bytes_max);
    pending.erase(0, piece.size());
    return piece;
  };
  source.rewind = [&]() -> Result<> {
    place = {};
    pending.clear();
    rows = 0;
    return {};
  };
  REEVE_ASSIGN(const bigquery::JobResult loaded,
               client_.Load({.job_id = job, .table = staging, .schema = StagingSchema(), .location = opened_.location, .keep_alive = KeepAlive()}, source));
  if (loaded.output_rows == rows) return rows;
  // Said by an engine that does not count, or by one that lost some: the emulator drops rows of more than 64 KB and calls the load done.
  REEVE_ASSIGN(const auto info, client_.FindTable(staging));
  if (info && info->rows == rows) return rows;
  return Fail(Code::kFailed, "{}: of {} rows that were loaded for a merge {} arrived; nothing was merged", Url(), rows, info ? info->rows : 0);
}

// ---- care

Result<std::vector<std::string>> Sink::CheckIntegrity() {
  ++number_;
  std::vector<std::string> findings;
  REEVE_TRY(client_.Query({.job_id = JobId("integrity"), .sql = IntegrityQuery(opened_.name), .location = opened_.location}, nullptr,
                          [&](const bigquery::Row& row) -> Result<> {
                            if (!row.empty()) findings.push_back(row.front().text);
                            return {};
                          }));
  return findings;
}

Result<std::vector<Stray>> Sink::FindStrays() { return FindStagingTables(client_, opened_.name); }

Result<uint64_t> Sink::RemoveStrays() {
  REEVE_ASSIGN(const DatasetLock::Held held, opened_.lock->Renew());
  if (held == DatasetLock::Held::kAgain) planner_.reset();
  REEVE_TRY(opened_.schema.List());
  REEVE_ASSIGN(const std::vector<Stray> staged, opened_.schema.Staged());
  for (const Stray& one : staged) REEVE_TRY(opened_.schema.DropStaging(one.table));
  return staged.size();
}

}  // namespace

Result<std::unique_ptr<BigQuerySink>> OpenBigQuerySink(bigquery::Client& client, Files& files, Clock& clock, Entropy& entropy,
                                                       const BigQueryStoreOptions& options) {
  REEVE_ASSIGN(OpenedDataset opened, OpenDatasetForWriting(client, files, clock, entropy, options));
  return std::make_unique<Sink>(client, std::move(opened));
}

}  // namespace reeve::store
