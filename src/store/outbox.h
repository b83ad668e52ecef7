// Outbox: which rows of the seven tables have changed and not yet gone where a mirror takes them. Every change leaves its mark in the transaction that makes it, so
// none is lost, and a row that changes often has one mark, its last.
//
// Not for reading a store (central_sink.h) and not for queues of messages: what is handed over is the row as it is now. For one thread. The store may be served or
// written by another process meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/rows.h"
#include "store/central_sink.h"

namespace reeve::store {

struct OutboxMark {
  const catalog::Table* table = nullptr;
  std::vector<catalog::Cell> key;  // of Table::StoredKey()
  bool present = false;            // a row with this key exists; it is in OutboxBatch::rows
};

// All of it is of one instant. Movable, not copyable; cells point into it.
struct OutboxBatch {
  std::vector<OutboxMark> marks;         // each key once
  std::vector<catalog::RowBatch> rows;   // at most one batch a table, in the order of the catalog
  std::vector<catalog::RowBatch> keys;   // holds the texts of `marks`
  int64_t last = 0;                      // the number up to which marks are in `marks`
  uint64_t waiting = 0;                  // marks behind it
};

// What can be said of a store's outbox from outside.
struct OutboxPeek {
  bool on = false;       // changes leave marks
  std::string target;    // where the last mirror took them; empty: there was none
  uint64_t waiting = 0;  // marks that are not done; without an outbox, the rows that would be marked
};

class Outbox {
 public:
  virtual ~Outbox() = default;
  // The oldest marks that are not done, at most `marks_max` of them, and beside them the customers of their rows, if these have a mark of their own that comes
  // later: a row must not arrive before its customer. Nothing if there are none.
  [[nodiscard]] virtual Result<OutboxBatch> Read(size_t marks_max) = 0;
  // Marks up to `last` have arrived, durably; they are not read again. A row that has changed since it was read has a later mark and is.
  [[nodiscard]] virtual Result<> Done(int64_t last) = 0;
  // True until something of this outbox is done: then the target may hold anything, and every row here has a mark.
  [[nodiscard]] virtual bool IsFresh() const = 0;
  // The store as it is now.
  [[nodiscard]] virtual Result<std::unique_ptr<CentralReader>> OpenReader() = 0;
  // Forgets marks that are done, where nobody has the store open for writing; a server does that by itself.
  [[nodiscard]] virtual Result<> Tidy() = 0;
};

}  // namespace reeve::store
