#include "migrate/backup/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/sealed_file.h"
#include "legacy/export/export_estate.h"
#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/faulty_files.h"

namespace reeve::migrate {
namespace {

using testing::FaultyFiles;
using testing::Gzip;
using testing::TempDir;

constexpr Micros kAsOf = 1'750'000'000 * kSecond;

class BackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.Write("in/acme/x_meta_api_keys-000000000000.json", "{\"api_key_hash\":\"a\"}\n{\"api_key_hash\":\"b\"}\n");
    dir_.Write("in/acme/x_meta_api_keys-000000000001.json", "{\"api_key_hash\":\"c\"}");
    dir_.Write("in/acme/x_meta_cloud_credentials-000000000000.json.gz", Gzip("{\"credential_id\":\"1\"}\n"));
    dir_.Write("in/acme/x_meta_pipeline_runs-000000000000.json", "");
    dir_.Write("in/acme/x_meta_pipeline_runs.schema.json", "[{\"name\":\"status\",\"type\":\"STRING\"}]");
    dir_.Write("in/acme/unrelated-000000000000.json", "{}\n");
    dir_.Write("in/metadata/api_keys.json", "{\"tenant_id\":\"acme\"}\n");
    dir_.Write("in/stranger/t.json", "{}\n");
  }

  Result<BackupReport> Run(const std::string& out, const Secret* key = nullptr, Files* files = nullptr) {
    BackupOptions options;
    options.dir = dir_.path(out);
    options.key = key;
    options.as_of = kAsOf;
    options.only = only_;
    options.dry_run = dry_run_;
    Files& through = files != nullptr ? *files : *files_;
    const auto estate = legacy::OpenExportEstate(through, dir_.path("in")).value();
    return Backup(*estate, options, through, *entropy_, progress_);
  }

  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  const std::unique_ptr<Entropy> entropy_ = MakeSystemEntropy();
  const Secret key_{std::string(32, 'k')};
  obs::SilentProgress progress_;
  std::vector<std::string> only_;
  bool dry_run_ = false;
  TempDir dir_;
};

TEST_F(BackupTest, HoldsEveryInputTableAndNothingElse) {
  const auto report = Run("out");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(dir_.Read("out/acme/x_meta_api_keys-000000000000.json"),
            "{\"api_key_hash\":\"a\"}\n{\"api_key_hash\":\"b\"}\n{\"api_key_hash\":\"c\"}\n");
  EXPECT_EQ(dir_.Read("out/acme/x_meta_cloud_credentials-000000000000.json"), "{\"credential_id\":\"1\"}\n");
  EXPECT_EQ(dir_.Read("out/acme/x_meta_pipeline_runs-000000000000.json"), "");
  EXPECT_EQ(dir_.Read("out/acme/x_meta_pipeline_runs.schema.json"), "[{\"name\":\"status\",\"type\":\"STRING\"}]");
  EXPECT_EQ(dir_.Read("out/metadata/api_keys-000000000000.json"), "{\"tenant_id\":\"acme\"}\n");
  EXPECT_FALSE(dir_.Has("out/acme/unrelated-000000000000.json"));
  EXPECT_FALSE(dir_.Has("out/stranger"));
  EXPECT_FALSE(dir_.Has("out/backup.incomplete"));
  EXPECT_EQ(report->manifest.tables.size(), 4U);
  EXPECT_EQ(report->rows, 5U);
  EXPECT_EQ(report->datasets_skipped, 1U);
}

