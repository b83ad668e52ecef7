// Serves a small store and says what it acknowledged, for tests that kill it or let its medium fail.
//
//   serving_driver make STORE                     ten tenants with five keys each; half of them have small quotas
//   serving_driver commit STORE GROUPS            the store alone, one thread: groups of four runs, of which two are then completed
//   serving_driver serve STORE SEED [CALLS]       the gate in front of it, 64 calls under way, for ever or CALLS times
//   serving_driver list STORE                     opens it as a server does, prints what it had to mend and every run
//
// Printed on standard output, a line at a time and only once the store has it:
//
//   ack  := ("reserved" | "refused" | "completed" | "cancelled" | "alive") TENANT RUN FENCE
//   list := "note" TEXT | "run" TENANT RUN STATE FENCE | "audit" ("sound" | TEXT) | "loaded" RUNS
//
// `commit` goes on after a commit has failed, as no server would, to show that nothing is acknowledged any more: "failed" stands between. Exit 74 after a failed
// commit, 1 if the store cannot be opened or read.
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>

#include "crypto/sha256.h"
#include "env/clock.h"
#include "env/files.h"
#include "gate/gate.h"
#include "gate/ledger_audit_testing.h"
#include "store/sqlite/serving_store.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/conformance/central_sink_world.h"

namespace {

using namespace reeve;
using namespace reeve::store;

constexpr int kTenants = 10, kKeys = 5;
constexpr int kPoisoned = 74;
constexpr int64_t kLogPages = 24;  // so that a short script moves the log several times
constexpr uint64_t kCommitBytes = 512 * 1024;  // little, so that its files are written over and over
constexpr size_t kUnderWay = 64;

void Say(std::string line) {
  line += '\n';
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(1);
}

[[noreturn]] void Stop(int code, const Error& error) {
  std::fprintf(stderr, "serving_driver: %s\n", error.message.c_str());
  _exit(code);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Stop(1, result.error());
  return std::move(*result);
}

std::string Tenant(int number) { return fmt::format("t{}", number); }
std::string KeyText(int tenant, int key) { return fmt::format("{}_api_{:032}", Tenant(tenant), key); }

int Make(Files& files, const std::string& path) {
  const auto sink = Must(OpenSqliteSink(files, path, OpenMode::kCreate, "make"));
  std::vector<TenantWrite> batch;
  for (int t = 0; t < kTenants; ++t) {
    catalog::RowBatch customers(catalog::Customers()), subscriptions(catalog::Subscriptions()), keys(catalog::ApiKeys());
    AddCustomer(&customers, Tenant(t)).Text("subscription_plan", "enterprise");
    RowMaker subscription = AddSubscription(&subscriptions, Tenant(t));
    subscription.Text("plan_name", "enterprise").Null("monthly_pipeline_quota").Null("concurrent_pipeline_quota").Null("storage_quota_gb");
    if (t % 2 == 1) subscription.Num("monthly_pipeline_quota", 400).Num("concurrent_pipeline_quota", 5);
    for (int key = 0; key < kKeys; ++key)
      AddKey(&keys, Tenant(t), fmt::format("{}.{}", t, key)).Text("api_key_hash", crypto::Sha256Hex(KeyText(t, key))).Text("scopes", R"(["pipelines:write"])");
    batch.push_back(WriteOf(Tenant(t), 1, std::move(customers), std::move(subscriptions), std::move(keys)));
  }
  for (const TenantResult& result : Must(sink->Merge(batch)))
    if (result.outcome != Outcome::kMerged) Stop(1, {Code::kFailed, result.detail, {}});
  Must(sink->Checkpoint().map([] { return true; }));
  return 0;
}

// ---- the store alone ------------------------------------------------------------------------------------------------------------

class Script {
 public:
  Script(ServingStore& store, Days month) : store_(store), month_(month) {}

  int Run(int groups) {
    const auto nothing = [](const auto&) {};
    const ServingMarks marks = Must(store_.Load(month_, {nothing, nothing, [this](const UsageRow& row) { usage_[row.tenant_id] = row; }, nothing}));
    fence_ = marks.fence;
    ledger_time_ = std::max(marks.ledger_time, StartOf(month_));
    for (int group = 0; group < groups; ++group) Group(fmt::format("{}-{}", fence_, group), group);
    return failed_ ? kPoisoned : 0;
  }

