// The store ports over plain maps: the model that the conformance suite compares the engines with, and a fast store for tests.
//
// It merges by the catalog's rules in straightforward C++ and shares no code with the SQL. Not durable, not fast on large
// data. Sink and store may be used from several threads; a reader sees a copy made when it was opened.
#pragma once

#include <memory>

#include "store/central_sink.h"
#include "store/serving_store.h"
#include "store/store.h"

namespace reeve::store {

class MemoryData;

// An empty dataset that several ports can share.
[[nodiscard]] std::shared_ptr<MemoryData> MakeMemoryData();

[[nodiscard]] std::unique_ptr<CentralSink> MakeMemorySink(std::shared_ptr<MemoryData> data = MakeMemoryData());
[[nodiscard]] std::unique_ptr<Store> MakeMemoryStore(std::shared_ptr<MemoryData> data);
// Several over one dataset are several openings of it: what one has committed, the next one loads.
[[nodiscard]] std::unique_ptr<ServingStore> MakeMemoryServingStore(std::shared_ptr<MemoryData> data);

}  // namespace reeve::store
