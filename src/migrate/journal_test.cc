#include "migrate/journal.h"

#include <gtest/gtest.h>

#include <random>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/faulty_files.h"

namespace reeve::migrate {
namespace {

using testing::Fault;
using testing::FaultyFiles;
using testing::TempDir;

constexpr Micros kNow = 1'795'370'580 * kSecond;

JournalRecord Begin(int64_t attempt) {
  return {.type = "begin", .attempt = attempt, .at = kNow, .as_of = kNow + attempt, .source = "export:/estate", .digest = "plan"};
}
JournalRecord Moved(std::string tenant, Phase phase, int64_t attempt, std::string digest = "") {
  return {.type = "phase", .tenant = std::move(tenant), .phase = std::string(PhaseName(phase)), .attempt = attempt, .at = kNow,
          .as_of = phase == Phase::kCopied ? kNow + attempt : 0, .digest = std::move(digest)};
}
JournalRecord Failed(std::string tenant, std::string why, int64_t attempt = 1) {
  return {.type = "failed", .tenant = std::move(tenant), .attempt = attempt, .at = kNow, .detail = std::move(why)};
}
JournalRecord End(int64_t attempt) { return {.type = "end", .attempt = attempt, .at = kNow, .detail = "done"}; }

class JournalTest : public ::testing::Test {
 protected:
  std::string path() const { return dir_.path("s.journal"); }
  std::string Bytes() const { return dir_.Read("s.journal"); }
  std::unique_ptr<Journal> Open() {
    auto journal = Journal::Open(*files_, path());
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? std::move(*journal) : nullptr;
  }
  void Write(const std::vector<JournalRecord>& records) {
    const auto journal = Open();
    for (const JournalRecord& record : records) journal->Add(record);
    const Result<> committed = journal->Commit();
    ASSERT_TRUE(committed) << committed.error().message;
  }
  JournalState Read() {
    const auto state = ReadJournal(*files_, path());
    EXPECT_TRUE(state) << state.error().message;
    return state.value_or(JournalState{});
  }
  std::vector<JournalRecord> Story() const {
    return {Begin(1), Moved("acme", Phase::kCopied, 1, "aa"), Failed("b\xC3\xB6se", "\"x\"\n\x01 unreadable"),
            Moved("acme", Phase::kArmed, 1), Moved("acme", Phase::kVerified, 1, "cert"), End(1)};
  }

  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
};

std::string Describe(const JournalState& state) {
  std::string text = fmt::format("{} {} {} {} {}", state.records, state.last_attempt, state.run_open, state.as_of, state.source);
  for (const auto& [name, t] : state.tenants)
    text += fmt::format("|{} {} {} {} {} {} {}", name, PhaseName(t.phase), t.attempt, t.as_of, t.source_digest, t.certificate, t.failure);
  return text;
}

// `json` as a line with a right checksum.
std::string LineOf(const std::string& json) { return fmt::format("{:08x} {}\n", Crc32c(json), json); }

TEST_F(JournalTest, AnAbsentFileIsTheEmptyState) {
  const JournalState state = Read();
  EXPECT_EQ(state.records, 0u);
  EXPECT_FALSE(state.run_open);
  EXPECT_FALSE(files_->Exists(path()));
}

TEST_F(JournalTest, WhatWasCommittedIsReadBack) {
  Write(Story());
  const JournalState state = Read();
  EXPECT_EQ(state.records, 6u);
  EXPECT_EQ(state.last_attempt, 1);
  EXPECT_FALSE(state.run_open);
  EXPECT_EQ(state.as_of, kNow + 1);
  EXPECT_EQ(state.source, "export:/estate");
  const TenantState& acme = state.tenants.at("acme");
  EXPECT_EQ(acme.phase, Phase::kVerified);
  EXPECT_EQ(acme.attempt, 1);
  EXPECT_EQ(acme.as_of, kNow + 1);
  EXPECT_EQ(acme.source_digest, "aa");
  EXPECT_EQ(acme.certificate, "cert");
  EXPECT_EQ(state.tenants.at("b\xC3\xB6se").failure, "\"x\"\n\x01 unreadable");
  EXPECT_EQ(Describe(Open()->state()), Describe(state));
}

TEST_F(JournalTest, NothingIsOnDiskBeforeCommit) {
  const auto journal = Open();
  journal->Add(Begin(1));
  EXPECT_EQ(Bytes(), "");
  EXPECT_EQ(journal->state().records, 0u);
  ASSERT_TRUE(journal->Commit());
  EXPECT_EQ(journal->state().records, 1u);
  EXPECT_TRUE(Read().run_open);
  ASSERT_TRUE(journal->Commit());  // nothing pending: nothing written
  EXPECT_EQ(Read().records, 1u);
}

TEST_F(JournalTest, TheFormatIsFrozen) {
  Write({Begin(1), Moved("acme", Phase::kCopied, 1, "aa")});
  EXPECT_EQ(Bytes(),
            "d668f222 {\"v\":1,\"seq\":1,\"prev\":\"0000000000000000\",\"type\":\"begin\",\"attempt\":1,\"at\":\"2026-11-22T18:03:00Z\","
            "\"as_of\":\"2026-11-22T18:03:00.000001Z\",\"source\":\"export:/estate\",\"digest\":\"plan\"}\n"
            "df122b29 {\"v\":1,\"seq\":2,\"prev\":\"4cc9afaff1ffc994\",\"type\":\"phase\",\"tenant\":\"acme\",\"phase\":\"copied\",\"attempt\":1,"
            "\"at\":\"2026-11-22T18:03:00Z\",\"as_of\":\"2026-11-22T18:03:00.000001Z\",\"digest\":\"aa\"}\n");
}

TEST_F(JournalTest, CutAtEveryByteItYieldsThePrefixAndGoesOnFromThere) {
  Write(Story());
  const std::string whole = Bytes();
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    const size_t lines = static_cast<size_t>(std::count(cut.begin(), cut.end(), '\n'));
    dir_.Write("s.journal", cut);
    // when read: the complete records count, the torn one is measured
    uint64_t torn = 0;
    const auto state = ReadJournal(*files_, path(), &torn);
    if (!state) {  // only a complete record without its LF could be anything else than a crash's trace, and it is not
      FAIL() << size << ": " << state.error().message;
    }
    EXPECT_EQ(state->records, lines) << size;
    EXPECT_EQ(torn, size - (lines == 0 ? 0 : cut.rfind('\n') + 1)) << size;
    EXPECT_EQ(Bytes(), cut) << "reading must not change the file";
    // when written again: the tail is gone, and the story can be told to its end with the same bytes
    const auto journal = Open();
    ASSERT_NE(journal, nullptr);
    EXPECT_EQ(journal->state().records, lines);
    const std::vector<JournalRecord> story = Story();
    for (size_t i = lines; i < story.size(); ++i) journal->Add(story[i]);
    ASSERT_TRUE(journal->Commit());
    EXPECT_EQ(Bytes(), whole) << size;
  }
}

TEST_F(JournalTest, AChangedByteIsRefusedWithFileOffsetExpectedAndFound) {
  Write(Story());
  const std::string whole = Bytes();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char flip : {char(1), char(0x20), char(0x80), char(0xFF)}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      const auto state = ParseJournal(changed, "the.journal", nullptr);
      ASSERT_FALSE(state) << "byte " << at << " ^ " << int(flip) << " went unnoticed";
      EXPECT_EQ(state.error().code, Code::kCorrupt);
      EXPECT_TRUE(state.error().message.starts_with("the.journal: damaged at offset ")) << state.error().message;
      EXPECT_NE(state.error().message.find("expected "), std::string::npos);
      EXPECT_NE(state.error().message.find("found "), std::string::npos);
      EXPECT_FALSE(state.error().hint.empty());
    }
  }
}

