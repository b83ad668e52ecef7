#include "migrate/witness/witness.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "env/interrupt.h"
#include "migrate/witness/carriers.h"
#include "migrate/witness/compare.h"
#include "migrate/witness/legacy_side.h"
#include "migrate/witness/shared.h"
#include "migrate/witness/verify.h"

namespace reeve::migrate::witness {
namespace {

constexpr int kUsageMonthsMax = 1200;

// Finds the hashes that occur in more than one tenant, in 36 bytes per key row.
class HashCensus {
 public:
  void Add(size_t tenant, const Digest& hash) { pending_.push_back({hash, static_cast<uint32_t>(tenant)}); }
  // After each table: whether its rows count.
  void TableDone(bool counts) {
    if (counts) all_.insert(all_.end(), pending_.begin(), pending_.end());
    pending_.clear();
  }
  // In order. Frees the rest.
  std::vector<Digest> InTwoTenants() {
    std::sort(all_.begin(), all_.end());
    std::vector<Digest> many;
    for (size_t i = 1; i < all_.size(); ++i) {
      const bool shared = all_[i].first == all_[i - 1].first && all_[i].second != all_[i - 1].second;
      if (shared && (many.empty() || many.back() != all_[i].first)) many.push_back(all_[i].first);
    }
    std::vector<std::pair<Digest, uint32_t>>().swap(all_);
    return many;
  }

 private:
  std::vector<std::pair<Digest, uint32_t>> all_;
  std::vector<std::pair<Digest, uint32_t>> pending_;
};

// What one verification needs and the next can use again.
struct Scratch {
  explicit Scratch(legacy::LegacyEstate& estate) : reader(estate) {}
  TableReader reader;
  RunTable runs;
};

Result<> CheckPlan(const Assumptions& assumptions, const std::string& name) {
  for (const PlanDefinition& plan : assumptions.plans) {
    if (plan.name == name) return {};
  }
  return Fail(Code::kUsage, "the plan {} is not in the catalogue", name);
}

Result<> CheckAssumptions(const Assumptions& assumptions) {
  if (assumptions.usage_months < 1 || assumptions.usage_months > kUsageMonthsMax) {
    return Fail(Code::kUsage, "usage months must be from 1 to {}, not {}", kUsageMonthsMax, assumptions.usage_months);
  }
  if (assumptions.as_of < kTimeMin || assumptions.as_of > kTimeMax - kFutureMax) {
    return Fail(Code::kUsage, "the instant of the migration is out of range");
  }
  REEVE_TRY(CheckPlan(assumptions, assumptions.default_plan));
  REEVE_TRY(CheckPlan(assumptions, "starter"));
  for (const auto& [tenant, entry] : assumptions.overrides) {
    if (!entry.plan.empty()) REEVE_TRY(CheckPlan(assumptions, entry.plan));
  }
  return {};
}

class EstateWitness final : public Witness {
 public:
  EstateWitness(legacy::LegacyEstate& estate, Assumptions assumptions, CarrierMap carriers)
      : estate_(estate), assumptions_(std::move(assumptions)), carriers_(std::move(carriers)),
        shared_(estate, carriers_) {
    for (const SkippedDataset& skipped : carriers_.skipped()) skipped_.push_back({skipped.name, skipped.reason});
  }

  Result<> ReadKeys() override;
  const std::vector<std::string>& tenants() const override { return carriers_.tenants(); }
  const std::vector<Skipped>& skipped() const override { return skipped_; }
  std::vector<legacy::LegacyTable> Carriers(std::string_view tenant) const override;
  uint64_t shared_quarantined() const override { return shared_.rejected(); }
  Result<Verdict> Verify(std::string_view tenant, const TenantFacts& facts, store::CentralReader& central) override;
  Result<std::vector<std::string>> OnlyInCentral(store::CentralReader& central) const override;

 private:
  KeyRules RulesAt(Micros as_of) const { return {as_of, assumptions_.api_key_column_holds_hash}; }
  std::unique_ptr<Scratch> Borrow();
  void GiveBack(std::unique_ptr<Scratch> scratch);

  legacy::LegacyEstate& estate_;
  const Assumptions assumptions_;
  const CarrierMap carriers_;
  std::vector<Skipped> skipped_;
  std::vector<Digest> hashes_of_many_;
  SharedCarriers shared_;  // has its own lock

