// Reads central for one tenant and compares it with what legacy says. For one thread at a time.
#pragma once

#include "migrate/witness/expected.h"
#include "migrate/witness/legacy_side.h"
#include "migrate/witness/verdict.h"
#include "migrate/witness/witness.h"
#include "store/central_sink.h"

namespace reeve::migrate::witness {

// What a comparison knows. `runs` holds the tenant's legacy runs and is used up.
struct Sides {
  const Identity& who;
  const LegacySide& legacy;
  const Assumptions& assumptions;
  TenantFacts facts;
  RunTable* runs;
  store::CentralReader& central;
};

// Fills the proofs and differences of `verdict`. Fails if central cannot be read.
[[nodiscard]] Result<> CompareSides(const Sides& sides, Verdict* verdict);

}  // namespace reeve::migrate::witness