TEST_F(JournalTest, DamageNamesTheOffsetOfTheLine) {
  Write(Story());
  std::string changed = Bytes();
  const size_t second = changed.find('\n') + 1;
  changed[second + 20] ^= 4;
  const auto state = ParseJournal(changed, "j", nullptr);
  ASSERT_FALSE(state);
  EXPECT_NE(state.error().message.find(fmt::format("offset {} (record 2): expected checksum ", second)), std::string::npos)
      << state.error().message;
}

TEST_F(JournalTest, LinesCannotBeLeftOutDoubledOrSwapped) {
  Write(Story());
  std::vector<std::string> lines;
  const std::string whole = Bytes();
  for (size_t at = 0, end; (end = whole.find('\n', at)) != std::string::npos; at = end + 1) lines.push_back(whole.substr(at, end + 1 - at));
  const auto joined = [](const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += part;
    return text;
  };
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    std::vector<std::string> without = lines;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(ParseJournal(joined(without), "j", nullptr)) << i;
    std::vector<std::string> doubled = lines;
    doubled.insert(doubled.begin() + static_cast<ptrdiff_t>(i), lines[i]);
    EXPECT_FALSE(ParseJournal(joined(doubled), "j", nullptr)) << i;
    std::vector<std::string> swapped = lines;
    std::swap(swapped[i], swapped[i + 1]);
    EXPECT_FALSE(ParseJournal(joined(swapped), "j", nullptr)) << i;
  }
}

