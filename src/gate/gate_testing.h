// A small platform to serve from, for the tests of this folder and of api/: customers and keys in the memory store, two clocks and
// faults.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catalog/rows.h"
#include "crypto/sha256.h"
#include "domain/plan.h"
#include "gate/gate.h"
#include "store/central_sink.h"
#include "store/memory/memory.h"
#include "tests/fakes/faulty_serving_store.h"
#include "tests/fakes/two_clocks.h"

namespace reeve::gate {

using testing::FaultyServingStore, testing::StoreFaults, testing::TwoClocks;

inline constexpr Days kNovember = 20'758;  // 2026-11-01
inline const Micros kNoon = StartOf(kNovember) + 14 * kDay + 12 * kHour;

struct SeedKey {
  std::string text, scopes = R"(["pipelines:read","pipelines:write"])";  // "-": NULL
  bool active = true;
  std::optional<Micros> expires_at = {};
};
struct SeedCustomer {
  std::string tenant, status = "active", plan = "professional";
  bool subscribed = true;
  domain::Quotas quotas = {};
  std::vector<SeedKey> keys = {};
  int64_t storage_hundredths = 0;
  int64_t runs = 0, running = 0;            // of November, from legacy
};

inline std::string CustomerId(std::string_view tenant) { return "cust_" + std::string(tenant); }

// Where it is all kept. Opening a gate again over it is what a new process does.
class World {
 public:
  TwoClocks clock{kNoon};
  StoreFaults faults;
  GateOptions options;

  explicit World(const std::vector<SeedCustomer>& customers) : sink_(store::MakeMemorySink(data_)) {
    options.rates = {{{"professional", {1'000'000, 60 * kSecond}, {100'000'000, kHour}}}, "professional"};
    for (const SeedCustomer& customer : customers) Add(customer);
  }

  void Add(const SeedCustomer& seed) {
    const store::Owner owner{seed.tenant, CustomerId(seed.tenant)};
    store::TenantWrite write{owner, 1, {}};
    Put(&write, catalog::Customers(), {{"customer_id", owner.customer_id}, {"tenant_id", seed.tenant}, {"company_name", seed.tenant},
        {"subscription_plan", seed.plan}, {"status", seed.status}, {"dataset_id", seed.tenant}}, {{"created_at", 1}, {"updated_at", 1}});
    if (seed.subscribed) {
      std::map<std::string, int64_t> numbers = {{"billing_cycle_start", kNovember}, {"auto_renew", 0}, {"created_at", 1}, {"updated_at", 1}};
      if (seed.quotas.monthly_runs) numbers["monthly_pipeline_quota"] = *seed.quotas.monthly_runs;
      if (seed.quotas.concurrent_runs) numbers["concurrent_pipeline_quota"] = *seed.quotas.concurrent_runs;
      if (seed.quotas.storage_gb) numbers["storage_quota_gb"] = *seed.quotas.storage_gb;
      Put(&write, catalog::Subscriptions(), {{"subscription_id", "sub_" + seed.tenant}, {"customer_id", owner.customer_id}, {"plan_name", seed.plan}}, numbers);
    }
    for (const SeedKey& key : seed.keys) {
      std::map<std::string, std::string> texts = {{"api_key_id", "key_of_" + key.text}, {"customer_id", owner.customer_id}, {"tenant_id", seed.tenant},
          {"api_key_hash", crypto::Sha256Hex(key.text)}, {"encrypted_api_key", ""}};
      if (key.scopes != "-") texts["scopes"] = key.scopes;
      std::map<std::string, int64_t> numbers = {{"is_active", key.active}, {"created_at", 1}};
      if (key.expires_at) numbers["expires_at"] = *key.expires_at;
      Put(&write, catalog::ApiKeys(), texts, numbers);
    }
    if (seed.storage_hundredths != 0 || seed.runs != 0)
      Put(&write, catalog::Usage(), {{"usage_id", "usage_" + seed.tenant}, {"customer_id", owner.customer_id}, {"tenant_id", seed.tenant}},
          {{"usage_month", kNovember}, {"pipelines_run_count", seed.runs}, {"pipelines_running_count", seed.running}, {"storage_used_gb", seed.storage_hundredths},
           {"compute_hours", 0}, {"api_requests_count", 0}, {"quota_reset_at", StartOf(kNovember + 30)}, {"created_at", 1}, {"updated_at", 1}});
    const auto merged = sink_->Merge({&write, 1});
    ASSERT_TRUE(merged.has_value() && (*merged)[0].outcome == store::Outcome::kMerged) << (merged ? (*merged)[0].detail : merged.error().message);
  }

