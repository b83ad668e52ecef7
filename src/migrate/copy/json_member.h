// Members of the JSON objects that go into metadata columns (docs/mapping.md §4, §6). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/encoding.h"

namespace reeve::migrate::copy {

// Appends "name":"value" to an object that was begun with "{"; the caller keeps the order of names and closes it.
inline void AppendMember(std::string_view name, std::string_view value, std::string* json) {
  if (json->size() > 1) *json += ',';
  AppendJsonString(name, json);
  *json += ':';
  AppendJsonString(value, json);
}

}  // namespace reeve::migrate::copy
