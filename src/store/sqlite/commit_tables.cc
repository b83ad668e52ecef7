#include "store/sqlite/commit_tables.h"

#include "store/commit_record.h"
#include "store/serving_rows.h"
#include "store/sqlite/commit_log.h"
#include "store/sqlite/outbox_cursor.h"
#include "store/sqlite/serving_check.h"

namespace reeve::store {
namespace {

constexpr int64_t kPrunedAtOnce = 8'000;           // marks of an outbox, each time the log is moved: more than come in meanwhile
constexpr size_t kReplayedBytesAtOnce = 8u << 20;

}  // namespace

uint64_t RunHash(std::string_view tenant_id, std::string_view run_id) {
  constexpr uint64_t kMix = 0x9E3779B97F4A7C15U;
  return std::hash<std::string_view>()(tenant_id) * kMix ^ std::hash<std::string_view>()(run_id);
}

Result<> CommitTables::Begin(std::vector<std::string>* notes) {
  REEVE_ASSIGN(marks_, SettleMarks(database_, notes));
  REEVE_ASSIGN(outbox_, InspectOutbox(database_));
  REEVE_TRY(statements_.Prepare());
  REEVE_TRY(database_.Execute(
      fmt::format("INSERT INTO reeve_meta (key, value) VALUES ('{}', lower(hex(randomblob(8)))) ON CONFLICT (key) DO NOTHING", kCommitLogMark)));
  REEVE_ASSIGN(log_id_, database_.QueryText(fmt::format("SELECT value FROM reeve_meta WHERE key = '{}'", kCommitLogMark)));
  REEVE_ASSIGN(const std::string applied, database_.QueryText(fmt::format("SELECT coalesce((SELECT value FROM reeve_meta WHERE key = '{}'), '0')", kCommitsAppliedMark)));
  const auto number = ParseMark(applied);
  if (!number) return Fail(Code::kCorrupt, "{}: reeve_meta {} is \"{}\", which is no number", database_.path(), kCommitsAppliedMark, applied);
  applied_ = static_cast<uint64_t>(*number);
  return {};
}

Result<> CommitTables::Apply(std::span<const NumberedCommit> commits) {
  if (commits.empty()) return {};
  std::vector<ServingWrites> writes;
  for (const NumberedCommit& commit : commits) {
    REEVE_ASSIGN(ServingWrites parsed, ParseCommitRecord(commit.record));
    writes.push_back(std::move(parsed));
  }
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database_));
  REEVE_ASSIGN(const ServingMarks after, Write(writes));
  REEVE_TRY(statements_.PutMark(kCommitsAppliedMark, std::to_string(commits.back().number)));
  REEVE_TRY(Finish(transaction, after));
  applied_ = commits.back().number;
  return {};
}

Result<> CommitTables::Apply(const ServingWrites& writes) {
  REEVE_ASSIGN(auto transaction, sqlite::Transaction::Begin(database_));
  REEVE_ASSIGN(const ServingMarks after, Write({&writes, 1}));
  return Finish(transaction, after);
}

Result<ServingMarks> CommitTables::Write(std::span<const ServingWrites> commits) {
  REEVE_TRY(statements_.Write(commits));
  ServingMarks after = marks_;
  for (const ServingWrites& writes : commits) after = MarksAfter(after, writes);
  return after;
}

Result<> CommitTables::Finish(sqlite::Transaction& transaction, const ServingMarks& after) {
  REEVE_TRY(statements_.WriteMarks(marks_, after));
  REEVE_TRY(transaction.Commit());
  marks_ = after;
  return {};
}

// A reader may keep the log from beginning anew: then it is moved again when as much has been added, not after each transaction.
Result<> CommitTables::MoveLog(int64_t pages_max) {
  const int64_t pages = database_.LogPages();
  if (pages < log_pages_ || move_at_ == 0) move_at_ = pages_max;
  log_pages_ = pages;
  if (pages < move_at_) return {};
  move_at_ = pages + pages_max;
  REEVE_TRY(database_.Execute("PRAGMA wal_checkpoint(PASSIVE)"));
  return outbox_.on ? PruneMarks() : Result<>();
}

// What a mirror has taken elsewhere. It cannot do that itself while this process has the store.
Result<> CommitTables::PruneMarks() {
  const auto cursor = ReadCursor(files_, database_.path());
  if (!cursor || !*cursor || (*cursor)->epoch != outbox_.epoch) return {};  // the mirror says what is wrong with it
  REEVE_TRY(PruneOutbox(database_, (*cursor)->done, kPrunedAtOnce));
  return {};
}

Result<uint64_t> ReplayCommits(Files& files, sqlite::Database& database) {
  const std::string path = database.path();
  if (!HasCommitLog(files, path)) return uint64_t{0};
  std::vector<std::string> notes;
  CommitTables tables(files, database);
  REEVE_TRY(tables.Begin(&notes));
  const uint64_t before = tables.applied();
  std::vector<NumberedCommit> batch;
  size_t bytes = 0;
  const auto apply = [&]() -> Result<> {
    REEVE_TRY(tables.Apply(batch));
    batch.clear();
    bytes = 0;
    return {};
  };
  REEVE_TRY(ReadCommitLog(files, path, tables.log_id(), before, [&](uint64_t number, std::string_view record) -> Result<> {
    batch.push_back({number, std::string(record), 0, 0});
    bytes += record.size();
    return bytes < kReplayedBytesAtOnce ? Result<>() : apply();
  }));
  REEVE_TRY(apply());
  REEVE_TRY(RemoveCommitLog(files, path));
  return tables.applied() - before;
}

}  // namespace reeve::store
