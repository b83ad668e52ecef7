#include "legacy/export/export_estate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/faulty_files.h"

namespace reeve::legacy {
namespace {

using testing::BytesOf;
using testing::FindTable;
using testing::Gzip;
using testing::LinesOf;
using testing::TempDir;
using Strings = std::vector<std::string>;

class ExportEstateTest : public ::testing::Test {
 protected:
  void SetUp() override { estate_ = OpenExportEstate(*files_, dir_.path()).value(); }

  // The only table of the estate, made of one file.
  LegacyTable OneFile(std::string_view file, std::string_view content) {
    dir_.Write("acme/" + std::string(file), content);
    const auto datasets = estate_->List();
    EXPECT_TRUE(datasets) << datasets.error().message;
    EXPECT_EQ(datasets->size(), 1U);
    EXPECT_EQ(datasets->at(0).tables.size(), 1U);
    return datasets->at(0).tables.at(0);
  }
  Strings Lines(std::string_view file, std::string_view content) {
    const LegacyTable table = OneFile(file, content);
    auto lines = LinesOf(*estate_, table, 0);
    EXPECT_TRUE(lines) << lines.error().message;
    return lines ? *lines : Strings{};
  }

  const std::unique_ptr<Files> files_ = MakeSystemFiles();
  TempDir dir_;
  std::unique_ptr<LegacyEstate> estate_;
};

TEST_F(ExportEstateTest, ShardsComeInNumericOrderWithTheUnnumberedFirst) {
  for (const char* name : {"t-10.json", "t-9.json", "t-000000000000.json", "t.json", "t-0.json.gz", "t-99999999999999999999999.json"})
    dir_.Write(std::string("acme/") + name, "");
  const auto datasets = estate_->List();
  ASSERT_TRUE(datasets) << datasets.error().message;
  Strings names;
  for (const TablePart& part : FindTable(*datasets, "acme", "t")->parts) names.push_back(part.name);
  EXPECT_EQ(names, (Strings{"acme/t.json", "acme/t-0.json.gz", "acme/t-000000000000.json", "acme/t-9.json", "acme/t-10.json",
                            "acme/t-99999999999999999999999.json"}));
}

TEST_F(ExportEstateTest, WhatIsNoTableIsReportedAndNotRead) {
  const Strings strange = {".hidden.json", "a b.json", "notes.txt", "orphan.schema.json", "sub/x.json",
                           "t-.json",      "t-1a.json", "t.json.bak", "t.json.tmp"};
  for (const std::string& name : strange) dir_.Write("acme/" + name, "{}\n");
  dir_.Write("acme/t.json", "{}\n");
  dir_.Write("directly.json", "{}\n");
  const auto datasets = estate_->List();
  ASSERT_TRUE(datasets) << datasets.error().message;
  ASSERT_EQ(datasets->size(), 1U);
  EXPECT_EQ(datasets->at(0).tables.size(), 1U);
  EXPECT_EQ(datasets->at(0).unread, (Strings{".hidden.json", "a b.json", "notes.txt", "orphan.schema.json", "sub/", "t-.json",
                                             "t-1a.json", "t.json.bak", "t.json.tmp"}));
}

TEST_F(ExportEstateTest, SizesAddUp) {
  dir_.Write("acme/t-0.json", "{}\n");
  dir_.Write("acme/t-1.json", "{\"a\":1}\n");
  const auto datasets = estate_->List();
  ASSERT_TRUE(datasets);
  EXPECT_EQ(datasets->at(0).tables.at(0).bytes, 11U);
  EXPECT_EQ(datasets->at(0).tables.at(0).parts.at(1).bytes, 8U);
}

TEST_F(ExportEstateTest, BothFormsOfASchemaAreRead) {
  dir_.Write("acme/a.json", "");
  dir_.Write("acme/a.schema.json", R"([{"name":"x","type":"STRING","mode":"REQUIRED"},{"name":"y","type":"INT64"}])");
  dir_.Write("acme/b.json", "");
  dir_.Write("acme/b.schema.json", R"({"fields":[{"name":"r","type":"RECORD","fields":[{"name":"inner"}]}]})");
  dir_.Write("acme/c.json", "");
  const auto datasets = estate_->List();
  ASSERT_TRUE(datasets) << datasets.error().message;
  EXPECT_EQ(FindTable(*datasets, "acme", "a")->schema, (Strings{"x", "y"}));
  EXPECT_EQ(FindTable(*datasets, "acme", "b")->schema, (Strings{"r"}));
  EXPECT_EQ(FindTable(*datasets, "acme", "c")->schema, std::nullopt);
}

TEST_F(ExportEstateTest, ADamagedSchemaFailsItsTableAndNotTheListing) {
  for (const char* schema : {"", "[", "[]", "{}", "[{}]", "[{\"name\":1}]", "[1]", "\"x\"", "[{\"name\":\"a\"}] x", "{\"fields\":1}"}) {
    dir_.Write("acme/bad.json", "{}\n");
    dir_.Write("acme/bad.schema.json", schema);
    dir_.Write("good/t.json", "{}\n");
    const auto datasets = estate_->List();
    ASSERT_TRUE(datasets) << datasets.error().message;
    const auto bad = estate_->OpenLines(*FindTable(*datasets, "acme", "bad"), 0);
    ASSERT_FALSE(bad) << schema;
    EXPECT_NE(bad.error().message.find("acme/bad.schema.json"), std::string::npos) << bad.error().message;
    EXPECT_FALSE(estate_->OpenRaw(*FindTable(*datasets, "acme", "bad"), 0));
    EXPECT_TRUE(estate_->OpenLines(*FindTable(*datasets, "good", "t"), 0));
  }
}

TEST_F(ExportEstateTest, AMissingOrEmptyDirectoryIsNotFoundWithAHint) {
  const auto empty = estate_->List();
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Code::kNotFound);
  EXPECT_FALSE(empty.error().hint.empty());
  const auto missing = OpenExportEstate(*files_, dir_.path("nowhere")).value()->List();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_FALSE(OpenExportEstate(*files_, ""));
}

TEST_F(ExportEstateTest, SymbolicLinksAreFollowedAndOneThatLeadsNowhereFailsTheListing) {
  dir_.Write("acme/t.json", "{}\n");
  ASSERT_EQ(symlink("acme", dir_.path("alias").c_str()), 0);
  ASSERT_EQ(symlink("t.json", dir_.path("acme/u.json").c_str()), 0);
  const auto datasets = estate_->List();
  ASSERT_TRUE(datasets) << datasets.error().message;
  EXPECT_EQ(datasets->size(), 2U);
  EXPECT_EQ(*LinesOf(*estate_, *FindTable(*datasets, "alias", "u"), 0), Strings{"{}"});
  ASSERT_EQ(symlink("gone", dir_.path("acme/v.json").c_str()), 0);
  const auto broken = estate_->List();
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::kFailed);  // kNotFound would read as an empty estate
}

