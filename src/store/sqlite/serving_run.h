// A row of reeve_runs from a statement. Not safe for concurrent use of one statement.
#pragma once

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

}  // namespace reeve::store
