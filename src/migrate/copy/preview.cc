#include "migrate/copy/migrate.h"
#include "migrate/copy/survey.h"
#include "migrate/journal.h"

namespace reeve::migrate {

Result<MigratePreview> PreviewMigration(const Engine& engine, const Options& options) {
  REEVE_ASSIGN(const std::unique_ptr<copy::Survey> survey, copy::ListEstate(engine, options, 0));
  REEVE_ASSIGN(const JournalState state, ReadJournal(*engine.files, engine.state_path + ".journal"));
  MigratePreview preview;
  preview.skipped = survey->map.skipped;
  preview.tenants = survey->chosen.size();
  if (state.run_open) preview.resumed_as_of = state.as_of;
  for (const uint32_t index : survey->chosen) {
    const Tenant& tenant = survey->map.tenants[index];
    preview.bytes += tenant.bytes;
    for (const CarrierTable& carrier : tenant.tables) preview.files += carrier.table.parts.size();
    const auto found = state.tenants.find(tenant.name);
    if (found != state.tenants.end() && found->second.phase >= Phase::kCopied) ++preview.already_copied;
  }
  return preview;
}

}  // namespace reeve::migrate
