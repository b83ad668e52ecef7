// Random sequences of operations on an engine's store and on the model: outcomes, counts and every row agree.
#include <gtest/gtest.h>

#include "store/memory/memory.h"
#include "tests/conformance/central_sink_adapters.h"
#include "tests/conformance/central_sink_world.h"

namespace reeve::store {
namespace {

class Pair {
 public:
  explicit Pair(std::unique_ptr<Adapter> adapter) : adapter_(std::move(adapter)), model_(MakeMemorySink()) { Reopen(); }

  void Reopen() {
    engine_ = nullptr;
    engine_ = adapter_->Open();
  }

  // One to four tenants in one transaction; attempts wander, so that some are stale.
  void Merge(std::mt19937_64& random) {
    std::vector<TenantWrite> batch;
    for (int n = 1 + random() % 4; n > 0; --n) batch.push_back(RandomWrite(random, RandomTenant(random), Attempt(random)));
    const auto engine = engine_->Merge(batch);
    const auto model = model_->Merge(batch);
    ASSERT_TRUE(engine) << engine.error().message;
    ASSERT_TRUE(model);
    for (size_t i = 0; i < batch.size(); ++i) Compare((*engine)[i], (*model)[i]);
  }

  void Erase(std::mt19937_64& random) {
    std::map<std::string, TenantWrite> after;
    for (int n = 1 + random() % 3; n > 0; --n) {
      const std::string tenant = RandomTenant(random);
      after.insert_or_assign(tenant, RandomWrite(random, tenant, Attempt(random)));
    }
    std::vector<TenantWrite> batch;
    for (auto& [tenant, write] : after) batch.push_back(std::move(write));
    const auto engine = engine_->Erase(batch);
    const auto model = model_->Erase(batch);
    ASSERT_TRUE(engine) << engine.error().message;
    ASSERT_EQ(engine->size(), batch.size());
    for (size_t i = 0; i < batch.size(); ++i) Compare((*engine)[i], (*model)[i]);
  }

  void Amend(std::mt19937_64& random) {
    std::vector<std::vector<std::string>> texts;
    std::vector<CentralSink::Deletion> deletions;
    std::vector<catalog::RowBatch> upserts;
    RandomRepair(random, *model_, &texts, &deletions, &upserts);
    const auto engine = engine_->Amend(deletions, upserts);
    const auto model = model_->Amend(deletions, upserts);
    ASSERT_EQ(engine.has_value(), model.has_value()) << (engine ? model.error().message : engine.error().message);
  }

  void CompareAll() {
    ASSERT_EQ(Dump(*engine_), Dump(*model_));
    const auto findings = engine_->CheckIntegrity();
    ASSERT_TRUE(findings);
    for (const std::string& finding : *findings) ASSERT_NE(finding.find("usage_other occurs"), std::string::npos) << finding;
  }

  std::array<int, 3> outcomes = {};

 private:
  int64_t Attempt(std::mt19937_64& random) { return ++clock_ / 20 + static_cast<int64_t>(random() % 3); }

  void Compare(const TenantResult& engine, const TenantResult& model) {
    ASSERT_EQ(engine.outcome, model.outcome) << engine.detail << " / " << model.detail;
    ASSERT_EQ(engine.rows_changed, model.rows_changed);
    ++outcomes[static_cast<int>(engine.outcome)];
  }

  std::unique_ptr<Adapter> adapter_;
  std::unique_ptr<CentralSink> model_;
  std::unique_ptr<CentralSink> engine_;
  int64_t clock_ = 0;
};

// An engine, and how many steps it takes in a few seconds.
struct Engine {
  const char* name;
  int steps;
};

class CentralSinkModel : public testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(Engines, CentralSinkModel, testing::Values(Engine{"sqlite", 1000}, Engine{"bigquery", 200}, Engine{"bigquery_plain", 100},
                                                                           Engine{"bigquery_emulator", 25}),
                         [](const auto& info) { return info.param.name; });

TEST_P(CentralSinkModel, TheEngineAndTheModelAgreeAfterRandomOperations) {
  std::string why;
  std::unique_ptr<Adapter> adapter = MakeAdapter(GetParam().name, &why);
  if (adapter == nullptr) GTEST_SKIP() << why;
  const uint64_t seed = TakeSeed();
  std::mt19937_64 random(seed);
  Pair pair(std::move(adapter));
  for (int step = 0; step < GetParam().steps; ++step) {
    SCOPED_TRACE(fmt::format("seed {} step {}", seed, step));
    switch (random() % 20) {
      case 0: pair.Erase(random); break;
      case 1: pair.Amend(random); break;
      case 2: pair.Reopen(); break;
      default: pair.Merge(random); break;
    }
    if (step % 25 == 0) pair.CompareAll();
    if (testing::Test::HasFatalFailure()) return;
  }
  pair.CompareAll();
  for (const int count : pair.outcomes) EXPECT_GT(count, GetParam().steps / 100) << "every outcome was met";
}

}  // namespace
}  // namespace reeve::store
