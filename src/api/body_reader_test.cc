#include "api/body_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/route_bodies.h"

namespace reeve::api {
namespace {

const BodySpec kSpec = {"Test",
                        {{.name = "text", .required = true, .min = 1, .max = 10},
                         {.name = "number", .type = FieldType::kWhole, .min = -5, .max = 5},
                         {.name = "flag", .type = FieldType::kFlag},
                         {.name = "quota", .type = FieldType::kWhole, .nullable = true, .max = 100},
                         {.name = "choice", .max = 20, .choices = {"a", "b"}}}};

// "field type" of each error, in order.
std::string ErrorsOf(std::string_view json) {
  Body body;
  std::vector<FieldError> errors;
  const bool read = ReadBody(json, kSpec, &body, &errors);
  EXPECT_EQ(read, errors.empty()) << json;
  std::string out;
  for (const FieldError& error : errors) out += fmt::format("{}{}:{}", out.empty() ? "" : " ", error.field, error.type);
  return out;
}

TEST(ReadBody, ReadsWhatIsDeclared) {
  Body body;
  std::vector<FieldError> errors;
  ASSERT_TRUE(ReadBody(R"( {"text":"\u00e4\n" } )", {"T", {{.name = "text", .max = 10}}}, &body, &errors) == false) << "a control character";
  errors.clear();
  ASSERT_TRUE(ReadBody(R"({"text":"\u00e4b","number":-5,"flag":true,"quota":null,"choice":"b"})", kSpec, &body, &errors));
  EXPECT_EQ(body.Text("text"), "\xc3\xa4"
                               "b");
  EXPECT_EQ(body.Whole("number", 0), -5);
  EXPECT_TRUE(body.Flag("flag", false));
  EXPECT_TRUE(body.Has("quota"));
  EXPECT_TRUE(body.IsNull("quota"));
  EXPECT_EQ(body.Text("choice"), "b");
  EXPECT_EQ(body.Whole("absent", 7), 7);
}

TEST(ReadBody, SaysWhatIsWrongWithEachField) {
  const struct {
    std::string_view json, errors;
  } cases[] = {
      {R"({})", "text:missing"},
      {"", "text:missing"},
      {R"({"text":"a","other":1})", "other:unknown"},
      {R"({"text":"a","other":{"x":[1,{"y":2}]},"more":[]})", "other:unknown more:unknown"},
      {R"({"text":"a","text":"b"})", "text:duplicate"},
      {R"({"text":"a","te\u0078t":"b"})", "text:duplicate"},
      {R"({"text":1})", "text:type_error text:missing"},
      {R"({"text":null})", "text:type_error"},
      {R"({"text":["a"]})", "text:type_error"},
      {R"({"text":{"a":"b"}})", "text:type_error"},
      {R"({"text":""})", "text:value_error"},
      {R"({"text":"12345678901"})", "text:value_error"},
      {R"({"text":"a","number":6})", "number:value_error"},
      {R"({"text":"a","number":1.5})", "number:type_error"},
      {R"({"text":"a","number":1.0})", "number:type_error"},
      {R"({"text":"a","number":1e400})", "number:type_error"},
      {R"({"text":"a","number":99999999999999999999})", "number:type_error"},
      {R"({"text":"a","number":18446744073709551615})", "number:type_error"},
      {R"({"text":"a","number":"1"})", "number:type_error"},
      {R"({"text":"a","number":true})", "number:type_error"},
      {R"({"text":"a","number":null})", "number:type_error"},
      {R"({"text":"a","flag":0})", "flag:type_error"},
      {R"({"text":"a","quota":-1})", "quota:value_error"},
      {R"({"text":"a","choice":"c"})", "choice:value_error"},
      {R"({"text":"a\u0000"})", "text:value_error"},
      {R"([])", ":type_error"},
      {R"("text")", ":type_error"},
      {R"(null)", ":type_error"},
  };
  for (const auto& each : cases) {
    // A required field of the wrong type is there, so it is not missing too.
    const std::string expected = each.json == R"({"text":1})" ? "text:type_error" : std::string(each.errors);
    EXPECT_EQ(ErrorsOf(each.json), expected) << each.json;
  }
}

TEST(ReadBody, RefusesWhatIsNoJson) {
  for (const std::string_view json : {"{", "{\"text\":\"a\"", "{\"text\":\"a\"}x", "{'text':'a'}", "{\"text\":\"a\",}", "{\"text\":\"\xff\"}", R"({"text":"\ud800"})",
                                      R"({"text":"a"}{})", "{\"text\":\"a\" /* c */}", "nul", "\xef\xbb\xbf{\"text\":\"a\"}", "{\"text\":NaN}", "{\"text\":01}"}) {
    Body body;
    std::vector<FieldError> errors;
    EXPECT_FALSE(ReadBody(json, kSpec, &body, &errors)) << json;
    EXPECT_FALSE(errors.empty());
  }
}

TEST(ReadBody, DepthAndNamesHaveLimitsAndNothingRecurses) {
  const auto nested = [](size_t depth) { return R"({"text":"a","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}"; };
  EXPECT_EQ(ErrorsOf(nested(kDepthMax - 1)), "x:unknown");
  EXPECT_EQ(ErrorsOf(nested(kDepthMax)), "x:unknown :value_error");
  EXPECT_EQ(ErrorsOf(R"({"text":"a","x":)" + std::string(1'000'000, '[')), "x:unknown :value_error");
  std::string many = "{";
  for (size_t i = 0; i <= kKeysMax; ++i) many += fmt::format("{}\"k{}\":{{}}", i == 0 ? "" : ",", i);
  Body body;
  std::vector<FieldError> errors;
  EXPECT_FALSE(ReadBody(many + "}", kSpec, &body, &errors));
}

TEST(RouteBodies, TakeWhatTheClientsOfThePlatformSend) {
  const struct {
    const BodySpec* spec;
    std::string_view json;
    bool good;
  } cases[] = {
      {&kReserveBody, R"({"run_id":"r1","pipeline_id":"p","ttl_seconds":60})", true},
      {&kReserveBody, R"({"run_id":"r1"})", true},
      {&kReserveBody, R"({"pipeline_id":"p"})", false},
      {&kReserveBody, R"({"run_id":"r1","ttl_seconds":0})", false},
      {&kReserveBody, R"({"run_id":"r1","ttl_seconds":86401})", false},
      {&kHeartbeatBody, R"({"fence":1})", true},
      {&kHeartbeatBody, R"({})", false},
      {&kCompleteBody, R"({"fence":1,"outcome":"failed","compute_ms":0})", true},
      {&kCompleteBody, R"({"fence":1,"outcome":"fine"})", false},
      {&kCancelBody, R"({})", true},
      {&kQuotasBody, R"({"monthly_pipeline_quota":null,"concurrent_pipeline_quota":0,"storage_quota_gb":5})", true},
      {&kQuotasBody, R"({"monthly_pipeline_quota":1})", true},
      {&kQuotasBody, R"({"monthly_pipeline_quota":-1})", false},
      {&kAuthorizeBody, "", true},
      {&kAuthorizeBody, R"({"scope":"pipelines:write","cost":1000,"run":true})", true},
      {&kAuthorizeBody, R"({"cost":1001})", false},
      {&kSuspendBody, R"({"reason":"payment_failed"})", true},
      {&kSuspendBody, R"({"reason":"because"})", false},
  };
  for (const auto& each : cases) {
    Body body;
    std::vector<FieldError> errors;
    EXPECT_EQ(ReadBody(each.json, *each.spec, &body, &errors), each.good) << each.spec->name << ' ' << each.json;
  }
}

}  // namespace
}  // namespace reeve::api
