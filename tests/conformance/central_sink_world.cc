#include "tests/conformance/central_sink_world.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/time_text.h"
#include "catalog/ndjson.h"

namespace reeve::store {

using catalog::Cell;
using catalog::RowBatch;
using catalog::Table;

namespace {

constexpr Micros kThen = 1'760'000'000 * kSecond;

int Upto(std::mt19937_64& random, int n) { return static_cast<int>(random() % n); }
bool OneIn(std::mt19937_64& random, int n) { return Upto(random, n) == 0; }

// A few times, and now and then none.
void MaybeTime(std::mt19937_64& random, RowMaker& row, std::string_view column) {
  if (OneIn(random, 3)) {
    row.Null(column);
  } else {
    row.Num(column, kThen + Upto(random, 4) * kHour);
  }
}

void MaybeText(std::mt19937_64& random, RowMaker& row, std::string_view column) {
  static constexpr std::string_view kTexts[] = {"", "a", "b", "\xC3\xA9", "long enough to leave the inner buffer of a string"};
  if (OneIn(random, 4)) {
    row.Null(column);
  } else {
    row.Text(column, kTexts[Upto(random, 5)]);
  }
}

RowBatch RandomKeys(std::mt19937_64& random, std::string_view tenant) {
  RowBatch keys(catalog::ApiKeys());
  for (int n = Upto(random, 4); n > 0; --n) {
    // One hash in forty is another tenant's, one id in ten another key's.
    const std::string name = OneIn(random, 40) ? "t1.0" : fmt::format("{}.{}", tenant, Upto(random, 4));
    RowMaker row = AddKey(&keys, tenant, name);
    if (OneIn(random, 10)) row.Text("api_key_id", fmt::format("key_{}.{}", tenant, Upto(random, 4)));
    row.Num("is_active", Upto(random, 3) != 0).Num("created_at", kThen + Upto(random, 3) * kDay);
    for (std::string_view column : {"expires_at", "last_used_at", "revoked_at"}) MaybeTime(random, row, column);
    for (std::string_view column : {"revoked_by", "created_by", "key_name"}) MaybeText(random, row, column);
    if (OneIn(random, 60)) row.Null("encrypted_api_key");
    if (OneIn(random, 60)) row.Num("is_active", 2);
  }
  return keys;
}

RowBatch RandomCredentials(std::mt19937_64& random, std::string_view tenant) {
  RowBatch credentials(catalog::Credentials());
  for (int n = Upto(random, 3); n > 0; --n) {
    RowMaker row = AddCredential(&credentials, tenant, fmt::format("cred_{}", Upto(random, 3)));
    row.Num("is_active", Upto(random, 4) != 0).Num("updated_at", kThen + Upto(random, 3) * kDay);
    MaybeTime(random, row, "expires_at");
    MaybeText(random, row, "credential_name");
    if (OneIn(random, 3)) row.Text("metadata", OneIn(random, 2) ? "{\"a\":1}" : "{\"a\": 1}");
  }
  return credentials;
}

RowBatch RandomUsage(std::mt19937_64& random, std::string_view tenant) {
  RowBatch usage(catalog::Usage());
  for (int n = Upto(random, 3); n > 0; --n) {
    RowMaker row = AddUsage(&usage, tenant, Upto(random, 3));
    row.Num("pipelines_run_count", Upto(random, 3)).Num("compute_hours", Upto(random, 300));
    row.Num("created_at", kThen + Upto(random, 3)).Num("updated_at", kThen + Upto(random, 3));
    MaybeTime(random, row, "last_pipeline_run_at");
    if (OneIn(random, 40)) row.Text("usage_id", "usage_other");
  }
  return usage;
}

RowBatch RandomSubscriptions(std::mt19937_64& random, std::string_view tenant) {
  RowBatch subscriptions(catalog::Subscriptions());
  RowMaker row = AddSubscription(&subscriptions, tenant);
  row.Num("monthly_pipeline_quota", Upto(random, 2)).Num("updated_at", kThen + Upto(random, 5));
  if (OneIn(random, 4)) row.Num("billing_cycle_end", 20'500);
  if (OneIn(random, 30)) AddSubscription(&subscriptions, tenant).Text("subscription_id", fmt::format("sub_{}_2", tenant));
  return subscriptions;
}

void AddOwn(std::mt19937_64& random, std::string_view tenant, int64_t attempt, TenantWrite* write) {
  RowBatch tenants(catalog::ReeveTenants());
  AddTenant(&tenants, tenant, attempt).Num("updated_at", kThen + Upto(random, 9));
  if (!OneIn(random, 5)) write->tables.push_back(std::move(tenants));
  RowBatch findings(catalog::ReeveFindings());
  for (int n = Upto(random, 3); n > 0; --n) {
    RowMaker row = AddFinding(&findings, tenant, OneIn(random, 2) ? "x" : "y");
    MaybeText(random, row, "detail");
  }
  if (!OneIn(random, 3)) write->tables.push_back(std::move(findings));
  RowBatch letters(catalog::ReeveDeadLetters());
  for (int n = Upto(random, 4); n > 0; --n) AddDeadLetter(&letters, tenant, Upto(random, 12));
  if (!OneIn(random, 3)) write->tables.push_back(std::move(letters));
  RowBatch runs(catalog::ReeveUsageRuns());
  RowMaker(&runs).Text("tenant_id", tenant).Num("usage_month", 20'000).Text("runs", std::string(Upto(random, 3), '\0'));
  if (OneIn(random, 2)) write->tables.push_back(std::move(runs));
  RowBatch events(catalog::AuditLogs());
  RowMaker event = AddEvent(&events, tenant, fmt::format("log_{}_{}", tenant, Upto(random, 30)));
  if (OneIn(random, 20)) event.Text("metadata", "{\"changed\":true}");
  if (OneIn(random, 2)) write->tables.push_back(std::move(events));
}

}  // namespace

Owner OwnerOf(std::string_view tenant) {
  return {std::string(tenant), tenant.empty() ? std::string() : fmt::format("cust_{}", tenant)};
}

std::string HashOf(std::string_view name) {
  return fmt::format("{:016x}{:048x}", std::hash<std::string_view>{}(name), name.size());
}

RowMaker AddCustomer(RowBatch* batch, std::string_view tenant) {
  return RowMaker(batch).Text("customer_id", OwnerOf(tenant).customer_id).Text("tenant_id", tenant).Text("company_name", tenant)
      .Text("subscription_plan", "professional").Text("status", "active").Text("dataset_id", tenant)
      .Num("created_at", kThen).Num("updated_at", kThen).Text("metadata", "{}");
}

RowMaker AddSubscription(RowBatch* batch, std::string_view tenant) {
  return RowMaker(batch).Text("subscription_id", fmt::format("sub_{}", tenant)).Text("customer_id", OwnerOf(tenant).customer_id)
      .Text("plan_name", "professional").Num("monthly_pipeline_quota", 5000).Num("monthly_cost_usd", 49'900)
      .Num("billing_cycle_start", 20'000).Num("auto_renew", 0).Num("created_at", kThen).Num("updated_at", kThen);
}

RowMaker AddKey(RowBatch* batch, std::string_view tenant, std::string_view name) {
  return RowMaker(batch).Text("api_key_id", fmt::format("key_{}", name)).Text("customer_id", OwnerOf(tenant).customer_id)
      .Text("tenant_id", tenant).Text("api_key_hash", HashOf(name)).Text("encrypted_api_key", "").Text("scopes", "[\"usage:read\"]")
      .Num("is_active", 1).Num("created_at", kThen);
}

RowMaker AddCredential(RowBatch* batch, std::string_view tenant, std::string_view id) {
  return RowMaker(batch).Text("credential_id", id).Text("customer_id", OwnerOf(tenant).customer_id).Text("tenant_id", tenant)
      .Text("provider", "gcp").Text("credential_type", "unspecified").Text("encrypted_credentials", std::string_view("\x00\xFF", 2))
      .Text("scopes", "[]").Num("is_active", 1).Num("created_at", kThen).Num("updated_at", kThen);
}

RowMaker AddUsage(RowBatch* batch, std::string_view tenant, int month) {
  const Days first = MonthStart(20'400, month);
  return RowMaker(batch).Text("usage_id", fmt::format("usage_{}_{}", tenant, month)).Text("customer_id", OwnerOf(tenant).customer_id)
      .Text("tenant_id", tenant).Num("usage_month", first).Num("pipelines_run_count", 1).Num("pipelines_running_count", 0)
      .Num("storage_used_gb", 0).Num("compute_hours", 125).Num("api_requests_count", 0)
      .Num("quota_reset_at", StartOf(MonthStart(first, 1))).Num("created_at", kThen).Num("updated_at", kThen);
}

RowMaker AddEvent(RowBatch* batch, std::string_view tenant, std::string_view id) {
  return RowMaker(batch).Text("log_id", id).Text("customer_id", OwnerOf(tenant).customer_id).Text("tenant_id", tenant)
      .Text("event_type", "customer.migrated").Text("event_category", "migration").Text("actor_type", "system")
      .Text("action", "migrate").Text("result", "success").Text("metadata", "{}").Num("created_at", kThen);
}

RowMaker AddTenant(RowBatch* batch, std::string_view tenant, int64_t attempt) {
  return RowMaker(batch).Text("tenant_id", tenant).Text("customer_id", OwnerOf(tenant).customer_id).Text("phase", "copied")
      .Num("attempt", attempt).Num("updated_at", kThen);
}

RowMaker AddFinding(RowBatch* batch, std::string_view tenant, std::string_view code) {
  return RowMaker(batch).Text("tenant_id", tenant).Text("code", code).Text("subject", "").Text("detail", "");
}

RowMaker AddDeadLetter(RowBatch* batch, std::string_view tenant, int64_t line) {
  return RowMaker(batch).Text("tenant_id", tenant).Text("dataset", tenant).Text("table_name", "x_meta_api_keys")
      .Text("part", "x_meta_api_keys-0.json").Num("line", line).Text("reason", "bad_time").Text("detail", "created_at");
}

TenantWrite RandomWrite(std::mt19937_64& random, std::string_view tenant, int64_t attempt) {
  TenantWrite write{OwnerOf(tenant), attempt, {}};
  RowBatch customers(catalog::Customers());
  RowMaker customer = AddCustomer(&customers, tenant);
  customer.Num("created_at", kThen + Upto(random, 3) * kDay).Num("updated_at", kThen + Upto(random, 100));
  MaybeText(random, customer, "contact_email");
  if (OneIn(random, 40)) customer.Text("customer_id", "cust_other");
  RowBatch keys = RandomKeys(random, tenant);
  if (!keys.empty() || OneIn(random, 3)) write.tables.push_back(std::move(keys));
  if (!OneIn(random, 6)) write.tables.push_back(std::move(customers));
  write.tables.push_back(RandomCredentials(random, tenant));
  if (OneIn(random, 2)) write.tables.push_back(RandomUsage(random, tenant));
  if (OneIn(random, 2)) write.tables.push_back(RandomSubscriptions(random, tenant));
  AddOwn(random, tenant, attempt, &write);
  return write;
}

std::string RandomTenant(std::mt19937_64& random) { return fmt::format("t{}", Upto(random, 6)); }

void RandomRepair(std::mt19937_64& random, CentralSink& sink, std::vector<std::vector<std::string>>* texts,
                  std::vector<CentralSink::Deletion>* deletions, std::vector<RowBatch>* upserts) {
  const std::string tenant = RandomTenant(random);
  auto reader = sink.OpenReader();
  REEVE_ASSERT(reader.has_value());
  for (const Table& table : catalog::CentralTables()) {
    RowBatch rows(table);
    REEVE_ASSERT((*reader)->Read(table, OwnerOf(tenant), &rows).has_value());
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!OneIn(random, 3)) continue;
      auto& kept = texts->emplace_back();
      CentralSink::Deletion deletion{&table, {}};
      for (std::string_view name : table.key) kept.emplace_back(rows.Row(i)[table.Index(name)].text);
      for (const std::string& text : kept) deletion.key.push_back(Cell::Text(text));
      deletions->push_back(std::move(deletion));
    }
  }
  RowBatch customers(catalog::Customers());
  AddCustomer(&customers, tenant);
  if (OneIn(random, 2)) upserts->push_back(std::move(customers));
  upserts->push_back(RandomKeys(random, tenant));
}

std::string DumpTable(CentralReader& reader, const Table& table) {
  std::string text;
  const auto scanned = reader.Scan(table, [&](std::span<const Cell> row) -> Result<> {
    catalog::AppendRow(table, row, &text);
    return {};
  });
  if (!scanned) return "cannot be read: " + scanned.error().message;
  return text;
}

std::map<std::string, std::string> Dump(CentralReader& reader) {
  std::map<std::string, std::string> all;
  for (const auto& tables : {catalog::CentralTables(), catalog::OwnTables()}) {
    for (const Table& table : tables) {
      if (&table != &catalog::ReeveMeta()) all.emplace(table.name, DumpTable(reader, table));
    }
  }
  return all;
}

std::map<std::string, std::string> Dump(CentralSink& sink) {
  auto reader = sink.OpenReader();
  REEVE_ASSERT(reader.has_value());
  return Dump(**reader);
}

uint64_t TakeSeed() {
  const char* given = std::getenv("REEVE_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "REEVE_SEED=" << seed << std::endl;
  return seed;
}

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "reeve-test-XXXXXX").string();
  REEVE_ASSERT(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace reeve::store
