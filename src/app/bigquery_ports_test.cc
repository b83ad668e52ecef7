// BigQuery through the command line: the real ports against the fake server, in this process.
#include "app/bigquery_ports.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/ports.h"
#include "cli/run.h"
#include "drivers/sqlite/sqlite.h"
#include "tests/fakes/bigquery_process.h"
#include "tests/fakes/fake_console.h"

namespace reeve::app {
namespace {

TEST(BigQueryChoices, ComeFromSettingsAndFromGooglesVariables) {
  const cli::Environment environment = {{"BIGQUERY_EMULATOR_HOST", "127.0.0.1:9050"}, {"GOOGLE_APPLICATION_CREDENTIALS", "/key.json"}, {"TMPDIR", "/scratch"}};
  const auto settings = cli::ResolveSettings({{"bigquery_location", "EU"}, {"maximum_bytes_billed", "1000"}}, environment, nullptr).value();
  const BigQueryChoices choices = ChoicesOf(settings, environment, "schema apply");
  EXPECT_EQ(choices.endpoint, "http://127.0.0.1:9050");
  EXPECT_EQ(choices.credentials.application_credentials, "/key.json");
  EXPECT_EQ(choices.spool_dir, "/scratch");
  EXPECT_EQ(choices.state_dir, ".");
  EXPECT_EQ(choices.location, "EU");
  EXPECT_EQ(choices.maximum_bytes_billed, 1000U);
  EXPECT_EQ(choices.command, "schema-apply");
}

TEST(BigQueryChoices, TheEmulatorsAddressMayHaveAScheme) {
  const auto settings = cli::ResolveSettings({{"spool_dir", "/there"}}, {}, nullptr).value();
  EXPECT_EQ(ChoicesOf(settings, {{"BIGQUERY_EMULATOR_HOST", "http://host:1/"}}, "plan").endpoint, "http://host:1");
  EXPECT_EQ(ChoicesOf(settings, {{"BIGQUERY_EMULATOR_HOST", "https://host"}}, "plan").endpoint, "https://host");
  EXPECT_EQ(ChoicesOf(settings, {{"BIGQUERY_EMULATOR_HOST", ""}}, "plan").endpoint, "");
  EXPECT_EQ(ChoicesOf(settings, {}, "plan").spool_dir, "/there");
}

TEST(BigQueryStores, AreAProjectAndADataset) {
  EXPECT_EQ(ParseBigQueryStore("my-project/customers_metadata")->dataset, "customers_metadata");
  for (const char* bad : {"", "p", "p/", "/d", "p/d/e", "p/d-e", "p/d`", "p q/d"}) {
    const auto name = ParseBigQueryStore(bad);
    ASSERT_FALSE(name) << bad;
    EXPECT_EQ(name.error().code, Code::kUsage);
    EXPECT_NE(name.error().hint.find("bigquery:PROJECT/DATASET"), std::string::npos);
  }
}

// Two tenants of two keys each; the first tenant's first key is revoked.
class BigQueryCommands : public ::testing::Test {
 protected:
  static constexpr const char* kKeys =
      R"([{"name":"api_key_id","type":"STRING"},{"name":"tenant_id","type":"STRING"},{"name":"api_key_hash","type":"STRING"},{"name":"encrypted_api_key","type":"BYTES"},)"
      R"({"name":"created_at","type":"TIMESTAMP"},{"name":"expires_at","type":"TIMESTAMP"},{"name":"is_active","type":"BOOL"},{"name":"scopes","type":"STRING","mode":"REPEATED"}])";

  static constexpr const char* kSixtyThree = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  static constexpr const char* kOtherSixtyThree = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

  void SetUp() override {
    std::string why;
    server_ = testing::BigqueryProcess::StartFake(&why, {"--location", "EU"});
    if (server_ == nullptr) GTEST_SKIP() << why;
    dir_ = ::testing::TempDir() + "reeve_bigquery_ports_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
    environment_ = {{"BIGQUERY_EMULATOR_HOST", server_->host()}, {"TMPDIR", dir_}, {"REEVE_STATE_DIR", dir_}};
    for (const std::string tenant : {"acme", "globex"}) MakeTenant(tenant);
  }
  void TearDown() override {
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }

