#include "store/ledger_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "tests/fakes/ledger_events.h"

namespace reeve::store {
namespace {

using catalog::AuditLogs;
using catalog::Cell;
using catalog::RowBatch;
using testing::LedgerEvents;

// Events of some chains, to be left out, doubled or changed.
class Events {
 public:
  Events& Add(LedgerEvents& chain, int count) {
    for (int i = 0; i < count; ++i) {
      chain.Add(&rows_);
      kept_.push_back(rows_.size() - 1);
    }
    return *this;
  }
  Events& Remove(int64_t seq) {
    std::erase_if(kept_, [&](size_t row) { return LinkOf(rows_.Row(row))->seq == seq; });
    return *this;
  }
  // Another row that says the same, under an id of its own.
  Events& Double(int64_t seq) {
    const size_t row = RowOf(seq);
    const std::span<Cell> copy = rows_.AddRow();
    for (size_t i = 0; i < copy.size(); ++i) copy[i] = rows_.Row(row)[i];
    copy[Column("log_id")] = rows_.Own(std::string(copy[Column("log_id")].text) + "_again");
    kept_.push_back(rows_.size() - 1);
    return *this;
  }
  Events& Change(int64_t seq, std::string_view column, std::string_view text) {
    rows_.Row(RowOf(seq))[Column(column)] = rows_.Own(text);
    return *this;
  }
  Events& Shuffle(uint64_t seed) {
    std::mt19937_64 random(seed);
    std::shuffle(kept_.begin(), kept_.end(), random);
    return *this;
  }
  // A row of no ledger.
  Events& AddOther(std::string_view metadata) {
    rows_.AddRow()[Column("metadata")] = rows_.Own(metadata);
    kept_.push_back(rows_.size() - 1);
    return *this;
  }
  [[nodiscard]] std::string Metadata(int64_t seq) { return std::string(rows_.Row(RowOf(seq))[Column("metadata")].text); }

  [[nodiscard]] Result<> Scan(const std::function<Result<>(EventRow)>& visit) {
    ++scans;
    for (const size_t row : kept_) REEVE_TRY(visit(rows_.Row(row)));
    return {};
  }
  [[nodiscard]] LedgerVerdict Check(const LedgerEnd& mark) {
    scans = 0;
    const auto verdict = CheckLedger([this](const auto& visit) { return Scan(visit); }, mark, 17);
    EXPECT_TRUE(verdict) << verdict.error().message;
    return verdict ? *verdict : LedgerVerdict();
  }
  int scans = 0;

 private:
  static size_t Column(std::string_view name) { return static_cast<size_t>(AuditLogs().Index(name)); }
  [[nodiscard]] size_t RowOf(int64_t seq) {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](size_t row) { return LinkOf(rows_.Row(row))->seq == seq; });
    REEVE_ASSERT(found != kept_.end());
    return *found;
  }
  RowBatch rows_{AuditLogs()};
  std::vector<size_t> kept_;
};

TEST(LedgerCheck, AWholeChainIsWholeInAnyOrderAndLookedAtOnce) {
  const uint64_t seed = std::random_device{}();
  for (const int count : {1, 2, 3, 1000}) {
    Events events;
    LedgerEvents chain;
    events.Add(chain, count).AddOther(R"({"seq":1,"prev":"","facts":{}})").AddOther("{}").AddOther("").Shuffle(seed);
    const LedgerVerdict verdict = events.Check(chain.end());
    EXPECT_EQ(verdict.state, LedgerState::kWhole) << Describe(verdict) << ", seed " << seed;
    EXPECT_EQ(verdict.events, count);
    EXPECT_EQ(events.scans, 1);
  }
}

TEST(LedgerCheck, NoEventAndNoMarkAreWhole) {
  Events events;
  EXPECT_EQ(events.Check({}).state, LedgerState::kWhole);
  EXPECT_EQ(events.AddOther("{}").Check({}).state, LedgerState::kWhole);
}

TEST(LedgerCheck, AMissingEventIsNamedWhicheverItIs) {
  constexpr int kCount = 6;
  for (int64_t seq = 1; seq <= kCount; ++seq) {
    Events events;
    LedgerEvents chain;
    const LedgerVerdict verdict = events.Add(chain, kCount).Remove(seq).Shuffle(1).Check(chain.end());
    if (seq == kCount) {
      EXPECT_EQ(Describe(verdict), "events 6 to 6 of the ledger, which its mark counts, are missing");
    } else {
      EXPECT_EQ(Describe(verdict), fmt::format("event {} of the ledger is missing", seq));
    }
  }
  Events events;
  LedgerEvents chain;
  EXPECT_EQ(Describe(events.Add(chain, kCount).Remove(2).Remove(3).Remove(5).Check(chain.end())), "events 2 to 3 of the ledger are missing");
  EXPECT_EQ(Describe(events.Remove(1).Remove(4).Remove(6).Check(chain.end())), "events 1 to 6 of the ledger, which its mark counts, are missing");
}

