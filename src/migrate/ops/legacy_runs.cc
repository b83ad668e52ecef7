#include "migrate/ops/legacy_runs.h"

#include <set>

#include "migrate/copy/shared_rows.h"
#include "migrate/copy/tenant_reader.h"
#include "migrate/estate_map.h"
#include "migrate/ops/row_tools.h"

namespace reeve::migrate::ops {
namespace {

class CopierRuns final : public LegacyRuns {
 public:
  CopierRuns(const Engine& engine, EstateMap map) : engine_(engine), map_(std::move(map)) {}

  Result<> Gather(Micros now) {
    REEVE_ASSIGN(shared_, copy::SharedRows::Gather(*engine_.estate, map_, *engine_.files, engine_.state_path + ".spool"));
    copy::TenantReader::Settings settings;
    settings.as_of = now;
    reader_ = std::make_unique<copy::TenantReader>(*engine_.estate, *shared_, *engine_.clock, settings);
    return {};
  }

  Result<> AddRuns(const std::string& tenant, domain::RunSet* runs) override {
    const Tenant* found = map_.Find(tenant);
    if (found == nullptr) return {};
    Tenant only_runs = *found;
    std::erase_if(only_runs.tables, [](const CarrierTable& table) { return table.kind != catalog::LegacyKind::kRuns; });
    const copy::TenantRows rows = reader_->ReadAll(only_runs, {});
    if (!rows.failure.empty()) return Fail(Code::kFailed, "{}", rows.failure);
    runs->Merge(rows.runs);
    return {};
  }

 private:
  const Engine& engine_;
  const EstateMap map_;
  std::unique_ptr<copy::SharedRows> shared_;
  std::unique_ptr<copy::TenantReader> reader_;
};

}  // namespace

Result<std::unique_ptr<LegacyRuns>> OpenLegacyRuns(const Engine& engine, store::CentralReader& reader, const Options& options,
                                                   Micros now) {
  REEVE_ASSIGN(std::vector<std::string> declared, KnownTenants(reader));
  declared.insert(declared.end(), options.declared.begin(), options.declared.end());
  REEVE_ASSIGN(std::vector<legacy::Dataset> datasets, engine.estate->List());
  auto runs = std::make_unique<CopierRuns>(engine, MapEstate(std::move(datasets), declared));
  REEVE_TRY(runs->Gather(now));
  return runs;
}

Result<std::vector<std::string>> KnownTenants(store::CentralReader& reader) {
  std::set<std::string> names;
  for (const Table* table : {&catalog::Customers(), &catalog::ReeveTenants()}) {
    REEVE_TRY(reader.Scan(*table, [&](Row row) -> Result<> {
      names.emplace(TextAt(*table, row, "tenant_id"));
      return {};
    }));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace reeve::migrate::ops
