// What the doctor says of the chain of the ledger's audit events (store/ledger_check_test.cc has every way in which one breaks), and that what a command of ours does to a
// store leaves it whole.
#include "migrate/ops/ops_testing.h"
#include "migrate/ops/tenant_rows.h"
#include "store/serving_rows.h"
#include "store/sqlite/serving_store.h"
#include "tests/fakes/ledger_events.h"

namespace reeve::migrate::ops {
namespace {

using State = Check::State;
using reeve::testing::LedgerEvents;

class DoctorOfTheChain : public ::testing::TestWithParam<Kind> {
 protected:
  DoctorOfTheChain() { Rows("acme").Customer().Subscription("sub_a").WriteTo(world_); }

  Check Line(World& world) {
    const auto checks = Doctor(*world.Reader(), *world.files, world.dir / "reeve.db", world.clock.now, {}, {});
    EXPECT_OK(checks);
    for (const Check& check : *checks)
      if (check.name == "Audit chain of the ledger whole") return check;
    ADD_FAILURE() << "the doctor did not look at the chain";
    return {};
  }
  Check Line() { return Line(world_); }

  void Write(LedgerEvents& chain, int count) {
    RowBatch rows(catalog::AuditLogs());
    for (int i = 0; i < count; ++i) chain.Add(&rows, "acme", CustomerIdOf("acme"));
    Merge({"acme", CustomerIdOf("acme")}, std::move(rows));
  }
  void Mark(const store::LedgerEnd& end) {
    RowBatch rows(catalog::ReeveMeta());
    for (const auto& [key, value] : {std::pair(store::kAuditSeqMark, std::to_string(end.seq)), std::pair(store::kAuditHeadMark, end.head)}) {
      const std::span<Cell> row = rows.AddRow();
      Put(&rows, row, "key", key);
      Put(&rows, row, "value", value);
    }
    Merge({}, std::move(rows));
  }
  // Takes the event away and puts what `change` makes of it in its place, if anything.
  void Change(const std::string& log_id, const std::function<bool(RowBatch*, std::span<Cell>)>& change) {
    RowBatch events(catalog::AuditLogs()), changed(catalog::AuditLogs());
    ASSERT_OK(world_.Reader()->Read(catalog::AuditLogs(), {"acme", {}}, &events));
    for (size_t i = 0; i < events.size(); ++i) {
      if (TextAt(events.table(), events.Row(i), "log_id") != log_id) continue;
      if (!change(&changed, CopyRow(events.Row(i), &changed))) changed.Clear();
    }
    std::vector<RowBatch> upserts;
    if (!changed.empty()) upserts.push_back(std::move(changed));
    const store::CentralSink::Deletion deletion{&catalog::AuditLogs(), {Cell::Text(log_id)}};
    ASSERT_OK(world_.sink->Amend({&deletion, 1}, upserts));
  }

  World world_{GetParam()};

