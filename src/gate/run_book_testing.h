// A run book over the memory store, driven by hand: time, commits and crashes happen where a test says so. Not for other folders.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gate/gate_testing.h"
#include "gate/ledger_audit_testing.h"
#include "gate/loader.h"
#include "gate/run_book.h"

namespace reeve::gate {

class BookWorld {
 public:
  World world;

  explicit BookWorld(const std::vector<SeedCustomer>& customers) : world(customers) { Restart(); }

  // What was not committed is gone.
  void Restart() {
    store_ = world.Store();
    state_ = std::make_unique<GateState>(world.options.rates);
    book_ = std::make_unique<RunBook>([this](std::string_view tenant, std::string_view run) { return store_->FindRun(tenant, run); });
    ledger_.reset();
    const Result<> loaded = LoadAll(*store_, world.clock, state_.get(), book_.get(), &ledger_);
    REEVE_ASSERT(loaded.has_value());
  }
  [[nodiscard]] domain::Instant Tick() { return ledger_->Tick(world.clock.Now(), world.clock.Steady()); }
  [[nodiscard]] RunAnswer Call(const RunCall& call, uint32_t customer = 0) { return book_->Call(customer, "key_x", call, Tick()); }
  // Whether there was anything to write.
  bool Commit() {
    const domain::Instant now = Tick();
    const std::optional<store::ServingWrites> writes = book_->TakeWrites(now);
    if (!writes) return false;
    const Result<> committed = store_->Commit(*writes);
    REEVE_ASSERT(committed.has_value());
    std::vector<uint32_t> changed;
    book_->Committed(now, &changed);
    return true;
  }
  [[nodiscard]] RunBook& book() { return *book_; }
  [[nodiscard]] domain::LedgerClock& ledger() { return *ledger_; }
  [[nodiscard]] RunBook::Account View(uint32_t customer = 0) { return book_->ViewOf(customer, Tick().month); }

  // A number of a stored row of customer_usage; −1: there is no such row.
  [[nodiscard]] int64_t Usage(std::string_view tenant, Days month, std::string_view column) {
    const catalog::RowBatch rows = world.Rows(catalog::Usage());
    for (size_t i = 0; i < rows.size(); ++i)
      if (At(rows, i, "tenant_id").text == tenant && At(rows, i, "usage_month").num == month) return At(rows, i, column).num;
    return -1;
  }
  // Event types of the ledger, in order of their numbers; checks the chain.
  [[nodiscard]] std::vector<std::string> Events() {
    const catalog::RowBatch rows = world.Rows(catalog::AuditLogs());
    const store::ServingMarks marks = world.Marks();
    EXPECT_EQ(CheckLedgerChain(rows, marks.audit_seq, marks.audit_head), "");
    std::map<int64_t, std::string> events;
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string metadata(At(rows, i, "metadata").text);
      events[std::stoll(metadata.substr(metadata.find(':') + 1))] = At(rows, i, "event_type").text;
    }
    std::vector<std::string> types;
    for (const auto& [seq, type] : events) types.push_back(type);
    return types;
  }
  static const catalog::Cell& At(const catalog::RowBatch& rows, size_t row, std::string_view column) {
    return rows.Row(row)[static_cast<size_t>(rows.table().Index(column))];
  }

 private:
  std::unique_ptr<store::ServingStore> store_;
  std::unique_ptr<GateState> state_;
  std::unique_ptr<RunBook> book_;
  std::optional<domain::LedgerClock> ledger_;
};

}  // namespace reeve::gate
