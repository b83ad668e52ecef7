#include "migrate/copy/row_decoder.h"

#include <gtest/gtest.h>

namespace reeve::migrate::copy {
namespace {

using catalog::Field;
using catalog::LegacyKind;

class Rows {
 public:
  explicit Rows(LegacyKind kind = LegacyKind::kKeys, std::optional<std::vector<std::string>> schema = {}) {
    decoder_.StartTable(kind, schema);
  }
  Verdict Decode(std::string_view text) {
    padded_.assign(text);
    padded_.append(legacy::kLinePadding, '\0');
    legacy::Line line;
    line.text = std::string_view(padded_.data(), text.size());
    line.number = 1;
    return decoder_.Decode(line);
  }
  std::string Reason(std::string_view text) {
    return Decode(text) == Verdict::kDead ? std::string(decoder_.reason()) : "";
  }
  RowDecoder& decoder() { return decoder_; }

 private:
  RowDecoder decoder_;
  std::string padded_;
};

std::string Nested(int levels) {
  return R"({"x_a":)" + std::string(static_cast<size_t>(levels), '[') + std::string(static_cast<size_t>(levels), ']') + "}";
}

struct Case {
  std::string line;
  std::string reason;  // empty: a good row
};

TEST(RowDecoder, RefusesWhatIsNoRowAndSaysWhy) {
  const std::vector<Case> cases = {
      {R"({"api_key_id":"a"})", ""},
      {R"( {"api_key_id" : "a"} )", ""},
      {R"({"api_key_id":null})", ""},
      {"{}", ""},
      {R"({"x_n":18446744073709551615})", ""},
      {R"({"x_n":-9223372036854775808})", ""},
      {R"({"x_n":1e308})", ""},
      {R"({"x_s":"\u00e9\ud83d\ude00"})", ""},
      {Nested(63), ""},
      {Nested(64), "invalid_json"},
      {R"({"api_key_id":"a")", "invalid_json"},
      {R"({"api_key_id":"a"} x)", "invalid_json"},
      {R"({"api_key_id":"a"}{})", "invalid_json"},
      {R"({'api_key_id':"a"})", "invalid_json"},
      {R"({"x_n":18446744073709551616})", "invalid_json"},
      {R"({"x_n":-9223372036854775809})", "invalid_json"},
      {R"({"x_n":1e400})", "invalid_json"},
      {R"({"x_n":01})", "invalid_json"},
      {R"({"x_s":"\ud800"})", "invalid_json"},
      {"{\"x_s\":\"\xff\"}", "invalid_json"},
      {"{\"x_s\":\"\xc0\x80\"}", "invalid_json"},
      {std::string("{\"x_s\":\"a\0b\"}", 13), "invalid_json"},
      {"{\"x_s\":\"a\tb\"}", "invalid_json"},
      {"[1]", "not_an_object"},
      {"12", "not_an_object"},
      {R"("text")", "not_an_object"},
      {R"({"api_key_id":"a","api_key_id":"b"})", "duplicate_field"},
      {R"({"x_a":1,"x_\u0061":2})", "duplicate_field"},
      {R"({"x_a":{"b":1,"b":2}})", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(Rows().Reason(c.line), c.reason) << c.line.substr(0, 100);
}

TEST(RowDecoder, PassesOverBlankLines) {
  Rows rows;
  EXPECT_EQ(rows.Decode(""), Verdict::kBlank);
  EXPECT_EQ(rows.Decode(" \t\r"), Verdict::kBlank);
  EXPECT_EQ(rows.decoder().rows(), 0u);
}

TEST(RowDecoder, TakesTheFirstColumnThatIsThere) {
  Rows rows;
  std::optional<std::string_view> text;
  ASSERT_EQ(rows.Decode(R"({"org_slug":"o","tenant_id":"t","description":"d","key_name":null})"), Verdict::kRow);
  ASSERT_TRUE(rows.decoder().TakeText(Field::kTenant, &text));
  EXPECT_EQ(text, "t");
  ASSERT_TRUE(rows.decoder().TakeText(Field::kName, &text));
  EXPECT_EQ(text, "d");
}

TEST(RowDecoder, KeepsAnEmptyFirstColumn) {
  Rows rows;
  std::optional<std::string_view> text;
  ASSERT_EQ(rows.Decode(R"({"org_slug":"o","tenant_id":""})"), Verdict::kRow);
  ASSERT_TRUE(rows.decoder().TakeText(Field::kTenant, &text));
  EXPECT_EQ(text, "");
}

TEST(RowDecoder, ChecksTypesOfFieldsThatAreRead) {
  const auto reason_of = [](std::string_view line, auto take) {
    Rows rows(LegacyKind::kRuns);
    EXPECT_EQ(rows.Decode(line), Verdict::kRow);
    return take(rows.decoder()) ? std::string() : std::string(rows.decoder().reason());
  };
  std::optional<std::string_view> text;
  std::optional<Micros> time;
  std::optional<int64_t> number;
  const auto take_text = [&](RowDecoder& d) { return d.TakeText(Field::kStatus, &text); };
  const auto take_time = [&](RowDecoder& d) { return d.TakeTime(Field::kStart, &time); };
  const auto take_int = [&](RowDecoder& d) { return d.TakeInt(Field::kDuration, &number); };
  EXPECT_EQ(reason_of(R"({"status":5})", take_text), "bad_text");
  EXPECT_EQ(reason_of(R"({"status":"a\u0000b"})", take_text), "nul_in_text");
  EXPECT_EQ(reason_of(R"({"status":")" + std::string(kTextBytesMax + 1, 'x') + "\"}", take_text), "value_too_large");
  EXPECT_EQ(reason_of(R"({"status":")" + std::string(kTextBytesMax, 'x') + "\"}", take_text), "");
  EXPECT_EQ(reason_of(R"({"start_time":"2026-02-30 00:00:00 UTC"})", take_time), "bad_time");
  EXPECT_EQ(reason_of(R"({"start_time":1700000000})", take_time), "bad_time");
  EXPECT_EQ(reason_of(R"({"duration_ms":"9223372036854775807"})", take_int), "");
  EXPECT_EQ(number, INT64_MAX);
  EXPECT_EQ(reason_of(R"({"duration_ms":"9223372036854775808"})", take_int), "bad_int");
  EXPECT_EQ(reason_of(R"({"duration_ms":18446744073709551615})", take_int), "bad_int");
  EXPECT_EQ(reason_of(R"({"duration_ms":1.5})", take_int), "bad_int");
  EXPECT_EQ(reason_of(R"({"duration_ms":"+5"})", take_int), "bad_int");
  EXPECT_EQ(reason_of(R"({"duration_ms":" 5"})", take_int), "bad_int");
}

TEST(RowDecoder, ReadsScopesAndRefusesOtherArrays) {
  Rows rows;
  std::optional<std::string> texts;
  ASSERT_EQ(rows.Decode(R"({"scopes":["a","b\"c"]})"), Verdict::kRow);
  ASSERT_TRUE(rows.decoder().TakeTexts(Field::kScopes, &texts));
  EXPECT_EQ(texts, R"(["a","b\"c"])");
  ASSERT_EQ(rows.Decode(R"({"scopes":[]})"), Verdict::kRow);
  ASSERT_TRUE(rows.decoder().TakeTexts(Field::kScopes, &texts));
  EXPECT_FALSE(texts.has_value());
  ASSERT_EQ(rows.Decode(R"({"scopes":["a",null]})"), Verdict::kRow);
  EXPECT_FALSE(rows.decoder().TakeTexts(Field::kScopes, &texts));
  EXPECT_EQ(rows.decoder().reason(), "bad_texts");
}

