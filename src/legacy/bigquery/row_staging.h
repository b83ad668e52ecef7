// What Replace sends: rows as text columns that load everywhere alike, and the SQL that makes of them what they were. (An emulator stores BYTES of a load as their
// base64 text; BigQuery decodes them. Text and conversions in SQL are the same on both.) Pure; safe from any thread.
//
// A staged row holds, for column number I of the table, a member "cI":
//   STRING, BYTES, numbers, BOOL, dates and times   its value as text; a TIMESTAMP as "2025-01-01 10:00:00[.ffffff]+00"
//   JSON, REPEATED                                  its JSON text, as text
//   STRUCT, GEOGRAPHY, INTERVAL, RANGE              itself: the staging column has the table's type
// and no member where it is NULL.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "drivers/bigquery/types.h"

namespace reeve::legacy {

// The staging table's columns for a table of `schema`.
[[nodiscard]] bigquery::Schema StagingSchema(const bigquery::Schema& schema);
// `line` with its newline. kFailed names the column, never the value: a column that the table does not have, or a value that is none of its type.
[[nodiscard]] Result<std::string> StagedRow(const bigquery::Schema& schema, std::string_view line);
// One script that puts the rows of `staging` in place of those of `table`, all or nothing. `staging` nullptr: no rows.
[[nodiscard]] std::string SwapScript(const bigquery::Schema& schema, const bigquery::TableId& table, const bigquery::TableId* staging);

}  // namespace reeve::legacy
