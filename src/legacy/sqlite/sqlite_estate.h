// An estate in one SQLite file, for tests and demonstrations: a table `{dataset}.{name}` ("acme.x_meta_api_keys") per legacy table.
//
// Not for real estates: it is as slow as rendering every row anew. Its rows read like those of an export: columns in declared
// order, NULL left out, and by declared type and stored value
//
//   INTEGER in a column declared …INT…        "123" (text, as BigQuery exports INT64)
//   INTEGER 0 or 1 in BOOL, BOOLEAN           false, true
//   INTEGER in TIMESTAMP, DATETIME            microseconds as "2025-01-01 10:00:00 UTC"
//   valid JSON text in JSON, ARRAY            embedded, if it begins with [ or {
//   BLOB                                      base64
//   other INTEGER, REAL                       number
//   TEXT                                      text
//
// The schema of a table is its declared columns. Tables without a dot in their names are ignored. Safe from any thread: every
// call and every reader has a connection of its own.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "legacy/estate.h"

namespace reeve::legacy {

// The file need not exist yet: List is then kNotFound, and Replace makes it.
// Replace keeps a table's declaration and adds columns that only the rows have, declared after their first value; DeclareSchema declares a
// table that does not exist. kFailed, and nothing is changed, for a line that is no JSON object, and for a name that differs
// from a table's only in case.
[[nodiscard]] Result<std::unique_ptr<LegacyEstate>> OpenSqliteEstate(std::string path);

}  // namespace reeve::legacy