  void MakeTenant(const std::string& tenant) const {
    server_->MakeDataset(tenant, "EU");
    server_->MakeTable(tenant, "x_meta_api_keys", kKeys);
    std::string rows;
    for (const char digit : {'1', '2'}) {
      rows += fmt::format(R"({{"api_key_id":"{0}-{1}","tenant_id":"{0}","api_key_hash":"{2}","encrypted_api_key":"AQID","created_at":"2025-01-01 10:00:00.123456 UTC",)",
                          tenant, digit, Hash(tenant, digit));
      rows += fmt::format("\"is_active\":{},\"scopes\":[\"a\",\"b\"]}}\n", tenant != "acme" || digit != '1');
    }
    server_->Load(tenant, "x_meta_api_keys", kKeys, rows);
    const char* credentials = R"([{"name":"credential_id","type":"STRING"},{"name":"provider","type":"STRING"},{"name":"encrypted_credential","type":"STRING"},)"
                              R"({"name":"created_at","type":"TIMESTAMP"}])";
    server_->MakeTable(tenant, "x_meta_cloud_credentials", credentials);
    const char* runs = R"([{"name":"pipeline_logging_id","type":"STRING"},{"name":"status","type":"STRING"},{"name":"start_time","type":"TIMESTAMP"}])";
    server_->MakeTable(tenant, "x_meta_pipeline_runs", runs);
  }
  static std::string Hash(const std::string& tenant, char digit) { return fmt::format("{}{}", tenant[0] == 'a' ? kSixtyThree : kOtherSixtyThree, digit); }

  // Runs a command as the program does.
  int Do(std::vector<std::string> words) {
    const auto ports = MakePorts(*files_, clock_ != nullptr ? *clock_ : *fake_clock_, *entropy_);
    console_.out.clear();
    console_.err.clear();
    words.insert(words.end(), {"--progress", "none"});
    return cli::Run(words, environment_, console_, *ports);
  }
  [[nodiscard]] std::string Estate() const { return "bigquery:" + server_->project(); }
  [[nodiscard]] std::string Store() const { return Estate() + "/central"; }
  [[nodiscard]] std::string Output() const { return console_.out + console_.err; }
  // How many keys of the estate are revoked.
  [[nodiscard]] bool RevokedAre(const std::string& tenant, int count) const {
    const std::string answer =
        server_->Sql(fmt::format("SELECT COUNT(*) AS n FROM `{}.{}.x_meta_api_keys` WHERE NOT is_active", server_->project(), tenant));
    return answer.find(fmt::format("{{\"v\":\"{}\"}}", count)) != std::string::npos || answer.find(fmt::format("{{\"v\": \"{}\"}}", count)) != std::string::npos;
  }

