#include "api/openapi.h"

#include <boost/json.hpp>
#include <map>

#include "api/error_code.h"
#include "api/gateway_door.h"
#include "api/routes.h"
#include "base/encoding.h"

namespace reeve::api {
namespace {

namespace json = boost::json;

json::string Text(std::string_view text) { return json::string(text.data(), text.size()); }
json::object Ref(std::string_view name) { return {{"$ref", Text("#/components/schemas/" + std::string(name))}}; }
json::object Content(std::string_view type, json::object schema) { return {{std::string(type), json::object{{"schema", std::move(schema)}}}}; }

class Document {
 public:
  explicit Document(std::string_view url) : url_(url) {}

  std::string Write() {
    json::object paths;
    for (const Route& route : Routes()) {
      json::value& item = paths[std::string(route.pattern)];
      if (item.is_null()) item = json::object();
      item.as_object()[AsciiLower(MethodName(route.method))] = OperationOf(route);
    }
    AddGatewayPaths(&paths);
    schemas_["Problem"] = ProblemSchema();
    json::object info = {{"title", "reeve"}, {"version", REEVE_VERSION},
                         {"description", "Decides for every request who may come in and how much they may run. Errors are problem documents (RFC 9457)."}};
    const json::object document = {{"openapi", "3.1.0"}, {"info", std::move(info)}, {"servers", json::array{json::object{{"url", Text(url_.empty() ? "/" : url_)}}}},
                                   {"paths", std::move(paths)},
                                   {"components", json::object{{"schemas", schemas_}, {"securitySchemes", SecuritySchemes()}}}};
    return json::serialize(document) + "\n";
  }

