// docs/mapping.md §2: which lines are rows, which values are accepted, which tables are recognised.
#include "migrate/witness/row.h"

#include <gtest/gtest.h>

#include <random>

#include "migrate/witness/table_reader.h"
#include "migrate/witness/text.h"
#include "tests/fakes/memory_estate.h"

namespace reeve::migrate::witness {
namespace {

class RowTest : public testing::Test {
 protected:
  // Reads one line of a key table and says why it is rejected, "" if it is not.
  std::string Why(std::string_view line, Kind kind = Kind::kKeys) {
    json_.StartTable(kind, schema_);
    Reason reason = json_.Parse(line);
    if (reason == Reason::kNone) reason = ReadRow(json_, kind, &row_);
    return std::string(NameOf(reason));
  }
  // The same of a field's value.
  std::string WhyValue(std::string_view field, std::string_view value, Kind kind = Kind::kKeys) {
    return Why(fmt::format("{{\"{}\":{}}}", field, value), kind);
  }

  std::optional<std::vector<std::string>> schema_;
  JsonRow json_;
  Row row_;
};

TEST_F(RowTest, OnlyWholeValidJsonObjectsAreRows) {
  const std::pair<std::string, const char*> lines[] = {
      {"{}", ""},
      {" \t{ \"a\" : [ ] } \r", ""},
      {"", "invalid_json"},
      {"{", "invalid_json"},
      {"{}x", "invalid_json"},
      {"{}{}", "invalid_json"},
      {"{},", "invalid_json"},
      {"{\"a\":1,}", "invalid_json"},
      {"{'a':1}", "invalid_json"},
      {"{a:1}", "invalid_json"},
      {"{\"a\":01}", "invalid_json"},
      {"{\"a\":+1}", "invalid_json"},
      {"{\"a\":.5}", "invalid_json"},
      {"{\"a\":1.}", "invalid_json"},
      {"{\"a\":1e}", "invalid_json"},
      {"{\"a\":-}", "invalid_json"},
      {"{\"a\":NaN}", "invalid_json"},
      {"{\"a\":Infinity}", "invalid_json"},
      {"{\"a\":True}", "invalid_json"},
      {"{\"a\":nul}", "invalid_json"},
      {"{\"a\" 1}", "invalid_json"},
      {"{\"a\":1 \"b\":2}", "invalid_json"},
      {"// c\n{}", "invalid_json"},
      {"{\"a\":/**/1}", "invalid_json"},
      {"\xEF\xBB\xBF{}", "invalid_json"},
      {"[]", "not_an_object"},
      {"[{\"api_key_id\":5}]", "not_an_object"},
      {"\"text\"", "not_an_object"},
      {"5", "not_an_object"},
      {"null", "not_an_object"},
      {"[}", "invalid_json"},
      {"18446744073709551616", "invalid_json"},
  };
  for (const auto& [line, why] : lines) EXPECT_EQ(Why(line), why) << line;
}

TEST_F(RowTest, StringsAreValidUtf8WithoutControlsAndLoneSurrogates) {
  const std::pair<std::string, const char*> values[] = {
      {"\"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\\\\\"\"", ""},
      {"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", ""},
      {"\"\xF4\x8F\xBF\xBF\"", ""},
      {"\"a\tb\"", "invalid_json"},
      {std::string("\"a\0b\"", 5), "invalid_json"},
      {"\"\x1f\"", "invalid_json"},
      {"\"\x7f\"", ""},
      {"\"\\x41\"", "invalid_json"},
      {"\"\\u12\"", "invalid_json"},
      {"\"\\u12g4\"", "invalid_json"},
      {"\"\\ud83d\"", "invalid_json"},
      {"\"\\ud83dx\"", "invalid_json"},
      {"\"\\ud83d\\n\"", "invalid_json"},
      {"\"\\ud83d\\ud83d\"", "invalid_json"},
      {"\"\\ude00\"", "invalid_json"},
      {"\"\\ude00\\ud83d\"", "invalid_json"},
      {"\"\xC3\"", "invalid_json"},
      {"\"\xC0\x80\"", "invalid_json"},
      {"\"\xE0\x80\x80\"", "invalid_json"},
      {"\"\xED\xA0\x80\"", "invalid_json"},
      {"\"\xED\xBF\xBF\"", "invalid_json"},
      {"\"\xF4\x90\x80\x80\"", "invalid_json"},
      {"\"\xF8\x88\x80\x80\x80\"", "invalid_json"},
      {"\"\x80\"", "invalid_json"},
      {"\"\xFF\"", "invalid_json"},
      {"\"abc", "invalid_json"},
      {"\"abc\\\"", "invalid_json"},
  };
  for (const auto& [value, why] : values) {
    // Whether it is used, not used or nested makes no difference, nor where in the parser's buffer it lies.
    EXPECT_EQ(WhyValue("key_name", value), why) << value;
    EXPECT_EQ(WhyValue("usage_count", value), why) << value;
    EXPECT_EQ(Why("{\"permissions\":[{\"deep\":" + value + "}]}"), why) << value;
    EXPECT_EQ(Why("{" + value + ":1}"), why) << value;
  }
  for (size_t length = 4080; length < 4110; ++length) {
    const std::string text = "\\n" + std::string(length, 'x') + "\\ud83d\\ude00\xC3\xA9\\u0041";
    ASSERT_EQ(WhyValue("key_name", "\"" + text + "\""), "");
    ASSERT_EQ(row_.Text(key_field::kName), "\n" + std::string(length, 'x') + "\xF0\x9F\x98\x80\xC3\xA9" "A");
    ASSERT_EQ(WhyValue("key_name", "\"" + text + "\\ud83d\""), "invalid_json");
  }
}

TEST_F(RowTest, NestingEndsAtLevelSixtyFour) {
  const auto nested = [](int levels, char open, char close) {
    return "{\"a\":" + std::string(static_cast<size_t>(levels - 1), open) + std::string(static_cast<size_t>(levels - 1), close) + "}";
  };
  EXPECT_EQ(Why(nested(64, '[', ']')), "");
  EXPECT_EQ(Why(nested(65, '[', ']')), "invalid_json");
  EXPECT_EQ(Why("{\"a\":" + std::string(100'000, '[')), "invalid_json");
  std::string objects = "{}";
  for (int level = 1; level < 64; ++level) objects = "{\"a\":" + objects + "}";
  EXPECT_EQ(Why(objects), "");
  EXPECT_EQ(Why("{\"a\":" + objects + "}"), "invalid_json");
}

TEST_F(RowTest, NumbersStayWithinTheirTypes) {
  const std::pair<std::string, const char*> numbers[] = {
      {"18446744073709551615", ""},
      {"18446744073709551616", "invalid_json"},
      {"-9223372036854775808", ""},
      {"-9223372036854775809", "invalid_json"},
      {"99999999999999999999999999", "invalid_json"},
      {"99999999999999999999999999.0", ""},
      {"-0", ""},
      {"-0.0", ""},
      {"1e308", ""},
      {"1.7976931348623157e308", ""},
      {"1.7976931348623158e308", ""},
      {"1.7976931348623159e308", "invalid_json"},
      {"-1e309", "invalid_json"},
      {"1e400", "invalid_json"},
      {"0e400", ""},
      {"0.0e99999999999", ""},
      {"1e-400", ""},
      {"1e-99999999999", ""},
      {"1e99999999999", "invalid_json"},
      {"1e00000000000000000001", ""},
      {"1E+5", ""},
      {"0." + std::string(400, '0') + "1e+405", ""},
      {"1" + std::string(400, '0') + ".0", "invalid_json"},
      {"1" + std::string(400, '0') + "e-390", ""},
      {"1" + std::string(400, '0'), "invalid_json"},
      {"0." + std::string(400, '0') + "1", ""},
  };
  for (const auto& [number, why] : numbers) {
    EXPECT_EQ(Why("{\"usage_count\":" + number + "}"), why) << number;
    EXPECT_EQ(Why("{\"x\":[[{\"e\":\"e99999999999\\\"\"}," + number + "]]}"), why) << number;
  }
}

TEST_F(RowTest, ANameMayOccurOnceAfterUnescaping) {
  EXPECT_EQ(Why(R"({"a":1,"a":1})"), "duplicate_field");
  EXPECT_EQ(Why(R"({"a":1,"b":2,"\u0061":null})"), "duplicate_field");
  EXPECT_EQ(Why(R"({"a":1,"A":1,"":1,"a ":1})"), "");
  EXPECT_EQ(Why(R"({"x":{"a":1,"a":2}})"), "");
  EXPECT_EQ(Why(R"({"a":1,"a":1)"), "invalid_json");
  EXPECT_EQ(Why(R"({"\u0061pi_key_id":"k"})"), "");
  EXPECT_EQ(row_.Text(key_field::kId), "k");
}

TEST_F(RowTest, ASchemaFileLimitsTheColumns) {
  schema_ = std::vector<std::string>{"api_key_hash", "created_at", "is_active"};
  EXPECT_EQ(Why(R"({"is_active":true})"), "");
  EXPECT_EQ(Why(R"({"is_active":true,"key_name":"x"})"), "unknown_column");
  EXPECT_EQ(Why(R"({"is_active":true,"key_name":null})"), "unknown_column");
}

TEST_F(RowTest, UsedFieldsHaveTheirTypes) {
  const std::tuple<const char*, const char*, const char*> values[] = {
      {"key_name", "\"x\"", ""},           {"key_name", "null", ""},
      {"key_name", "5", "bad_text"},       {"key_name", "true", "bad_text"},
      {"key_name", "[]", "bad_text"},      {"key_name", "{}", "bad_text"},
      {"created_at", "\"2026-01-01 00:00:00\"", ""}, {"created_at", "\"\"", "bad_time"},
      {"created_at", "1767225600", "bad_time"},      {"is_active", "true", ""},
      {"is_active", "\"false\"", ""},      {"is_active", "\"TRUE\"", "bad_bool"},
      {"is_active", "1", "bad_bool"},      {"is_active", "\"\"", "bad_bool"},
      {"scopes", "[]", ""},                {"scopes", "[\"a\",\"\"]", ""},
      {"scopes", "\"a\"", "bad_texts"},    {"scopes", "[1]", "bad_texts"},
      {"scopes", "[null]", "bad_texts"},   {"scopes", "[[\"a\"]]", "bad_texts"},
      {"scopes", "[{}]", "bad_texts"},     {"scopes", "[true]", "bad_texts"},
      {"scopes", "{}", "bad_texts"},       {"scopes", "[\"a\\u0000\"]", "nul_in_text"},
      {"key_name", "\"a\\u0000\"", "nul_in_text"}, {"usage_count", "\"a\\u0000\"", ""},
      {"rate_limit_tier", "{\"a\":[1]}", ""},
  };
  for (const auto& [field, value, why] : values) EXPECT_EQ(WhyValue(field, value), why) << field << value;
  const std::pair<const char*, const char*> ints[] = {{"5", ""},     {"\"5\"", ""},          {"-5", ""},
                                                      {"5.0", "bad_int"}, {"1e2", "bad_int"}, {"9223372036854775808", "bad_int"},
                                                      {"\"\"", "bad_int"}, {"true", "bad_int"}, {"[]", "bad_int"}};
  for (const auto& [value, why] : ints) EXPECT_EQ(WhyValue("duration_ms", value, Kind::kRuns), why) << value;
}

TEST_F(RowTest, TextsEndAtOneMebibyteOfUtf8AfterUnescaping) {
  const std::string limit(1024 * 1024, 'x');
  EXPECT_EQ(WhyValue("key_name", "\"" + limit + "\""), "");
  EXPECT_EQ(WhyValue("key_name", "\"" + limit + "x\""), "value_too_large");
  EXPECT_EQ(WhyValue("usage_count", "\"" + limit + "x\""), "");
  EXPECT_EQ(WhyValue("key_name", "\"" + limit.substr(1) + "\\u0041\""), "");
  EXPECT_EQ(WhyValue("key_name", "\"" + limit.substr(1) + "\\u00e9\""), "value_too_large");
  EXPECT_EQ(WhyValue("scopes", "[\"a\",\"" + limit + "x\"]"), "value_too_large");
}

TEST_F(RowTest, TheFirstPresentAlternativeIsUsedEvenIfEmpty) {
  EXPECT_EQ(Why(R"({"key_name":null,"description":"d"})"), "");
  EXPECT_EQ(row_.Text(key_field::kName), "d");
  EXPECT_EQ(Why(R"({"description":"d","key_name":""})"), "");
  EXPECT_FALSE(row_[key_field::kName].present);
  EXPECT_EQ(Why(R"({"key_name":"n","description":5})"), "");
  EXPECT_EQ(Why(R"({"key_name":5,"description":"d"})"), "bad_text");
  EXPECT_EQ(Why(R"({"revoked_at":"2026-01-02 00:00:00","deactivated_at":"2026-01-01 00:00:00"})"), "");
  EXPECT_EQ(row_[key_field::kRevokedAt].number, *ReadTime("2026-01-01 00:00:00"));
  EXPECT_EQ(Why("{}"), "");
  EXPECT_FALSE(row_[key_field::kRevokedAt].present);  // nothing of the row before is left
}

TEST_F(RowTest, NoViewOfAnEarlierLineIsLeft) {
  for (const char* value : {"5", "1.5", "true", "null", "[]", "{}", "[[1]]", "18446744073709551615"}) {
    for (const std::string_view field : VocabularyOf(Kind::kCredentials)) {
      auto line = std::make_unique<std::string>(fmt::format("{{\"{}\":\"{}\"}}", field, std::string(5000, 'x')));
      (void)Why(*line, Kind::kCredentials);
      line.reset();  // the sanitizers would see it read
      (void)WhyValue(field, value, Kind::kCredentials);
    }
  }
}

TEST_F(RowTest, ScopesBecomeOneJsonText) {
  EXPECT_EQ(Why(R"({ "scopes" : [ "a\u0062" , "q\"" ,"" ] , "key_name" : "\u006e" })"), "");
  EXPECT_EQ(row_.Text(key_field::kScopes), R"(["ab","q\"",""])");
  EXPECT_EQ(row_.Text(key_field::kName), "n");
}

TEST_F(RowTest, MetadataKeepsItsSourceWithoutWhiteSpace) {
  const std::pair<const char*, const char*> sources[] = {
      {R"({"x":{"metadata":1},"metadata" : { "a" : [ 1.50 , "b \" } c" ] , "\u00e9":{} } ,"labels":[]})", R"({"a":[1.50,"b \" } c"],"\u00e9":{}})"},
      {R"({"metadata":[ ]})", "[]"},
      {R"({"met\u0061data":[1e99999999999999999999,2]})", nullptr},
      {R"({"met\u0061data":[1e-99999999999999999999 ,2]})", "[1e-99999999999999999999,2]"},
      {R"({"metadata":"plain  text"})", "plain  text"},
  };
  for (const auto& [line, text] : sources) {
    EXPECT_EQ(Why(line, Kind::kCredentials), text == nullptr ? "invalid_json" : "") << line;
    if (text == nullptr) continue;
    EXPECT_EQ(row_.Text(credential_field::kMetadata), text);
  }
  EXPECT_EQ(WhyValue("metadata", "5", Kind::kCredentials), "bad_text");
}

TEST_F(RowTest, APackedRowIsTheSameRow) {
  ASSERT_EQ(Why(R"({"api_key_id":"k","is_active":"true","scopes":["a"],"created_at":"1960-01-01 00:00:00"})"), "");
  std::string bytes;
  PackRow(Kind::kKeys, true, row_, &bytes);
  PackRejected(Kind::kCredentials, &bytes);
  PackRow(Kind::kRuns, false, Row(), &bytes);
  std::string_view rest = bytes;
  PackedRow packed;
  UnpackRow(&rest, &packed);
  EXPECT_EQ(packed.kind, Kind::kKeys);
  EXPECT_TRUE(packed.has_is_active);
  EXPECT_FALSE(packed.rejected);
  const Row& copy = packed.row;
  for (int field = 0; field < key_field::kCount; ++field) {
    EXPECT_EQ(copy[field].present, row_[field].present) << field;
    EXPECT_EQ(copy[field].text, row_[field].text) << field;
    EXPECT_EQ(copy[field].number, row_[field].number) << field;
  }
  UnpackRow(&rest, &packed);
  EXPECT_EQ(packed.kind, Kind::kCredentials);
  EXPECT_TRUE(packed.rejected);
  UnpackRow(&rest, &packed);
  EXPECT_EQ(packed.kind, Kind::kRuns);
  EXPECT_TRUE(rest.empty());
}

TEST_F(RowTest, NoBytesMakeTheReaderStumble) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string good[] = {
      R"({"api_key_id":"k\u00e91","tenant_id":null,"scopes":["a","\ud83d\ude00"],"created_at":"2026-01-01 00:00:00 UTC","is_active":"true"})",
      R"({"credential_id":"c","metadata":{"a":[1.5e3,{"b":"}\""}],"c":-0},"labels":[[{}]],"x_y":1e99999999999,"updated_at":"2026-01-01T00:00:00.5+01:00"})",
      R"({"run_id":"\u0041","status":"FAILED","duration_ms":"12","start_time":"2026-01-01 00:00:00","parameters":"{\"a\":1}","x":18446744073709551615})"};
  constexpr char kLikely[] = "{}[]\",:\\u0e9-+.dD8 \n\xC3\xED\xA0";
  for (int round = 0; round < 30'000; ++round) {
    std::string bytes = good[random() % 3];
    for (unsigned i = 1 + random() % 4; i > 0; --i) {
      const char c = random() % 2 == 0 ? kLikely[random() % sizeof kLikely] : static_cast<char>(random());
      const size_t at = random() % bytes.size();
      if (random() % 2 == 0) bytes[at] = c;
      else bytes.insert(at, 1, c);
    }
    const auto exact = std::make_unique<char[]>(bytes.size());  // so that a read beyond the end is seen
    std::copy(bytes.begin(), bytes.end(), exact.get());
    (void)Why({exact.get(), bytes.size()}, static_cast<Kind>(random() % 4));
  }
}

