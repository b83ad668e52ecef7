#include "migrate/backup/row_text.h"

#include <gtest/gtest.h>

namespace reeve::migrate {
namespace {

std::string Shape(std::string_view line) {
  const auto row = RowText::Parse(line);
  if (!row) return "no row";
  std::string out;
  for (const RowText::Field& field : row->fields()) out += fmt::format("<{}={}>", field.name, field.value);
  return out;
}

TEST(RowText, FindsFieldsWhateverTheirValues) {
  EXPECT_EQ(Shape("{}"), "");
  EXPECT_EQ(Shape(" \t{ } \r"), "");
  EXPECT_EQ(Shape(R"({"a":1})"), "<a=1>");
  EXPECT_EQ(Shape(R"( { "a" : -1.5e3 , "b":null,"c": true } )"), "<a=-1.5e3><b=null><c=true>");
  EXPECT_EQ(Shape(R"({"a":"x,}\"]","b":[1,{"c":"]}"},[]],"d":{"e":{"f":"\\"}}})"),
            R"(<a="x,}\"]"><b=[1,{"c":"]}"},[]]><d={"e":{"f":"\\"}}>)");
  EXPECT_EQ(Shape(R"({"\u0061\n":1,"":2,"a":3,"a":4})"), "<a\n=1><=2><a=3><a=4>");
}

TEST(RowText, WhatIsNoRowIsNone) {
  for (const char* line : {"", " ", "null", "[]", "{", "}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{\"a\":1 2}", "{a:1}",
                           "{\"a\":\"x}", "{\"a\":[1}", "{\"a\":[1]]}", "{\"a\":1}{\"b\":2}", "{\"a\":1} x", "{\"a\\\":1}", "{\"\\x\":1}"})
    EXPECT_EQ(Shape(line), "no row") << line;
}

TEST(RowText, AnEditChangesItsValueAndNoOtherByte) {
  const std::string line = R"( { "a" : 1 , "b":"x" ,"weird":1.0000000000000000000001 } )";
  const auto row = RowText::Parse(line);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->With({}), line);
  EXPECT_EQ(row->With({{row->fields()[0].value, "false"}, {row->fields()[1].value, "\"yy\""}}),
            R"( { "a" : false , "b":"yy" ,"weird":1.0000000000000000000001 } )");
  EXPECT_EQ(row->With({{{}, "\"c\":1"}, {{}, "\"d\":2"}}),
            R"( { "a" : 1 , "b":"x" ,"weird":1.0000000000000000000001 ,"c":1,"d":2} )");
  EXPECT_EQ(RowText::Parse("{}")->With({{{}, "\"c\":1"}, {{}, "\"d\":2"}}), "{\"c\":1,\"d\":2}");
}

TEST(RowText, TextsAreUnescaped) {
  EXPECT_EQ(TextOf("\"\""), "");
  EXPECT_EQ(TextOf(R"("a\u00e9\"\\\n")"), "aé\"\\\n");
  for (const char* value : {"", "\"", "1", "null", "[\"a\"]", R"("\ud800")", R"("\q")"}) EXPECT_EQ(TextOf(value), std::nullopt) << value;
}

TEST(RowText, BlankLinesAreNoRows) {
  std::vector<std::string> rows;
  ForEachRow("a\n\n \t\r\nb\r\nc", [&](std::string_view row) { rows.emplace_back(row); });
  EXPECT_EQ(rows, (std::vector<std::string>{"a", "b\r", "c"}));
}

}  // namespace
}  // namespace reeve::migrate
