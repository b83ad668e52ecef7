#include "migrate/backup/restore.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "legacy/export/export_estate.h"
#include "migrate/backup/backup.h"
#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/faulty_files.h"

namespace reeve::migrate {
namespace {

using testing::BytesOf;
using testing::FaultyFiles;
using testing::Gzip;
using testing::TempDir;
using Tables = std::map<std::pair<std::string, std::string>, std::string>;  // (dataset, table) → bytes

const std::string kA = crypto::Sha256Hex("a");
const std::string kB = crypto::Sha256Hex("b");

std::string Key(std::string_view hash, std::string_view active) {
  return fmt::format("{{\"api_key_hash\":\"{}\",\"is_active\":{}}}\n", hash, active);
}

class RestoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<legacy::LegacyEstate> Estate(const std::string& name) {
    return legacy::OpenExportEstate(*files_, dir_.path(name)).value();
  }
  void MakeTenant(const std::string& estate, const std::string& tenant, std::string_view keys) {
    dir_.Write(estate + "/" + tenant + "/x_meta_api_keys-000000000000.json", keys);
    dir_.Write(estate + "/" + tenant + "/x_meta_cloud_credentials-000000000000.json", "{\"credential_id\":\"1\"}\n");
    dir_.Write(estate + "/" + tenant + "/x_meta_pipeline_runs-000000000000.json", "");
  }
  BackupReport MakeBackup(const std::string& estate, const std::string& out, const Secret* key = nullptr) {
    BackupOptions options;
    options.dir = dir_.path(out);
    options.key = key;
    auto report = Backup(*Estate(estate), options, *files_, *entropy_, progress_);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : BackupReport();
  }
  Result<RestoreReport> Run(const std::string& backup, const std::string& estate, RevokedHash revoked = nullptr,
                            const Secret* key = nullptr, bool dry_run = false) {
    return Restore(*Estate(estate), {dir_.path(backup), key, dry_run, std::move(revoked)}, *files_, progress_);
  }
  Tables Content(const std::string& name) {
    const auto estate = Estate(name);
    const auto datasets = estate->List();
    Tables tables;
    if (!datasets) return tables;
    for (const legacy::Dataset& dataset : *datasets)
      for (const legacy::LegacyTable& table : dataset.tables)
        for (size_t part = 0; part < table.parts.size(); ++part)
          tables[{dataset.name, table.name}] += BytesOf(*estate, table, part).value();
    return tables;
  }

  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  const std::unique_ptr<Entropy> entropy_ = MakeSystemEntropy();
  const Secret key_{std::string(32, 'k')};
  obs::SilentProgress progress_;
  TempDir dir_;
};

TEST_F(RestoreTest, IntoNothingGivesTheSameEstate) {
  MakeTenant("in", "acme", Key(kA, "true") + Key(kB, "false"));
  dir_.Write("in/acme/x_meta_api_keys.schema.json", "[{\"name\":\"api_key_hash\"},{\"name\":\"is_active\"}]");
  dir_.Write("in/metadata/api_keys.json", "{\"tenant_id\":\"acme\",\"api_key_hash\":\"?\"}\nno json at all\n");
  for (const Secret* key : {static_cast<const Secret*>(nullptr), &key_}) {
    const std::string name = key != nullptr ? "sealed" : "plain";
    MakeBackup("in", name, key);
    const auto report = Run(name, "new_" + name, nullptr, key);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(Content("new_" + name), Content("in"));
    EXPECT_EQ(report->added, 5U);
    EXPECT_EQ(report->denied, 0U);
    EXPECT_EQ(dir_.Read("new_" + name + "/acme/x_meta_api_keys.schema.json"), dir_.Read("in/acme/x_meta_api_keys.schema.json"));
    const auto again = Run(name, "new_" + name, nullptr, key);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->added + again->denied, 0U);
    EXPECT_EQ(again->kept, 5U);
  }
}

TEST_F(RestoreTest, AKeyRevokedAfterTheBackupStaysRevoked) {
  MakeTenant("in", "acme", Key(kA, "true"));
  MakeBackup("in", "backup");
  MakeTenant("in", "acme", Key(kA, "false"));
  const auto report = Run("backup", "in");
  ASSERT_TRUE(report);
  EXPECT_EQ((Content("in")[{"acme", "x_meta_api_keys"}]), Key(kA, "false"));
}