TEST_F(JournalTest, ARecordOfAnotherHistoryBreaksTheChain) {
  // given two journals that differ in their first record only
  Write({Begin(1), Moved("acme", Phase::kCopied, 1)});
  const std::string one = Bytes();
  dir_.Write("s.journal", "");
  JournalRecord other = Begin(1);
  other.source = "export:/other";
  Write({other, Moved("acme", Phase::kCopied, 1)});
  const std::string two = Bytes();
  // when the second record of one follows the first of the other
  const std::string mixed = one.substr(0, one.find('\n') + 1) + two.substr(two.find('\n') + 1);
  const auto state = ParseJournal(mixed, "j", nullptr);
  ASSERT_FALSE(state);
  EXPECT_NE(state.error().message.find("expected a record that follows"), std::string::npos) << state.error().message;
}

TEST_F(JournalTest, WhatIsNoRecordOfThisVersionIsRefused) {
  const std::string head = R"({"v":1,"seq":1,"prev":"0000000000000000",)";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({"v":2,"seq":1,"prev":"0000000000000000","type":"end"})", "format version 1, found version 2"},
      {R"({"seq":1,"prev":"0000000000000000","type":"end"})", "format version 1"},
      {R"({"v":1,"seq":2,"prev":"0000000000000000","type":"end"})", "record number 1, found 2"},
      {R"({"v":1,"seq":1,"type":"end"})", "a record that follows 0000000000000000, found none"},
      {head + R"("type":"stop"})", "type begin, phase, failed or end"},
      {head + R"("attempt":1})", "type begin"},
      {head + R"("type":"phase","tenant":"a","phase":"flying"})", "a phase"},
      {head + R"("type":"phase","phase":"copied"})", "a tenant"},
      {head + R"("type":"end","tenant":"a"})", "no tenant"},
      {head + R"("type":"failed","tenant":"a","phase":"copied"})", "no phase"},
      {head + R"("type":"end","colour":"red"})", "known fields"},
      {head + R"("type":"end","attempt":"1"})", "known fields"},
      {head + R"("type":"end","attempt":-1})", "known fields"},
      {head + R"("type":"end","at":"yesterday"})", "known fields"},
      {head + R"("type":"end","detail":7})", "known fields"},
      {"[]", "a JSON object"},
      {"{", "a JSON object"},
      {"", "a checksum"},
  };
  for (const auto& [json, expected] : bad) {
    const auto state = ParseJournal(LineOf(json), "j", nullptr);
    ASSERT_FALSE(state) << json;
    EXPECT_NE(state.error().message.find("expected " + expected), std::string::npos) << state.error().message;
    EXPECT_NE(state.error().message.find("offset 0"), std::string::npos) << state.error().message;
  }
  EXPECT_TRUE(ParseJournal(LineOf(head + R"("type":"end"})"), "j", nullptr));
}

TEST_F(JournalTest, LinesHaveALimit) {
  const std::string long_line(kJournalLineMax + 1, 'x');
  for (const std::string& bytes : {long_line + "\n", long_line}) {
    const auto parsed = ParseJournal(bytes, "j", nullptr);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().message.find("at most 65536 bytes"), std::string::npos);
    dir_.Write("s.journal", bytes + std::string(1 << 20, 'x'));
    EXPECT_FALSE(ReadJournal(*files_, path()));
  }
}