TEST(LedgerCheck, ADoubledEventIsNamedWhicheverItIs) {
  for (int64_t seq = 2; seq <= 6; ++seq) {
    Events events;
    LedgerEvents chain;
    EXPECT_EQ(Describe(events.Add(chain, 6).Double(seq).Shuffle(1).Check(chain.end())), fmt::format("event {} of the ledger is there more than once", seq));
  }
  Events events;
  LedgerEvents chain;
  // Whoever is number 1 begins a chain; nobody follows this one.
  EXPECT_EQ(Describe(events.Add(chain, 6).Double(1).Check(chain.end())), "the ledger's events are two chains, both whole: one of 6, one of 1");
}

TEST(LedgerCheck, AChangedEventIsNamedWhicheverItIsAndWhateverWasChanged) {
  for (int64_t seq = 1; seq <= 6; ++seq) {
    for (const bool link : {false, true}) {
      Events events;
      LedgerEvents chain;
      events.Add(chain, 6);
      if (link) {
        std::string metadata = events.Metadata(seq);
        metadata.insert(metadata.find("\",\"facts"), "0");  // what it says of the one before it
        events.Change(seq, "metadata", metadata);
      } else {
        events.Change(seq, "action", "taken back");
      }
      const LedgerVerdict verdict = events.Shuffle(1).Check(chain.end());
      const bool last = seq == 6 && !link;
      EXPECT_EQ(Describe(verdict), last ? "event 6 of the ledger is not the one that its mark names" : fmt::format("event {} of the ledger is not as it was written", seq)) << link;
    }
  }
}

TEST(LedgerCheck, AnEventWithoutANumberIsNamed) {
  for (const char* metadata : {R"({"ledger_seq":x)", R"({"ledger_seq":0,"ledger_prev":"","facts":{}})", R"({"ledger_seq":-4,"ledger_prev":"","facts":{}})",
                               R"({"ledger_seq":2,"facts":{}})", R"({"ledger_seq":2,"ledger_prev":"ab)", R"({"ledger_seq":99999999999999999999,"ledger_prev":"","facts":{}})"}) {
    Events events;
    LedgerEvents chain;
    const LedgerVerdict verdict = events.Add(chain, 4).Change(2, "metadata", metadata).Check(chain.end());
    EXPECT_EQ(verdict.state, LedgerState::kUnreadable) << metadata;
    EXPECT_EQ(Describe(verdict), "event log_a2 of the ledger cannot be read: its metadata does not say which number it has and what was before it");
  }
}

TEST(LedgerCheck, AMarkThatDoesNotFitIsToldFromAChainThatIsBroken) {
  Events events;
  LedgerEvents chain;
  events.Add(chain, 3);
  const LedgerEnd third = chain.end();
  EXPECT_EQ(Describe(events.Add(chain, 2).Check(third)), "the ledger's events 1 to 5 are one chain, and its mark says that 3 was the last one");
  EXPECT_EQ(Describe(events.Check({7, std::string(64, 'a')})), "events 6 to 7 of the ledger, which its mark counts, are missing");
  EXPECT_EQ(Describe(events.Check({5, std::string(64, 'a')})), "event 5 of the ledger is not the one that its mark names");
  EXPECT_EQ(Describe(events.Check({5, ""})), "event 5 of the ledger is not the one that its mark names");
  EXPECT_EQ(events.Check({0, chain.end().head}).state, LedgerState::kMarkBehind);
  EXPECT_EQ(events.Check({std::numeric_limits<int64_t>::min(), ""}).state, LedgerState::kMarkBehind);
  EXPECT_EQ(events.Check({std::numeric_limits<int64_t>::max(), ""}).state, LedgerState::kMarkAhead);
  EXPECT_EQ(Events().Check(third).state, LedgerState::kMarkAhead) << "no event at all";
}

TEST(LedgerCheck, WithoutAMarkTheLastEventIsTakenForTheEnd) {
  Events events;
  LedgerEvents chain;
  EXPECT_EQ(Describe(events.Add(chain, 5).Check({})), "the ledger's events 1 to 5 are one chain, and no mark says whether more followed");
  EXPECT_EQ(Describe(events.Remove(2).Check({})), "event 2 of the ledger is missing");
}

