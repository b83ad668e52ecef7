#include "migrate/ops/doctor_facts.h"

#include <algorithm>
#include <charconv>

#include <fmt/ranges.h>

#include "catalog/json_scan.h"
#include "domain/run_set.h"
#include "migrate/audit.h"
#include "migrate/ops/doctor_ledger.h"

namespace reeve::migrate::ops {
namespace {

constexpr Micros kExpiringSoon = 30 * kDay;

// The number at `path` of nested JSON objects; nullopt if there is none.
std::optional<uint64_t> NumberAt(std::string_view json, std::initializer_list<std::string_view> path) {
  for (const std::string_view name : path) {
    std::vector<catalog::JsonMember> members;
    if (!catalog::ScanJsonObject(json, &members)) return std::nullopt;
    const auto member = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.name == name; });
    if (member == members.end()) return std::nullopt;
    json = member->value;
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), value);
  return error == std::errc() && end == json.data() + json.size() ? std::optional<uint64_t>(value) : std::nullopt;
}

class Gatherer {
 public:
  Gatherer(store::CentralReader& reader, Micros now) : reader_(reader), now_(now), month_(MonthStart(DateOf(now))) {}

  Result<DoctorFacts> Run() {
    REEVE_TRY(ScanCustomers());
    REEVE_TRY(ScanSubscriptions());
    REEVE_TRY(ScanKeys());
    REEVE_TRY(ScanUsage());
    REEVE_TRY(ScanRuns());
    REEVE_TRY(ScanChildren(catalog::Credentials()));
    REEVE_TRY(ScanChildren(catalog::Invitations()));
    REEVE_TRY(ScanCertificates());
    REEVE_TRY(ScanTenants());
    REEVE_TRY(JudgeCustomers());
    REEVE_TRY(CheckChains());
    REEVE_TRY(CountBy(catalog::ReeveDeadLetters(), "reason", &facts_.dead_letters));
    REEVE_TRY(CountBy(catalog::ReeveFindings(), "code", &facts_.findings));
    return std::move(facts_);
  }

 private:
  struct Certified {
    uint64_t tenant;
    int64_t attempt;
    uint64_t usable;  // keys, when it was issued
  };
  struct State {      // of a tenant in reeve_tenants
    uint64_t tenant;
    int8_t legacy_keys;  // -1: nobody counted them; else whether there were any
    int8_t certified;  // -1: no certificate of this attempt; else whether it saw a usable key
  };

  CustomerFacts* Customer(std::string_view id) {
    const uint64_t hash = Hash64(id);
    const auto at = std::lower_bound(customers_.begin(), customers_.end(), hash,
                                     [](const CustomerFacts& facts, uint64_t value) { return facts.id < value; });
    return at != customers_.end() && at->id == hash ? &*at : nullptr;
  }

  const State* StateOf(uint64_t tenant) const {
    const auto at = std::lower_bound(states_.begin(), states_.end(), tenant, [](const State& state, uint64_t value) { return state.tenant < value; });
    return at != states_.end() && at->tenant == tenant ? &*at : nullptr;
  }

  Result<> ScanCustomers() {
    const Table& table = catalog::Customers();
    std::vector<uint64_t> tenants;
    REEVE_TRY(reader_.Scan(table, [&](Row row) -> Result<> {
      CustomerFacts facts;
      facts.id = Hash64(TextAt(table, row, "customer_id"));
      facts.tenant = Hash64(TextAt(table, row, "tenant_id"));
      tenants.push_back(facts.tenant);
      customers_.push_back(facts);
      return {};
    }));
    facts_.customers = customers_.size();
    std::sort(customers_.begin(), customers_.end(), [](const CustomerFacts& a, const CustomerFacts& b) { return a.id < b.id; });
    std::sort(tenants.begin(), tenants.end());
    for (size_t i = 1; i < tenants.size(); ++i)
      if (tenants[i] == tenants[i - 1] && (i < 2 || tenants[i] != tenants[i - 2])) doubled_tenants_.push_back(tenants[i]);
    return {};
  }

  // The row's customer, if it exists and is the row's tenant's; else the breach is noted.
  CustomerFacts* OwnerOf(const Table& table, Row row) {
    const std::string_view id = TextAt(table, row, "customer_id");
    CustomerFacts* customer = Customer(id);
    if (customer == nullptr) {
      facts_.orphans.Add(fmt::format("{} of customer {}", table.name, id));
      return nullptr;
    }
    if (table.Find("tenant_id") < 0 || Hash64(TextAt(table, row, "tenant_id")) == customer->tenant) return customer;
    facts_.foreign.Add(fmt::format("{} of {} at customer {}", table.name, TextAt(table, row, "tenant_id"), id));
    return nullptr;
  }

  Result<> ScanSubscriptions() {
    const Table& table = catalog::Subscriptions();
    return reader_.Scan(table, [&](Row row) -> Result<> {
      ++facts_.subscriptions;
      CustomerFacts* customer = OwnerOf(table, row);
      if (customer != nullptr && At(table, row, "billing_cycle_end").is_null) ++customer->current_subscriptions;
      return {};
    });
  }

