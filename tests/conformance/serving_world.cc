#include "tests/conformance/serving_world.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/encoding.h"
#include "domain/run_set.h"
#include "store/sqlite/serving_store.h"
#include "store/sqlite/sqlite_sink.h"

namespace reeve::store {

using catalog::RowBatch;

namespace {

// Three runs with an hour and a half of compute; one is open.
std::string LegacySet() {
  domain::RunSet set;
  set.Add({"legacy-1", domain::RunState::kTerminal, StartOf(kServedMonth), std::nullopt, 3'600'000});
  set.Add({"legacy-2", domain::RunState::kTerminal, StartOf(kServedMonth) + 1, std::nullopt, 1'800'000});
  set.Add({"legacy-3", domain::RunState::kRunning, StartOf(kServedMonth) + 2, std::nullopt, std::nullopt});
  return set.Encode(kServedMonth);
}

std::string Hex(const KeyDigest& digest) { return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()}); }

std::string Text(std::optional<int64_t> value) { return value ? std::to_string(*value) : "-"; }

class MemoryPlace final : public ServingPlace {
 public:
  MemoryPlace() { SeedServed(*MakeMemorySink(data_)); }
  ServingStore& store() override {
    if (!store_) store_ = MakeMemoryServingStore(data_);
    return *store_;
  }
  void Close() override { store_.reset(); }
  void Crash() override { store_.reset(); }
  std::unique_ptr<CentralReader> Reader() override { return std::move(MakeMemorySink(data_)->OpenReader().value()); }
  std::unique_ptr<CentralSink> Sink() override { return MakeMemorySink(data_); }

 private:
  std::shared_ptr<MemoryData> data_ = MakeMemoryData();
  std::unique_ptr<ServingStore> store_;
};

class SqlitePlace final : public ServingPlace {
 public:
  SqlitePlace() { SeedServed(*OpenSqliteSink(*files_, path_, OpenMode::kCreate, "seed").value()); }
  ServingStore& store() override {
    if (!store_) {
      auto opened = OpenSqliteServingStore(*files_, path_, "the suite", nullptr, {.commit_segment_bytes = 64u << 10});
      REEVE_ASSERT(opened.has_value());
      store_ = std::move(*opened);
    }
    return *store_;
  }
  void Close() override { store_.reset(); }
  // The files as a killed process leaves them, under a new name.
  void Crash() override {
    const std::string next = dir_.File(fmt::format("crashed-{}.db", ++crashes_));
    // What is promised goes first: it may come into the tables while they are copied, and being there twice is nothing.
    for (const char* suffix : {".commits-0", ".commits-1", ".commits-2", ".commits-3", "", "-wal"})
      if (std::filesystem::exists(path_ + suffix)) std::filesystem::copy_file(path_ + suffix, next + suffix);
    store_.reset();
    path_ = next;
  }
  std::unique_ptr<CentralReader> Reader() override {
    if (store_) (void)store_->Settle();
    return std::move(OpenSqliteReader(path_).value());
  }
  std::unique_ptr<CentralSink> Sink() override { return std::move(OpenSqliteSink(*files_, path_, OpenMode::kExisting, "sink").value()); }

 private:
  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::string path_ = dir_.File("store.db");
  int crashes_ = 0;
  std::unique_ptr<ServingStore> store_;
};

}  // namespace

std::string ServedTenant(int number) { return fmt::format("t{}", number); }

KeyDigest DigestOf(int tenant, int key) {
  KeyDigest digest{};
  digest[0] = static_cast<uint8_t>(tenant);
  digest[1] = static_cast<uint8_t>(key);
  digest[31] = 0xFF;
  return digest;
}

void SeedServed(CentralSink& sink) {
  std::vector<TenantWrite> batch;
  for (int t = 0; t < kServedTenants; ++t) {
    const std::string tenant = ServedTenant(t);
    RowBatch customers(catalog::Customers()), subscriptions(catalog::Subscriptions()), keys(catalog::ApiKeys()), usage(catalog::Usage()),
        sets(catalog::ReeveUsageRuns());
    AddCustomer(&customers, tenant);
    if (t < kServedTenants - 1) AddSubscription(&subscriptions, tenant).Null("storage_quota_gb");
    for (int key = 0; key < kKeysOfATenant; ++key) {
      RowMaker row = AddKey(&keys, tenant, fmt::format("{}.{}", t, key));
      row.Text("api_key_hash", Hex(DigestOf(t, key)));
      if (key == 1) row.Text("scopes", R"(["pipelines:write","usage:read"])").Num("expires_at", StartOf(kNextMonth));
      if (key == 2) row.Num("is_active", 0).Num("revoked_at", 500).Text("revoked_by", "ann");
    }
    if (t < 2) {
      AddUsage(&usage, tenant, 0).Num("usage_month", kServedMonth).Num("pipelines_run_count", 3).Num("pipelines_running_count", 1).Num("compute_hours", 150)
          .Num("last_pipeline_run_at", StartOf(kServedMonth) + 2);
      AddUsage(&usage, tenant, 1).Num("usage_month", MonthStart(kServedMonth, -1)).Text("usage_id", "usage_before_" + tenant).Num("storage_used_gb", 1234);
    }
    if (t == 0) RowMaker(&sets).Text("tenant_id", tenant).Num("usage_month", kServedMonth).Text("runs", LegacySet());
    batch.push_back(WriteOf(tenant, 1, std::move(customers), std::move(subscriptions), std::move(keys), std::move(usage), std::move(sets)));
  }
  const std::vector<TenantResult> results = sink.Merge(batch).value();
  for (const TenantResult& result : results) REEVE_ASSERT(result.outcome == Outcome::kMerged);
}

