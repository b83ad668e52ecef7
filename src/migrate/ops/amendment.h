// The difference between rows as they are and as they shall be, as deletions by row identity and
// rows to write: what CentralSink::Amend takes. Owns its texts. Not safe for concurrent use.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "migrate/ops/row_tools.h"

namespace reeve::migrate::ops {

class Amendment {
 public:
  // Both of one table. Rows that are the same on both sides are not touched. A changed row is
  // deleted and written anew, so that columns which a merge never changes can change. Deletion is
  // by primary key, and a row that shares its key with one that stays is written again: nothing
  // goes that is not meant.
  void Replace(const RowBatch& before, const RowBatch& after);
  [[nodiscard]] const std::vector<store::CentralSink::Deletion>& deletions() const { return deletions_; }
  [[nodiscard]] const std::vector<RowBatch>& upserts() const { return upserts_; }
  [[nodiscard]] bool empty() const { return deletions_.empty() && upserts_.empty(); }

 private:
  std::deque<std::string> texts_;  // of the deletions' keys
  std::vector<store::CentralSink::Deletion> deletions_;
  std::vector<RowBatch> upserts_;
};

}  // namespace reeve::migrate::ops
