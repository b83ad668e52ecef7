// What becomes of values that BigQuery keeps in a form of its own.
//
// A JSON column is no text there: spaces and the order of members are lost, of two members of one name the first stays, numbers are INT64, UINT64 or
// FLOAT64. An array cannot be NULL: it becomes an empty one. So the value is stored in its *form*, which survives all that, and where the text was
// another one, the text itself goes into reeve_exact_cells. Reading back, the text counts as long as its form is what the column says; a column that
// somebody changed in BigQuery counts itself.
//
// Form of a JSON text: no spaces; members in byte order of their names, the first of equal ones; strings with the escapes that must be; whole numbers
// of up to 64 bits without fraction or exponent, others as the shortest decimal of their double. Form of an array: the same of an array of strings.
// Pure; safe from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "catalog/rows.h"

namespace reeve::store {

// nullopt: not JSON, deeper than catalog::kJsonDepthMax, or with a number that no double is near.
[[nodiscard]] std::optional<std::string> JsonForm(std::string_view text);
// nullopt: no array of strings.
[[nodiscard]] std::optional<std::string> ArrayForm(std::string_view text);

// True for columns whose values have a form.
[[nodiscard]] constexpr bool HasForm(const catalog::Column& column) {
  return column.type == catalog::Type::kJson || column.type == catalog::Type::kStrings;
}
[[nodiscard]] bool HasForm(const catalog::Table& table);

// The form in which `cell` is stored. REQUIRES: HasForm(column), and Unstorable said nothing of the cell
[[nodiscard]] std::optional<std::string> FormOf(const catalog::Column& column, const catalog::Cell& cell);
// True if the column alone would not give `cell` back.
[[nodiscard]] bool NeedsExactText(const catalog::Column& column, const catalog::Cell& cell);

// What the reader says of a column that holds `stored` (nullopt: NULL) and, in reeve_exact_cells, `exact` (null: nothing is noted there).
[[nodiscard]] std::optional<std::string> Restored(const catalog::Column& column, std::optional<std::string> stored,
                                                  const std::optional<std::string>* exact);

// The row_key of a row of `table`.
[[nodiscard]] std::string ExactRowKey(const catalog::Table& table, std::span<const catalog::Cell> row);

// Why BigQuery could not hold the row: "metadata is no JSON text that BigQuery keeps". Empty if it can.
[[nodiscard]] std::string Unstorable(const catalog::Table& table, std::span<const catalog::Cell> row);

}  // namespace reeve::store
