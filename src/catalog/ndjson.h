// Rows as newline-delimited JSON the way BigQuery loads and extracts them.
//
// Grammar of a line: one JSON object, columns in catalog order, NULLs left out, no spaces. INT64 and NUMERIC as strings,
// BOOL as true/false, TIMESTAMP "YYYY-MM-DD HH:MM:SS[.ffffff] UTC", DATE "YYYY-MM-DD", BYTES base64, JSON embedded as it is,
// ARRAY<STRING> as an array. A NULL array is written as nothing and read as NULL. Line breaks between the tokens of a JSON
// value become spaces; a JSON value that is the literal null reads back as NULL. Reading takes any order, explicit nulls and
// spaces, and nothing else: a field that occurs twice, is unknown or has the wrong type fails.
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/rows.h"

namespace reeve::catalog {

// Appends the line of `row` with its newline.
void AppendRow(const Table& table, std::span<const Cell> row, std::string* out);

// Parses one line into a new row of `batch`. kFailed with the reason (field and rule) for an unknown field, a wrong type, a missing
// required column; the batch is then unchanged.
[[nodiscard]] Result<> ParseRow(std::string_view line, RowBatch* batch);

// A fixed-point number: "499.00" with scale 2 is 49900. Rounds nothing: more digits than `scale` fail.
[[nodiscard]] std::optional<int64_t> ParseNumeric(std::string_view text, int scale);
[[nodiscard]] std::string FormatNumeric(int64_t scaled, int scale);
// 10^precision: values of NUMERIC(precision, …) lie below it, scaled. REQUIRES: 0 < precision <= 18
[[nodiscard]] int64_t NumericLimit(int precision);

// The JSON text of an array of strings, and back (nullopt: not such a text).
[[nodiscard]] std::string StringsToJson(std::span<const std::string> values);
[[nodiscard]] std::optional<std::vector<std::string>> StringsFromJson(std::string_view json);

}  // namespace reeve::catalog
