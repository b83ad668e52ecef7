// What store and journal know of the tenants before a migration begins. Values; not safe for concurrent use of the reader.
#pragma once

#include <map>
#include <string>

#include "migrate/journal.h"
#include "migrate/phase.h"
#include "store/central_sink.h"

namespace reeve::migrate::copy {

struct KnownTenant {
  Phase phase = Phase::kLegacy;
  std::string source_digest;  // of the last complete copy; empty if there is none
  std::string refused;        // why a migration must not write it; empty if it may
};

struct KnownTenants {
  std::map<std::string, KnownTenant, std::less<>> by_name;
  int64_t newest_attempt = 0;
};

[[nodiscard]] Result<KnownTenants> ReadKnownTenants(store::CentralReader& reader, const JournalState& journal);

}  // namespace reeve::migrate::copy
