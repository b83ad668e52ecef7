// What a run that dies leaves in the dataset and on the disk, and that the next one removes it.
#include "store/bigquery/bigquery_sink_testing.h"
#include "tests/fakes/faulty_bigquery.h"

namespace reeve::store {
namespace {

// The run dies at each of its calls to BigQuery, before or after the call's work; the next one, on the same machine, ends where an undisturbed one does.
TEST_F(BigQuerySinkTest, ARunThatDiesAnywhereLeavesNothingHalfAndNoStrays) {
  std::map<std::string, std::string> expected;
  int calls = 0;
  {
    FaultyBigQuery client(world_->client());
    auto sink = world_->Open(client);
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->Merge(Writes(0, 3)));
    ASSERT_TRUE((*sink)->Merge(Writes(2, 3, 2)));
    expected = Dump(**sink);
    sink->reset();
    calls = client.calls();
  }
  for (int at = 0; at < 2 * calls; ++at) {
    SCOPED_TRACE(fmt::format("dies at call {}, {} its work", at / 2, at % 2 == 0 ? "before" : "after"));
    world_ = std::make_unique<TestDataset>(*SharedFake());
    world_->options().state_path = world_->File("state");
    FaultyBigQuery client(world_->client());
    client.DieAt(at / 2, at % 2 != 0);
    if (auto dying = world_->Open(client)) {
      if ((*dying)->Merge(Writes(0, 3))) (void)(*dying)->Merge(Writes(2, 3, 2));
      const std::string customers = DumpTable(**world_->OpenReader(), catalog::Customers());
      const auto rows = std::count(customers.begin(), customers.end(), '\n');
      EXPECT_TRUE(rows == 0 || rows == 3 || rows == 5) << rows << ": a merge is there whole or not at all";
    }
    auto next = world_->Open();
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(StagedRows(), 0u);
    ASSERT_TRUE((*next)->Merge(Writes(0, 3, 1)));
    ASSERT_TRUE((*next)->Merge(Writes(2, 3, 2)));
    EXPECT_EQ(Dump(**next), expected);
    EXPECT_TRUE((*next)->CheckIntegrity()->empty());
    next->reset();
    EXPECT_EQ(StagedRows(), 0u);
    EXPECT_FALSE(IsLocked());
  }
}

// The script of the dead run is at work, or its rows are staged and the script did not begin.
TEST_F(BigQuerySinkTest, WhatADeadRunHadAtWorkIsBroughtToItsEndBeforeAnythingIsRead) {
  world_->options().state_path = world_->File("state");
  FaultyBigQuery client(world_->client());
  auto dying = world_->Open(client);
  ASSERT_TRUE(dying);
  ASSERT_TRUE((*dying)->Merge(Writes(0, 1)));
  const int before = client.calls();
  ASSERT_TRUE((*dying)->Merge(Writes(1, 1)));
  const int calls = client.calls() - before;
  client.DieAt(calls - 1, false);  // the script
  EXPECT_FALSE((*dying)->Merge(Writes(2, 1)));
  dying->reset();
  EXPECT_EQ((*world_->OpenReader())->Count(catalog::Customers()).value(), 2u);
  auto next = world_->Open();
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ((*(*next)->OpenReader())->Count(catalog::Customers()).value(), 3u);
}

TEST_F(BigQuerySinkTest, StraysAreFoundAndRemoved) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
  sink.reset();
  EXPECT_EQ(StagedRows(), 0u) << "a merge leaves nothing staged";
  Stage("dead");
  EXPECT_EQ(StagedRows(), 1u);
  world_->options().keep_strays = true;
  sink = Open();
  const auto found = sink->FindStrays();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u) << "who only looks removes nothing";
  EXPECT_EQ(found->front().table, kStagingTable);
  EXPECT_EQ(sink->RemoveStrays().value(), 1u);
  EXPECT_TRUE(sink->FindStrays()->empty());
  ASSERT_TRUE(sink->Merge(Writes(1, 1))) << "it is made again";
  Stage("dead");
  sink.reset();
  world_->options().keep_strays = false;
  sink = Open();
  EXPECT_TRUE(sink->FindStrays()->empty());
}

TEST_F(BigQuerySinkTest, CopiesAreTheOwnersAloneAndGoWithTheSink) {
  auto sink = Open();
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
  EXPECT_EQ((*sink->OpenReader())->Count(catalog::Customers()).value(), 1u);
  int files = 0;
  const auto entries = world_->files().List(world_->options().spool_dir);
  for (const DirEntry& entry : *entries) {
    if (!entry.name.ends_with(".db")) continue;
    ++files;
    EXPECT_EQ(world_->files().Mode(world_->options().spool_dir + "/" + entry.name).value(), 0600) << entry.name;
  }
  EXPECT_GT(files, 0);
  sink.reset();
  EXPECT_TRUE(world_->files().List(world_->options().spool_dir)->empty());
}

TEST_F(BigQuerySinkTest, CopiesOfADeadRunGoWithTheNext) {
  const std::string dir = world_->options().spool_dir;
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-dead.lock", "x"));
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-dead-1.db", "x"));
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-alive.lock", "x"));
  ASSERT_TRUE(world_->files().WriteAtomic(dir + "/reeve-spool-alive-1.db", "x"));
  const auto alive = world_->files().Lock(dir + "/reeve-spool-alive.lock", "x");
  Open();
  std::vector<std::string> names;
  const auto entries = world_->files().List(dir);
  for (const DirEntry& entry : *entries) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"reeve-spool-alive-1.db", "reeve-spool-alive.lock"}));
}

}  // namespace
}  // namespace reeve::store
