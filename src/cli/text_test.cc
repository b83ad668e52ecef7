#include "cli/text.h"

#include <gtest/gtest.h>

#include <vector>

#include "cli/json.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/value.h"

namespace reeve::cli {
namespace {

TEST(Text, WideCharactersTakeTwoColumnsAndCombiningOnesNone) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("äöü"), 3u);
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u);
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2u);
}

TEST(Text, CutTextFitsAndSaysThatItWasCut) {
  EXPECT_EQ(CutToWidth("abcdef", 6), "abcdef");
  EXPECT_EQ(CutToWidth("abcdef", 5), "abcd…");
  EXPECT_EQ(CutToWidth("日本語", 4), "日…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
  for (size_t width = 0; width < 12; ++width) EXPECT_LE(DisplayWidth(CutToWidth("a日b本c語d", width)), width);
}

TEST(Text, NothingThatSteersATerminalGetsThrough) {
  EXPECT_EQ(Printable("a\x1b[31mb"), "a\\u001b[31mb");
  EXPECT_EQ(Printable("a\nb\tc\rd"), "a\\nb\\tc\\u000dd");
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\u0000");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\u009b");
  EXPECT_EQ(Printable("\xff!"), "\\xff!");
  EXPECT_EQ(Printable("\xe2\x80\xae"), "\\u202e");  // right-to-left override
  EXPECT_EQ(Printable("Müller 日本"), "Müller 日本");
}

TEST(Text, WrapBreaksAtSpacesAndKeepsIndentedLines) {
  EXPECT_EQ(Wrap("one two three", 9, 2), "  one two\n  three\n");
  EXPECT_EQ(Wrap("a\n\n  kept as it is\nb", 5, 0), "a\n\n  kept as it is\nb\n");
  EXPECT_EQ(Wrap("averyverylongword x", 5, 0), "averyverylongword\nx\n");
  EXPECT_EQ(Wrap("", 80, 4), "");
}

