#include "migrate/copy/known_tenants.h"

#include <algorithm>

#include "migrate/served.h"

namespace reeve::migrate::copy {

Result<KnownTenants> ReadKnownTenants(store::CentralReader& reader, const JournalState& journal) {
  const catalog::Table& table = catalog::ReeveTenants();
  const auto column = [&table](std::string_view name) { return static_cast<size_t>(table.Index(name)); };
  KnownTenants known;
  known.newest_attempt = journal.last_attempt;
  REEVE_TRY(reader.Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
    KnownTenant tenant;
    tenant.phase = ParsePhase(row[column("phase")].text).value_or(Phase::kLegacy);
    if (tenant.phase > Phase::kVerified) tenant.refused = fmt::format("is in phase {}, where a migration must not write", PhaseName(tenant.phase));
    known.newest_attempt = std::max(known.newest_attempt, row[column("attempt")].num);
    const auto state = journal.tenants.find(row[column("tenant_id")].text);
    const bool copied = tenant.phase >= Phase::kCopied && state != journal.tenants.end() && state->second.phase >= Phase::kCopied &&
                        state->second.failure.empty();
    if (copied) tenant.source_digest = state->second.source_digest;
    known.by_name.emplace(row[column("tenant_id")].text, std::move(tenant));
    return {};
  }));
  if (known.by_name.empty()) return known;
  REEVE_ASSIGN(const auto served, ServedTenants(reader));
  for (const std::string& name : served) known.by_name[name].refused = kServedHere;
  return known;
}

}  // namespace reeve::migrate::copy
