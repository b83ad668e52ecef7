// One suite for the LegacyEstate port, run against every adapter that can be filled through the port itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "env/files.h"
#include "legacy/export/export_estate.h"
#include "legacy/sqlite/sqlite_estate.h"
#include "migrate/backup/backup.h"
#include "migrate/backup/restore.h"
#include "tests/conformance/legacy_estate_bigquery.h"
#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/memory_estate.h"

namespace reeve::testing {
namespace {

using legacy::LegacyEstate;
using legacy::LegacyTable;
using Strings = std::vector<std::string>;

struct Adapter {
  std::string name;
  // An estate at `path`, of which nothing exists yet; nullptr, with `why`, where the test is to be skipped.
  std::function<std::unique_ptr<LegacyEstate>(Files&, const std::string& path, std::string* why)> open;
  bool tells_case_apart = true;  // "acme" and "Acme" are two datasets
  bool is_stored = true;         // not a stand-in: it can be absent, refuses names, keeps schemas
  bool keeps_order = true;       // of rows; else they come in an order of the adapter's own, the same each time
  bool takes_long_rows = true;   // over legacy::kLineBytesMax
};

void PrintTo(const Adapter& adapter, std::ostream* out) { *out << adapter.name; }

class LegacyEstateSuite : public ::testing::TestWithParam<Adapter> {
 protected:
  std::unique_ptr<LegacyEstate> Open(const std::string& name) { return GetParam().open(*files_, dir_.path(name), &why_); }
  void SetUp() override {
    estate_ = Open("estate");
    if (estate_ == nullptr) GTEST_SKIP() << why_;
  }

  void Put(const std::string& dataset, const std::string& table, std::string_view rows) {
    const auto put = estate_->Replace(dataset, table, rows);
    ASSERT_TRUE(put) << put.error().message;
  }
  std::vector<legacy::Dataset> List() {
    auto datasets = estate_->List();
    EXPECT_TRUE(datasets) << datasets.error().message;
    return datasets ? *datasets : std::vector<legacy::Dataset>();
  }
  LegacyTable Table(std::string_view dataset, std::string_view name) {
    const auto datasets = List();
    const LegacyTable* table = FindTable(datasets, dataset, name);
    EXPECT_NE(table, nullptr) << dataset << "." << name;
    return table != nullptr ? *table : LegacyTable();
  }
  Strings Lines(const LegacyTable& table) {
    Strings lines;
    for (size_t part = 0; part < table.parts.size(); ++part) {
      const Strings of_part = LinesOf(*estate_, table, part).value();
      lines.insert(lines.end(), of_part.begin(), of_part.end());
    }
    return lines;
  }
  std::string Bytes(const LegacyTable& table, size_t step = 4096) {
    std::string bytes;
    for (size_t part = 0; part < table.parts.size(); ++part) bytes += BytesOf(*estate_, table, part, step).value();
    return bytes;
  }