 private:
  void Group(const std::string& name, int group) {
    std::vector<RunRow> runs;
    for (int i = 0; i < 4; ++i) {
      RunRow run;
      run.tenant_id = Tenant((group + i) % kTenants);
      run.customer_id = OwnerOf(run.tenant_id).customer_id;
      run.run_id = fmt::format("{}-{}", name, i);
      run.month = month_;
      run.fence = ++fence_;
      run.reserved_at = ++ledger_time_;
      run.expires_at = run.reserved_at + kHour;
      UsageRow& usage = UsageOf(run);
      ++usage.run_count, ++usage.running_count;
      runs.push_back(std::move(run));
    }
    if (!Commit(runs)) return;
    for (const RunRow& run : runs) Say(fmt::format("reserved {} {} {}", run.tenant_id, run.run_id, run.fence));
    runs.resize(2);
    for (RunRow& run : runs) {
      run.state = RunState::kCompleted;
      run.ended_at = ++ledger_time_;
      run.compute_ms = 1'234;
      UsageRow& usage = UsageOf(run);
      --usage.running_count;
      usage.compute_ms += run.compute_ms;
    }
    if (!Commit(runs)) return;
    for (const RunRow& run : runs) Say(fmt::format("completed {} {} {}", run.tenant_id, run.run_id, run.fence));
    if (group % 2 == 1) (void)Went(store_.Settle());  // so that a short script brings its commits into the tables several times
  }

  UsageRow& UsageOf(const RunRow& run) {
    UsageRow& usage = usage_[run.tenant_id];
    usage.tenant_id = run.tenant_id, usage.customer_id = run.customer_id, usage.month = run.month;
    return usage;
  }

  bool Commit(const std::vector<RunRow>& runs) {
    ServingWrites writes;
    writes.runs = runs;
    for (const RunRow& run : runs) writes.usage.push_back(UsageOf(run));
    writes.fence = fence_;
    writes.ledger_time = ledger_time_;
    return Went(store_.Commit(writes));
  }

  bool Went(const Result<>& done) {
    if (done) return true;
    if (!failed_) Say("failed"), std::fprintf(stderr, "serving_driver: %s\n", done.error().message.c_str());
    failed_ = true;
    return false;
  }

  ServingStore& store_;
  const Days month_;
  std::map<std::string, UsageRow> usage_;
  int64_t fence_ = 0;
  Micros ledger_time_ = 0;
  bool failed_ = false;
};

// ---- the gate -------------------------------------------------------------------------------------------------------------------

class Callers {
 public:
  Callers(gate::Gate& gate, uint64_t seed) : gate_(gate), seed_(seed), random_(seed) {}

  void Run(uint64_t calls) {
    for (uint64_t i = 0; calls == 0 || i < calls; ++i) {
      std::unique_lock lock(mu_);
      room_.wait(lock, [this] { return under_way_ < kUnderWay; });
      ++under_way_;
      gate::RunCall call;
      int tenant = static_cast<int>(random_() % kTenants);
      if (live_.empty() || random_() % 2 == 0) {
        call.verb = gate::RunVerb::kReserve;
        call.run_id = fmt::format("{}-{}", seed_, i);
      } else {
        const auto at = live_.begin() + static_cast<ptrdiff_t>(random_() % live_.size());
        call.run_id = at->run_id;
        call.fence = at->fence;
        tenant = at->tenant;
        const uint64_t what = random_() % 4;
        call.verb = what == 0 ? gate::RunVerb::kHeartbeat : what == 1 ? gate::RunVerb::kCancel : gate::RunVerb::kComplete;
        if (what != 0) live_.erase(at);
      }
      const std::string key = KeyText(tenant, static_cast<int>(random_() % kKeys));
      lock.unlock();
      gate_.SubmitRun(key, call, [this, tenant, call](const gate::RunAnswer& answer) { Done(tenant, call, answer); });
    }
    std::unique_lock lock(mu_);
    room_.wait(lock, [this] { return under_way_ == 0; });
  }