TEST_F(JournalTest, LongOrBrokenTextsAreCutNotRefused) {
  std::string detail;
  for (int i = 0; i < 30'000; ++i) detail += "\x01";  // six bytes each once escaped
  JournalRecord record = Failed("acme", detail);
  record.source = detail;
  Write({record, Failed("b", std::string("x\xFF") + "y"), Failed("c", std::string(4095, 'a') + "\xC3\xB6")});
  const JournalState state = Read();
  EXPECT_EQ(state.tenants.at("acme").failure, detail.substr(0, 4096));
  EXPECT_EQ(state.tenants.at("b").failure, "x?y");
  EXPECT_EQ(state.tenants.at("c").failure, std::string(4095, 'a'));
}

TEST_F(JournalTest, TheStateFollowsTheRecords) {
  Write({Begin(1), Failed("acme", "gzip cut"), Moved("bolt", Phase::kCopied, 1, "b1")});
  JournalState state = Read();
  EXPECT_TRUE(state.run_open);
  EXPECT_EQ(state.tenants.at("acme").failure, "gzip cut");
  EXPECT_EQ(state.tenants.at("acme").phase, Phase::kLegacy);
  // a failure is forgotten once the tenant is copied
  Write({End(1), Begin(2), Moved("acme", Phase::kCopied, 2, "a2"), Moved("acme", Phase::kArmed, 2), Moved("acme", Phase::kVerified, 2, "c2")});
  state = Read();
  EXPECT_EQ(state.tenants.at("acme").failure, "");
  EXPECT_EQ(state.tenants.at("acme").certificate, "c2");
  EXPECT_EQ(state.last_attempt, 2);
  EXPECT_EQ(state.as_of, kNow + 2);
  // a certificate is forgotten once the tenant is copied again, everything once it is back in legacy
  Write({Moved("acme", Phase::kCopied, 3, "a3"), Moved("bolt", Phase::kLegacy, 2)});
  state = Read();
  EXPECT_EQ(state.tenants.at("acme").certificate, "");
  EXPECT_EQ(state.tenants.at("acme").source_digest, "a3");
  EXPECT_EQ(state.tenants.at("bolt").source_digest, "");
  EXPECT_EQ(state.tenants.at("bolt").attempt, 2);
}

TEST_F(JournalTest, AMoveWithoutAnArrowCanBeRead) {
  Write({Moved("acme", Phase::kFinal, 1), Moved("acme", Phase::kLegacy, 1)});
  EXPECT_EQ(Read().tenants.at("acme").phase, Phase::kLegacy);
}

TEST_F(JournalTest, AnAttemptNeverGoesDown) {
  Write({Begin(7), Moved("acme", Phase::kCopied, 7), Moved("acme", Phase::kCopied, 3)});
  EXPECT_EQ(Read().last_attempt, 7);
  EXPECT_EQ(Read().tenants.at("acme").attempt, 7);
}

TEST_F(JournalTest, VisitSeesEveryRecordInOrder) {
  Write(Story());
  std::string seen;
  ASSERT_TRUE(ParseJournal(Bytes(), "j", nullptr, [&](const JournalRecord& record) { seen += record.type + ":" + record.phase + " "; }));
  EXPECT_EQ(seen, "begin: phase:copied failed: phase:armed phase:verified end: ");
}

TEST_F(JournalTest, AFileOfManyBlocksIsReadAsBytesAre) {
  std::vector<JournalRecord> records{Begin(1)};
  for (int i = 0; i < 3000; ++i) records.push_back(Moved(fmt::format("tenant_{}", i % 700), Phase::kCopied, 1, fmt::format("{:064}", i)));
  Write(records);
  const auto parsed = ParseJournal(Bytes(), "j", nullptr);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(Describe(*parsed), Describe(Read()));
  EXPECT_EQ(parsed->tenants.size(), 700u);
}

TEST_F(JournalTest, EveryFailedWriteIsReportedAndPoisons) {
  for (const Fault fault : {Fault::kNoSpace, Fault::kIo, Fault::kTorn}) {
    for (uint64_t call = 1; call <= 2; ++call) {  // Append, Sync
      dir_.Write("s.journal", "");
      Write({Begin(1)});
      FaultyFiles faulty(files_.get());
      auto journal = Journal::Open(faulty, path());
      ASSERT_TRUE(journal);
      faulty.FailAt(call, fault, true);
      (*journal)->Add(Moved("acme", Phase::kCopied, 1));
      const Result<> first = (*journal)->Commit();
      ASSERT_FALSE(first);
      EXPECT_EQ((*journal)->state().records, 1u);
      // the fault is over, but what is on the medium is unknown
      (*journal)->Add(End(1));
      const Result<> second = (*journal)->Commit();
      ASSERT_FALSE(second);
      EXPECT_NE(second.error().message.find("an earlier write failed"), std::string::npos);
      // a new start reads what is there and goes on
      Write({End(1)});
      EXPECT_FALSE(Read().run_open);
    }
  }
}

TEST_F(JournalTest, OpenReportsAFailedTruncate) {
  Write(Story());
  dir_.Write("s.journal", Bytes() + "torn");
  FaultyFiles faulty(files_.get());
  faulty.FailAt(2, Fault::kIo);  // OpenAppend, Truncate
  EXPECT_FALSE(Journal::Open(faulty, path()));
  faulty.Heal();
  EXPECT_TRUE(Journal::Open(faulty, path()));
  EXPECT_EQ(Read().records, 6u);
}

TEST_F(JournalTest, RandomBytesNeverCrashTheReader) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  Write(Story());
  const std::string whole = Bytes();
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = whole;
    for (uint64_t changes = random() % 4; changes > 0; --changes) {
      const size_t at = random() % bytes.size();
      if (random() % 2 == 0) {
        bytes.erase(at, random() % 20);
      } else {
        bytes.insert(at, 1, static_cast<char>(random()));
      }
      if (bytes.empty()) bytes = "x";
    }
    uint64_t torn = 0;
    const auto state = ParseJournal(bytes, "j", &torn);
    if (state) {
      EXPECT_TRUE(whole.starts_with(bytes.substr(0, bytes.size() - torn)));
    }
  }
}

}  // namespace
}  // namespace reeve::migrate