TEST(LedgerCheck, TwoWholeChainsAreToldFromBrokenOnes) {
  for (const int second_length : {2, 4, 6}) {
    Events events;
    LedgerEvents first("a"), second("b");
    events.Add(first, 4).Add(second, second_length).Shuffle(1);
    for (const LedgerEnd& mark : {first.end(), second.end()}) {
      const LedgerVerdict verdict = events.Check(mark);
      EXPECT_EQ(Describe(verdict), fmt::format("the ledger's events are two chains, both whole: one of {}, one of {}", mark.seq, 4 + second_length - mark.seq));
    }
    EXPECT_EQ(events.Check({}).state, LedgerState::kTwoChains) << "both were imported";
    EXPECT_EQ(Describe(events.Check({3, second.end().head})),
              fmt::format("2 of the ledger's {} events say that they are the first one, and they are not two whole chains", 4 + second_length));
    EXPECT_EQ(events.Change(1, "action", "taken back").Check(first.end()).state, LedgerState::kManyChains);
  }
  Events events;
  LedgerEvents first("a"), second("b"), third("c");
  EXPECT_EQ(events.Add(first, 3).Add(second, 3).Add(third, 3).Check(first.end()).state, LedgerState::kManyChains);
}

TEST(LedgerCheck, ABreakIsFoundInMoreEventsThanAreLookedAtAtOnce) {
  constexpr int kCount = 70'000;  // as many as slots, and some
  const LedgerState kDone[] = {LedgerState::kMissing, LedgerState::kDoubled, LedgerState::kChanged};
  LedgerEvents chain;
  Events whole;
  whole.Add(chain, kCount);
  EXPECT_EQ(whole.Check(chain.end()).state, LedgerState::kWhole);
  for (const LedgerState state : kDone) {
    LedgerEvents same;
    Events events;
    events.Add(same, kCount);
    const int64_t seq = 65'537;
    if (state == LedgerState::kMissing) events.Remove(seq);
    if (state == LedgerState::kDoubled) events.Double(seq);
    if (state == LedgerState::kChanged) events.Change(seq, "action", "taken back");
    const LedgerVerdict verdict = events.Check(same.end());
    EXPECT_EQ(verdict.state, state);
    EXPECT_EQ(verdict.at, seq);
    EXPECT_EQ(events.scans, 3);
  }
}

TEST(LedgerCheck, AnAbsurdNumberNeitherOverflowsNorTakesForever) {
  for (const int64_t seq : {int64_t{1} << 40, std::numeric_limits<int64_t>::max()}) {
    Events events;
    LedgerEvents chain, stray("stray", {seq - 1, "ab"});
    const LedgerVerdict verdict = events.Add(chain, 3).Add(stray, 1).Check(chain.end());
    EXPECT_EQ(verdict.state, LedgerState::kMissing) << Describe(verdict);
    EXPECT_EQ(verdict.at, 4);
    EXPECT_LE(events.scans, 6);
  }
}

TEST(LedgerCheck, RowsThatChangeBetweenTwoScansAreAnError) {
  Events broken, whole;
  LedgerEvents chain, same;
  broken.Add(chain, 5).Remove(2);
  whole.Add(same, 5);
  int scans = 0;
  const auto verdict = CheckLedger([&](const auto& visit) { return scans++ == 0 ? broken.Scan(visit) : whole.Scan(visit); }, chain.end(), 17);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Code::kFailed);
}

TEST(LedgerCheck, AScanThatFailsIsPassedOn) {
  const auto verdict = CheckLedger([](const auto&) -> Result<> { return Fail(Code::kCorrupt, "the page is damaged"); }, {}, 17);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().message, "the page is damaged");
}

TEST(LedgerEndFinder, FindsTheLargestNumberAndCounts) {
  RowBatch rows(AuditLogs());
  LedgerEvents chain, other("b");
  for (int i = 0; i < 3; ++i) chain.Add(&rows);
  for (int i = 0; i < 2; ++i) other.Add(&rows);
  LedgerEndFinder finder;
  EXPECT_EQ(finder.end(), LedgerEnd());
  for (size_t i = rows.size(); i > 0; --i) finder.Add(rows.Row(i - 1));
  EXPECT_EQ(finder.end(), chain.end());
  EXPECT_EQ(finder.events(), 5);
}

}  // namespace
}  // namespace reeve::store
