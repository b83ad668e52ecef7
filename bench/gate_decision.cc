// How fast the gate decides, beside bare SHA-256 of the same keys, and how much memory a key takes.
//
//   gate_decision [--keys 1000000] [--customers 100000] [--decisions 4000000]
//
// Keys are asked for at random. Both loops walk the same texts in the same order, in turns, so that whatever disturbs the machine disturbs both. Prints one
// JSON object: nanoseconds of SHA-256, of a decision by itself and of one among 64 together; bytes a key by the index's own account, and by what the process
// grew by while keys were loaded; seconds to load everything.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "crypto/sha256.h"
#include "env/clock.h"
#include "gate/authenticator.h"
#include "gate/gate_state.h"
#include "gate/loader.h"
#include "gate/run_book.h"

namespace {

using reeve::gate::GateState;
using reeve::store::ServedCustomer;
using reeve::store::ServedKey;

struct Sizes {
  uint64_t keys = 1'000'000, customers = 100'000, decisions = 4'000'000;
};

std::string KeyText(uint64_t i) {
  const std::string digest = reeve::crypto::Sha256Hex("key " + std::to_string(i));
  return "tenant" + std::to_string(i % 100'000) + "_api_" + digest.substr(0, 24);  // as the platform's own keys look
}

uint64_t ResidentBytes() {
  unsigned long long total = 0, resident = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%llu %llu", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Nothing but what has to be loaded.
class ManyKeys final : public reeve::store::ServingStore {
 public:
  explicit ManyKeys(const Sizes& sizes) : sizes_(sizes) {}
  reeve::Result<reeve::store::ServingMarks> Load(reeve::Days, const reeve::store::ServingVisitor& visitor) override {
    for (uint64_t i = 0; i < sizes_.customers; ++i) {
      ServedCustomer customer;
      customer.customer_id = "cust_" + reeve::crypto::Sha256Hex(std::to_string(i)).substr(0, 24);
      customer.tenant_id = "tenant" + std::to_string(i);
      customer.status = "active";
      customer.plan = "enterprise";
      customer.has_subscription = true;
      visitor.customer(customer);
      ids_.push_back(std::move(customer.customer_id));
    }
    resident_before_keys_ = ResidentBytes();
    for (uint64_t i = 0; i < sizes_.keys; ++i) {
      ServedKey key;
      key.digest = reeve::crypto::Sha256Digest(KeyText(i));
      key.customer_id = ids_[i * sizes_.customers / sizes_.keys];
      char id[40];
      std::snprintf(id, sizeof(id), "key_%024llx", static_cast<unsigned long long>(i));
      key.api_key_id = id;
      key.is_active = true;
      key.scopes = R"(["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"])";
      visitor.key(key);
    }
    return reeve::store::ServingMarks{};
  }
  reeve::Result<std::optional<reeve::store::RunRow>> FindRun(std::string_view, std::string_view) override { return std::nullopt; }
  reeve::Result<> Commit(const reeve::store::ServingWrites&) override { return {}; }
  reeve::Result<> Settle() override { return {}; }
  reeve::Result<> Probe() override { return {}; }
  [[nodiscard]] uint64_t resident_before_keys() const { return resident_before_keys_; }

 private:
  const Sizes sizes_;
  uint64_t resident_before_keys_ = 0;
  std::vector<std::string> ids_;
};

double Seconds(reeve::Clock& clock, int64_t since) { return static_cast<double>(clock.SteadyNanos() - since) / 1e9; }

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  for (int i = 1; i + 1 < argc; i += 2) {
    const uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--keys") == 0) sizes.keys = value;
    if (std::strcmp(argv[i], "--customers") == 0) sizes.customers = value;
    if (std::strcmp(argv[i], "--decisions") == 0) sizes.decisions = value;
  }
  const auto clock = reeve::MakeSystemClock();
  // Limits that this program does not reach.
  const auto rates = [](int64_t minute, int64_t hour) { return reeve::domain::PlanRates{"enterprise", {minute, 60 * reeve::kSecond}, {hour, reeve::kHour}}; };
  GateState state({{rates(reeve::domain::kRateMax, reeve::domain::kRateMax)}, "enterprise"});
  reeve::gate::RunBook book([](std::string_view, std::string_view) { return std::nullopt; });
  std::optional<reeve::domain::LedgerClock> ledger;
  ManyKeys store(sizes);

  const int64_t start = clock->SteadyNanos();
  if (!reeve::gate::LoadAll(store, *clock, &state, &book, &ledger)) return 1;
  const double load_s = Seconds(*clock, start);
  const uint64_t grown = ResidentBytes() - store.resident_before_keys();
  state.phase = reeve::gate::Phase::kServing;

  // Texts lie back to back in the order in which they are asked for: fetching them is not what is measured.
  constexpr size_t kTexts = 1 << 18, kTogether = 64;
  reeve::gate::TextBlocks memory;
  std::vector<std::string_view> texts(kTexts);
  uint64_t random = 1;
  for (std::string_view& text : texts) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    reeve::gate::TextRef ref;
    if (!memory.Add(KeyText((random >> 33) % sizes.keys), &ref)) return 1;
    text = memory.At(ref);
  }
  reeve::gate::Authenticator authenticator(&state, clock.get());
  const reeve::gate::Need need{.scope = "pipelines:write"};
  std::vector<reeve::gate::Ask> asks(kTogether, reeve::gate::Ask{{}, need});
  std::vector<reeve::gate::Admission> admissions(kTogether);
  double sha_best = 1e9, decide_best = 1e9, together_best = 1e9;
  uint64_t allowed = 0, sum = 0;
  for (uint64_t done = 0; done < sizes.decisions; done += kTexts) {
    int64_t at = clock->SteadyNanos();
    for (const std::string_view text : texts) sum += reeve::crypto::Sha256Digest(text)[0];
    sha_best = std::min(sha_best, Seconds(*clock, at));
    at = clock->SteadyNanos();
    for (const std::string_view text : texts) allowed += authenticator.Decide(text, need).decision.allowed();
    decide_best = std::min(decide_best, Seconds(*clock, at));
    at = clock->SteadyNanos();
    for (size_t i = 0; i < kTexts; i += kTogether) {
      for (size_t j = 0; j < kTogether; ++j) asks[j].key_text = texts[i + j];
      authenticator.DecideMany(asks, admissions);
      for (const reeve::gate::Admission& admission : admissions) allowed += admission.decision.allowed();
    }
    together_best = std::min(together_best, Seconds(*clock, at));
  }
  std::printf("{\"sha_ns\":%.1f,\"decision_ns\":%.1f,\"together_ns\":%.1f,\"allowed\":%llu,\"index_bytes_per_key\":%.1f,\"resident_bytes_per_key\":%.1f,\"load_s\":%.2f,\"sum\":%llu}\n",
              sha_best / kTexts * 1e9, decide_best / kTexts * 1e9, together_best / kTexts * 1e9, static_cast<unsigned long long>(allowed),
              static_cast<double>(state.keys.Pin().bytes()) / static_cast<double>(sizes.keys), static_cast<double>(grown) / static_cast<double>(sizes.keys), load_s,
              static_cast<unsigned long long>(sum));
  return 0;
}