 private:
  void Merge(const store::Owner& owner, RowBatch rows) {
    store::TenantWrite write{owner, 1, {}};
    write.tables.push_back(std::move(rows));
    const auto results = world_.sink->Merge({&write, 1});
    ASSERT_OK(results);
    ASSERT_EQ((*results)[0].outcome, store::Outcome::kMerged) << (*results)[0].detail;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, DoctorOfTheChain, ::testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& info) { return info.param == Kind::kMemory ? "Memory" : "Sqlite"; });

TEST_P(DoctorOfTheChain, AWholeChainAndNoneAtAllAreFine) {
  Check line = Line();
  EXPECT_EQ(line.state, State::kOk);
  EXPECT_EQ(line.evidence, "the ledger has no event");
  LedgerEvents chain;
  Write(chain, 5);
  Mark(chain.end());
  line = Line();
  EXPECT_EQ(line.state, State::kOk) << line.evidence;
  EXPECT_EQ(line.evidence, "5 events in one chain, up to its mark");
}

TEST_P(DoctorOfTheChain, AnEventThatIsGoneChangedOrDoubledFailsAndIsNamed) {
  LedgerEvents chain;
  Write(chain, 5);
  Mark(chain.end());
  Change(chain.Id(3), [](RowBatch* rows, std::span<Cell> row) {
    Put(rows, row, "action", "taken back");
    return true;
  });
  Check line = Line();
  EXPECT_EQ(line.state, State::kFailed);
  EXPECT_EQ(line.evidence, "event 3 of the ledger is not as it was written");
  EXPECT_NE(line.advice, "");
  Change(chain.Id(2), [](RowBatch* rows, std::span<Cell> row) {
    const std::vector<Cell> same(row.begin(), row.end());  // adding a row moves those of the batch
    Put(rows, CopyRow(same, rows), "log_id", "log_again");
    return true;
  });
  EXPECT_EQ(Line().evidence, "event 2 of the ledger is there more than once");
  Change("log_again", [](auto*, auto) { return false; });
  Change(chain.Id(2), [](auto*, auto) { return false; });
  EXPECT_EQ(Line().evidence, "event 2 of the ledger is missing");
}

TEST_P(DoctorOfTheChain, AMarkThatIsBehindAheadElsewhereOrNoNumberFails) {
  LedgerEvents chain;
  Write(chain, 3);
  const store::LedgerEnd third = chain.end();
  Write(chain, 2);
  Mark(third);
  EXPECT_EQ(Line().state, State::kFailed);
  EXPECT_EQ(Line().evidence, "the ledger's events 1 to 5 are one chain, and its mark says that 3 was the last one");
  Mark({6, std::string(64, 'a')});
  EXPECT_EQ(Line().evidence, "events 6 to 6 of the ledger, which its mark counts, are missing");
  Mark({5, std::string(64, 'a')});
  EXPECT_EQ(Line().evidence, "event 5 of the ledger is not the one that its mark names");
  Mark(chain.end());
  EXPECT_EQ(Line().state, State::kOk);
  Change(chain.Id(5), [](auto*, auto) { return false; });
  EXPECT_EQ(Line().evidence, "events 5 to 5 of the ledger, which its mark counts, are missing");
}

TEST_P(DoctorOfTheChain, TwoChainsAreAWarningIfBothAreWhole) {
  LedgerEvents imported("old"), chain("new");
  Write(imported, 4);
  Write(chain, 2);
  Mark(chain.end());
  Check line = Line();
  EXPECT_EQ(line.state, State::kWarning);
  EXPECT_EQ(line.evidence, "the ledger's events are two chains, both whole: one of 2, one of 4");
  Change(imported.Id(2), [](auto*, auto) { return false; });
  line = Line();
  EXPECT_EQ(line.state, State::kFailed);
  EXPECT_EQ(line.evidence, "2 of the ledger's 5 events say that they are the first one, and they are not two whole chains");
}

TEST_P(DoctorOfTheChain, MergingCustomersLeavesTheLedgersEventsAsTheyAre) {
  LedgerEvents chain;
  std::vector<RowBatch> events;
  chain.Add(&events.emplace_back(catalog::AuditLogs()), "acme", "cust_gone");
  chain.Add(&events.back(), "acme", CustomerIdOf("acme"));
  ASSERT_OK(world_.sink->Amend({}, events));
  const auto before = ReadTenantRows(*world_.Reader(), "acme");
  ASSERT_OK(before);
  const auto merged = MergeTenant(*before, world_.clock.now);
  ASSERT_OK(merged);
  const RowBatch& kept = merged->rows.Of(catalog::AuditLogs());
  std::vector<std::string> lines;
  for (size_t i = 0; i < kept.size(); ++i) lines.push_back(LineOf(kept.table(), kept.Row(i)));
  EXPECT_EQ(lines, Lines(*world_.Reader(), catalog::AuditLogs()));
}

// A store of its own kind, since only the embedded one is served.
TEST(ChainOfAnImport, IsKnownToHaveNoMarkAndGoneOnWithWhenTheStoreIsServed) {
  World first(Kind::kSqlite), second(Kind::kSqlite);
  const auto serve = [](World& world, const std::string& name, const store::LedgerEnd& before) {
    world.sink.reset();
    std::vector<std::string> notes;
    {
      auto opened = store::OpenSqliteServingStore(*world.files, world.dir / "reeve.db", "test", &notes);
      REEVE_ASSERT(opened.has_value());
      const auto ignore = [](const auto&) {};
      const auto marks = (*opened)->Load(0, {ignore, ignore, ignore, ignore});
      REEVE_ASSERT(marks.has_value());
      EXPECT_EQ((store::LedgerEnd{marks->audit_seq, marks->audit_head}), before);
      LedgerEvents chain(name, {marks->audit_seq, marks->audit_head});
      store::ServingWrites writes;
      for (int i = 0; i < 3; ++i) chain.Add(&(writes.audit ? *writes.audit : writes.audit.emplace(catalog::AuditLogs())), "acme", CustomerIdOf("acme"));
      writes.audit_seq = chain.end().seq, writes.audit_head = chain.end().head;
      EXPECT_OK((*opened)->Commit(writes));
    }
    world.sink = MakeSink(Kind::kSqlite, *world.files, world.dir / "reeve.db");
    return notes;
  };
  const auto line = [](World& world) {
    const auto checks = Doctor(*world.Reader(), *world.files, world.dir / "reeve.db", world.clock.now, {}, {});
    REEVE_ASSERT(checks.has_value());
    return *std::find_if(checks->begin(), checks->end(), [](const Check& check) { return check.name == "Audit chain of the ledger whole"; });
  };
  Rows("acme").Customer().Subscription("sub_a").WriteTo(first);
  EXPECT_EQ(serve(first, "first", {}), std::vector<std::string>());
  EXPECT_EQ(line(first).state, State::kOk) << line(first).evidence;
  ASSERT_OK(ExportCentral(*first.Reader(), *first.files, first.dir / "out", first.progress, first.clock.now));
  ASSERT_OK(ImportCentral(second.engine(), first.dir / "out", false));
  EXPECT_EQ(line(second).state, State::kUnknown);
  EXPECT_EQ(line(second).evidence, "the ledger's events 1 to 3 are one chain, and no mark says whether more followed");

  RowBatch rows(catalog::AuditLogs());
  LedgerEvents same("first");
  for (int i = 0; i < 3; ++i) same.Add(&rows, "acme", CustomerIdOf("acme"));
  EXPECT_EQ(serve(second, "second", same.end()),
            std::vector<std::string>{"the ledger's audit events came without a mark where they end: their chain goes on after event 3"});
  EXPECT_EQ(line(second).state, State::kOk) << line(second).evidence;
  EXPECT_EQ(line(second).evidence, "6 events in one chain, up to its mark");
}

}  // namespace
}  // namespace reeve::migrate::ops