CustomerChange ChangeOf(std::string customer, std::optional<std::string> status, std::optional<CustomerChange::Quotas> quotas) {
  CustomerChange change;
  change.customer_id = std::move(customer);
  change.status = std::move(status);
  change.quotas = quotas;
  return change;
}

std::unique_ptr<ServingPlace> MakeMemoryPlace() { return std::make_unique<MemoryPlace>(); }
std::unique_ptr<ServingPlace> MakeSqlitePlace() { return std::make_unique<SqlitePlace>(); }

std::string RunText(const std::optional<RunRow>& run) {
  if (!run) return "no run";
  return fmt::format("run {} {} {} {} {} state {} refusal {} ttl {} fence {} at {} {} {} ms {} {} {} {}", run->tenant_id, run->run_id,
                     run->pipeline_id, run->api_key_id, FormatMonth(run->month), static_cast<int>(run->state), run->refusal, run->ttl_ms, run->fence,
                     run->reserved_at, run->expires_at, run->ended_at, run->compute_ms, HexEncode(run->request_digest), run->outcome, run->reply);
}

std::vector<std::string> LoadLines(ServingStore& store, Days from_month) {
  std::vector<std::string> lines;
  ServingVisitor visitor;
  visitor.customer = [&](const ServedCustomer& c) {
    lines.push_back(fmt::format("customer {} {} {} {} {} {} {} {} {}", c.customer_id, c.tenant_id, c.status, c.plan, c.has_subscription, Text(c.monthly_runs),
                                Text(c.concurrent_runs), Text(c.storage_gb), c.storage_used_hundredths));
  };
  visitor.key = [&](const ServedKey& k) {
    lines.push_back(fmt::format("key {} {} {} {} {} {} {}", Hex(k.digest), k.customer_id, k.api_key_id, k.is_active, Text(k.revoked_at), Text(k.expires_at),
                                k.scopes));
  };
  visitor.usage = [&](const UsageRow& u) {
    lines.push_back(fmt::format("usage {} {} {} {} {} {} {} {}", u.customer_id, u.tenant_id, FormatMonth(u.month), u.run_count, u.running_count, u.compute_ms,
                                u.api_requests, Text(u.last_run_at)));
  };
  visitor.run = [&](const RunRow& run) {
    REEVE_ASSERT(run.customer_id == OwnerOf(run.tenant_id).customer_id);
    lines.push_back(RunText(run));
  };
  const auto marks = store.Load(from_month, visitor);
  if (!marks) return {"failed: " + marks.error().message};
  lines.push_back(fmt::format("marks {} {} {} {}", marks->ledger_time, marks->fence, marks->audit_seq, marks->audit_head));
  return lines;
}

ServedHistory::Counters& ServedHistory::CountersOf(const std::string& tenant, Days month) {
  const auto [found, fresh] = counters_.try_emplace({tenant, month});
  if (fresh && month == kServedMonth && (tenant == "t0" || tenant == "t1")) found->second = {3, 1, 0, 0, StartOf(kServedMonth) + 2};
  return found->second;
}

void ServedHistory::NoteUsage(const RunRow& run, ServingWrites* writes) {
  const Counters& counters = CountersOf(run.tenant_id, run.month);
  writes->usage.push_back({run.customer_id, run.tenant_id, run.month, counters.runs, counters.running, counters.compute, counters.requests, counters.last});
}

