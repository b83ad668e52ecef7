// Which datasets are opened, by whom, and what is mended in them.
#include "store/bigquery/bigquery_sink_testing.h"

namespace reeve::store {
namespace {

TEST_F(BigQuerySinkTest, AMissingDatasetIsNotMade) {
  world_->options().create = false;
  EXPECT_EQ(world_->Open().error().code, Code::kStoreMissing);
  EXPECT_EQ(world_->OpenReader().error().code, Code::kStoreMissing);
  world_->server().MakeDataset(world_->options().dataset, "EU");
  EXPECT_EQ(world_->Open().error().code, Code::kStoreMissing) << "a dataset without our tables is no store";
  EXPECT_EQ(world_->OpenReader().error().code, Code::kStoreMissing);
  EXPECT_TRUE(world_->Tables().empty()) << "nothing is left behind";
}

TEST_F(BigQuerySinkTest, ADatasetInAnotherLocationIsRefused) {
  Open();
  world_->options().location = "US";
  EXPECT_EQ(world_->Open().error().code, Code::kRefused);
  world_->options().location = "eu";
  EXPECT_TRUE(world_->Open());
}

TEST_F(BigQuerySinkTest, ANewerFormatIsRefused) {
  Open();
  bigquery::TableSpec meta = SpecOf(catalog::ReeveMeta(), {world_->options().project, world_->options().dataset});
  meta.labels[std::string(kFormatLabel)] = "99";
  ASSERT_TRUE(world_->client().PatchTable(meta, ""));
  EXPECT_EQ(world_->Open().error().code, Code::kRefused);
  EXPECT_EQ(world_->OpenReader().error().code, Code::kRefused);
}

TEST_F(BigQuerySinkTest, NamesThatAreNoneAreRefusedBeforeAnythingIsAsked) {
  world_->options().dataset = "a`b";
  EXPECT_EQ(world_->Open().error().code, Code::kUsage);
  EXPECT_EQ(world_->client().counts().api_calls, 0u);
}

TEST_F(BigQuerySinkTest, ASecondWriterIsToldWhoHasTheLockAndReadersNeedNone) {
  auto first = Open();
  ASSERT_TRUE(first->Merge(Writes(0, 1)));
  const auto second = world_->Open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked);
  EXPECT_NE(second.error().message.find("reeve test, pid 17"), std::string::npos);
  auto reader = world_->OpenReader();
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->Count(catalog::ApiKeys()).value(), 2u);
  first.reset();
  EXPECT_TRUE(world_->Open());
  EXPECT_FALSE(IsLocked());
}

TEST_F(BigQuerySinkTest, DriftIsNamedAndWhatIsMissingIsMended) {
  Open();
  Drop("reeve_findings");
  Drop("customer_invitations");
  world_->server().MakeTable(world_->options().dataset, "customer_invitations", R"([{"name":"invitation_id","type":"STRING","mode":"REQUIRED"}])");
  auto sink = Open();
  const auto drift = sink->CheckSchema();
  ASSERT_TRUE(drift);
  EXPECT_EQ(drift->front().table, "customer_invitations");
  EXPECT_EQ(drift->front().what, "column customer_id is missing");
  EXPECT_EQ(drift->back().table, "reeve_findings");
  EXPECT_TRUE(drift->back().repairable);
  EXPECT_EQ(sink->ApplySchema().error().code, Code::kRefused);
  Drop("customer_invitations");
  sink.reset();
  sink = Open();
  ASSERT_TRUE(sink->ApplySchema());
  EXPECT_TRUE(sink->CheckSchema()->empty());
  ASSERT_TRUE(sink->Merge(Writes(0, 1)));
}

}  // namespace
}  // namespace reeve::store
