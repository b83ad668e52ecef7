// What a request shows of who it is. Pure; safe from any thread.
#pragma once

#include <string_view>

#include "api/http.h"

namespace reeve::api {

// The token of "Bearer …" (in any case of letters); empty: it is something else.
[[nodiscard]] std::string_view BearerOf(std::string_view authorization);
// The API key: X-API-Key, or where that is not there a Bearer token. Empty: none, or one of the two fields twice, between which nobody should choose.
[[nodiscard]] std::string_view KeyShown(const Request& request);
// The admin token: a Bearer token, under the same rule.
[[nodiscard]] std::string_view AdminTokenShown(const Request& request);

}  // namespace reeve::api
