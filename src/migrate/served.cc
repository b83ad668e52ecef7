#include "migrate/served.h"

namespace reeve::migrate {

Result<std::set<std::string, std::less<>>> ServedTenants(store::CentralReader& reader) {
  const catalog::Table& table = catalog::ReeveRunTotals();
  const auto tenant = static_cast<size_t>(table.Index("tenant_id"));
  std::set<std::string, std::less<>> names;
  REEVE_TRY(reader.Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
    if (names.empty() || *names.rbegin() != row[tenant].text) names.emplace(row[tenant].text);
    return {};
  }));
  return names;
}

}  // namespace reeve::migrate