TEST_F(RestoreTest, AKeyThatOnlyCentralRevokedComesBackInactive) {
  MakeTenant("in", "acme", Key(kA, "true") + Key(kB, "true"));
  MakeBackup("in", "backup");
  const auto report = Run("backup", "empty", [](const std::string& hash) { return hash == kA; });
  ASSERT_TRUE(report);
  EXPECT_EQ((Content("empty")[{"acme", "x_meta_api_keys"}]), Key(kA, "false") + Key(kB, "true"));
  EXPECT_EQ(report->denied, 1U);
}

TEST_F(RestoreTest, ARevocationInAnotherTableOfTheTargetCounts) {
  // given a key that is active in the backup, and was revoked since in a carrier that the backup does not have
  MakeTenant("in", "acme", Key(kA, "true"));
  MakeBackup("in", "backup");
  dir_.Write("out/metadata/api_keys.json", Key(kA, "false"));
  dir_.Write("out/acme_metadata/api_keys.json", Key(kA, "true"));
  MakeTenant("out", "acme", "");
  // when
  const auto report = Run("backup", "out");
  // then it is inactive wherever it is
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ((Content("out")[{"acme", "x_meta_api_keys"}]), Key(kA, "false"));
  EXPECT_EQ((Content("out")[{"acme_metadata", "api_keys"}]), Key(kA, "false"));
}

TEST_F(RestoreTest, RowsOfTheTargetStay) {
  MakeTenant("in", "acme", Key(kA, "true"));
  MakeBackup("in", "backup");
  MakeTenant("out", "acme", Key(kB, "true"));
  dir_.Write("out/acme/x_meta_api_keys-000000000001.json.gz", Gzip("  \n{\"since\":\"then\"}"));
  dir_.Write("out/beta/anything.json", "{}\n");
  ASSERT_TRUE(Run("backup", "out"));
  EXPECT_EQ((Content("out")[{"acme", "x_meta_api_keys"}]), Key(kB, "true") + "{\"since\":\"then\"}\n" + Key(kA, "true"));
  EXPECT_EQ((Content("out")[{"beta", "anything"}]), "{}\n");
}

TEST_F(RestoreTest, ADryRunCountsTheSameAndWritesNothing) {
  MakeTenant("in", "acme", Key(kA, "true") + Key(kB, "false"));
  MakeBackup("in", "backup");
  MakeTenant("out", "acme", Key(kB, "true"));
  const Tables before = Content("out");
  const auto dry = Run("backup", "out", nullptr, nullptr, true);
  ASSERT_TRUE(dry);
  EXPECT_EQ(Content("out"), before);
  const auto real = Run("backup", "out");
  ASSERT_TRUE(real);
  EXPECT_EQ(dry->added, real->added);
  EXPECT_EQ(dry->denied, real->denied);
  EXPECT_EQ(real->denied, 1U);
  EXPECT_TRUE(Run("backup", "nowhere", nullptr, nullptr, true));
  EXPECT_FALSE(dir_.Has("nowhere"));
}

TEST_F(RestoreTest, NothingIsWrittenFromABackupThatIsDamagedAnywhere) {
  MakeTenant("in", "acme", Key(kA, "true"));
  MakeTenant("in", "zulu", Key(kB, "true"));
  for (const Secret* key : {static_cast<const Secret*>(nullptr), &key_}) {
    const std::string name = key != nullptr ? "sealed" : "plain";
    MakeBackup("in", name, key);
    const std::string last = name + "/" + StoredName("zulu", "x_meta_cloud_credentials", false, key != nullptr);
    const std::string whole = dir_.Read(last);
    for (const std::string& content : {whole.substr(1), whole + "x", std::string()}) {
      dir_.Write(last, content);
      const auto report = Run(name, "out", nullptr, key);
      ASSERT_FALSE(report);
      EXPECT_EQ(report.error().code, Code::kCorrupt);
      EXPECT_FALSE(dir_.Has("out"));
    }
  }
}

