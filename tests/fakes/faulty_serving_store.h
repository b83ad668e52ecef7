// FaultyServingStore: another serving store, which fails where a test says so and counts what it is asked. As the port promises, a commit that failed is on
// the medium as a whole or not at all, and nothing is committed after it.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>

#include "store/serving_store.h"

namespace reeve::testing {

// What FaultyServingStore does; outlives it, so that a test can look and command.
struct StoreFaults {
  std::atomic<int64_t> fail_commit{-1};     // number of the commit that fails, from 0; −1: none. Later ones fail too
  std::atomic<bool> keep_failed{false};     // whether the failed one is on the medium all the same
  std::atomic<bool> probe_fails{false}, find_fails{false}, load_fails{false};
  std::atomic<int64_t> commits{0}, rows{0}, touches{0}, finds{0};
  std::atomic<size_t> largest{0};           // runs in one transaction
  std::atomic<bool> held{false};            // commits wait while it is set
  void Hold() { held = true; }
  void Release() {
    held = false;
    held.notify_all();
  }
};

// Another store with faults. A commit that failed is either there as a whole or not at all, as the port says.
class FaultyServingStore final : public store::ServingStore {
 public:
  FaultyServingStore(std::unique_ptr<store::ServingStore> inner, StoreFaults* faults) : inner_(std::move(inner)), faults_(*faults) {}
  Result<store::ServingMarks> Load(Days from, const store::ServingVisitor& visitor) override {
    if (faults_.load_fails) return Fail(Code::kFailed, "told to fail");
    return inner_->Load(from, visitor);
  }
  Result<std::optional<store::RunRow>> FindRun(std::string_view tenant, std::string_view run) override {
    ++faults_.finds;
    if (faults_.find_fails) return Fail(Code::kFailed, "told to fail");
    return inner_->FindRun(tenant, run);
  }
  Result<> Commit(const store::ServingWrites& writes) override {
    const int64_t number = faults_.commits++;
    faults_.commits.notify_all();
    faults_.held.wait(true);
    const int64_t failing = faults_.fail_commit;
    if (failing < 0 || number < failing) {
      faults_.rows += static_cast<int64_t>(writes.runs.size() + writes.usage.size());
      faults_.touches += static_cast<int64_t>(writes.touches.size());
      faults_.largest = std::max<size_t>(faults_.largest, writes.runs.size());
      return inner_->Commit(writes);
    }
    if (number == failing && faults_.keep_failed) (void)inner_->Commit(writes);
    return Fail(Code::kFailed, "told to fail");
  }
  store::UseLoad TakeUseLoad() override { return inner_->TakeUseLoad(); }
  Result<> Settle() override { return inner_->Settle(); }
  Result<> Probe() override {
    if (faults_.probe_fails) return Fail(Code::kFailed, "told to fail");
    return inner_->Probe();
  }

 private:
  const std::unique_ptr<store::ServingStore> inner_;
  StoreFaults& faults_;
};

}  // namespace reeve::testing
