#include "sample/tenant_out.h"

#include <algorithm>

#include "base/encoding.h"
#include "sample/expect_text.h"

namespace reeve::sample {
namespace {

constexpr uint64_t kTenantStream = uint64_t{1} << 32;
// How many keys with each verdict keys.json shows: active, revoked, expired, unknown.
constexpr uint64_t kKeysShownMax[] = {16, 12, 12, 8};

void Bump(Counts* counts, std::string_view name) {
  const auto it = counts->find(name);
  if (it == counts->end())
    counts->emplace(name, 1);
  else
    ++it->second;
}

// A row without a tenant is the tenant's own; some writers left it out.
constexpr unsigned kNamelessPercent = 2;

}  // namespace

TableOut& Workshop::Shared(std::string_view dataset, std::string_view table, Kind kind) {
  std::unique_ptr<TableOut>& slot = shared[fmt::format("{}/{}", dataset, table)];
  if (!slot) {
    TableStyle style;
    style.shard_rows = 20'000;
    style.gzip = options.gzip_some && table.size() % 2 == 0;
    slot = std::make_unique<TableOut>(std::string(dataset), std::string(table), kind, style);
    slot->shared = true;
  }
  return *slot;
}

Result<> Workshop::FinishShared() {
  for (const auto& [name, table] : shared) REEVE_TRY(table->Finish(&estate));
  return {};
}

TenantOut::TenantOut(Workshop* shop, uint64_t index)
    : shop_(shop), index_(index), rng_(shop->options.seed, kTenantStream + index) {
  model.name = shop->names.names[index];
  model.dataset_id = model.name;
  model.case_collision = shop->names.case_collision[index];
}

TableOut& TenantOut::Own(const std::string& dataset, const std::string& table, Kind kind,
                         const TableStyle& style) {
  std::unique_ptr<TableOut>& slot = own_[dataset + "/" + table];
  if (!slot) slot = std::make_unique<TableOut>(dataset, table, kind, style);
  return *slot;
}

std::string_view TenantOut::TenantText(const TableOut& table) {
  const bool realistic = shop_->options.profile == Profile::kRealistic;
  if (realistic && !table.shared && rng_.Percent(kNamelessPercent)) return "";
  return model.name;
}

Result<std::optional<Place>> TenantOut::Emit(TableOut& table, std::string_view shape, bool fault_free) {
  SampleReport& report = shop_->report;
  ++report.rows;
  Bump(&report.rows_by_kind, KindName(table.kind()));
  Bump(&report.rows_by_shape, shape);
  line_.clear();
  if (shop_->options.profile == Profile::kRealistic && rng_.Percent(4)) fields.Rotate(rng_.Below(8));
  const double rate = shop_->options.poison_rate;
  // The first row of a table stays whole, so that its columns show the table's shape.
  const bool broken = rate > 0 && !fault_free && !table.spared && table.rows() > 0 && rng_.Probability(rate);
  if (!broken) {
    fields.Join(&line_);
    REEVE_ASSIGN(const Place place, table.Append(line_, &rng_, &shop_->estate));
    return place;
  }
  const bool shared = table.shared;
  const std::vector<std::string>& names = shop_->names.names;
  const std::string& other = names[(index_ + 1) % names.size()];
  PoisonContext context;
  context.kind = table.kind();
  context.shared = shared;
  context.has_schema = !table.schema.empty();
  context.has_is_active = fields.Find(Role::kIsActive) >= 0;
  const std::string foreign = names.size() < 2 || rng_.Percent(30) ? model.name + "_" : other;
  context.foreign = foreign;
  context.as_of = shop_->options.as_of;
  const Broken bad = Break(context, &fields, &rng_);
  Bump(&report.faults, bad.fault);
  REEVE_ASSIGN(const Place place, table.Append(bad.line, &rng_, &shop_->estate));
  DeadLetterAt(place, bad.reason, !shared || bad.names_tenant);
  return std::nullopt;
}

Result<> TenantOut::Key(TableOut& table, const KeyShape& shape, KeyRow row, bool fault_free) {
  Render(shape, row, TenantText(table), table.style().text, &rng_, &fields);
  REEVE_ASSIGN(const std::optional<Place> place, Emit(table, shape.name, fault_free));
  if (!place) return {};
  row.place = *place;
  model.keys.push_back(std::move(row));
  return {};
}

Result<> TenantOut::Credential(TableOut& table, const CredentialShape& shape, CredentialRow row,
                               bool fault_free) {
  Render(shape, row, TenantText(table), table.style().text, &rng_, &fields);
  REEVE_ASSIGN(const std::optional<Place> place, Emit(table, shape.name, fault_free));
  if (!place) return {};
  row.place = *place;
  model.credentials.push_back(std::move(row));
  return {};
}

Result<> TenantOut::Run(TableOut& table, const RunShape& shape, RunRow row, const RunText& text) {
  Render(shape, row, text, TenantText(table), table.style().text, &rng_, &fields);
  REEVE_ASSIGN(const std::optional<Place> place, Emit(table, shape.name, false));
  if (place) model.runs.push_back(std::move(row));
  return {};
}

Result<> TenantOut::Record(TableOut& table, const RecordRow& row) {
  Render(row, model.name, table.style().text, &rng_, &fields);
  REEVE_ASSIGN(const std::optional<Place> place, Emit(table, "tenants", true));
  if (place) model.records.push_back(row);
  return {};
}

Result<Place> TenantOut::RawLine(TableOut& table, std::string_view line) {
  if (table.kind() != Kind::kOther) {
    ++shop_->report.rows;
    Bump(&shop_->report.rows_by_kind, KindName(table.kind()));
  }
  return table.Append(line, &rng_, &shop_->estate);
}

void TenantOut::DeadLetterAt(const Place& place, std::string_view reason, bool names_tenant) {
  dead_letters_.push_back({names_tenant ? model.name : std::string(), place.table->dataset(),
                           place.table->table(), place.table->PartName(place.part), place.line,
                           std::string(reason)});
}

void TenantOut::DeadLetterOf(const TableOut& table, std::string_view reason) {
  dead_letters_.push_back({model.name, table.dataset(), table.table(), "", 0, std::string(reason)});
}

void TenantOut::ShowKeys(const ExpectedTenant& expected) {
  constexpr std::string_view kVerdicts[] = {"active", "revoked", "expired", "unknown"};
  for (const PlainKey& key : plain_keys) {
    const auto known = expected.verdicts.find(key.hash);
    const bool unknown = known == expected.verdicts.end();
    if (!unknown && !known->second.never_changes) continue;
    const std::string_view verdict = unknown ? "unknown" : known->second.verdict;
    const auto slot = static_cast<size_t>(std::find(std::begin(kVerdicts), std::end(kVerdicts), verdict) - kVerdicts);
    if (shop_->keys_shown[slot] >= kKeysShownMax[slot]) continue;
    ++shop_->keys_shown[slot];
    Line line;
    line.Text("key", std::string_view(key.text)).Text("verdict", verdict).Text("tenant_id", std::string_view(name()));
    if (!unknown) line.Text("api_key_id", std::string_view(known->second.api_key_id));
    if (!unknown) line.Text("customer_status", std::string_view(expected.customer_status));
    shop_->expected.AddKey(line.Finish());
  }
}

Result<> TenantOut::Finish() {
  for (const auto& [name, table] : own_) REEVE_TRY(table->Finish(&shop_->estate, table.get() == truncated ? 50 : 100));
  ++shop_->report.tenants;
  const SampleOptions& options = shop_->options;
  const uint64_t rank = shop_->names.ranks[index_];
  if (failure) {
    shop_->expected.AddFailed(model.name, *failure);
  } else {
    const ExpectedTenant expected =
        Expect(model, {options.as_of, options.usage_months, options.abandoned_after});
    for (const ExpectedDeadLetter& letter : expected.dead_letters) DeadLetterAt(letter.place, letter.reason);
    REEVE_TRY(shop_->expected.AddTenant(model.name, rank, expected));
    ShowKeys(expected);
  }
  for (const DeadLetter& letter : dead_letters_) REEVE_TRY(shop_->expected.AddDeadLetter(rank, letter));
  return {};
}

}  // namespace reeve::sample