  std::mutex mu_;
  std::vector<std::unique_ptr<Scratch>> idle_;  // guarded by mu_
};

Result<> EstateWitness::ReadKeys() {
  HashCensus census;
  const KeyRules rules = RulesAt(assumptions_.as_of);
  const auto count = [&](size_t tenant, const Row& row) {
    Digest hash;
    if (JudgeKey(row, rules, &hash) == Reason::kNone) census.Add(tenant, hash);
  };
  auto scratch = Borrow();
  for (size_t tenant = 0; tenant < carriers_.tenants().size(); ++tenant) {
    if (Interrupted()) return Fail(Code::kInterrupted, "interrupted while reading the keys");
    const std::string& name = carriers_.tenants()[tenant];
    for (const CarrierTable& carrier : carriers_.TablesOf(tenant)) {
      if (carrier.kind != Kind::kKeys) continue;
      const TableOutcome outcome = scratch->reader.Read(carrier, [&](const Row& row, Reason reason) {
        if (reason == Reason::kNone && !NamesAnother(row, Kind::kKeys, name)) count(tenant, row);
      });
      // A table that cannot be read fails its tenant, later.
      census.TableDone(outcome.unreadable.empty() && outcome.recognised);
    }
  }
  GiveBack(std::move(scratch));
  REEVE_TRY(shared_.Scan(count, [&](bool recognised) { census.TableDone(recognised); }));
  hashes_of_many_ = census.InTwoTenants();
  return {};
}

std::unique_ptr<Scratch> EstateWitness::Borrow() {
  const std::lock_guard lock(mu_);
  if (idle_.empty()) return std::make_unique<Scratch>(estate_);
  auto scratch = std::move(idle_.back());
  idle_.pop_back();
  return scratch;
}

void EstateWitness::GiveBack(std::unique_ptr<Scratch> scratch) {
  const std::lock_guard lock(mu_);
  idle_.push_back(std::move(scratch));
}

std::vector<legacy::LegacyTable> EstateWitness::Carriers(std::string_view tenant) const {
  std::vector<legacy::LegacyTable> tables;
  const int64_t position = carriers_.Find(tenant);
  if (position < 0) return tables;
  for (CarrierTable& carrier : carriers_.TablesOf(static_cast<size_t>(position))) tables.push_back(std::move(carrier.table));
  return tables;
}

Result<Verdict> EstateWitness::Verify(std::string_view tenant, const TenantFacts& facts,
                                      store::CentralReader& central) {
  const int64_t found = carriers_.Find(tenant);
  if (found < 0) return Fail(Code::kNotFound, "no tenant {} in the estate", tenant);
  if (facts.as_of < kTimeMin || facts.as_of > kTimeMax - kFutureMax) {
    return Fail(Code::kUsage, "the instant at which {} was migrated is out of range", tenant);
  }
  const auto position = static_cast<size_t>(found);
  REEVE_ASSIGN(const auto window, shared_.WindowOf(position));
  auto scratch = Borrow();
  Verdict verdict;
  verdict.tenant = tenant;
  const uint64_t bytes_before = scratch->reader.bytes();
  const LegacyContext context = {tenant, RulesAt(facts.as_of), &hashes_of_many_};
  const LegacySide legacy = ReadLegacySide(context, carriers_.TablesOf(position),
                                           window ? window->Of(position) : std::string_view(), &scratch->reader,
                                           &scratch->runs);
  verdict.legacy_bytes = scratch->reader.bytes() - bytes_before;
  verdict.legacy_rows = legacy.rows;
  verdict.quarantined_rows = legacy.rejected_rows;
  verdict.quarantined_tables = legacy.rejected_tables;
  verdict.failed = legacy.failed;
  Result<> compared;
  if (legacy.failed.empty() == facts.expect_failed) {
    Report(&verdict, DifferenceKind::kTenantFailed, "", verdict.tenant,
           facts.expect_failed ? "the migration gave it up, and it can be read" : legacy.failed);
  } else if (legacy.failed.empty()) {
    const Identity who = IdentityOf(tenant, carriers_.DatasetId(position));
    compared = CompareSides({who, legacy, assumptions_, facts, &scratch->runs, central}, &verdict);
  }
  GiveBack(std::move(scratch));
  REEVE_TRY(std::move(compared));
  verdict.equal = verdict.differences_total == 0;
  return verdict;
}

Result<std::vector<std::string>> EstateWitness::OnlyInCentral(store::CentralReader& central) const {
  std::set<std::string> strangers;
  for (const catalog::Table* table : {&catalog::Customers(), &catalog::ApiKeys()}) {
    const auto column = static_cast<size_t>(table->Index("tenant_id"));
    REEVE_TRY(central.Scan(*table, [&](std::span<const catalog::Cell> row) -> Result<> {
      if (carriers_.Find(row[column].text) < 0) strangers.emplace(row[column].text);
      return {};
    }));
  }
  return std::vector<std::string>(strangers.begin(), strangers.end());
}

}  // namespace

Result<std::unique_ptr<Witness>> Witness::Open(legacy::LegacyEstate& estate, Assumptions assumptions,
                                               const std::vector<legacy::Dataset>& listing) {
  REEVE_TRY(CheckAssumptions(assumptions));
  CarrierMap carriers = CarrierMap::Build(listing, assumptions.declared_tenants);
  return std::make_unique<EstateWitness>(estate, std::move(assumptions), std::move(carriers));
}

Result<std::unique_ptr<Witness>> Witness::Start(legacy::LegacyEstate& estate, Assumptions assumptions) {
  REEVE_TRY(CheckAssumptions(assumptions));
  std::unique_ptr<Witness> witness;
  {
    REEVE_ASSIGN(const auto listing, estate.List());
    REEVE_ASSIGN(witness, Open(estate, std::move(assumptions), listing));
  }
  REEVE_TRY(witness->ReadKeys());
  return witness;
}

}  // namespace reeve::migrate::witness
