// Reading of small JSON documents that a server sent: absent, null and wrongly typed members are all "not there", numbers may be numbers or texts. Not for
// rows (rows.h). Pure functions; safe from any thread.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace reeve::bigquery::json {

using boost::json::array;
using boost::json::object;
using boost::json::serialize;
using boost::json::value;

inline constexpr size_t kDepthMax = 64;

// The document's object. kFailed naming `what` if it is none, or deeper than kDepthMax.
[[nodiscard]] Result<object> ParseObject(std::string_view text, std::string_view what);

[[nodiscard]] const object* FindObject(const object& from, std::string_view name);
[[nodiscard]] const array* FindArray(const object& from, std::string_view name);
// "" if it is not there.
[[nodiscard]] std::string Text(const object& from, std::string_view name);
// From 7, "7"; nullopt for anything else, also for what does not fit.
[[nodiscard]] std::optional<uint64_t> Unsigned(const object& from, std::string_view name);
[[nodiscard]] std::optional<int64_t> Signed(const object& from, std::string_view name);
[[nodiscard]] std::optional<bool> Bool(const object& from, std::string_view name);
// The members of an object that are texts.
[[nodiscard]] std::map<std::string, std::string> Texts(const object& from, std::string_view name);
[[nodiscard]] object ToObject(const std::map<std::string, std::string>& texts);

}  // namespace reeve::bigquery::json