TEST(Text, SizesAndTimesForPeople) {
  EXPECT_EQ(Bytes(0), "0 B");
  EXPECT_EQ(Bytes(999), "999 B");
  EXPECT_EQ(Bytes(1'000), "1.0 kB");
  EXPECT_EQ(Bytes(999'999), "1.0 MB");
  EXPECT_EQ(Bytes(3'400'000), "3.4 MB");
  EXPECT_EQ(Bytes(UINT64_MAX), "18446.7 PB");
  EXPECT_EQ(Lasting(0), "0.0 s");
  EXPECT_EQ(Lasting(12 * kSecond), "12 s");
  EXPECT_EQ(Lasting(200 * kSecond), "3 min 20 s");
  EXPECT_EQ(Lasting(7'500 * kSecond), "2 h 05 min");
  EXPECT_EQ(Counted(1, "tenant"), "1 tenant");
  EXPECT_EQ(Counted(2'000, "tenant"), "2,000 tenants");
  EXPECT_EQ(Counted(0, "entry", "entries"), "0 entries");
}

TEST(Text, ShellLineCanBePasted) {
  EXPECT_EQ(ShellLine(std::vector<std::string>{"reeve", "migrate", "--from", "export:./a"}), "reeve migrate --from export:./a");
  EXPECT_EQ(ShellLine(std::vector<std::string>{"it's", "", "a b", "$HOME", "*"}), "'it'\\''s' '' 'a b' '$HOME' '*'");
}

TEST(Suggest, CountsEditsWithSwapsAsOne) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("plan", "plan"), 0u);
  EXPECT_EQ(EditDistance("paln", "plan"), 1u);
  EXPECT_EQ(EditDistance("migrat", "migrate"), 1u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(Suggest, OffersTheNearestOrTheOnlyBeginningOrNothing) {
  const std::vector<std::string_view> words = {"plan", "migrate", "status", "restore", "rollback", "repair"};
  EXPECT_EQ(Nearest("paln", words), "plan");
  EXPECT_EQ(Nearest("MIGRAET", words), "migrate");
  EXPECT_EQ(Nearest("roll", words), "rollback");
  EXPECT_EQ(Nearest("re", words), std::nullopt);  // two begin so
  EXPECT_EQ(Nearest("zzzz", words), std::nullopt);
  EXPECT_EQ(Nearest("", words), std::nullopt);
}

TEST(Value, ChecksWhatPeopleWrite) {
  EXPECT_EQ(ParseCount("0"), 0);
  EXPECT_EQ(ParseCount("9223372036854775807"), INT64_MAX);
  for (const char* bad : {"", "-1", "+1", "1.0", " 1", "1 ", "9223372036854775808", "0x10", "1e3"}) EXPECT_FALSE(ParseCount(bad)) << bad;
  EXPECT_DOUBLE_EQ(*ParseRate("0.25"), 0.25);
  for (const char* bad : {"", "1.1", "-0.1", "nan", "inf", "1e-3", "0,5"}) EXPECT_FALSE(ParseRate(bad)) << bad;
  EXPECT_EQ(ParseDuration("24h"), 24 * kHour);
  EXPECT_EQ(ParseDuration("90m"), 90 * 60 * kSecond);
  EXPECT_EQ(ParseDuration("2d"), 2 * kDay);
  for (const char* bad : {"", "h", "24", "-1h", "1.5h", "99999999999999d", "1w"}) EXPECT_FALSE(ParseDuration(bad)) << bad;
  EXPECT_EQ(ParseInstant("2026-11-15"), ParseInstant("2026-11-15T00:00:00Z"));
  for (const char* bad : {"", "now", "2026-13-01", "15.11.2026"}) EXPECT_FALSE(ParseInstant(bad)) << bad;
}

TEST(Value, ErrorsNameTheOptionAndTheChoices) {
  const std::vector<std::string_view> choices = {"table", "json"};
  const auto bad = CheckValue("--output", "jsno", {.kind = Kind::kChoice, .choices = choices});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kUsage);
  EXPECT_EQ(bad.error().message, "--output: \"jsno\" is not one of table, json");
  EXPECT_EQ(bad.error().hint, "did you mean \"json\"?");
  EXPECT_FALSE(CheckValue("--x", "", {.kind = Kind::kText}));
  EXPECT_FALSE(CheckValue("--x", std::string_view("a\0b", 3), {.kind = Kind::kText}));
}

TEST(Json, KeepsOrderAndEscapes) {
  Json object = Json::Object();
  object.Set("b", 1).Set("a", "x\"\n").Set("none", Json()).Set("list", Json::Array(std::vector<std::string>{"1", "2"}));
  object.Set("big", UINT64_MAX).Set("yes", true).Set("raw", Json::Raw("{\"k\":[]}"));
  EXPECT_EQ(object.Text(), R"({"b":1,"a":"x\"\n","none":null,"list":["1","2"],"big":18446744073709551615,"yes":true,"raw":{"k":[]}})");
}

TEST(Json, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(Json("a\xff\xfe z\xc3").Text(), "\"a\xEF\xBF\xBD\xEF\xBF\xBD z\xEF\xBF\xBD\"");
  EXPECT_EQ(ToUtf8("日本語"), "日本語");
}

TEST(TextTable, AlignsNumbersRightAndCutsTheWidestColumn) {
  TextTable table({{"NAME", TextTable::Align::kLeft, true}, {"ROWS", TextTable::Align::kRight}});
  table.Add({"a", "1"});
  table.Add({"a very long name indeed", "1,234"});
  EXPECT_EQ(table.Text(0),
            "NAME                      ROWS\n"
            "a                            1\n"
            "a very long name indeed  1,234\n");
  EXPECT_EQ(table.Text(20, 2),
            "  NAME          ROWS\n"
            "  a                1\n"
            "  a very lon…  1,234\n");
}

TEST(TextTable, DataCannotBreakTheLayout) {
  TextTable table({{"NAME"}});
  table.Add({"two\nlines"});
  EXPECT_EQ(table.Text(0), "NAME\ntwo\\nlines\n");
}

}  // namespace
}  // namespace reeve::cli
