// A realistic tenant: which shapes it has, where its tables live, what is odd about it.
#include <algorithm>

#include "sample/tenants.h"

namespace reeve::sample {
namespace {

constexpr uint64_t kSpecialTenantsMin = 50;
// Even places: those tenants have the guide's own shapes, in their own datasets.
constexpr uint64_t kUnknownKeysAt = 10;
constexpr uint64_t kTruncatedAt = 22;
constexpr uint64_t kBrokenRecordAt = 30;
constexpr uint64_t kUnknownRunsAt = 36;
constexpr uint64_t kRowTooLargeAt = 42;
constexpr uint64_t kHugeValueAt = 44;

TableStyle RandomStyle(const SampleOptions& options, Prng* rng) {
  constexpr TimeStyle kOtherTimes[] = {TimeStyle::kTrimmed, TimeStyle::kIsoNaive, TimeStyle::kIsoZ,
                                       TimeStyle::kOffset, TimeStyle::kShortZone};
  TableStyle style;
  style.gzip = options.gzip_some && rng->Percent(30);
  style.sharded_name = !rng->Percent(10);
  style.final_newline = !rng->Percent(8);
  style.carriage_return = rng->Percent(3);
  style.blank_percent = rng->Percent(6) ? 4 : 0;
  style.shard_rows = rng->Percent(20) ? 40 : 1'500;
  if (rng->Percent(15)) style.text.time = rng->Pick(kOtherTimes);
  style.text.bare_numbers = rng->Percent(5);
  style.text.explicit_nulls = rng->Percent(6);
  style.text.ascii = rng->Percent(10);
  style.text.spaced = rng->Percent(4);
  return style;
}

// The datasets for keys, credentials and runs, and for everything else.
struct Datasets {
  std::string keys, credentials, runs, home;
};

Datasets ChooseDatasets(TenantOut* tenant) {
  const std::string& name = tenant->name();
  const std::string metadata = name + "_metadata";
  const std::string prod = name + "_prod";
  if (!tenant->shop().options.all_variants) return {name, name, name, name};
  switch (tenant->rng().Below(10)) {
    case 0: return {metadata, metadata, metadata, metadata};
    case 1: return {prod, prod, prod, prod};
    case 2: return {metadata, metadata, name, name};
    case 3: return {name, prod, prod, name};
    case 4: return {metadata, prod, metadata, prod};
    default: return {name, name, name, name};
  }
}

// A shape by its turn: every second tenant has the most common one, the others take turns.
template <typename Shape>
const Shape& InTurn(std::span<const Shape> shapes, uint64_t index, const Shape& common) {
  return index % 2 == 0 ? common : shapes[index / 2 % shapes.size()];
}

void ChooseShapes(TenantOut* tenant, Layout* layout) {
  const uint64_t index = tenant->index();
  layout->own_key = &KeyShapeNamed("A3");
  layout->own_credential = &CredentialShapeNamed("C1");
  layout->own_run = &RunShapeNamed("R3");
  if (tenant->shop().options.all_variants) {
    layout->key = &InTurn(KeyShapes(), index, *layout->own_key);
    layout->credential = &InTurn(CredentialShapes(), index, *layout->own_credential);
    layout->run = &InTurn(RunShapes(), index, *layout->own_run);
  } else {
    layout->key = index % 4 == 1 ? &KeyShapeNamed("A2") : layout->own_key;
    layout->credential = index % 4 == 1 ? &CredentialShapeNamed("C0") : layout->own_credential;
    layout->run = index % 4 == 1 ? &RunShapeNamed("R2") : index % 4 == 3 ? &RunShapeNamed("R1") : layout->own_run;
  }
  if (layout->key->home == Home::kOwn) layout->own_key = layout->key;
  if (layout->credential->home == Home::kOwn) layout->own_credential = layout->credential;
  if (layout->run->home == Home::kOwn) layout->own_run = layout->run;
}

template <typename Shape>
TableOut* OwnTable(TenantOut* tenant, const std::string& dataset, const Shape& shape, Kind kind) {
  const SampleOptions& options = tenant->shop().options;
  TableStyle style = RandomStyle(options, &tenant->rng());
  TableOut& table = tenant->Own(dataset, std::string(shape.table), kind, style);
  if (tenant->rng().Percent(10)) table.schema = SchemaOf(shape);
  return &table;
}

// Tables that nobody reads.
Result<> WriteIgnored(TenantOut* tenant, const std::string& home) {
  Prng& rng = tenant->rng();
  if (rng.Percent(20)) {
    TableOut& steps = tenant->Own(home, "x_meta_step_logs", Kind::kOther, {});
    for (int i = 0; i < 4; ++i)
      REEVE_TRY(tenant->RawLine(steps, fmt::format(R"({{"step_logging_id":"{}","step_name":"s{}","status":"{}","rows_processed":"{}"}})",
                                                   rng.Uuid(), i, i % 2 == 0 ? "RUNNING" : "COMPLETED", rng.Below(10'000))));
  }
  if (rng.Percent(10)) {
    TableOut& quality = tenant->Own(home, "x_meta_dq_results", Kind::kOther, {});
    REEVE_TRY(tenant->RawLine(quality, R"({"dq_result_id":"1","overall_score":0.99,"expectations_passed":"12"})"));
  }
  if (rng.Percent(3)) REEVE_TRY(tenant->shop().estate.WriteFile(home + "/notes.txt", "exported by hand\n"));
  return {};
}

// Environment copies and data datasets beside the tenant: none of them may be read.
Result<> WriteNeighbours(TenantOut* tenant) {
  Workshop& shop = tenant->shop();
  Prng& rng = tenant->rng();
  const std::string row = "{\"tenant_id\":\"" + tenant->name() + "\",\"cost\":1.5}\n";
  for (const std::string_view layer : {"_raw_gcp", "_silver_cost"}) {
    if (!rng.Percent(4)) continue;
    const std::string dataset = tenant->name() + std::string(layer);
    REEVE_TRY(shop.estate.WriteFile(dataset + "/billing_cost-000000000000.json", row));
    shop.expected.AddSkipped(dataset, "no signature tables");
  }
  for (const std::string_view environment : {"_local", "_stage"}) {
    if (!rng.Percent(5)) continue;
    const std::string dataset = tenant->name() + std::string(environment);
    const std::string key = fmt::format(
        R"({{"api_key_id":"copy","tenant_id":"{}","api_key_hash":"{}","created_at":"2026-01-01 00:00:00 UTC","is_active":true}})",
        tenant->name(), rng.Hex(64));
    REEVE_TRY(shop.estate.WriteFile(dataset + "/x_meta_api_keys-000000000000.json", key + "\n"));
    REEVE_TRY(shop.estate.WriteFile(dataset + "/x_meta_cloud_credentials-000000000000.json", ""));
    REEVE_TRY(shop.estate.WriteFile(dataset + "/x_meta_pipeline_runs-000000000000.json", ""));
    shop.expected.AddSkipped(dataset, "environment copy");
  }
  return {};
}

std::string DatasetIdOf(const Datasets& datasets, const std::string& name) {
  const std::string all[] = {datasets.keys, datasets.credentials, datasets.runs, datasets.home};
  for (const std::string& candidate : {name, name + "_metadata", name + "_prod"})
    if (std::find(std::begin(all), std::end(all), candidate) != std::end(all)) return candidate;
  return name;
}

}  // namespace

Special SpecialOf(const SampleOptions& options, uint64_t index) {
  const bool any = options.poison_rate > 0 && options.tenants >= kSpecialTenantsMin &&
                   options.profile == Profile::kRealistic;
  if (!any) return Special::kNone;
  switch (index) {
    case kUnknownKeysAt: return Special::kUnknownKeys;
    case kTruncatedAt: return Special::kTruncatedGzip;
    case kBrokenRecordAt: return Special::kBrokenRecord;
    case kUnknownRunsAt: return Special::kUnknownRuns;
    case kRowTooLargeAt: return Special::kRowTooLarge;
    case kHugeValueAt: return Special::kHugeValue;
    default: return Special::kNone;
  }
}

Layout MakeLayout(TenantOut* tenant) {
  Layout layout;
  layout.special = SpecialOf(tenant->shop().options, tenant->index());
  ChooseShapes(tenant, &layout);
  const Datasets datasets = ChooseDatasets(tenant);
  tenant->model.dataset_id = DatasetIdOf(datasets, tenant->name());
  layout.home = datasets.home;
  layout.keys = OwnTable(tenant, datasets.keys, *layout.own_key, Kind::kKeys);
  layout.credentials = OwnTable(tenant, datasets.credentials, *layout.own_credential, Kind::kCredentials);
  layout.runs = OwnTable(tenant, datasets.runs, *layout.own_run, Kind::kRuns);
  if (layout.special == Special::kTruncatedGzip) {
    TableStyle style;
    style.gzip = true;
    layout.runs = &tenant->Own(datasets.runs, "pipeline_runs", Kind::kRuns, style);
  }
  if (layout.special != Special::kNone)
    for (TableOut* table : {layout.keys, layout.credentials, layout.runs}) {
      table->spared = true;
      table->schema.clear();
    }
  return layout;
}

Micros PastTime(const SampleOptions& options, Prng* rng, int64_t days) {
  const Micros time = options.as_of - kHour - rng->Between(0, days * kDay);
  return rng->Percent(50) ? time - time % kSecond : time;
}

Result<> WriteRealisticTenant(Workshop* shop, uint64_t index) {
  TenantOut tenant(shop, index);
  const Layout layout = MakeLayout(&tenant);
  REEVE_TRY(WriteKeys(&tenant, layout));
  REEVE_TRY(WriteCredentials(&tenant, layout));
  REEVE_TRY(WriteRuns(&tenant, layout));
  REEVE_TRY(WriteRecord(&tenant, layout));
  REEVE_TRY(WriteIgnored(&tenant, layout.home));
  REEVE_TRY(tenant.Finish());
  return WriteNeighbours(&tenant);
}

}  // namespace reeve::sample
