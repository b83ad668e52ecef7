// The error codes that the API answers with, declared once: from this table come problem documents, GET /errors/{code} and the responses of
// /openapi.json. Codes are published and never change their meaning. Constant data; safe from any thread.
#pragma once

#include <span>
#include <string_view>

namespace reeve::api {

struct ErrorInfo {
  std::string_view code;    // "QUOTA_EXCEEDED"
  int status;               // the usual one; INVALID_REQUEST and IDEMPOTENCY_CONFLICT have others too
  std::string_view title;   // the same for every occurrence
  std::string_view meaning; // for GET /errors/{code}: what happened and what to do
};

[[nodiscard]] std::span<const ErrorInfo> ErrorInfos();
// REQUIRES: a code of the table
[[nodiscard]] const ErrorInfo& ErrorInfoOf(std::string_view code);
// nullptr: no such code. In any case of letters.
[[nodiscard]] const ErrorInfo* FindErrorInfo(std::string_view code);

}  // namespace reeve::api
