#include "api/routes.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "api/error_code.h"
#include "api/openapi.h"

namespace reeve::api {
namespace {

Operation OperationAt(Method method, std::string_view path, bool admin_door = true) {
  const Match match = FindRoute(method, path, admin_door);
  EXPECT_NE(match.route, nullptr) << path;
  return match.route == nullptr ? Operation::kGateway : match.route->operation;
}

TEST(Routes, AreFoundByMethodAndPath) {
  EXPECT_EQ(OperationAt(Method::kPost, "/api/v1/pipeline-runs"), Operation::kReserveRun);
  EXPECT_EQ(OperationAt(Method::kGet, "/api/v1/pipeline-runs/r"), Operation::kLookAtRun);
  EXPECT_EQ(OperationAt(Method::kHead, "/api/v1/pipeline-runs/r"), Operation::kLookAtRun);
  EXPECT_EQ(OperationAt(Method::kPost, "/api/v1/pipeline-runs/r/complete"), Operation::kCompleteRun);
  EXPECT_EQ(OperationAt(Method::kPatch, "/api/v1/customers/c/subscription"), Operation::kChangeQuotas);
  EXPECT_EQ(OperationAt(Method::kGet, "/"), Operation::kBanner);
  const Match match = FindRoute(Method::kPost, "/api/v1/customers/a%20b/api-keys/k%C3%A4/revoke", true);
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.parameters[0], "a b");
  EXPECT_EQ(match.parameters[1], "k\xc3\xa4");
}

TEST(Routes, OtherPathsDoNotExist) {
  for (const std::string_view path :
       {"/api/v1/pipeline-runs/", "/api/v1//authorize", "/api/v1/authorize/", "/API/v1/authorize", "//", "/api/v1/pipeline-runs/a%2Fb", "/api/v1/pipeline-runs/%00",
        "/api/v1/pipeline-runs/%zz", "/api/v1/pipeline-runs/%ff", "/api/v1/pipeline-runs/%", "/api/v1/../v1/authorize", "/openapi.json/x"}) {
    const Match match = FindRoute(Method::kGet, path, true);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
  }
  const std::string longest = "/api/v1/pipeline-runs/" + std::string(kPathParameterMax, 'a');
  EXPECT_NE(FindRoute(Method::kGet, longest, true).route, nullptr);
  EXPECT_EQ(FindRoute(Method::kGet, longest + "a", true).route, nullptr);
}

TEST(Routes, AWrongMethodIsToldTheRightOnes) {
  EXPECT_EQ(FindRoute(Method::kGet, "/api/v1/authorize", true).allow, "POST");
  EXPECT_EQ(FindRoute(Method::kPost, "/readyz", true).allow, "GET, HEAD");
  EXPECT_EQ(FindRoute(Method::kDelete, "/api/v1/pipeline-runs/r", true).allow, "GET, HEAD");
}

TEST(Routes, OfAdministratorsAreNotAtEveryDoor) {
  for (const Route& route : Routes()) {
    if (!route.admin_door) continue;
    std::string path(route.pattern);
    for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) path.replace(at, path.find('}') - at + 1, "x");
    EXPECT_EQ(FindRoute(route.method, path, true).route, &route) << path;
    const Match outside = FindRoute(route.method, path, false);
    EXPECT_TRUE(outside.route == nullptr && outside.allow.empty()) << path;
  }
}

TEST(OpenApi, HasEveryRouteAndIsSound) {
  const auto document = boost::json::parse(OpenApiDocument("https://reeve.example")).as_object();
  const auto& paths = document.at("paths").as_object();
  std::set<std::string> ids;
  for (const Route& route : Routes()) {
    std::string method(MethodName(route.method));
    for (char& c : method) c = static_cast<char>(c | 0x20);
    ASSERT_TRUE(paths.contains(std::string(route.pattern))) << route.pattern;
    const auto& operation = paths.at(std::string(route.pattern)).at(method).as_object();
    EXPECT_TRUE(ids.insert(std::string(operation.at("operationId").as_string())).second) << route.pattern;
    EXPECT_EQ(operation.contains("requestBody"), route.body != nullptr);
    for (const Success& success : route.successes) EXPECT_TRUE(operation.at("responses").as_object().contains(std::to_string(success.status)));
    for (const std::string_view code : route.errors) EXPECT_TRUE(operation.at("responses").as_object().contains(std::to_string(ErrorInfoOf(code).status))) << code;
  }
}

// Every "$ref" below `value` names a schema that is there.
void ExpectReferences(const boost::json::value& value, const boost::json::object& schemas) {
  if (const auto* array = value.if_array())
    for (const auto& item : *array) ExpectReferences(item, schemas);
  const auto* object = value.if_object();
  if (object == nullptr) return;
  for (const auto& [name, member] : *object) {
    if (name != "$ref") {
      ExpectReferences(member, schemas);
      continue;
    }
    const std::string reference(member.as_string());
    ASSERT_TRUE(reference.starts_with("#/components/schemas/")) << reference;
    EXPECT_TRUE(schemas.contains(reference.substr(21))) << reference;
  }
}

TEST(OpenApi, RefersOnlyToWhatItHas) {
  const auto document = boost::json::parse(OpenApiDocument(""));
  ExpectReferences(document, document.at("components").at("schemas").as_object());
}

}  // namespace
}  // namespace reeve::api
