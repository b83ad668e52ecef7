// Rows of reeve_runs as they are read. Not safe for concurrent use of one statement or finder.
#pragma once

#include <optional>
#include <string_view>

#include "drivers/sqlite/sqlite.h"
#include "store/serving_store.h"

namespace reeve::store {

// What a SELECT must begin with for ReadRun.
inline constexpr std::string_view kRunColumns =
    "tenant_id, run_id, usage_month, state, pipeline_id, api_key_id, refusal, ttl_ms, fence, reserved_at, expires_at, ended_at, compute_ms, "
    "request_digest, outcome, reply";

// The current row, without customer_id, which the table does not have. kCorrupt if its month is no date or its state unknown.
[[nodiscard]] Result<RunRow> ReadRun(const sqlite::Statement& row);

// Looks single runs up, by an index. Several looks share one view of the tables: taking a new one costs more than the look.
class RunFinder {
 public:
  // The connection is its own. REQUIRES: `database` outlives this
  [[nodiscard]] Result<> Prepare(sqlite::Database& database);
  // As ServingStore::FindRun, of what is in the tables, with everything up to commit number `applied` at least.
  [[nodiscard]] Result<std::optional<RunRow>> Find(std::string_view tenant_id, std::string_view run_id, uint64_t applied);
  // Gives the view up, so that nothing is held for it.
  [[nodiscard]] Result<> Refresh();

 private:
  sqlite::Database* database_ = nullptr;
  sqlite::Statement begin_, find_, end_;
  std::optional<uint64_t> view_;       // the commit that it has at least
};

}  // namespace reeve::store
