// Pages of rows, as tabledata.list and getQueryResults send them, decoded by schema. The bytes are not trusted: anything that is no such page is an error.
//
//   page  := object with "rows": [row…], and optionally "pageToken", "totalRows", "jobComplete", "jobReference", "schema", "numDmlAffectedRows",
//            "totalBytesProcessed", "totalBytesBilled"
//   row   := {"f": [cell…]}             cells in order of the schema
//   cell  := {"v": value}
//   value := null | text                scalar columns; a number or a boolean stands for its text
//          | [cell…]                    REPEATED columns; null is the empty list
//          | row                        STRUCT columns
//
// A PageReader belongs to one thread; functions are safe from any. Messages name column and row, never a value.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "drivers/bigquery/client.h"
#include "drivers/bigquery/types.h"

namespace reeve::bigquery {

inline constexpr size_t kPageBytesMax = 256 * 1024 * 1024;

// What stands beside the rows.
struct Page {
  bool complete = true;                    // false: the job is still running, there are no rows yet
  bool has_rows = false;                   // false: none, or none yet
  std::string token;                       // of the next page; empty: this is the last
  std::optional<uint64_t> total_rows;
  std::optional<uint64_t> affected_rows;
  std::optional<uint64_t> bytes_processed, bytes_billed;
  std::optional<Schema> schema;
  std::string job_id, location;            // of the job whose result it is
};

// Which columns are handed on, and where they stand in the rows that arrive.
struct Columns {
  Schema fields;              // in order of delivery
  std::vector<size_t> cells;  // cell of each, in rows of `width` cells
  size_t width = 0;
  // The same in rows that hold every column of the table, though fewer were asked for (the emulator does not know selectedFields).
  std::vector<size_t> cells_of_all;
  size_t width_of_all = 0;
};
[[nodiscard]] Columns AllColumns(Schema schema);
// The columns called `names` (of any case), in that order, out of rows that hold just these in the table's order. kUsage if one does not exist or is named
// twice.
[[nodiscard]] Result<Columns> SelectColumns(const Schema& schema, std::span<const std::string> names);

class PageReader {
 public:
  // `what` the rows are of, for messages.
  explicit PageReader(std::string what);
  ~PageReader();
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;

  // Takes the page and reads all but its rows. The one before is forgotten.
  [[nodiscard]] Result<Page> Open(std::string body);
  // Visits the rows of the open page in order; the Row is valid during the visit. Returns the visitor's error, or kFailed for a row that does not fit.
  [[nodiscard]] Result<> Visit(const Columns& columns, const VisitRow& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeve::bigquery