TEST_F(RestoreTest, AnUnfinishedOrForeignDirectoryIsRefused) {
  MakeTenant("in", "acme", Key(kA, "true"));
  EXPECT_EQ(Run("nowhere", "out").error().code, Code::kNotFound);
  EXPECT_EQ(Run("in", "out").error().code, Code::kNotFound);
  FaultyFiles faulty(files_.get());
  faulty.FailAt(4, testing::Fault::kNoSpace);
  BackupOptions options;
  options.dir = dir_.path("half");
  ASSERT_FALSE(Backup(*Estate("in"), options, faulty, *entropy_, progress_));
  EXPECT_EQ(Run("half", "out").error().code, Code::kRefused);
  MakeBackup("in", "backup");
  EXPECT_EQ(Run("backup", "backup").error().code, Code::kUsage);
}

TEST_F(RestoreTest, AWrongKeyStopsBeforeAnythingIsWritten) {
  MakeTenant("in", "acme", Key(kA, "true"));
  MakeBackup("in", "sealed", &key_);
  const Secret other(std::string(32, 'x'));
  for (const Secret* wrong : {static_cast<const Secret*>(nullptr), &other})
    EXPECT_EQ(Run("sealed", "out", nullptr, wrong).error().code, Code::kWrongKey);
  EXPECT_FALSE(dir_.Has("out"));
}

TEST_F(RestoreTest, StoppedAtAnyWriteItIsFinishedByTheNextRun) {
  MakeTenant("in", "acme", Key(kA, "true") + Key(kB, "false"));
  MakeBackup("in", "backup");
  MakeTenant("whole", "acme", Key(kB, "true"));
  ASSERT_TRUE(Run("backup", "whole"));
  for (uint64_t n = 1, failed = 1; failed != 0; ++n) {
    ASSERT_LT(n, 100U);
    const std::string out = fmt::format("out{}", n);
    MakeTenant(out, "acme", Key(kB, "true"));
    FaultyFiles faulty(files_.get());
    faulty.FailAt(n, testing::Fault::kNoSpace);
    const auto estate = legacy::OpenExportEstate(faulty, dir_.path(out)).value();
    failed = Restore(*estate, {dir_.path("backup"), nullptr, false, nullptr}, *files_, progress_) ? 0 : 1;
    const auto repaired = Run("backup", out);
    ASSERT_TRUE(repaired) << repaired.error().message;
    EXPECT_EQ(Content(out), Content("whole")) << "write " << n;
  }
}

// ---- random key states ---------------------------------------------------------------------------------------------------

struct Row {
  int key = 0;
  int encoding = 0;   // of the hash
  int state = 0;      // 0 active, 1 inactive, 2 revoked at `time`, 3 inactive and revoked at `time`
  int time = 0;       // day of January 2025
  int note = 0;       // makes rows of one key differ
};

std::string HashOf(int key) { return crypto::Sha256Hex(fmt::format("key {}", key)); }

std::string Text(const Row& row) {
  const std::string hash = HashOf(row.key);
  std::string text;
  switch (row.encoding) {
    case 0: text = fmt::format("{{\"api_key_hash\":\"{}\"", hash); break;
    case 1: text = fmt::format("{{\"tenant_api_key_hash\":\"{}\"", AsciiUpper(hash)); break;
    case 2: text = fmt::format("{{\"api_key_hash\":\"{}\"", Base64Encode(*HexDecode(hash))); break;
    default: text = fmt::format("{{\"api_key\":\"key {}\"", row.key); break;
  }
  text += fmt::format(",\"note\":{},\"is_active\":{}", row.note, row.state == 1 || row.state == 3 ? "false" : "true");
  if (row.state >= 2) text += fmt::format(",\"revoked_at\":\"2025-01-{:02} 00:00:00 UTC\"", row.time);
  return text + "}\n";
}

