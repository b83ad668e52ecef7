// The outbox inside the embedded store: a table of marks, and triggers on the seven tables that write them. Not part of the catalog: it exists while a mirror
// is wanted, so that a migration without one pays nothing. Not safe for concurrent use of one connection.
//
//   reeve_outbox(seq, table_name, key1, key2)   seq grows for ever; (table_name, key1, key2) once: the row's stored key, key2 '' if it has one column
//   reeve_meta   outbox_epoch                   which outbox this is; each one that is made has a larger number
//                outbox                         "filling" while it is made, then "on"
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "drivers/sqlite/sqlite.h"

namespace reeve::store {

struct OutboxState {
  int64_t epoch = 0;  // of the last one that was made; 0: none ever
  bool on = false;    // it is whole
};
[[nodiscard]] Result<OutboxState> InspectOutbox(sqlite::Database& database);

// Makes a new outbox in the place of any other, with a mark for every row there is: triggers first, so that no change is lost, then the marks, a table a
// transaction. Stopped in between, it is not on. Needs the connection that writes.
[[nodiscard]] Result<> MakeOutbox(sqlite::Database& database);
// Removes it; nothing if there is none.
[[nodiscard]] Result<> DropOutbox(sqlite::Database& database);
// Removes marks up to `done`, at most `marks_max`; how many.
[[nodiscard]] Result<int64_t> PruneOutbox(sqlite::Database& database, int64_t done, int64_t marks_max);

}  // namespace reeve::store
