// Audit events of the ledger that a store has before it is served: their chain is gone on with. For every adapter of ServingStore; what only the embedded store says
// of it follows.
#include <gtest/gtest.h>

#include "drivers/sqlite/sqlite.h"
#include "store/serving_store.h"
#include "store/sqlite/serving_store.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/conformance/serving_world.h"
#include "tests/fakes/ledger_events.h"

namespace reeve::store {
namespace {

using catalog::RowBatch;
using testing::LedgerEvents;
using Lines = std::vector<std::string>;

RowBatch Next(LedgerEvents& chain, int count) {
  RowBatch rows(catalog::AuditLogs());
  for (int i = 0; i < count; ++i) chain.Add(&rows, "t0", OwnerOf("t0").customer_id);
  return rows;
}

// As an import brings them.
void Import(CentralSink& sink, RowBatch rows) {
  const TenantWrite write = WriteOf("t0", 1, std::move(rows));
  const auto results = sink.Merge({&write, 1});
  ASSERT_TRUE(results) << results.error().message;
  ASSERT_EQ(results->front().outcome, Outcome::kMerged) << results->front().detail;
}

ServingWrites WritesOf(LedgerEvents& chain, int count) {
  ServingWrites writes;
  writes.audit = Next(chain, count);
  writes.audit_seq = chain.end().seq, writes.audit_head = chain.end().head;
  return writes;
}

class ServingChain : public ::testing::TestWithParam<const char*> {
 protected:
  LedgerEnd Loaded() {
    const auto ignore = [](const auto&) {};
    const auto marks = place_->store().Load(kServedMonth, {ignore, ignore, ignore, ignore});
    REEVE_ASSERT(marks.has_value());
    return {marks->audit_seq, marks->audit_head};
  }
  void Import(RowBatch rows) { store::Import(*place_->Sink(), std::move(rows)); }

  std::unique_ptr<ServingPlace> place_ = std::string_view(GetParam()) == "memory" ? MakeMemoryPlace() : MakeSqlitePlace();
};
INSTANTIATE_TEST_SUITE_P(Adapters, ServingChain, ::testing::Values("memory", "sqlite"), [](const auto& info) { return info.param; });

TEST_P(ServingChain, AStoreWithoutEventsBeginsAtNumberOne) {
  EXPECT_EQ(Loaded(), LedgerEnd());
  LedgerEvents chain;
  ASSERT_TRUE(place_->store().Commit(WritesOf(chain, 2)));
  place_->Close();
  EXPECT_EQ(Loaded(), chain.end());
}

TEST_P(ServingChain, AnImportedChainIsGoneOnWith) {
  LedgerEvents chain;
  Import(Next(chain, 12));
  EXPECT_EQ(Loaded(), chain.end());
  ASSERT_TRUE(place_->store().Commit(WritesOf(chain, 3)));
  place_->Crash();
  EXPECT_EQ(Loaded(), chain.end());
}

TEST_P(ServingChain, WhatWasTakenForTheEndStaysEvenIfNothingIsCommittedAndMoreIsImported) {
  LedgerEvents chain;
  Import(Next(chain, 5));
  const LedgerEnd end = chain.end();
  EXPECT_EQ(Loaded(), end);
  place_->Close();
  Import(Next(chain, 5));
  EXPECT_EQ(Loaded(), end) << "it is looked for once";
}

TEST_P(ServingChain, AnImportIntoAStoreThatHasAChainChangesNothingOfIt) {
  LedgerEvents chain("own"), other("other");
  (void)Loaded();
  ASSERT_TRUE(place_->store().Commit(WritesOf(chain, 2)));
  place_->Close();
  Import(Next(other, 7));
  EXPECT_EQ(Loaded(), chain.end());
}

TEST_P(ServingChain, AChainWithAHoleIsGoneOnWithAfterItsLargestNumber) {
  LedgerEvents chain;
  (void)Next(chain, 3);
  Import(Next(chain, 4));
  EXPECT_EQ(Loaded(), chain.end());
}

TEST(SqliteServingChain, TheOperatorIsToldOnceAndWhetherItIsWhole) {
  for (const bool whole : {true, false}) {
    const TempDir dir;
    const auto files = MakeSystemFiles();
    const std::string path = dir.File("store.db");
    {
      const auto sink = OpenSqliteSink(*files, path, OpenMode::kCreate, "seed").value();
      SeedServed(*sink);
      LedgerEvents chain;
      if (!whole) (void)Next(chain, 1);
      Import(*sink, Next(chain, 2));
    }
    Lines notes;
    ASSERT_TRUE(OpenSqliteServingStore(*files, path, "test", &notes));
    EXPECT_EQ(notes, Lines{whole ? "the ledger's audit events came without a mark where they end: their chain goes on after event 2"
                                 : "the ledger's audit events came without a mark where they end: their chain goes on after event 3; 2 events are there, so it is "
                                   "not whole: reeve doctor says what is wrong with it"});
    notes.clear();
    ASSERT_TRUE(OpenSqliteServingStore(*files, path, "test", &notes));
    EXPECT_EQ(notes, Lines());
  }
}

}  // namespace
}  // namespace reeve::store