TEST_F(ExportEstateTest, AnUnreadableDirectoryFailsTheListing) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every directory";
  dir_.Write("acme/t.json", "{}\n");
  dir_.Write("other/t.json", "{}\n");
  ASSERT_EQ(chmod(dir_.path("acme").c_str(), 0), 0);
  const auto datasets = estate_->List();
  ASSERT_EQ(chmod(dir_.path("acme").c_str(), 0700), 0);
  ASSERT_FALSE(datasets);
  EXPECT_NE(datasets.error().message.find("acme"), std::string::npos);
}

TEST_F(ExportEstateTest, NoFailedReadIsTakenForTheEnd) {
  dir_.Write("acme/t-0.json", "{\"a\":1}\n");
  dir_.Write("acme/t-1.json.gz", Gzip("{\"a\":2}\n"));
  dir_.Write("acme/t.schema.json", R"([{"name":"a"}])");
  dir_.Write("beta/t.json", "{\"a\":3}\n");
  testing::FaultyFiles faulty(files_.get());
  faulty.CountReads(true);
  const auto estate = OpenExportEstate(faulty, dir_.path()).value();
  // All rows both ways, or an error.
  const auto read_all = [&]() -> Result<std::string> {
    std::string all;
    REEVE_ASSIGN(const std::vector<Dataset> datasets, estate->List());
    for (const Dataset& dataset : datasets)
      for (const LegacyTable& table : dataset.tables)
        for (size_t part = 0; part < table.parts.size(); ++part) {
          REEVE_ASSIGN(const Strings lines, LinesOf(*estate, table, part));
          for (const std::string& line : lines) all += line;
          REEVE_ASSIGN(const std::string bytes, BytesOf(*estate, table, part));
          all += bytes;
        }
    return all;
  };
  const std::string whole = read_all().value();
  const uint64_t reads = faulty.calls();
  ASSERT_GT(reads, 15U);
  for (uint64_t n = 1; n <= reads; ++n)
    for (const bool once : {true, false}) {
      faulty.FailAt(n, testing::Fault::kIo, once);
      const auto result = read_all();
      faulty.Heal();
      ASSERT_FALSE(result) << "read " << n;
      EXPECT_NE(result.error().code, Code::kNotFound);
    }
  EXPECT_EQ(read_all().value(), whole);
}

