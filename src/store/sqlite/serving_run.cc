#include "store/sqlite/serving_run.h"

namespace reeve::store {

Result<RunRow> ReadRun(const sqlite::Statement& row) {
  RunRow run;
  run.tenant_id = row.Text(0);
  run.run_id = row.Text(1);
  const std::optional<Days> month = ParseDate(row.Text(2));
  const int64_t state = row.Int(3);
  if (!month || state < static_cast<int64_t>(RunState::kReserved) || state > static_cast<int64_t>(RunState::kRefused))
    return Fail(Code::kCorrupt, "reeve_runs: run {} of {} has a month or state that cannot be", run.run_id, run.tenant_id);
  run.month = *month;
  run.state = static_cast<RunState>(state);
  run.pipeline_id = row.Text(4);
  run.api_key_id = row.Text(5);
  run.refusal = static_cast<int32_t>(row.Int(6));
  run.ttl_ms = row.Int(7);
  run.fence = row.Int(8);
  run.reserved_at = row.Int(9);
  run.expires_at = row.Int(10);
  run.ended_at = row.Int(11);
  run.compute_ms = row.Int(12);
  run.request_digest = row.Blob(13);
  run.outcome = row.Text(14);
  run.reply = row.Text(15);
  return run;
}

Result<> RunFinder::Prepare(sqlite::Database& database) {
  REEVE_ASSIGN(find_, database.Prepare(fmt::format("SELECT {} FROM reeve_runs WHERE tenant_id = ?1 AND run_id = ?2", kRunColumns)));
  REEVE_ASSIGN(begin_, database.Prepare("BEGIN"));
  REEVE_ASSIGN(end_, database.Prepare("COMMIT"));
  database_ = &database;
  return {};
}

Result<> RunFinder::Refresh() {
  if (!view_) return {};
  view_.reset();
  return database_->InAutocommit() ? Result<>() : end_.Run();
}

Result<std::optional<RunRow>> RunFinder::Find(std::string_view tenant_id, std::string_view run_id, uint64_t applied) {
  if (view_ != applied) {
    REEVE_TRY(Refresh());
    REEVE_TRY(begin_.Run());
    view_ = applied;
  }
  find_.BindText(1, tenant_id);
  find_.BindText(2, run_id);
  auto found = find_.Step();
  std::optional<RunRow> run;
  if (found && *found) {
    auto read = ReadRun(find_);
    if (!read) found = Unexpected(std::move(read).error());
    else run = std::move(*read);
  }
  find_.Reset();
  if (!found) return Unexpected(std::move(found).error());
  return run;
}

}  // namespace reeve::store