rc::Gen<std::vector<Row>> AnyRows() {
  return rc::gen::container<std::vector<Row>>(rc::gen::build<Row>(
      rc::gen::set(&Row::key, rc::gen::inRange(0, 6)), rc::gen::set(&Row::encoding, rc::gen::inRange(0, 4)),
      rc::gen::set(&Row::state, rc::gen::weightedElement<int>({{4, 0}, {1, 1}, {1, 2}, {1, 3}})),
      rc::gen::set(&Row::time, rc::gen::inRange(1, 29)), rc::gen::set(&Row::note, rc::gen::inRange(0, 3))));
}

// What the rows of a table say about each key: rows, and how many of them accept it.
struct Seen {
  size_t rows = 0;
  size_t active = 0;
  std::optional<Micros> earliest;
};
void Look(std::string_view rows, std::map<std::string, Seen>* seen) {
  ForEachRow(rows, [&](std::string_view line) {
    const auto facts = ReadKey(*RowText::Parse(line));
    Seen& key = (*seen)[facts->hash];
    ++key.rows;
    if (!facts->denied) ++key.active;
    if (facts->denied_at && (!key.earliest || *facts->denied_at < *key.earliest)) key.earliest = facts->denied_at;
  });
}

TEST_F(RestoreTest, WhateverTheStatesNoKeyIsRevivedLostOrDoubled) {
  int round = 0;
  const bool holds = rc::check([&] {
    const std::vector<Row> backup_rows = *AnyRows();
    const std::vector<Row> target_rows = *AnyRows();
    const std::vector<Row> other_rows = *AnyRows();
    const auto central = *rc::gen::container<std::set<int>>(rc::gen::inRange(0, 6));
    const auto revoked = [&](const std::string& hash) {
      return std::any_of(central.begin(), central.end(), [&](int key) { return HashOf(key) == hash; });
    };
    // given a backup, a target that went its own way, and another carrier in the target
    std::string backup_text, target_text, other_text;
    for (const Row& row : backup_rows) backup_text += Text(row);
    for (const Row& row : target_rows) target_text += Text(row);
    for (const Row& row : other_rows) other_text += Text(row);
    const std::string in = fmt::format("in{}", ++round);
    const std::string out = fmt::format("out{}", round);
    const std::string backup = fmt::format("backup{}", round);
    MakeTenant(in, "acme", backup_text);
    MakeBackup(in, backup);
    MakeTenant(out, "acme", target_text);
    dir_.Write(out + "/metadata/api_keys.json", other_text);
    // when
    const auto report = Run(backup, out, revoked);
    RC_ASSERT(static_cast<bool>(report));
    // then
    const Tables after = Content(out);
    std::map<std::string, Seen> before_backup, before_target, before_other, own, other;
    Look(backup_text, &before_backup);
    Look(target_text, &before_target);
    Look(other_text, &before_other);
    Look(after.at({"acme", "x_meta_api_keys"}), &own);
    Look(after.at({"metadata", "api_keys"}), &other);
    for (int key = 0; key < 6; ++key) {
      const std::string hash = HashOf(key);
      const Seen b = before_backup[hash], t = before_target[hash], o = before_other[hash];
      const bool denied = b.active < b.rows || t.active < t.rows || o.active < o.rows || central.count(key) != 0;
      RC_ASSERT(own[hash].rows == (t.rows > 0 ? t.rows : b.rows));  // nothing lost, nothing doubled
      RC_ASSERT(other[hash].rows == o.rows);
      if (b.rows == 0) {  // none of the restore's business
        RC_ASSERT(own[hash].active == t.active);
        RC_ASSERT(other[hash].active == o.active);
      } else if (denied) {
        RC_ASSERT(own[hash].active == 0U);
        RC_ASSERT(other[hash].active == 0U);
      } else {
        RC_ASSERT(own[hash].active == own[hash].rows);
      }
      for (const Seen& side : {b, t, o})
        if (b.rows > 0 && side.earliest && own[hash].earliest) RC_ASSERT(*own[hash].earliest <= *side.earliest);
    }
    // and again: nothing changes
    const auto again = Run(backup, out, revoked);
    RC_ASSERT(static_cast<bool>(again));
    RC_ASSERT(again->added + again->denied == 0U);
    RC_ASSERT(Content(out) == after);
    for (const std::string& used : {in, out, backup}) std::filesystem::remove_all(dir_.path(used));
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace reeve::migrate
