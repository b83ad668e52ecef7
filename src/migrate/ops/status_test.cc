#include "migrate/ops/ops_testing.h"

namespace reeve::migrate::ops {
namespace {

using Strings = std::vector<std::string>;

JournalRecord Record(const std::string& type, const std::string& tenant, const std::string& phase, const std::string& detail = {}) {
  JournalRecord record;
  record.type = type;
  record.tenant = tenant;
  record.phase = phase;
  record.attempt = 1;
  record.at = record.as_of = *ParseTime("2026-11-01 00:00:00 UTC");
  record.detail = detail;
  if (phase == "copied" || phase == "verified") record.digest = std::string(64, 'a');
  return record;
}

void WriteJournal(World& world, const std::vector<JournalRecord>& records) {
  auto journal = Journal::Open(*world.files, world.dir / "reeve.db.journal");
  ASSERT_OK(journal);
  for (const JournalRecord& record : records) (*journal)->Add(record);
  ASSERT_OK((*journal)->Commit());
}

StatusReport StatusOf(World& world) {
  auto report = ReadStatus(*world.Reader(), *world.files, world.dir / "reeve.db");
  EXPECT_TRUE(report) << report.error().message;
  return report ? std::move(*report) : StatusReport{};
}

TEST(Status, EveryTenantIsListedWithItsPhaseAndWhatToDoNext) {
  World world(Kind::kSqlite);
  Rows("acme").State("verified", 3, R"(,"counts":{"legacy":{"keys":2}})").WriteTo(world, 3);
  Rows("beta").State("copied").WriteTo(world);
  Rows("cent").State("central").WriteTo(world);
  WriteJournal(world, {Record("begin", "", ""), Record("phase", "beta", "copied"), Record("end", "", "")});
  const StatusReport report = StatusOf(world);
  EXPECT_EQ(report.by_phase, (std::map<std::string, uint64_t>{{"verified", 1}, {"copied", 1}, {"central", 1}}));
  ASSERT_EQ(report.tenants.size(), 3u);
  EXPECT_EQ(report.tenants[0].counts, R"({"legacy":{"keys":2}})");
  EXPECT_EQ(report.tenants[0].attempt, 3);
  EXPECT_EQ(report.tenants[0].next_action, "nothing: proven equal");
  EXPECT_EQ(report.tenants[1].next_action, "reeve verify");
  EXPECT_EQ(report.tenants[1].reason, "");
  EXPECT_EQ(report.tenants[2].next_action, "reeve phase set final");
  EXPECT_EQ(report.journal, "ok, 3 records");
}

TEST(Status, AStuckTenantSaysWhy) {
  World world(Kind::kMemory);
  Rows("acme").State("legacy", 1, R"(,"reason":"a damaged file")").WriteTo(world);
  WriteJournal(world, {Record("failed", "acme", "", "a damaged file"), Record("failed", "beta", "", "no such table")});
  const StatusReport report = StatusOf(world);
  ASSERT_EQ(report.tenants.size(), 2u);
  EXPECT_EQ(report.tenants[0].reason, "a damaged file");
  EXPECT_EQ(report.tenants[0].next_action, "mend the cause, then 'reeve migrate' again");
  EXPECT_EQ(report.tenants[1].tenant, "beta");
  EXPECT_EQ(report.tenants[1].reason, "no such table");
}

TEST(Status, AStepThatTheStoreDidNotEndIsShown) {
  World world(Kind::kMemory);
  Rows("acme").State("verified").WriteTo(world);
  WriteJournal(world, {Record("phase", "acme", "copied"), Record("phase", "acme", "legacy", "rolled back")});
  EXPECT_EQ(StatusOf(world).tenants[0].reason, "the journal says legacy, the store verified: the last step did not end");
}

TEST(Status, DeadLettersAndFindingsAreCounted) {
  World world(Kind::kMemory);
  Rows("acme").State("copied")
      .Add(catalog::ReeveDeadLetters(), R"({"tenant_id":"acme","dataset":"acme","table_name":"x","part":"p","line":"1","reason":"bad_time"})")
      .Add(catalog::ReeveDeadLetters(), R"({"tenant_id":"acme","dataset":"acme","table_name":"x","part":"p","line":"2","reason":"bad_time"})")
      .Add(catalog::ReeveFindings(), R"({"tenant_id":"acme","code":"key_exposed","subject":"k"})").WriteTo(world);
  const StatusReport report = StatusOf(world);
  EXPECT_EQ(report.dead_letters, (std::map<std::string, uint64_t>{{"bad_time", 2}}));
  EXPECT_EQ(report.findings, (std::map<std::string, uint64_t>{{"key_exposed", 1}}));
}

TEST(Status, TheJournalsHealthIsSaid) {
  World world(Kind::kMemory);
  EXPECT_EQ(StatusOf(world).journal, "missing");
  WriteJournal(world, {Record("begin", "", "")});
  EXPECT_EQ(StatusOf(world).journal, "ok, 1 record; a run did not end: the next one resumes it");
  const std::string path = world.dir / "reeve.db.journal";
  const std::string good = ReadFile(path);
  WriteFile(path, good + "abc");
  EXPECT_NE(StatusOf(world).journal.find("cut off (3 bytes)"), std::string::npos);
  std::string bad = good;
  bad[20] ^= 1;
  WriteFile(path, bad);
  const std::string said = StatusOf(world).journal;
  EXPECT_NE(said.find("journal"), std::string::npos) << said;
  EXPECT_EQ(said.find("ok"), std::string::npos) << said;
}

}  // namespace
}  // namespace reeve::migrate::ops