TEST_F(BackupTest, FilesAreForTheOwnerOnly) {
  ASSERT_TRUE(Run("out"));
  for (const char* name : {"manifest.json", "acme/x_meta_api_keys-000000000000.json"}) {
    struct stat info {};
    ASSERT_EQ(stat(dir_.path(std::string("out/") + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
}

TEST_F(BackupTest, TheManifestSurvivesItsOwnText) {
  for (const Secret* key : {static_cast<const Secret*>(nullptr), &key_}) {
    const auto report = Run(key != nullptr ? "sealed" : "plain", key);
    ASSERT_TRUE(report) << report.error().message;
    const std::string text = FormatManifest(report->manifest, key);
    const auto read = ParseManifest("m", text, key);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(FormatManifest(*read, key), text);
    EXPECT_EQ(read->as_of, kAsOf);
    EXPECT_EQ(text, dir_.Read(key != nullptr ? "sealed/manifest.json" : "plain/manifest.json"));
  }
}

TEST_F(BackupTest, EveryChangedByteOfAManifestIsFound) {
  for (const Secret* key : {static_cast<const Secret*>(nullptr), &key_}) {
    const auto report = Run(key != nullptr ? "sealed" : "plain", key);
    ASSERT_TRUE(report);
    const std::string text = FormatManifest(report->manifest, key);
    for (size_t at = 0; at < text.size(); ++at) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
      const auto read = ParseManifest("m", damaged, key);
      if (!read) continue;
      EXPECT_EQ(FormatManifest(*read, key), text) << "byte " << at;  // white space only
    }
  }
}

TEST_F(BackupTest, ASealedBackupShowsNoRowAndNeedsItsKey) {
  const auto report = Run("out", &key_);
  ASSERT_TRUE(report) << report.error().message;
  const std::string stored = dir_.Read("out/acme/x_meta_api_keys-000000000000.json.sealed");
  EXPECT_EQ(stored.find("api_key_hash"), std::string::npos);
  EXPECT_TRUE(ReadManifest(*files_, dir_.path("out"), &key_));
  const Secret other(std::string(32, 'x'));
  for (const Secret* wrong : {static_cast<const Secret*>(nullptr), &other}) {
    const auto manifest = ReadManifest(*files_, dir_.path("out"), wrong);
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().code, Code::kWrongKey);
  }
  ASSERT_TRUE(Run("plain"));
  EXPECT_EQ(ReadManifest(*files_, dir_.path("plain"), &key_).error().code, Code::kWrongKey);
}

TEST_F(BackupTest, AnyDamageToAFileIsFoundAndNamed) {
  for (const Secret* key : {static_cast<const Secret*>(nullptr), &key_}) {
    const std::string out = key != nullptr ? "sealed" : "plain";
    const auto report = Run(out, key);
    ASSERT_TRUE(report);
    ASSERT_TRUE(CheckBackup(*files_, dir_.path(out), report->manifest, key, progress_));
    for (const bool schema : {false, true}) {
      const std::string name = out + "/" + StoredName("acme", schema ? "x_meta_pipeline_runs" : "x_meta_api_keys", schema, key != nullptr);
      const std::string whole = dir_.Read(name);
      for (size_t at = 0; at <= whole.size(); ++at) {
        std::string damaged = whole;
        if (at < whole.size()) damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
        for (const std::string& content : {damaged, whole.substr(0, at)}) {
          if (content == whole) continue;
          dir_.Write(name, content);
          const auto checked = CheckBackup(*files_, dir_.path(out), report->manifest, key, progress_);
          ASSERT_FALSE(checked) << at;
          EXPECT_TRUE(checked.error().code == Code::kCorrupt || checked.error().code == Code::kWrongKey);
          EXPECT_NE(checked.error().message.find(name), std::string::npos);
        }
      }
      dir_.Write(name, whole);
    }
    std::filesystem::remove(dir_.path(out + "/" + StoredName("acme", "x_meta_api_keys", false, key != nullptr)));
    EXPECT_EQ(CheckBackup(*files_, dir_.path(out), report->manifest, key, progress_).error().code, Code::kCorrupt);
  }
}

TEST_F(BackupTest, ARowOfAnySizeAndKindIsKept) {
  std::string rows(20 << 20, 'x');
  rows.append("\n\n  \r\nno json\n{\"a\":\"\xff\"}\r\n").append(3, '\0');
  dir_.Write("in/acme/x_meta_api_keys-000000000000.json", rows);
  std::filesystem::remove(dir_.path("in/acme/x_meta_api_keys-000000000001.json"));
  const auto report = Run("out");
  ASSERT_TRUE(report);
  EXPECT_EQ(dir_.Read("out/acme/x_meta_api_keys-000000000000.json"), rows + "\n");
  EXPECT_EQ(report->manifest.tables.at(0).rows.rows, 4U);
}

TEST_F(BackupTest, ATableThatCannotBeReadIsListedAndTheOthersAreThere) {
  dir_.Write("in/acme/x_meta_cloud_credentials-000000000000.json.gz", Gzip("{}\n").substr(0, 15));
  dir_.Write("in/acme/x_meta_pipeline_runs.schema.json", "no schema");
  const auto report = Run("out");
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->manifest.failed.size(), 2U);
  EXPECT_EQ(report->manifest.failed[0].table, "x_meta_cloud_credentials");
  EXPECT_NE(report->manifest.failed[0].reason.find("expected"), std::string::npos);
  EXPECT_EQ(report->manifest.failed[1].table, "x_meta_pipeline_runs");
  EXPECT_EQ(report->manifest.tables.size(), 2U);
  EXPECT_FALSE(dir_.Has("out/acme/x_meta_cloud_credentials-000000000000.json"));
  EXPECT_EQ(ReadManifest(*files_, dir_.path("out"), nullptr)->failed.size(), 2U);
}

TEST_F(BackupTest, OnlyTheNamedTenantsAndTheSharedCarriersAreCopied) {
  for (const char* table : {"api_keys", "cloud_credentials", "pipeline_runs"})
    dir_.Write(std::string("in/beta/x_meta_") + table + ".json", "{}\n");
  only_ = {"beta"};
  const auto report = Run("out");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->manifest.tables.size(), 4U);
  EXPECT_FALSE(dir_.Has("out/acme"));
  EXPECT_TRUE(dir_.Has("out/metadata"));
  only_ = {"gamma"};
  EXPECT_EQ(Run("other").error().code, Code::kNotFound);
}

