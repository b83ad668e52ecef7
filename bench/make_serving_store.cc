// Makes a store to serve from, quickly and always the same: customers with keys, subscriptions, usage and, if wanted, a ledger.
//
//   make_serving_store STORE [--customers 100000] [--keys 1000000] [--months 1] [--month YYYY-MM] [--runs 0] [--plan enterprise] [--texts FILE]
//
// Key number i (from 0) belongs to customer i / (keys / customers) and its text is KeyText(i); --texts writes all of them, one a line. Every key is active, has
// the scopes pipelines:write and usage:read and never expires. Plans: enterprise (unlimited) or starter (1,000 runs a month, 5 at a time). The months of usage
// end with --month (default: the present one). --runs writes completed runs into the ledger's present month, spread over all customers, and counts them.
// Prints one JSON object: seconds and bytes.

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "base/encoding.h"
#include "base/time_text.h"
#include "catalog/ddl.h"
#include "crypto/sha256.h"
#include "drivers/sqlite/sqlite.h"
#include "env/files.h"
#include "store/serving_rows.h"
#include "store/sqlite/sqlite_sink.h"

namespace {

using reeve::Days;
using reeve::sqlite::Database;
using reeve::sqlite::Statement;

constexpr std::string_view kHashIndex = "customer_api_keys_hash";

void Check(bool ok, const std::string& what) {
  if (ok) return;
  std::fprintf(stderr, "make_serving_store: %s\n", what.c_str());
  std::exit(1);
}

template <typename T>
T Must(reeve::Result<T> result) {
  Check(result.has_value(), result ? "" : result.error().message);
  return std::move(*result);
}
void Must(reeve::Result<> result) { Check(result.has_value(), result ? "" : result.error().message); }

// SplitMix64: neighbours look unrelated.
uint64_t Mixed(uint64_t value) {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

struct Plan {
  uint64_t customers = 100'000, keys = 1'000'000, months = 1, runs = 0;
  Days month = 0;
  bool starter = false;
  std::string texts;
};

std::string TenantOf(uint64_t customer) { return fmt::format("tenant_{:06}", customer); }
std::string CustomerOf(uint64_t customer) { return reeve::crypto::DeterministicId("cust_", "customer", {TenantOf(customer)}); }
std::string KeyText(uint64_t key, uint64_t customer) { return fmt::format("{}_api_{:016x}", TenantOf(customer), Mixed(key)); }

class Maker {
 public:
  Maker(Database& database, const Plan& plan) : database_(database), plan_(plan) {}

  void Run() {
    // Nothing here has to survive a crash of this program.
    Must(database_.Execute("PRAGMA foreign_keys=OFF; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-131072; PRAGMA temp_store=MEMORY"));
    Must(database_.Execute(fmt::format("DROP INDEX {}; BEGIN", kHashIndex)));
    if (!plan_.texts.empty()) Check((texts_ = std::fopen(plan_.texts.c_str(), "w")) != nullptr, "cannot write " + plan_.texts);
    Prepare();
    for (uint64_t customer = 0; customer < plan_.customers; ++customer) AddCustomer(customer);
    if (texts_ != nullptr) std::fclose(texts_);
    Must(database_.Execute("COMMIT"));
    for (const std::string& sql : reeve::catalog::CreateStatements(reeve::catalog::ApiKeys(), reeve::catalog::Engine::kSqlite, "")) Must(database_.Execute(sql));
    if (fence_ > 0) Must(database_.Execute(fmt::format("INSERT INTO reeve_meta VALUES ('fence', '{}'), ('ledger_time', '{}')", fence_, Start() + fence_ + 1)));
    Must(database_.Execute("PRAGMA journal_mode=WAL"));
  }

 private:
  [[nodiscard]] reeve::Micros Start() const { return reeve::StartOf(plan_.month); }

  void Prepare() {
    const auto prepare = [&](Statement* statement, const std::string& sql) { *statement = Must(database_.Prepare(sql)); };
    const reeve::Micros born = Start() - 400 * reeve::kDay;
    prepare(&customer_, fmt::format("INSERT INTO customers VALUES (?1, ?2, ?2, NULL, '{}', 'active', ?2, {}, {}, '{{}}')", plan_.starter ? "starter" : "enterprise",
                                    born, born));
    prepare(&subscription_, fmt::format("INSERT INTO customer_subscriptions VALUES (?2, ?1, '{}', {}, NULL, '2026-01-01', NULL, 0, NULL, NULL, {}, {})",
                                        plan_.starter ? "starter" : "enterprise", plan_.starter ? "1000, 5, 100" : "NULL, NULL, NULL", born, born));
    prepare(&key_, fmt::format("INSERT INTO customer_api_keys VALUES (?1, ?2, ?3, ?4, randomblob(60), 'ci', '[\"pipelines:write\",\"usage:read\"]', 1, NULL, NULL, "
                               "{}, 'ops@example.com', NULL, NULL)",
                               born));
    prepare(&usage_, fmt::format("INSERT INTO customer_usage VALUES (?1, ?2, ?3, ?4, ?5, 0, '0.00', '0.00', 0, NULL, ?6, {}, {})", born, born));
    prepare(&run_, "INSERT INTO reeve_runs (tenant_id, run_id, usage_month, state, pipeline_id, api_key_id, ttl_ms, fence, reserved_at, expires_at, ended_at, "
                   "compute_ms, request_digest, outcome) VALUES (?1, ?2, ?3, 2, 'daily', 'key', 60000, ?4, ?5, ?5, ?5, 0, zeroblob(32), 'succeeded')");
    prepare(&totals_, "INSERT INTO reeve_run_totals VALUES (?1, ?2, 0, 0, 0, 0)");
  }

  void AddCustomer(uint64_t number) {
    const std::string tenant = TenantOf(number), customer = CustomerOf(number);
    const std::string subscription = reeve::crypto::DeterministicId("sub_", "subscription", {tenant});
    customer_.BindText(1, customer);
    customer_.BindText(2, tenant);
    Must(customer_.Run());
    subscription_.BindText(1, customer);
    subscription_.BindText(2, subscription);
    Must(subscription_.Run());
    const uint64_t per_customer = plan_.keys / plan_.customers;
    std::map<std::string, std::string> keys;  // hash by id: in the order of the primary key
    for (uint64_t i = number * per_customer; i < (number + 1) * per_customer; ++i) {
      const std::string text = KeyText(i, number);
      if (texts_ != nullptr) std::fprintf(texts_, "%s\n", text.c_str());
      const std::string hash = reeve::crypto::Sha256Hex(text);
      keys.emplace("key_" + hash.substr(0, 24), hash);
    }
    for (const auto& [id, hash] : keys) {
      key_.BindText(1, id);
      key_.BindText(2, customer);
      key_.BindText(3, tenant);
      key_.BindText(4, hash);
      Must(key_.Run());
    }
    AddUsage(number, tenant, customer);
  }

  void AddUsage(uint64_t number, const std::string& tenant, const std::string& customer) {
    const uint64_t runs = plan_.runs / plan_.customers + (number < plan_.runs % plan_.customers ? 1 : 0);
    for (uint64_t back = plan_.months; back-- > 0;) {
      const Days month = reeve::MonthStart(plan_.month, -static_cast<int>(back));
      const std::string id = reeve::store::UsageIdOf(tenant, month), text = reeve::FormatDate(month);
      usage_.BindText(1, id);
      usage_.BindText(2, customer);
      usage_.BindText(3, tenant);
      usage_.BindText(4, text);
      usage_.BindInt(5, back == 0 ? static_cast<int64_t>(runs) : 17);
      usage_.BindInt(6, reeve::StartOf(reeve::MonthStart(month, 1)));
      Must(usage_.Run());
    }
    const std::string month = reeve::FormatDate(plan_.month);
    for (uint64_t i = 0; i < runs; ++i) {
      const std::string id = fmt::format("{:016x}-{:016x}", Mixed(number), Mixed(i));
      run_.BindText(1, tenant);
      run_.BindText(2, id);
      run_.BindText(3, month);
      run_.BindInt(4, ++fence_);
      run_.BindInt(5, Start() + fence_);
      Must(run_.Run());
    }
    if (runs == 0) return;
    totals_.BindText(1, tenant);
    totals_.BindText(2, month);
    Must(totals_.Run());
  }

  Database& database_;
  const Plan& plan_;
  Statement customer_, subscription_, key_, usage_, run_, totals_;
  std::FILE* texts_ = nullptr;
  int64_t fence_ = 0;
};

Plan ReadPlan(int argc, char** argv) {
  Plan plan;
  plan.month = reeve::MonthStart(reeve::DateOf(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count()));
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    const auto number = [&] { return std::strtoull(value.c_str(), nullptr, 10); };
    if (name == "--customers") plan.customers = number();
    else if (name == "--keys") plan.keys = number();
    else if (name == "--months") plan.months = number();
    else if (name == "--runs") plan.runs = number();
    else if (name == "--plan") plan.starter = value == "starter";
    else if (name == "--texts") plan.texts = value;
    else if (name == "--month") plan.month = reeve::ParseDate(value + "-01").value_or(plan.month);
    else Check(false, "unknown option " + name);
  }
  Check(plan.customers > 0 && plan.customers < 1'000'000 && plan.keys >= plan.customers, "there must be a customer, fewer than a million, and a key for each");
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  Check(argc >= 2 && argc % 2 == 0, "usage: make_serving_store STORE [--customers N] [--keys N] [--months N] [--month YYYY-MM] [--runs N] [--plan NAME] [--texts FILE]");
  const Plan plan = ReadPlan(argc, argv);
  const std::string path = argv[1];
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) unlink((path + suffix).c_str());
  const auto files = reeve::MakeSystemFiles();
  const auto began = std::chrono::steady_clock::now();
  Must(reeve::store::OpenSqliteSink(*files, path, reeve::store::OpenMode::kCreate, "make_serving_store")).reset();
  {
    const auto database = Must(Database::Open(path, reeve::sqlite::Mode::kReadWrite, 0));
    Maker(*database, plan).Run();
  }
  struct stat file {};
  Check(stat(path.c_str(), &file) == 0, "the store has vanished");
  std::printf("{\"seconds\":%.2f,\"bytes\":%lld,\"customers\":%llu,\"keys\":%llu,\"runs\":%llu}\n",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(), static_cast<long long>(file.st_size),
              static_cast<unsigned long long>(plan.customers), static_cast<unsigned long long>(plan.keys), static_cast<unsigned long long>(plan.runs));
  return 0;
}