// A table of one part, read, with the number of rejected rows.
struct ReadOutcome : TableOutcome {
  uint64_t rejected = 0;
};
ReadOutcome ReadTable(Kind kind, const std::string& rows, std::optional<std::vector<std::string>> schema = {}) {
  fakes::MemoryEstate estate;
  estate.Put("t", "x", rows);
  TableReader reader(estate);
  ReadOutcome outcome;
  static_cast<TableOutcome&>(outcome) =
      reader.Read({kind, {"t", "x", {{"x", rows.size()}}, std::move(schema), rows.size()}},
                  [&](const Row&, Reason reason) { outcome.rejected += reason != Reason::kNone ? 1 : 0; });
  EXPECT_EQ(reader.bytes(), rows.size());
  return outcome;
}

TEST(WitnessShape, IsJudgedByTheUnionOfTheColumns) {
  const std::string good = "{\"run_id\":\"1\",\"status\":\"FAILED\"}\n{\"started_at\":null}\n";
  EXPECT_TRUE(ReadTable(Kind::kRuns, good).recognised);
  EXPECT_TRUE(ReadTable(Kind::kRuns, good + "{\"x_anything\":1,\"hierarchy_level\":1}").recognised);
  EXPECT_FALSE(ReadTable(Kind::kRuns, good + "{\"colour\":1}").recognised);
  EXPECT_FALSE(ReadTable(Kind::kRuns, good + "{\"colour\":null}").recognised);
  EXPECT_TRUE(ReadTable(Kind::kRuns, good + "{\"colour\":1,\"colour\":1}\n{\"colour\":1\n").recognised);
  EXPECT_FALSE(ReadTable(Kind::kRuns, good + "{\"validation_status\":1}").recognised);
  EXPECT_FALSE(ReadTable(Kind::kRuns, "{\"run_id\":\"1\",\"status\":\"FAILED\"}\n").recognised);
  EXPECT_TRUE(ReadTable(Kind::kCredentials, "{\"provider\":1,\"encrypted_value\":1,\"created_at\":1,\"validation_x\":1}").recognised);
  EXPECT_FALSE(ReadTable(Kind::kKeys, "{\"created_at\":1,\"is_active\":1}").recognised);
  EXPECT_TRUE(ReadTable(Kind::kKeys, "{\"created_at\":1,\"is_active\":1,\"api_key\":1}").recognised);
  EXPECT_TRUE(ReadTable(Kind::kRecord, "{\"org_slug\":1}").recognised);
  EXPECT_FALSE(ReadTable(Kind::kRecord, "{}").recognised);
}

