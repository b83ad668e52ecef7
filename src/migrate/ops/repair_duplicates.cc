// Merges customers that share a tenant, as two runs of the published script leave them, with all
// their children.
//
// Two passes over the customers and one over each child table find the tenants concerned (16 bytes
// per customer are kept); then each of them is read whole, merged in memory and written as the
// difference, in one transaction. Stopping in between leaves some tenants mended and the others as
// they were.
#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "env/interrupt.h"
#include "migrate/audit.h"
#include "migrate/journal.h"
#include "migrate/ops/amendment.h"
#include "migrate/ops/ops.h"
#include "migrate/ops/tenant_rows.h"

namespace reeve::migrate {
namespace {

using namespace ops;

// Which customer is whose, compactly.
class CustomerIndex {
 public:
  Result<> Read(store::CentralReader& reader) {
    const Table& table = catalog::Customers();
    REEVE_TRY(reader.Scan(table, [&](Row row) -> Result<> {
      entries_.push_back({Hash64(TextAt(table, row, "customer_id")), Hash64(TextAt(table, row, "tenant_id"))});
      tenants_.push_back(entries_.back().tenant);
      return {};
    }));
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.customer < b.customer; });
    std::sort(tenants_.begin(), tenants_.end());
    return {};
  }

  // The tenant of a customer, nullopt if there is no such customer.
  [[nodiscard]] std::optional<uint64_t> TenantOf(std::string_view customer) const {
    const uint64_t hash = Hash64(customer);
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), hash,
                                     [](const Entry& entry, uint64_t value) { return entry.customer < value; });
    if (at == entries_.end() || at->customer != hash) return std::nullopt;
    return at->tenant;
  }
  [[nodiscard]] size_t CustomersOf(uint64_t tenant) const {
    const auto range = std::equal_range(tenants_.begin(), tenants_.end(), tenant);
    return static_cast<size_t>(range.second - range.first);
  }

 private:
  struct Entry {
    uint64_t customer, tenant;
  };
  std::vector<Entry> entries_;
  std::vector<uint64_t> tenants_;
};

struct Todo {
  std::set<std::string> merge;                  // tenants
  std::map<std::string, std::string> refused;   // tenant: why it cannot be merged
  // without customer and without a tenant's name: nobody knows whose
  uint64_t lost_subscriptions = 0;
};

// Children that name a missing customer, or another tenant than their customer does.
Result<> LookAtChildren(store::CentralReader& reader, const Table& table, const CustomerIndex& index, Todo* todo) {
  const bool has_tenant = table.Find("tenant_id") >= 0;
  return reader.Scan(table, [&](Row row) -> Result<> {
    const std::string_view customer = TextAt(table, row, "customer_id");
    const std::optional<uint64_t> owner = index.TenantOf(customer);
    if (!has_tenant) {
      if (!owner) ++todo->lost_subscriptions;
      return {};
    }
    const std::string_view tenant = TextAt(table, row, "tenant_id");
    const uint64_t hash = Hash64(tenant);
    if (!owner && index.CustomersOf(hash) > 0) todo->merge.emplace(tenant);
    if (owner && *owner != hash && (index.CustomersOf(*owner) > 1 || index.CustomersOf(hash) > 1))
      todo->refused.emplace(tenant, fmt::format("a row of {} names {} but belongs to customer {} of another tenant: mend it first",
                                                table.name, tenant, customer));
    return {};
  });
}

Result<Todo> FindTodo(store::CentralReader& reader) {
  CustomerIndex index;
  REEVE_TRY(index.Read(reader));
  Todo todo;
  REEVE_TRY(reader.Scan(catalog::Customers(), [&](Row row) -> Result<> {
    const std::string_view tenant = TextAt(catalog::Customers(), row, "tenant_id");
    if (index.CustomersOf(Hash64(tenant)) > 1) todo.merge.emplace(tenant);
    return {};
  }));
  for (const Table& table : catalog::CentralTables())
    if (!table.references_customer.empty()) REEVE_TRY(LookAtChildren(reader, table, index, &todo));
  return todo;
}

std::string Facts(const MergedTenant& merged) {
  std::string facts = R"({"survivor":)";
  AppendJsonString(merged.survivor, &facts);
  facts += R"(,"merged":)" + catalog::StringsToJson(merged.retired) + R"(,"lines":)" + catalog::StringsToJson(merged.lines) + "}";
  return facts;
}