  std::unique_ptr<testing::BigqueryProcess> server_;
  std::string dir_;
  cli::Environment environment_;
  testing::FakeConsole console_;
  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  const std::unique_ptr<testing::FakeClock> fake_clock_ = std::make_unique<testing::FakeClock>();  // where a command waits
  const std::unique_ptr<Entropy> entropy_ = MakeSystemEntropy();
};

TEST_F(BigQueryCommands, AnEstateIsMovedIntoADatasetProvenAndLookedAfter) {
  ASSERT_EQ(Do({"plan", "--from", Estate(), "--to", Store(), "-o", "json"}), 0) << Output();
  EXPECT_NE(console_.out.find("\"cost\":{\"prices\":"), std::string::npos);
  EXPECT_NE(console_.out.find("\"wire\":{\"engine\":\"BigQuery\",\"jobs\":5,"), std::string::npos) << console_.out;
  ASSERT_EQ(Do({"migrate", "--from", Estate(), "--to", Store(), "--bigquery-location", "EU", "--yes"}), 0) << Output();
  EXPECT_NE(console_.out.find("proven       2 equal"), std::string::npos) << console_.out;
  ASSERT_EQ(Do({"verify", "--from", Estate(), "--to", Store()}), 0) << Output();
  ASSERT_EQ(Do({"status", "--to", Store(), "-o", "json"}), 0) << Output();
  EXPECT_NE(console_.out.find("\"by_phase\":{\"verified\":2}"), std::string::npos) << console_.out;
  EXPECT_EQ(Do({"schema", "check", "--to", Store()}), 0) << Output();
  EXPECT_EQ(Do({"explain", "key", Hash("acme", '1'), "--store", Store(), "--from", Estate()}), 0) << Output();
  EXPECT_NE(console_.out.find("legacy acme.x_meta_api_keys"), std::string::npos);
  EXPECT_EQ(Do({"export", "--store", Store(), "--out", dir_ + "/export"}), 0) << Output();
  // A second migration changes nothing, and the central dataset is no tenant.
  ASSERT_EQ(Do({"migrate", "--from", Estate(), "--to", Store(), "--yes", "--details"}), 0) << Output();
  EXPECT_NE(console_.out.find("0 copied, 2 unchanged"), std::string::npos) << console_.out;
  EXPECT_NE(console_.out.find("no signature tables"), std::string::npos) << console_.out;
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/reeve-" + server_->project() + "-central.journal"));
}

TEST_F(BigQueryCommands, ARevocationThatOnlyCentralKnowsIsCarriedBackIntoTheEstate) {
  const std::string file = dir_ + "/central.db";
  ASSERT_EQ(Do({"migrate", "--from", Estate(), "--to", "sqlite:" + file, "--yes"}), 0) << Output();
  {
    auto database = sqlite::Database::Open(file, sqlite::Mode::kReadWrite, 1'000).value();
    ASSERT_TRUE(database->Execute("UPDATE customer_api_keys SET is_active = 0 WHERE api_key_hash = '" + Hash("globex", '2') + "'"));
  }
  ASSERT_TRUE(RevokedAre("globex", 0));
  ASSERT_EQ(Do({"rollback", "--all", "--from", Estate(), "--to", "sqlite:" + file, "--yes"}), 0) << Output();
  EXPECT_NE(console_.out.find("1 revocation"), std::string::npos) << console_.out;
  EXPECT_TRUE(RevokedAre("globex", 1));
  EXPECT_TRUE(RevokedAre("acme", 1));  // untouched
  const std::string tables = server_->Call("GET", "/datasets/globex/tables").body;
  EXPECT_EQ(tables.find("reeve_stage_"), std::string::npos) << tables;
}

TEST_F(BigQueryCommands, ABackupComesBackAsAMerge) {
  ASSERT_EQ(Do({"backup", "--from", Estate(), "--out", dir_ + "/backup"}), 0) << Output();
  server_->Sql(fmt::format("DELETE FROM `{}.acme.x_meta_api_keys` WHERE api_key_id = 'acme-1'", server_->project()));
  ASSERT_EQ(server_->Call("DELETE", "/datasets/globex?deleteContents=true").status / 100, 2);
  const std::string store = "sqlite:" + dir_ + "/central.db";
  ASSERT_EQ(Do({"schema", "apply", "--to", store, "--yes"}), 0) << Output();
  const std::vector<std::string> restore = {"restore", "--from", dir_ + "/backup", "--to", Estate(), "--store", store, "--bigquery-location", "EU", "--yes"};
  ASSERT_EQ(Do(restore), 0) << Output();
  EXPECT_NE(console_.out.find("Added 3 rows"), std::string::npos) << console_.out;
  EXPECT_TRUE(RevokedAre("acme", 1)) << "the revoked key is back, and revoked";
  EXPECT_TRUE(RevokedAre("globex", 0));
  ASSERT_EQ(Do({"backup", "--from", Estate(), "--out", dir_ + "/backup2"}), 0) << Output();
  ASSERT_EQ(Do(restore), 0) << Output();
  EXPECT_NE(console_.out.find("Added 0 rows"), std::string::npos) << console_.out;
  for (const char* table : {"acme/x_meta_api_keys", "globex/x_meta_api_keys"}) {
    const auto text = [&](const std::string& backup) {
      std::ifstream in(fmt::format("{}/{}/{}-000000000000.json", dir_, backup, table));
      return std::string(std::istreambuf_iterator<char>(in), {});
    };
    EXPECT_FALSE(text("backup").empty());
    EXPECT_EQ(text("backup"), text("backup2")) << table;
  }
}

TEST_F(BigQueryCommands, DoctorSaysWhoItIsWhatItMayDoAndFindsStrays) {
  ASSERT_EQ(Do({"doctor", "--from", Estate(), "--store", Store()}), 0) << Output();
  EXPECT_NE(console_.out.find("BIGQUERY_EMULATOR_HOST names http://" + server_->host()), std::string::npos) << console_.out;
  EXPECT_NE(console_.out.find("May run jobs in " + server_->project()), std::string::npos);
  EXPECT_NE(console_.err.find("No central store"), std::string::npos);
  server_->MakeTable("acme", "reeve_stage_0123456789abcdef01234567", R"([{"name":"c0","type":"STRING"}])");
  ASSERT_EQ(Do({"doctor", "--from", Estate(), "--store", Store()}), 0) << Output();
  EXPECT_NE(console_.out.find("1 table: acme.reeve_stage_"), std::string::npos) << console_.out;
  EXPECT_EQ(Do({"doctor", "--from", Estate(), "--store", Store(), "--remove-strays"}), 6);  // nobody confirmed
  ASSERT_EQ(Do({"doctor", "--from", Estate(), "--store", Store(), "--remove-strays", "--yes"}), 0) << Output();
  EXPECT_NE(console_.out.find("1 removed"), std::string::npos) << console_.out;
  EXPECT_EQ(server_->Call("GET", "/datasets/acme/tables").body.find("reeve_stage_"), std::string::npos);
}

TEST_F(BigQueryCommands, AServerThatDoesNotAnswerIsSaidAndNothingIsWritten) {
  environment_["BIGQUERY_EMULATOR_HOST"] = "127.0.0.1:1";
  clock_.reset();
  EXPECT_EQ(Do({"status", "--to", Store()}), 1);
  EXPECT_NE(console_.err.find("127.0.0.1:1"), std::string::npos) << console_.err;
  EXPECT_TRUE(std::filesystem::is_empty(dir_));
}

}  // namespace
}  // namespace reeve::app