 private:
  static json::object SecuritySchemes() {
    return {{"apiKey", json::object{{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}},
            {"apiKeyBearer", json::object{{"type", "http"}, {"scheme", "bearer"}, {"description", "the API key as a Bearer token"}}},
            {"admin", json::object{{"type", "http"}, {"scheme", "bearer"}, {"description", "an admin token of the server"}}}};
  }

  static json::object ProblemSchema() {
    json::array codes;
    for (const ErrorInfo& info : ErrorInfos()) codes.push_back(Text(info.code));
    const json::object text = {{"type", "string"}};
    const json::object error = {{"type", "object"}, {"required", json::array{"loc", "msg", "type"}},
                                {"properties", json::object{{"loc", json::object{{"type", "array"}, {"items", text}}}, {"msg", text}, {"type", text}}}};
    json::object properties = {{"type", text}, {"title", text}, {"status", json::object{{"type", "integer"}}}, {"detail", text}, {"instance", text},
                               {"error_code", json::object{{"type", "string"}, {"enum", std::move(codes)}}},
                               {"timestamp", json::object{{"type", "string"}, {"format", "date-time"}}}, {"request_id", text},
                               {"errors", json::object{{"type", "array"}, {"items", error}}}};
    return {{"type", "object"}, {"required", json::array{"type", "title", "status", "detail", "error_code", "timestamp", "request_id"}},
            {"properties", std::move(properties)}, {"additionalProperties", false}};
  }

  json::object FieldSchema(const FieldSpec& field) {
    if (field.type == FieldType::kObject) return SchemaOf(*field.object);
    static constexpr std::string_view kTypes[] = {"string", "integer", "boolean", "array", "object"};
    const std::string_view name = kTypes[static_cast<size_t>(field.type)];
    json::object schema;
    if (field.nullable)
      schema["type"] = json::array{Text(name), "null"};
    else
      schema["type"] = Text(name);
    if (field.type == FieldType::kTexts) schema["items"] = json::object{{"type", "string"}};
    if (field.type == FieldType::kText && field.min > 0) schema["minLength"] = 1;
    if (field.type == FieldType::kText && field.max != INT64_MAX) schema["maxLength"] = field.max;
    if (field.type == FieldType::kWhole) schema["minimum"] = field.min;
    if (field.type == FieldType::kWhole && field.max != INT64_MAX) schema["maximum"] = field.max;
    if (!field.choices.empty()) {
      json::array choices;
      for (const std::string_view choice : field.choices) choices.push_back(Text(choice));
      schema["enum"] = std::move(choices);
    }
    if (!field.help.empty()) schema["description"] = Text(field.help);
    return schema;
  }

  // A reference; the schema itself goes among the components.
  json::object SchemaOf(const BodySpec& body) {
    if (!schemas_.contains(std::string(body.name))) {
      json::object properties;
      json::array required;
      for (const FieldSpec& field : body.fields) {
        properties[std::string(field.name)] = FieldSchema(field);
        if (field.required) required.push_back(Text(field.name));
      }
      json::object schema = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
      if (!required.empty()) schema["required"] = std::move(required);
      schemas_[std::string(body.name)] = std::move(schema);
    }
    return Ref(body.name);
  }

  static json::array Security(Who who) {
    switch (who) {
      case Who::kAnyone: return {};
      case Who::kKey: return {json::object{{"apiKey", json::array()}}, json::object{{"apiKeyBearer", json::array()}}};
      case Who::kAdmin: return {json::object{{"admin", json::array()}}};
    }
    return {};
  }

  // Codes that a route of this kind can answer beside its own.
  static std::vector<std::string_view> UsualErrors(const Route& route) {
    std::vector<std::string_view> codes = {"INVALID_REQUEST", "REQUEST_TIMEOUT", "HEADERS_TOO_LARGE", "PAYLOAD_TOO_LARGE"};
    const auto add = [&](std::initializer_list<std::string_view> more) { codes.insert(codes.end(), more.begin(), more.end()); };
    if (route.body != nullptr) add({"UNSUPPORTED_MEDIA_TYPE"});
    if (route.who == Who::kKey)
      add({"INVALID_API_KEY", "CUSTOMER_SUSPENDED", "SUBSCRIPTION_INACTIVE", "INSUFFICIENT_SCOPE", "RATE_LIMIT_EXCEEDED", "STORE_UNAVAILABLE"});
    if (route.who == Who::kAdmin) add({"INVALID_ADMIN_TOKEN", "STORE_UNAVAILABLE"});
    return codes;
  }

  json::object Responses(const std::vector<Success>& successes, const std::vector<std::vector<std::string_view>>& errors) {
    json::object responses;
    for (const Success& success : successes) {
      json::object response = {{"description", Text(success.meaning)}};
      if (success.body != nullptr) response["content"] = Content("application/json", SchemaOf(*success.body));
      responses[std::to_string(success.status)] = std::move(response);
    }
    std::map<int, std::string> by_status;
    for (const auto& codes : errors)
      for (const std::string_view code : codes) {
        std::string& text = by_status[ErrorInfoOf(code).status];
        if (text.find(code) == std::string::npos) text += (text.empty() ? "" : ", ") + std::string(code);
      }
    for (const auto& [status, text] : by_status)
      responses[std::to_string(status)] = json::object{{"description", Text(text)}, {"content", Content("application/problem+json", Ref("Problem"))}};
    return responses;
  }

  json::object OperationOf(const Route& route) {
    json::array parameters;
    for (std::string_view rest = route.pattern; rest.find('{') != std::string_view::npos;) {
      const size_t begin = rest.find('{') + 1, end = rest.find('}');
      parameters.push_back(json::object{{"name", Text(rest.substr(begin, end - begin))}, {"in", "path"}, {"required", true},
                                        {"schema", json::object{{"type", "string"}, {"minLength", 1}, {"maxLength", kPathParameterMax}}}});
      rest.remove_prefix(end + 1);
    }
    for (const std::string_view name : route.query)
      parameters.push_back(json::object{{"name", Text(name)}, {"in", "query"}, {"required", false}, {"schema", json::object{{"type", "string"}}}});
    json::object operation = {{"operationId", Text(OperationIdOf(route))}, {"summary", Text(route.summary)}};
    if (!route.text.empty()) operation["description"] = Text(route.text);
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    if (route.body != nullptr) {
      bool needed = false;
      for (const FieldSpec& field : route.body->fields) needed = needed || field.required;
      operation["requestBody"] = json::object{{"required", needed}, {"content", Content("application/json", SchemaOf(*route.body))}};
    }
    operation["responses"] = Responses(route.successes, {UsualErrors(route), route.errors});
    operation["security"] = Security(route.who);
    return operation;
  }

  static std::string OperationIdOf(const Route& route) {
    return route.pattern == "/healthz" ? "readyOld" : std::string(OperationName(route.operation));
  }

  // Doors for gateways take any method; GET stands for all of them here.
  void AddGatewayPaths(json::object* paths) {
    static constexpr std::pair<std::string_view, std::string_view> kDoors[] = {
        {"/authz", "A gateway's question: any method, answered on the header fields"},
        {"/authz/scope/{scope}/cost/{cost}", "The same for a scope and a cost; each of the two parts may be left out"},
        {"/authz/nginx", "For nginx auth_request: refusals are 401 or 403 with X-Authz-Status and X-Authz-Denial"},
        {"/authz/nginx/denied", "Gives a refusal in full, by its token"},
        {"/authz/envoy/{path}", "For Envoy ext_authz: what follows is the client's own path"},
    };
    for (const auto& [path, summary] : kDoors) {
      const bool replay = path.ends_with("denied");
      const Route route = {.operation = replay ? Operation::kGatewayDenied : Operation::kGateway, .method = Method::kGet, .pattern = path,
                           .who = replay ? Who::kAnyone : Who::kKey, .summary = summary,
                           .successes = replay ? std::vector<Success>() : std::vector<Success>{{200, "allowed; who it is stands in X-Customer-Id and its fellows"}},
                           .errors = {"ACCESS_DENIED"}};
      json::object operation = OperationOf(route);
      operation["operationId"] = Text("door" + std::to_string(++doors_));
      (*paths)[std::string(path)] = json::object{{"get", std::move(operation)}};
    }
  }

  std::string url_;
  json::object schemas_;
  int doors_ = 0;
};

}  // namespace

std::string OpenApiDocument(std::string_view url) { return Document(url).Write(); }

}  // namespace reeve::api