// A run is asked for, and granted or refused.
void ServedHistory::Ask(ServingWrites* writes) {
  RunRow run;
  run.tenant_id = ServedTenant(Upto(kServedTenants - 1));
  run.customer_id = OwnerOf(run.tenant_id).customer_id;
  run.run_id = fmt::format("run-{}", runs_++);
  run.pipeline_id = Upto(1) == 0 ? "" : "daily";
  run.api_key_id = "key_1";
  run.month = MonthStart(DateOf(now_));
  run.ttl_ms = 1000 + Upto(5);
  run.reserved_at = now_;
  run.request_digest = std::string("\0\xFF", 2) + std::to_string(Upto(9));
  names_.emplace_back(run.tenant_id, run.run_id);
  if (Upto(3) == 0) {
    run.state = RunState::kRefused;
    run.refusal = 110 + 10 * Upto(1);
    run.ended_at = now_;
    run.reply = R"({"used":5})";
    writes->runs.push_back(run);
    return;
  }
  run.fence = ++fence_;
  run.expires_at = now_ + run.ttl_ms * 1000;
  Counters& counters = CountersOf(run.tenant_id, run.month);
  ++counters.runs, ++counters.running;
  counters.last = now_;
  writes->runs.push_back(run);
  NoteUsage(run, writes);
  open_.push_back(std::move(run));
}

// An open run lives on or ends.
void ServedHistory::Go(ServingWrites* writes) {
  if (open_.empty()) return;
  const auto at = open_.begin() + Upto(static_cast<int>(open_.size()) - 1);
  if (Upto(3) == 0) {
    at->expires_at = now_ + at->ttl_ms * 1000;
    writes->runs.push_back(*at);
    return;
  }
  RunRow run = *at;
  open_.erase(at);
  run.state = static_cast<RunState>(2 + Upto(2));
  run.ended_at = now_;
  run.compute_ms = run.state == RunState::kCompleted ? Upto(40'000) : 0;
  run.outcome = run.state == RunState::kCompleted ? "succeeded" : "";
  Counters& counters = CountersOf(run.tenant_id, run.month);
  --counters.running;
  counters.compute += run.compute_ms;
  writes->runs.push_back(run);
  NoteUsage(run, writes);
}

void ServedHistory::AddRest(ServingWrites* writes) {
  const int tenant = Upto(kServedTenants - 1);
  if (Upto(2) == 0) writes->touches.push_back({DigestOf(tenant, Upto(kKeysOfATenant)), now_ - Upto(100)});
  if (Upto(20) == 0) writes->revocations.push_back({DigestOf(tenant, Upto(kKeysOfATenant - 1)), now_ - Upto(100), Upto(1) == 0 ? "bob" : "cat"});
  if (Upto(10) == 0) writes->changes.push_back(ChangeOf(OwnerOf(ServedTenant(tenant)).customer_id, Upto(1) == 0 ? "suspended" : "active"));
  if (Upto(10) == 0) {
    CustomerChange change = ChangeOf(OwnerOf(ServedTenant(tenant)).customer_id, std::nullopt, CustomerChange::Quotas());
    if (Upto(1) == 0) change.quotas->monthly_runs = Upto(9);
    writes->changes.push_back(std::move(change));
  }
  if (Upto(3) != 0) return;
  RowBatch audit(catalog::AuditLogs());
  AddEvent(&audit, ServedTenant(tenant), fmt::format("log_{}", ++event_));
  writes->audit = std::move(audit);
  writes->audit_seq = event_;
  writes->audit_head = HashOf(std::to_string(event_));
}

ServingWrites ServedHistory::Next() {
  ServingWrites writes;
  for (int n = Upto(4); n > 0; --n) {
    now_ += 1 + Upto(1000);
    Upto(1) == 0 ? Ask(&writes) : Go(&writes);
  }
  if (Upto(60) == 0) now_ = std::max(now_, StartOf(kNextMonth));
  AddRest(&writes);
  writes.ledger_time = now_;
  writes.fence = fence_;
  return writes;
}

ServingWrites ServedHistory::NextBroken() {
  const ServedHistory before = *this;
  ServingWrites writes = Next();
  const ServedHistory after = std::exchange(*this, before);  // it did not happen
  random_ = after.random_;
  switch (Upto(3)) {
    case 0: writes.usage.push_back({"cust_none", "none", kServedMonth, 1, 0, 0, 0, std::nullopt}); break;
    case 1: writes.revocations.push_back({DigestOf(99, 99), now_, "eve"}); break;
    case 2: writes.changes.push_back(ChangeOf("cust_none", "suspended")); break;
    default: {
      RunRow twice;
      twice.customer_id = "cust_t0", twice.tenant_id = "t0", twice.month = kServedMonth, twice.fence = 1'000'000;
      for (const char* id : {"twice-1", "twice-2"}) {
        twice.run_id = id;
        writes.runs.push_back(twice);
      }
    }
  }
  return writes;
}

std::vector<std::pair<std::string, std::string>> ServedHistory::RunNames() const {
  auto names = names_;
  names.emplace_back("t0", "never asked for");
  names.emplace_back("none", "run-1");
  for (const auto& [tenant, run] : names_) {
    if (names.size() > 2 * names_.size()) break;
    names.emplace_back(tenant == "t0" ? "t1" : "t0", run);  // another tenant's
  }
  return names;
}

}  // namespace reeve::store
