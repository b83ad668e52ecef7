// Tenants that this store has served: their ledger holds runs and counts that exist nowhere else, so a migration neither writes nor judges them any more.
// Not safe for concurrent use of one reader.
#pragma once

#include <set>
#include <string>

#include "base/error.h"
#include "store/central_sink.h"

namespace reeve::migrate {

// What people are told about such a tenant.
inline constexpr std::string_view kServedHere = "was served from this store: its ledger counts runs that legacy does not know";

// Their names: the tenants of reeve_run_totals.
[[nodiscard]] Result<std::set<std::string, std::less<>>> ServedTenants(store::CentralReader& reader);

}  // namespace reeve::migrate