  Result<> ScanKeys() {
    const Table& table = catalog::ApiKeys();
    std::vector<uint64_t> hashes;
    REEVE_TRY(reader_.Scan(table, [&](Row row) -> Result<> {
      ++facts_.keys;
      hashes.push_back(Hash64(TextAt(table, row, "api_key_hash")));
      CustomerFacts* customer = OwnerOf(table, row);
      if (customer != nullptr) ++customer->keys;
      if (NumAt(table, row, "is_active") == 0 || !At(table, row, "revoked_at").is_null) return {};
      const Cell& expires = At(table, row, "expires_at");
      const std::string name = fmt::format("{} of {}", TextAt(table, row, "api_key_id"), TextAt(table, row, "tenant_id"));
      if (!expires.is_null && expires.num <= now_) {
        facts_.expired.Add(name);
        return {};
      }
      if (!expires.is_null && expires.num <= now_ + kExpiringSoon) facts_.expiring.Add(name);
      if (customer != nullptr) ++customer->usable_keys;
      return {};
    }));
    std::sort(hashes.begin(), hashes.end());
    for (size_t i = 1; i < hashes.size(); ++i)
      if (hashes[i] == hashes[i - 1]) facts_.duplicate_hashes.Add({});
    return {};
  }

  Result<> ScanUsage() {
    const Table& table = catalog::Usage();
    std::vector<uint64_t> months;
    REEVE_TRY(reader_.Scan(table, [&](Row row) -> Result<> {
      const int64_t month = NumAt(table, row, "usage_month");
      months.push_back(MonthName(TextAt(table, row, "customer_id"), month));
      usage_.push_back({MonthName(TextAt(table, row, "tenant_id"), month), NumAt(table, row, "pipelines_run_count"), NumAt(table, row, "pipelines_running_count"),
                        NumAt(table, row, "compute_hours")});
      CustomerFacts* customer = OwnerOf(table, row);
      if (customer != nullptr && month == month_) customer->usage_this_month = true;
      return {};
    }));
    std::sort(months.begin(), months.end());
    for (size_t i = 1; i < months.size(); ++i)
      if (months[i] == months[i - 1]) facts_.duplicate_months.Add({});
    std::sort(usage_.begin(), usage_.end(), [](const CountedMonth& a, const CountedMonth& b) { return a.name < b.name; });
    return {};
  }

  Result<> ScanRuns() {
    const Table& table = catalog::ReeveUsageRuns();
    domain::RunSet set;
    REEVE_TRY(reader_.Scan(table, [&](Row row) -> Result<> {
      const auto month = static_cast<Days>(NumAt(table, row, "usage_month"));
      const std::string_view tenant = TextAt(table, row, "tenant_id");
      set.Clear();
      const Result<> decoded = set.Decode(TextAt(table, row, "runs"), month);
      const uint64_t name = MonthName(tenant, month);
      const auto at = std::lower_bound(usage_.begin(), usage_.end(), name, [](const CountedMonth& entry, uint64_t value) { return entry.name < value; });
      const std::string text = fmt::format("{} {}", tenant, FormatMonth(month));
      if (!decoded) facts_.miscounted.Add(text);
      else if (at == usage_.end() || at->name != name || at->runs != static_cast<int64_t>(set.size())) odd_[name] = {static_cast<int64_t>(set.size()), text};
      return {};
    }));
    REEVE_ASSIGN(facts_.ledger, GatherLedger(reader_, now_, usage_, &odd_));
    for (const auto& [name, odd] : odd_) facts_.miscounted.Add(odd.text);
    return {};
  }

  Result<> ScanChildren(const Table& table) {
    return reader_.Scan(table, [&](Row row) -> Result<> {
      (void)OwnerOf(table, row);
      return {};
    });
  }

  Result<> ScanCertificates() {
    const Table& table = catalog::ReeveCertificates();
    return reader_.Scan(table, [&](Row row) -> Result<> {
      const Certified one{Hash64(TextAt(table, row, "tenant_id")), NumAt(table, row, "attempt"),
                          NumberAt(TextAt(table, row, "certificate"), {"keys", "usable"}).value_or(0)};
      // In order of the tenant: only the newest attempt of each is kept.
      if (!certified_.empty() && certified_.back().tenant == one.tenant) {
        if (one.attempt >= certified_.back().attempt) certified_.back() = one;
      } else {
        certified_.push_back(one);
      }
      return {};
    });
  }