TEST_F(ExportEstateTest, AFileThatCannotBeOpenedFailsWithItsName) {
  const LegacyTable table = OneFile("t.json", "{}\n");
  std::filesystem::remove(dir_.path("acme/t.json"));
  const auto lines = estate_->OpenLines(table, 0);
  ASSERT_FALSE(lines);
  EXPECT_NE(lines.error().message.find("acme/t.json"), std::string::npos);
}

TEST_F(ExportEstateTest, LinesEndAtNewlinesOnly) {
  EXPECT_EQ(Lines("t.json", "a\nb\n"), (Strings{"a", "b"}));
  EXPECT_EQ(Lines("t.json", "a\nb"), (Strings{"a", "b"}));
  EXPECT_EQ(Lines("t.json", ""), Strings{});
  EXPECT_EQ(Lines("t.json", "\n"), Strings{""});
  EXPECT_EQ(Lines("t.json", "\n\nx"), (Strings{"", "", "x"}));
  EXPECT_EQ(Lines("t.json", "a\r\nb\r\n"), (Strings{"a\r", "b\r"}));
  EXPECT_EQ(Lines("t.json", std::string_view("a\0b\nc\0", 6)), (Strings{std::string("a\0b", 3), std::string("c\0", 2)}));
}

TEST_F(ExportEstateTest, LinesOfAllLengthsCrossBlocksUnharmed) {
  std::string content;
  Strings expected;
  for (size_t i = 0; content.size() < 5'000'000; ++i) {
    expected.emplace_back(i * i % 70'001, static_cast<char>('a' + i % 26));
    content += expected.back() + "\n";
  }
  EXPECT_EQ(Lines("t.json", content), expected);
  std::filesystem::remove(dir_.path("acme/t.json"));
  EXPECT_EQ(Lines("t.json.gz", Gzip(content)), expected);
}

TEST_F(ExportEstateTest, ATooLargeLineIsPassedOverAndCounted) {
  const std::string largest(kLineBytesMax, 'x');
  const Strings expected = {"a", largest, "b", "<too large>", "c", "<too large>"};
  const std::string content = "a\n" + largest + "\nb\n" + largest + "x\nc\n" + std::string(20 << 20, 'y');
  EXPECT_EQ(Lines("t.json", content), expected);
  EXPECT_EQ(Lines("t.json", content + "\n"), expected);
  std::filesystem::remove(dir_.path("acme/t.json"));
  EXPECT_EQ(Lines("t.json.gz", Gzip(content)), expected);
}

TEST_F(ExportEstateTest, ConcatenatedGzipMembersAreOneText) {
  const LegacyTable table = OneFile("t.json.gz", Gzip("a\nb") + Gzip("") + Gzip("c\n") + Gzip(""));
  EXPECT_EQ(*LinesOf(*estate_, table, 0), (Strings{"a", "bc"}));
  EXPECT_EQ(*BytesOf(*estate_, table, 0), "a\nbc\n");
  EXPECT_EQ(*BytesOf(*estate_, table, 0, 1), "a\nbc\n");
}

TEST_F(ExportEstateTest, ACompressedFileWithoutRowsIsNoError) {
  const LegacyTable table = OneFile("t.json.gz", Gzip(""));
  EXPECT_EQ(*LinesOf(*estate_, table, 0), Strings{});
  EXPECT_EQ(*BytesOf(*estate_, table, 0), "");
}

TEST_F(ExportEstateTest, AGzipHeaderWithAllItsOptionalFieldsIsRead) {
  const std::string plain = Gzip("row\n");
  std::string fancy = plain.substr(0, 10) + std::string("\x03\0abc", 5) + std::string("name\0", 5) + std::string("note\0", 5);
  fancy[3] = 4 | 8 | 16;
  const LegacyTable table = OneFile("t.json.gz", fancy + plain.substr(10));
  EXPECT_EQ(*LinesOf(*estate_, table, 0), Strings{"row"});
  EXPECT_EQ(*BytesOf(*estate_, table, 0), "row\n");
}

TEST_F(ExportEstateTest, GzipCutAtAnyByteIsAnErrorAndNeverAShorterTable) {
  const std::string whole = Gzip("{\"a\":1}\n{\"b\":2}\n") + Gzip("{\"c\":3}\n");
  const size_t first_member = Gzip("{\"a\":1}\n{\"b\":2}\n").size();
  for (size_t size = 0; size < whole.size(); ++size) {
    if (size == first_member) continue;  // a whole file of its own
    const LegacyTable table = OneFile("t.json.gz", whole.substr(0, size));
    const auto lines = LinesOf(*estate_, table, 0);
    ASSERT_FALSE(lines) << "cut at " << size;
    EXPECT_NE(lines.error().message.find("acme/t.json.gz"), std::string::npos);
    EXPECT_NE(lines.error().message.find("expected"), std::string::npos) << lines.error().message;
    const auto bytes = BytesOf(*estate_, table, 0);
    ASSERT_FALSE(bytes) << "cut at " << size;
    EXPECT_NE(bytes.error().message.find("acme/t.json.gz"), std::string::npos);
  }
}

TEST_F(ExportEstateTest, DamagedGzipNeverYieldsOtherRows) {
  const std::string text = "{\"a\":1}\n{\"b\":2}\n";
  const std::string whole = Gzip(text);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const LegacyTable table = OneFile("t.json.gz", damaged);
    const auto bytes = BytesOf(*estate_, table, 0);
    const auto lines = LinesOf(*estate_, table, 0);
    ASSERT_EQ(static_cast<bool>(bytes), static_cast<bool>(lines)) << "byte " << at;
    if (!bytes) continue;
    EXPECT_EQ(*bytes, text) << "byte " << at;  // time and system in the header carry nothing
    EXPECT_EQ(*lines, (Strings{"{\"a\":1}", "{\"b\":2}"})) << "byte " << at;
  }
}

