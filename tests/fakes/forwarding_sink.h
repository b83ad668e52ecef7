// ForwardingSink: passes every call on to another sink. For tests that watch or fail some of them: they derive from it and override those.
#pragma once

#include "store/central_sink.h"

namespace reeve::testing {

class ForwardingSink : public store::CentralSink {
 public:
  // `base` outlives it.
  explicit ForwardingSink(store::CentralSink& base) : base_(base) {}
  std::string Url() const override { return base_.Url(); }
  store::BatchHint batch() const override { return base_.batch(); }
  Result<> ApplySchema() override { return base_.ApplySchema(); }
  Result<std::vector<store::Drift>> CheckSchema() override { return base_.CheckSchema(); }
  Result<std::vector<store::TenantResult>> Merge(std::span<const store::TenantWrite> batch) override { return base_.Merge(batch); }
  Result<std::vector<store::TenantResult>> Erase(std::span<const store::TenantWrite> after) override { return base_.Erase(after); }
  Result<> Amend(std::span<const Deletion> deletions, std::span<const catalog::RowBatch> upserts) override { return base_.Amend(deletions, upserts); }
  Result<std::unique_ptr<store::CentralReader>> OpenReader() override { return base_.OpenReader(); }
  Result<std::vector<std::string>> CheckIntegrity() override { return base_.CheckIntegrity(); }
  Result<> Checkpoint() override { return base_.Checkpoint(); }

 private:
  store::CentralSink& base_;
};

}  // namespace reeve::testing
