// Values of REST as cells of the catalog. Pure; safe from any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/rows.h"
#include "drivers/bigquery/types.h"

namespace reeve::store {

// One value for each column of `table`, in the order of the catalog. Texts point into `texts`, which has as many elements, or into `values`. JSON is its
// text as the engine has it, arrays the JSON text of theirs (also where they arrive as such a text). kCorrupt if a value cannot be of its column.
[[nodiscard]] Result<> DecodeValues(const catalog::Table& table, std::span<const bigquery::Value> values, std::span<catalog::Cell> cells,
                                    std::vector<std::string>* texts);

// Decodes rows of one table as tabledata.list and queries answer them.
class RowDecoder {
 public:
  // kRefused if `schema` lacks a column of `table`.
  [[nodiscard]] static Result<RowDecoder> Make(const catalog::Table& table, const bigquery::Schema& schema);
  // What to ask for; rows come in the order of the schema, of these columns alone.
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  // As DecodeValues.
  [[nodiscard]] Result<> Decode(const bigquery::Row& row, std::span<catalog::Cell> cells, std::vector<std::string>* texts) const;

 private:
  const catalog::Table* table_ = nullptr;
  std::vector<std::string> columns_;  // in order of the schema
  std::vector<size_t> cells_;         // where each of them goes
};

}  // namespace reeve::store
