// How long a serving store takes to open and load, and what its commits cost.
//
//   serving_store STORE [GROUPS] [GROUP_SIZE]
//
// Loads as the gate does (the visitor only counts), then commits GROUPS transactions of GROUP_SIZE reservations of random customers with their counters, and as
// many completions. Prints one JSON object: seconds of opening and loading, operations per second, the slowest commit in milliseconds, peak memory.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "env/clock.h"
#include "env/files.h"
#include "store/sqlite/serving_store.h"

namespace {

using namespace reeve;
using namespace reeve::store;

double CpuNow() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void Check(bool ok, const std::string& what) {
  if (ok) return;
  std::fprintf(stderr, "serving_store: %s\n", what.c_str());
  std::exit(1);
}

struct Loaded {
  std::vector<ServedCustomer> customers;
  uint64_t keys = 0, bytes = 0, usage = 0, runs = 0;
  double customers_s = 0, keys_s = 0;  // when the last of them had come
  ServingMarks marks;
};

Loaded Load(ServingStore& store, Days month) {
  Loaded loaded;
  ServingVisitor visitor;
  const double began = Now();
  visitor.customer = [&](const ServedCustomer& customer) { loaded.customers.push_back(customer); };
  visitor.key = [&](const ServedKey& key) {
    if (loaded.keys == 0) loaded.customers_s = Now() - began;
    if (loaded.keys % 4'096 == 0) loaded.keys_s = Now() - began;
    ++loaded.keys, loaded.bytes += key.customer_id.size() + key.scopes.size() + key.digest[0];
  };
  visitor.usage = [&](const UsageRow&) { ++loaded.usage; };
  visitor.run = [&](const RunRow&) { ++loaded.runs; };
  auto marks = store.Load(month, visitor);
  Check(marks.has_value(), marks ? "" : marks.error().message);
  loaded.marks = *marks;
  return loaded;
}

// Reservations of random customers, then their ends.
class Work {
 public:
  Work(ServingStore& store, const Loaded& loaded, Days month, size_t group)
      : store_(store), customers_(loaded.customers), runs_(customers_.size()), month_(month), group_(group), fence_(loaded.marks.fence) {}

  double Commit(bool reserve) {
    ServingWrites writes;
    for (size_t i = 0; i < group_; ++i) {
      const size_t at = reserve ? random_() % customers_.size() : open_[i].second;
      const ServedCustomer& customer = customers_[at];
      RunRow run;
      if (reserve) {
        run.customer_id = customer.customer_id, run.tenant_id = customer.tenant_id, run.pipeline_id = "daily", run.api_key_id = "key_0123456789abcdef01234567";
        run.run_id = fmt::format("{:08x}-{:04x}-4000-8000-{:012x}", static_cast<uint32_t>(random_()), random_() & 0xffff, random_() & 0xffffffffffff);
        run.month = month_, run.fence = ++fence_, run.ttl_ms = 60'000, run.reserved_at = StartOf(month_) + fence_, run.expires_at = run.reserved_at + kHour;
        run.request_digest = std::string(32, 'd');
        ++runs_[at];
        open_.emplace_back(run, at);
      } else {
        run = open_[i].first;
        run.state = RunState::kCompleted, run.ended_at = run.reserved_at + 1, run.compute_ms = 1'000, run.outcome = "succeeded";
      }
      writes.usage.push_back({customer.customer_id, customer.tenant_id, month_, runs_[at], reserve ? 1 : 0, reserve ? 0 : runs_[at] * 1'000, 0, run.reserved_at});
      writes.runs.push_back(std::move(run));
    }
    if (!reserve) open_.erase(open_.begin(), open_.begin() + static_cast<ptrdiff_t>(group_));
    writes.fence = fence_, writes.ledger_time = StartOf(month_) + fence_;
    const double began = Now();
    const auto done = store_.Commit(writes);
    Check(done.has_value(), done ? "" : done.error().message);
    return Now() - began;
  }

 private:
  ServingStore& store_;
  const std::vector<ServedCustomer>& customers_;
  std::vector<int64_t> runs_;
  const Days month_;
  const size_t group_;
  int64_t fence_;
  std::mt19937_64 random_{1};
  std::vector<std::pair<RunRow, size_t>> open_;
};

}  // namespace

int main(int argc, char** argv) {
  Check(argc >= 2, "usage: serving_store STORE [GROUPS] [GROUP_SIZE]");
  const size_t groups = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0, size = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 256;
  const auto files = MakeSystemFiles();
  const auto clock = MakeSystemClock();
  const Days month = MonthStart(DateOf(clock->Now()));
  double began = Now();
  auto opened = OpenSqliteServingStore(*files, argv[1], "serving_store");
  Check(opened.has_value(), opened ? "" : opened.error().message);
  const double open_s = Now() - began;
  began = Now();
  const Loaded loaded = Load(**opened, month);
  const double load_s = Now() - began;
  std::vector<double> times;
  Work work(**opened, loaded, month, size);
  began = Now();
  const double cpu_began = CpuNow();
  for (size_t i = 0; i < groups; ++i) times.push_back(work.Commit(i % 4 < 2));
  const double commit_s = Now() - began;
  const double cpu_us = groups > 0 ? (CpuNow() - cpu_began) * 1e6 / static_cast<double>(groups * size) : 0;
  std::sort(times.begin(), times.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto at = [&](double share) { return times.empty() ? 0.0 : times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))] * 1e3; };
  std::printf("{\"open_s\":%.3f,\"load_s\":%.3f,\"customers_until_s\":%.3f,\"keys_until_s\":%.3f,\"customers\":%zu,\"keys\":%llu,\"usage\":%llu,\"operations_per_s\":%.0f,\"commit_ms_p50\":%.2f,"
              "\"commit_ms_p99\":%.2f,\"commit_ms_max\":%.2f,\"cpu_us_per_operation\":%.1f,\"peak_mib\":%.0f}\n",
              open_s, load_s, loaded.customers_s, loaded.keys_s, loaded.customers.size(), static_cast<unsigned long long>(loaded.keys), static_cast<unsigned long long>(loaded.usage),
              commit_s > 0 ? static_cast<double>(groups * size) / commit_s : 0, at(0.5), at(0.99), at(1), cpu_us, static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}
