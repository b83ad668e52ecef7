// One row of BigQuery as one line of JSON, in the manner of `bq extract`, twice: for the copier and for the verifier, which must share no code here.
//
//   row     := "{" [ field { "," field } ] "}"    columns in the table's order; NULL is left out
//   INT64, NUMERIC, BIGNUMERIC                    text: "123"
//   FLOAT64                                       number; NaN and infinities as text
//   BOOL                                          true, false
//   TIMESTAMP                                     "2025-01-01 10:00:00[.ffffff] UTC": microseconds are kept
//   BYTES                                         canonical base64, as text
//   JSON                                          its text as it stands, line breaks as spaces
//   REPEATED, STRUCT                              array, object
//   all others                                    text
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "drivers/bigquery/types.h"

namespace reeve::legacy {

// Appends the row without a line break. `positions`: the fields of `schema` and `row` that the table has, in its order.
// REQUIRES: row.size() == schema.size(); texts are valid UTF-8, as all that comes out of JSON is.
using AppendRow = void(const bigquery::Schema& schema, const bigquery::Row& row, std::span<const uint16_t> positions, std::string* out);

AppendRow AppendRowForCopier;    // row_for_copier.cc
AppendRow AppendRowForVerifier;  // row_for_verifier.cc

}  // namespace reeve::legacy