  [[nodiscard]] std::unique_ptr<store::ServingStore> Store() {
    return std::make_unique<FaultyServingStore>(store::MakeMemoryServingStore(data_), &faults);
  }
  [[nodiscard]] std::unique_ptr<Gate> Open() {
    Result<std::unique_ptr<Gate>> gate = Gate::Open(Store(), clock, options);
    REEVE_ASSERT(gate.has_value());
    return std::move(*gate);
  }
  [[nodiscard]] catalog::RowBatch Rows(const catalog::Table& table) {
    catalog::RowBatch rows(table);
    const auto reader = sink_->OpenReader();
    const Result<> read = (*reader)->Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
      const std::span<catalog::Cell> copy = rows.AddRow();
      for (size_t i = 0; i < row.size(); ++i) copy[i] = row[i].is_null || catalog::IsNumeric(table.columns[i].type) ? row[i] : rows.Own(row[i].text);
      return {};
    });
    REEVE_ASSERT(read.has_value());
    return rows;
  }
  [[nodiscard]] store::ServingMarks Marks() {
    const store::ServingVisitor nobody{[](const auto&) {}, [](const auto&) {}, [](const auto&) {}, [](const auto&) {}};
    return store::MakeMemoryServingStore(data_)->Load(kNovember, nobody).value();
  }

 private:
  static void Put(store::TenantWrite* write, const catalog::Table& table, const std::map<std::string, std::string>& texts,
                  const std::map<std::string, int64_t>& numbers) {
    if (write->tables.empty() || &write->tables.back().table() != &table) write->tables.emplace_back(table);
    catalog::RowBatch& batch = write->tables.back();
    const std::span<catalog::Cell> row = batch.AddRow();
    for (const auto& [column, text] : texts) row[static_cast<size_t>(table.Index(column))] = batch.Own(text);
    for (const auto& [column, number] : numbers) row[static_cast<size_t>(table.Index(column))] = catalog::Cell::Int(number);
  }

  const std::shared_ptr<store::MemoryData> data_ = store::MakeMemoryData();
  const std::unique_ptr<store::CentralSink> sink_;
};

// Calls and waits.
inline RunAnswer AskRun(Gate& gate, std::string_view key, RunCall call) {
  std::promise<RunAnswer> answer;
  gate.SubmitRun(key, std::move(call), [&](const RunAnswer& told) { answer.set_value(told); });
  return answer.get_future().get();
}
template <typename Change>
ChangeResult Await(Change change) {
  std::promise<ChangeResult> result;
  change([&](ChangeResult told) { result.set_value(told); });
  return result.get_future().get();
}
inline RunCall Reserve(std::string id, int64_t lease_ms = 60'000) {
  RunCall call;
  call.verb = RunVerb::kReserve;
  call.run_id = std::move(id);
  call.pipeline_id = "p";
  call.lease_ms = lease_ms;
  return call;
}
inline RunCall On(RunVerb verb, std::string id, int64_t fence = 0) {
  RunCall call;
  call.verb = verb;
  call.run_id = std::move(id);
  call.fence = fence;
  return call;
}

}  // namespace reeve::gate
