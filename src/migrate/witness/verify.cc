#include "migrate/witness/verify.h"

#include <algorithm>
#include <array>
#include <set>

#include "migrate/witness/compare.h"

namespace reeve::migrate::witness {
namespace {

using catalog::Cell;
using catalog::RowBatch;

// docs/mapping.md §8.
constexpr std::array<std::string_view, 1> kCustomerBookkeeping = {"updated_at"};
constexpr std::array<std::string_view, 2> kRowBookkeeping = {"created_at", "updated_at"};

Result<RowBatch> ReadTable(const Sides& sides, const catalog::Table& table) {
  RowBatch batch(table);
  REEVE_TRY(sides.central.Read(table, {sides.who.tenant, sides.who.customer_id}, &batch));
  return batch;
}

const Cell& At(const RowBatch& batch, size_t row, std::string_view column) {
  return batch.Row(row)[static_cast<size_t>(batch.table().Index(column))];
}

// A customer without any evidence dates from the migration that made it, which may have been an earlier one; evidence may have gone
// since then.
void AdmitEarlierMigration(bool merged_before, const RowBatch& customers, CustomerFacts* facts, Verdict* verdict) {
  if ((facts->created_at_source != "migration" && !merged_before) || customers.size() != 1) return;
  const Cell& created = At(customers, 0, "created_at");
  if (created.is_null || created.num >= facts->created_at) return;
  facts->created_at = created.num;
  ++verdict->declared["created_at of an earlier migration"];
}

Result<> CompareCustomer(const Sides& sides, Verdict* verdict) {
  REEVE_ASSIGN(const RowBatch customers, ReadTable(sides, catalog::Customers()));
  REEVE_ASSIGN(const RowBatch subscriptions, ReadTable(sides, catalog::Subscriptions()));
  CustomerFacts facts = CustomerFactsOf(sides.legacy, sides.who.tenant, sides.facts.as_of, sides.assumptions);
  const CustomerFacts today = facts;
  AdmitEarlierMigration(sides.facts.merged_before, customers, &facts, verdict);
  RowBatch expected(catalog::Customers());
  ExpectCustomer(sides.who, sides.legacy, facts, &expected);
  CompareTable(expected, customers, "customer_id", kCustomerBookkeeping, verdict);

  const bool from_today = subscriptions.size() == 1 &&
                          At(subscriptions, 0, "billing_cycle_start").num == DayOf(today.created_at);
  RowBatch subscription(catalog::Subscriptions());
  ExpectSubscription(sides.who, sides.legacy, from_today ? today : facts, sides.assumptions, &subscription);
  CompareTable(subscription, subscriptions, "subscription_id", kRowBookkeeping, verdict);
  return {};
}

// A key that is not among the tenant's may be another customer's.
Result<> FindStrayedKeys(const Sides& sides, const RowBatch& expected, const RowBatch& found, Verdict* verdict) {
  if (verdict->tables[std::string(catalog::ApiKeys().name)].digest_expected ==
      verdict->tables[std::string(catalog::ApiKeys().name)].digest_found) {
    return {};
  }
  std::set<std::string_view> held;
  for (size_t i = 0; i < found.size(); ++i) held.insert(At(found, i, "api_key_hash").text);
  size_t asked = 0;
  for (size_t i = 0; i < expected.size() && asked < kDifferencesMax; ++i) {
    const Cell& hash = At(expected, i, "api_key_hash");
    if (held.count(hash.text) > 0) continue;
    ++asked;
    RowBatch elsewhere(catalog::ApiKeys());
    const std::array<std::string_view, 1> columns = {"api_key_hash"};
    REEVE_TRY(sides.central.Find(catalog::ApiKeys(), columns, {&hash, 1}, &elsewhere));
    if (elsewhere.empty()) continue;
    Report(verdict, DifferenceKind::kDecisionDiffers, catalog::ApiKeys().name, RowName("api_key_hash", hash),
           "it belongs to customer " + std::string(At(elsewhere, 0, "customer_id").text));
  }
  return {};
}

Result<> CompareKeys(const Sides& sides, Verdict* verdict) {
  REEVE_ASSIGN(const RowBatch found, ReadTable(sides, catalog::ApiKeys()));
  RowBatch expected(catalog::ApiKeys());
  ExpectKeys(sides.who, sides.legacy, &expected);
  AdmitDeclaredKeys(sides.who, {sides.legacy.keys_unread, sides.facts.merged_before}, found, &expected, verdict);
  CompareTable(expected, found, "api_key_hash", {}, verdict);
  CompareDecisions(expected, found, sides.facts.as_of, verdict);
  return FindStrayedKeys(sides, expected, found, verdict);
}

Result<> CompareCredentials(const Sides& sides, Verdict* verdict) {
  REEVE_ASSIGN(const RowBatch found, ReadTable(sides, catalog::Credentials()));
  RowBatch expected(catalog::Credentials());
  ExpectCredentials(sides.who, sides.legacy, &expected);
  AdmitDeclaredCredentials(sides.who, {sides.legacy.credentials_unread, sides.facts.merged_before}, found, &expected, verdict);
  CompareTable(expected, found, "credential_id", {}, verdict);
  verdict->credentials.compared = sides.legacy.credentials.size();
  for (const Credential& credential : sides.legacy.credentials) {
    switch (credential.mark) {
      case Mark::kAbsent: ++verdict->credentials.absent; break;
      case Mark::kPlaintextWithheld: ++verdict->credentials.withheld; break;
      case Mark::kUnproven: ++verdict->credentials.unproven; break;
    }
  }
  return {};
}

// Months that central may hold although no run of the counted months says so.
void AdmitDeclaredMonths(const Sides& sides, const MonthWindow& window, const RowBatch& found,
                         std::map<Month, MonthUsage>* usage, Verdict* verdict) {
  for (size_t i = 0; i < found.size(); ++i) {
    const int64_t day = At(found, i, "usage_month").num;
    if (day < DayOf(kTimeMin) || day > DayOf(kTimeMax)) continue;
    const Month month = MonthOf(day * kDay);
    const auto known = usage->find(month);
    if (known == usage->end()) {
      // It was the month of an earlier migration, and nothing ran in it.
      if (At(found, i, "pipelines_run_count").num != 0 || month >= MonthOf(sides.facts.as_of)) continue;
      usage->emplace(month, MonthUsage());
      ++verdict->declared["month without runs"];
    } else if (month < window.first || month > window.last) {
      // It is not counted any more: what was open then stays as it was counted then.
      const int64_t running = At(found, i, "pipelines_running_count").num;
      const int64_t open = known->second.running + known->second.abandoned;
      if (running >= 0 && running <= open) known->second.running = running;
      ++verdict->declared["month outside the window"];
    }
  }
}

Result<> CompareUsage(const Sides& sides, Verdict* verdict) {
  REEVE_ASSIGN(const RowBatch stored, ReadTable(sides, catalog::ReeveUsageRuns()));
  REEVE_ASSIGN(const RowBatch found, ReadTable(sides, catalog::Usage()));
  const MonthWindow window(sides.facts.as_of, sides.assumptions.usage_months);
  auto usage = UniteUsage(stored, window, sides.facts.as_of, sides.assumptions.abandoned_after, sides.runs, verdict);
  if (sides.legacy.has_runs_table) usage.try_emplace(MonthOf(sides.facts.as_of));
  AdmitDeclaredMonths(sides, window, found, &usage, verdict);
  RowBatch expected(catalog::Usage());
  for (const auto& [month, sum] : usage) ExpectUsage(sides.who, month, sum, &expected);
  CompareTable(expected, found, "usage_id", kRowBookkeeping, verdict);
  verdict->usage.months = expected.size();
  return {};
}

}  // namespace

Result<> CompareSides(const Sides& sides, Verdict* verdict) {
  REEVE_TRY(CompareCustomer(sides, verdict));
  REEVE_TRY(CompareKeys(sides, verdict));
  REEVE_TRY(CompareCredentials(sides, verdict));
  return CompareUsage(sides, verdict);
}

}  // namespace reeve::migrate::witness
