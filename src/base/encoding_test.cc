#include "base/encoding.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace reeve {
namespace {

std::string AllBytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

TEST(Hex, EncodesLowerCaseAndDecodesAnyCase) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\x7F\xFF\xaB", 4)), "007fffab");
  EXPECT_EQ(HexDecode("007FfFaB"), std::string("\x00\x7F\xFF\xAB", 4));
  EXPECT_EQ(HexDecode(""), "");
  EXPECT_EQ(HexDecode(HexEncode(AllBytes())), AllBytes());
}

TEST(Hex, RefusesWhatIsNoHex) {
  for (const char* text : {"0", "000", "0g", "g0", "0x", " 0", "0 ", "--"}) EXPECT_EQ(HexDecode(text), std::nullopt) << text;
  EXPECT_EQ(HexDecode(std::string_view("\0\0", 2)), std::nullopt);
}

TEST(Base64, KnowsTheVectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    std::string decoded = "old";
    EXPECT_TRUE(Base64Decode(text, &decoded)) << text;
    EXPECT_EQ(decoded, bytes);
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zh==", "Zm9=", "Zm8", "Zm-_", "Zm9 ", "Zm\n9", "Zg==Zg==", "Z=g=",
                           "Zm9v\n", "!m9v"}) {
    std::string out;
    EXPECT_FALSE(Base64Decode(text, &out)) << text;
  }
}

TEST(Base64, EveryByteStringSurvivesTheRoundTripAndNothingElseDecodes) {
  EXPECT_TRUE(rc::check("decode(encode(x)) == x", [](const std::string& bytes) {
    std::string out;
    RC_ASSERT(Base64Decode(Base64Encode(bytes), &out));
    RC_ASSERT(out == bytes);
  }));
  EXPECT_TRUE(rc::check("a text that decodes is the encoding of what it decodes to", [] {
    const std::string text = *rc::gen::container<std::string>(rc::gen::element('A', 'Q', 'g', 'w', '/', '+', '=', '9'));
    std::string out;
    if (Base64Decode(text, &out)) RC_ASSERT(Base64Encode(out) == text);
  }));
}

TEST(JsonString, EscapesOnlyWhatMustBe) {
  std::string out = "x";
  AppendJsonString(std::string_view("\"\\\b\f\n\r\t\x01\x1f\x7f/\0\xC3\xB6\xF0\x9F\x98\x80<", 19), &out);
  EXPECT_EQ(out, "x\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\\u0000\xC3\xB6\xF0\x9F\x98\x80<\"");
  out.clear();
  AppendJsonString("", &out);
  EXPECT_EQ(out, "\"\"");
}

TEST(Utf8, AcceptsWellFormedTextsOnly) {
  for (const char* good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "a\xC3\xB6z"})
    EXPECT_TRUE(IsUtf8(good)) << HexEncode(good);
  EXPECT_TRUE(IsUtf8(std::string_view("\0", 1)));
  for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
                          "\xED\xBF\xBF", "\xE1\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF",
                          "\xFE", "a\xC3", "\xF0\x90\x80"})
    EXPECT_FALSE(IsUtf8(bad)) << HexEncode(bad);
}

TEST(Utf8, TakesExactlyTheScalarValues) {
  // when every code point is written in its natural length: all but the surrogates are text
  for (uint32_t point = 0; point <= 0x10FFFF; ++point) {
    std::string text;
    if (point < 0x80) {
      text = {static_cast<char>(point)};
    } else if (point < 0x800) {
      text = {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
    } else if (point < 0x10000) {
      text = {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | ((point >> 6) & 63)), static_cast<char>(0x80 | (point & 63))};
    } else {
      text = {static_cast<char>(0xF0 | point >> 18), static_cast<char>(0x80 | ((point >> 12) & 63)),
              static_cast<char>(0x80 | ((point >> 6) & 63)), static_cast<char>(0x80 | (point & 63))};
    }
    ASSERT_EQ(IsUtf8(text), point < 0xD800 || point > 0xDFFF) << point;
  }
}

TEST(Crc32c, KnowsTheVectorsOfTheRfc) {  // RFC 3720 B.4
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  EXPECT_EQ(Crc32c(rising), 0x46DD794Eu);
}

TEST(AsciiCase, LeavesOtherBytesAlone) {
  EXPECT_EQ(AsciiLower("AZaz09_\xC3\x84@["), "azaz09_\xC3\x84@[");
  EXPECT_EQ(AsciiUpper("AZaz09_\xC3\xA4`{"), "AZAZ09_\xC3\xA4`{");
}

}  // namespace
}  // namespace reeve
