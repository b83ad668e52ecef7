// Schemas of BigQuery tables as text: as `bq show --schema` prints and reads them (types by their standard names), as SQL writes the type of a column, and what
// rows without a schema need. Pure; safe from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "drivers/bigquery/types.h"

namespace reeve::legacy {

[[nodiscard]] std::string SchemaJson(const bigquery::Schema& schema);
// An array of fields, or an object with "fields". kFailed names what is wrong and at which field.
[[nodiscard]] Result<bigquery::Schema> ParseSchemaJson(std::string_view json);

// "STRING", "ARRAY<INT64>", "STRUCT<a INT64, b ARRAY<STRING>>".
[[nodiscard]] std::string SqlType(const bigquery::Field& field);

// Columns of newline-delimited JSON objects, each declared after its first value that is not null: text STRING, true and false BOOL, whole numbers INT64, others
// FLOAT64, arrays of texts REPEATED STRING, all else JSON. In order of appearance. kFailed for a line that is no JSON object, by its number.
[[nodiscard]] Result<bigquery::Schema> SchemaOfRows(std::string_view lines);

// Calls `visit(line, number)` for each line that is not blank; stops at the first error.
using VisitLine = std::function<Result<>(std::string_view line, size_t number)>;
[[nodiscard]] Result<> ForEachLine(std::string_view lines, const VisitLine& visit);

}  // namespace reeve::legacy
