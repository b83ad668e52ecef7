// Loading: from the store into the run book, the table of customers and an index of keys; at the start and for Gate::Reload. Writer's thread only.
#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "domain/ledger_clock.h"
#include "env/clock.h"
#include "gate/gate_state.h"
#include "gate/run_book.h"
#include "store/serving_store.h"

namespace reeve::gate {

// Reads everything. `ledger` is made here if it is empty, after the store's mark. On error the book and the table may have customers that are newer than
// the rest, which does no harm, and the index is that of before.
[[nodiscard]] Result<> LoadAll(store::ServingStore& store, Clock& clock, GateState* state, RunBook* book, std::optional<domain::LedgerClock>* ledger);

// Hands what the book knows of a customer to everybody.
void PublishCustomer(const RunBook& book, uint32_t customer, Days month, GateState* state);

}  // namespace reeve::gate