TEST(WitnessShape, AnEmptyTableIsRecognisedUnlessItsSchemaSaysOtherwise) {
  EXPECT_TRUE(ReadTable(Kind::kRuns, "").recognised);
  EXPECT_TRUE(ReadTable(Kind::kRuns, " \n\t\r\n\n").recognised);
  EXPECT_EQ(ReadTable(Kind::kRuns, " \n\t\r\n\n").rows, 0U);
  EXPECT_FALSE(ReadTable(Kind::kRuns, "", std::vector<std::string>{}).recognised);
  EXPECT_TRUE(ReadTable(Kind::kRuns, "", std::vector<std::string>{"run_id", "status", "start_time"}).recognised);
  EXPECT_FALSE(ReadTable(Kind::kRuns, "", std::vector<std::string>{"run_id", "status", "start_time", "colour"}).recognised);
  EXPECT_TRUE(ReadTable(Kind::kCredentials, "", std::vector<std::string>{"provider", "encrypted_value", "created_at", "is_active"}).has_is_active);
}

TEST(WitnessShape, OneTablesColumnsAreNotTheNextOnes) {
  fakes::MemoryEstate estate;
  estate.Put("t", "a", "{\"run_id\":\"1\",\"status\":\"FAILED\",\"started_at\":null,\"colour\":1}");
  estate.Put("t", "b", "{\"run_id\":\"1\",\"status\":\"FAILED\"}");
  estate.Put("t", "c", "{\"status\":\"FAILED\",\"started_at\":null,\"run_id\":\"1\"}");
  TableReader reader(estate);
  const auto read = [&](const std::string& name) {
    return reader.Read({Kind::kRuns, {"t", name, {{name, 1}}, {}, 1}}, [](const Row&, Reason) {}).recognised;
  };
  EXPECT_FALSE(read("a"));
  EXPECT_FALSE(read("b"));
  EXPECT_TRUE(read("c"));
}

TEST(WitnessLines, LinesOfAnyLengthUpToTheLimitAreRows) {
  for (const size_t extra : {size_t{0}, size_t{1}, size_t{70'000}}) {
    const std::string start = "{\"error_message\":\"";
    const std::string row = start + std::string(kRowBytesMax - start.size() - 2 + extra, 'x') + "\"}";
    const ReadOutcome outcome = ReadTable(Kind::kRuns, "{\"a\":1}\n" + row + "\n{\"b\":1}");
    EXPECT_EQ(outcome.rows, 3U);
    EXPECT_EQ(outcome.rejected, extra == 0 ? 0U : 1U);
  }
  EXPECT_EQ(ReadTable(Kind::kRuns, std::string(kRowBytesMax + 1, 'x')).rejected, 1U);
}

}  // namespace
}  // namespace reeve::migrate::witness
