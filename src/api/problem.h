// Problem documents: every answer that is no success, in one form (RFC 9457), with the members that older clients of the platform read.
//
//   { "type": URI of the code's page, "title", "status", "detail", "instance": path that was asked,
//     "error_code", "timestamp": RFC 3339, "request_id",
//     "errors": [ {"loc": ["body", name], "msg", "type"} … ] }        errors only if there are some
//
// Sent as application/problem+json, or application/json to whoever does not accept the former. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "base/time_text.h"

namespace reeve::api {

struct FieldError {
  std::string place;    // "body" or "query"
  std::string field;    // empty: all of it
  std::string message;
  std::string_view type;  // "missing", "unknown", "duplicate", "type_error", "value_error", "json_invalid"
};

struct Problem {
  std::string_view code;              // of error_code.h
  int status = 0;                     // 0: the usual one of the code
  std::string detail = {};            // of this occurrence; empty: the title
  std::vector<FieldError> errors = {};
};

// What a document says beside its problem.
struct ProblemContext {
  std::string_view type_base;   // before "/errors/CODE"; empty: a relative reference
  std::string_view instance;    // path as it was asked; left out unless it is visible ASCII
  std::string_view request_id;
  std::string_view accept;      // field of the request
  Micros now = 0;
};

// Sets status, Content-Type and body of `reply`; fields that are there stay.
void WriteProblem(const Problem& problem, const ProblemContext& context, Reply* reply);

// Whether a field Accept (empty: anything) takes application/problem+json.
[[nodiscard]] bool AcceptsProblem(std::string_view accept);

}  // namespace reeve::api