  // Rows as they were written, in the order in which they may be expected.
  static Strings Ordered(Strings rows) {
    if (!GetParam().keeps_order) std::sort(rows.begin(), rows.end());
    return rows;
  }
  static std::string Joined(const Strings& rows) {
    std::string text;
    for (const std::string& row : Ordered(rows)) text += row + "\n";
    return text;
  }

  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  TempDir dir_;
  std::string why_;
  std::unique_ptr<LegacyEstate> estate_;
};

TEST_P(LegacyEstateSuite, AnEstateThatIsNotThereIsNotFound) {
  if (!GetParam().is_stored) GTEST_SKIP() << "the stand-in is always there";
  const auto datasets = estate_->List();
  ASSERT_FALSE(datasets);
  EXPECT_EQ(datasets.error().code, Code::kNotFound);
}

TEST_P(LegacyEstateSuite, TheListingIsSortedAndWhole) {
  const std::string upper = GetParam().tells_case_apart ? "Acme" : "Bcme";
  for (const std::string& dataset : {std::string("beta"), upper, std::string("acme"), std::string("acme_2")})
    for (const char* table : {"x_meta_pipeline_runs", "x_meta_api_keys"}) Put(dataset, table, "{\"id\":\"1\"}\n");
  Strings names;
  for (const legacy::Dataset& dataset : List())
    for (const LegacyTable& table : dataset.tables) {
      EXPECT_EQ(table.dataset, dataset.name);
      EXPECT_FALSE(table.parts.empty());
      names.push_back(table.dataset + "." + table.name);
    }
  EXPECT_EQ(names, (Strings{upper + ".x_meta_api_keys", upper + ".x_meta_pipeline_runs", "acme.x_meta_api_keys",
                            "acme.x_meta_pipeline_runs", "acme_2.x_meta_api_keys", "acme_2.x_meta_pipeline_runs",
                            "beta.x_meta_api_keys", "beta.x_meta_pipeline_runs"}));
}

TEST_P(LegacyEstateSuite, BothWaysOfReadingGiveTheRowsThatWereWritten) {
  std::string rows;
  Strings expected;
  for (int i = 0; i < 1000; ++i) {
    expected.push_back(fmt::format(R"({{"id":"{}","text":"ü \"{}\" \\ \u0001","note":"{}"}})", i, i * i, std::string(i % 77, 'x')));
    rows += expected.back() + "\n";
  }
  Put("acme", "t", rows);
  const LegacyTable table = Table("acme", "t");
  EXPECT_EQ(Lines(table), Ordered(expected));
  EXPECT_EQ(Bytes(table), Joined(expected));
  EXPECT_EQ(Bytes(table, 1), Joined(expected));
}

TEST_P(LegacyEstateSuite, ReplacePutsTheNewRowsInPlaceOfAllOldOnes) {
  Put("acme", "t", "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
  Put("acme", "other", "{\"id\":\"3\"}\n");
  Put("acme", "t", "{\"id\":\"4\"}\n");
  EXPECT_EQ(Lines(Table("acme", "t")), Strings{"{\"id\":\"4\"}"});
  EXPECT_EQ(Lines(Table("acme", "other")), Strings{"{\"id\":\"3\"}"});
}

TEST_P(LegacyEstateSuite, ATableWithoutRowsIsATable) {
  Put("acme", "t", "{\"id\":\"1\"}\n");
  Put("acme", "t", "");
  Put("acme", "never", "");
  for (const char* name : {"t", "never"}) {
    EXPECT_EQ(Lines(Table("acme", name)), Strings{});
    EXPECT_EQ(Bytes(Table("acme", name)), "");
  }
}

TEST_P(LegacyEstateSuite, ARowOverTheLimitIsPassedOverAsALineAndWholeAsBytes) {
  if (!GetParam().takes_long_rows) GTEST_SKIP() << "the server cannot be given such a row";
  const Strings rows = {"{\"id\":\"" + std::string(legacy::kLineBytesMax, 'x') + "\"}", "{\"id\":\"2\"}"};
  Put("acme", "t", rows[0] + "\n" + rows[1] + "\n");
  const Strings lines = Lines(Table("acme", "t"));
  EXPECT_EQ(Ordered(lines), Ordered({"<too large>", rows[1]}));
  EXPECT_EQ(Bytes(Table("acme", "t"), 1 << 20), Joined(rows));
}

TEST_P(LegacyEstateSuite, NamesThatDifferInCaseAreNeverMixed) {
  Put("acme", "t", "{\"id\":\"1\"}\n");
  const auto other = estate_->Replace("ACME", "t", "{\"id\":\"2\"}\n");
  EXPECT_EQ(static_cast<bool>(other), GetParam().tells_case_apart);
  EXPECT_EQ(Lines(Table("acme", "t")), Strings{"{\"id\":\"1\"}"});
}

TEST_P(LegacyEstateSuite, ASchemaThatWasPutIsListedAndReadBack) {
  if (!GetParam().is_stored) GTEST_SKIP() << "the stand-in keeps no schemas";
  const auto put = estate_->DeclareSchema("acme", "api_keys", R"([{"name":"id","type":"STRING"},{"name":"n","type":"INT64"}])");
  ASSERT_TRUE(put) << put.error().message;
  Put("acme", "api_keys", "{\"id\":\"1\",\"n\":\"9223372036854775807\"}\n");
  const LegacyTable table = Table("acme", "api_keys");
  EXPECT_EQ(table.schema, (Strings{"id", "n"}));
  EXPECT_EQ(Lines(table), Strings{"{\"id\":\"1\",\"n\":\"9223372036854775807\"}"});
  const auto text = estate_->SchemaText(table);
  ASSERT_TRUE(text) << text.error().message;
  const auto copy = Open("copy");
  ASSERT_TRUE(copy->DeclareSchema("acme", "api_keys", *text));
  ASSERT_TRUE(copy->Replace("acme", "api_keys", ""));
  EXPECT_EQ(FindTable(copy->List().value(), "acme", "api_keys")->schema, table.schema);
}

TEST_P(LegacyEstateSuite, NamesThatLeadElsewhereAreRefused) {
  if (!GetParam().is_stored) GTEST_SKIP() << "the stand-in has no elsewhere";
  for (const char* bad : {"", ".", "..", "a/b", "../a", "a.b", "a b", "a\"b", "ä"}) {
    EXPECT_FALSE(estate_->Replace(bad, "t", "{}\n")) << bad;
    EXPECT_FALSE(estate_->Replace("acme", bad, "{}\n")) << bad;
    EXPECT_FALSE(estate_->DeclareSchema(bad, "t", "[{\"name\":\"a\"}]")) << bad;
  }
  EXPECT_FALSE(estate_->List());
}

TEST_P(LegacyEstateSuite, ATableThatIsGoneIsAnErrorAndNotEmpty) {
  if (!GetParam().is_stored) GTEST_SKIP() << "the stand-in fails where it is told to";
  Put("acme", "t", "{\"id\":\"1\"}\n");
  LegacyTable table = Table("acme", "t");
  table.name = "gone";
  table.parts[0].name = "acme/gone-000000000000.json";
  const auto lines = LinesOf(*estate_, table, 0);
  ASSERT_FALSE(lines);
  EXPECT_NE(lines.error().message.find("gone"), std::string::npos) << lines.error().message;
  EXPECT_FALSE(BytesOf(*estate_, table, 0));
}

TEST_P(LegacyEstateSuite, ReadersOfManyThreadsDoNotDisturbEachOther) {
  Strings written;
  for (int i = 0; i < 2000; ++i) written.push_back(fmt::format("{{\"id\":\"{}\"}}", i));
  const std::string rows = Joined(written);
  for (int i = 0; i < 4; ++i) Put(fmt::format("d{}", i), "t", rows);
  const auto datasets = List();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        const auto lines = LinesOf(*estate_, datasets[static_cast<size_t>(i)].tables[0], 0);
        const auto bytes = BytesOf(*estate_, datasets[static_cast<size_t>((i + 1) % 4)].tables[0], 0);
        if (lines && lines->size() == 2000 && bytes && *bytes == rows && estate_->List()) ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 20);
}

TEST_P(LegacyEstateSuite, ABackupRestoredIntoNothingIsTheSameEstate) {
  const std::string keys = "{\"api_key_id\":\"1\",\"api_key_hash\":\"" + std::string(64, 'a') +
                           "\",\"created_at\":\"2025-01-01 10:00:00.123456 UTC\",\"is_active\":true}\n";
  ASSERT_TRUE(estate_->DeclareSchema("acme", "x_meta_api_keys",
                                 R"([{"name":"api_key_id","type":"STRING"},{"name":"api_key_hash","type":"STRING"},
                                     {"name":"created_at","type":"TIMESTAMP"},{"name":"is_active","type":"BOOL"}])"));
  Put("acme", "x_meta_api_keys", keys);
  Put("acme", "x_meta_cloud_credentials", "{\"credential_id\":\"c\",\"provider\":\"gcp\"}\n");
  Put("acme", "x_meta_pipeline_runs", "");
  const auto entropy = MakeSeededEntropy(1);
  obs::SilentProgress progress;
  migrate::BackupOptions options;
  options.dir = dir_.path("backup");
  const auto backup = migrate::Backup(*estate_, options, *files_, *entropy, progress);
  ASSERT_TRUE(backup) << backup.error().message;
  estate_ = Open("restored");
  const auto restored = migrate::Restore(*estate_, {options.dir, nullptr, false, nullptr}, *files_, progress);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(Bytes(Table("acme", "x_meta_api_keys")), keys);
  EXPECT_EQ(Bytes(Table("acme", "x_meta_cloud_credentials")), "{\"credential_id\":\"c\",\"provider\":\"gcp\"}\n");
  EXPECT_EQ(Bytes(Table("acme", "x_meta_pipeline_runs")), "");
  if (!GetParam().is_stored) return;
  EXPECT_EQ(Table("acme", "x_meta_api_keys").schema->size(), 4U);
}

std::unique_ptr<LegacyEstate> OpenExport(Files& files, const std::string& path, std::string*) { return legacy::OpenExportEstate(files, path).value(); }
std::unique_ptr<LegacyEstate> OpenSqlite(Files&, const std::string& path, std::string*) { return legacy::OpenSqliteEstate(path).value(); }
std::unique_ptr<LegacyEstate> OpenMemory(Files&, const std::string&, std::string*) { return std::make_unique<fakes::MemoryEstate>(); }
std::unique_ptr<LegacyEstate> OpenFake(Files& files, const std::string& path, std::string* why) {
  return OpenBigQueryServer(BigQueryServer::kFake, files, path, why);
}
std::unique_ptr<LegacyEstate> OpenEmulator(Files& files, const std::string& path, std::string* why) {
  return OpenBigQueryServer(BigQueryServer::kEmulator, files, path, why);
}

INSTANTIATE_TEST_SUITE_P(Adapters, LegacyEstateSuite,
                         ::testing::Values(Adapter{"export", OpenExport}, Adapter{"sqlite", OpenSqlite, false}, Adapter{"memory", OpenMemory, true, false},
                                           Adapter{"bigquery_fake", OpenFake, true, true, false},
                                           Adapter{"bigquery_emulator", OpenEmulator, false, true, false, false}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace reeve::testing
