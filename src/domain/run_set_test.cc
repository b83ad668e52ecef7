#include "domain/run_set.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "base/encoding.h"

namespace reeve::domain {
namespace {

const Days kNovember = *ParseDate("2026-11-01");
const Micros kStart = StartOf(kNovember);

// A RunRow that owns its id.
struct Row {
  std::string id;
  RunState state = RunState::kPending;
  Micros start = 0;
  std::optional<Micros> end;
  std::optional<int64_t> duration_ms;

  [[nodiscard]] RunRow View() const { return {id, state, start, end, duration_ms}; }
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << "{" << HexEncode(row.id) << " state " << int(row.state) << " start " << row.start << " end " << row.end.value_or(-1)
             << " duration " << row.duration_ms.value_or(-1) << "}";
}

}  // namespace
}  // namespace reeve::domain

namespace rc {
template <>
struct Arbitrary<reeve::domain::Row> {
  static Gen<reeve::domain::Row> arbitrary() {
    using reeve::domain::Row;
    using reeve::domain::RunState;
    // Few ids, so that rows meet; canonical UUIDs, near misses of them, and other texts.
    const auto id = gen::oneOf(
        gen::element<std::string>("00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeefe",
                                  "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233x4455-6677-8899-aabbccddeeff", "r", "run 1", "\x01zzzzzzzzzzzzzzzz"),
        gen::nonEmpty(gen::container<std::string>(gen::inRange('a', 'd'))));
    const Gen<int64_t> start = gen::map(gen::inRange<int64_t>(-70 * 24 * 60, 70 * 24 * 60),
                                [](int64_t minutes) { return reeve::domain::kStart + minutes * 60 * reeve::kSecond + minutes; });
    const auto perhaps = [](const Gen<int64_t>& values) {
      return gen::map(gen::pair(gen::arbitrary<bool>(), values), [](const std::pair<bool, int64_t>& drawn) {
        return drawn.first ? std::optional<int64_t>(drawn.second) : std::nullopt;
      });
    };
    return gen::build<Row>(gen::set(&Row::id, id), gen::set(&Row::state, gen::element(RunState::kPending, RunState::kRunning, RunState::kTerminal)),
                           gen::set(&Row::start, start), gen::set(&Row::end, perhaps(start)),
                           gen::set(&Row::duration_ms, perhaps(gen::inRange<int64_t>(0, 10'000'000))));
  }
};
}  // namespace rc

