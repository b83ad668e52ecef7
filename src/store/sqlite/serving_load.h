// ServingStore::Load over connections of its own, so that two processors can read keys.
#pragma once

#include <string>

#include "store/serving_store.h"

namespace reeve::store {

// As ServingStore::Load, without the marks. Calls `visitor` from the calling thread only. REQUIRES: nobody writes to the store meanwhile
[[nodiscard]] Result<> LoadServing(const std::string& path, Days from_month, const ServingVisitor& visitor);

}  // namespace reeve::store