TEST_F(BackupTest, ADryRunReadsEverythingAndWritesNothing) {
  dry_run_ = true;
  const auto report = Run("out");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->rows, 5U);
  EXPECT_FALSE(dir_.Has("out"));
}

TEST_F(BackupTest, WhereverItStopsTheNextRunCompletesIt) {
  for (const Secret* key : {static_cast<const Secret*>(nullptr), &key_})
    for (const testing::Fault fault : {testing::Fault::kNoSpace, testing::Fault::kTorn}) {
      FaultyFiles faulty(files_.get());
      bool failed = true;
      for (uint64_t n = 1; failed; ++n) {
        ASSERT_LT(n, 200U);
        const std::string out = fmt::format("out{}{}{}", key != nullptr, static_cast<int>(fault), n);
        faulty.FailAt(n, fault);
        const auto broken = Run(out, key, &faulty);
        failed = !broken;
        faulty.Heal();
        const bool complete = dir_.Has(out + "/manifest.json");
        if (failed && !complete) {
          EXPECT_FALSE(ReadManifest(*files_, dir_.path(out), key)) << n;
        }
        const auto repaired = Run(out, key);
        ASSERT_TRUE(repaired) << "write " << n << ": " << repaired.error().message;
        EXPECT_EQ(repaired->rows, 5U);
        ASSERT_TRUE(CheckBackup(*files_, dir_.path(out), repaired->manifest, key, progress_)) << n;
        EXPECT_FALSE(dir_.Has(out + "/backup.incomplete"));
      }
    }
}

TEST_F(BackupTest, AResumedBackupKeepsWhatIsWholeAndDropsWhatIsStale) {
  // given a backup that stopped before its manifest, with a damaged file and one of a table that is no more
  FaultyFiles faulty(files_.get());
  faulty.FailAt(1'000'000, testing::Fault::kNone);
  ASSERT_TRUE(Run("probe", nullptr, &faulty));
  faulty.FailAt(faulty.calls() - 1, testing::Fault::kNoSpace);
  ASSERT_FALSE(Run("out", nullptr, &faulty));
  ASSERT_TRUE(dir_.Has("out/backup.incomplete"));
  dir_.Write("out/acme/x_meta_api_keys-000000000000.json", "damaged");
  dir_.Write("out/acme/x_meta_tenants-000000000000.json", "{}\n");
  // when
  const auto report = Run("out");
  // then
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->tables_reused, 4U);
  EXPECT_FALSE(dir_.Has("out/acme/x_meta_tenants-000000000000.json"));
  EXPECT_TRUE(CheckBackup(*files_, dir_.path("out"), report->manifest, nullptr, progress_));
}

TEST_F(BackupTest, AnUnfinishedBackupGoesOnOnlyWithTheSameKey) {
  FaultyFiles faulty(files_.get());
  faulty.FailAt(4, testing::Fault::kNoSpace);
  ASSERT_FALSE(Run("out", nullptr, &faulty));
  EXPECT_EQ(Run("out", &key_).error().code, Code::kRefused);
  EXPECT_EQ(ReadManifest(*files_, dir_.path("out"), nullptr).error().code, Code::kRefused);
  EXPECT_TRUE(Run("out"));
}

TEST_F(BackupTest, ACompleteBackupIsConfirmedOrRefusedButNeverOverwritten) {
  ASSERT_TRUE(Run("out"));
  const std::string manifest = dir_.Read("out/manifest.json");
  const auto again = Run("out");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->tables_reused, 5U);
  EXPECT_EQ(dir_.Read("out/manifest.json"), manifest);
  dir_.Write("in/acme/x_meta_api_keys-000000000001.json", "{\"api_key_hash\":\"changed\"}\n");
  EXPECT_EQ(Run("out").error().code, Code::kRefused);
  EXPECT_EQ(dir_.Read("out/manifest.json"), manifest);
  EXPECT_TRUE(CheckBackup(*files_, dir_.path("out"), *ReadManifest(*files_, dir_.path("out"), nullptr), nullptr, progress_));
  EXPECT_EQ(Run("out", &key_).error().code, Code::kWrongKey);
}

TEST_F(BackupTest, ADirectoryWithOtherThingsIsRefused) {
  dir_.Write("out/precious.txt", "mine");
  const auto report = Run("out");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kRefused);
  EXPECT_EQ(Run("in").error().code, Code::kRefused);
}

TEST_F(BackupTest, AnEmptyEstateIsNotFound) {
  std::filesystem::remove_all(dir_.path("in"));
  const auto report = Run("out");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kNotFound);
  EXPECT_FALSE(dir_.Has("out"));
}

}  // namespace
}  // namespace reeve::migrate