namespace reeve::domain {
namespace {

using Rows = std::vector<Row>;

RunSet SetOf(const Rows& rows) {
  RunSet set;
  for (const Row& row : rows) set.Add(row.View());
  return set;
}

// The whole content as bytes: two sets are equal if these are.
std::string Content(const RunSet& set) {
  std::string content;
  for (const Days month : set.Months()) content += FormatMonth(month) + HexEncode(set.Encode(month)) + ";";
  return content;
}

void ExpectHolds(bool holds) { EXPECT_TRUE(holds); }

TEST(RunSet, UnionIsIdempotent) {
  ExpectHolds(rc::check([](const Rows& rows) {
    RunSet once = SetOf(rows);
    RunSet twice = SetOf(rows);
    twice.Merge(once);
    for (const Row& row : rows) twice.Add(row.View());
    RC_ASSERT(Content(twice) == Content(once));
  }));
}

TEST(RunSet, UnionIsCommutative) {
  ExpectHolds(rc::check([](const Rows& a, const Rows& b) {
    RunSet ab = SetOf(a);
    ab.Merge(SetOf(b));
    RunSet ba = SetOf(b);
    ba.Merge(SetOf(a));
    RC_ASSERT(Content(ab) == Content(ba));
  }));
}

TEST(RunSet, UnionIsAssociative) {
  ExpectHolds(rc::check([](const Rows& a, const Rows& b, const Rows& c) {
    RunSet left = SetOf(a);
    left.Merge(SetOf(b));
    left.Merge(SetOf(c));
    RunSet bc = SetOf(b);
    bc.Merge(SetOf(c));
    RunSet right = SetOf(a);
    right.Merge(bc);
    RC_ASSERT(Content(left) == Content(right));
  }));
}

TEST(RunSet, TheOrderOfRowsDoesNotMatter) {
  ExpectHolds(rc::check([](const Rows& rows) {
    Rows shuffled = rows;
    const auto seed = *rc::gen::arbitrary<uint32_t>();
    for (size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[(seed * 2654435761u + i) % i]);
    RC_ASSERT(Content(SetOf(shuffled)) == Content(SetOf(rows)));
  }));
}

TEST(RunSet, WhatIsEncodedDecodesToTheSame) {
  ExpectHolds(rc::check([](const Rows& rows) {
    const RunSet set = SetOf(rows);
    RunSet decoded;
    for (const Days month : set.Months()) RC_ASSERT(decoded.Decode(set.Encode(month), month).has_value());
    RC_ASSERT(decoded.size() == set.size());
    RC_ASSERT(Content(decoded) == Content(set));
  }));
}

TEST(RunSet, AStoredSetAndNewRowsAddUpToAllRows) {
  ExpectHolds(rc::check([](const Rows& before, const Rows& after) {
    const RunSet old = SetOf(before);
    RunSet stored;
    for (const Days month : old.Months()) RC_ASSERT(stored.Decode(old.Encode(month), month).has_value());
    for (const Row& row : after) stored.Add(row.View());
    Rows all = before;
    all.insert(all.end(), after.begin(), after.end());
    RC_ASSERT(Content(stored) == Content(SetOf(all)));
  }));
}

// Usage as docs/mapping.md §5 says it, over rows in a plain map.
MonthUsage NaiveUsage(const Rows& rows, Days month, Micros as_of, Micros abandoned_after) {
  std::map<std::string, Rows> runs;
  for (const Row& row : rows) runs[row.id].push_back(row);
  MonthUsage usage;
  for (const auto& [id, versions] : runs) {
    Micros start = versions.front().start;
    bool terminal = false;
    std::optional<Micros> end;
    std::optional<int64_t> duration;
    for (const Row& row : versions) {
      start = std::min(start, row.start);
      if (row.state != RunState::kTerminal) continue;
      terminal = true;
      if (row.end && (!end || *row.end > *end)) end = row.end;
      if (row.duration_ms && (!duration || *row.duration_ms > *duration)) duration = row.duration_ms;
    }
    if (MonthStart(DateOf(start)) != month) continue;
    ++usage.runs;
    usage.last_start = std::max(usage.last_start, start);
    if (terminal) {
      usage.compute_ms += duration ? *duration : end && *end >= start ? (*end - start) / 1000 : 0;
    } else if (as_of - start < abandoned_after) {
      ++usage.running;
    } else {
      ++usage.abandoned;
    }
  }
  return usage;
}

TEST(RunSet, UsageAgreesWithAPlainCount) {
  ExpectHolds(rc::check([](const Rows& rows) {
    const RunSet set = SetOf(rows);
    const Micros as_of = kStart + *rc::gen::inRange<int64_t>(-40, 40) * kDay;
    const Micros limit = *rc::gen::element<Micros>(0, kHour, 24 * kHour, 400 * kHour);
    for (int offset = -4; offset <= 4; ++offset) {
      const Days month = MonthStart(kNovember, offset);
      const MonthUsage ours = set.Usage(month, as_of, limit);
      const MonthUsage naive = NaiveUsage(rows, month, as_of, limit);
      RC_ASSERT(ours.runs == naive.runs);
      RC_ASSERT(ours.running == naive.running);
      RC_ASSERT(ours.abandoned == naive.abandoned);
      RC_ASSERT(ours.compute_ms == naive.compute_ms);
      RC_ASSERT(ours.last_start == naive.last_start);
    }
  }));
}

TEST(RunSet, MonthsAreThoseWithRunsAscending) {
  ExpectHolds(rc::check([](const Rows& rows) {
    const RunSet set = SetOf(rows);
    std::set<Days> expected;
    for (int offset = -4; offset <= 4; ++offset)
      if (NaiveUsage(rows, MonthStart(kNovember, offset), 0, 0).runs > 0) expected.insert(MonthStart(kNovember, offset));
    RC_ASSERT(set.Months() == std::vector<Days>(expected.begin(), expected.end()));
  }));
}

TEST(RunSet, DamagedBytesAreRefusedOrReadButNeverMore) {
  ExpectHolds(rc::check([](const Rows& rows, const std::string& garbage) {
    std::string blob = SetOf(rows).Encode(kNovember);
    const auto at = *rc::gen::inRange<size_t>(0, blob.size() + 1);
    const auto how = *rc::gen::inRange(0, 3);
    if (how == 0) blob.resize(at);
    if (how == 1) blob.insert(at, garbage);
    if (how == 2 && at < blob.size()) blob[at] = static_cast<char>(blob[at] ^ *rc::gen::inRange(1, 256));
    RunSet set;
    const Result<> result = set.Decode(blob, kNovember);
    if (!result) {
      RC_ASSERT(result.error().code == Code::kCorrupt);
      RC_ASSERT(result.error().message.find("offset") != std::string::npos);
    }
    for (const Days month : set.Months()) {
      (void)set.Usage(month, kStart, kHour);
      RunSet again;
      RC_ASSERT(again.Decode(set.Encode(month), month).has_value());
    }
  }));
}

TEST(RunSet, CutAtEveryByteItIsRefusedOrAPrefix) {
  RunSet set;
  set.Add({"00112233-4455-6677-8899-aabbccddeeff", RunState::kTerminal, kStart + 5, kStart + 5000, 7});
  set.Add({"some run", RunState::kRunning, kStart + 9, {}, {}});
  const std::string blob = set.Encode(kNovember);
  size_t whole = 0;
  for (size_t size = 0; size < blob.size(); ++size) {
    RunSet decoded;
    const Result<> result = decoded.Decode(blob.substr(0, size), kNovember);
    whole += result.has_value();
    EXPECT_LT(decoded.size(), 2u);
  }
  EXPECT_EQ(whole, 2u);  // the empty set and the set of the first run
  RunSet decoded;
  EXPECT_FALSE(decoded.Decode("", kNovember));
  EXPECT_NE(decoded.Decode("\x02", kNovember).error().message.find("version 2 at offset 0, expected 1"), std::string::npos);
}

TEST(RunSet, OnlyTheOneEncodingOfASetIsRead) {
  const auto decode = [](std::string_view hex) { return RunSet().Decode(*HexDecode(hex), kNovember).has_value(); };
  const std::string a = "0002" "0161" "00" "00";  // text id "a", running, start + 0
  const std::string b = "0002" "0162" "00" "00";
  EXPECT_TRUE(decode("01"));
  EXPECT_TRUE(decode("01" + a + b));
  EXPECT_FALSE(decode("01" + b + a)) << "not in order";
  EXPECT_FALSE(decode("01" + a + a)) << "an id twice";
  EXPECT_FALSE(decode("01" "0202" "0161" "00" "00")) << "unknown kind";
  EXPECT_FALSE(decode("01" "0000" "0161" "00" "00")) << "unknown status";
  EXPECT_FALSE(decode("01" "0004" "0161" "00" "00")) << "unknown status";
  EXPECT_FALSE(decode("01" "0002" "00" "00" "00")) << "an empty id";
  EXPECT_FALSE(decode("01" "0002" "810061" "00" "00")) << "a number that is not in its shortest form";
  EXPECT_FALSE(decode("01" "0002" "0161" "01" "00")) << "a start before the month";
  EXPECT_FALSE(decode("01" "0002" "0161" "8080eaf3ef9601" "00")) << "a start after the month";
  EXPECT_TRUE(decode("01" "0002" "0161" "feffe9f3ef9601" "00")) << "its last instant";
  EXPECT_FALSE(decode("01" "0002" "0161" "00" "04")) << "unknown flags";
  EXPECT_FALSE(decode("01" "0003" "0161" "00" "01" "feffffffffffffffff01")) << "an end beyond int64";
  EXPECT_FALSE(decode("01" "0003" "0161" "00" "02" "80808080808080808001")) << "a duration beyond int64";
  EXPECT_FALSE(decode("01" "0003" "0161" "00" "02" "8080808080808080808001")) << "a number beyond 64 bits";
  EXPECT_FALSE(decode("01" "0002" "24" + HexEncode("00112233-4455-6677-8899-aabbccddeeff") + "0000")) << "a UUID as text";
  EXPECT_TRUE(decode("01" "0002" "24" + HexEncode("00112233-4455-6677-8899-AABBCCDDEEFF") + "0000"));
}

TEST(RunSet, WhatAStoredOpenRunSaysAboutItsEndDoesNotCount) {
  RunSet set;
  ASSERT_TRUE(set.Decode(*HexDecode("01" "0002" "0161" "00" "03" "8080bdb10e" "e807"), kNovember));
  EXPECT_EQ(set.runs()[0].end, Run::kNoEnd);
  EXPECT_EQ(set.runs()[0].duration_ms, -1);
}

TEST(RunSet, TheStoredFormIsFrozen) {
  RunSet set;
  set.Add({"00112233-4455-6677-8899-aabbccddeeff", RunState::kTerminal, kStart + 5, kStart + 4, 300});
  set.Add({"ab", RunState::kRunning, kStart, {}, {}});
  EXPECT_EQ(HexEncode(set.Encode(kNovember)),
            "01"                                                     // version
            "00" "02" "02" "6162" "00" "00"                          // text id, running, start + 0, neither end nor duration
            "01" "03" "00112233445566778899aabbccddeeff" "0a" "03" "01" "ac02");  // UUID, terminal, start + 5, end − 1, 300 ms
}

TEST(RunSet, OnlyTheCanonicalUuidIsPackedSoThatOtherSpellingsStayOtherRuns) {
  RunSet set;
  set.Add({"00112233-4455-6677-8899-aabbccddeeff", RunState::kPending, kStart, {}, {}});
  set.Add({"00112233-4455-6677-8899-AABBCCDDEEFF", RunState::kPending, kStart, {}, {}});
  set.Add({"00112233445566778899aabbccddeeff", RunState::kPending, kStart, {}, {}});
  set.Add({std::string_view("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16), RunState::kPending, kStart, {}, {}});
  EXPECT_EQ(set.size(), 4u);
}

TEST(RunSet, TheGuidesTwoRowsPerRunAreOneRun) {
  RunSet set;
  set.Add({"r1", RunState::kPending, kStart + 10, {}, {}});
  set.Add({"r1", RunState::kTerminal, kStart + 20, kStart + 5'000'010, {}});
  const MonthUsage usage = set.Usage(kNovember, kStart + kDay, 24 * kHour);
  EXPECT_EQ(usage.runs, 1);
  EXPECT_EQ(usage.running, 0);
  EXPECT_EQ(usage.compute_ms, 5000);
  EXPECT_EQ(usage.last_start, kStart + 10);
}

TEST(RunSet, ARunOverMonthEndBelongsToTheMonthItStartedIn) {
  const Micros december = StartOf(MonthStart(kNovember, 1));
  RunSet set;
  set.Add({"r1", RunState::kTerminal, december - 1, december + kHour, {}});
  set.Add({"r2", RunState::kTerminal, december, december + kHour, {}});
  EXPECT_EQ(set.Usage(kNovember, december, kHour).runs, 1);
  EXPECT_EQ(set.Usage(MonthStart(kNovember, 1), december, kHour).runs, 1);
}

TEST(RunSet, AnOpenRunIsAbandonedExactlyWhenItReachesTheLimit) {
  RunSet set;
  set.Add({"r1", RunState::kRunning, kStart, {}, {}});
  EXPECT_EQ(set.Usage(kNovember, kStart + kHour - 1, kHour).running, 1);
  EXPECT_EQ(set.Usage(kNovember, kStart + kHour, kHour).running, 0);
  EXPECT_EQ(set.Usage(kNovember, kStart + kHour, kHour).abandoned, 1);
}

TEST(RunSet, HoldsManyRunsAndForgetsThemAll) {
  RunSet set;
  for (int i = 0; i < 20'000; ++i) set.Add({fmt::format("run-{}", i % 10'000), RunState::kTerminal, kStart + i, {}, i});
  EXPECT_EQ(set.size(), 10'000u);
  EXPECT_EQ(set.Usage(kNovember, kStart, kHour).runs, 10'000);
  set.Clear();
  EXPECT_EQ(set.size(), 0u);
  EXPECT_TRUE(set.Months().empty());
  set.Add({"run-1", RunState::kPending, kStart, {}, {}});
  EXPECT_EQ(set.size(), 1u);
}

TEST(RunSet, RunsThatAreTakenOutAreGoneAndTheOthersAreFound) {
  const std::string uuid = "0b1d2c3e-0000-4000-8000-00000000abcd";
  RunSet set;
  std::vector<std::string> odd;
  for (int i = 0; i < 500; ++i) {
    const std::string id = fmt::format("run-{}", i);
    set.Add({id, RunState::kTerminal, i * kSecond, std::nullopt, 1});
    if (i % 2 == 1) odd.push_back(id);
  }
  set.Add({uuid, RunState::kRunning, 0, std::nullopt, std::nullopt});
  odd.push_back(uuid);
  odd.push_back("never there");
  EXPECT_EQ(set.Remove(odd), 251u);
  EXPECT_EQ(set.size(), 250u);
  for (int i = 0; i < 500; ++i) set.Add({fmt::format("run-{}", i), RunState::kTerminal, i * kSecond, std::nullopt, 1});
  EXPECT_EQ(set.size(), 500u) << "those that stayed were found again, the others came back";
}

}  // namespace
}  // namespace reeve::domain