 private:
  struct Live {
    int tenant;
    std::string run_id;
    int64_t fence;
  };

  void Done(int tenant, const gate::RunCall& call, const gate::RunAnswer& answer) {
    const bool refused = answer.result == gate::RunResult::kRefused && answer.run.has_value();
    if ((answer.result == gate::RunResult::kOk || refused) && answer.run) {
      const char* word = refused ? "refused" : call.verb == gate::RunVerb::kReserve ? "reserved" : call.verb == gate::RunVerb::kComplete ? "completed"
                         : call.verb == gate::RunVerb::kCancel ? "cancelled" : "alive";
      Say(fmt::format("{} {} {} {}", word, Tenant(tenant), call.run_id, answer.run->fence));
    }
    const std::lock_guard lock(mu_);
    if (answer.result == gate::RunResult::kOk && call.verb == gate::RunVerb::kReserve) live_.push_back({tenant, call.run_id, answer.run->fence});
    --under_way_;
    room_.notify_one();
  }

  gate::Gate& gate_;
  const uint64_t seed_;
  std::mt19937_64 random_;
  std::mutex mu_;
  std::condition_variable room_;
  std::vector<Live> live_;  // guarded by mu_, as what follows
  size_t under_way_ = 0;
};

// ---- looking --------------------------------------------------------------------------------------------------------------------

int List(Files& files, const std::string& path) {
  std::vector<std::string> notes;
  ServingMarks marks;
  uint64_t open = 0;
  {
    const auto store = Must(OpenSqliteServingStore(files, path, "list", &notes));
    const auto nothing = [](const auto&) {};
    marks = Must(store->Load(0, {nothing, nothing, nothing, [&](const RunRow&) { ++open; }}));
  }
  for (const std::string& note : notes) Say("note " + note);
  const auto reader = Must(OpenSqliteReader(path));
  const catalog::Table& table = catalog::ReeveRuns();
  const auto at = [&table](std::span<const catalog::Cell> row, std::string_view column) { return row[static_cast<size_t>(table.Index(column))]; };
  std::string lines;
  const auto scanned = reader->Scan(table, [&](std::span<const catalog::Cell> row) -> Result<> {
    lines += fmt::format("run {} {} {} {}\n", at(row, "tenant_id").text, at(row, "run_id").text, at(row, "state").num, at(row, "fence").num);
    return {};
  });
  if (!scanned) Stop(1, scanned.error());
  catalog::RowBatch events(catalog::AuditLogs());
  for (int t = 0; t < kTenants; ++t)
    if (const auto read = reader->Read(catalog::AuditLogs(), OwnerOf(Tenant(t)), &events); !read) Stop(1, read.error());
  const std::string broken = gate::CheckLedgerChain(events, marks.audit_seq, marks.audit_head);
  Say(fmt::format("{}audit {}\nloaded {}", lines, broken.empty() ? "sound" : broken, open));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 2 ? argv[1] : "", path = argc > 2 ? argv[2] : "";
  const auto number = [&](int at) { return argc > at ? std::strtoull(argv[at], nullptr, 10) : 0; };
  const auto files = MakeSystemFiles();
  const auto clock = MakeSystemClock();
  if (verb == "make") return Make(*files, path);
  if (verb == "list") return List(*files, path);
  if (verb == "commit") {
    const auto store = Must(OpenSqliteServingStore(*files, path, "serving_driver", nullptr, {.log_pages_max = kLogPages, .commit_segment_bytes = kCommitBytes}));
    return Script(*store, MonthStart(DateOf(clock->Now()))).Run(static_cast<int>(number(3)));
  }
  if (verb != "serve") return 2;
  gate::GateOptions options;
  options.on_poison = [](const Error& error) { Stop(kPoisoned, error); };
  options.flush_every = 100'000;
  const auto gate = Must(gate::Gate::Open(Must(OpenSqliteServingStore(*files, path, "serving_driver", nullptr, {.log_pages_max = kLogPages, .commit_segment_bytes = kCommitBytes})), *clock, options));
  Callers(*gate, number(3)).Run(number(4));
  gate->Drain();
  return 0;
}