  Result<> ScanTenants() {
    std::sort(certified_.begin(), certified_.end(), [](const Certified& a, const Certified& b) { return a.tenant < b.tenant; });
    const Table& table = catalog::ReeveTenants();
    REEVE_TRY(reader_.Scan(table, [&](Row row) -> Result<> {
      const std::string_view tenant = TextAt(table, row, "tenant_id"), phase = TextAt(table, row, "phase"), reason = TextAt(table, row, "reason");
      const uint64_t hash = Hash64(tenant);
      const auto at = std::lower_bound(certified_.begin(), certified_.end(), hash, [](const Certified& one, uint64_t value) { return one.tenant < value; });
      const bool certified = at != certified_.end() && at->tenant == hash && at->attempt == NumAt(table, row, "attempt");
      ++facts_.tenants;
      ++facts_.phases[std::string(phase)];
      const std::optional<Phase> parsed = ParsePhase(phase);
      const bool migrated = parsed >= Phase::kCopied && (reason.empty() || reason == "imported");
      if (!migrated) facts_.not_migrated.Add(reason.empty() ? std::string(tenant) : fmt::format("{}: {}", tenant, reason));
      if (migrated && (parsed < Phase::kVerified || !certified)) facts_.not_verified.Add(tenant);
      const std::optional<uint64_t> legacy_keys = NumberAt(TextAt(table, row, "counts"), {"legacy", "keys"});
      states_.push_back({hash, static_cast<int8_t>(legacy_keys ? (*legacy_keys > 0 ? 1 : 0) : -1), static_cast<int8_t>(certified ? (at->usable > 0 ? 1 : 0) : -1)});
      tenants_.emplace_back(tenant);
      return {};
    }));
    std::sort(states_.begin(), states_.end(), [](const State& a, const State& b) { return a.tenant < b.tenant; });
    certified_ = {};
    return {};
  }

  // What could only be said once everything was counted; a second pass gives the names.
  Result<> JudgeCustomers() {
    const Table& table = catalog::Customers();
    return reader_.Scan(table, [&](Row row) -> Result<> {
      const std::string_view tenant = TextAt(table, row, "tenant_id");
      const CustomerFacts* facts = Customer(TextAt(table, row, "customer_id"));
      if (facts == nullptr) return {};
      if (std::binary_search(doubled_tenants_.begin(), doubled_tenants_.end(), facts->tenant)) facts_.duplicate_tenants.Add(tenant);
      if (facts->current_subscriptions == 0) facts_.no_subscription.Add(tenant);
      if (facts->current_subscriptions > 1) facts_.many_subscriptions.Add(tenant);
      if (!facts->usage_this_month) facts_.no_usage.Add(tenant);
      const State* state = StateOf(facts->tenant);
      if (state == nullptr) {
        facts_.stateless.Add(tenant);
        tenants_.emplace_back(tenant);
      }
      if (facts->usable_keys == 0) JudgeKeys(tenant, *facts, state);
      return {};
    });
  }

  void JudgeKeys(std::string_view tenant, const CustomerFacts& facts, const State* state) {
    // Proven, or counted: legacy had no usable key either.
    if (state != nullptr && (state->certified == 0 || (state->certified < 0 && state->legacy_keys == 0))) return;
    if (state != nullptr && state->certified == 1) facts_.keys_gone_since.Add(tenant);
    else if (state != nullptr && state->legacy_keys == 1 && facts.keys == 0) facts_.keys_lost.Add(tenant);
    else facts_.keys_unproven.Add(tenant);
  }

  Result<> CheckChains() {
    AuditChains chains;
    bool first = true;
    // The ledger's chain may need several scans.
    const store::EventScan scan = [&](const std::function<Result<>(Row)>& visit) -> Result<> {
      const bool count = std::exchange(first, false);
      return reader_.Scan(catalog::AuditLogs(), [&](Row row) -> Result<> {
        if (count) {
          ++facts_.events;
          chains.Add(row);
        }
        return visit(row);
      });
    };
    REEVE_ASSIGN(facts_.ledger_chain, store::CheckLedger(scan, facts_.ledger.chain_mark, static_cast<uint64_t>(now_)));
    for (const std::string& tenant : tenants_) {
      const std::string broken = chains.Check(tenant);
      if (!broken.empty()) facts_.broken_chains.Add(broken);
    }
    return {};
  }

  Result<> CountBy(const Table& table, std::string_view column, std::map<std::string, uint64_t>* counts) {
    const auto index = static_cast<size_t>(table.Index(column));
    return reader_.Scan(table, [&](Row row) -> Result<> {
      ++(*counts)[std::string(row[index].text)];
      return {};
    });
  }

  store::CentralReader& reader_;
  const Micros now_;
  const Days month_;
  DoctorFacts facts_;
  std::vector<CustomerFacts> customers_;   // by id
  std::vector<uint64_t> doubled_tenants_;  // sorted
  std::vector<CountedMonth> usage_;        // by tenant and month
  OddSets odd_;
  std::vector<Certified> certified_;
  std::vector<State> states_;
  std::vector<std::string> tenants_;       // with an audit chain to check
};

}  // namespace

void Seen::Add(std::string_view example) {
  ++count;
  if (examples.size() < kExamples && !example.empty()) examples.emplace_back(example);
}

std::string Seen::Text() const {
  if (examples.empty()) return fmt::format("{}", count);
  return fmt::format("{} ({}{})", count, fmt::join(examples, ", "), count > examples.size() ? ", …" : "");
}

Result<DoctorFacts> GatherFacts(store::CentralReader& reader, Micros now) { return Gatherer(reader, now).Run(); }

}  // namespace reeve::migrate::ops
