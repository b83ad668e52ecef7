// The counted columns of customer_usage from a set of runs (docs/mapping.md §5). Pure; safe from
// any thread.
#pragma once

#include <string>

#include "domain/run_set.h"
#include "migrate/ops/row_tools.h"

namespace reeve::migrate::ops {

// Writes run count, running count, compute hours and latest start into `row` of customer_usage.
// False if they were so already.
[[nodiscard]] bool SetCounts(const domain::MonthUsage& usage, std::span<Cell> row);

// The stored set in `blob` counted as of `now`. kCorrupt if it cannot be read.
[[nodiscard]] Result<domain::MonthUsage> CountStored(std::string_view blob, Days month, Micros now, Micros abandoned_after);

// A new customer_usage row of a month in which nothing has been counted yet.
void AddEmptyUsage(std::string_view customer_id, std::string_view tenant, Days month, Micros now, RowBatch* out);

}  // namespace reeve::migrate::ops