TEST_F(ExportEstateTest, WhatFollowsTheLastMemberIsAnError) {
  for (const std::string_view tail : {std::string_view("x"), std::string_view("\0\0\0\0", 4), std::string_view("garbage\n")}) {
    const LegacyTable table = OneFile("t.json.gz", Gzip("a\n") + std::string(tail));
    EXPECT_FALSE(LinesOf(*estate_, table, 0));
    EXPECT_FALSE(BytesOf(*estate_, table, 0));
  }
  const LegacyTable plain = OneFile("t.json.gz", "{\"not\":\"compressed\"}\n");
  EXPECT_FALSE(LinesOf(*estate_, plain, 0));
  EXPECT_FALSE(BytesOf(*estate_, plain, 0));
}

TEST_F(ExportEstateTest, ReplaceLeavesOneShardAndTheSchema) {
  for (const char* name : {"t.json", "t-0.json", "t-000000000000.json", "t-7.json", "tt.json"})
    dir_.Write(std::string("acme/") + name, "{\"old\":1}\n");
  dir_.Write("acme/t.schema.json", R"([{"name":"old"}])");
  ASSERT_TRUE(estate_->Replace("acme", "t", "{\"new\":1}\n"));
  const auto datasets = estate_->List();
  ASSERT_TRUE(datasets);
  const LegacyTable* table = FindTable(*datasets, "acme", "t");
  ASSERT_EQ(table->parts.size(), 1U);
  EXPECT_EQ(table->parts[0].name, "acme/t-000000000000.json");
  EXPECT_EQ(table->schema, Strings{"old"});
  EXPECT_EQ(*LinesOf(*estate_, *table, 0), Strings{"{\"new\":1}"});
  EXPECT_EQ(dir_.Read("acme/tt.json"), "{\"old\":1}\n");
}

TEST_F(ExportEstateTest, ReplaceCompressesWhatWasCompressed) {
  dir_.Write("acme/t-0.json.gz", Gzip("{\"old\":1}\n"));
  std::string rows;
  for (int i = 0; i < 100'000; ++i) rows += "{\"row\":" + std::to_string(i) + "}\n";
  ASSERT_TRUE(estate_->Replace("acme", "t", rows));
  const auto datasets = estate_->List();
  ASSERT_TRUE(datasets);
  const LegacyTable& table = datasets->at(0).tables.at(0);
  ASSERT_EQ(table.parts.size(), 1U);
  EXPECT_EQ(table.parts[0].name, "acme/t-000000000000.json.gz");
  EXPECT_LT(table.bytes, rows.size() / 2);
  EXPECT_EQ(*BytesOf(*estate_, table, 0), rows);
  ASSERT_TRUE(estate_->Replace("acme", "t", ""));
  EXPECT_EQ(*BytesOf(*estate_, table, 0), "");
}

TEST_F(ExportEstateTest, ReplaceMakesTheEstateButNeverLeavesIt) {
  const auto fresh = OpenExportEstate(*files_, dir_.path("a/new/one/")).value();
  ASSERT_TRUE(fresh->Replace("acme", "t", "{}\n"));
  EXPECT_EQ(dir_.Read("a/new/one/acme/t-000000000000.json"), "{}\n");
  for (const char* bad : {"", ".", "..", "../x", "a/b", "a b"}) {
    EXPECT_FALSE(fresh->Replace(bad, "t", "{}\n")) << bad;
    EXPECT_FALSE(fresh->Replace("acme", bad, "{}\n")) << bad;
  }
}

}  // namespace
}  // namespace reeve::legacy
