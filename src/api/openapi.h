// /openapi.json (OpenAPI 3.1): the route table, the declared bodies and the error codes as a document. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace reeve::api {

// `url`: of the server, for the document's servers; empty: relative.
[[nodiscard]] std::string OpenApiDocument(std::string_view url);

}  // namespace reeve::api