// The tenant's row moves to the survivor, and what was proven before the merge must be proven again.
Result<bool> AmendTenantRow(store::CentralReader& reader, const MergedTenant& merged, Micros now, Amendment* amendment) {
  const Table& table = catalog::ReeveTenants();
  REEVE_ASSIGN(const RowBatch before, ReadTenantRow(reader, merged.rows.tenant()));
  if (before.empty()) return false;
  RowBatch after(table);
  const std::span<Cell> row = CopyRow(before.Row(0), &after);
  const std::optional<Phase> phase = ParsePhase(TextAt(table, row, "phase"));
  const bool demoted = phase == Phase::kVerified || phase == Phase::kArmed;
  Put(&after, row, "customer_id", merged.survivor);
  if (demoted) {
    Put(&after, row, "phase", PhaseName(Phase::kCopied));
    Put(&after, row, "reason", "customers were merged: verify again");
  }
  Put(&after, row, "updated_at", now);
  amendment->Replace(before, after);
  return demoted;
}

class Repair {
 public:
  Repair(const Engine& engine, bool dry_run) : engine_(engine) { report_.dry_run = dry_run; }

  Result<RepairReport> Run() {
    REEVE_ASSIGN(reader_, engine_.sink->OpenReader());
    REEVE_ASSIGN(const Todo todo, FindTodo(*reader_));
    for (const auto& [tenant, why] : todo.refused) report_.left_alone.push_back({tenant, why});
    if (todo.lost_subscriptions > 0)
      report_.left_alone.push_back({"", Counted(todo.lost_subscriptions, "subscription") +
                                            " without a customer: no row says whose they were; see 'reeve doctor'"});
    if (!report_.dry_run && !engine_.state_path.empty() && !todo.merge.empty()) {
      REEVE_ASSIGN(journal_, Journal::Open(*engine_.files, engine_.state_path + ".journal"));
    }
    engine_.progress->Begin("merge duplicates", todo.merge.size(), "tenants");
    for (const std::string& tenant : todo.merge) {
      if (Interrupted()) return Fail(Code::kInterrupted, "stopped; the tenants named so far are mended: run it again for the others");
      if (todo.refused.count(tenant) == 0) REEVE_TRY(MendTenant(tenant));
      engine_.progress->Add(1, 0, 0);
    }
    engine_.progress->End();
    return std::move(report_);
  }

 private:
  Result<> MendTenant(const std::string& tenant) {
    Result<TenantRows> before = ReadTenantRows(*reader_, tenant);
    if (!before && before.error().code == Code::kRefused) {
      report_.left_alone.push_back({tenant, before.error().message});
      return {};
    }
    if (!before) return Unexpected(std::move(before).error());
    const Micros now = engine_.clock->Now();
    REEVE_ASSIGN(MergedTenant merged, MergeTenant(*before, now));
    for (const std::string& line : merged.lines) report_.items.push_back({tenant, line});
    if (report_.dry_run) return {};
    REEVE_TRY(AddAuditEvent(reader_.get(), {tenant, merged.survivor},
                            {.event_type = "customer.merged", .action = "repair", .result = "success", .facts = Facts(merged),
                             .resource_type = "customer", .resource_id = {}, .created_at = now},
                            &merged.rows.Of(catalog::AuditLogs())));
    Amendment amendment;
    for (const Table* table : TenantRows::Tables()) amendment.Replace(before->Of(*table), merged.rows.Of(*table));
    REEVE_ASSIGN(const bool demoted, AmendTenantRow(*reader_, merged, now, &amendment));
    if (demoted) REEVE_TRY(RecordDemotion(tenant, now));
    return engine_.sink->Amend(amendment.deletions(), amendment.upserts());
  }

  // The journal first: what it no longer calls proven is proven again, whatever happens next.
  Result<> RecordDemotion(const std::string& tenant, Micros now) {
    if (!journal_) return {};
    JournalRecord record;
    record.type = "phase";
    record.tenant = tenant;
    record.phase = PhaseName(Phase::kCopied);
    record.at = now;
    record.detail = "customers were merged: verify again";
    const auto known = journal_->state().tenants.find(tenant);
    record.attempt = known == journal_->state().tenants.end() ? 1 : known->second.attempt;
    journal_->Add(record);
    return journal_->Commit();
  }

  const Engine& engine_;
  std::unique_ptr<store::CentralReader> reader_;
  std::unique_ptr<Journal> journal_;
  RepairReport report_;
};

}  // namespace

Result<RepairReport> RepairDuplicates(const Engine& engine, bool dry_run) { return Repair(engine, dry_run).Run(); }

}  // namespace reeve::migrate