TEST(RowDecoder, KeepsTheSourceOfNestedMetadata) {
  Rows rows(LegacyKind::kCredentials);
  std::optional<std::string> source;
  ASSERT_EQ(rows.Decode(R"({"provider":"x","metadata": { "n" : 1.50 , "t":"a  b" }})"), Verdict::kRow);
  ASSERT_TRUE(rows.decoder().TakeTextOrJson(Field::kMetadata, &source));
  EXPECT_EQ(source, R"({"n":1.50,"t":"a  b"})");
  ASSERT_EQ(rows.Decode(R"({"metadata":[1, 2]})"), Verdict::kRow);
  ASSERT_TRUE(rows.decoder().TakeTextOrJson(Field::kMetadata, &source));
  EXPECT_EQ(source, "[1,2]");
  ASSERT_EQ(rows.Decode(R"({"metadata":" { }"})"), Verdict::kRow);
  ASSERT_TRUE(rows.decoder().TakeTextOrJson(Field::kMetadata, &source));
  EXPECT_EQ(source, " { }");
}

TEST(RowDecoder, GathersTheColumnsOfGoodRowsOnly) {
  Rows rows;
  rows.Decode(R"({"api_key_hash":"h","created_at":null})");
  rows.Decode(R"({"is_active":true,"x_bad":1,"x_bad":2})");
  rows.Decode(R"({"is_active":true})");
  EXPECT_EQ(rows.decoder().Columns(), (std::vector<std::string>{"api_key_hash", "created_at", "is_active"}));
  EXPECT_EQ(rows.decoder().rows(), 2u);
}

TEST(RowDecoder, ForgetsTheColumnsOfTheTableBefore) {
  Rows rows;
  rows.Decode(R"({"api_key_hash":"h","surprise":1})");
  rows.decoder().StartTable(LegacyKind::kKeys, std::nullopt);
  rows.Decode(R"({"api_key_hash":"h"})");
  EXPECT_EQ(rows.decoder().Columns(), (std::vector<std::string>{"api_key_hash"}));
}

TEST(RowDecoder, HoldsRowsToASchemaFile) {
  Rows rows(LegacyKind::kKeys, std::vector<std::string>{"api_key_hash", "is_active"});
  EXPECT_EQ(rows.Reason(R"({"api_key_hash":"h"})"), "");
  EXPECT_EQ(rows.Reason(R"({"api_key_hash":"h","other":1})"), "unknown_column");
  EXPECT_EQ(rows.decoder().Columns(), (std::vector<std::string>{"api_key_hash", "is_active"}));
}

TEST(RowDecoder, ReportsLinesThatWereTooLong) {
  Rows rows;
  legacy::Line line;
  line.too_large = true;
  EXPECT_EQ(rows.decoder().Decode(line), Verdict::kDead);
  EXPECT_EQ(rows.decoder().reason(), "row_too_large");
}

TEST(RowDecoder, GrowsForLongLines) {
  Rows rows;
  const std::string line = R"({"x_a":")" + std::string(3'000'000, 'y') + "\"}";
  EXPECT_EQ(rows.Reason(line), "");
  EXPECT_EQ(rows.Reason(Nested(64)), "invalid_json");
}

}  // namespace
}  // namespace reeve::migrate::copy
